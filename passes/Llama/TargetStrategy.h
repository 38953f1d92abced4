//===- TargetStrategy.h - the table of strategies of a module's target ----===//
//
// From the module's `llama.target` to the StrategyInterface that a target's
// folder has attached to it. Three passes ask it; the message for a target
// without one is the same in all.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H
#define CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// Emits an error where the module has no target, or the target no table.
mlir::FailureOr<StrategyInterface> getTargetStrategy(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H
