//===- StepFunctions.h - what all targets' steps have in common -----------===//
//
// vector -> llvm. A step becomes a function: of every worker on a CPU, of the
// host that launches kernels on a GPU. Which kernels run for which layer, with
// how many parts, and what the program's descriptor says of them is the same
// for all targets and is here; the caller lowers dispatches and barriers.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CONTEXT_STEPFUNCTIONS_H
#define CORELLAMA_PASSES_CONTEXT_STEPFUNCTIONS_H

#include "dialects/Context/IR/ContextDialect.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace corellama::context {

/// Reports an error for a buffer without an offset, a model without steps, or a
/// callee that is no kernel.
mlir::LogicalResult verifySteps(mlir::ModuleOp module);

/// The functions that are kernels, in the order of the program's table.
llvm::SmallVector<mlir::func::FuncOp> kernelsOf(mlir::ModuleOp module);

/// The number of parts: `parts` applied to `rows` and `keys`, in their type.
mlir::Value emitParts(mlir::ImplicitLocOpBuilder &b, mlir::AffineMap parts,
                      mlir::ValueRange rowsAndKeys);

/// Writes i64 @<kernel>.parts(rows, keys) before the kernel.
void writePartsFunction(mlir::func::FuncOp kernel);

/// Calls it, with the context's rows and with `keys`, one of its fields.
mlir::Value callParts(mlir::ImplicitLocOpBuilder &b, llvm::StringRef kernel,
                      mlir::Value context, Field keys);

/// Calls `write` once for each kernel that a dispatch may run, with the builder
/// at a place that is reached for that kernel's layers only; the layer is an
/// i32.
void forEachCallee(
    mlir::ImplicitLocOpBuilder &b, llama::DispatchOp run,
    llvm::function_ref<void(llvm::StringRef kernel, mlir::Value layer)> write);

/// The name of the function that a step becomes: corellama_step_<name>.
std::string functionNameOf(llvm::StringRef step);

/// Makes that function of `arguments` of each step. `write`
/// is called for each dispatch and barrier, with the builder before it and the
/// function's arguments, and writes the replacement.
void openSteps(
    mlir::ModuleOp module, mlir::TypeRange arguments,
    llvm::function_ref<void(mlir::ImplicitLocOpBuilder &b, mlir::Operation *op,
                            mlir::ValueRange arguments)>
        write);

/// One row of llama.kernels: name, function, parts, scratch_bytes, and what the
/// target adds.
mlir::Attribute describeKernel(mlir::func::FuncOp kernel,
                               llvm::ArrayRef<mlir::NamedAttribute> more = {});

/// llama.program: workspace_bytes, logits_offset, chunk, and what the target
/// adds.
mlir::Attribute describeProgram(mlir::ModuleOp module,
                                llvm::ArrayRef<mlir::NamedAttribute> more);

} // namespace corellama::context

#endif // CORELLAMA_PASSES_CONTEXT_STEPFUNCTIONS_H
