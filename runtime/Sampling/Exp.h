//===- Exp.h - e^x for probabilities --------------------------------------===//
//
// The runtime's own float64 exponential: libm's differs between versions and
// CPUs in the last bit, and a probability that differs in one bit can choose
// another id. Only additions, multiplications and a bit pattern, each rounded
// as IEEE 754 says (the folder is compiled without contraction), so the result
// is the same everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SAMPLING_EXP_H
#define CORELLAMA_RUNTIME_SAMPLING_EXP_H

#include <bit>
#include <cstdint>

namespace corellama::runtime {

/// What e^x is computed with, here and by a device that chooses ids
/// (passes/CUDA/CUDAAddChoice.cpp): the bits are the same.
struct ExpNumbers {
  static constexpr double kLog2E = 0x1.71547652b82fep0;
  /// ln 2 as a sum of two; the first has 21 trailing zero bits, so that its
  /// product with n (at most 1022) is exact.
  static constexpr double kLn2High = 0x1.62e42feep-1;
  static constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  /// Below it the result would be subnormal.
  static constexpr double kLeast = -708.0;
  /// Taylor's series on |r| <= ln 2 / 2 (a little more after rounding): the
  /// term left out, r^14 / 14!, is below 2^-57.
  static constexpr double kCoefficients[] = {
      1.0 / 6227020800.0,
      1.0 / 479001600.0,
      1.0 / 39916800.0,
      1.0 / 3628800.0,
      1.0 / 362880.0,
      1.0 / 40320.0,
      1.0 / 5040.0,
      1.0 / 720.0,
      1.0 / 120.0,
      1.0 / 24.0,
      1.0 / 6.0,
      0.5,
      1.0,
      1.0,
  };
};

/// e^x for x <= 0, within 4 units in the last place (2^-50 relative). 0 for
/// x < -708 and for NaN.
inline double expOfNonPositive(double x) {
  using Numbers = ExpNumbers;
  if (!(x >= Numbers::kLeast))
    return 0.0;
  int64_t n = static_cast<int64_t>(x * Numbers::kLog2E - 0.5);
  double scale = static_cast<double>(n);
  double r = (x - scale * Numbers::kLn2High) - scale * Numbers::kLn2Low;
  double sum = 0.0;
  for (double coefficient : Numbers::kCoefficients)
    sum = sum * r + coefficient;
  // 2^n as a bit pattern; n >= -1022, so it is a normal number.
  uint64_t exponent = static_cast<uint64_t>(n + 1023) << 52;
  return sum * std::bit_cast<double>(exponent);
}

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SAMPLING_EXP_H
