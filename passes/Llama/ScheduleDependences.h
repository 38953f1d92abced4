//===- ScheduleDependences.h - what dispatches access, in which order -----===//
//
// What each dispatch of a step reads and writes, from the effects that the ops
// of its callee have on buffers and on the cache, as values of phase schedule
// or as the memory of phase tile, and the order in which a step runs them. The
// pass that inserts barriers, the one that places buffers and the verifier
// share these facts and nothing else.
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

/// One op that touches a buffer, or the cache where `buffer` is null.
struct BufferAccess {
  BufferOp buffer;
  bool writes;
  mlir::Operation *op;
};

/// Where a step is: a dispatch or a barrier. `again` in the second round of a
/// loop, which stands for all later ones.
struct TracePoint {
  mlir::Operation *op;
  bool again;
};

/// Two accesses that need a barrier between them.
struct Conflict {
  BufferAccess earlier;
  BufferAccess later;
};

class ScheduleDependences {
public:
  /// Emits an error where a callee has no body, a name is no buffer's, or loops
  /// are nested.
  static mlir::FailureOr<ScheduleDependences> compute(mlir::ModuleOp module);

  llvm::ArrayRef<StepOp> getSteps() const { return steps; }
  llvm::ArrayRef<BufferOp> getBuffers() const { return buffers; }

  /// Dispatches and barriers of a step in the order in which they are met, the
  /// body of a loop twice: what holds from one round to the next holds for all.
  llvm::ArrayRef<TracePoint> traceOf(StepOp step) const {
    return traces.find(step)->second;
  }

  /// What any callee of the dispatch touches.
  llvm::ArrayRef<BufferAccess> accessesOf(DispatchOp run) const {
    return accesses.find(run)->second;
  }

  /// What each callee of a dispatch touches, in the order of the first
  /// dispatch.
  const llvm::MapVector<mlir::Operation *, llvm::SmallVector<BufferAccess>> &
  getCallees() const {
    return callees;
  }

  /// What makes `later` depend on `earlier`, if anything.
  std::optional<Conflict> conflictBetween(DispatchOp earlier,
                                          DispatchOp later) const;

private:
  llvm::SmallVector<StepOp> steps;
  llvm::SmallVector<BufferOp> buffers;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<TracePoint>> traces;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<BufferAccess>> accesses;
  llvm::MapVector<mlir::Operation *, llvm::SmallVector<BufferAccess>> callees;
};

/// A cache line, and the widest vector: every buffer starts on one, so that no
/// two workers write one line for different buffers.
inline constexpr int64_t kBufferAlignment = 64;

/// Whether two buffers have bytes in common; by identity before offsets are
/// known.
bool overlap(BufferOp a, BufferOp b);

/// Whether two accesses touch the same bytes, or both the cache.
bool touchTheSame(const BufferAccess &a, const BufferAccess &b);

/// Bytes of a buffer; failure where they do not fit 63 bits.
mlir::FailureOr<int64_t> checkedBytes(BufferOp buffer);

/// "@qkv.decode", or all callees of a table.
std::string namesOf(DispatchOp run);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_SCHEDULEDEPENDENCES_H
