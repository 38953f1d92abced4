//===- Passes.td - the context to llvm ------------------------------------===//

#ifndef CORELLAMA_PASSES_CONTEXT_PASSES
#define CORELLAMA_PASSES_CONTEXT_PASSES

include "mlir/Pass/PassBase.td"

def ContextToLLVM : Pass<"context-to-llvm"> {
  let summary = "Lower context to the llvm dialect";
  let description = [{
    Phase: llvm. Needs: context.field and context.view in functions. Leaves:
    loads from the context and memref descriptors (as unrealised casts, which
    `reconcile-unrealized-casts` removes). Never: leaves an op of context.

    EXAMPLE test/passes/Context/context-to-llvm.mlir @field
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif
