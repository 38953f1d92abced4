//===- LlamaDeclarations.cpp - the model, weights, references -------------===//
//
// Syntax and verifiers of the declarations, and the numbering of weights that
// the image and generated code share.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "runtime/ABI/Image.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

//===----------------------------------------------------------------------===//
// model
//===----------------------------------------------------------------------===//

LogicalResult ModelOp::verify() {
  if (!getEntries() == !getSteps()) // model A1
    return emitOpError()
           << "has either entries (until plan) or steps (from schedule on)";
  if (!getEntries())
    return success();
  llvm::SmallDenseSet<StringAttr> names;
  for (auto entry : getEntries()->getAsRange<EntryAttr>()) {
    if (!names.insert(entry.getName()).second) // model A5
      return emitOpError() << "has two entries '" << entry.getName().getValue()
                           << "'; steps are named after them";
    for (int32_t index : entry.getOf().asArrayRef())
      if (index < 0 ||
          static_cast<size_t>(index) >= entry.getLayers().size()) // model A2
        return emitOpError() << "entry '" << entry.getName().getValue()
                             << "': layer function " << index << " of "
                             << entry.getLayers().size();
    for (Attribute layer : entry.getLayers())
      if (!isa<FlatSymbolRefAttr>(layer))
        return emitOpError() << "entry '" << entry.getName().getValue()
                             << "': layers are functions, found " << layer;
  }
  return success();
}

LogicalResult ModelOp::verifySymbolUses(SymbolTableCollection &symbols) {
  bool hasSteps = getSteps().has_value();
  SmallVector<Attribute> uses(getLmHeads().getValue());
  if (hasSteps)
    llvm::append_range(uses, *getSteps());
  else
    for (auto entry : getEntries()->getAsRange<EntryAttr>()) {
      uses.push_back(entry.getEmbed());
      llvm::append_range(uses, entry.getLayers());
    }
  for (Attribute symbol : uses) {
    Operation *op =
        symbols.lookupNearestSymbolFrom(*this, cast<SymbolRefAttr>(symbol));
    // By name: the dialect does not depend on func.
    if (!op || (hasSteps ? !isa<StepOp>(op)
                         : op->getName().getStringRef() != "func.func"))
      return emitOpError() << symbol << " is not a "
                           << (hasSteps ? "step" : "function")
                           << " of this module"; // model A3
  }
  return success();
}

//===----------------------------------------------------------------------===//
// weights, weight
//===----------------------------------------------------------------------===//

LogicalResult WeightsOp::verify() {
  for (Operation &op : getBody().front())
    if (!isa<WeightOp>(op)) // weights A1
      return op.emitOpError()
             << "stands in llama.weights, which holds llama.weight only";
  return success();
}

int64_t WeightOp::getCount() {
  if (auto layered = dyn_cast<WeightsOp>((*this)->getParentOp()))
    return layered.getLayers();
  return 1;
}

FormatInterface WeightOp::getFormat(int64_t layer) {
  int64_t index = getOf() ? (*getOf())[layer] : 0;
  return cast<FormatInterface>(getFormats()[index]);
}

LayoutInterface WeightOp::getLayout(int64_t layer) {
  if (!getLayouts())
    return {};
  int64_t index = getOf() ? (*getOf())[layer] : 0;
  return cast<LayoutInterface>((*getLayouts())[index]);
}

LogicalResult WeightOp::verify() {
  if (getShape().empty() || getShape().size() > 2 ||
      llvm::any_of(getShape(), [](int64_t e) { return e <= 0; })) // weight A1
    return emitOpError() << "has one or two positive extents";
  if (getOf()) {
    if (static_cast<int64_t>(getOf()->size()) != getCount()) // weight A2
      return emitOpError() << "has a format index for each of " << getCount()
                           << " layers, found " << getOf()->size();
    for (int32_t index : getOfAttr().asArrayRef())
      if (index < 0 ||
          static_cast<size_t>(index) >= getFormats().size()) // weight A2
        return emitOpError()
               << "format index " << index << " of " << getFormats().size();
  }
  if (getLayouts() && getLayouts()->size() != getFormats().size()) // weight A3
    return emitOpError() << "has a layout for each of its "
                         << getFormats().size() << " formats, found "
                         << getLayouts()->size();
  for (auto [i, attribute] : llvm::enumerate(getFormats())) {
    auto format = dyn_cast<FormatInterface>(attribute);
    if (!format)
      return emitOpError() << "formats are formats of weights, found "
                           << attribute;
    if (getColumns() % format.getBlock() != 0) // weight A4
      return emitOpError() << "rows of " << getColumns()
                           << " columns are not a whole number of "
                           << format.getName() << " blocks of "
                           << format.getBlock();
    if (!getLayouts())
      continue;
    auto layout = dyn_cast<LayoutInterface>((*getLayouts())[i]);
    std::string why = "it is not a layout";
    if (!layout || failed(layout.accepts(format, getRows(), getColumns(),
                                         why))) // weight A3
      return emitOpError() << "layout " << (*getLayouts())[i] << ": " << why;
    if (failed(layout.byteSize(format, getRows(), getColumns())))
      return emitOpError() << "its size in bytes overflows";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// weight_ref, input
//===----------------------------------------------------------------------===//

LogicalResult WeightRefOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight =
      symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight) // weight_ref A1
    return emitOpError() << getWeight() << " is not a declared weight";
  WeightType type = getType();
  if (weight.getShape() != type.getShape()) // weight_ref A1
    return emitOpError() << getWeight()
                         << " is declared with another shape than " << type;
  if (!llvm::is_contained(
          weight.getFormats(),
          static_cast<Attribute>(type.getFormat()))) // weight_ref A1
    return emitOpError() << getWeight() << " is not declared in format "
                         << type.getFormat().getName();
  bool layered = isa<WeightsOp>(weight->getParentOp());
  if (layered != static_cast<bool>(getLayer())) // weight_ref A2
    return emitOpError() << getWeight()
                         << (layered
                                 ? " exists once a layer: a layer is missing"
                                 : " exists once: it has no layer");
  return success();
}

LogicalResult InputOp::verify() {
  auto tensor = dyn_cast<RankedTensorType>(getType());
  bool isIntegers =
      tensor && tensor.getRank() == 1 && tensor.getElementType().isInteger(32);
  if (getName() == Input::Cache ? !isa<CacheType>(getType())
                                : !isIntegers) // input A1
    return emitOpError() << "'" << stringifyInput(getName())
                         << "' is not of type " << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// cache_layout
//===----------------------------------------------------------------------===//

LogicalResult CacheLayoutOp::verify() {
  if (getCache().getRing() != 0) // cache_layout A1
    return emitOpError() << "is of " << getCache()
                         << ", expected the type without a ring; rings are "
                            "listed";
  if (!getRings())
    return success();
  ArrayRef<int64_t> rings = *getRings();
  if (static_cast<int64_t>(rings.size()) != getCache().getLayers() ||
      llvm::all_of(rings, [](int64_t ring) { return ring == 0; }))
    return emitOpError() << "lists " << rings.size() // cache_layout A2
                         << " rings, expected one for each of "
                         << getCache().getLayers()
                         << " layers, and not all of them 0";
  for (int64_t ring : rings)
    if (failed(CacheType::verify([&] { return emitOpError(); },
                                 getCache().getShape(), getCache().getKeyType(),
                                 getCache().getValueType(),
                                 ring))) // cache_layout A2
      return failure();
  return success();
}

std::vector<uint64_t> CacheLayoutOp::getRegions(uint64_t capacity) {
  std::vector<uint64_t> regions{0};
  for (int64_t layer = 0; layer < getCache().getLayers(); ++layer) {
    uint64_t end;
    if (!abi::endRegion(regions.back(), getRing(layer), capacity,
                        getCache().getHeads(), end))
      return {};
    regions.push_back(end);
  }
  return regions;
}

FailureOr<uint64_t> CacheLayoutOp::getBytes(bool ofKeys, uint64_t capacity) {
  std::vector<uint64_t> regions = getRegions(capacity);
  if (regions.empty())
    return failure();
  // As one head of one layer that has all positions.
  CacheType cache = getCache();
  auto one = CacheType::get(getContext(), {1, 1, cache.getHeadSize()},
                            cache.getKeyType(), cache.getValueType(),
                            /*ring=*/0);
  return (ofKeys ? getKeys() : getValues())
      .getCacheBytes(one, ofKeys ? one.getKeyType() : one.getValueType(),
                     regions.back());
}

//===----------------------------------------------------------------------===//
// The table of weights
//===----------------------------------------------------------------------===//

/// Calls `visit` on each declaration in the order of the module.
static void forEachWeight(ModuleOp module, function_ref<bool(WeightOp)> visit) {
  for (Operation &op : module.getBody()->getOperations()) {
    if (auto weight = dyn_cast<WeightOp>(op)) {
      if (!visit(weight))
        return;
    } else if (auto layered = dyn_cast<WeightsOp>(op)) {
      for (auto inner : layered.getBody().getOps<WeightOp>())
        if (!visit(inner))
          return;
    }
  }
}

int64_t corellama::llama::getWeightTableIndex(ModuleOp module,
                                              WeightOp wanted) {
  int64_t index = 0;
  forEachWeight(module, [&](WeightOp weight) {
    if (weight == wanted)
      return false;
    index += weight.getCount();
    return true;
  });
  return index;
}

int64_t corellama::llama::getWeightTableSize(ModuleOp module) {
  int64_t size = 0;
  forEachWeight(module, [&](WeightOp weight) {
    size += weight.getCount();
    return true;
  });
  return size;
}

LogicalResult RopeTableOp::verify() {
  return verifyRotation(*this, getRotationAttr(),
                        static_cast<int64_t>(getHead())); // rope_table A3
}

FailureOr<RopeOp> corellama::llama::getRotation(ModuleOp module) {
  RopeOp first;
  WalkResult walked = module.walk([&](RopeOp op) {
    if (!first)
      first = op;
    if (op.getBase() == first.getBase() &&
        op.getHeadSize() == first.getHeadSize() &&
        op.getRotationAttr() == first.getRotationAttr())
      return WalkResult::advance();
    InFlightDiagnostic diagnostic = op.emitOpError();
    auto describe = [&](StringRef text, RopeOp rope) {
      diagnostic << text << rope.getHeadSize() << " by base "
                 << rope.getBase().convertToDouble();
      if (rope.getRotationAttr())
        diagnostic << " as " << rope.getRotationAttr();
    };
    describe("turns heads of ", op);
    describe(", another heads of ", first);
    diagnostic << "; a program has one table of angles, give all the same";
    diagnostic.attachNote(first.getLoc()) << "the other is here";
    return WalkResult::interrupt();
  });
  if (walked.wasInterrupted())
    return failure();
  return first;
}

//===----------------------------------------------------------------------===//
// The ops, and what their formats call
//===----------------------------------------------------------------------===//

/// `@k`, or `[@k.0, @k.1]` where there are several.
static ParseResult parseCallees(OpAsmParser &parser, ArrayAttr &callees) {
  SymbolRefAttr callee;
  OptionalParseResult single = parser.parseOptionalAttribute(callee);
  if (!single.has_value())
    return parser.parseAttribute(callees);
  if (succeeded(*single))
    callees = parser.getBuilder().getArrayAttr(callee);
  return *single;
}

static void printCallees(OpAsmPrinter &printer, Operation *,
                         ArrayAttr callees) {
  if (callees.size() == 1)
    printer << callees[0];
  else
    printer << callees;
}

#define GET_OP_CLASSES
#include "dialects/Llama/IR/LlamaOps.cpp.inc"
