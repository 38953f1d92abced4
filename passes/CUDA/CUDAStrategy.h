//===- CUDAStrategy.h - how kernels run on a GPU: the table ---------------===//
//
// Attaches the GPU's StrategyInterface to `#llama.gpu`. `specialize` asks it
// which rows are rounded for tensor cores, `plan` everything else; no other
// code decides tiles, partitions, layouts or orders for a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_CUDASTRATEGY_H
#define CORELLAMA_PASSES_CUDA_CUDASTRATEGY_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace corellama::cuda {

void registerStrategy(mlir::DialectRegistry &registry);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_CUDASTRATEGY_H
