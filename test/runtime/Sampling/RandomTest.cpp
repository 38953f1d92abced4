//===- RandomTest.cpp - the generator and the exponential -----------------===//
//
// What sampling rests on, against values that others computed.
//
//===----------------------------------------------------------------------===//

#include "runtime/Sampling/Random.h"
#include "runtime/Sampling/Exp.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace corellama::runtime;

TEST(Random, GivesTheReferenceValues) {
  // Of the authors' C program from the state {1, 2, 3, 4}.
  const uint64_t expected[] = {11520u,
                               0u,
                               1509978240u,
                               1215971899390074240u,
                               1216172134540287360u,
                               607988272756665600u,
                               16172922978634559625u,
                               8476171486693032832u,
                               10595114339597558777u,
                               2904607092377533576u};
  Random random(std::array<uint64_t, 4>{1, 2, 3, 4});
  for (uint64_t value : expected)
    EXPECT_EQ(random.next(), value);
}

TEST(Random, SeedsThroughSplitmix) {
  // The first four values of splitmix64 from 0 are the state.
  Random seeded(0);
  Random stated(std::array<uint64_t, 4>{0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4,
                                        0x06C45D188009454F,
                                        0xF88BB8A8724C81EC});
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(seeded.next(), stated.next());
}

TEST(Random, IsUniformBelowOne) {
  Random random(3);
  double sum = 0.0, largest = 0.0;
  for (int i = 0; i < 1'000'000; ++i) {
    double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    largest = std::max(largest, value);
  }
  // The mean's standard deviation is 1 / sqrt(12 n): five of them.
  EXPECT_NEAR(sum / 1e6, 0.5, 5 * 0.29 / 1e3);
  EXPECT_GT(largest, 0.9999);
}

TEST(Exp, IsWithinItsBound) {
  double worst = 0.0;
  Random random(5);
  for (int i = 0; i < 2'000'000; ++i) {
    double x = -708.0 * std::pow(random.uniform(), 6);
    double expected = std::exp(x);
    worst = std::max(worst, std::fabs(expOfNonPositive(x) / expected - 1.0));
  }
  EXPECT_LE(worst, 0x1p-50);
  EXPECT_EQ(expOfNonPositive(0.0), 1.0);
  EXPECT_EQ(expOfNonPositive(-0.0), 1.0);
}

TEST(Exp, EndsInZero) {
  EXPECT_GT(expOfNonPositive(-708.0), 0.0);
  EXPECT_EQ(expOfNonPositive(-708.1), 0.0);
  EXPECT_EQ(expOfNonPositive(-1e300), 0.0);
  EXPECT_EQ(expOfNonPositive(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_EQ(expOfNonPositive(std::numeric_limits<double>::quiet_NaN()), 0.0);
}
