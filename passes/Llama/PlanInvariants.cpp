//===- PlanInvariants.cpp - invariants of kernel plans --------------------===//
//
// See PlanInvariants.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/PlanInvariants.h"

using namespace mlir;
using namespace corellama::llama;

/// Values that share a scale in rows of !llama.q8b32.
static constexpr int64_t kRoundingBlock = 32;

/// A part that rounds its own result must hold whole blocks of it.
static LogicalResult verifyWholeRoundingBlocks(KernelOp kernel) {
  if (!kernel.getPartitionAttr() || kernel.getPartitionAttr().getRows().empty())
    return success();
  auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
  for (Value value : yield.getValues())
    if (value.getDefiningOp<QuantizeOp>() &&
        isa<Q8B32Type>(
            cast<RankedTensorType>(value.getType()).getElementType()) &&
        kernel.getPartitionAttr().getBy() % kRoundingBlock != 0)
      return kernel.emitOpError()
             << "\"" << kernel.getName() << "\" rounds its result in blocks "
             << "of " << kRoundingBlock << ", but is partitioned by "
             << kernel.getPartitionAttr().getBy();
  return success();
}

namespace {
/// The identity of a sum: one kind of op on one weight (or on keys of the
/// cache).
struct Sum {
  StringRef kind;
  Attribute weight;
  Type type;

  bool operator==(const Sum &) const = default;
};
} // namespace

/// The sum that an op makes, if decode and prefill must make it in the same
/// order: that is, on float32 rows.
static std::optional<Sum> sumOf(Operation *op) {
  auto weightSum = [&](StringRef kind, Value weight) -> std::optional<Sum> {
    if (auto ref = weight.getDefiningOp<WeightRefOp>())
      return Sum{kind, ref.getWeightAttr(), weight.getType()};
    return std::nullopt;
  };
  if (auto linear = dyn_cast<LinearOp>(op)) {
    if (!cast<RankedTensorType>(linear.getX().getType())
             .getElementType()
             .isF32())
      return std::nullopt;
    return weightSum("linear", linear.getWeight());
  }
  if (auto norm = dyn_cast<RmsNormOp>(op))
    return weightSum("rms_norm", norm.getWeight());
  if (auto attention = dyn_cast<AttentionOp>(op))
    return Sum{"attention", {}, attention.getCache().getType()};
  if (auto part = dyn_cast<AttentionPartOp>(op))
    return Sum{"attention", {}, part.getCache().getType()};
  return std::nullopt;
}

/// Ops that make the same sum have the same order in all forms.
static LogicalResult verifySameOrders(ModuleOp module) {
  // A model has few distinct sums; the first op of each represents it.
  SmallVector<std::pair<Sum, Operation *>> first;
  WalkResult result = module.walk([&](Operation *op) {
    std::optional<Sum> sum = sumOf(op);
    if (!sum)
      return WalkResult::advance();
    auto known =
        llvm::find_if(first, [&](auto &entry) { return entry.first == *sum; });
    if (known == first.end()) {
      first.push_back({*sum, op});
      return WalkResult::advance();
    }
    Attribute here = op->getAttr("order"),
              there = known->second->getAttr("order");
    if (here == there)
      return WalkResult::advance();
    InFlightDiagnostic diagnostic = op->emitOpError();
    if (sum->weight)
      diagnostic << "with weight " << sum->weight << " ";
    diagnostic << "sums in the order " << here << ", elsewhere in " << there
               << "; on float32 rows every form gives the same bits";
    diagnostic.attachNote(known->second->getLoc()) << "the other sum is here";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult corellama::llama::verifyPlanInvariants(ModuleOp module) {
  WalkResult kernels = module.walk([](KernelOp kernel) {
    return failed(verifyWholeRoundingBlocks(kernel)) ? WalkResult::interrupt()
                                                     : WalkResult::advance();
  });
  return failure(kernels.wasInterrupted() || failed(verifySameOrders(module)));
}
