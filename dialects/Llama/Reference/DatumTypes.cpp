//===- DatumTypes.cpp - whether a value is of a type ----------------------===//
//
// The evaluator's values against the IR's types: each result is checked before
// it is kept, so that a wrong formula is reported at its own op.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Evaluator.h"

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::Error;

CacheRef reference::makeCache(CacheType type) {
  return std::make_shared<Cache>(type.getLayers(), type.getHeads(),
                                 type.getHeadSize());
}

/// "a tensor of 2x3".
static std::string describe(const Datum &value) {
  if (auto *tensor = std::get_if<Tensor>(&value))
    return "a tensor of " + formatShape(tensor->shape);
  if (auto *tensor = std::get_if<IntTensor>(&value))
    return "an integer tensor of " + formatShape(tensor->shape);
  if (auto *weight = std::get_if<WeightData>(&value))
    return "a weight of " + formatShape(weight->shape) + " in " +
           formatName(weight->format).str();
  if (auto *cache = std::get_if<CacheRef>(&value))
    return "a cache of " +
           formatShape({(*cache)->layers, (*cache)->heads, (*cache)->headSize});
  return "an integer";
}

static bool fits(ArrayRef<int64_t> shape, ArrayRef<int64_t> type) {
  return shape.size() == type.size() &&
         llvm::all_of(llvm::zip(shape, type), [](auto pair) {
           auto [extent, expected] = pair;
           return ShapedType::isDynamic(expected) || extent == expected;
         });
}

Error reference::checkType(const Datum &value, Type type) {
  bool ok = false;
  if (auto tensor = dyn_cast<RankedTensorType>(type)) {
    if (tensor.getElementType().isInteger())
      ok = std::holds_alternative<IntTensor>(value) &&
           fits(std::get<IntTensor>(value).shape, tensor.getShape());
    else
      ok = std::holds_alternative<Tensor>(value) &&
           fits(std::get<Tensor>(value).shape, tensor.getShape());
  } else if (auto weight = dyn_cast<WeightType>(type)) {
    auto *data = std::get_if<WeightData>(&value);
    ok = data && ArrayRef<int64_t>(data->shape) == weight.getShape() &&
         formatName(data->format) == weight.getFormat().getName();
  } else if (auto cache = dyn_cast<CacheType>(type)) {
    auto *data = std::get_if<CacheRef>(&value);
    ok = data && (*data)->layers == cache.getLayers() &&
         (*data)->heads == cache.getHeads() &&
         (*data)->headSize == cache.getHeadSize();
  } else if (type.isIndex() || type.isInteger()) {
    ok = std::holds_alternative<int64_t>(value);
  } else {
    return formatError("values of type {0} are not known to the evaluator",
                       type);
  }
  if (!ok)
    return formatError("{0} was expected, found {1}", type, describe(value));
  return Error::success();
}
