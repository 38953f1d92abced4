//===- DotBF16Test.cpp - products of bf16, bit for bit --------------------===//
//
// What docs/bits.md says of #cpu.dot_bf16, computed here and compared with
// kernels without a tolerance: random numbers, subnormal ones and those that
// are not finite, rows that end inside a block of columns. By the instruction
// where the machine has it, and by its expansion on every machine.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Packing.h"
#include "test/passes/CPU/OneKernel.h"
#include "test/passes/Testing/BufferPlaces.h"
#include "gtest/gtest.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <random>

namespace corellama::test {
namespace {

constexpr int64_t kRows = OneKernel::kRows, kColumns = 198;
constexpr int64_t kWeightRows = OneKernel::kWeightRows;
constexpr const char *kTarget = "znver4";

/// Zero in place of a subnormal number.
float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x;
}
float numberOf(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

float product(const uint16_t *x, const uint16_t *w) {
  float sum = 0;
  for (int64_t k = 0; k < kColumns; k += 2)
    for (int64_t c : {k + 1, k})
      sum = flush(std::fma(flush(numberOf(x[c])), flush(numberOf(w[c])), sum));
  return sum;
}

/// Whether the instruction is expanded.
class DotBF16Test : public testing::TestWithParam<bool> {
protected:
  void SetUp() override {
    std::string message;
    auto format = llama::BF16Attr::get(&kernelContext());
    auto layout = mlir::cast<llama::LayoutInterface>(
        mlir::Attribute(llama::Interleaved16Attr::getFor(format)));
    packer.emplace(llvm::cantFail(
        image::Packer::create(format, layout, kWeightRows, kColumns)));
    kernel = OneKernel::make({kTarget, "bf16", kColumns, R"mlir(
    %y = tile.buffer %ctx @x at 0 : memref<3x16xf32>
    %w = tile.weight %ctx @w : <16x198, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    %one = tile.contract %rows[%c0], %w[%c0] order <unit = #cpu.dot_bf16, block = 2> : <3x198xbf16>, !llama.weight<16x198, #llama.bf16> -> vector<1x16xf32>
    tile.store %one, %y[%c0, %c0] : vector<1x16xf32>, memref<3x16xf32>
    %two = tile.contract %rows[%c1], %w[%c0] order <unit = #cpu.dot_bf16, block = 2> : <3x198xbf16>, !llama.weight<16x198, #llama.bf16> -> vector<2x16xf32>
    tile.store %two, %y[%c1, %c0] : vector<2x16xf32>, memref<3x16xf32>
)mlir",
                              packer->bytes(), GetParam()},
                             message);
    ASSERT_TRUE(kernel.module) << message;
    EXPECT_EQ(kernel.expanded > 0, GetParam());
  }

  /// Rows and a weight of numbers that `draw` gives, multiplied.
  void check(llvm::function_ref<uint16_t()> draw, const std::string &what) {
    std::vector<uint16_t> x(kRows * kColumns), w(kWeightRows * kColumns);
    std::generate(x.begin(), x.end(), draw);
    std::generate(w.begin(), w.end(), draw);
    std::vector<uint8_t> source(w.size() * sizeof(w[0]));
    std::memcpy(source.data(), w.data(), source.size());
    packer->pack(0, packer->tileCount(), source,
                 {kernel.context->weights.data(), packer->bytes()});
    std::memcpy(kernel.rows(), x.data(), x.size() * sizeof(x[0]));
    kernel.run();
    for (int64_t i = 0; i < kRows; ++i)
      for (int64_t r = 0; r < kWeightRows; ++r) {
        float expected = product(&x[i * kColumns], &w[r * kColumns]);
        float got = kernel.floats()[i * kWeightRows + r];
        // Which NaN is not promised.
        ASSERT_TRUE(std::bit_cast<uint32_t>(got) ==
                        std::bit_cast<uint32_t>(expected) ||
                    (std::isnan(got) && std::isnan(expected)))
            << what << ": row " << i << " of x, row " << r << ": " << got
            << ", expected " << expected;
      }
  }

  std::optional<image::Packer> packer;
  OneKernel kernel;
  std::mt19937 random{2027};
};

TEST_P(DotBF16Test, GivesTheBitsOfTheFormula) {
  std::normal_distribution<float> normal;
  for (int round = 0; round < 8; ++round)
    ASSERT_NO_FATAL_FAILURE(check(
        [&] {
          return static_cast<uint16_t>(
              std::bit_cast<uint32_t>(normal(random) *
                                      std::exp2(4.0f * round)) >>
              16);
        },
        "random"));
}

TEST_P(DotBF16Test, SubnormalNumbersAreZeros) {
  // Products around 2^-126, and operands on both sides of it.
  for (int exponent : {1, 62, 64}) {
    std::uniform_int_distribution<int> exponents(std::max(0, exponent - 2),
                                                 exponent + 2),
        low(0, 127), sign(0, 1);
    ASSERT_NO_FATAL_FAILURE(check(
        [&] {
          return static_cast<uint16_t>(sign(random) << 15 |
                                       exponents(random) << 7 | low(random));
        },
        "subnormal, exponent " + std::to_string(exponent)));
  }
}

TEST_P(DotBF16Test, WhatIsNotFiniteShows) {
  std::uniform_int_distribution<int> any(0, 0xffff);
  ASSERT_NO_FATAL_FAILURE(
      check([&] { return static_cast<uint16_t>(any(random)); }, "any bits"));
}

/// The instruction where this machine has it.
std::vector<bool> expansions() {
  return hostHas(kTarget) ? std::vector{false, true} : std::vector{true};
}

INSTANTIATE_TEST_SUITE_P(Code, DotBF16Test, testing::ValuesIn(expansions()),
                         [](const auto &info) {
                           return info.param ? "expanded" : "instruction";
                         });

} // namespace
} // namespace corellama::test
