//===- Datum.cpp - what a value of the dialect is, as numbers -------------===//
//
// Sizes of tensors and weights, each checked before it is used.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Datum.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace corellama::llama::reference;

Expected<int64_t>
corellama::llama::reference::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    if (extent < 0 || MulOverflow(count, extent, count) || count > kMaxElements)
      return formatError("a tensor of {0} is more than the evaluator holds",
                         formatShape(shape));
  return count;
}

std::string corellama::llama::reference::formatShape(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "scalar";
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

Tensor Tensor::zeros(ArrayRef<int64_t> shape) {
  size_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return {Shape(shape), std::vector<double>(count)};
}

Expected<uint64_t>
corellama::llama::reference::weightBytes(Format format,
                                         ArrayRef<int64_t> shape) {
  if (shape.empty() || shape.size() > 2)
    return formatError("a weight has one or two extents, found {0}",
                       shape.size());
  for (int64_t extent : shape)
    if (extent <= 0)
      return formatError("extent {0} of a weight is not positive", extent);
  if (shape.back() % blockColumns(format) != 0)
    return formatError(
        "rows of {0} columns are not a whole number of {1} blocks of {2}",
        shape.back(), formatName(format), blockColumns(format));
  uint64_t rows = shape.size() == 1 ? 1 : shape.front();
  uint64_t blocks = shape.back() / blockColumns(format);
  std::optional<uint64_t> bytes = checkedMulUnsigned(rows, blocks);
  if (bytes)
    bytes =
        checkedMulUnsigned(*bytes, static_cast<uint64_t>(blockBytes(format)));
  if (!bytes)
    return formatError("the bytes of a weight of {0} overflow",
                       formatShape(shape));
  return *bytes;
}

Error corellama::llama::reference::checkWeight(const WeightData &weight) {
  Expected<uint64_t> bytes = weightBytes(weight.format, weight.shape);
  if (!bytes)
    return bytes.takeError();
  if (*bytes != weight.bytes.size())
    return formatError("a weight of {0} in {1} has {2} bytes, found {3}",
                       formatShape(weight.shape), formatName(weight.format),
                       *bytes, weight.bytes.size());
  return Error::success();
}

std::vector<double> WeightData::row(int64_t r) const {
  size_t size = columns() / blockColumns(format) * blockBytes(format);
  std::vector<double> values(columns());
  decodeRow(format, bytes.slice(r * size, size), values);
  return values;
}
