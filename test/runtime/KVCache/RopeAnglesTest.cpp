//===- RopeAnglesTest.cpp - sines and cosines against libm's --------------===//
//
// Tests runtime/KVCache/RopeAngles.h. The reference is libm in long double,
// whose 64 bits leave an error of position * 2^-64 in an angle: that is the
// tolerance, beside the one that the header promises.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeAngles.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace corellama::runtime;

TEST(SineCosine, IsThatOfLibm) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int i = 0; i < 300000; ++i) {
    double position = std::floor(std::exp2(20 * uniform(random)));
    double frequency = std::exp2(-20 * uniform(random));
    long double angle = static_cast<long double>(position) * frequency;
    SineCosine found =
        sineCosine(corellama::abi::exactProduct(position, frequency));
    long double slack = angle * 0x1p-63L;
    ASSERT_LE(fabsl(found.sine - sinl(angle)), 0x1p-52L + slack) << position;
    ASSERT_LE(fabsl(found.cosine - cosl(angle)), 0x1p-52L + slack) << position;
  }
}

TEST(SineCosine, KeepsItsDigitsWhereTheSineIsNearZero) {
  // 710 = 226 pi + 0.0000603, 1146408 = 364913 pi - 1.7e-7 (convergents of pi).
  for (double angle : {355.0, 710.0, 103993.0, 104348.0, 208341.0, 312689.0,
                       1146408.0, 411557987.0, 1068966896.0}) {
    long double expected = sinl(static_cast<long double>(angle));
    long double found = sineCosine({angle, 0}).sine;
    EXPECT_LE(fabsl(found - expected),
              std::max(fabsl(expected) * 0x1p-50L, 0x1p-78L))
        << angle;
    // And as float32 the very same.
    EXPECT_EQ(float(found), float(expected)) << angle;
  }
}

TEST(SineCosine, KnownAngles) {
  EXPECT_EQ(sineCosine({0, 0}).sine, 0.0);
  EXPECT_EQ(sineCosine({0, 0}).cosine, 1.0);
  // A quarter turn in all its digits: the cosine is what they leave out.
  SineCosine quarter =
      sineCosine({0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54});
  EXPECT_EQ(quarter.sine, 1.0);
  EXPECT_LE(std::fabs(quarter.cosine), 0x1p-100);
}

TEST(SineCosine, UpTo2To31) {
  for (double angle : {1e7, 123456789.0, 2147483647.0}) {
    long double exact = static_cast<long double>(angle);
    EXPECT_LE(fabsl(sineCosine({angle, 0}).sine - sinl(exact)), 0x1p-52L);
    EXPECT_LE(fabsl(sineCosine({angle, 0}).cosine - cosl(exact)), 0x1p-52L);
  }
}
