//===- Planner.cpp - the planner of a module's target ---------------------===//
//
// See Planner.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/Planner.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<PlannerInterface> corellama::llama::getPlanner(ModuleOp module) {
  TargetInterface target = getTarget(module);
  if (!target)
    return module.emitError() << "the module has no " << kTargetAttr
                              << "; the driver sets it before specialize";
  auto planner = dyn_cast<PlannerInterface>(target);
  if (!planner)
    return module.emitError()
           << "target '" << target.getName()
           << "' has no planner; register the one of " << target.getBackend();
  return planner;
}

Type corellama::llama::getRoundedRows(LinearOp linear,
                                      RowRecordInterface record, bool pairs) {
  WeightType weight = linear.getWeight().getType();
  if (weight.getFormat().getBlock() > 1)
    return record;
  if (pairs && isa<BF16Attr>(weight.getFormat()) &&
      weight.getColumns() % 2 == 0)
    return BFloat16Type::get(linear.getContext());
  return {};
}
