//===- StepBuffers.h - the buffers between the kernels of a model ---------===//
//
// From the values between kernels to declared buffers: one buffer for the rows
// that are carried from layer to layer, one for the logits, and in each step
// one for each result of each kernel, shared by the layer functions of that
// step. The type of a buffer is its capacity. Apart from llama-outline-kernels
// because how much room a value needs is a question of its own.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_STEPBUFFERS_H
#define CORELLAMA_PASSES_LLAMA_STEPBUFFERS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace corellama::llama {

/// Which result of which kernel of a step a buffer holds.
struct BufferKey {
  llvm::StringRef step;
  llvm::StringRef kernel;
  /// Counts the kernels of one name in a function.
  unsigned occurrence;
  unsigned result;
};

class StepBuffers {
public:
  StepBuffers(mlir::ModuleOp module, mlir::SymbolTable &symbols)
      : module(module), symbols(symbols) {}

  /// Rows that a step of at most `rows` rows needs room for: the largest row
  /// tile of its kernels may reach beyond the last row.
  static mlir::FailureOr<int64_t> rowCapacity(int64_t rows,
                                              llvm::ArrayRef<KernelOp> kernels);

  /// The buffer that holds `value`, which a kernel yields, in a step with room
  /// for `rows` rows.
  mlir::FailureOr<BufferOp> forResult(const BufferKey &key, mlir::Value value,
                                      int64_t rows);
  /// The buffer of the carried rows or of the logits.
  mlir::FailureOr<BufferOp> forModel(llvm::StringRef name, mlir::Value value,
                                     int64_t rows);

  /// The buffer that forModel made by this name, null if there is none yet.
  BufferOp find(llvm::StringRef name) const { return byKey.lookup(name); }

  /// Puts the buffers at the module's end, in the order in which they were
  /// first asked for.
  void declare();

private:
  mlir::FailureOr<mlir::RankedTensorType> capacityOf(mlir::Value value,
                                                     int64_t rows);
  BufferOp add(llvm::StringRef name, mlir::RankedTensorType type,
               mlir::Location loc);

  mlir::ModuleOp module;
  mlir::SymbolTable &symbols;
  llvm::SmallVector<mlir::OwningOpRef<BufferOp>> buffers;
  llvm::StringMap<BufferOp> byKey;
  /// Names that buffers have taken.
  llvm::StringSet<> names;
};

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_STEPBUFFERS_H
