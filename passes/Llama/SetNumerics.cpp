//===- SetNumerics.cpp - which rows are rounded, and to what --------------===//
//
// From a graph on float32 rows to one where each rounding stands as an op of
// its own. A pass of its own because numerics are part of what is computed:
// they are written down before fusion, and everything after obeys them.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "passes/Llama/Passes.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASETNUMERICS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// Blocks of 8-bit rows go with blocks of quants; a weight of plain numbers has
/// no scale that the rounding could hide behind.
static bool readsRoundedRows(LinearOp linear) {
  return linear.getWeight().getType().getFormat().getBlock() > 1 &&
         cast<RankedTensorType>(linear.getX().getType())
             .getElementType()
             .isF32();
}

namespace {
struct SetNumerics : corellama::llama::impl::LlamaSetNumericsBase<SetNumerics> {
  using LlamaSetNumericsBase::LlamaSetNumericsBase;

  void runOnOperation() override {
    if (activations != "f32" && activations != "q8b32") {
      getOperation().emitError()
          << "activations is '" << activations << "', expected f32 or q8b32";
      return signalPassFailure();
    }
    if (activations == "f32")
      return;

    // One rounding a value and block: its readers share it.
    llvm::DenseMap<std::pair<Value, Block *>, QuantizeOp> roundings;
    getOperation().walk([&](LinearOp linear) {
      if (!readsRoundedRows(linear))
        return;
      QuantizeOp &rounding = roundings[{linear.getX(), linear->getBlock()}];
      if (!rounding) {
        auto type = cast<RankedTensorType>(linear.getX().getType());
        OpBuilder builder(linear);
        rounding = QuantizeOp::create(builder, linear.getLoc(),
                                      type.clone(Q8B32Type::get(&getContext())),
                                      linear.getX());
      }
      linear.getXMutable().assign(rounding.getResult());
    });
  }
};
} // namespace
