//===- AssignSlots.cpp - byte offsets of slots in the workspace -----------===//
//
// From slots to slots with offsets: a scan of when each value lives, and the
// first place that is free. The stamps on slot_read and slot_write are made
// here too, so that function passes need no declaration.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/ScheduleDependences.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAASSIGNSLOTS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// A cache line, and the widest vector: every slot starts on one, so that no
/// two workers write one line for different slots.
static constexpr int64_t kAlignment = 64;

namespace {
/// The stretches between barriers, counted over all steps, in which a slot's
/// value must stay; runs of one stretch may run at once.
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
  auto close = [&](Operation *slot, const Value &value) {
    lifetimes[slot].spans.push_back({value.written, value.lastUse});
  };
  for (const TracePoint &point : dependences.traceOf(step)) {
    auto run = dyn_cast<RunOp>(point.op);
    if (!run) {
      ++stretch;
      continue;
    }
    // Reads first: a table's callees may differ in what they read and write.
    for (const SlotAccess &access : dependences.accessesOf(run)) {
      if (!access.slot || access.writes)
        continue;
      auto value = values.find(access.slot);
      if (value == values.end())
        lifetimes[access.slot].betweenSteps = true;
      else
        value->second.lastUse = stretch;
    }
    for (const SlotAccess &access : dependences.accessesOf(run)) {
      if (!access.slot || !access.writes)
        continue;
      auto [value, isFirst] = values.insert({access.slot, {stretch, stretch}});
      if (isFirst)
        continue;
      close(access.slot, value->second);
      value->second = {stretch, stretch};
    }
  }
  // What nobody has read is read after the step, by the runtime.
  for (auto &[slot, value] : values) {
    if (value.lastUse == value.written)
      value.lastUse = stretch;
    close(slot, value);
  }
  ++stretch;
}

/// The lowest offset at which `bytes` lie free of `taken`, which ascend.
static FailureOr<int64_t>
firstFree(int64_t bytes, ArrayRef<std::pair<int64_t, int64_t>> taken) {
  int64_t at = 0;
  for (auto [begin, end] : taken) {
    int64_t need;
    if (!llvm::AddOverflow(at, bytes, need) && need <= begin)
      break;
    at = std::max(at, static_cast<int64_t>(llvm::alignTo(end, kAlignment)));
  }
  int64_t end;
  // Room for the alignment of whatever comes behind.
  if (llvm::AddOverflow(at, bytes, end) ||
      llvm::AddOverflow(end, kAlignment, end))
    return failure();
  return at;
}

namespace {
struct AssignSlots : corellama::llama::impl::LlamaAssignSlotsBase<AssignSlots> {
  void runOnOperation() override {
    if (failed(assign(getOperation())))
      signalPassFailure();
  }

  static LogicalResult assign(ModuleOp module) {
    for (auto slot : module.getOps<SlotOp>())
      slot.removeAtAttr();
    FailureOr<ScheduleDependences> dependences =
        ScheduleDependences::compute(module);
    if (failed(dependences))
      return failure();
    Lifetimes lifetimes;
    for (SlotOp slot : dependences->getSlots())
      lifetimes[slot];
    unsigned stretch = 0;
    for (StepOp step : dependences->getSteps())
      addStep(step, *dependences, stretch, lifetimes);

    // Long-lived first, then large ones; otherwise as declared.
    SmallVector<SlotOp> order(dependences->getSlots());
    llvm::stable_sort(order, [&](SlotOp a, SlotOp b) {
      bool keptA = lifetimes[a].betweenSteps, keptB = lifetimes[b].betweenSteps;
      return keptA != keptB ? keptA : a.getBytes() > b.getBytes();
    });
    Builder builder(module.getContext());
    for (auto [i, slot] : llvm::enumerate(order)) {
      SmallVector<std::pair<int64_t, int64_t>> taken;
      for (SlotOp other : ArrayRef(order).take_front(i))
        if (lifetimes[slot].meets(lifetimes[other])) {
          int64_t at = *other.getAt();
          taken.push_back({at, at + static_cast<int64_t>(other.getBytes())});
        }
      llvm::sort(taken);
      FailureOr<int64_t> at = firstFree(slot.getBytes(), taken);
      if (failed(at))
        return slot.emitOpError()
               << "@" << slot.getSymName()
               << " does not fit: the workspace is larger than memory";
      slot.setAtAttr(builder.getI64IntegerAttr(*at));
    }

    SymbolTable symbols(module);
    module.walk([&](Operation *op) {
      if (auto read = dyn_cast<SlotReadOp>(op))
        read.setAtAttr(symbols.lookup<SlotOp>(read.getSlot()).getAtAttr());
      else if (auto write = dyn_cast<SlotWriteOp>(op))
        write.setAtAttr(symbols.lookup<SlotOp>(write.getSlot()).getAtAttr());
    });
    return success();
  }
};
} // namespace
