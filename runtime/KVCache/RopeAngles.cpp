//===- RopeAngles.cpp - sines and cosines of rotation angles --------------===//
//
// See RopeAngles.h. Computed by series, which are short because arguments are
// reduced first.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeAngles.h"

namespace corellama::runtime {

/// A quarter turn.
static constexpr DoubleDouble kHalfPi = {0x1.921fb54442d18p+0,
                                         0x1.1a62633145c07p-54};
static constexpr double kInverseHalfPi = 0x1.45f306dc9c883p-1;

SineCosine sineCosine(DoubleDouble angle) {
  // Subtracts the nearest multiple of a quarter turn; the rest is within
  // 0.7854.
  auto quarters = int64_t(angle.high * kInverseHalfPi + 0.5);
  auto n = double(quarters);
  // Each product is exact, so no precision is lost where angle and multiple
  // cancel.
  DoubleDouble x = angle + -abi::exactProduct(n, kHalfPi.high);
  x = x + -abi::exactProduct(n, kHalfPi.low);

  // Taylor series in x.high up to x^21 and x^22 (next terms: 2^-82 and below).
  // x.low changes the sine to first order; the cosine by less than 2^-54.
  double square = x.high * x.high;
  double sineTail = 0, cosineTail = 0;
  for (int k = 20; k >= 2; k -= 2) {
    sineTail = (1 - square * sineTail) / double(k * (k + 1));
    cosineTail = (1 - square * cosineTail) / double((k + 1) * (k + 2));
  }
  // sine = x - x^3 sineTail; cosine = 1 - x^2 / 2 + x^4 cosineTail / 2
  double half = 0.5 * square;
  double cosine = (1 - half) + half * square * cosineTail;
  double sine = x.high + (x.low * (1 - half) - x.high * square * sineTail);

  switch (quarters & 3) {
  case 0:
    return {sine, cosine};
  case 1:
    return {cosine, -sine};
  case 2:
    return {-sine, -cosine};
  default:
    return {-cosine, sine};
  }
}

} // namespace corellama::runtime
