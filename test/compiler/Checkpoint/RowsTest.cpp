//===- RowsTest.cpp - stored rows as the graph has them -------------------===//
//
// P by hand, and rows read through it: of whole matrices, of parts, of vectors
// that are widened.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Rows.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <cstring>
#include <limits>
#include <numeric>
#include <set>

using namespace corellama::checkpoint;

namespace {

constexpr auto kBF16 = static_cast<TensorType>(30);
constexpr auto kF16 = static_cast<TensorType>(1);

using Bytes = std::vector<uint8_t>;

ModelConfig configOf(uint64_t headSize) {
  ModelConfig config;
  config.headSize = config.rotated = headSize;
  return config;
}

TensorInfo matrixOf(TensorType type, uint64_t rows, uint64_t columns) {
  TensorInfo info = {};
  info.type = info.storedType = type;
  info.rows = rows;
  info.columns = columns;
  info.bytes = *byteSize(type, rows, columns);
  info.id.role = Role::AttnQ;
  return info;
}

Bytes counted(uint64_t count) {
  Bytes bytes(count);
  std::iota(bytes.begin(), bytes.end(), 0);
  return bytes;
}

TEST(Rows, PairsOfAHalfSplitHeadBecomeNeighbours) {
  // Two heads of 6: (0, 3), (1, 4), (2, 5), and the same six rows later.
  const uint64_t whole[] = {0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11};
  // The last two rows of each head are not turned.
  const uint64_t partial[] = {0, 2, 1, 3, 4, 5, 6, 8, 7, 9, 10, 11};
  for (uint64_t row = 0; row < 12; ++row) {
    EXPECT_EQ(halfSplitRow(row, 6, 6), whole[row]);
    EXPECT_EQ(halfSplitRow(row, 6, 4), partial[row]);
    EXPECT_EQ(halfSplitRow(row, 6, 0), row);
  }
}

TEST(Rows, EveryRowIsUsedOnce) {
  for (uint64_t headSize : {2, 64, 100, 128}) {
    std::set<uint64_t> rows;
    for (uint64_t row = 0; row < 3 * headSize; ++row)
      rows.insert(halfSplitRow(row, headSize, headSize));
    EXPECT_EQ(rows.size(), 3 * headSize);
    EXPECT_EQ(*rows.rbegin(), 3 * headSize - 1);
  }
}

TEST(Rows, InOrderAreAView) {
  TensorInfo info = matrixOf(TensorType::F32, 6, 2);
  Bytes stored = counted(info.bytes), scratch;
  llvm::ArrayRef<uint8_t> rows =
      llvm::cantFail(readRows(info, stored, configOf(6), 2, 3, scratch));
  EXPECT_EQ(rows.data(), stored.data() + 16);
  EXPECT_EQ(rows.size(), 24u);
  EXPECT_TRUE(scratch.empty());
}

TEST(Rows, OfAPartAreThoseOfTheWhole) {
  TensorInfo info = matrixOf(kBF16, 12, 4);
  info.order = RowOrder::HalfSplit;
  Bytes stored = counted(info.bytes), scratch;
  Bytes all =
      llvm::cantFail(readRows(info, stored, configOf(6), 0, 12, scratch));
  ASSERT_EQ(all.size(), 12u * 8);
  for (uint64_t row = 0; row < 12; ++row) {
    EXPECT_EQ(all[row * 8], halfSplitRow(row, 6, 6) * 8);
    EXPECT_EQ(all[row * 8 + 7], halfSplitRow(row, 6, 6) * 8 + 7);
  }
  for (uint64_t first = 0; first < 12; ++first) {
    llvm::ArrayRef<uint8_t> part = llvm::cantFail(
        readRows(info, stored, configOf(6), first, 12 - first, scratch));
    EXPECT_EQ(part, llvm::ArrayRef(all).drop_front(first * 8));
  }
}

TEST(Rows, AreRoundedInTheGraphsOrder) {
  // Q8_0 of 32 equal numbers is 127 times a scale.
  TensorInfo info = matrixOf(TensorType::F32, 6, 32);
  info.type = *toTensorType(8);
  info.isRounded = true;
  info.order = RowOrder::HalfSplit;
  Bytes stored(info.bytes), scratch;
  std::vector<float> numbers(6 * 32);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = 127.0f * static_cast<float>(1 << i / 32);
  memcpy(stored.data(), numbers.data(), stored.size());
  llvm::ArrayRef<uint8_t> rows =
      llvm::cantFail(readRows(info, stored, configOf(6), 1, 5, scratch));
  ASSERT_EQ(rows.size(), 5u * 34);
  for (uint64_t row = 1; row < 6; ++row) {
    // 2^n as a half.
    EXPECT_EQ(rows[(row - 1) * 34 + 1], 0x3c + 4 * halfSplitRow(row, 6, 6));
    EXPECT_EQ(rows[(row - 1) * 34 + 2], 127);
  }
  // The place of what cannot be rounded is the file's.
  numbers[1 * 32 + 7] = std::numeric_limits<float>::infinity();
  memcpy(stored.data(), numbers.data(), stored.size());
  auto bad = readRows(info, stored, configOf(6), 0, 6, scratch);
  ASSERT_FALSE(static_cast<bool>(bad));
  EXPECT_EQ(llvm::toString(bad.takeError()),
            "row 1, column 7 is infinite, expected a finite number; compile it "
            "without --quantize, or repair the checkpoint");
}

// --quantize checks what is in its format already, and changes no bit of it.
TEST(Rows, RoundedNumbersThatKeepTheirFormatAreFinite) {
  for (auto [type, isNaN, infinity] :
       {std::tuple(kF16, 0x7E01, 0xFC00), std::tuple(kBF16, 0x7FC1, 0xFF80)}) {
    TensorInfo info = matrixOf(type, 2, 4);
    info.isRounded = true;
    uint16_t numbers[] = {0x0001, 0x8000, 0x3C01, 0xFBFF, 0x03FF, 0, 1, 2};
    llvm::ArrayRef<uint8_t> stored(reinterpret_cast<uint8_t *>(numbers),
                                   sizeof(numbers));
    Bytes scratch;
    EXPECT_EQ(
        llvm::cantFail(readRows(info, stored, configOf(2), 0, 2, scratch)),
        stored);
    for (auto [bits, what] :
         {std::pair(isNaN, "NaN"), std::pair(infinity, "infinite")}) {
      numbers[6] = static_cast<uint16_t>(bits);
      auto bad = readRows(info, stored, configOf(2), 0, 2, scratch);
      ASSERT_FALSE(static_cast<bool>(bad));
      EXPECT_EQ(llvm::toString(bad.takeError()),
                std::string("row 1, column 2 is ") + what +
                    ", expected a finite number; compile it without "
                    "--quantize, or repair the checkpoint");
    }
  }
}

/// The f32 numbers of a vector with these 16-bit ones.
std::vector<float> widened(TensorType type, std::vector<uint16_t> halves,
                           RowOrder order = RowOrder::Pairs) {
  TensorInfo info = matrixOf(type, 1, halves.size());
  info.type = TensorType::F32;
  info.id.role = Role::AttnNorm;
  info.order = order;
  Bytes scratch;
  llvm::ArrayRef<uint8_t> read = llvm::cantFail(readRows(
      info,
      {reinterpret_cast<const uint8_t *>(halves.data()), 2 * halves.size()},
      configOf(halves.size()), 0, 1, scratch));
  std::vector<float> numbers(halves.size());
  EXPECT_EQ(read.size(), 4 * halves.size());
  memcpy(numbers.data(), read.data(), read.size());
  return numbers;
}

TEST(Rows, VectorsAreWidenedExactly) {
  EXPECT_EQ(widened(kBF16, {0x3F80, 0xC049, 0x0001, 0x7F7F}),
            (std::vector<float>{1.0f, -3.140625f, 0x1p-133f, 0x1.FEp127f}));
  EXPECT_EQ(widened(kF16, {0x3C00, 0xC248, 0x0001, 0x7BFF}),
            (std::vector<float>{1.0f, -3.140625f, 0x1p-24f, 65504.0f}));
  EXPECT_EQ(llvm::bit_cast<uint32_t>(widened(kBF16, {0x8000})[0]), 0x80000000u);
}

TEST(Rows, ElementsOfAVectorCanBeInHalves) {
  EXPECT_EQ(
      widened(kBF16, {0x3F80, 0x4000, 0x4040, 0x4080}, RowOrder::HalfSplit),
      (std::vector<float>{1, 3, 2, 4}));
}

} // namespace
