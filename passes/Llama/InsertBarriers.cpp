//===- InsertBarriers.cpp - barriers between dependent dispatches ---------===//
//
// From steps of dispatches to steps with as few barriers as their dependences
// allow. A pass of its own, so that outlining need not decide the order, and
// the verifier checks it independently.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/ScheduleDependences.h"
#include "llvm/ADT/SetVector.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAINSERTBARRIERS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

using BarrierPlaces = llvm::SmallSetVector<Operation *, 16>;

/// The first dispatch of the trace that depends on one since the last barrier.
static DispatchOp firstUnordered(ArrayRef<TracePoint> trace,
                                 const ScheduleDependences &dependences,
                                 const BarrierPlaces &barrierBefore) {
  SmallVector<DispatchOp> sinceBarrier;
  for (const TracePoint &point : trace) {
    auto run = dyn_cast<DispatchOp>(point.op);
    if (!run)
      continue;
    if (barrierBefore.contains(run))
      sinceBarrier.clear();
    for (DispatchOp earlier : sinceBarrier)
      if (dependences.conflictBetween(earlier, run))
        return run;
    sinceBarrier.push_back(run);
  }
  return {};
}

/// Dispatches that need a barrier in front of them.
static BarrierPlaces placeBarriers(ArrayRef<TracePoint> trace,
                                   const ScheduleDependences &dependences) {
  BarrierPlaces places;
  while (DispatchOp run = firstUnordered(trace, dependences, places))
    if (!places.insert(run))
      break; // it depends on its own previous iteration: the barrier exists
  // A barrier for a loop's back edge also executes in the first iteration and
  // may have made a later barrier redundant.
  for (Operation *place : llvm::to_vector(places)) {
    places.remove(place);
    if (firstUnordered(trace, dependences, places))
      places.insert(place);
  }
  return places;
}

namespace {
struct InsertBarriers
    : corellama::llama::impl::LlamaInsertBarriersBase<InsertBarriers> {
  void runOnOperation() override {
    FailureOr<ScheduleDependences> dependences =
        ScheduleDependences::compute(getOperation());
    if (failed(dependences))
      return signalPassFailure();
    for (StepOp step : dependences->getSteps()) {
      ArrayRef<TracePoint> trace = dependences->traceOf(step);
      BarrierPlaces places = placeBarriers(trace, *dependences);
      SmallVector<BarrierOp> old;
      step.walk([&](BarrierOp barrier) { old.push_back(barrier); });
      for (BarrierOp barrier : old)
        barrier.erase();
      for (Operation *place : places) {
        OpBuilder builder(place);
        BarrierOp::create(builder, place->getLoc());
      }
    }
  }
};
} // namespace
