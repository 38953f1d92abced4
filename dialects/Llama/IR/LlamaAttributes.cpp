//===- LlamaAttributes.cpp - order, partition, config: syntax and verifiers -===//
//
// The attributes that say how a kernel runs, and the model's sizes. Formats and
// layouts have files of their own.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama::llama;

#define GET_ATTRDEF_CLASSES
#include "dialects/Llama/IR/LlamaAttributes.cpp.inc"

void LlamaDialect::registerAttributes() {
#ifndef __clang_analyzer__ // It takes a pointer that MLIR keeps for a leak.
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Llama/IR/LlamaAttributes.cpp.inc"
      >();
#endif
}

LogicalResult
ReductionOrderAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           Unit unit, int64_t block, int64_t chains,
                           ScaleMode scale, int64_t lanes) {
  if (block < 0 || lanes < 0)
    return emitError() << "block and lanes of an order are not negative";
  if (chains < 1 || (block != 0 && block % chains != 0))
    return emitError() << chains << " chains do not divide a block of "
                       << block;
  if (lanes != 0 && (lanes & (lanes - 1)) != 0)
    return emitError() << "lanes are added by a tree, so their number is a "
                          "power of two, found "
                       << lanes;
  return success();
}

LogicalResult
PartitionAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                      ArrayRef<int64_t> rows, StringAttr of, int64_t by,
                      int64_t times, int64_t rowsBy) {
  if (by <= 0 || times <= 0 || rowsBy < 0)
    return emitError() << "a partition goes by positive steps";
  if (rows.empty() == !of)
    return emitError() << "a partition is either of groups of weight rows, or "
                          "of keys or rows";
  if (of && of.getValue() != "keys" && of.getValue() != "rows")
    return emitError() << "a partition is of keys or rows, found '"
                       << of.getValue() << "'";
  for (int64_t group : rows)
    if (group <= 0)
      return emitError() << "a group of a partition has " << group << " rows";
  return success();
}

// <rows = [32, 16], by = 32> or <of = keys, by = 256, times = 3>
Attribute PartitionAttr::parse(AsmParser &parser, Type) {
  SmallVector<int64_t> rows;
  StringAttr of;
  int64_t by = 0, times = 1, rowsBy = 0;
  SMLoc loc = parser.getCurrentLocation();
  auto field = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    if (name == "rows")
      return parser.parseCommaSeparatedList(
          AsmParser::Delimiter::Square,
          [&]() { return parser.parseInteger(rows.emplace_back()); });
    if (name == "of") {
      StringRef what;
      if (parser.parseKeyword(&what))
        return failure();
      of = StringAttr::get(parser.getContext(), what);
      return success();
    }
    if (name == "by")
      return parser.parseInteger(by);
    if (name == "times")
      return parser.parseInteger(times);
    if (name == "rows_by")
      return parser.parseInteger(rowsBy);
    return parser.emitError(loc)
           << "a partition has rows, of, by, times and rows_by, not '" << name
           << "'";
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, field))
    return {};
  return PartitionAttr::getChecked([&] { return parser.emitError(loc); },
                                   parser.getContext(), rows, of, by, times,
                                   rowsBy);
}

void PartitionAttr::print(AsmPrinter &printer) const {
  printer << "<";
  if (!getRows().empty()) {
    printer << "rows = [";
    llvm::interleaveComma(getRows(), printer);
    printer << "]";
  } else {
    printer << "of = " << getOf().getValue();
  }
  printer << ", by = " << getBy();
  if (getTimes() != 1)
    printer << ", times = " << getTimes();
  if (getRowsBy() != 0)
    printer << ", rows_by = " << getRowsBy();
  printer << ">";
}

AffineMap PartitionAttr::getParts() const {
  MLIRContext *context = getContext();
  AffineExpr rows = getAffineDimExpr(0, context),
             keys = getAffineDimExpr(1, context);
  AffineExpr count = getAffineConstantExpr(0, context);
  if (isOfKeys()) {
    count = keys.ceilDiv(getBy()) * getTimes();
  } else if (isOfRows()) {
    count = rows.ceilDiv(getBy()) * getTimes();
  } else {
    for (int64_t group : getRows())
      count = count + llvm::divideCeil(group, getBy());
    if (getRowsBy() != 0)
      count = rows.ceilDiv(getRowsBy()) * count;
  }
  return AffineMap::get(2, 0, count);
}

// <unit = f32, m = 1, n = 16>, each field optional
Attribute CPUAttr::parse(AsmParser &parser, Type) {
  Unit unit = Unit::F32;
  int64_t m = 1, n = 16;
  auto field = [&]() -> ParseResult {
    StringRef name;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&name) || parser.parseEqual())
      return failure();
    if (name == "m" || name == "n")
      return parser.parseInteger(name == "m" ? m : n);
    if (name != "unit")
      return parser.emitError(loc)
             << "a strategy of a CPU has unit, m and n, not '" << name << "'";
    StringRef keyword;
    if (parser.parseKeyword(&keyword))
      return failure();
    std::optional<Unit> known = symbolizeUnit(keyword);
    if (!known)
      return parser.emitError(loc) << "unknown unit '" << keyword << "'";
    unit = *known;
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, field))
    return {};
  return CPUAttr::get(parser.getContext(), unit, m, n);
}

void CPUAttr::print(AsmPrinter &printer) const {
  printer << "<unit = " << stringifyUnit(getUnit()) << ", m = " << getM()
          << ", n = " << getN() << ">";
}

/// Groups of 16 elements that a tile of values may sum: accumulators of 512
/// bits on a CPU, half of the registers, so that converted values and weights
/// have room.
static constexpr int64_t kValueGroups = 16;

/// A part reuses its panel over all rows of the call, from a core's own cache.
bool CPUAttr::keepsPanels() const { return true; }
/// A core would make the sums again for each group of weight rows.
bool CPUAttr::keepsBlockSums() const { return true; }
/// All rows of the tile are in one core's registers.
int64_t CPUAttr::getValueGroups(int64_t rows) const {
  return std::max<int64_t>(1, kValueGroups / rows);
}

/// A block has no room for decoded rows; it reads them again from caches.
bool GPUAttr::keepsPanels() const { return false; }
/// Each lane has the terms of its blocks in registers anyway.
bool GPUAttr::keepsBlockSums() const { return false; }
/// A tile is spread over threads: a row may have as many groups as a whole tile
/// on a CPU, because each thread has its own elements.
int64_t GPUAttr::getValueGroups(int64_t) const { return kValueGroups; }

LogicalResult GPUAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              Unit unit, int64_t threads, int64_t m, int64_t n,
                              int64_t k, int64_t stages) {
  if (unit != Unit::SIMT && unit != Unit::MMA)
    return emitError() << "the unit of a GPU is simt or mma, found "
                       << stringifyUnit(unit);
  // Whole warps, and sums of a block are a tree; CUDA allows no more.
  if (threads < 32 || threads > 1024 || !llvm::isPowerOf2_64(threads))
    return emitError() << "a block of a GPU has a power of two of threads, 32 "
                          "to 1024, found "
                       << threads;
  if (m < 1 || n < 0 || k < 0 || stages < 1)
    return emitError() << "a tile of a GPU is of 1 row and 0 columns at least, "
                          "in 1 stage of depth 0 at least";
  return success();
}

LogicalResult ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t dim, int64_t heads, int64_t kvHeads,
                                 int64_t headSize, int64_t hidden,
                                 int64_t vocabulary, int64_t layers,
                                 int64_t contextLength, FloatAttr eps,
                                 FloatAttr ropeBase) {
  for (int64_t size : {dim, heads, kvHeads, headSize, hidden, vocabulary,
                       layers, contextLength})
    if (size <= 0 || size > INT32_MAX)
      return emitError() << "a size of the model is " << size << ", not in 1.."
                         << INT32_MAX;
  if (heads % kvHeads != 0)
    return emitError() << heads << " heads cannot share " << kvHeads
                       << " heads of keys and values";
  if (headSize % 2 != 0)
    return emitError() << "RoPE rotates pairs, so a head size is even, found "
                       << headSize;
  return success();
}
