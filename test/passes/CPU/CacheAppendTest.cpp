//===- CacheAppendTest.cpp - what the cache holds, bit for bit ------------===//
//
// Rows are appended to keys and to values of each type, and every byte is
// compared with what docs/bits.md says, computed here: random numbers of all
// sizes, the middle between two, subnormal ones and those that are not finite.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/CPU/OneKernel.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace corellama::test {
namespace {

constexpr int64_t kRows = OneKernel::kRows, kSize = 32;
/// Of the first row: in the second group of 16 positions, the last row in the
/// third.
constexpr int64_t kPosition = 30;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

uint16_t toHalf(float x) {
  llvm::APFloat number(x);
  bool losesInfo;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}
uint16_t toBF16(float x) {
  llvm::APFloat number(x);
  bool losesInfo;
  number.convert(llvm::APFloat::BFloat(), llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

/// Which NaN is not promised.
uint16_t sameNaN(uint16_t bits, int mantissaBits) {
  uint16_t infinity = 0x7fff >> mantissaBits << mantissaBits;
  return (bits & 0x7fff) > infinity ? 0x7fff : bits;
}

class CacheAppendTest
    : public testing::TestWithParam<std::tuple<const char *, const char *>> {
protected:
  void SetUp() override {
    auto [target, type] = GetParam();
    if (!hostHas(target))
      GTEST_SKIP() << "this machine does not run " << target;
    std::string cache = std::string("<1x1x32, ") + type + ">", message;
    kernel = OneKernel::make(
        {target, "f32", kSize,
         R"mlir(
    %kv = tile.cache %ctx[%c0] : )mlir" +
             cache +
             R"mlir( keys #llama.keys_interleaved16 values #llama.rowmajor
    %v = tile.load %x[%c0, %c0] : memref<3x32xf32> -> vector<3x32xf32>
    tile.append "keys" %v, %kv, %ctx[%c0, %c0] rows %c3 : vector<3x32xf32>, )mlir" +
             cache + R"mlir(
    tile.append "values" %v, %kv, %ctx[%c0, %c0] rows %c3 : vector<3x32xf32>, )mlir" +
             cache + "\n",
         /*weightBytes=*/0, /*alwaysExpand=*/false,
         /*cacheBytes=*/abi::kCacheBlock * kSize * 4},
        message);
    ASSERT_TRUE(kernel.module) << message;
    kernel.context->setRows(kRows, kPosition);
  }

  /// Appends rows of numbers that `draw` gives.
  void check(llvm::function_ref<float()> draw, const std::string &what) {
    std::vector<float> x(kRows * kSize);
    std::generate(x.begin(), x.end(), draw);
    std::copy(x.begin(), x.end(), kernel.floats());
    kernel.run();
    for (int64_t row = 0; row < kRows; ++row)
      for (int64_t e = 0; e < kSize; ++e)
        for (bool keys : {true, false})
          ASSERT_NO_FATAL_FAILURE(
              checkElement(&x[row * kSize], kPosition + row, e, keys))
              << what << ", " << (keys ? "key " : "value ") << row
              << ", element " << e << ": " << x[row * kSize + e];
  }

  /// The number at index `at` of the keys or the values.
  template <typename T> T numberAt(bool keys, int64_t at) {
    T number;
    const AlignedBytes &bytes =
        keys ? kernel.context->keys : kernel.context->values;
    std::memcpy(&number, bytes.data() + at * sizeof(T), sizeof(T));
    return number;
  }

  void checkElement(const float *row, int64_t position, int64_t e, bool keys) {
    std::string type = std::get<1>(GetParam());
    int64_t at = keys ? position / 16 * 16 * kSize + e * 16 + position % 16
                      : position * kSize + e;
    if (type == "f32") {
      EXPECT_EQ(numberAt<uint32_t>(keys, at), std::bit_cast<uint32_t>(row[e]));
    } else if (type == "f16") {
      ASSERT_EQ(sameNaN(numberAt<uint16_t>(keys, at), 10),
                sameNaN(toHalf(row[e]), 10));
    } else if (type == "bf16") {
      ASSERT_EQ(sameNaN(numberAt<uint16_t>(keys, at), 7),
                sameNaN(toBF16(row[e]), 7));
    } else {
      // 34 bytes a position: scales before quants, of 16 positions or of one.
      int64_t block = 34 * (keys ? position / 16 * 16 : position);
      int64_t lane = keys ? position % 16 : 0, step = keys ? 16 : 1;
      float amax = 0;
      bool isFinite = true;
      for (int64_t k = 0; k < kSize; ++k) {
        isFinite &= std::isfinite(row[k]);
        amax = std::max(amax, std::abs(row[k]));
      }
      bool isUsual = isFinite && amax >= 0x1p-119f;
      float scale = isUsual ? amax / 127.0f : isFinite ? 0.0f : kNaN;
      float inverse = 127.0f / amax;
      int quant =
          isUsual ? static_cast<int>(std::nearbyint(row[e] * inverse)) : 0;
      ASSERT_EQ(sameNaN(numberAt<uint16_t>(keys, block / 2 + lane), 10),
                sameNaN(toHalf(scale), 10));
      ASSERT_EQ(numberAt<int8_t>(keys, block + 2 * step + e * step + lane),
                quant);
    }
  }

  OneKernel kernel;
  std::mt19937 random{2028};
};

TEST_P(CacheAppendTest, RoundsAsTheFormulaSays) {
  std::normal_distribution<float> normal;
  // From below the smallest scale to beyond the largest half and bf16.
  for (int exponent : {-140, -126, -119, -20, 0, 15, 16, 23, 126})
    ASSERT_NO_FATAL_FAILURE(
        check([&] { return std::ldexp(normal(random), exponent); },
              "exponent " + std::to_string(exponent)));
}

TEST_P(CacheAppendTest, HalvesGoToTheEvenNumber) {
  // Few bits behind the last that f16, bf16, or a quant of scale 1 keeps.
  std::uniform_int_distribution<int> draw(-254, 254), bits(0, 3), last(0, 7);
  ASSERT_NO_FATAL_FAILURE(check([&] { return draw(random) / 2.0f; }, "quants"));
  for (int kept : {7, 10})
    ASSERT_NO_FATAL_FAILURE(check(
        [&] {
          int mantissa = (last(random) << 2 | bits(random)) << (21 - kept);
          return std::bit_cast<float>(uint32_t(127 << 23 | mantissa));
        },
        "mantissa of " + std::to_string(kept)));
}

TEST_P(CacheAppendTest, NumbersThatAreNotFinite) {
  std::normal_distribution<float> normal;
  for (float special : {kNaN, -kNaN, kInfinity, -kInfinity,
                        std::numeric_limits<float>::max()}) {
    int64_t i = 0;
    ASSERT_NO_FATAL_FAILURE(
        check([&] { return ++i % 32 == 7 ? special : normal(random); },
              std::to_string(special)));
  }
  // A NaN whose upper half has no bit of the mantissa.
  ASSERT_NO_FATAL_FAILURE(
      check([&] { return std::bit_cast<float>(0x7f800001u); }, "a low NaN"));
  ASSERT_NO_FATAL_FAILURE(check([] { return -0.0f; }, "zero"));
}

INSTANTIATE_TEST_SUITE_P(Types, CacheAppendTest,
                         testing::Combine(testing::ValuesIn(kTargets),
                                          testing::Values("f32", "f16", "bf16",
                                                          "q8_0")),
                         [](const auto &info) {
                           std::string name = std::get<0>(info.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + "_" + std::get<1>(info.param);
                         });

} // namespace
} // namespace corellama::test
