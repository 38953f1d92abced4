//===- RopeFrequencies.cpp - the angle of each pair, a position -----------===//
//
// See RopeFrequencies.h. Computed by series instead of libm, whose bits differ
// between versions of glibc and between CPUs. Arguments are reduced first,
// which keeps the series short.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Image/Manifest.h"
#include <bit>
#include <cmath>

using namespace corellama;
using abi::DoubleDouble;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

static constexpr DoubleDouble kLn2 = {0x1.62e42fefa39efp-1,
                                      0x1.abc9e3b39803fp-56};

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

DoubleDouble image::inversePower(double base, uint64_t numerator,
                                 uint64_t denominator) {
  DoubleDouble x = logarithm(base) * DoubleDouble{double(numerator), 0} /
                   double(denominator);
  // e^-x = 2^-n e^(n log 2 - x)
  int n = int(std::floor(x.high / kLn2.high + 0.5));
  DoubleDouble rest = kLn2 * DoubleDouble{double(n), 0} + -x;
  DoubleDouble result = exponentialOfSmall(rest);
  return {result.high * powerOfTwo(-n), result.low * powerOfTwo(-n)};
}

//===----------------------------------------------------------------------===//
// Frequencies
//===----------------------------------------------------------------------===//

/// Bounds within which inversePower keeps its precision and angles stay in the
/// range of runtime/KVCache.
static constexpr double kLeastBase = 1, kMostBase = 1e30;

Expected<std::vector<DoubleDouble>>
image::makeRopeFrequencies(llama::RopeTableOp table) {
  double base = table.getBase().convertToDouble();
  if (!(base >= kLeastBase && base <= kMostBase))
    return refuseModule("a RoPE base below 1 or above 1e30 cannot be computed");
  auto headSize = static_cast<uint64_t>(table.getHead());
  std::vector<DoubleDouble> frequencies;
  for (uint64_t column = 0; column < headSize; column += 2)
    frequencies.push_back(inversePower(base, column, headSize));
  return frequencies;
}
