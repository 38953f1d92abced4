//===- BufferPlaces.cpp - the elements of a buffer, in memory -------------===//
//
// See BufferPlaces.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/BufferPlaces.h"
#include "test/passes/Testing/RowBlock.h"
#include "llvm/ADT/APFloat.h"
#include <bit>
#include <cmath>
#include <cstring>

namespace corellama::test {

using namespace llama::reference;

Number numberOf(mlir::Type element) {
  return element.isF16()    ? Number::F16
         : element.isBF16() ? Number::BF16
                            : Number::F32;
}

size_t bytesOf(Number number) { return number == Number::F32 ? 4 : 2; }

double readNumber(const uint8_t *at, Number number) {
  uint32_t bits = 0;
  std::memcpy(&bits, at, bytesOf(number));
  if (number == Number::F16)
    return decodeF16(static_cast<uint16_t>(bits));
  // A bf16 is the upper half of a float32.
  return std::bit_cast<float>(number == Number::BF16 ? bits << 16 : bits);
}

double writeNumber(uint8_t *at, Number number, double value) {
  double rounded = roundTo(number, value);
  uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(rounded));
  if (number == Number::BF16)
    bits >>= 16;
  if (number == Number::F16) {
    llvm::APFloat half(rounded);
    bool lost;
    half.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &lost);
    bits = static_cast<uint32_t>(half.bitcastToAPInt().getZExtValue());
  }
  std::memcpy(at, &bits, bytesOf(number));
  return rounded;
}

double roundingStep(Number number, double value) {
  switch (number) {
  case Number::F16: // 11 bits, the least exponent -24
    return std::max(std::abs(value) * 0x1p-10, 0x1p-24);
  case Number::BF16: // 8 bits; subnormal numbers may become zero
    return std::max(std::abs(value) * 0x1p-7, 0x1p-126);
  default:
    return 0;
  }
}

void writeRounded(uint8_t *memory, const BufferPlaces &places, size_t first,
                  llvm::MutableArrayRef<double> row) {
  for (size_t begin = 0; begin < row.size(); begin += RowBlock::kSize) {
    float values[RowBlock::kSize];
    for (int k = 0; k < RowBlock::kSize; ++k)
      values[k] = static_cast<float>(row[begin + k]);
    RowBlock block = RowBlock::round(values, places.digits);
    block.write(memory + places.records[first + begin]);
    for (int k = 0; k < RowBlock::kSize; ++k)
      row[begin + k] = block.value(k);
  }
}

BufferPlaces bufferPlaces(TestModel &model, llvm::StringRef name,
                          llvm::ArrayRef<int64_t> shape) {
  auto buffer = model.schedule->lookupSymbol<llama::BufferOp>(name);
  auto type = mlir::cast<mlir::RankedTensorType>(buffer.getType());
  std::vector<int64_t> offsets{0};
  for (size_t d = 0; d < shape.size(); ++d) {
    std::vector<int64_t> inner;
    for (int64_t outer : offsets)
      for (int64_t i = 0; i < shape[d]; ++i)
        inner.push_back(outer * type.getDimSize(d) + i);
    offsets = std::move(inner);
  }
  BufferPlaces places{numberOf(type.getElementType()), {}, {}};
  auto record =
      mlir::dyn_cast<llama::RowRecordInterface>(type.getElementType());
  if (record)
    places.digits = static_cast<int>(record.getDigits());
  // Every buffer of phase schedule has an offset.
  size_t first = buffer.getAt().value_or(0);
  int64_t columns = type.getShape().back();
  for (int64_t offset : offsets) {
    if (!record) {
      places.bytes.push_back(first + offset * bytesOf(places.number));
      continue;
    }
    int64_t column = offset % columns;
    size_t at = first + offset / columns * record.getRowBytes(columns) +
                column / record.kBlock * record.getRecordBytes();
    places.records.push_back(at);
    places.bytes.push_back(at + column % record.kBlock);
  }
  return places;
}

} // namespace corellama::test
