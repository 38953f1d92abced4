//===- LaunchOrder.h - what a kernel does before it waits -----------------===//
//
// Launches overlap: a kernel begins before those before it have ended, and
// waits for them by itself (cuda.wait_previous). Private to passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_LAUNCHORDER_H
#define CORELLAMA_PASSES_CUDA_LAUNCHORDER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace corellama::cuda {

/// Checks that all threads of a kernel wait for earlier launches, and that
/// before they do they only read what no launch writes. Else an error has been
/// reported.
mlir::LogicalResult verifyLaunchOrder(mlir::func::FuncOp kernel);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_LAUNCHORDER_H
