//===- RowBlock.cpp - one block of a rounded row --------------------------===//
//
// See RowBlock.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/RowBlock.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace corellama::test {

RowBlock RowBlock::round(const float *x, int digits) {
  RowBlock block{digits};
  float amax = 0;
  bool isFinite = true;
  for (int k = 0; k < kSize; ++k) {
    isFinite &= std::isfinite(x[k]);
    amax = std::max(amax, std::abs(x[k]));
  }
  if (!isFinite) {
    block.scale = std::numeric_limits<float>::quiet_NaN();
    return block;
  }
  auto set = [&](int i, int k, float value) {
    EXPECT_LE(std::abs(value), 127.0f);
    block.digit[i][k] = static_cast<int8_t>(value);
  };
  // nearbyint is to nearest even, as the tests leave the rounding mode.
  if (digits == 1 && amax >= 0x1p-119f) {
    block.scale = amax / 127.0f;
    float inverse = 127.0f / amax;
    for (int k = 0; k < kSize; ++k)
      set(0, k, std::nearbyint(x[k] * inverse));
  }
  if (digits == 3 && amax >= 0x1p-104f) {
    constexpr float kHigh = 254.0f * 254.0f;
    int exponent = -149;
    while (amax > std::ldexp(127.0 * kHigh, exponent))
      ++exponent;
    block.scale = std::ldexp(1.0f, exponent);
    for (int k = 0; k < kSize; ++k) {
      double exact = std::nearbyint(std::ldexp(double(x[k]), -exponent));
      auto integer = static_cast<float>(exact);
      float high = std::nearbyint(integer * (1.0f / kHigh));
      float rest = integer - kHigh * high;
      float middle = std::nearbyint(rest * (1.0f / 254.0f));
      set(0, k, high);
      set(1, k, middle);
      set(2, k, rest - 254.0f * middle);
    }
  }
  return block;
}

int32_t RowBlock::sumOfDigit(int i, int from, int to) const {
  int32_t sum = 0;
  for (int k = from; k < to; ++k)
    sum += digit[i][k];
  return sum;
}

int32_t RowBlock::sum(int from, int to) const {
  int32_t sum = 0;
  for (int i = 0; i < digits; ++i)
    sum = 254 * sum + sumOfDigit(i, from, to);
  return sum;
}

RowBlock RowBlock::read(const uint8_t *record, int digits) {
  RowBlock block{digits};
  for (int i = 0; i < digits; ++i, record += kSize)
    std::memcpy(block.digit[i], record, kSize);
  std::memcpy(&block.scale, record, 4);
  return block;
}

void RowBlock::write(uint8_t *record) const {
  auto append = [&](const void *from, size_t count) {
    std::memcpy(record, from, count);
    record += count;
  };
  for (int i = 0; i < digits; ++i)
    append(digit[i], kSize);
  append(&scale, 4);
  for (int i = 0; i < digits; ++i)
    for (int from : {0, kSize / 2}) {
      int32_t stored = -128 * sumOfDigit(i, from, kSize);
      append(&stored, 4);
    }
  float scaled = scale * static_cast<float>(sum(0, kSize));
  append(&scaled, 4);
}

} // namespace corellama::test
