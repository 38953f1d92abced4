//===- Planner.h - the planner of a module's target -----------------------===//
//
// From the module's `llama.target` to the PlannerInterface that passes/<target>
// attached to it, for the four passes that need it, with one error message.
// Also shared by all planners: how the linears of a kernel are grouped.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANNER_H
#define CORELLAMA_PASSES_LLAMA_PLANNER_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// Reports an error if the module has no target, or its target no planner.
mlir::FailureOr<PlannerInterface> getPlanner(mlir::ModuleOp module);

/// The groups of weight rows of a kernel, as its partition counts them: linears
/// joined by an elementwise op (gate and up) are one group, in the order of
/// their first linear.
llvm::SmallVector<int64_t> getRowGroups(KernelOp kernel);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANNER_H
