//===- CPUStrategy.h - how kernels run on a CPU: the table ----------------===//
//
// Attaches the CPU's StrategyInterface to `#llama.cpu`. `plan` asks it; no
// other code decides tiles, partitions, layouts or orders for a CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_CPUSTRATEGY_H
#define CORELLAMA_PASSES_CPU_CPUSTRATEGY_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace corellama::cpu {

void registerStrategy(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_CPUSTRATEGY_H
