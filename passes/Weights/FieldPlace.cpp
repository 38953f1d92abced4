//===- FieldPlace.cpp - a layout's places as strides ----------------------===//
//
// See FieldPlace.h. In every layout each bit of the column's number moves the
// place by a fixed distance, so probing the columns that are powers of two is
// enough.
//
//===----------------------------------------------------------------------===//

#include "passes/Weights/FieldPlace.h"

using namespace corellama;
using llama::Stride;

/// Merges neighbouring digits whose strides continue each other, but not digits
/// inside a byte, which become a shift, with digits that step over bytes.
static llvm::SmallVector<Stride> joinDigits(llvm::ArrayRef<Stride> digits) {
  llvm::SmallVector<Stride> joined;
  for (const Stride &digit : digits) {
    if (digit.bits == 0)
      continue;
    if (!joined.empty()) {
      Stride &last = joined.back();
      bool goesOn = digit.columns == last.columns * last.count &&
                    digit.bits == last.bits * last.count;
      bool isInByte = digit.count != 0 && digit.bits * digit.count <= 8;
      if (goesOn && (last.bits % 8 == 0 || isInByte)) {
        last.count *= digit.count;
        continue;
      }
    }
    joined.push_back(digit);
  }
  return joined;
}

FieldPlace FieldPlace::probe(llama::LayoutInterface layout,
                             llama::WeightType type, unsigned plane) {
  llama::FormatInterface format = type.getFormat();
  auto at = [&](int64_t row, int64_t column) -> int64_t {
    llama::BitPosition place = layout.locate(
        format, type.getRows(), type.getColumns(), plane, row, column);
    return place.byte * 8 + place.bit;
  };
  // Plain numbers have blocks of one column; layouts group up to 32 of them.
  int64_t base = at(0, 0), period = std::max<int64_t>(format.getBlock(), 32);
  llvm::SmallVector<Stride> digits;
  for (int64_t columns = 1; columns < period; columns *= 2)
    digits.push_back({columns, 2, at(0, columns) - base});
  digits.push_back({period, 0, at(0, period) - base});
  return {base, at(1, 0) - base, joinDigits(digits)};
}

int64_t FieldPlace::at(int64_t column) const {
  int64_t place = base;
  for (const Stride &stride : strides) {
    int64_t digit = column / stride.columns;
    place += (stride.count ? digit % stride.count : digit) * stride.bits;
  }
  return place;
}
