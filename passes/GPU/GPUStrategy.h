//===- GPUStrategy.h - how kernels run on a GPU: the table ----------------===//
//
// Attaches the GPU's StrategyInterface to `#llama.gpu`. `specialize` asks it
// which rows are rounded for tensor cores, `place` everything else; no other
// code decides tiles, cuts, layouts or orders for a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_GPU_GPUSTRATEGY_H
#define CORELLAMA_PASSES_GPU_GPUSTRATEGY_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace corellama::gpu {

void registerStrategy(mlir::DialectRegistry &registry);

} // namespace corellama::gpu

#endif // CORELLAMA_PASSES_GPU_GPUSTRATEGY_H
