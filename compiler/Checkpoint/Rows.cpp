//===- Rows.cpp - stored rows as the graph has them -----------------------===//
//
// See Rows.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Rows.h"
#include "compiler/Quantize/RowConverter.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include <cassert>
#include <cstring>

using llvm::ArrayRef;
using llvm::MutableArrayRef;
using namespace llvm::support;

namespace corellama::checkpoint {

/// A number of a plain format as f32, which represents each of them.
static float widen(const uint8_t *from, llama::FieldType type) {
  if (type == llama::FieldType::F32)
    return llvm::bit_cast<float>(endian::read32le(from));
  uint32_t half = endian::read16le(from);
  if (type == llama::FieldType::BF16)
    return llvm::bit_cast<float>(half << 16);
  assert(type == llama::FieldType::F16);
  return llvm::APFloat(llvm::APFloat::IEEEhalf(), llvm::APInt(16, half))
      .convertToFloat();
}

/// A stored row of a matrix in the graph's type.
static llvm::Error convertRow(const TensorInfo &tensor,
                              const quantize::RowConverter &converter,
                              ArrayRef<uint8_t> stored, uint64_t row,
                              MutableArrayRef<uint8_t> out) {
  const uint64_t bytes = stored.size() / tensor.rows;
  auto bad = converter.convert(stored.slice(row * bytes, bytes), out);
  if (!bad)
    return llvm::Error::success();
  return llvm::createStringError(
      "row " + llvm::Twine(row) + ", column " + llvm::Twine(bad->column) +
      " is " + (bad->isNaN ? "NaN" : "infinite") +
      ", expected a finite number; compile it without --quantize, or repair "
      "the checkpoint");
}

llvm::Expected<ArrayRef<uint8_t>> readRows(const TensorInfo &tensor,
                                           ArrayRef<uint8_t> stored,
                                           const ModelConfig &config,
                                           uint64_t first, uint64_t count,
                                           std::vector<uint8_t> &scratch) {
  assert(first + count <= tensor.rows && stored.size() == tensor.bytes);
  auto source = [&](uint64_t row) {
    return tensor.order == RowOrder::Pairs
               ? row
               : halfSplitRow(row, config.headSize, config.turned());
  };
  const uint64_t rowBytes = stored.size() / tensor.rows;
  if (!tensor.isRounded && tensor.type == tensor.storedType &&
      tensor.order == RowOrder::Pairs)
    return stored.slice(first * rowBytes, count * rowBytes);

  if (!getInfo(tensor.id.role).isVector()) {
    assert(tensor.isRounded || tensor.type == tensor.storedType);
    std::optional<quantize::RowConverter> converter;
    if (tensor.isRounded)
      converter.emplace(getFacts(tensor.storedType), getFacts(tensor.type));
    const uint64_t ownBytes = *byteSize(tensor.type, 1, tensor.columns);
    scratch.resize(count * ownBytes);
    for (uint64_t row = 0; row < count; ++row) {
      auto out = MutableArrayRef(scratch).slice(row * ownBytes, ownBytes);
      if (!converter)
        memcpy(out.data(), stored.data() + source(first + row) * rowBytes,
               rowBytes);
      else if (llvm::Error error = convertRow(tensor, *converter, stored,
                                              source(first + row), out))
        return error;
    }
    return ArrayRef<uint8_t>(scratch);
  }

  // RoPE turns the elements of a vector.
  assert(tensor.rows == 1 && tensor.type == TensorType::F32);
  const llama::Plane &plane = getFacts(tensor.storedType).planes.front();
  scratch.resize(tensor.columns * sizeof(float));
  for (uint64_t i = 0; i < tensor.columns; ++i)
    endian::write32le(
        scratch.data() + i * sizeof(float),
        llvm::bit_cast<uint32_t>(
            widen(stored.data() + source(i) * plane.bits / 8, plane.type)));
  return ArrayRef<uint8_t>(scratch);
}

} // namespace corellama::checkpoint
