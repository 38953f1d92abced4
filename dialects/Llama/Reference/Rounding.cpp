//===- Rounding.cpp - float64 to narrower numbers and back ----------------===//
//
// See Rounding.h.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Rounding.h"
#include "llvm/ADT/APFloat.h"
#include <algorithm>
#include <cmath>

using namespace corellama::llama::reference;

double corellama::llama::reference::roundTo(Number number, double x) {
  if (number == Number::Exact)
    return x;
  llvm::APFloat rounded(static_cast<float>(x));
  bool losesInfo;
  if (number != Number::F32)
    rounded.convert(number == Number::F16 ? llvm::APFloat::IEEEhalf()
                                          : llvm::APFloat::BFloat(),
                    llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return rounded.convertToDouble();
}

/// Calls `round` with each block of 32 and its largest magnitude. A block with
/// a value that is no number is NaN, one whose largest is below `least` zero.
static void forBlocks(
    llvm::MutableArrayRef<double> row, float least,
    llvm::function_ref<void(llvm::MutableArrayRef<double>, float)> round) {
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
    if (!finite || amax < least)
      std::fill(block.begin(), block.end(), finite ? 0.0 : NAN);
    else
      round(block, amax);
  }
}

/// Blocks as quants of 8 bits times a scale, which is of type `kept`.
static void roundBlocks(llvm::MutableArrayRef<double> row, Number kept) {
  forBlocks(row, std::ldexp(1.0f, -119),
            [&](llvm::MutableArrayRef<double> block, float amax) {
              float scale = amax / 127.0f, inverse = 127.0f / amax;
              for (double &x : block) {
                float quant = std::nearbyint(static_cast<float>(x) * inverse);
                x = roundTo(kept, scale) * static_cast<double>(quant);
              }
            });
}

void corellama::llama::reference::roundToQ8B32(
    llvm::MutableArrayRef<double> row) {
  roundBlocks(row, Number::F32);
}

void corellama::llama::reference::roundToX24B32(
    llvm::MutableArrayRef<double> row) {
  constexpr double kLargest = 127 * 254 * 254;
  forBlocks(row, std::ldexp(1.0f, -104),
            [&](llvm::MutableArrayRef<double> block, float amax) {
              int exponent = std::ilogb(amax) - 23;
              while (amax > std::ldexp(kLargest, exponent))
                ++exponent;
              for (double &x : block) {
                double single = static_cast<float>(x);
                double integer = std::nearbyint(std::ldexp(single, -exponent));
                x = std::ldexp(integer, exponent);
              }
            });
}

void corellama::llama::reference::roundToQ8_0(
    llvm::MutableArrayRef<double> row) {
  roundBlocks(row, Number::F16);
}
