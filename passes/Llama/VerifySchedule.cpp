//===- VerifySchedule.cpp - prove that a schedule keeps its values --------===//
//
// Reads a schedule and proves of it, by byte ranges, that no two runs race,
// that no kernel writes what it reads, and that a slot still holds its value
// when it is read. It shares with the passes that made the schedule what a run
// touches and in which order runs are met, but none of their decisions.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/ScheduleDependences.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAVERIFYSCHEDULE
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// "slot @x" or "the cache".
static std::string nameOf(const SlotAccess &access) {
  SlotOp slot = access.slot;
  return slot ? ("slot @" + slot.getSymName()).str() : "the cache";
}

//===----------------------------------------------------------------------===//
// Offsets
//===----------------------------------------------------------------------===//

static LogicalResult verifyOffset(SlotOp slot) {
  if (!slot.getAt())
    return slot.emitOpError() << "@" << slot.getSymName()
                              << " has no offset; run llama-assign-slots first";
  FailureOr<int64_t> bytes = checkedBytes(slot);
  if (failed(bytes))
    return failure();
  int64_t end;
  if (llvm::AddOverflow(static_cast<int64_t>(*slot.getAt()), *bytes, end))
    return slot.emitOpError()
           << "@" << slot.getSymName() << " ends beyond all memory";
  return success();
}

/// The offset that code generation sees is the declared one.
static LogicalResult verifyStamp(const SlotAccess &access) {
  SlotOp slot = access.slot;
  if (!slot)
    return success();
  auto stamp = access.op->getAttrOfType<IntegerAttr>("at");
  if (stamp && stamp.getInt() == static_cast<int64_t>(*slot.getAt()))
    return success();
  InFlightDiagnostic diagnostic = access.op->emitOpError();
  if (stamp)
    diagnostic << "is stamped with offset " << stamp.getInt();
  else
    diagnostic << "is not stamped with an offset";
  return diagnostic << ", slot @" << slot.getSymName() << " lies at "
                    << *slot.getAt() << "; run llama-assign-slots again";
}

//===----------------------------------------------------------------------===//
// Inside of one run
//===----------------------------------------------------------------------===//

/// Parts of one run are in no order, so what one writes no other may touch.
static LogicalResult verifyCallee(Operation *callee,
                                  ArrayRef<SlotAccess> accesses) {
  for (auto [i, write] : llvm::enumerate(accesses)) {
    if (!write.writes)
      continue;
    for (auto [j, other] : llvm::enumerate(accesses)) {
      if (i == j || (other.writes && j < i) || !touchTheSame(write, other))
        continue;
      InFlightDiagnostic diagnostic = write.op->emitOpError();
      diagnostic << "of @" << SymbolTable::getSymbolName(callee).getValue()
                 << " writes " << nameOf(write);
      if (write.slot != other.slot)
        diagnostic << ", which shares bytes with " << nameOf(other)
                   << " that it " << (other.writes ? "writes" : "reads")
                   << " as well";
      else
        diagnostic << ", which it "
                   << (other.writes ? "writes twice" : "reads as well");
      diagnostic << "; parts of a run are in no order";
      diagnostic.attachNote(other.op->getLoc()) << "here";
      return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Between runs
//===----------------------------------------------------------------------===//

namespace {
/// An earlier run that the same missing barrier would have kept apart.
struct EarlierRun {
  RunOp run;
  bool roundBefore; // for the layer before
  Conflict conflict;
};
} // namespace

static void report(RunOp run, ArrayRef<EarlierRun> allEarlier) {
  auto [earlier, roundBefore, conflict] = allEarlier.front();
  InFlightDiagnostic diagnostic = run.emitOpError();
  diagnostic << "of " << namesOf(run)
             << (conflict.later.writes ? " writes " : " reads ")
             << nameOf(conflict.later);
  if (conflict.later.slot == conflict.earlier.slot)
    diagnostic << ", which the run of " << namesOf(earlier);
  else
    diagnostic << ", which shares bytes with " << nameOf(conflict.earlier)
               << " that the run of " << namesOf(earlier);
  diagnostic << (roundBefore ? " for the layer before" : "")
             << (conflict.earlier.writes ? " writes" : " reads")
             << "; a llama.barrier between them is missing";
  diagnostic.attachNote(earlier.getLoc()) << "the other run is here";
  for (const EarlierRun &other : allEarlier.drop_front())
    diagnostic.attachNote(other.run->getLoc())
        << "the run of " << namesOf(other.run)
        << (other.roundBefore ? " for the layer before" : "")
        << " needs it as well";
}

/// Runs without a barrier between them touch nothing in common that one of them
/// writes. Where they do, a barrier right before the later run would mend it
/// for all earlier ones: that is reported once, and taken for present from
/// there on, in each round of its loop.
static LogicalResult verifyBarriers(StepOp step,
                                    const ScheduleDependences &dependences) {
  llvm::MapVector<Operation *, SmallVector<EarlierRun, 1>> missing;
  SmallVector<TracePoint> sinceBarrier;
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<RunOp>(point.op);
    if (!run) {
      sinceBarrier.clear();
      continue;
    }
    for (const TracePoint &before : sinceBarrier) {
      auto earlier = cast<RunOp>(before.op);
      std::optional<Conflict> conflict =
          dependences.conflictBetween(earlier, run);
      if (!conflict)
        continue;
      bool sameLoop = earlier->getBlock() == run->getBlock();
      SmallVector<EarlierRun, 1> &found = missing[run];
      if (llvm::none_of(found, [&](EarlierRun &e) { return e.run == earlier; }))
        found.push_back(
            {earlier, sameLoop && point.again && !before.again, *conflict});
    }
    if (missing.contains(run))
      sinceBarrier.clear();
    sinceBarrier.push_back(point);
  }
  for (auto &[run, earlier] : missing)
    report(cast<RunOp>(run), earlier);
  return failure(!missing.empty());
}

/// A slot is read before any slot that shares bytes with it was written over
/// its value.
static LogicalResult verifyValues(StepOp step,
                                  const ScheduleDependences &dependences) {
  struct Overwritten {
    RunOp by;
    SlotOp with;
  };
  llvm::DenseMap<Operation *, Overwritten> overwritten;
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<RunOp>(point.op);
    if (!run)
      continue;
    for (const SlotAccess &access : dependences.accessesOf(run)) {
      if (!access.slot || access.writes)
        continue;
      auto lost = overwritten.find(access.slot);
      if (lost == overwritten.end())
        continue;
      InFlightDiagnostic diagnostic = run.emitOpError();
      diagnostic << "of " << namesOf(run) << " reads " << nameOf(access)
                 << ", but the run of " << namesOf(lost->second.by)
                 << " has written slot @" << lost->second.with.getSymName()
                 << " over its bytes";
      diagnostic.attachNote(lost->second.by.getLoc())
          << "the other run is here";
      return failure();
    }
    for (const SlotAccess &access : dependences.accessesOf(run)) {
      if (!access.slot || !access.writes)
        continue;
      for (SlotOp other : dependences.getSlots())
        if (other != access.slot && overlap(other, access.slot))
          overwritten[other] = {run, access.slot};
    }
    // A slot that the run writes holds its value again, whatever else the
    // callees of a table write: verifyCallee looks at each of them.
    for (const SlotAccess &access : dependences.accessesOf(run))
      if (access.slot && access.writes)
        overwritten.erase(access.slot);
  }
  return success();
}

/// What a step reads and has not written comes from another step, whatever ran
/// in between.
static LogicalResult verifyCarried(const ScheduleDependences &dependences) {
  llvm::DenseSet<Operation *> writtenAnywhere;
  for (auto &[callee, accesses] : dependences.getCallees())
    for (const SlotAccess &access : accesses)
      if (access.slot && access.writes)
        writtenAnywhere.insert(access.slot);
  for (StepOp step : dependences.getSteps()) {
    llvm::DenseSet<Operation *> written;
    for (const TracePoint &point : dependences.traceOf(step)) {
      auto run = dyn_cast<RunOp>(point.op);
      if (!run)
        continue;
      for (const SlotAccess &access : dependences.accessesOf(run)) {
        SlotOp slot = access.slot;
        if (!slot || access.writes || written.contains(slot))
          continue;
        if (!writtenAnywhere.contains(slot))
          return run.emitOpError()
                 << "of " << namesOf(run) << " reads slot @"
                 << slot.getSymName() << ", which no run writes";
        for (SlotOp other : dependences.getSlots())
          if (other != slot && overlap(other, slot))
            return slot.emitOpError()
                   << "@" << slot.getSymName()
                   << " carries a value from step to step, but "
                   << "shares bytes with slot @" << other.getSymName();
      }
      for (const SlotAccess &access : dependences.accessesOf(run))
        if (access.slot && access.writes)
          written.insert(access.slot);
    }
  }
  return success();
}

namespace {
struct VerifySchedule
    : corellama::llama::impl::LlamaVerifyScheduleBase<VerifySchedule> {
  void runOnOperation() override {
    markAllAnalysesPreserved();
    if (failed(verify(getOperation())))
      signalPassFailure();
  }

  static LogicalResult verify(ModuleOp module) {
    for (auto slot : module.getOps<SlotOp>())
      if (failed(verifyOffset(slot)))
        return failure();
    FailureOr<ScheduleDependences> dependences =
        ScheduleDependences::compute(module);
    if (failed(dependences))
      return failure();
    for (auto &[callee, accesses] : dependences->getCallees()) {
      for (const SlotAccess &access : accesses)
        if (failed(verifyStamp(access)))
          return failure();
      if (failed(verifyCallee(callee, accesses)))
        return failure();
    }
    LogicalResult result = success();
    for (StepOp step : dependences->getSteps())
      if (failed(verifyBarriers(step, *dependences)))
        result = failure();
    if (failed(result))
      return failure();
    for (StepOp step : dependences->getSteps())
      if (failed(verifyValues(step, *dependences)))
        return failure();
    return verifyCarried(*dependences);
  }
};
} // namespace
