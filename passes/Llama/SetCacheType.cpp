//===- SetCacheType.cpp - the element types of the KV cache ---------------===//
//
// From the f32 cache that import writes to the one that the command line asks
// for. A pass of its own, because the type is the user's choice, the evaluator
// rounds by it, and nothing but types changes.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Passes.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASETCACHETYPE
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

namespace {
struct SetCacheType
    : corellama::llama::impl::LlamaSetCacheTypeBase<SetCacheType> {
  using LlamaSetCacheTypeBase::LlamaSetCacheTypeBase;

  void runOnOperation() override {
    std::string wanted = obeyOption(getOperation(), "cache_type", type);
    auto elements = getCacheElements(wanted, &getContext());
    if (failed(elements)) {
      getOperation().emitError()
          << "type is '" << wanted
          << "', expected f32, f16, bf16 or q8_0, or two of them, KEYS,VALUES";
      return signalPassFailure();
    }
    auto [keys, values] = *elements;
    bool isValid = true;
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](CacheType cache) {
      CacheType made = CacheType::getChecked(
          [&] { return getOperation().emitError(); }, cache.getContext(),
          cache.getShape(), keys, values, cache.getRing());
      isValid &= bool(made);
      return made ? made : cache;
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
    if (!isValid)
      signalPassFailure();
  }
};
} // namespace
