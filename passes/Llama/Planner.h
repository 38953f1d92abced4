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

/// What the rows of a linear are rounded to where its weight allows it:
/// `record` for blocks of quants, and, if `pairs`, bf16 for BF16 weights, whose
/// columns are multiplied two at a time. Null: rows stay float32, as for F16
/// and F32 weights.
mlir::Type getRoundedRows(LinearOp linear, RowRecordInterface record,
                          bool pairs);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANNER_H
