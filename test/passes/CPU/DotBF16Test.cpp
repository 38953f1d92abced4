//===- DotBF16Test.cpp - products of bf16, bit for bit --------------------===//
//
// What docs/bits.md says of #cpu.dot_bf16, computed here and compared with
// kernels without a tolerance: random numbers, subnormal ones and those that
// are not finite, rows that end inside a block of columns. By the instruction
// where the machine has it, and by its expansion on every machine.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/BF16Numbers.h"
#include "test/passes/Testing/BufferPlaces.h"
#include "gtest/gtest.h"

namespace corellama::test {
namespace {

constexpr int64_t kRows = OneKernel::kRows, kColumns = 198;
constexpr int64_t kWeightRows = OneKernel::kWeightRows;
constexpr const char *kTarget = "znver4";

float product(const uint16_t *x, const uint16_t *w) {
  float sum = 0;
  for (int64_t k = 0; k < kColumns; k += 2)
    for (int64_t c : {k + 1, k})
      sum = flush(std::fma(numberOf(x[c]), numberOf(w[c]), sum));
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
    multiply(kernel, *packer, x, w);
    for (int64_t i = 0; i < kRows; ++i)
      for (int64_t r = 0; r < kWeightRows; ++r) {
        float expected = product(&x[i * kColumns], &w[r * kColumns]);
        float got = kernel.floats()[i * kWeightRows + r];
        ASSERT_TRUE(isSame(got, expected))
            << what << ": row " << i << " of x, row " << r << ": " << got
            << ", expected " << expected;
      }
  }

  std::optional<image::Packer> packer;
  OneKernel kernel;
  std::mt19937 random{2027};
};

TEST_P(DotBF16Test, GivesTheBitsOfTheFormula) {
  for (int round = 0; round < 8; ++round)
    ASSERT_NO_FATAL_FAILURE(check(
        [&] { return drawNormal(random, std::exp2(4.0f * round)); }, "random"));
}

TEST_P(DotBF16Test, SubnormalNumbersAreZeros) {
  // Products around 2^-126, and operands on both sides of it.
  for (int exponent : {1, 62, 64}) {
    ASSERT_NO_FATAL_FAILURE(
        check([&] { return drawNear(random, exponent); },
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
