//===- RopeFrequenciesTest.cpp - powers against libm and the evaluator ----===//
//
// Tests compiler/Image/RopeFrequencies.h: inversePower against libm in long
// double, and the frequencies that an image holds against the formula of the
// float64 evaluator, with which they share no code.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/RopeFrequencies.h"
#include "ImageTesting.h"
#include "dialects/Llama/Reference/Formulas.h"
#include <bit>
#include <cmath>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::test;
using corellama::abi::DoubleDouble;

namespace {

long double value(DoubleDouble x) {
  return static_cast<long double>(x.high) + x.low;
}

TEST(InversePower, IsThatOfLibm) {
  for (double base : {1.0, 1.5, 2.0, 9999.9, 1e4, 5e5, 1e6, 1e15, 1e30})
    for (uint64_t size : {2, 6, 20, 64, 80, 128, 256})
      for (uint64_t column = 0; column < size; column += 2) {
        long double expected =
            powl(base, -static_cast<long double>(column) / size);
        long double found = value(inversePower(base, column, size));
        // powl's exponent is rounded: an error of |exponent| * log(base) units.
        ASSERT_LE(fabsl(found - expected), expected * 80 * 0x1p-64L)
            << base << " " << column << " / " << size;
      }
}

TEST(InversePower, HasMoreDigitsThanLongDouble) {
  // Exact results of other kinds: 2^-1 and the square root of 1/2.
  DoubleDouble half = inversePower(4, 1, 2);
  EXPECT_EQ(half.high, 0.5);
  EXPECT_LE(std::fabs(half.low), 0x1p-95);
  DoubleDouble root = inversePower(2, 1, 2);
  DoubleDouble square = root * root + DoubleDouble{-0.5, 0};
  EXPECT_LE(std::fabs(square.high), 0x1p-95);
  DoubleDouble root3 = inversePower(10000, 1, 3);
  DoubleDouble cube =
      root3 * root3 * root3 * DoubleDouble{10000, 0} + DoubleDouble{-1, 0};
  EXPECT_LE(std::fabs(cube.high), 0x1p-90);
}

TEST(InversePower, BitsDoNotChange) {
  // Part of the bits of every program; made once, checked above to be accurate.
  uint64_t hash = 0xCBF29CE484222325u;
  for (double base : {1.0, 10000.0, 500000.0, 1e30})
    for (uint64_t size : {6, 64, 128})
      for (uint64_t column = 0; column < size; column += 2) {
        auto [high, low] = inversePower(base, column, size);
        for (double part : {high, low})
          hash = (hash ^ std::bit_cast<uint64_t>(part)) * 0x100000001B3u;
      }
  EXPECT_EQ(hash, 0x4a6b0ebed89346b1u);
}

/// The frequencies in the image of a model whose table has this base.
std::vector<DoubleDouble> inImage(uint64_t headSize, double base) {
  SmallLlama small;
  small.headSize = headSize;
  PlannedModel model(small.builder());
  (*model.module->getOps<llama::RopeTableOp>().begin())
      .setBase(llvm::APFloat(base));
  ImagePlan plan = model.goodPlan();
  std::vector<uint8_t> bytes = model.write(plan);
  const corellama::abi::ImageRange &range = plan.header.frequencies;
  std::vector<DoubleDouble> frequencies(range.bytes / sizeof(DoubleDouble));
  memcpy(frequencies.data(), bytes.data() + range.offset, range.bytes);
  return frequencies;
}

TEST(RopeFrequencies, AreThoseOfTheEvaluator) {
  for (double base : {1.0, 1.5, 1e4, 5e5, 1e30})
    for (uint64_t headSize : {2, 6, 16, 64}) {
      std::vector<DoubleDouble> frequencies = inImage(headSize, base);
      ASSERT_EQ(frequencies.size(), headSize / 2);
      for (auto [pair, found] : llvm::enumerate(frequencies)) {
        double expected = llama::reference::ropeFrequency(base, pair, headSize);
        // The evaluator's exponent is rounded, and its power again: an error of
        // |log| units of float64, and one of libm's.
        double units = std::log(base) + 2;
        EXPECT_NEAR(found.high, expected, expected * units * 0x1p-53)
            << base << " " << pair << " of " << headSize;
      }
    }
}

TEST(RopeFrequencies, AnotherBaseIsAnotherImage) {
  EXPECT_NE(inImage(16, 1e4)[1].high, inImage(16, 1e5)[1].high);
}

TEST(RopeFrequencies, ABaseOutsideOfTheRangeIsRefused) {
  PlannedModel model(SmallLlama().builder());
  auto table = *model.module->getOps<llama::RopeTableOp>().begin();
  for (double base : {0.5, 2e30, double(INFINITY)}) {
    table.setBase(llvm::APFloat(base));
    EXPECT_EQ(model.refusal(),
              "module: a RoPE base below 1 or above 1e30 cannot be computed");
  }
}

} // namespace
