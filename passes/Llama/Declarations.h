//===- Declarations.h - ops agree with declarations -----------------------===//
//
// Facts about a module whose kernels are functions: steps, kernels,
// declarations and options say the same. A file of their own beside
// VerifyPhase, which knows from which phase to which each of them holds.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_DECLARATIONS_H
#define CORELLAMA_PASSES_LLAMA_DECLARATIONS_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// The first failure of `check` over all ops of a kind, in the order in which
/// they are printed.
template <typename OpTy, typename Check>
mlir::LogicalResult forEach(mlir::Operation *scope, Check check) {
  mlir::WalkResult walked = scope->walk<mlir::WalkOrder::PreOrder>(
      [&](OpTy op) -> mlir::WalkResult { return check(op); });
  return mlir::failure(walked.wasInterrupted());
}

/// The index and layout that phase schedule wrote on a reference agree with the
/// declaration, and kernels say how they run.
mlir::LogicalResult expectResolved(mlir::ModuleOp module);
/// Kernels take from the runtime what their ops are about: an op on positions
/// gets positions.
mlir::LogicalResult expectInputs(mlir::ModuleOp module);
/// Each kernel of a model runs in some step.
mlir::LogicalResult expectDispatched(mlir::ModuleOp module);
/// The module is what its options say, which become the program's manifest.
mlir::LogicalResult expectOptions(mlir::ModuleOp module);
/// A form computes each layer once, in order: its loops go over them one by one
/// and its tables have an entry for each, whose kernel reads the layer's
/// formats and its cache. An LM head computes none. Forms and LM heads have
/// ascending bounds.
mlir::LogicalResult expectLayers(mlir::ModuleOp module);
/// Tiles use weights, buffers and the cache as they are declared, because the
/// image and the workspace are made from the declarations.
mlir::LogicalResult expectDeclarations(mlir::ModuleOp module);
/// A tile.rope_row reads the module's table, whose rows are for heads of one
/// size.
mlir::LogicalResult expectHeadsOfTable(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_DECLARATIONS_H
