//===- RowGroups.cpp - products of a kernel that share a tile -------------===//
//
// See RowGroups.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/RowGroups.h"
#include "llvm/ADT/IntEqClasses.h"

using namespace mlir;
using namespace corellama::llama;

RowGroups::RowGroups(Block &block) {
  SmallVector<LinearOp> products(block.getOps<LinearOp>());
  // Values by the product that they are made from, then products that meet.
  llvm::IntEqClasses classes(products.size());
  unsigned next = 0;
  for (Operation &op : block) {
    if (isa<LinearOp>(op)) {
      groupOfValue[op.getResult(0)] = next++;
      continue;
    }
    // A rounding of a tile is a tile.
    if (!op.hasTrait<IsElementwise>() && !isa<QuantizeOp>(op))
      continue;
    std::optional<unsigned> first;
    for (Value operand : op.getOperands()) {
      auto made = groupOfValue.find(operand);
      if (made == groupOfValue.end())
        continue;
      if (first)
        classes.join(*first, made->second);
      else
        first = made->second;
    }
    if (first)
      groupOfValue[op.getResult(0)] = *first;
  }
  // Classes are numbered by their first member, so groups stand in its order.
  classes.compress();
  groups.resize(classes.getNumClasses());
  for (auto [i, product] : llvm::enumerate(products)) {
    Group &group = groups[classes[i]];
    group.products.push_back(product);
    group.rows = product.getWeight().getType().getRows();
  }
  for (auto &[value, product] : groupOfValue)
    product = classes[product];
}

std::optional<unsigned> RowGroups::groupOf(Value value) const {
  auto found = groupOfValue.find(value);
  if (found == groupOfValue.end())
    return std::nullopt;
  return found->second;
}
