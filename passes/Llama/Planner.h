//===- Planner.h - the planner of a module's target -----------------------===//
//
// From the module's `llama.target` to the PlannerInterface that the target's
// folder has attached to it. Four passes ask; the message for a target without
// one is the same in all. And what planners share with those passes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANNER_H
#define CORELLAMA_PASSES_LLAMA_PLANNER_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// Reports an error if the module has no target, or its target no planner.
mlir::FailureOr<PlannerInterface> getPlanner(mlir::ModuleOp module);

/// The type of an element where rows of 8 bits go with a linear's weight: they
/// go with blocks of quants. Null for a weight of plain numbers, which has no
/// scale that the rounding could hide behind.
mlir::Type getQ8B32Rows(LinearOp linear);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANNER_H
