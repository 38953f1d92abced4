//===- LlamaAttributes.cpp - order, partition, config: verifiers ----------===//
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
#ifndef __clang_analyzer__ // it reports a pointer that MLIR owns as a leak
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Llama/IR/LlamaAttributes.cpp.inc"
      >();
#endif
}

namespace {
template <typename... Attributes> struct AttributeList {
  /// The attribute whose mnemonic is a format's name.
  static FormatInterface findFormat(MLIRContext *context, StringRef name) {
    FormatInterface found;
    auto consider = [&]<typename A>(std::type_identity<A>) {
      if constexpr (std::is_base_of_v<FormatInterface::Trait<A>, A>)
        if (A::getMnemonic() == name)
          found = A::get(context);
    };
    (consider(std::type_identity<Attributes>()), ...);
    return found;
  }
};
} // namespace

FormatInterface corellama::llama::getFormat(MLIRContext *context,
                                            const FormatFacts &facts) {
  return AttributeList<
#define GET_ATTRDEF_LIST
#include "dialects/Llama/IR/LlamaAttributes.cpp.inc"
      >::findFormat(context, facts.name);
}

LogicalResult
ReductionOrderAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           ContractionUnitInterface unit, int64_t block,
                           ScaleMode scale, int64_t lanes) {
  if (block < 0 || lanes < 0)
    return emitError() << "block and lanes of an order are not negative";
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

LogicalResult ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t dim, int64_t heads, int64_t kvHeads,
                                 int64_t headSize, int64_t hidden,
                                 int64_t vocabulary, int64_t layers,
                                 int64_t contextLength, FloatAttr eps) {
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
