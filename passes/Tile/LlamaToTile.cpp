//===- LlamaToTile.cpp - kernels become loops over tiles ------------------===//
//
// schedule -> tile. Each kernel function (from slot_read to slot_write, on
// tensors) becomes a function (context, layer, begin, end) on memory and tiles.
// What the bodies look like is in KernelBody.cpp and AttentionBody.cpp; here is
// only the walk over the module.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/KernelBody.h"
#include "passes/Tile/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace corellama::tile {
#define GEN_PASS_DEF_LLAMATOTILE
#include "passes/Tile/Passes.h.inc"
} // namespace corellama::tile

using namespace mlir;
using namespace corellama;
using namespace corellama::tile;

/// The function that takes a kernel's place: same name, same strategy and cut.
static func::FuncOp declareKernel(func::FuncOp source, OpBuilder &builder) {
  MLIRContext *context = source.getContext();
  Type i32 = builder.getI32Type();
  auto type = builder.getFunctionType({ContextType::get(context), i32, i32, i32}, {});
  auto target = func::FuncOp::create(builder, source.getLoc(), source.getName(), type);
  target.setPrivate();
  for (NamedAttribute attribute : source->getDiscardableAttrs())
    target->setAttr(attribute.getName(), attribute.getValue());
  return target;
}

namespace {
struct LlamaToTile : tile::impl::LlamaToTileBase<LlamaToTile> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function->hasAttr(llama::kCutAttr))
        kernels.push_back(function);

    for (func::FuncOp source : kernels) {
      OpBuilder builder(source);
      func::FuncOp target = declareKernel(source, builder);
      Block *entry = target.addEntryBlock();
      builder.setInsertionPointToStart(entry);
      if (failed(KernelBody(source, target, builder).write()))
        return signalPassFailure();
      source.erase();
    }
  }
};
} // namespace
