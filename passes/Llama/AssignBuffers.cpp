//===- AssignBuffers.cpp - byte offsets of buffers in the workspace -------===//
//
// From buffers to buffers with offsets: computes when each value is live, then
// takes the first free place (first fit). The offsets are written on
// buffer_read and buffer_write too, so that function passes need not read the
// declaration.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/ScheduleDependences.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAASSIGNBUFFERS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

namespace {
/// When a buffer's value is live, in stretches between barriers, counted over
/// all steps; dispatches of one stretch may run at once.
struct Lifetime {
  SmallVector<std::pair<unsigned, unsigned>> spans;
  /// Written in one step, read in another: it shares bytes with nothing.
  bool betweenSteps = false;

  bool meets(const Lifetime &other) const {
    if (betweenSteps || other.betweenSteps)
      return true;
    return llvm::any_of(spans, [&](auto a) {
      return llvm::any_of(other.spans, [&](auto b) {
        return a.first <= b.second && b.first <= a.second;
      });
    });
  }
};

using Lifetimes = llvm::MapVector<Operation *, Lifetime>;
} // namespace

/// Adds a step to the lifetimes; `stretch` goes on counting.
static void addStep(StepOp step, const ScheduleDependences &dependences,
                    unsigned &stretch, Lifetimes &lifetimes) {
  struct Value {
    unsigned written, lastUse;
  };
  llvm::MapVector<Operation *, Value> values;
  auto close = [&](Operation *buffer, const Value &value) {
    lifetimes[buffer].spans.push_back({value.written, value.lastUse});
  };
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<DispatchOp>(point.op);
    if (!run) {
      ++stretch;
      continue;
    }
    // Reads first: a table's callees may differ in what they read and write.
    for (const BufferAccess &access : dependences.accessesOf(run)) {
      if (!access.buffer || access.writes)
        continue;
      auto value = values.find(access.buffer);
      if (value == values.end())
        lifetimes[access.buffer].betweenSteps = true;
      else
        value->second.lastUse = stretch;
    }
    for (const BufferAccess &access : dependences.accessesOf(run)) {
      if (!access.buffer || !access.writes)
        continue;
      auto [value, isFirst] =
          values.insert({access.buffer, {stretch, stretch}});
      if (isFirst)
        continue;
      close(access.buffer, value->second);
      value->second = {stretch, stretch};
    }
  }
  // A value that no dispatch reads is read by the runtime, after the step.
  for (auto &[buffer, value] : values) {
    if (value.lastUse == value.written)
      value.lastUse = stretch;
    close(buffer, value);
  }
  ++stretch;
}

/// The lowest offset at which `bytes` are free; `taken` is ascending.
static FailureOr<int64_t>
firstFree(int64_t bytes, ArrayRef<std::pair<int64_t, int64_t>> taken) {
  int64_t at = 0;
  for (auto [begin, end] : taken) {
    int64_t need;
    if (!llvm::AddOverflow(at, bytes, need) && need <= begin)
      break;
    at = std::max(at,
                  static_cast<int64_t>(llvm::alignTo(end, kBufferAlignment)));
  }
  int64_t end;
  // Leaves space for the alignment of the next buffer.
  if (llvm::AddOverflow(at, bytes, end) ||
      llvm::AddOverflow(end, kBufferAlignment, end))
    return failure();
  return at;
}

namespace {
struct AssignBuffers
    : corellama::llama::impl::LlamaAssignBuffersBase<AssignBuffers> {
  void runOnOperation() override {
    if (failed(assign(getOperation())))
      signalPassFailure();
  }

  static LogicalResult assign(ModuleOp module) {
    for (auto buffer : module.getOps<BufferOp>())
      buffer.removeAtAttr();
    FailureOr<ScheduleDependences> dependences =
        ScheduleDependences::compute(module);
    if (failed(dependences))
      return failure();
    Lifetimes lifetimes;
    for (BufferOp buffer : dependences->getBuffers())
      lifetimes[buffer];
    unsigned stretch = 0;
    for (StepOp step : dependences->getSteps())
      addStep(step, *dependences, stretch, lifetimes);

    // Long-lived first, then large ones; otherwise as declared.
    SmallVector<BufferOp> order(dependences->getBuffers());
    llvm::stable_sort(order, [&](BufferOp a, BufferOp b) {
      bool keptA = lifetimes[a].betweenSteps, keptB = lifetimes[b].betweenSteps;
      return keptA != keptB ? keptA : a.getBytes() > b.getBytes();
    });
    Builder builder(module.getContext());
    for (auto [i, buffer] : llvm::enumerate(order)) {
      SmallVector<std::pair<int64_t, int64_t>> taken;
      for (BufferOp other : ArrayRef(order).take_front(i))
        if (lifetimes[buffer].meets(lifetimes[other])) {
          int64_t at = *other.getAt();
          taken.push_back({at, at + static_cast<int64_t>(other.getBytes())});
        }
      llvm::sort(taken);
      FailureOr<int64_t> at = firstFree(buffer.getBytes(), taken);
      if (failed(at))
        return buffer.emitOpError()
               << "@" << buffer.getSymName()
               << " does not fit: the workspace is larger than memory";
      buffer.setAtAttr(builder.getI64IntegerAttr(*at));
    }

    SymbolTable symbols(module);
    module.walk([&](Operation *op) {
      if (auto read = dyn_cast<BufferReadOp>(op))
        read.setAtAttr(symbols.lookup<BufferOp>(read.getBuffer()).getAtAttr());
      else if (auto write = dyn_cast<BufferWriteOp>(op))
        write.setAtAttr(
            symbols.lookup<BufferOp>(write.getBuffer()).getAtAttr());
    });
    return success();
  }
};
} // namespace
