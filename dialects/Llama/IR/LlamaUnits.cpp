//===- LlamaUnits.cpp - what products and their units agree on ------------===//
//
// The rules between a product, its reduction order and the unit that the order
// names, and between a unit and the target. One file because the verifiers of
// `llama`, those of `tile` and the passes check the same rules.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"

using namespace mlir;
using namespace corellama::llama;

LogicalResult corellama::llama::verifyContraction(Operation *op, Type rows,
                                                  FormatInterface format,
                                                  ReductionOrderAttr order) {
  ContractionUnitInterface unit = order.getUnit();
  if (!unit)
    return op->emitOpError()
           << "the order of a product names its unit, found " << order;
  if (unit.getRowsType() != rows)
    return op->emitOpError() << "the unit " << unit << " reads rows of "
                             << unit.getRowsType() << ", found " << rows;
  Attribute own = unit.getOrder(format);
  if (!own)
    return op->emitOpError() << "the unit " << unit << " does not multiply "
                             << format.getName() << " weights";
  if (order != own)
    return op->emitOpError()
           << "the unit " << unit << " sums a row of a " << format.getName()
           << " weight in the order " << own << ", found " << order;
  return success();
}

TargetInterface corellama::llama::getTarget(Operation *op) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    module = op->getParentOfType<ModuleOp>();
  return dyn_cast_or_null<TargetInterface>(module->getAttr(kTargetAttr));
}

bool corellama::llama::hasFeature(TargetInterface target, StringRef name) {
  if (!target)
    return false;
  SmallVector<StringRef> features;
  target.getFeatures().split(features, ',');
  return llvm::any_of(features, [&](StringRef feature) {
    return feature.consume_front("+") && feature == name;
  });
}

StringRef corellama::llama::getMissingFeature(ContractionUnitInterface unit,
                                              TargetInterface target) {
  for (StringRef needed : unit.getFeatures())
    if (!hasFeature(target, needed))
      return needed;
  return {};
}
