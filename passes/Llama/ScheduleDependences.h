//===- ScheduleDependences.h - what runs touch and in which order ---------===//
//
// What each run of a step reads and writes, from its callee's slot_read,
// slot_write, kv_append and attention ops, and the order in which a step runs
// them. The pass that inserts barriers, the one that places slots and the
// verifier share these facts and nothing else.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_SCHEDULEDEPENDENCES_H
#define CORELLAMA_PASSES_LLAMA_SCHEDULEDEPENDENCES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace corellama::llama {

/// One op that touches a slot, or the cache where `slot` is null.
struct SlotAccess {
  SlotOp slot;
  bool writes;
  mlir::Operation *op;
};

/// Where a step is: a run or a barrier. `again` in the second round of a loop,
/// which stands for all later ones.
struct TracePoint {
  mlir::Operation *op;
  bool again;
};

/// Two accesses that need a barrier between them.
struct Conflict {
  SlotAccess earlier;
  SlotAccess later;
};

class ScheduleDependences {
public:
  /// Emits an error where a callee has no body, a name is no slot's, or loops
  /// are nested.
  static mlir::FailureOr<ScheduleDependences> compute(mlir::ModuleOp module);

  llvm::ArrayRef<StepOp> getSteps() const { return steps; }
  llvm::ArrayRef<SlotOp> getSlots() const { return slots; }

  /// Runs and barriers of a step in the order in which they are met, the body
  /// of a loop twice: what holds from one round to the next holds for all.
  llvm::ArrayRef<TracePoint> traceOf(StepOp step) const {
    return traces.find(step)->second;
  }

  /// What any callee of the run touches.
  llvm::ArrayRef<SlotAccess> accessesOf(RunOp run) const {
    return accesses.find(run)->second;
  }

  /// What each callee of a run touches, in the order of the first run.
  const llvm::MapVector<mlir::Operation *, llvm::SmallVector<SlotAccess>> &
  getCallees() const {
    return callees;
  }

  /// What makes `later` depend on `earlier`, if anything.
  std::optional<Conflict> conflictBetween(RunOp earlier, RunOp later) const;

private:
  llvm::SmallVector<StepOp> steps;
  llvm::SmallVector<SlotOp> slots;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<TracePoint>> traces;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<SlotAccess>> accesses;
  llvm::MapVector<mlir::Operation *, llvm::SmallVector<SlotAccess>> callees;
};

/// Whether two slots have bytes in common; by identity before offsets are
/// known.
bool overlap(SlotOp a, SlotOp b);

/// Whether two accesses touch the same bytes, or both the cache.
bool touchTheSame(const SlotAccess &a, const SlotAccess &b);

/// Bytes of a slot; failure where they do not fit 63 bits.
mlir::FailureOr<int64_t> checkedBytes(SlotOp slot);

/// "@qkv.decode", or all callees of a table.
std::string namesOf(RunOp run);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_SCHEDULEDEPENDENCES_H
