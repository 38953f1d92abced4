//===- Passes.h - the GPU's passes, in order ------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_PASSES_H
#define CORELLAMA_PASSES_CUDA_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace corellama::cuda {

#define GEN_PASS_DECL
#include "passes/CUDA/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/CUDA/Passes.h.inc"

/// tile -> vector.
void buildVectorPasses(mlir::OpPassManager &manager);
/// vector -> llvm dialect, for the device.
void buildLLVMPasses(mlir::OpPassManager &manager);

/// Attaches the external models of passes/CUDA: the planner to the target, the
/// lowering to each unit.
void registerExternalModels(mlir::DialectRegistry &registry);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_PASSES_H
