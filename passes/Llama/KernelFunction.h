//===- KernelFunction.h - a kernel as a function --------------------------===//
//
// From a `llama.kernel` to the function that a dispatch runs. Apart from
// llama-outline-kernels, which makes the steps of a whole model of them,
// because `corellama eval --native` makes them of one function.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_KERNELFUNCTION_H
#define CORELLAMA_PASSES_LLAMA_KERNELFUNCTION_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/DenseMap.h"

namespace corellama::llama {

/// A private function of the kernel's name that does what the kernel does, from
/// reads of buffers to writes of buffers; it takes the layer if `takesLayer`.
/// `provide` makes the value of an input in the function, or null where it is
/// provided by nobody, which is an error; constants are copied. `bufferOf` has
/// the buffer of each result.
mlir::FailureOr<mlir::OwningOpRef<mlir::func::FuncOp>> makeKernelFunction(
    KernelOp kernel, bool takesLayer,
    llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Value input,
                                   mlir::Value layer)>
        provide,
    const llvm::DenseMap<mlir::Value, BufferOp> &bufferOf);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_KERNELFUNCTION_H
