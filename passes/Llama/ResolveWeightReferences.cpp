//===- ResolveWeightReferences.cpp - layout and index on references -------===//
//
// From references that name a declaration to references that carry what code
// generation needs of the declaration: layout, and index in the table of
// offsets.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "passes/Llama/Passes.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMARESOLVEWEIGHTREFERENCES
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// The layout of the declaration for the format of the reference.
static FailureOr<Attribute> layoutOf(WeightRefOp ref, WeightOp weight) {
  if (!weight.getLayouts())
    return ref.emitOpError() << ref.getWeight()
                             << " has no layouts; run llama-plan-layouts first";
  Attribute wanted = ref.getType().getFormat();
  for (auto [format, layout] :
       llvm::zip(weight.getFormats(), *weight.getLayouts()))
    if (format == wanted)
      return layout;
  return ref.emitOpError() << ref.getWeight() << " is not declared in format "
                           << ref.getType().getFormat().getName();
}

namespace {
struct ResolveWeightReferences
    : corellama::llama::impl::LlamaResolveWeightReferencesBase<
          ResolveWeightReferences> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTableCollection symbols;
    Builder builder(&getContext());
    WalkResult result = module.walk([&](WeightRefOp ref) {
      // The reference's verifier has checked that this is a weight.
      auto weight =
          symbols.lookupNearestSymbolFrom<WeightOp>(ref, ref.getWeightAttr());
      FailureOr<Attribute> layout = layoutOf(ref, weight);
      if (failed(layout))
        return WalkResult::interrupt();
      ref.setLayoutAttr(*layout);
      ref.setIndexAttr(
          builder.getI64IntegerAttr(getWeightTableIndex(module, weight)));
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
