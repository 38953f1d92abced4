//===- LlamaFolds.cpp - canonical forms of the graph ----------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace corellama::llama;

namespace {
/// mul(silu(g), u) is swiglu(g, u), which fusion and code generation handle as
/// one op.
struct GatedSiluIsSwiglu : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp mul,
                                PatternRewriter &rewriter) const override {
    for (auto [gated, up] : {std::pair(mul.getLhs(), mul.getRhs()),
                             std::pair(mul.getRhs(), mul.getLhs())}) {
      auto silu = gated.getDefiningOp<SiluOp>();
      // With another reader, silu would be computed twice.
      if (!silu || !silu->hasOneUse())
        continue;
      rewriter.replaceOpWithNewOp<SwigluOp>(mul, mul.getType(), silu.getX(),
                                            up);
      return success();
    }
    return failure();
  }
};
} // namespace

void MulOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<GatedSiluIsSwiglu>(context);
}
