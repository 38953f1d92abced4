//===- PlanLayouts.cpp - the order of bytes of weights and cache ----------===//
//
// From declarations with formats to declarations with layouts, as the target's
// planner chooses them. A pass apart from llama-plan-kernels because it edits
// declarations only: the image can be packed from its result alone.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/Planner.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAPLANLAYOUTS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

static LogicalResult planWeight(WeightOp weight, PlannerInterface planner) {
  SmallVector<Attribute> layouts;
  for (Attribute attribute : weight.getFormats()) {
    auto format = cast<FormatInterface>(attribute);
    Attribute layout = planner.getWeightLayout(
        format, static_cast<int64_t>(weight.getShape().size()));
    if (!layout)
      return weight.emitOpError()
             << "the target has no layout for weights in " << format.getName();
    layouts.push_back(layout);
  }
  weight.setLayoutsAttr(ArrayAttr::get(weight.getContext(), layouts));
  return success();
}

/// The cache that a function takes; null if it takes none.
static CacheType cacheOf(FunctionOpInterface function) {
  for (Type type : function.getArgumentTypes())
    if (auto cache = dyn_cast<CacheType>(type))
      return cache;
  return {};
}

/// The type of the one cache that functions of the module take, without what is
/// a layer's own, the ring; null if none does.
static FailureOr<CacheType> findCache(ModuleOp module) {
  CacheType found;
  for (auto function : module.getOps<FunctionOpInterface>()) {
    CacheType cache = cacheOf(function);
    if (cache && found && cache.withRing(0) != found)
      return function.emitOpError()
             << "takes a " << cache << ", another function a " << found
             << "; a model has one cache";
    if (cache)
      found = cache.withRing(0);
  }
  return found;
}

/// The positions of each layer's ring; null where no layer has one. Of a module
/// without a model, the one function is of any layer.
static DenseI64ArrayAttr findRings(ModuleOp module, CacheType cache) {
  SmallVector<int64_t> rings(cache.getLayers());
  for (auto function : module.getOps<FunctionOpInterface>())
    if (CacheType own = cacheOf(function);
        own && module.getOps<ModelOp>().empty())
      rings.assign(rings.size(), own.getRing());
  for (auto model : module.getOps<ModelOp>()) {
    if (!model.getEntries() || model.getEntries()->empty())
      continue;
    auto form = cast<EntryAttr>((*model.getEntries())[0]);
    for (auto [ring, which] : llvm::zip(rings, form.getOf().asArrayRef()))
      if (CacheType own = cacheOf(module.lookupSymbol<FunctionOpInterface>(
              cast<FlatSymbolRefAttr>(form.getLayers()[which]))))
        ring = own.getRing();
  }
  if (llvm::all_of(rings, [](int64_t ring) { return ring == 0; }))
    return {};
  return DenseI64ArrayAttr::get(module.getContext(), rings);
}

namespace {
struct PlanLayouts : corellama::llama::impl::LlamaPlanLayoutsBase<PlanLayouts> {
  void runOnOperation() override {
    if (failed(planLayouts(getOperation())))
      signalPassFailure();
  }

  static LogicalResult planLayouts(ModuleOp module) {
    FailureOr<PlannerInterface> planner = getPlanner(module);
    if (failed(planner))
      return failure();
    WalkResult weights = module.walk([&](WeightOp weight) -> WalkResult {
      return planWeight(weight, *planner);
    });
    FailureOr<CacheType> cache = findCache(module);
    if (weights.wasInterrupted() || failed(cache))
      return failure();

    for (CacheLayoutOp old :
         llvm::make_early_inc_range(module.getOps<CacheLayoutOp>()))
      old.erase();
    if (!*cache)
      return success();
    auto [ofKeys, ofValues] =
        planner->getCacheLayouts(cache->getKeyType(), cache->getValueType());
    auto keys = dyn_cast_or_null<KVCacheLayoutInterface>(ofKeys);
    auto values = dyn_cast_or_null<KVCacheLayoutInterface>(ofValues);
    if (!keys || !values)
      return module.emitError()
             << "the target has no layout for a cache of "
             << cache->getElementsText() << "; --cache-type chooses another";
    // Placed among the declarations, behind the last weight.
    OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
    for (Operation &op : *module.getBody())
      if (isa<WeightOp, WeightsOp>(op))
        builder.setInsertionPointAfter(&op);
    CacheLayoutOp::create(builder, module.getLoc(), TypeAttr::get(*cache), keys,
                          values, findRings(module, *cache));
    return success();
  }
};
} // namespace
