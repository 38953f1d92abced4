//===- Log.h - the natural logarithm --------------------------------------===//
//
// The runtime's own float64 logarithm, for the same reason as Exp.h: programs
// have no libm, and the same logits print the same probabilities everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SAMPLING_LOG_H
#define CORELLAMA_RUNTIME_SAMPLING_LOG_H

#include <bit>
#include <cstdint>

namespace corellama::runtime {

/// ln x for a normal x > 0, within 2^-50 of max(1, |ln x|).
inline double logOf(double x) {
  constexpr double kLn2 = 0x1.62e42fefa39efp-1;
  // x = 2^exponent * m with m from sqrt(1/2) to sqrt(2).
  constexpr uint64_t kMantissa = (uint64_t(1) << 52) - 1;
  const auto bits = std::bit_cast<uint64_t>(x);
  auto exponent = static_cast<int64_t>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & kMantissa) | uint64_t(1023) << 52);
  constexpr double kSqrt2 = 0x1.6a09e667f3bcdp0;
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...). |s| < 0.172, so the first
  // term left out, s^23/23, is below 2^-62.
  const double s = (m - 1.0) / (m + 1.0);
  const double square = s * s;
  double sum = 0.0;
  for (int power = 21; power >= 1; power -= 2)
    sum = sum * square + 1.0 / power;
  return static_cast<double>(exponent) * kLn2 + 2.0 * s * sum;
}

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SAMPLING_LOG_H
