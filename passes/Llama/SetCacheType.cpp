//===- SetCacheType.cpp - the element type of the KV cache ----------------===//
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
#include "llvm/ADT/StringSwitch.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASETCACHETYPE
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

/// The type of that name, or null.
static Type parseElementType(StringRef name, MLIRContext *context) {
  return llvm::StringSwitch<Type>(name)
      .Case("f32", Float32Type::get(context))
      .Case("f16", Float16Type::get(context))
      .Case("bf16", BFloat16Type::get(context))
      .Default(Type());
}

namespace {
struct SetCacheType
    : corellama::llama::impl::LlamaSetCacheTypeBase<SetCacheType> {
  using LlamaSetCacheTypeBase::LlamaSetCacheTypeBase;

  void runOnOperation() override {
    std::string wanted = obeyOption(getOperation(), "cache_type", type);
    Type element = parseElementType(wanted, &getContext());
    if (!element) {
      getOperation().emitError()
          << "type is '" << wanted << "', expected f32, f16 or bf16";
      return signalPassFailure();
    }
    AttrTypeReplacer replacer;
    replacer.addReplacement([&](CacheType cache) {
      return CacheType::get(cache.getContext(), cache.getShape(), element);
    });
    replacer.recursivelyReplaceElementsIn(getOperation(), /*replaceAttrs=*/true,
                                          /*replaceLocs=*/false,
                                          /*replaceTypes=*/true);
  }
};
} // namespace
