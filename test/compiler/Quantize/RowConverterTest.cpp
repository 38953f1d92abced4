//===- RowConverterTest.cpp - numbers in another format, by hand ----------===//
//
// What each rounding does at its edges; `test_quantize.py` compares thousands
// of rows with the PyPI package `gguf`.
//
//===----------------------------------------------------------------------===//

#include "compiler/Quantize/RowConverter.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace corellama;
using namespace corellama::quantize;

namespace {

using Bytes = std::vector<uint8_t>;

const llama::FormatFacts &format(llvm::StringRef name) {
  return *llama::findFormat(name);
}

template <typename T> Bytes bytesOf(const std::vector<T> &values) {
  const auto *first = reinterpret_cast<const uint8_t *>(values.data());
  return {first, first + values.size() * sizeof(T)};
}

Bytes convert(llvm::StringRef from, llvm::StringRef to, const Bytes &row) {
  size_t columns = row.size() / format(from).blockBytes;
  Bytes out(columns / format(to).block * format(to).blockBytes);
  EXPECT_FALSE(RowConverter(format(from), format(to)).convert(row, out));
  return out;
}

uint16_t toHalf(float x) {
  Bytes out = convert("f32", "f16", bytesOf<float>({x}));
  return static_cast<uint16_t>(out[0] | out[1] << 8);
}

TEST(RowConverter, HalvesAreRoundedToNearestEven) {
  EXPECT_EQ(toHalf(1), 0x3c00);
  EXPECT_EQ(toHalf(-0.0f), 0x8000);
  EXPECT_EQ(toHalf(1 + 0x1p-11f), 0x3c00);     // a tie, down
  EXPECT_EQ(toHalf(1 + 3 * 0x1p-11f), 0x3c02); // a tie, up
  EXPECT_EQ(toHalf(0x1p-24f), 0x0001);
  EXPECT_EQ(toHalf(0x1p-25f), 0x0000);
  EXPECT_EQ(toHalf(0x1.000002p-25f), 0x0001);
  EXPECT_EQ(toHalf(-0x1.fffp-15f), 0x8400); // up to 2^-14
  EXPECT_EQ(toHalf(65519.996f), 0x7bff);
  EXPECT_EQ(toHalf(65520), 0x7c00);
  EXPECT_EQ(toHalf(-std::numeric_limits<float>::max()), 0xfc00);
}

TEST(RowConverter, EveryHalfIsWidenedExactly) {
  for (uint32_t bits = 0; bits < 0x8000; ++bits) {
    if ((bits & 0x7c00) == 0x7c00)
      continue;
    double expected = bits & 0x7c00
                          ? std::ldexp(1024 + (bits & 1023), (bits >> 10) - 25)
                          : std::ldexp(bits, -24);
    for (uint32_t sign : {0u, 0x8000u}) {
      Bytes out =
          convert("f16", "f32",
                  bytesOf<uint16_t>({static_cast<uint16_t>(bits | sign)}));
      float value;
      memcpy(&value, out.data(), sizeof(value));
      ASSERT_EQ(value, sign ? -expected : expected) << bits;
      // And back.
      ASSERT_EQ(convert("f32", "f16", out),
                bytesOf<uint16_t>({static_cast<uint16_t>(bits | sign)}));
    }
  }
}

TEST(RowConverter, BlocksByHand) {
  std::vector<float> row(32, 0.0f);
  // Zeros: the scale is 0 / 127, 0 / -8, and (0 - 0) / 15.
  Bytes q8(34), q4(18, 0x88), q41(20);
  q4[0] = 0, q4[1] = 0x80;
  EXPECT_EQ(convert("f32", "q8_0", bytesOf(row)), q8);
  EXPECT_EQ(convert("f32", "q4_0", bytesOf(row)), q4);
  EXPECT_EQ(convert("f32", "q4_1", bytesOf(row)), q41);
  // Q8_0: the scale is 1; halves go away from zero.
  row[0] = 127, row[1] = 0.5f, row[2] = -0.5f, row[3] = -2.5f, row[4] = 0.49f;
  Bytes out = convert("f32", "q8_0", bytesOf(row));
  EXPECT_EQ(Bytes(out.begin(), out.begin() + 7),
            (Bytes{0x00, 0x3c, 127, 1, 0xff, 0xfd, 0}));
  // Q4_0: the first of the largest gives the scale its sign, -8 / -8.
  row.assign(32, 0.0f);
  row[3] = -8, row[20] = 8;
  out = convert("f32", "q4_0", bytesOf(row));
  EXPECT_EQ(out[1], 0x3c);
  EXPECT_EQ(out[2 + 3], 0x80);
  EXPECT_EQ(out[2 + 4], 0xf8); // 16 is cut to 15
  // Q4_1: from -1 to 14, the scale is 1.
  row[3] = -1, row[20] = 14;
  out = convert("f32", "q4_1", bytesOf(row));
  EXPECT_EQ(Bytes(out.begin(), out.begin() + 4),
            (Bytes{0x00, 0x3c, 0x00, 0xbc}));
  EXPECT_EQ(out[4 + 3], 0x10);
  EXPECT_EQ(out[4 + 4], 0xf1);
}

TEST(RowConverter, NumbersThatAreNotFiniteAreNamed) {
  std::vector<float> row(4096, 1.0f);
  Bytes out(4096 / 32 * 18);
  RowConverter converter(format("f32"), format("q4_0"));
  EXPECT_FALSE(converter.convert(bytesOf(row), out));
  row[3000] = std::numeric_limits<float>::infinity();
  row[3001] = std::numeric_limits<float>::quiet_NaN();
  auto bad = converter.convert(bytesOf(row), out);
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->column, 3000u);
  EXPECT_FALSE(bad->isNaN);
  row[2999] = row[3001];
  bad = converter.convert(bytesOf(row), out);
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->column, 2999u);
  EXPECT_TRUE(bad->isNaN);
}

TEST(RowConverter, PlainNumbersAreSources) {
  for (const llama::FormatFacts &facts : llama::allFormats())
    EXPECT_EQ(isSource(facts), facts.block == 1) << facts.name.str();
}

} // namespace
