//===- Declarations.cpp - ops agree with declarations ---------------------===//
//
// See Declarations.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/Declarations.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/LayerCaches.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

/// The image has a weight in the layout that is declared for its format.
static LogicalResult verifyLayout(Operation *use, WeightOp weight,
                                  Attribute layout) {
  Attribute format = cast<WeightType>(use->getResult(0).getType()).getFormat();
  for (auto [declared, in] :
       llvm::zip(weight.getFormats(), *weight.getLayouts()))
    if (declared == format && in == layout)
      return success();
  return use->emitOpError()
         << "reads " << format << " in " << layout << ", @"
         << weight.getSymName() << " is declared as " << weight.getFormats()
         << " in " << weight.getLayoutsAttr();
}

LogicalResult corellama::llama::expectResolved(ModuleOp module) {
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (auto dispatch = dyn_cast<DispatchOp>(op))
      for (auto callee : dispatch.getCallees().getAsRange<FlatSymbolRefAttr>())
        for (StringRef attribute : {kStrategyAttr, kPartitionAttr})
          if (Operation *function = module.lookupSymbol(callee);
              !function->hasAttr(attribute))
            return function->emitOpError()
                   << "is run by a step but has no " << attribute
                   << "; llama-outline-kernels sets it from the kernel";
    auto ref = dyn_cast<WeightRefOp>(op);
    if (!ref)
      return success();
    auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(
        ref, ref.getWeightAttr());
    int64_t index = getWeightTableIndex(module, weight);
    if (static_cast<int64_t>(*ref.getIndex()) != index)
      return ref.emitOpError() << "has index " << *ref.getIndex() << ", "
                               << ref.getWeight() << " has index " << index
                               << "; run llama-resolve-weight-references again";
    return verifyLayout(ref, weight, *ref.getLayout());
  });
}

LogicalResult corellama::llama::expectInputs(ModuleOp module) {
  return forEach<Operation *>(module, [](Operation *op) -> LogicalResult {
    if (!isa<LlamaDialect>(op->getDialect()))
      return success();
    for (Value operand : op->getOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      if (!type || !type.getElementType().isInteger(32))
        continue;
      Input expected = isa<EmbedOp>(op)        ? Input::Ids
                       : isa<BufferReadOp>(op) ? Input::Wanted
                                               : Input::Positions;
      auto input = operand.getDefiningOp<InputOp>();
      if (!input || input.getName() != expected)
        return op->emitOpError()
               << "takes "
               << (input ? stringifyInput(input.getName()) : "other integers")
               << ", expected those of llama.input "
               << stringifyInput(expected);
    }
    return success();
  });
}

LogicalResult corellama::llama::expectDispatched(ModuleOp module) {
  if (module.getOps<ModelOp>().empty())
    return success(); // kernels alone
  llvm::DenseSet<Attribute> dispatched;
  module.walk([&](DispatchOp dispatch) {
    dispatched.insert_range(dispatch.getCallees());
  });
  return forEach<FunctionOpInterface>(
      module, [&](FunctionOpInterface function) -> LogicalResult {
        if (!function->hasAttr(kPartitionAttr) ||
            dispatched.contains(FlatSymbolRefAttr::get(function)))
          return success();
        return function.emitOpError()
               << "is a kernel that no step dispatches; llama-outline-kernels "
                  "dispatches each that it makes";
      });
}

LogicalResult corellama::llama::expectOptions(ModuleOp module) {
  auto cacheType = getCarriedOption<StringAttr>(module, "cache_type");
  for (auto layout : module.getOps<CacheLayoutOp>()) {
    auto type = cast<CacheType>(layout.getType());
    if (cacheType && type.getElementsText() != cacheType)
      return layout.emitOpError()
             << "has elements of '" << type.getElementsText()
             << "', llama.options says cache_type = " << cacheType;
  }
  auto activations = getCarriedOption<StringAttr>(module, "activations");
  if (!activations || activations != "f32")
    return success();
  return forEach<Operation *>(module, [](Operation *op) -> LogicalResult {
    auto order = op->getAttrOfType<ReductionOrderAttr>("order");
    if (!order || !order.getUnit() || order.getUnit().getRowsType().isF32())
      return success();
    return op->emitOpError()
           << "multiplies rows of " << order.getUnit().getRowsType()
           << ", llama.options says activations = \"f32\"";
  });
}

namespace {
/// A weight of each layer that a kernel reads, and in which format.
struct LayerWeight {
  SymbolRefAttr name;
  WeightOp declaration;
  Attribute format;
};

/// The weights of layers that kernels read. A kernel runs on many layers and
/// its body is long in later phases, so it is walked once.
class LayerWeights {
public:
  ArrayRef<LayerWeight> of(Operation *kernel) {
    auto [found, isNew] = known.try_emplace(kernel);
    if (isNew)
      kernel->walk([&](Operation *op) {
        auto name = op->getAttrOfType<SymbolRefAttr>("weight");
        if (!isa<WeightRefOp, tile::WeightOp>(op) || !name)
          return;
        auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, name);
        if (weight && isa<WeightsOp>(weight->getParentOp()))
          found->second.push_back(
              {name, weight,
               cast<WeightType>(op->getResult(0).getType()).getFormat()});
      });
    return found->second;
  }

private:
  llvm::DenseMap<Operation *, SmallVector<LayerWeight>> known;
};
} // namespace

/// A kernel that runs on a layer reads each weight in the layer's format, and
/// the layer's cache.
static LogicalResult verifyKernelOf(DispatchOp dispatch, int64_t layer,
                                    LayerWeights &weights,
                                    LayerCaches &caches) {
  auto module = dispatch->getParentOfType<ModuleOp>();
  int64_t which = dispatch.getOf() ? (*dispatch.getOf())[layer] : 0;
  auto callee = cast<FlatSymbolRefAttr>(dispatch.getCallees()[which]);
  if (failed(caches.verify(module.lookupSymbol(callee), layer)))
    return failure();
  for (LayerWeight weight : weights.of(module.lookupSymbol(callee)))
    if (Attribute has = weight.declaration.getFormat(layer);
        has != weight.format)
      return dispatch.emitOpError()
             << "runs " << callee << " on layer " << layer << ", where "
             << weight.name << " is " << has << "; the kernel reads "
             << weight.format;
  return success();
}

LogicalResult corellama::llama::expectLayers(ModuleOp module) {
  auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
  if (!config)
    return success(); // expectConfig asks for it where there is a model
  int64_t layers = config.getLayers();
  auto text = [](std::optional<int64_t> constant) {
    return constant ? std::to_string(*constant) : "?";
  };
  LayerWeights weights;
  LayerCaches caches(module);
  llvm::DenseMap<Operation *, int64_t> computed; // layers of each step
  auto verifyStep = [&](StepOp step) -> LogicalResult {
    // Of the dispatch before: where it stands, its layers from `from` below
    // `to`.
    Block *block = nullptr;
    int64_t from = 0;
    int64_t &to = computed[step];
    return forEach<DispatchOp>(step, [&](DispatchOp dispatch) -> LogicalResult {
      Value layer = dispatch.getLayer();
      if (!layer) {
        // Kernels of tiles take a context as well.
        bool takesLayer = llvm::any_of(
            dispatch.getCallees().getAsRange<FlatSymbolRefAttr>(),
            [&](FlatSymbolRefAttr callee) {
              return module.lookupSymbol<FunctionOpInterface>(callee)
                         .getNumArguments() == 1;
            });
        // Rounding, for example, reads no weight and is for any layer.
        if (!takesLayer)
          return success();
        return dispatch.emitOpError() << "of " << dispatch.getCallees()
                                      << " is for no layer, and takes one";
      }
      // A loop of one round becomes a constant.
      std::optional<int64_t> begin, end, by;
      auto loop = dyn_cast<scf::ForOp>(dispatch->getParentOp());
      if (loop && loop.getInductionVar() == layer &&
          loop->getParentOp() == step) {
        begin = getConstantIntValue(loop.getLowerBound());
        end = getConstantIntValue(loop.getUpperBound());
        by = getConstantIntValue(loop.getStep());
      } else if (!loop) {
        begin = getConstantIntValue(layer);
        if (begin) {
          end = *begin + 1;
          by = 1;
        }
      }
      bool again = dispatch->getBlock() == block && begin == from && end == to;
      if (!again &&
          (begin != to || !end || *end <= to || *end > layers || by != 1))
        return dispatch.emitOpError()
               << "is for layers from " << text(begin) << " below " << text(end)
               << " by " << text(by) << ", expected from " << to << " below "
               << layers << " or less by 1";
      if (dispatch.getOf() &&
          static_cast<int64_t>(dispatch.getOf()->size()) != layers)
        return dispatch.emitOpError()
               << "has a table of " << dispatch.getOf()->size()
               << " layers, the model has " << layers;
      for (int64_t each = *begin; each < *end; ++each)
        if (failed(verifyKernelOf(dispatch, each, weights, caches)))
          return failure();
      block = dispatch->getBlock();
      from = *begin;
      to = *end;
      return success();
    });
  };
  auto verifyList = [&](ModelOp model, ArrayAttr list,
                        int64_t expected) -> LogicalResult {
    int64_t rows = 0;
    for (auto symbol : list.getAsRange<FlatSymbolRefAttr>()) {
      auto step = module.lookupSymbol<StepOp>(symbol);
      auto bound = static_cast<int64_t>(step.getRows());
      if (computed.lookup(step) != expected || bound <= rows)
        return model.emitOpError()
               << "lists " << symbol << " of " << bound << " rows and "
               << computed.lookup(step) << " layers, expected more than "
               << rows << " rows and " << expected << " layers";
      rows = bound;
    }
    return success();
  };
  if (failed(forEach<StepOp>(module, verifyStep)))
    return failure();
  return forEach<ModelOp>(module, [&](ModelOp model) {
    return failure(failed(verifyList(model, model.getStepsAttr(), layers)) ||
                   failed(verifyList(model, model.getLmHeads(), 0)));
  });
}

/// A tile.weight is an entry of the table of offsets, in a declared layout.
static LogicalResult verifyUse(tile::WeightOp op, ModuleOp module) {
  auto weight =
      SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, op.getWeightAttr());
  if (!weight)
    return success(); // a kernel alone, without declarations
  int64_t expected = getWeightTableIndex(module, weight);
  if (static_cast<int64_t>(op.getIndex()) != expected)
    return op.emitOpError() << "has index " << op.getIndex() << " of the "
                            << getWeightTableSize(module) << " in the table, "
                            << op.getWeight() << " has " << expected;
  return verifyLayout(op, weight, op.getLayout());
}

/// Memory of a buffer lies where the buffer does.
static LogicalResult verifyUse(Operation *op, FlatSymbolRefAttr symbol,
                               int64_t at, Type element, int64_t elements) {
  auto buffer = SymbolTable::lookupNearestSymbolFrom<BufferOp>(op, symbol);
  if (!buffer)
    return success(); // as above
  auto type = cast<RankedTensorType>(buffer.getType());
  if (buffer.getAt() == static_cast<uint64_t>(at) &&
      element == type.getElementType() && elements <= type.getNumElements())
    return success();
  return op->emitOpError() << "has " << elements << " elements of " << element
                           << " at " << at << ", buffer " << symbol << " is "
                           << type << " at " << *buffer.getAt();
}

static LogicalResult verifyUse(tile::CacheOp op, ModuleOp module) {
  auto layouts = module.getOps<CacheLayoutOp>();
  if (layouts.empty())
    return success(); // as above
  CacheLayoutOp declared = *layouts.begin();
  if (op.getKeys() != declared.getKeys() ||
      op.getValues() != declared.getValues())
    return op.emitOpError()
           << "has keys in " << op.getKeys() << " and values in "
           << op.getValues() << ", llama.cache_layout has them in "
           << declared.getKeys() << " and " << declared.getValues();
  if (op.getApart() != declared.getRings().has_value())
    return op.emitOpError() << "and llama.cache_layout differ in whether "
                               "regions of layers are apart";
  return success();
}

LogicalResult corellama::llama::expectDeclarations(ModuleOp module) {
  return forEach<Operation *>(module, [&](Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<tile::WeightOp, tile::CacheOp>(
            [&](auto use) { return verifyUse(use, module); })
        .Case([](tile::BufferOp use) {
          auto memory = cast<MemRefType>(use.getType());
          return verifyUse(use, use.getBufferAttr(), use.getAt(),
                           memory.getElementType(), memory.getNumElements());
        })
        .Case([](tile::BufferRowsOp use) {
          auto rows = cast<tile::RowsType>(use.getType());
          return verifyUse(use, use.getBufferAttr(), use.getAt(),
                           rows.getElementType(),
                           rows.getRows() * rows.getColumns());
        })
        .Default(success());
  });
}

LogicalResult corellama::llama::expectHeadsOfTable(ModuleOp module) {
  auto tables = module.getOps<RopeTableOp>();
  if (tables.empty())
    return success(); // a kernel alone, without declarations
  uint64_t expected = (*tables.begin()).getHead();
  return forEach<tile::RopeRowOp>(
      module, [&](tile::RopeRowOp op) -> LogicalResult {
        if (op.getHead() != expected)
          return op.emitOpError()
                 << "is for heads of " << op.getHead()
                 << " elements, llama.rope_table has heads of " << expected;
        return success();
      });
}
