//===- CUDAPlanner.h - how kernels run on a GPU: the table ----------------===//
//
// Attaches the PlannerInterface to `#cuda.target`. Phase specialize asks it
// which rows are rounded for tensor cores, phase plan everything else; no other
// code chooses tiles, partitions, layouts or orders for a GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_CUDAPLANNER_H
#define CORELLAMA_PASSES_CUDA_CUDAPLANNER_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace corellama::cuda {

void registerPlanner(mlir::DialectRegistry &registry);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_CUDAPLANNER_H
