//===- Planner.h - the planner of a module's target -----------------------===//
//
// From the module's `llama.target` to the PlannerInterface that the target's
// folder has attached to it. Four passes ask; the message for a target without
// one is the same in all.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANNER_H
#define CORELLAMA_PASSES_LLAMA_PLANNER_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// Reports an error if the module has no target, or its target no planner.
mlir::FailureOr<PlannerInterface> getPlanner(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANNER_H
