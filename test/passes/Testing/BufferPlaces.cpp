//===- BufferPlaces.cpp - the elements of a buffer, in memory -------------===//
//
// See BufferPlaces.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/BufferPlaces.h"
#include "dialects/Llama/Reference/Rounding.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>
#include <cstring>

namespace corellama::test {

using namespace llama::reference;
using Q8B32 = llama::Q8B32Type;

double readNumber(const uint8_t *at, bool half) {
  if (half) {
    uint16_t bits;
    std::memcpy(&bits, at, sizeof(bits));
    return decodeF16(bits);
  }
  float value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

double writeNumber(uint8_t *at, bool half, double value) {
  if (half) {
    llvm::APFloat number(value);
    bool lost;
    number.convert(llvm::APFloat::IEEEhalf(),
                   llvm::APFloat::rmNearestTiesToEven, &lost);
    auto bits = static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
    std::memcpy(at, &bits, sizeof(bits));
  } else {
    auto narrow = static_cast<float>(value);
    std::memcpy(at, &narrow, sizeof(narrow));
  }
  return readNumber(at, half);
}

double halfStep(double value) {
  return std::max(std::abs(value) * 0x1p-10, 0x1p-24);
}

void writeRounded(uint8_t *memory, llvm::ArrayRef<size_t> records,
                  llvm::MutableArrayRef<double> row) {
  std::vector<double> values(row.begin(), row.end());
  roundToQ8B32(row);
  for (size_t first = 0; first < row.size(); first += Q8B32::kBlock) {
    float amax = 0;
    for (size_t k = first; k < first + Q8B32::kBlock; ++k)
      amax = std::max(amax, std::abs(static_cast<float>(values[k])));
    float scale = amax / Q8B32::kLargest;
    int32_t sums[2] = {0, 0}; // of all, and of the last half
    uint8_t *record = memory + records[first];
    for (size_t k = 0; k < Q8B32::kBlock; ++k) {
      auto quant = static_cast<int8_t>(std::lround(row[first + k] / scale));
      record[k] = static_cast<uint8_t>(quant);
      sums[0] += quant;
      sums[1] += k < Q8B32::kHalf ? 0 : quant;
    }
    std::memcpy(record + Q8B32::kScaleByte, &scale, sizeof(scale));
    std::memcpy(record + Q8B32::kSumByte, sums, sizeof(sums));
    float scaled = scale * static_cast<float>(sums[0]);
    std::memcpy(record + Q8B32::kScaledSumByte, &scaled, sizeof(scaled));
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
  BufferPlaces places{type.getElementType().isF16(), {}, {}};
  // Every buffer of phase schedule has an offset.
  size_t first = buffer.getAt().value_or(0);
  int64_t columns = type.getShape().back();
  for (int64_t offset : offsets) {
    if (!mlir::isa<Q8B32>(type.getElementType())) {
      places.bytes.push_back(first + offset * (places.half ? 2 : 4));
      continue;
    }
    int64_t column = offset % columns;
    size_t record = first + offset / columns * Q8B32::getRowBytes(columns) +
                    column / Q8B32::kBlock * Q8B32::kRecordBytes;
    places.records.push_back(record);
    places.bytes.push_back(record + column % Q8B32::kBlock);
  }
  return places;
}

} // namespace corellama::test
