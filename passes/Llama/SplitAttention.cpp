//===- SplitAttention.cpp - blocks of keys, parts of few rows -------------===//
//
// From `attention` to `attention` in blocks of keys, and on few rows to
// `attention_part` and `attention_merge`. A pass of its own because it changes
// the graph (in rounding only) where fusion merely gathers it: few rows over
// few heads have too few parts for the workers, so keys are partitioned as
// well.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/Planner.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASPLITATTENTION
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// Why attention stays one op, or nothing if its blocks become parts.
static std::optional<StringRef> whyNotSplit(AttentionOp attention,
                                            int64_t fewRows) {
  if (getRowBound(attention.getResult()) > fewRows)
    return "tiles of rows times heads are parts enough, and partial results of "
           "many rows would "
           "have to be written and read again";
  return std::nullopt;
}

static void split(AttentionOp attention, int64_t keys) {
  CacheType cache = attention.getCache().getType();
  auto type = cast<RankedTensorType>(attention.getType());
  // Accumulator, maximum and sum of each block.
  auto partsType = RankedTensorType::get(
      {type.getDimSize(0), static_cast<int64_t>(attention.getHeads()),
       ShapedType::kDynamic, cache.getHeadSize() + 2},
      type.getElementType());
  OpBuilder builder(attention);
  auto parts = AttentionPartOp::create(
      builder, attention.getLoc(), partsType, attention.getQuery(),
      attention.getCache(), attention.getLayer(), attention.getPositions(),
      attention.getHeadsAttr(), attention.getWindowAttr(),
      attention.getScaleAttr(), builder.getI64IntegerAttr(keys),
      attention.getOrderAttr());
  auto merge = AttentionMergeOp::create(
      builder, attention.getLoc(), type, parts.getResult(),
      attention.getHeadsAttr(), attention.getWindowAttr(),
      builder.getI64IntegerAttr(keys));
  attention.replaceAllUsesWith(merge.getResult());
  attention.erase();
}

namespace {
struct SplitAttention
    : corellama::llama::impl::LlamaSplitAttentionBase<SplitAttention> {
  void runOnOperation() override {
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp op) { attentions.push_back(op); });
    if (attentions.empty())
      return;
    FailureOr<PlannerInterface> planner = getPlanner(getOperation());
    if (failed(planner))
      return signalPassFailure();
    int64_t keys = planner->getAttentionKeys();
    if (keys <= 0) {
      getOperation().emitError() << "the target treats " << keys
                                 << " keys as one block, expected at least one";
      return signalPassFailure();
    }

    for (AttentionOp attention : attentions) {
      auto function = attention->getParentOfType<FunctionOpInterface>();
      auto options = remark::RemarkOpts::name("split-attention")
                         .category("llama-fuse")
                         .function(function ? function.getName() : StringRef());
      attention.setKeys(keys);
      if (std::optional<StringRef> why =
              whyNotSplit(attention, planner->getFewRows())) {
        remark::missed(attention.getLoc(), options)
            << remark::reason("{0}", *why);
        continue;
      }
      remark::passed(attention.getLoc(), options) << remark::reason(
          "blocks of {0} keys are parts, merged by their reader", keys);
      split(attention, keys);
    }
  }
};
} // namespace
