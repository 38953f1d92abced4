//===- DotU8S8Test.cpp - products of bytes, bit for bit -------------------===//
//
// What docs/bits.md says of products of q8b32 and x24b32, compared with kernels
// without a tolerance (ByteProduct.h): every format of quants, at random and at
// the extremes of quants and rows, in the code of each instruction set.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/ByteProduct.h"

namespace corellama::test {
namespace {

class DotU8S8Test : public ByteProduct {
protected:
  void compare(const ImageWeight &weight, llvm::ArrayRef<RoundedRow> rows,
               const std::string &what) {
    ASSERT_EQ(differenceOf(weight, rows), "") << what;
  }
  void compareRandom() {
    compare(weight(), randomRows(static_cast<size_t>(tileRows)), "random");
  }
  void compareExtremes();
};

TEST_P(DotU8S8Test, GivesTheBitsOfTheFormula) {
  for (int round = 0; round < 4; ++round)
    ASSERT_NO_FATAL_FAILURE(compareRandom());
}

TEST_P(DotU8S8Test, NothingSaturatesAtTheExtremes) { compareExtremes(); }

void DotU8S8Test::compareExtremes() {
  ImageWeight changed = weight();
  std::vector<RoundedRow> x = {
      rowOf([](int64_t) { return 127; }), rowOf([](int64_t) { return -127; }),
      rowOf([](int64_t c) { return c / 2 % 2 ? 127 : -127; })};
  while (static_cast<int64_t>(x.size()) < tileRows)
    x.push_back(x[x.size() - 3]);
  struct {
    const char *name;
    bool (*isLargest)(int64_t, int64_t);
  } patterns[] = {
      {"largest quants", [](int64_t, int64_t) { return true; }},
      {"smallest quants", [](int64_t, int64_t) { return false; }},
      {"quants with the row",
       [](int64_t, int64_t c) { return c / 2 % 2 == 1; }},
      {"quants against it", [](int64_t, int64_t c) { return c / 2 % 2 == 0; }},
      {"blocks in turn",
       [](int64_t r, int64_t c) { return (c / 32 + r) % 2 == 0; }},
  };
  for (const auto &pattern : patterns) {
    changed.setQuants(pattern.isLargest);
    ASSERT_NO_FATAL_FAILURE(compare(changed, x, pattern.name));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, DotU8S8Test,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kByteForms)),
    nameOfModel);

/// Rows of x24b32.
class DotDigitsTest : public DotU8S8Test {
protected:
  DotDigitsTest() { digits = 3; }
};

TEST_P(DotDigitsTest, GivesTheBitsOfTheFormula) {
  for (int round = 0; round < 4; ++round)
    ASSERT_NO_FATAL_FAILURE(compareRandom());
  compareExtremes();
}

INSTANTIATE_TEST_SUITE_P(
    Formats, DotDigitsTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kByteForms)),
    nameOfModel);

/// Tiles of 16 rows, by matrices.
class ByteMatrixTest : public DotU8S8Test {
protected:
  ByteMatrixTest() { tileRows = 16; }
};

TEST_P(ByteMatrixTest, GivesTheBitsOfTheFormula) {
  ASSERT_NO_FATAL_FAILURE(compareRandom());
  compareExtremes();
}

INSTANTIATE_TEST_SUITE_P(
    Formats, ByteMatrixTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::Values("sapphirerapids")),
    nameOfModel);

/// The same panels without matrices: bytes, or with vpmaddubsw their halves.
class BytePanelTest : public ByteMatrixTest {};

TEST_P(BytePanelTest, GivesTheBitsOfTheFormula) {
  ASSERT_NO_FATAL_FAILURE(compareRandom());
  compareExtremes();
}

INSTANTIATE_TEST_SUITE_P(
    Formats, BytePanelTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::Values("x86-64-v3")),
    nameOfModel);

/// 16 rows of x24b32: by matrices.
class DigitMatrixTest : public ByteMatrixTest {
protected:
  DigitMatrixTest() { digits = 3; }
};

TEST_P(DigitMatrixTest, GivesTheBitsOfTheFormula) {
  ASSERT_NO_FATAL_FAILURE(compareRandom());
  compareExtremes();
}

INSTANTIATE_TEST_SUITE_P(
    Formats, DigitMatrixTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::Values("sapphirerapids")),
    nameOfModel);

/// The same without matrices: as many rows at once as registers hold the sums
/// of.
class DigitTileTest : public DigitMatrixTest {};

TEST_P(DigitTileTest, GivesTheBitsOfTheFormula) {
  ASSERT_NO_FATAL_FAILURE(compareRandom());
  compareExtremes();
}

// Those whose quants are in several planes, which have panels there.
INSTANTIATE_TEST_SUITE_P(Formats, DigitTileTest,
                         testing::Combine(testing::Values<size_t>(6, 7, 10, 12),
                                          testing::Values("x86-64-v3",
                                                          "znver4")),
                         nameOfModel);

} // namespace
} // namespace corellama::test
