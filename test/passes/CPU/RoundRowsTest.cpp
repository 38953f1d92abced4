//===- RoundRowsTest.cpp - rounding of rows by blocks, bit for bit --------===//
//
// What docs/bits.md says of rounding to q8b32 and x24b32 (RowBlock.h), compared
// with the code of each target without a tolerance: blocks of all sizes and
// special values in each place.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/CPU/OneKernel.h"
#include "test/passes/Testing/RowBlock.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

namespace corellama::test {
namespace {

constexpr int64_t kRows = OneKernel::kRows, kColumns = 1024;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Blocks that begin with these values and are zero elsewhere.
std::vector<std::vector<float>> specialBlocks(float smallest) {
  return {
      {0.0f, -0.0f},
      {smallest, -smallest / 2},
      {std::nextafter(smallest, 0.0f)},
      {std::nextafter(smallest, 1.0f), smallest},
      {1e-40f, -1e-45f},
      {std::numeric_limits<float>::max(), -1e38f, 1.0f},
      {kInfinity, 1.0f},
      {1.0f, -kInfinity},
      {2.0f, kNaN, -3.0f},
      {2.0f, -kNaN},
      {-1.0f, 1.0f, std::nextafter(1.0f, 0.0f)},
      // Ties between quants.
      {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -126.5f},
      {254.0f, 1.0f, 3.0f, 5.0f, -253.0f},
      // d = 1 in fixed point, its largest integers, and 2 from the next number
      // on; ties between integers, and between digits.
      {8193532.0f, -8193531.0f, 8193531.5f, 0.5f, 1.5f, -2.5f, 4194303.5f},
      {std::nextafter(8193532.0f, kInfinity), 8193531.0f, 1.0f, 3.0f},
      {8388608.0f, 8388607.0f, 2.0f},
      {4096766.0f, 4096766.5f, 2048383.25f},
      {8000000.0f, 127.0f, -127.0f, 381.0f, 128.0f, -129.0f, 32258.0f,
       -32258.0f, 32259.0f, 96774.0f, 64516.0f, -64515.0f, 32385.0f,
       8161274.0f},
  };
}

class RoundRowsTest
    : public testing::TestWithParam<std::tuple<int, const char *>> {};

TEST_P(RoundRowsTest, GivesTheBitsOfTheFormula) {
  auto [digits, target] = GetParam();
  if (!hostHas(target))
    GTEST_SKIP() << "this machine does not run " << target;
  const std::string type = digits == 1 ? "!llama.q8b32" : "!llama.x24b32";
  std::string message;
  OneKernel kernel = OneKernel::make({target, type, kColumns,
                                      "    tile.round_rows %x, %rows[%c0, %c0] "
                                      "count %c3 : memref<3x1024xf32>, "
                                      "!tile.rows<3x1024x" +
                                          type + ">\n"},
                                     message);
  ASSERT_TRUE(kernel.module) << message;
  auto special = specialBlocks(digits == 1 ? 0x1p-119f : 0x1p-104f);
  float *x = kernel.floats();
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (int round = 0; round < 50; ++round) {
    for (int64_t i = 0; i < kRows * kColumns; ++i)
      x[i] =
          normal(random) * std::exp2(static_cast<float>(round % 10 * 12 - 60));
    if (round == 0)
      for (size_t block = 0; block < special.size(); ++block) {
        std::fill_n(x + 32 * block, 32, 0.0f);
        // The second half of a block counts as much as the first.
        std::copy(special[block].begin(), special[block].end(),
                  x + 32 * block + (block % 2 ? 16 : 0));
      }
    kernel.run();
    const uint8_t *record = kernel.rows();
    for (int64_t i = 0; i < kRows * kColumns / 32; ++i) {
      RowBlock expected = RowBlock::round(x + 32 * i, digits);
      std::vector<uint8_t> bytes(expected.recordBytes());
      expected.write(bytes.data());
      ASSERT_EQ(std::memcmp(record, bytes.data(), bytes.size()), 0)
          << "round " << round << " block " << i;
      record += bytes.size();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, RoundRowsTest,
                         testing::Combine(testing::Values(1, 3),
                                          testing::ValuesIn(kTargets)),
                         [](const auto &info) {
                           std::string name = std::get<0>(info.param) == 1
                                                  ? "q8b32_"
                                                  : "x24b32_";
                           name += std::get<1>(info.param);
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace corellama::test
