//===- RopeFrequenciesTest.cpp - powers against libm and the evaluator ----===//
//
// Tests compiler/Image/RopeFrequencies.h: inversePower against libm in long
// double, and the frequencies that an image holds against the formula of the
// float64 evaluator, with which they share no code.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/RopeFrequencies.h"
#include "ImageTesting.h"
#include "dialects/Llama/Reference/Formulas.h"
#include <bit>
#include <cmath>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::test;
using corellama::abi::DoubleDouble;
using corellama::abi::PairRotation;

namespace {

long double value(DoubleDouble x) {
  return static_cast<long double>(x.high) + x.low;
}

TEST(InversePower, IsThatOfLibm) {
  for (double base : {1.0, 1.5, 2.0, 9999.9, 1e4, 5e5, 1e6, 1e15, 1e30})
    for (uint64_t size : {2, 6, 20, 64, 80, 128, 256})
      for (uint64_t column = 0; column < size; column += 2) {
        long double expected =
            powl(base, -static_cast<long double>(column) / size);
        long double found = value(inversePower(base, column, size));
        // powl's exponent is rounded: an error of |exponent| * log(base) units.
        ASSERT_LE(fabsl(found - expected), expected * 80 * 0x1p-64L)
            << base << " " << column << " / " << size;
      }
}

TEST(InversePower, HasMoreDigitsThanLongDouble) {
  // Exact results of other kinds: 2^-1 and the square root of 1/2.
  DoubleDouble half = inversePower(4, 1, 2);
  EXPECT_EQ(half.high, 0.5);
  EXPECT_LE(std::fabs(half.low), 0x1p-95);
  DoubleDouble root = inversePower(2, 1, 2);
  DoubleDouble square = root * root + DoubleDouble{-0.5, 0};
  EXPECT_LE(std::fabs(square.high), 0x1p-95);
  DoubleDouble root3 = inversePower(10000, 1, 3);
  DoubleDouble cube =
      root3 * root3 * root3 * DoubleDouble{10000, 0} + DoubleDouble{-1, 0};
  EXPECT_LE(std::fabs(cube.high), 0x1p-90);
}

TEST(InversePower, BitsDoNotChange) {
  // Part of the bits of every program; made once, checked above to be accurate.
  uint64_t hash = 0xCBF29CE484222325u;
  for (double base : {1.0, 10000.0, 500000.0, 1e30})
    for (uint64_t size : {6, 64, 128})
      for (uint64_t column = 0; column < size; column += 2) {
        auto [high, low] = inversePower(base, column, size);
        for (double part : {high, low})
          hash = (hash ^ std::bit_cast<uint64_t>(part)) * 0x100000001B3u;
      }
  EXPECT_EQ(hash, 0x4a6b0ebed89346b1u);
}

/// How pairs turn in the image of a model whose table has this base and this
/// rotation, an attribute's text, or none.
std::vector<PairRotation> inImage(uint64_t headSize, double base,
                                  llvm::StringRef rotation = "") {
  SmallLlama small;
  small.headSize = headSize;
  PlannedModel model(small.builder());
  auto table = *model.module->getOps<llama::RopeTableOp>().begin();
  table.setBase(llvm::APFloat(base));
  if (!rotation.empty())
    table.setRotationAttr(mlir::cast<llama::RotationAttr>(
        mlir::parseAttribute(rotation, model.module->getContext())));
  ImagePlan plan = model.goodPlan();
  std::vector<uint8_t> bytes = model.write(plan);
  const corellama::abi::ImageRange &range = plan.header.frequencies;
  std::vector<PairRotation> frequencies(range.bytes / sizeof(PairRotation));
  memcpy(frequencies.data(), bytes.data() + range.offset, range.bytes);
  return frequencies;
}

TEST(RopeFrequencies, AreThoseOfTheEvaluator) {
  for (double base : {1.0, 1.5, 1e4, 5e5, 1e30})
    for (uint64_t headSize : {2, 6, 16, 64}) {
      std::vector<PairRotation> frequencies = inImage(headSize, base);
      ASSERT_EQ(frequencies.size(), headSize / 2);
      for (auto [pair, found] : llvm::enumerate(frequencies)) {
        double expected = llama::reference::ropeFrequency(
            {base, static_cast<int64_t>(headSize)}, pair);
        // The evaluator's exponent is rounded, and its power again: an error of
        // |log| units of float64, and one of libm's.
        double units = std::log(base) + 2;
        EXPECT_NEAR(found.frequency.high, expected, expected * units * 0x1p-53)
            << base << " " << pair << " of " << headSize;
      }
    }
}

TEST(RopeFrequencies, AnotherBaseIsAnotherImage) {
  EXPECT_NE(inImage(16, 1e4)[1].frequency.high,
            inImage(16, 1e5)[1].frequency.high);
}

/// Numbers of another implementation: modeling_rope_utils.py of PyPI's
/// `transformers` 5.24.0, whose functions `_compute_llama3_parameters`,
/// `_compute_yarn_parameters` and `_compute_linear_scaling_rope_parameters`
/// were run with numpy's float64 in place of torch's float32.
struct Recorded {
  const char *rotation;
  uint64_t headSize;
  double base, magnitude;
  std::vector<std::pair<size_t, double>> frequencies;
};

const Recorded kRecorded[] = {
    // Llama 3.1.
    {"#llama.rotation<rule = llama3, factor = 8.0, original = 8192, low = 1.0, "
     "high = 4.0>",
     128,
     5e5,
     1.0,
     {{0, 1.0},
      {1, 0.8146172338565447},
      {16, 0.03760603093086393},
      {21, 0.013490419890226748},
      {25, 0.005940730375674967},
      {32, 0.0005248461609929547},
      {38, 5.165906874818956e-05},
      {48, 6.647869871181236e-06},
      {63, 3.068925988914511e-07}}},
    // Qwen3 on 131,072 positions.
    {"#llama.rotation<rule = yarn, factor = 4.0, original = 32768, low = 1.0, "
     "high = 32.0>",
     128,
     1e6,
     1.138629436111989,
     {{0, 1.0},
      {1, 0.8058421877614819},
      {16, 0.03162277660168379},
      {21, 0.010746078283213174},
      {25, 0.004131738022518394},
      {32, 0.0006029411764705882},
      {38, 9.262301704129459e-05},
      {48, 7.905694150420949e-06},
      {63, 3.102344401879299e-07}}},
    // Two thirds of a head.
    {"#llama.rotation<dims = 64, rule = yarn, factor = 16.0, original = 4096, "
     "low = 2.0, high = 16.0>",
     96,
     1e4,
     1.2772588722239782,
     {{0, 1.0},
      {1, 0.7498942093324559},
      {8, 0.1},
      {10, 0.056234132519034905},
      {12, 0.03162277660168379},
      {16, 0.005833333333333334},
      {19, 0.0011420946967857437},
      {24, 6.25e-05},
      {31, 8.334508951020775e-06},
      {32, 0.0},
      {47, 0.0}}},
    {"#llama.rotation<rule = linear, factor = 2.5>",
     64,
     1e4,
     1.0,
     {{0, 0.4},
      {1, 0.29995768373298237},
      {8, 0.04},
      {16, 0.004},
      {24, 0.0004},
      {31, 5.3340857286532955e-05}}},
};

TEST(RopeFrequencies, ScaledOnesAreThoseOfTransformers) {
  for (const Recorded &recorded : kRecorded) {
    auto pairs = inImage(recorded.headSize, recorded.base, recorded.rotation);
    ASSERT_EQ(pairs.size(), recorded.headSize / 2);
    for (auto [pair, expected] : recorded.frequencies) {
      // Exponent, power and three more roundings of float64 on their side.
      double units = std::log(recorded.base) + 5;
      EXPECT_NEAR(pairs[pair].frequency.high, expected,
                  expected * units * 0x1p-53)
          << recorded.rotation << " " << pair;
      EXPECT_NEAR(pairs[pair].magnitude, expected == 0 ? 1 : recorded.magnitude,
                  0x1p-51)
          << recorded.rotation << " " << pair;
    }
  }
}

TEST(RopeFrequencies, ScaledOnesAreThoseOfTheEvaluator) {
  mlir::MLIRContext context;
  context.loadDialect<llama::LlamaDialect>();
  for (const char *text : {
           "#llama.rotation<dims = 8>",
           "#llama.rotation<magnitude = 1.5>",
           "#llama.rotation<factors = [1.0, 1.5, 3.0, 8.0, 8.0, 8.0, "
           "9.0, 10.0]>",
           "#llama.rotation<dims = 6, rule = linear, factor = 3.0, factors = "
           "[1.0, 2.0, 2.5]>",
           "#llama.rotation<rule = llama3, factor = 32.0, original = 100, low "
           "= "
           "1.0, high = 4.0>",
           "#llama.rotation<rule = yarn, factor = 7.0, original = 512, low = "
           "1.0, high = 32.0, magnitude = 0.75>",
       }) {
    auto attribute =
        mlir::cast<llama::RotationAttr>(mlir::parseAttribute(text, &context));
    auto rotation =
        llama::reference::toRotation(llvm::APFloat(1e4), attribute, 16);
    std::vector<PairRotation> pairs = inImage(16, 1e4, text);
    for (int64_t pair = 0; pair < 8; ++pair) {
      bool turns = 2 * pair < rotation.dims;
      double expected =
          turns ? llama::reference::ropeFrequency(rotation, pair) : 0;
      double magnitude = turns ? llama::reference::ropeMagnitude(rotation) : 1;
      EXPECT_NEAR(pairs[pair].frequency.high, expected, expected * 0x1p-49)
          << text << " " << pair;
      EXPECT_NEAR(pairs[pair].magnitude, magnitude, 0x1p-51) << text;
    }
  }
}

TEST(RopeFrequencies, ABaseOutsideOfTheRangeIsRefused) {
  PlannedModel model(SmallLlama().builder());
  auto table = *model.module->getOps<llama::RopeTableOp>().begin();
  for (double base : {0.5, 2e30, double(INFINITY)}) {
    table.setBase(llvm::APFloat(base));
    EXPECT_EQ(model.refusal(),
              "module: a RoPE base below 1 or above 1e30 cannot be computed");
  }
}

} // namespace
