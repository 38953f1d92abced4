//===- TargetStrategy.cpp - the table of strategies of a module's target --===//
//
// See TargetStrategy.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/TargetStrategy.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace corellama::llama;

/// A strategy of a family, of any values: interfaces are asked of attributes,
/// and the table is attached to this one's class.
static Attribute anyStrategyOf(Family family, MLIRContext *context) {
  switch (family) {
  case Family::CPU:
    return CPUAttr::get(context, Unit::F32, /*m=*/1, /*n=*/16);
  case Family::GPU:
    return GPUAttr::get(context, Unit::SIMT, /*threads=*/1, /*m=*/1, /*n=*/1,
                        /*k=*/0, /*stages=*/1);
  }
  llvm_unreachable("a family is one of the cases");
}

FailureOr<TargetStrategy> corellama::llama::getTargetStrategy(ModuleOp module) {
  auto target = module->getAttrOfType<TargetAttr>(kTargetAttr);
  if (!target)
    return module.emitError() << "the module has no " << kTargetAttr
                              << "; the driver stamps it before specialize";
  auto table = dyn_cast<StrategyInterface>(
      anyStrategyOf(target.getFamily(), module.getContext()));
  if (!table)
    return module.emitError()
           << "target '" << target.getName().getValue() << "' of family "
           << stringifyFamily(target.getFamily())
           << " has no table of strategies; register the one of its family";
  return TargetStrategy{table, target};
}

bool corellama::llama::isStrategyOf(const TargetStrategy &table,
                                    Attribute strategy) {
  Attribute attachedTo = table.table;
  return attachedTo.getTypeID() == strategy.getTypeID();
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
