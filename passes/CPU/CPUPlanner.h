//===- CPUPlanner.h - how kernels run on a CPU: the table -----------------===//
//
// Attaches the PlannerInterface to `#cpu.target`. `plan` asks it; no
// other code decides tiles, partitions, layouts or orders for a CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_CPUPLANNER_H
#define CORELLAMA_PASSES_CPU_CPUPLANNER_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace corellama::cpu {

void registerPlanner(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_CPUPLANNER_H
