//===- RoundingTest.cpp - halves, bfloats, q8b32 and x24b32 ---------------===//
//
// Rounding is compared with LLVM's APFloat over all numbers of the narrow types
// and what lies between two of them.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Rounding.h"
#include "dialects/Llama/Reference/FormatDecoder.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace corellama::llama::reference;

namespace {

double byAPFloat(const llvm::fltSemantics &semantics, float x) {
  llvm::APFloat value(x);
  bool losesInfo;
  value.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}

void compare(Number number, const llvm::fltSemantics &semantics, float x) {
  double found = roundTo(number, x), expected = byAPFloat(semantics, x);
  EXPECT_EQ(found, expected) << x;
  EXPECT_EQ(std::signbit(found), std::signbit(expected)) << x;
}

// Every number, the middle between it and the next, and both sides of that.
void compareAll(Number number, const llvm::fltSemantics &semantics,
                double (*decode)(uint16_t)) {
  for (uint32_t bits = 0; bits < 65535; ++bits) {
    double low = decode(bits), high = decode(bits + 1);
    if (!std::isfinite(low) || !std::isfinite(high) ||
        std::signbit(low) != std::signbit(high))
      continue;
    float middle = static_cast<float>((low + high) / 2);
    for (float x :
         {static_cast<float>(low), middle,
          std::nextafter(middle, std::numeric_limits<float>::infinity()),
          std::nextafter(middle, -std::numeric_limits<float>::infinity())}) {
      compare(number, semantics, x);
      if (::testing::Test::HasFailure())
        return;
    }
  }
}

TEST(Rounding, AllHalves) {
  compareAll(Number::F16, llvm::APFloat::IEEEhalf(), decodeF16);
}
TEST(Rounding, AllBFloats) {
  compareAll(Number::BF16, llvm::APFloat::BFloat(), decodeBF16);
}

TEST(Rounding, BeyondTheLargest) {
  for (float x : {65504.0f, 65519.99f, 65520.0f, -65520.0f, 1e30f})
    compare(Number::F16, llvm::APFloat::IEEEhalf(), x);
  for (float x : {3.3e38f, 3.3961776e38f, -3.4e38f})
    compare(Number::BF16, llvm::APFloat::BFloat(), x);
  double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(roundTo(Number::F16, -infinity), -infinity);
  EXPECT_TRUE(std::isnan(roundTo(Number::BF16, std::nan(""))));
}

TEST(Rounding, ExactAndSingle) {
  EXPECT_EQ(roundTo(Number::Exact, 0.1), 0.1);
  EXPECT_EQ(roundTo(Number::F32, 0.1), 0.1f);
}

// A value is float32 before it is a half: 1 + 2^-11 + 2^-40 is the tie
// 1 + 2^-11 in float32 and goes to the even 1.
TEST(Rounding, ThroughFloat32) {
  EXPECT_EQ(
      roundTo(Number::F16, 1 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40)), 1);
}

// Each value is a whole number of steps amax / 127, none is off by more than
// half a step, and what is largest is kept.
TEST(Rounding, Q8B32KeepsWithinHalfAStep) {
  std::mt19937 random(10);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> row(70);
    for (double &x : row)
      x = normal(random);
    std::vector<double> rounded = row;
    roundToQ8B32(rounded);
    for (size_t begin = 0; begin < row.size(); begin += 32) {
      size_t end = std::min(begin + 32, row.size());
      double amax = 0;
      for (size_t i = begin; i < end; ++i)
        amax = std::max(amax, std::fabs(row[i]));
      double step = static_cast<float>(amax) / 127.0f;
      for (size_t i = begin; i < end; ++i) {
        EXPECT_EQ(rounded[i], step * std::nearbyint(rounded[i] / step));
        // Scale, its inverse and the product are each rounded to float32.
        EXPECT_LE(std::fabs(rounded[i] - row[i]), 0.5 * step + 4e-7 * amax);
        EXPECT_LE(std::fabs(rounded[i]), 127 * step);
      }
    }
  }
}

TEST(Rounding, Q8B32OfWhatIsTinyOrNoNumber) {
  // Below 2^-119 a block is zero, from there on it is rounded as any other.
  for (double tiny : {std::ldexp(0.99, -119), 1e-45, 0.0}) {
    std::vector<double> row(32, tiny);
    roundToQ8B32(row);
    for (double x : row)
      EXPECT_EQ(x, 0);
  }
  std::vector<double> least(32, std::ldexp(1.0, -119));
  roundToQ8B32(least);
  EXPECT_NEAR(least[5], std::ldexp(1.0, -119), std::ldexp(1.0, -140));
  // One value that is no number takes its whole block with it, and no other.
  for (double wrong : {double(INFINITY), -double(INFINITY), double(NAN)}) {
    std::vector<double> row(64, 1.0);
    row[7] = wrong;
    roundToQ8B32(row);
    EXPECT_TRUE(std::isnan(row[0]));
    EXPECT_TRUE(std::isnan(row[31]));
    EXPECT_NEAR(row[32], 1.0, 1e-6);
  }
}

TEST(Rounding, Q8B32OfZeros) {
  std::vector<double> row(40, 0.0);
  row[33] = -2;
  roundToQ8B32(row);
  EXPECT_EQ(row[0], 0);
  EXPECT_EQ(row[33], -127 * static_cast<double>(2.0f / 127.0f));
}

// Each value is an integer of at most 127 * 254^2 times a power of two, the
// least that will do, and none is off by more than half of it.
TEST(Rounding, X24B32KeepsWithinHalfAStep) {
  constexpr double kLargest = 8193532;
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 1000; ++round) {
    std::vector<double> row(70);
    for (double &x : row)
      x = std::ldexp(normal(random), round % 200 - 100);
    std::vector<double> rounded = row;
    roundToX24B32(rounded);
    for (size_t begin = 0; begin < row.size(); begin += 32) {
      size_t end = std::min(begin + 32, row.size());
      double amax = 0;
      for (size_t i = begin; i < end; ++i)
        amax = std::max(amax, std::fabs(row[i]));
      double step = std::exp2(std::ceil(std::log2(amax / kLargest)));
      for (size_t i = begin; i < end; ++i) {
        EXPECT_EQ(rounded[i], step * std::nearbyint(row[i] / step));
        EXPECT_LE(std::fabs(rounded[i]), kLargest * step);
      }
    }
  }
}

TEST(Rounding, X24B32OfWhatIsTinyOrNoNumber) {
  for (double tiny : {std::ldexp(0.99, -104), 1e-45, 0.0}) {
    std::vector<double> row(32, tiny);
    roundToX24B32(row);
    for (double x : row)
      EXPECT_EQ(x, 0);
  }
  std::vector<double> least(32, std::ldexp(1.0, -104));
  roundToX24B32(least);
  EXPECT_EQ(least[5], std::ldexp(1.0, -104));
  std::vector<double> row(64, 1.0);
  row[7] = -INFINITY;
  roundToX24B32(row);
  EXPECT_TRUE(std::isnan(row[0]));
  EXPECT_EQ(row[32], 1.0);
  std::vector<double> largest(32, std::numeric_limits<float>::max());
  roundToX24B32(largest);
  EXPECT_NEAR(largest[0] / std::numeric_limits<float>::max(), 1, 1e-7);
}

} // namespace
