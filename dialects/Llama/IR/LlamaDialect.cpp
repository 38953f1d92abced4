//===- LlamaDialect.cpp - registration, types, phases ---------------------===//
//
// Registers what TableGen made, verifies the types and holds the one table of
// phases.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace corellama::llama;

static ParseResult parseStaticDimensions(AsmParser &parser,
                                         SmallVectorImpl<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                   /*withTrailingX=*/false);
}
static void printStaticDimensions(AsmPrinter &printer,
                                  ArrayRef<int64_t> shape) {
  llvm::interleave(shape, printer.getStream(), "x");
}

/// One of those that getCacheElements names.
static ParseResult parseCacheElement(AsmParser &parser, Type &type) {
  if (failed(parser.parseOptionalKeyword("q8_0")))
    return parser.parseType(type);
  type = Q8_0Type::get(parser.getContext());
  return success();
}
static ParseResult parseCacheElements(AsmParser &parser, Type &keys,
                                      Type &values) {
  if (failed(parseCacheElement(parser, keys)))
    return failure();
  values = keys;
  return failed(parser.parseOptionalComma())
             ? ParseResult(success())
             : parseCacheElement(parser, values);
}
static void printCacheElements(AsmPrinter &printer, Type keys, Type values) {
  printer << CacheType::getElementText(keys);
  if (values != keys)
    printer << ", " << CacheType::getElementText(values);
}

#include "dialects/Llama/IR/LlamaAttrInterfaces.cpp.inc"
#include "dialects/Llama/IR/LlamaDialect.cpp.inc"
#include "dialects/Llama/IR/LlamaEnums.cpp.inc"
#include "dialects/Llama/IR/LlamaOpInterfaces.cpp.inc"
#include "dialects/Llama/IR/LlamaReductionInterface.cpp.inc"
#include "dialects/Llama/IR/LlamaTypeInterfaces.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialects/Llama/IR/LlamaTypes.cpp.inc"

void LlamaDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/Llama/IR/LlamaOps.cpp.inc"
      >();
  registerTypes();
  registerAttributes();
}

void LlamaDialect::registerTypes() {
#ifndef __clang_analyzer__ // It takes a lambda that MLIR calls for a leak.
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Llama/IR/LlamaTypes.cpp.inc"
      >();
#endif
}

LogicalResult WeightType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape,
                                 FormatInterface format) {
  if (shape.empty() || shape.size() > 2)
    return emitError() << "a weight has one or two extents, found "
                       << shape.size();
  for (int64_t extent : shape)
    if (extent <= 0 || extent > INT32_MAX)
      return emitError() << "extent " << extent << " of a weight is not in 1.."
                         << INT32_MAX;
  if (shape.back() % format.getBlock() != 0)
    return emitError() << "rows of " << shape.back()
                       << " columns are not a whole number of "
                       << format.getName() << " blocks of " << format.getBlock()
                       << "; such a weight is stored as f16";
  return success();
}

LogicalResult CacheType::verify(function_ref<InFlightDiagnostic()> emitError,
                                ArrayRef<int64_t> shape, Type keyType,
                                Type valueType, int64_t ring) {
  if (shape.size() != 3)
    return emitError() << "a cache is layers x heads x head size, found "
                       << shape.size() << " extents";
  for (int64_t extent : shape)
    if (extent <= 0 || extent > INT32_MAX)
      return emitError() << "extent " << extent << " of a cache is not in 1.."
                         << INT32_MAX;
  for (Type element : {keyType, valueType}) {
    if (!isa<Float32Type, Float16Type, BFloat16Type, Q8_0Type>(element))
      return emitError() << "a cache holds f32, f16, bf16 or q8_0, found "
                         << element;
    if (isa<Q8_0Type>(element) && shape[2] % Q8_0Type::kBlock != 0)
      return emitError() << "a cache in q8_0 has heads of whole blocks of "
                         << Q8_0Type::kBlock << " elements, found heads of "
                         << shape[2];
  }
  if (ring < 0 || ring > INT32_MAX || ring % kCacheRowMultiple != 0)
    return emitError() << "a ring has a multiple of " << kCacheRowMultiple
                       << " positions, up to " << INT32_MAX << ", found "
                       << ring;
  return success();
}

FailureOr<std::pair<Type, Type>>
corellama::llama::getCacheElements(StringRef text, MLIRContext *context) {
  auto parse = [&](StringRef name) {
    return llvm::StringSwitch<Type>(name)
        .Case("f32", Float32Type::get(context))
        .Case("f16", Float16Type::get(context))
        .Case("bf16", BFloat16Type::get(context))
        .Case("q8_0", Q8_0Type::get(context))
        .Default(Type());
  };
  auto [keys, values] = text.split(',');
  std::pair<Type, Type> types(parse(keys),
                              parse(text.contains(',') ? values : keys));
  if (!types.first || !types.second)
    return failure();
  return types;
}

std::string CacheType::getElementText(Type element) {
  return isa<Q8_0Type>(element) ? "q8_0" : llvm::to_string(element);
}

std::string CacheType::getElementsText() const {
  std::string keys = getElementText(getKeyType()),
              values = getElementText(getValueType());
  return keys == values ? keys : keys + "," + values;
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

LogicalResult LlamaDialect::verifyOperationAttribute(Operation *op,
                                                     NamedAttribute attribute) {
  if (attribute.getName() != kRowsAttr)
    return success();
  auto rows = dyn_cast<IntegerAttr>(attribute.getValue());
  if (!isa<FunctionOpInterface>(op) || !rows || !rows.getType().isInteger(64) ||
      rows.getInt() < 1 || rows.getInt() > INT32_MAX)
    return op->emitOpError()
           << "has " << attribute.getValue() << " as " << kRowsAttr
           << ", expected a function with 1 to " << INT32_MAX << " rows";
  return success();
}

int64_t corellama::llama::getRowBound(Operation *function) {
  auto rows = function ? function->getAttrOfType<IntegerAttr>(kRowsAttr)
                       : IntegerAttr();
  return rows ? rows.getInt() : kAnyRows;
}

int64_t corellama::llama::getRowBound(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (type && type.getRank() > 0 && !type.isDynamicDim(0))
    return type.getDimSize(0);
  return getRowBound(value.getParentRegion()
                         ->getParentOfType<FunctionOpInterface>()
                         .getOperation());
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kGraphDialects[] = {"func", "arith"};
static constexpr llvm::StringLiteral kScheduleDialects[] = {"func", "arith",
                                                            "scf"};
static constexpr llvm::StringLiteral kTileDialects[] = {
    "func", "arith", "scf", "memref", "math", "vector"};
static constexpr llvm::StringLiteral kVectorDialects[] = {
    "func", "arith", "scf", "memref", "math", "vector", "amx"};
static constexpr llvm::StringLiteral kLLVMDialects[] = {"llvm", "gpu", "nvvm"};

static constexpr PhaseInfo kPhases[] = {
    {Phase::Import, "import", "the graph as the checkpoint means it",
     kGraphDialects},
    {Phase::Specialize, "specialize",
     "a form for each bound on rows, every number's type fixed",
     kGraphDialects},
    {Phase::Fuse, "fuse", "the same graph, gathered into kernels",
     kGraphDialects},
    {Phase::Plan, "plan", "layouts, strategies and partitions, as attributes",
     kGraphDialects},
    {Phase::Schedule, "schedule",
     "kernels as functions, buffers, steps, barriers", kScheduleDialects},
    {Phase::Tile, "tile",
     "kernel bodies as loops over tiles, target not yet known", kTileDialects},
    {Phase::Vector, "vector", "kernel bodies in the target's vectors",
     kVectorDialects},
    {Phase::LLVM, "llvm", "the llvm dialect, steps opened for workers",
     kLLVMDialects},
};

ArrayRef<PhaseInfo> corellama::llama::allPhases() { return kPhases; }

const PhaseInfo &corellama::llama::infoOf(Phase phase) {
  return kPhases[static_cast<unsigned>(phase)];
}

std::optional<Phase> corellama::llama::parsePhase(StringRef name) {
  for (const PhaseInfo &info : kPhases)
    if (info.name == name)
      return info.phase;
  return std::nullopt;
}
