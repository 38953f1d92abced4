//===- SetCacheRings.cpp - how many positions a window has to be kept -----===//
//
// From caches of the whole context to rings, where attention has a window. A
// pass of its own behind llama-specialize-forms, because the size of a ring
// follows from the rows of the largest form, and before fusion, because from
// there on the type says to every op which positions there are.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "passes/Llama/Passes.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASETCACHERINGS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

/// The positions that a row of the function sees at most; 0: all before it, or
/// it reads no cache.
static int64_t findWindow(func::FuncOp layer) {
  int64_t largest = 0;
  WalkResult walked = layer.walk([&](AttentionOp attention) {
    if (!attention.getWindow())
      return WalkResult::interrupt();
    largest = std::max(largest, static_cast<int64_t>(*attention.getWindow()));
    return WalkResult::advance();
  });
  return walked.wasInterrupted() ? 0 : largest;
}

static void setRing(func::FuncOp layer, int64_t ring) {
  AttrTypeReplacer replacer;
  replacer.addReplacement(
      [&](CacheType cache) -> Type { return cache.withRing(ring); });
  replacer.recursivelyReplaceElementsIn(layer, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

namespace {
struct SetCacheRings
    : corellama::llama::impl::LlamaSetCacheRingsBase<SetCacheRings> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
    for (auto model : module.getOps<ModelOp>()) {
      SmallVector<EntryAttr> forms;
      if (model.getEntries())
        llvm::append_range(forms, model.getEntries()->getAsRange<EntryAttr>());
      if (!config || forms.empty() || forms.back().getRows() == 0) {
        model.emitOpError()
            << "has no forms of known rows in a module with llama.config; run "
               "llama-specialize-forms first";
        return signalPassFailure();
      }
      int64_t context = llvm::alignTo(config.getContextLength(),
                                      static_cast<int64_t>(abi::kCacheBlock));
      for (EntryAttr form : forms)
        for (auto symbol : form.getLayers().getAsRange<FlatSymbolRefAttr>()) {
          auto layer = module.lookupSymbol<func::FuncOp>(symbol);
          int64_t window = findWindow(layer);
          if (window == 0 || window >= context)
            continue;
          int64_t ring = llvm::alignTo(window + forms.back().getRows() - 1,
                                       static_cast<int64_t>(abi::kCacheBlock));
          if (ring < context)
            setRing(layer, ring);
        }
    }
  }
};
} // namespace
