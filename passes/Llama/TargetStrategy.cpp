//===- TargetStrategy.cpp - the table of strategies of a module's target --===//
//
// See TargetStrategy.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/TargetStrategy.h"

using namespace mlir;
using namespace corellama::llama;

FailureOr<StrategyInterface>
corellama::llama::getTargetStrategy(ModuleOp module) {
  auto target = module->getAttrOfType<TargetAttr>(kTargetAttr);
  if (!target)
    return module.emitError() << "the module has no " << kTargetAttr
                              << "; the driver stamps it before specialize";
  auto strategy = dyn_cast<StrategyInterface>(target);
  if (!strategy)
    return module.emitError()
           << "target '" << target.getName().getValue() << "' of family "
           << stringifyFamily(target.getFamily())
           << " has no table of strategies; register the one of its family";
  return strategy;
}
