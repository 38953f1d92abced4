//===- TargetStrategy.h - the table of strategies of a module's target ----===//
//
// From the module's `llama.target` to the StrategyInterface that a family's
// folder has attached to the class of its strategies. Four passes ask it; the
// message for a target without one is the same in all. Besides, what tables
// have in common: how the linears of a kernel are grouped.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H
#define CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// A family's table and the target that it is asked for.
struct TargetStrategy {
  StrategyInterface table;
  TargetAttr target;
};

/// Emits an error where the module has no target, or its family no table.
mlir::FailureOr<TargetStrategy> getTargetStrategy(mlir::ModuleOp module);

/// Whether `strategy` is one of the family that `table` is for.
bool isStrategyOf(const TargetStrategy &table, mlir::Attribute strategy);

/// The groups of weight rows of a kernel, as its partition counts them: linears
/// joined by an elementwise op (gate and up) are one group, in the order of
/// their first linear.
llvm::SmallVector<int64_t> getRowGroups(KernelOp kernel);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_TARGETSTRATEGY_H
