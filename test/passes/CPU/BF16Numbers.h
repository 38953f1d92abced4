//===- BF16Numbers.h - what tests of products of bf16 share ---------------===//
//
// Numbers to multiply, as bits of bf16, how kernels get them, and when a result
// is the one that the formula gives.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CPU_BF16NUMBERS_H
#define CORELLAMA_TEST_PASSES_CPU_BF16NUMBERS_H

#include "compiler/Image/Packing.h"
#include "test/passes/CPU/OneKernel.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

namespace corellama::test {

/// Zero in place of a subnormal number.
inline float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}
inline float numberOf(uint16_t bits) {
  return flush(std::bit_cast<float>(static_cast<uint32_t>(bits) << 16));
}

/// Which NaN is not promised.
inline bool isSame(float got, float expected) {
  return std::bit_cast<uint32_t>(got) == std::bit_cast<uint32_t>(expected) ||
         (std::isnan(got) && std::isnan(expected));
}

/// A normal number times `scale`.
inline uint16_t drawNormal(std::mt19937 &random, float scale) {
  std::normal_distribution<float> normal;
  return static_cast<uint16_t>(
      std::bit_cast<uint32_t>(normal(random) * scale) >> 16);
}
/// With an exponent of at most two from `exponent`.
inline uint16_t drawNear(std::mt19937 &random, int exponent) {
  std::uniform_int_distribution<int> exponents(std::max(0, exponent - 2),
                                               exponent + 2),
      low(0, 127), sign(0, 1);
  return static_cast<uint16_t>(sign(random) << 15 | exponents(random) << 7 |
                               low(random));
}

/// Runs the kernel on these rows and this weight.
inline void multiply(OneKernel &kernel, image::Packer &packer,
                     llvm::ArrayRef<uint16_t> x, llvm::ArrayRef<uint16_t> w) {
  std::vector<uint8_t> source(w.size() * sizeof(w[0]));
  std::memcpy(source.data(), w.data(), source.size());
  packer.pack(0, packer.tileCount(), source,
              {kernel.context->weights.data(), packer.bytes()});
  std::memcpy(kernel.rows(), x.data(), x.size() * sizeof(x[0]));
  kernel.run();
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CPU_BF16NUMBERS_H
