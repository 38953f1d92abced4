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
#include "llvm/ADT/TypeSwitch.h"

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

#include "dialects/Llama/IR/LlamaAttrInterfaces.cpp.inc"
#include "dialects/Llama/IR/LlamaDialect.cpp.inc"
#include "dialects/Llama/IR/LlamaEnums.cpp.inc"
#include "dialects/Llama/IR/LlamaOpInterfaces.cpp.inc"
#include "dialects/Llama/IR/LlamaReductionInterface.cpp.inc"

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
                                ArrayRef<int64_t> shape, Type elementType) {
  if (shape.size() != 3)
    return emitError() << "a cache is layers x heads x head size, found "
                       << shape.size() << " extents";
  for (int64_t extent : shape)
    if (extent <= 0 || extent > INT32_MAX)
      return emitError() << "extent " << extent << " of a cache is not in 1.."
                         << INT32_MAX;
  if (!elementType.isF32() && !elementType.isF16() && !elementType.isBF16())
    return emitError() << "a cache holds f32, f16 or bf16, found "
                       << elementType;
  return success();
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
     kTileDialects},
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
