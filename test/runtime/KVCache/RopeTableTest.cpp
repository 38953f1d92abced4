//===- RopeTableTest.cpp - the table's layout and values ------------------===//
//
// Tests runtime/KVCache/RopeTable.h against Image.h's description, with libm in
// long double for the values.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeTable.h"
#include "runtime/KVCache/RopeAngles.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace corellama::runtime;

/// base^(-2i / headSize) for pair i, with the 64 bits of long double.
static std::vector<corellama::abi::PairRotation> frequencies(uint64_t headSize,
                                                             long double base) {
  std::vector<corellama::abi::PairRotation> all;
  for (uint64_t column = 0; column < headSize; column += 2) {
    long double exact =
        powl(base, -static_cast<long double>(column) / headSize);
    all.push_back({{double(exact), double(exact - double(exact))}});
  }
  return all;
}

/// Distance in units of float32's last place at the larger one.
static double units(float found, long double expected) {
  int exponent;
  frexpl(expected, &exponent);
  return double(fabsl(found - expected) / ldexpl(1, exponent - 24));
}

TEST(RopeTable, RowsAreCosinesThenSignedSines) {
  // 6-wide heads in rows of 22: the columns go round three times and a bit.
  const uint64_t headSize = 6, row = 44, positions = 300;
  auto pairs = frequencies(headSize, 10000);
  auto table = RopeTable::reserve(pairs, row, positions);
  ASSERT_TRUE(table);
  table->reach(positions);
  for (uint64_t position = 0; position < positions; ++position)
    for (uint64_t element = 0; element < row / 2; ++element) {
      uint64_t column = element % headSize;
      long double angle =
          position *
          powl(10000, -2 * static_cast<long double>(column / 2) / headSize);
      long double sine = sinl(angle) * (column % 2 == 0 ? -1 : 1);
      const float *values = table->data() + position * row;
      // Correctly rounded but for the reference's own error.
      ASSERT_LE(units(values[element], cosl(angle)), 0.5001);
      if (position != 0)
        ASSERT_LE(units(values[row / 2 + element], sine), 0.5001);
      else
        ASSERT_EQ(values[row / 2 + element], 0);
    }
}

TEST(RopeTable, IsAccurateAtLargePositions) {
  const uint64_t headSize = 64, row = 2 * 79, positions = 131072;
  auto pairs = frequencies(headSize, 500000);
  auto table = RopeTable::reserve(pairs, row, positions);
  ASSERT_TRUE(table);
  table->reach(positions);
  for (uint64_t position = positions - 1000; position < positions; ++position)
    for (uint64_t column = 0; column < headSize; ++column) {
      long double angle =
          position *
          powl(500000, -2 * static_cast<long double>(column / 2) / headSize);
      const float *values = table->data() + position * row;
      ASSERT_NEAR(values[column], double(cosl(angle)), 0x1.001p-25);
      ASSERT_NEAR(values[row / 2 + column],
                  double(sinl(angle) * (column % 2 ? 1 : -1)), 0x1.001p-25);
    }
}

TEST(RopeTable, AMagnitudeMultipliesWhatTurns) {
  // As YaRN has it, over half of a head: the other half is left as it is.
  const uint64_t headSize = 64, row = 2 * 79, positions = 131072;
  const double magnitude = 1.138629436111989;
  auto pairs = frequencies(headSize, 500000);
  for (size_t pair = 0; pair < pairs.size(); ++pair) {
    if (pair < 16)
      pairs[pair].magnitude = magnitude;
    else
      pairs[pair].frequency = {0, 0};
  }
  auto table = RopeTable::reserve(pairs, row, positions);
  ASSERT_TRUE(table);
  table->reach(positions);
  for (uint64_t position : {uint64_t(0), uint64_t(4097), positions - 1})
    for (uint64_t column = 0; column < headSize; ++column) {
      long double angle =
          column < 32
              ? position *
                    powl(500000,
                         -2 * static_cast<long double>(column / 2) / headSize)
              : 0;
      long double by = column < 32 ? magnitude : 1;
      const float *values = table->data() + position * row;
      ASSERT_NEAR(values[column], double(by * cosl(angle)), 0x1.001p-24);
      ASSERT_NEAR(values[row / 2 + column],
                  double(by * sinl(angle) * (column % 2 ? 1 : -1)),
                  0x1.001p-24);
    }
}

TEST(RopeTable, BitsDoNotChange) {
  // What every machine must give; made once, checked above to be accurate.
  auto pairs = frequencies(64, 10000);
  auto table = RopeTable::reserve(pairs, 128, 1000);
  ASSERT_TRUE(table);
  table->reach(1000);
  uint64_t hash = 0xCBF29CE484222325u;
  for (uint64_t i = 0; i < 1000 * 128; ++i)
    hash = (hash ^ std::bit_cast<uint32_t>(table->data()[i])) * 0x100000001B3u;
  EXPECT_EQ(hash, 0xe0c18c0a5784b1c5u);
}

TEST(RopeTable, RowsAreTheSameHoweverTheyAreReached) {
  auto pairs = frequencies(8, 10000);
  auto one = RopeTable::reserve(pairs, 16, 512);
  auto other = RopeTable::reserve(pairs, 16, 512);
  ASSERT_TRUE(one && other);
  one->reach(512);
  for (uint64_t positions : {1, 7, 7, 3, 100, 512})
    other->reach(positions);
  EXPECT_TRUE(std::equal(one->data(), one->data() + 512 * 16, other->data()));
}

TEST(RopeTable, SaysThatItDoesNotFit) {
  auto table = RopeTable::reserve(frequencies(8, 10000), 1 << 20, 1 << 30);
  ASSERT_FALSE(table);
  EXPECT_EQ(table.error(), "the RoPE table would take 1073741824 x 4194304 "
                           "bytes, more than a process can address; give a "
                           "smaller -c");
}
