//===- LlamaAttributes.cpp - order, partition, config: verifiers ----------===//
//
// The attributes that say how a kernel runs, and the model's sizes. Formats and
// layouts have files of their own.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

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

FormatInterface corellama::llama::getFormat(MLIRContext *context,
                                            const FormatFacts &facts) {
  return cast<FormatInterface>(
      parseAttribute(("#llama." + facts.name).str(), context));
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
                      DenseI64ArrayAttr rows, PartitionOf of, int64_t by,
                      int64_t times, int64_t rowsBy) {
  if (by <= 0 || times <= 0 || rowsBy < 0)
    return emitError() << "a partition goes by positive steps";
  if ((rows && !rows.empty()) != (of == PartitionOf::Weights))
    return emitError() << "a partition is either of groups of weight rows, or "
                          "of keys or rows";
  if (rows)
    for (int64_t group : rows.asArrayRef())
      if (group <= 0)
        return emitError() << "a group of a partition has " << group << " rows";
  return success();
}

AffineMap PartitionAttr::getParts() const {
  MLIRContext *context = getContext();
  AffineExpr rows = getAffineDimExpr(0, context),
             keys = getAffineDimExpr(1, context);
  AffineExpr count = getAffineConstantExpr(0, context);
  if (getOf() != PartitionOf::Weights) {
    AffineExpr divided = getOf() == PartitionOf::Keys ? keys : rows;
    count = divided.ceilDiv(getBy()) * getTimes();
  } else {
    for (int64_t group : getRows().asArrayRef())
      count = count + llvm::divideCeil(group, getBy());
    if (getRowsBy() != 0)
      count = rows.ceilDiv(getRowsBy()) * count;
  }
  return AffineMap::get(2, 0, count);
}

LogicalResult RotationAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t dims, RopeRule rule,
                                   FloatAttr factor, int64_t original,
                                   FloatAttr low, FloatAttr high,
                                   FloatAttr magnitude, ArrayAttr factors) {
  auto isAtLeastOne = [](double x) { return x >= 1 && std::isfinite(x); };
  bool scales = rule != RopeRule::None,
       hasTurns = rule == RopeRule::Llama3 || rule == RopeRule::YaRN;
  if (dims < 0 || dims % 2 != 0)
    return emitError() << "a rotation turns pairs of columns, found " << dims
                       << " columns";
  if (static_cast<bool>(factor) != scales ||
      (factor && !isAtLeastOne(factor.getValueAsDouble())))
    return emitError() << "a rule that scales has a factor of at least 1, and "
                          "no other has one";
  if ((original != 0) != hasTurns || static_cast<bool>(low) != hasTurns ||
      static_cast<bool>(high) != hasTurns || original < 0)
    return emitError() << "llama3 and yarn have original, low and high, and no "
                          "other rule has them";
  if (hasTurns && !(low.getValueAsDouble() > 0 &&
                    low.getValueAsDouble() < high.getValueAsDouble() &&
                    std::isfinite(high.getValueAsDouble())))
    return emitError() << "the turns low are above 0 and below high";
  // The runtime's bound, by which what it reads of an image is checked.
  if (magnitude && !(magnitude.getValueAsDouble() > 0 &&
                     magnitude.getValueAsDouble() < 65536))
    return emitError() << "the magnitude is above 0 and below 65536";
  auto isFactor = [&](Attribute factor) {
    auto number = dyn_cast<FloatAttr>(factor);
    return number && isAtLeastOne(number.getValueAsDouble());
  };
  if (factors && !llvm::all_of(factors, isFactor))
    return emitError() << "factors are numbers of at least 1";
  return success();
}

LogicalResult ConfigAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t dim, int64_t heads, int64_t kvHeads,
                                 int64_t headSize, int64_t hidden,
                                 int64_t vocabulary, int64_t layers,
                                 int64_t contextLength) {
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
