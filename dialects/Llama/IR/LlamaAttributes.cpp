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
