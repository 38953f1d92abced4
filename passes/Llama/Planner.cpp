//===- Planner.cpp - the planner of a module's target ---------------------===//
//
// See Planner.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/Planner.h"
#include "llvm/ADT/SmallPtrSet.h"

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

SmallVector<int64_t> corellama::llama::getRowGroups(KernelOp kernel) {
  SmallVector<int64_t> groups;
  llvm::SmallPtrSet<Operation *, 4> joined;
  for (auto linear : kernel.getBody().getOps<LinearOp>()) {
    if (joined.contains(linear))
      continue;
    for (Operation *user : linear->getUsers())
      if (isa<SwigluOp, MulOp, AddOp>(user))
        for (Value operand : user->getOperands()) {
          auto *definition = operand.getDefiningOp();
          while (definition && isa<SiluOp>(definition))
            definition = definition->getOperand(0).getDefiningOp();
          if (auto other = dyn_cast_or_null<LinearOp>(definition))
            joined.insert(other);
        }
    groups.push_back(cast<WeightType>(linear.getWeight().getType()).getRows());
  }
  return groups;
}
