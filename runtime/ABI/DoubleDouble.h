//===- DoubleDouble.h - sums and products with twice float64's digits -----===//
//
// A number as the sum of two float64, about 106 bits. RoPE's angles need it:
// an angle at position 1,000,000 that is to be reduced modulo a quarter turn
// has lost 20 bits before its sine is taken, so float64 alone would leave an
// error that shows where a sine is near zero. The compiler makes the
// frequencies and the image holds them; the runtime multiplies them.
//
// Only additions and multiplications, each rounded as IEEE 754 says and none
// contracted (-ffp-contract=off), so the bits are the same on every machine.
// References: Dekker 1971; Knuth, The Art of Computer Programming 4.2.2.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_ABI_DOUBLEDOUBLE_H
#define CORELLAMA_RUNTIME_ABI_DOUBLEDOUBLE_H

namespace corellama::abi {

struct DoubleDouble {
  double high = 0;
  /// At most half a unit in the last place of `high`.
  double low = 0;
};

/// a + b exactly, for any two.
inline DoubleDouble exactSum(double a, double b) {
  double sum = a + b;
  double ofB = sum - a;
  return {sum, (a - (sum - ofB)) + (b - ofB)};
}

/// a + b exactly, where |a| >= |b| or a is 0.
inline DoubleDouble exactSumOrdered(double a, double b) {
  double sum = a + b;
  return {sum, b - (sum - a)};
}

/// The upper 26 bits and the rest; for numbers below 2^996.
inline DoubleDouble split(double a) {
  double shifted = 134217729.0 * a; // 2^27 + 1
  double upper = shifted - (shifted - a);
  return {upper, a - upper};
}

/// a * b exactly, where nothing overflows or underflows.
inline DoubleDouble exactProduct(double a, double b) {
  double product = a * b;
  DoubleDouble x = split(a), y = split(b);
  double error =
      ((x.high * y.high - product) + x.high * y.low + x.low * y.high) +
      x.low * y.low;
  return {product, error};
}

inline DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
  DoubleDouble high = exactSum(a.high, b.high);
  DoubleDouble low = exactSum(a.low, b.low);
  DoubleDouble sum = exactSumOrdered(high.high, high.low + low.high);
  return exactSumOrdered(sum.high, sum.low + low.low);
}

inline DoubleDouble operator-(DoubleDouble a) { return {-a.high, -a.low}; }

inline DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
  DoubleDouble product = exactProduct(a.high, b.high);
  return exactSumOrdered(product.high,
                         product.low + (a.high * b.low + a.low * b.high));
}

/// The quotient by a float64.
inline DoubleDouble operator/(DoubleDouble a, double divisor) {
  double first = a.high / divisor;
  DoubleDouble rest = a + -exactProduct(first, divisor);
  return exactSumOrdered(first, rest.high / divisor);
}

} // namespace corellama::abi

#endif // CORELLAMA_RUNTIME_ABI_DOUBLEDOUBLE_H
