//===- Planner.h - the planner of a module's target -----------------------===//
//
// From the module's `llama.target` to the PlannerInterface that the target's
// folder has attached to it. Four passes ask; the message for a target without
// one is the same in all. Besides, what planners have in common: how the
// linears of a kernel are grouped.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANNER_H
#define CORELLAMA_PASSES_LLAMA_PLANNER_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// Emits an error where the module has no target, or its target no planner.
mlir::FailureOr<PlannerInterface> getPlanner(mlir::ModuleOp module);

/// The groups of weight rows of a kernel, as its partition counts them: linears
/// joined by an elementwise op (gate and up) are one group, in the order of
/// their first linear.
llvm::SmallVector<int64_t> getRowGroups(KernelOp kernel);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANNER_H
