//===- ScheduleDependences.cpp - what runs touch and in which order -------===//
//
// See ScheduleDependences.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/ScheduleDependences.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<int64_t> corellama::llama::checkedBytes(SlotOp slot) {
  // No element is larger than 8 bytes, padding to whole blocks included in the
  // factor 64.
  int64_t bound = 64;
  for (int64_t extent : cast<RankedTensorType>(slot.getType()).getShape())
    if (llvm::MulOverflow(bound, extent, bound))
      return slot.emitOpError() << "@" << slot.getSymName() << " of type "
                                << slot.getType() << " is larger than memory";
  return static_cast<int64_t>(slot.getBytes());
}

bool corellama::llama::overlap(SlotOp a, SlotOp b) {
  if (a == b)
    return true;
  if (!a.getAt() || !b.getAt())
    return false;
  // Unsigned: an offset is not negative (slot A2) and a size fits 63 bits.
  uint64_t beginA = *a.getAt(), beginB = *b.getAt();
  return beginA < beginB + b.getBytes() && beginB < beginA + a.getBytes();
}

bool corellama::llama::touchTheSame(const SlotAccess &a, const SlotAccess &b) {
  if (!a.slot || !b.slot)
    return !a.slot && !b.slot;
  return overlap(a.slot, b.slot);
}

std::string corellama::llama::namesOf(RunOp run) {
  std::string names;
  llvm::raw_string_ostream stream(names);
  llvm::interleaveComma(run.getCallees(), stream);
  return names;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// Adds what `callee` touches.
static LogicalResult collectAccesses(Operation *callee, SymbolTable &symbols,
                                     SmallVectorImpl<SlotAccess> &accesses) {
  auto function = cast<FunctionOpInterface>(callee);
  if (function.isExternal())
    return function.emitOpError() << "has no body, so there is no telling what "
                                     "its runs read and write";
  WalkResult result = callee->walk([&](Operation *op) {
    auto slot = [&](FlatSymbolRefAttr symbol, bool writes) {
      auto declared = symbols.lookup<SlotOp>(symbol.getValue());
      if (!declared) {
        op->emitOpError() << symbol << " is not a slot of this module";
        return WalkResult::interrupt();
      }
      accesses.push_back({declared, writes, op});
      return WalkResult::advance();
    };
    if (auto read = dyn_cast<SlotReadOp>(op))
      return slot(read.getSlotAttr(), false);
    if (auto write = dyn_cast<SlotWriteOp>(op))
      return slot(write.getSlotAttr(), true);
    if (isa<KVAppendOp>(op))
      accesses.push_back({SlotOp(), true, op});
    else if (isa<AttentionOp, AttentionPartOp>(op))
      accesses.push_back({SlotOp(), false, op});
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Adds the runs and barriers of a block; loops are the only ops with regions
/// in a step (step A1).
static LogicalResult collectTrace(Block &block, bool inLoop, bool again,
                                  SmallVectorImpl<TracePoint> &trace) {
  for (Operation &op : block) {
    if (isa<RunOp, BarrierOp>(op)) {
      trace.push_back({&op, again});
    } else if (op.getNumRegions() == 1) {
      if (inLoop)
        return op.emitOpError()
               << "stands in another loop; a step has one loop over layers "
                  "behind the other";
      for (bool round : {false, true})
        if (failed(collectTrace(op.getRegion(0).front(), true, round, trace)))
          return failure();
    }
  }
  return success();
}

FailureOr<ScheduleDependences> ScheduleDependences::compute(ModuleOp module) {
  ScheduleDependences result;
  SymbolTable symbols(module);
  llvm::append_range(result.slots, module.getOps<SlotOp>());
  for (SlotOp slot : result.slots)
    if (failed(checkedBytes(slot)))
      return failure();
  for (auto step : module.getOps<StepOp>()) {
    result.steps.push_back(step);
    if (failed(collectTrace(step.getBody().front(), false, false,
                            result.traces[step])))
      return failure();
    for (const TracePoint &point : result.traces[step]) {
      auto run = dyn_cast<RunOp>(point.op);
      if (!run || result.accesses.count(run))
        continue;
      SmallVector<SlotAccess> all;
      for (auto symbol : run.getCallees().getAsRange<FlatSymbolRefAttr>()) {
        Operation *callee = symbols.lookup(symbol.getValue());
        auto [known, isNew] = result.callees.try_emplace(callee);
        if (isNew && failed(collectAccesses(callee, symbols, known->second)))
          return failure();
        llvm::append_range(all, known->second);
      }
      result.accesses[run] = std::move(all);
    }
  }
  return result;
}

std::optional<Conflict>
ScheduleDependences::conflictBetween(RunOp earlier, RunOp later) const {
  for (const SlotAccess &mine : accessesOf(later))
    for (const SlotAccess &theirs : accessesOf(earlier))
      if ((mine.writes || theirs.writes) && touchTheSame(mine, theirs))
        return Conflict{theirs, mine};
  return std::nullopt;
}
