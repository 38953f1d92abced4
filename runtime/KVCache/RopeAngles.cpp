//===- RopeAngles.cpp - rotation angles, their sines and cosines ----------===//
//
// See RopeAngles.h. Series throughout: they are short because arguments are
// reduced first, and their coefficients need no explanation.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeAngles.h"

#include <bit>

namespace corellama::runtime {

static constexpr DoubleDouble kLn2 = {0x1.62e42fefa39efp-1,
                                      0x1.abc9e3b39803fp-56};
/// A quarter turn.
static constexpr DoubleDouble kHalfPi = {0x1.921fb54442d18p+0,
                                         0x1.1a62633145c07p-54};
static constexpr double kInverseHalfPi = 0x1.45f306dc9c883p-1;

/// 2^exponent, for exponents of normal numbers.
static double powerOfTwo(int exponent) {
  return std::bit_cast<double>(uint64_t(exponent + 1023) << 52);
}

/// e^x for |x| below 1.
static DoubleDouble exponentialOfSmall(DoubleDouble x) {
  // e^x = (e^(x / 256))^256. The series' terms then fall by 2^-8 and more, so
  // that 13 of them reach 2^-136; the eight squarings cost 8 of 104 bits.
  constexpr int kSquarings = 8;
  x = {x.high * powerOfTwo(-kSquarings), x.low * powerOfTwo(-kSquarings)};
  DoubleDouble sum = {1, 0};
  for (int term = 13; term > 0; --term)
    sum = DoubleDouble{1, 0} + x * sum / term;
  for (int i = 0; i < kSquarings; ++i)
    sum = sum * sum;
  return sum;
}

/// The natural logarithm of a normal number.
static DoubleDouble logarithm(double x) {
  uint64_t bits = std::bit_cast<uint64_t>(x);
  int exponent = int(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & ((uint64_t(1) << 52) - 1)) |
                                   uint64_t(1023) << 52);
  if (m > 1.4142135623730951) { // so that |log m| < 0.35
    m *= 0.5;
    ++exponent;
  }
  // log m = 2 artanh((m - 1) / (m + 1)); the quotient is below 0.1716, so the
  // term of t^27 is below 2^-72.
  double t = (m - 1) / (m + 1);
  double series = 0;
  for (int power = 27; power > 0; power -= 2)
    series = 1.0 / power + t * t * series;
  // One Newton step on e^y = m turns float64's digits into twice as many.
  DoubleDouble y = {2 * t * series, 0};
  DoubleDouble error =
      DoubleDouble{m, 0} * exponentialOfSmall(-y) + DoubleDouble{-1, 0};
  return y + error + kLn2 * DoubleDouble{double(exponent), 0};
}

DoubleDouble inversePower(double base, uint64_t numerator,
                          uint64_t denominator) {
  DoubleDouble x = logarithm(base) * DoubleDouble{double(numerator), 0} /
                   double(denominator);
  // e^-x = 2^-n e^(n log 2 - x)
  int n = int(x.high / kLn2.high + 0.5);
  DoubleDouble rest = kLn2 * DoubleDouble{double(n), 0} + -x;
  DoubleDouble result = exponentialOfSmall(rest);
  return {result.high * powerOfTwo(-n), result.low * powerOfTwo(-n)};
}

SineCosine sineCosine(DoubleDouble angle) {
  // The nearest multiple of a quarter turn; what is left is within 0.7854.
  auto quarters = int64_t(angle.high * kInverseHalfPi + 0.5);
  auto n = double(quarters);
  // Each product is exact, so nothing is lost where angle and multiple cancel.
  DoubleDouble x = angle + -exactProduct(n, kHalfPi.high);
  x = x + -exactProduct(n, kHalfPi.low);

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
