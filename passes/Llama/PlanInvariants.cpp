//===- PlanInvariants.cpp - invariants of kernel plans --------------------===//
//
// See PlanInvariants.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/PlanInvariants.h"

using namespace mlir;
using namespace corellama::llama;

/// A part that rounds its own result must hold whole blocks of it.
static LogicalResult verifyWholeRoundingBlocks(KernelOp kernel) {
  PartitionAttr partition = kernel.getPartitionAttr();
  if (!partition || partition.getOf() != PartitionOf::Weights)
    return success();
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  for (Value value : yield.getValues())
    if (auto quantize = value.getDefiningOp<QuantizeOp>();
        quantize && isa<Q8B32Type>(quantize.getType().getElementType()) &&
        partition.getBy() % Q8B32Type::kBlock != 0)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\" rounds its result in blocks "
             << "of " << Q8B32Type::kBlock << ", but is partitioned by "
             << partition.getBy();
  return success();
}

namespace {
/// What is summed: rows of a type against a weight or against keys of the
/// cache. Ops of different kinds never share a weight of one type.
struct Sum {
  Type rows;
  Attribute weight;
  Type type;

  bool operator==(const Sum &) const = default;
};
} // namespace

/// The sum that an op makes, which decode and prefill must make in the same
/// order.
static std::optional<Sum> sumOf(ReductionOpInterface op) {
  Type rows =
      cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
  for (Value operand : op->getOperands()) {
    if (isa<CacheType>(operand.getType()))
      return Sum{rows, {}, operand.getType()};
    if (auto ref = operand.getDefiningOp<WeightRefOp>())
      return Sum{rows, ref.getWeightAttr(), ref.getType()};
  }
  return std::nullopt;
}

/// Ops that make the same sum have the same order in all forms.
static LogicalResult verifySameOrders(ModuleOp module) {
  // A model has few distinct sums; the first op of each represents it.
  SmallVector<std::pair<Sum, ReductionOpInterface>> first;
  WalkResult result = module.walk([&](ReductionOpInterface op) {
    std::optional<Sum> sum = sumOf(op);
    if (!sum)
      return WalkResult::advance();
    auto known =
        llvm::find_if(first, [&](auto &entry) { return entry.first == *sum; });
    if (known == first.end()) {
      first.push_back({*sum, op});
      return WalkResult::advance();
    }
    Attribute here = op.getOrderAttr(), there = known->second.getOrderAttr();
    if (here == there)
      return WalkResult::advance();
    InFlightDiagnostic diagnostic = op->emitOpError();
    if (sum->weight)
      diagnostic << "with weight " << sum->weight << " ";
    diagnostic << "sums in the order " << here << ", elsewhere in " << there
               << "; on rows of " << sum->rows
               << " every form gives the same bits";
    diagnostic.attachNote(known->second->getLoc()) << "the other sum is here";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult corellama::llama::verifyPlanInvariants(ModuleOp module) {
  WalkResult kernels = module.walk([](KernelOp kernel) -> WalkResult {
    return verifyWholeRoundingBlocks(kernel);
  });
  return failure(kernels.wasInterrupted() || failed(verifySameOrders(module)));
}
