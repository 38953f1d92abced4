//===- Passes.h - the CPU's passes, in order ------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_PASSES_H
#define CORELLAMA_PASSES_CPU_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace corellama::cpu {

#define GEN_PASS_DECL
#include "passes/CPU/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "passes/CPU/Passes.h.inc"

/// tile -> vector.
void buildVectorPasses(mlir::OpPassManager &manager);
/// vector -> llvm dialect.
void buildLLVMPasses(mlir::OpPassManager &manager);

/// Attaches the external models of passes/CPU: the planner to the target, the
/// lowering to each unit.
void registerExternalModels(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_PASSES_H
