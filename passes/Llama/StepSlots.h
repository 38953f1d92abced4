//===- StepSlots.h - the slots between the kernels of a model -------------===//
//
// From the values between kernels to declared slots: one slot for the rows that
// are carried from layer to layer, one for the logits, and in each step one for
// each result of each kernel, shared by the layer functions of that step. The
// type of a slot is its capacity. Apart from llama-outline-kernels because how
// much room a value needs is a question of its own.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_STEPSLOTS_H
#define CORELLAMA_PASSES_LLAMA_STEPSLOTS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace corellama::llama {

/// Which result of which kernel of a step a slot holds.
struct SlotKey {
  llvm::StringRef step;
  llvm::StringRef kernel;
  /// Counts the kernels of one name in a function.
  unsigned occurrence;
  unsigned result;
};

class StepSlots {
public:
  StepSlots(mlir::ModuleOp module, mlir::SymbolTable &symbols)
      : module(module), symbols(symbols) {}

  /// Rows that a step of at most `rows` rows needs room for: the largest row
  /// tile of its kernels may reach beyond the last row.
  static mlir::FailureOr<int64_t> rowCapacity(int64_t rows,
                                              llvm::ArrayRef<KernelOp> kernels);

  /// The slot that holds `value`, which a kernel yields, in a step with room
  /// for `rows` rows.
  mlir::FailureOr<SlotOp> forResult(const SlotKey &key, mlir::Value value,
                                    int64_t rows);
  /// The slot of the carried rows or of the logits.
  mlir::FailureOr<SlotOp> forModel(llvm::StringRef name, mlir::Value value,
                                   int64_t rows);

  /// The slot that forModel made by this name, null if there is none yet.
  SlotOp find(llvm::StringRef name) const { return byKey.lookup(name); }

  /// Puts the slots at the module's end, in the order in which they were first
  /// asked for.
  void declare();

private:
  mlir::FailureOr<mlir::RankedTensorType> capacityOf(mlir::Value value,
                                                     int64_t rows);
  SlotOp add(llvm::StringRef name, mlir::RankedTensorType type,
             mlir::Location loc);

  mlir::ModuleOp module;
  mlir::SymbolTable &symbols;
  llvm::SmallVector<mlir::OwningOpRef<SlotOp>> slots;
  llvm::StringMap<SlotOp> byKey;
  /// Names that slots have taken.
  llvm::StringSet<> names;
};

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_STEPSLOTS_H
