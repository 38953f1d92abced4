//===- Rounding.cpp - float64 to narrower numbers and back ----------------===//
//
// See Rounding.h.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Rounding.h"
#include <algorithm>
#include <cmath>

using namespace corellama::llama::reference;

/// Rounds to `precision` significant bits, fewer below 2^minExponent (the
/// smallest normal number), as IEEE 754 types do.
static double roundToPrecision(double x, int precision, int minExponent,
                               double largest) {
  if (x == 0 || !std::isfinite(x))
    return x;
  // x = fraction * 2^exponent with 0.5 <= fraction < 1, so 2^(exponent - 1) is
  // the power of two at or below x.
  int exponent;
  std::frexp(x, &exponent);
  double unit =
      std::ldexp(1.0, std::max(exponent - 1, minExponent) - (precision - 1));
  // Exact: unit is a power of two. nearbyint takes ties to even.
  double rounded = std::nearbyint(x / unit) * unit;
  return std::fabs(rounded) > largest ? std::copysign(INFINITY, x) : rounded;
}

double corellama::llama::reference::roundTo(Number number, double x) {
  if (number == Number::Exact)
    return x;
  double single = static_cast<float>(x);
  switch (number) {
  case Number::F16:
    return roundToPrecision(single, 11, -14, 65504.0);
  case Number::BF16:
    return roundToPrecision(single, 8, -126, std::ldexp(255.0, 120));
  default:
    return single;
  }
}

void corellama::llama::reference::roundToQ8B32(
    llvm::MutableArrayRef<double> row) {
  for (size_t begin = 0; begin < row.size(); begin += 32) {
    // The zeros that pad the last block change neither amax nor other quants.
    auto block = row.slice(begin, std::min<size_t>(32, row.size() - begin));
    float amax = 0;
    bool finite = true;
    for (double x : block) {
      float value = static_cast<float>(x);
      finite &= std::isfinite(value);
      amax = std::max(amax, std::fabs(value));
    }
    if (!finite || amax < std::ldexp(1.0f, -119)) {
      std::fill(block.begin(), block.end(), finite ? 0.0 : NAN);
      continue;
    }
    float scale = amax / 127.0f, inverse = 127.0f / amax;
    for (double &x : block) {
      float quant = std::nearbyint(static_cast<float>(x) * inverse);
      x = static_cast<double>(scale) * static_cast<double>(quant);
    }
  }
}
