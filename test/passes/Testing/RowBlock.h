//===- RowBlock.h - one block of a rounded row ------------------*- C++ -*-===//
//
// 32 values rounded to q8b32 or x24b32 and their record in memory, computed
// from the text of docs/bits.md and from nothing that the compiler has: what
// tests of products give to kernels, and tests of roundings expect.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_ROWBLOCK_H
#define CORELLAMA_TEST_PASSES_TESTING_ROWBLOCK_H

#include <cstddef>
#include <cstdint>

namespace corellama::test {

struct RowBlock {
  static constexpr int kSize = 32;

  /// One digit: q8b32. Three: x24b32.
  int digits = 1;
  /// The highest digit first.
  int8_t digit[3][kSize] = {};
  float scale = 0;

  static RowBlock round(const float *x, int digits);
  static RowBlock read(const uint8_t *record, int digits);
  void write(uint8_t *record) const;

  /// The sum of one digit, or of the integers, over columns `from` to `to`.
  int32_t sumOfDigit(int i, int from, int to) const;
  int32_t sum(int from, int to) const;
  double value(int k) const {
    return static_cast<double>(scale) * sum(k, k + 1);
  }
  size_t recordBytes() const { return static_cast<size_t>(40 * digits + 8); }
};

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_ROWBLOCK_H
