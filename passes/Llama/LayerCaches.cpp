//===- LayerCaches.cpp - each layer has one cache and one window ----------===//
//
// See LayerCaches.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/LayerCaches.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "runtime/ABI/Kernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

LayerCaches::LayerCaches(ModuleOp module) {
  for (auto declared : module.getOps<CacheLayoutOp>())
    layout = declared;
  for (auto model : module.getOps<ModelOp>()) {
    if (model.getEntries())
      for (auto entry : model.getEntries()->getAsRange<EntryAttr>())
        mostRows = std::max(mostRows, entry.getRows());
    if (model.getSteps())
      for (auto symbol : model.getSteps()->getAsRange<FlatSymbolRefAttr>())
        if (auto step = module.lookupSymbol<StepOp>(symbol))
          mostRows = std::max(mostRows, static_cast<int64_t>(step.getRows()));
  }
}

CacheType corellama::llama::cacheOf(Operation *op) {
  for (TypeRange types :
       {TypeRange(op->getOperandTypes()), TypeRange(op->getResultTypes())})
    for (Type type : types)
      if (auto cache = dyn_cast<CacheType>(type))
        return cache;
  return {};
}

FailureOr<LayerCaches::Uses> LayerCaches::usesOf(Operation *function) {
  if (auto found = known.find(function); found != known.end())
    return found->second;
  Uses uses;
  WalkResult walked = function->walk([&](Operation *op) -> WalkResult {
    if (CacheType cache = cacheOf(op)) {
      if (uses.cache && uses.ring != cache.getRing())
        return op->emitOpError()
               << "uses a " << cache << ", another op of the function a "
               << cacheOf(uses.cache) << "; a layer has one cache";
      uses.cache = op;
      uses.ring = cache.getRing();
    }
    if (!isa<AttentionOp, AttentionPartOp, AttentionMergeOp, tile::SumValuesOp>(
            op))
      return success();
    auto attribute = op->getAttrOfType<IntegerAttr>("window");
    int64_t window = attribute ? attribute.getInt() : 0;
    if (uses.attention && uses.window != window)
      return op->emitOpError() << "has another window than other ops of the "
                                  "function; a layer sees the same keys in all "
                                  "of them";
    uses.attention = op;
    uses.window = window;
    return success();
  });
  if (walked.wasInterrupted())
    return failure();
  auto ring = function->getAttrOfType<IntegerAttr>(kRingAttr);
  if (!uses.cache && (ring || function->hasAttr(kReadsCacheAttr))) {
    uses.cache = function;
    uses.ring = ring ? ring.getInt() : 0;
  }
  return known[function] = uses;
}

LogicalResult LayerCaches::verifyRing(const Uses &uses, const Uses &ofLayer,
                                      int64_t layer) {
  if (ofLayer.cache && ofLayer.ring != uses.ring)
    return uses.cache->emitOpError()
           << "uses a ring of " << uses.ring << " positions in layer " << layer
           << ", another function one of " << ofLayer.ring
           << "; 0 is a cache of the context";
  if (layout && 0 <= layer && layer < layout.getCache().getLayers() &&
      layout.getRing(layer) != uses.ring)
    return uses.cache->emitOpError()
           << "uses a ring of " << uses.ring << " positions in layer " << layer
           << ", llama.cache_layout has one of " << layout.getRing(layer)
           << "; 0 is a cache of the context";
  return success();
}

LogicalResult LayerCaches::verify(Operation *function, int64_t layer) {
  FailureOr<Uses> uses = usesOf(function);
  if (failed(uses))
    return failure();
  Uses &ofLayer = layers[layer];
  if (uses->cache) {
    if (failed(verifyRing(*uses, ofLayer, layer)))
      return failure();
    ofLayer.cache = uses->cache;
    ofLayer.ring = uses->ring;
  }
  if (!uses->attention)
    return success();
  if (ofLayer.attention && ofLayer.window != uses->window)
    return uses->attention->emitOpError()
           << "has another window in layer " << layer
           << " than ops of attention of other functions; all forms see the "
              "same keys";
  ofLayer.attention = uses->attention;
  ofLayer.window = uses->window;
  // The first row's window, and behind it all rows of the call.
  constexpr int64_t kBlock = abi::kCacheBlock;
  uint64_t least = uint64_t(uses->window) + uint64_t(mostRows) - 1;
  if (uses->ring != 0 && uses->window != 0 && mostRows != 0 &&
      (uint64_t(uses->ring) < least || uses->ring % kBlock != 0))
    return uses->attention->emitOpError()
           << "sees a window of " << uses->window << " positions in a ring of "
           << uses->ring << "; calls of up to " << mostRows
           << " rows need a multiple of " << kBlock << " of at least " << least;
  return success();
}

LogicalResult corellama::llama::expectCachesOfLayers(ModuleOp module) {
  LayerCaches caches(module);
  for (auto model : module.getOps<ModelOp>())
    for (auto form : model.getEntries()->getAsRange<EntryAttr>())
      for (auto [layer, which] : llvm::enumerate(form.getOf().asArrayRef())) {
        auto symbol = cast<FlatSymbolRefAttr>(form.getLayers()[which]);
        if (failed(caches.verify(module.lookupSymbol(symbol),
                                 static_cast<int64_t>(layer))))
          return failure();
      }
  if (!module.getOps<ModelOp>().empty())
    return success();
  // Functions alone, of any layer.
  for (auto function : module.getOps<FunctionOpInterface>())
    if (failed(caches.verify(function, /*layer=*/0)))
      return failure();
  return success();
}

LogicalResult corellama::llama::expectCachesOfProgram(ModuleOp module) {
  auto program = module->getAttrOfType<DictionaryAttr>(kProgramAttr);
  auto kernels = module->getAttrOfType<ArrayAttr>(kKernelsAttr);
  auto entries = program ? program.getAs<ArrayAttr>("entries") : ArrayAttr();
  if (!kernels || !entries)
    return success(); // code generation asks for them
  llvm::DenseMap<StringAttr, Operation *> functions;
  for (Attribute attribute : kernels) {
    auto kernel = dyn_cast<DictionaryAttr>(attribute);
    auto name = kernel ? kernel.getAs<StringAttr>("name") : StringAttr();
    auto symbol =
        kernel ? kernel.getAs<SymbolRefAttr>("function") : SymbolRefAttr();
    if (name && symbol)
      functions[name] = SymbolTable::lookupSymbolIn(module, symbol);
  }
  LayerCaches caches(module);
  for (Attribute attribute : entries) {
    auto entry = dyn_cast<DictionaryAttr>(attribute);
    auto run = entry ? entry.getAs<ArrayAttr>("dispatches") : ArrayAttr();
    auto layers =
        entry ? entry.getAs<DenseI64ArrayAttr>("layers") : DenseI64ArrayAttr();
    if (!run || !layers)
      continue;
    for (auto [kernel, layer] : llvm::zip(run, layers.asArrayRef())) {
      auto symbol = dyn_cast<FlatSymbolRefAttr>(kernel);
      Operation *function =
          symbol ? functions.lookup(symbol.getAttr()) : nullptr;
      if (function && failed(caches.verify(function, layer)))
        return failure();
    }
  }
  return success();
}
