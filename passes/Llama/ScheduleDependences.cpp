//===- ScheduleDependences.cpp - what dispatches access, in which order ---===//
//
// See ScheduleDependences.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/ScheduleDependences.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/PointerIntPair.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<int64_t> corellama::llama::checkedBytes(BufferOp buffer) {
  // No element is larger than 8 bytes, padding to whole blocks included in the
  // factor 64.
  int64_t bound = 64;
  for (int64_t extent : cast<RankedTensorType>(buffer.getType()).getShape())
    if (llvm::MulOverflow(bound, extent, bound))
      return buffer.emitOpError()
             << "@" << buffer.getSymName() << " of type " << buffer.getType()
             << " is larger than memory";
  return static_cast<int64_t>(buffer.getBytes());
}

bool corellama::llama::overlap(BufferOp a, BufferOp b) {
  if (a == b)
    return true;
  if (!a.getAt() || !b.getAt())
    return false;
  // Unsigned: an offset is not negative (buffer A2) and a size fits 63 bits.
  uint64_t beginA = *a.getAt(), beginB = *b.getAt();
  return beginA < beginB + b.getBytes() && beginB < beginA + a.getBytes();
}

bool corellama::llama::touchTheSame(const BufferAccess &a,
                                    const BufferAccess &b) {
  if (!a.buffer || !b.buffer)
    return !a.buffer && !b.buffer;
  return overlap(a.buffer, b.buffer);
}

std::string corellama::llama::namesOf(DispatchOp run) {
  std::string names;
  llvm::raw_string_ostream stream(names);
  llvm::interleaveComma(run.getCallees(), stream);
  return names;
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

namespace {
/// What one callee touches.
struct Collector {
  SymbolTable &symbols;
  SmallVectorImpl<BufferAccess> &accesses;

  FailureOr<BufferOp> find(Operation *op, SymbolRefAttr symbol) {
    if (auto buffer = symbols.lookup<BufferOp>(symbol.getLeafReference()))
      return buffer;
    return op->emitOpError() << symbol << " is not a buffer of this module";
  }

  LogicalResult addBuffer(Operation *op, SymbolRefAttr symbol, bool writes) {
    FailureOr<BufferOp> buffer = find(op, symbol);
    if (succeeded(buffer))
      accesses.push_back({*buffer, writes, op});
    return buffer;
  }

  /// Memory that an op of a body is given. A body has many accesses to the same
  /// memory, of which the first stands for all.
  LogicalResult addMemory(Operation *op, Value memory, bool writes) {
    auto handle = memory.getDefiningOp<MemoryHandleInterface>();
    if (!handle)
      return success();
    BufferOp buffer;
    if (FlatSymbolRefAttr symbol = handle.getHandleBuffer()) {
      FailureOr<BufferOp> found = find(handle, symbol);
      if (failed(found))
        return failure();
      buffer = *found;
    }
    if (known.insert({buffer, writes}).second)
      accesses.push_back({buffer, writes, op});
    return success();
  }

  LogicalResult add(MemoryEffectOpInterface op) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    op.getEffects(effects);
    for (const MemoryEffects::EffectInstance &effect : effects) {
      bool writes = isa<MemoryEffects::Write>(effect.getEffect());
      if (!writes && !isa<MemoryEffects::Read>(effect.getEffect()))
        continue;
      LogicalResult added = success();
      if (isa<CacheResource>(effect.getResource()))
        accesses.push_back({BufferOp(), writes, op});
      else if (isa<BufferResource>(effect.getResource()))
        added = addBuffer(op, effect.getSymbolRef(), writes);
      else if (Value memory = effect.getValue())
        added = addMemory(op, memory, writes);
      else // of all memory that the op is given
        for (Value operand : op->getOperands())
          added = succeeded(added) ? addMemory(op, operand, writes) : added;
      if (failed(added))
        return failure();
    }
    return success();
  }

  llvm::DenseSet<llvm::PointerIntPair<Operation *, 1, bool>> known = {};
};
} // namespace

/// Adds what `callee` touches.
static LogicalResult collectAccesses(Operation *callee, SymbolTable &symbols,
                                     SmallVectorImpl<BufferAccess> &accesses) {
  auto function = cast<FunctionOpInterface>(callee);
  if (function.isExternal())
    return function.emitOpError() << "has no body, so there is no telling what "
                                     "its dispatches read and write";
  Collector collector{symbols, accesses};
  WalkResult result = callee->walk([&](MemoryEffectOpInterface op) {
    return failed(collector.add(op)) ? WalkResult::interrupt()
                                     : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// Adds the dispatches and barriers of a block; loops are the only ops with
/// regions in a step (step A1).
static LogicalResult collectTrace(Block &block, bool inLoop, bool again,
                                  SmallVectorImpl<TracePoint> &trace) {
  for (Operation &op : block) {
    if (isa<DispatchOp, BarrierOp>(op)) {
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
  llvm::append_range(result.buffers, module.getOps<BufferOp>());
  for (BufferOp buffer : result.buffers)
    if (failed(checkedBytes(buffer)))
      return failure();
  for (auto step : module.getOps<StepOp>()) {
    result.steps.push_back(step);
    if (failed(collectTrace(step.getBody().front(), false, false,
                            result.traces[step])))
      return failure();
    for (const TracePoint &point : result.traces[step]) {
      auto run = dyn_cast<DispatchOp>(point.op);
      if (!run || result.accesses.count(run))
        continue;
      SmallVector<BufferAccess> all;
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
ScheduleDependences::conflictBetween(DispatchOp earlier,
                                     DispatchOp later) const {
  for (const BufferAccess &mine : accessesOf(later))
    for (const BufferAccess &theirs : accessesOf(earlier))
      if ((mine.writes || theirs.writes) && touchTheSame(mine, theirs))
        return Conflict{theirs, mine};
  return std::nullopt;
}
