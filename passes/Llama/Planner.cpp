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

Type corellama::llama::getQ8B32Rows(LinearOp linear) {
  bool blocks = linear.getWeight().getType().getFormat().getBlock() > 1;
  return blocks ? Type(Q8B32Type::get(linear.getContext())) : Type();
}
