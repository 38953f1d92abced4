//===- PackingTest.cpp - every field at its place, and nothing else -------===//
//
// Random weights of every format, in every layout that accepts it, in shapes
// with tails -> packed bytes, compared bit by bit with what the definition
// (`FormatFacts::locate`, `LayoutInterface::locate`) says. The packer lists
// moves and repeats them; the test asks for every single field.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Packing.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <numeric>
#include <random>

using namespace corellama;
using namespace corellama::image;
using namespace corellama::llama;

namespace {

using Bytes = std::vector<uint8_t>;

struct PackingTest : testing::Test {
  PackingTest() { context.loadDialect<LlamaDialect>(); }

  std::vector<FormatInterface> formats() {
    std::vector<FormatInterface> formats;
    for (const FormatFacts &facts : allFormats())
      formats.push_back(getFormat(&context, facts));
    return formats;
  }
  std::vector<LayoutInterface> layouts() {
    return {RowMajorAttr::get(&context), RowMajorSplitAttr::get(&context),
            Interleaved16Attr::get(&context, 1),
            Interleaved16Attr::get(&context, 2),
            Interleaved16Attr::get(&context, 4)};
  }

  /// Calls `check` for each format, accepting layout and shape.
  template <typename Check> void forEachCase(Check check) {
    size_t cases = 0;
    for (FormatInterface format : formats())
      for (LayoutInterface layout : layouts())
        for (uint64_t rows : {1, 15, 16, 37}) {
          std::vector<uint64_t> widths = {1, 32, 33, 97};
          if (format.getBlock() != 1)
            widths = {1, 2, 5};
          for (uint64_t width : widths) {
            uint64_t columns = width * format.getBlock();
            std::string why;
            if (failed(layout.accepts(format, rows, columns, why)))
              continue;
            std::string name;
            llvm::raw_string_ostream(name) << format << " in " << layout << ", "
                                           << rows << " x " << columns;
            SCOPED_TRACE(name);
            auto packer = Packer::create(format, layout, rows, columns);
            ASSERT_TRUE(static_cast<bool>(packer))
                << llvm::toString(packer.takeError());
            check(format, layout, rows, columns, *packer);
            ++cases;
          }
        }
    // Each format in rowmajor_split and one interleaved16, those without fields
    // in two pieces in rowmajor too.
    EXPECT_EQ(cases, 4u * (3 * 3 * 4 + 9 * 3 * 3 + 4 * 2 * 3));
  }

  Bytes randomBytes(uint64_t count) {
    Bytes bytes(count);
    for (uint8_t &byte : bytes)
      byte = static_cast<uint8_t>(random());
    return bytes;
  }

  static Bytes pack(const Packer &packer, const Bytes &source) {
    Bytes out(packer.bytes());
    packer.pack(0, packer.tileCount(), source, out);
    return out;
  }

  mlir::MLIRContext context;
  std::mt19937 random{8};
};

bool bitAt(const Bytes &bytes, BitPosition place, unsigned bit) {
  uint64_t at = place.bit + bit;
  return bytes[place.byte + at / 8] >> (at % 8) & 1;
}

/// Calls `visit` with both places of each field, or of each piece of one.
template <typename Visit>
void forEachField(FormatInterface format, LayoutInterface layout, uint64_t rows,
                  uint64_t columns, Visit visit) {
  uint64_t block = format.getBlock(), rowBlocks = columns / block;
  for (auto [plane, facts] : llvm::enumerate(format.getPlanes()))
    for (uint64_t row = 0; row < rows; ++row)
      for (uint64_t column = 0; column < columns; column += facts.per) {
        BitPosition to =
            layout.locate(format, rows, columns, plane, row, column);
        // No field crosses a byte, but those of whole bytes.
        EXPECT_LE(to.bit + facts.imageBits(), std::max(8u, facts.imageBits()));
        for (BitRange piece : format.getFacts().locate(plane, column % block)) {
          piece.from.byte +=
              (row * rowBlocks + column / block) * format.getBlockBytes();
          visit(piece.from, to, piece.bits);
          to.bit += piece.bits;
        }
      }
}

TEST_F(PackingTest, EachFieldIsAtItsPlaceAndAllPaddingIsZero) {
  forEachCase([&](FormatInterface format, LayoutInterface layout, uint64_t rows,
                  uint64_t columns, const Packer &packer) {
    ASSERT_EQ(packer.bytes(), *layout.byteSize(format, rows, columns));
    ASSERT_EQ(packer.sourceBytes(),
              rows * columns / format.getBlock() * format.getBlockBytes());
    Bytes source = randomBytes(packer.sourceBytes()),
          out = pack(packer, source);
    Bytes expected(out.size());
    forEachField(format, layout, rows, columns,
                 [&](BitPosition from, BitPosition to, unsigned bits) {
                   ASSERT_LE(to.byte + llvm::divideCeil(to.bit + bits, 8),
                             out.size());
                   for (unsigned bit = 0; bit < bits; ++bit)
                     expected[to.byte + (to.bit + bit) / 8] |=
                         bitAt(source, from, bit) << (to.bit + bit) % 8;
                 });
    ASSERT_EQ(out, expected);
  });
}

TEST_F(PackingTest, NoTwoFieldsShareABitAndNoneIsForgotten) {
  forEachCase([&](FormatInterface format, LayoutInterface layout, uint64_t rows,
                  uint64_t columns, const Packer &packer) {
    std::vector<bool> read(8 * packer.sourceBytes()),
        written(8 * packer.bytes());
    // Bits that lie outside or have been seen before.
    uint64_t wrong = 0, seen = 0;
    auto see = [&](std::vector<bool> &bits, uint64_t bit) {
      if (bit >= bits.size() || bits[bit])
        ++wrong;
      else
        bits[bit] = true;
    };
    forEachField(format, layout, rows, columns,
                 [&](BitPosition from, BitPosition to, unsigned bits) {
                   for (unsigned bit = 0; bit < bits; ++bit, ++seen) {
                     see(read, 8 * from.byte + from.bit + bit);
                     see(written, 8 * to.byte + to.bit + bit);
                   }
                 });
    ASSERT_EQ(wrong, 0u);
    // The blocks of these formats have no unused bits.
    ASSERT_EQ(seen, read.size());
  });
}

TEST_F(PackingTest, ReadBackGivesTheCheckpointsBytes) {
  forEachCase([&](FormatInterface format, LayoutInterface layout, uint64_t rows,
                  uint64_t columns, const Packer &packer) {
    Bytes source = randomBytes(packer.sourceBytes()),
          out = pack(packer, source);
    Bytes back(source.size());
    forEachField(format, layout, rows, columns,
                 [&](BitPosition from, BitPosition to, unsigned bits) {
                   for (unsigned bit = 0; bit < bits; ++bit)
                     back[from.byte + (from.bit + bit) / 8] |=
                         bitAt(out, to, bit) << (from.bit + bit) % 8;
                 });
    ASSERT_EQ(back, source);
  });
}

TEST_F(PackingTest, TilesCanBePackedOneByOneInAnyOrder) {
  forEachCase([&](FormatInterface, LayoutInterface, uint64_t, uint64_t,
                  const Packer &packer) {
    Bytes source = randomBytes(packer.sourceBytes());
    std::vector<uint64_t> tiles(packer.tileCount());
    std::iota(tiles.begin(), tiles.end(), 0);
    std::shuffle(tiles.begin(), tiles.end(), random);
    Bytes out(packer.bytes());
    uint64_t rowBytes = source.size() / packer.rowCount(0, tiles.size());
    for (uint64_t tile : tiles) {
      Packer::Range range = packer.rangeOf(tile, 1);
      packer.pack(
          tile, 1,
          llvm::ArrayRef(source).slice(tile * Packer::kTileRows * rowBytes,
                                       packer.rowCount(tile, 1) * rowBytes),
          llvm::MutableArrayRef(out).slice(range.offset, range.bytes));
    }
    ASSERT_EQ(out, pack(packer, source));
  });
}

// What a compiler holds of a weight at once: some tiles, where they follow each
// other.
TEST_F(PackingTest, TilesOfALayoutForCPUsFollowEachOther) {
  auto rangeOf = [&](LayoutInterface layout) {
    auto packer =
        llvm::cantFail(Packer::create(Q4_0Attr::get(&context), layout, 40, 64));
    Packer::Range range = packer.rangeOf(1, 2);
    return std::pair(range.offset, range.bytes);
  };
  // Two blocks of 16 rows, of 288 bytes each, are a tile.
  EXPECT_EQ(rangeOf(Interleaved16Attr::get(&context, 4)),
            std::pair(uint64_t(2 * 288), uint64_t(2 * 2 * 288)));
  // Quants and scales of 40 rows, in regions of their own.
  EXPECT_EQ(rangeOf(RowMajorSplitAttr::get(&context)),
            std::pair(uint64_t(0), uint64_t(40 * (32 + 16))));
}

//===----------------------------------------------------------------------===//
// By hand: one value each, independent of locate
//===----------------------------------------------------------------------===//

TEST_F(PackingTest, RowMajorIsTheCheckpointItself) {
  auto packer = llvm::cantFail(Packer::create(
      Q4_1Attr::get(&context), RowMajorAttr::get(&context), 20, 96));
  Bytes source = randomBytes(packer.sourceBytes());
  EXPECT_EQ(pack(packer, source), source);
}

TEST_F(PackingTest, Rows16OfFloatsTransposesGroups) {
  // The example of LayoutInterface: row 17, column 2 of 20 x 3 is at byte 324.
  auto packer = llvm::cantFail(Packer::create(
      F32Attr::get(&context), Interleaved16Attr::get(&context, 1), 20, 3));
  Bytes source(packer.sourceBytes());
  source[(17 * 3 + 2) * 4 + 1] = 0xAB;
  Bytes out = pack(packer, source), expected(384);
  expected[324 + 1] = 0xAB;
  EXPECT_EQ(out, expected);
}

TEST_F(PackingTest, Rows16OfQ4KeepsNibblePairs) {
  // Byte 4p + j of a block's quants, of row r: byte 4r + j of vector p, behind
  // 16 scales; second block of the second group of a weight of 2 blocks a row.
  auto packer = llvm::cantFail(Packer::create(
      Q4_0Attr::get(&context), Interleaved16Attr::get(&context, 4), 32, 64));
  Bytes source(packer.sourceBytes());
  uint64_t row = 16 + 5, block = 1, p = 2, j = 3;
  source[(row * 2 + block) * 18 + 2 + 4 * p + j] = 0x7E;
  source[(row * 2 + block) * 18 + 1] = 0x3C; // scale, upper byte
  Bytes out = pack(packer, source), expected(2 * 2 * 288);
  expected[(2 + 1) * 288 + 32 + 64 * p + 4 * 5 + j] = 0x7E;
  expected[(2 + 1) * 288 + 2 * 5 + 1] = 0x3C;
  EXPECT_EQ(out, expected);
}

TEST_F(PackingTest, Rows16OfQ6KRegroupsBits) {
  // Column 161 = 128 + 32 + 1 of row 3: low bits in byte 64 + 32 + 1 of ql, low
  // nibble; high bits in byte 32 + 1 of qh from bit 2. In the layout it is
  // column 1 of pair 5: low nibble of vector 0 there, bits 0 and 1 of vector 4.
  auto packer = llvm::cantFail(Packer::create(
      Q6_KAttr::get(&context), Interleaved16Attr::get(&context, 4), 16, 256));
  Bytes source(packer.sourceBytes());
  source[3 * 210 + 64 + 32 + 1] = 0x0D;
  source[3 * 210 + 128 + 32 + 1] = 0x08; // 2 << 2
  Bytes out = pack(packer, source), expected(3360);
  uint64_t pair = 32 + 256 + 5 * 384;
  expected[pair + 4 * 3 + 1] = 0x0D;
  expected[pair + 256 + 4 * 3 + 1] = 0x02;
  EXPECT_EQ(out, expected);
}

TEST_F(PackingTest, Rows16OfQ4KJoinsTheBitsOfAScale) {
  // Scale 5 of row 3: 7 in byte 9 of the twelve, 2 in bits 6 and 7 of byte 1.
  // Behind 16 f16 d and 16 f16 dmin it is byte 16 * 5 + 3 of the scales.
  auto packer = llvm::cantFail(Packer::create(
      Q4_KAttr::get(&context), Interleaved16Attr::get(&context, 4), 16, 256));
  Bytes source(packer.sourceBytes());
  source[3 * 144 + 4 + 9] = 0x07;
  source[3 * 144 + 4 + 1] = 0x80;
  Bytes out = pack(packer, source), expected(16 * (4 + 16 + 128));
  expected[64 + 16 * 5 + 3] = 0x27;
  EXPECT_EQ(out, expected);
}

//===----------------------------------------------------------------------===//
// Refusals
//===----------------------------------------------------------------------===//

std::string refusal(FormatInterface format, LayoutInterface layout,
                    uint64_t rows, uint64_t columns) {
  auto packer = Packer::create(format, layout, rows, columns);
  return packer ? "" : llvm::toString(packer.takeError());
}

TEST_F(PackingTest, ALayoutMustAcceptTheFormat) {
  EXPECT_EQ(
      refusal(F32Attr::get(&context), Interleaved16Attr::get(&context, 4), 16,
              16),
      "f32 weight of 16 x 16: interleaved16 has k = 1 for f32, found k = 4");
}

TEST_F(PackingTest, RowMajorHasNoFieldsInTwoPieces) {
  EXPECT_EQ(
      refusal(Q4_KAttr::get(&context), RowMajorAttr::get(&context), 16, 256),
      "q4_k weight of 16 x 256: rowmajor has fields in one piece, a "
      "checkpoint's q4_k has some in two");
}

TEST_F(PackingTest, RowsMustBeWholeBlocks) {
  EXPECT_EQ(
      refusal(Q4_0Attr::get(&context), RowMajorAttr::get(&context), 2, 33),
      "q4_0 weight of 2 x 33: rows are whole blocks of 32 columns");
}

TEST_F(PackingTest, ExtentsMustBePositiveAndBelow2To31) {
  FormatInterface format = F32Attr::get(&context);
  LayoutInterface layout = RowMajorAttr::get(&context);
  EXPECT_EQ(refusal(format, layout, 0, 1),
            "f32 weight of 0 x 1: extents are 1 to 2147483647");
  EXPECT_EQ(refusal(format, layout, 1, uint64_t(1) << 31),
            "f32 weight of 1 x 2147483648: extents are 1 to 2147483647");
}

/// A layout whose third tile of rows is not where the first two say.
struct Irregular : LayoutInterface::ExternalModel<Irregular, mlir::UnitAttr> {
  mlir::LogicalResult accepts(mlir::Attribute, FormatInterface, int64_t,
                              int64_t, std::string &) const {
    return mlir::success();
  }
  mlir::FailureOr<uint64_t> byteSize(mlir::Attribute, FormatInterface,
                                     int64_t rows, int64_t columns) const {
    return uint64_t(rows) * columns * 8;
  }
  BitPosition locate(mlir::Attribute, FormatInterface, int64_t, int64_t columns,
                     unsigned, int64_t row, int64_t column) const {
    return {uint64_t(row * columns + column) * 4 + (row >= 32 ? 64 : 0), 0};
  }
};

TEST_F(PackingTest, ALayoutMustBeRegular) {
  mlir::UnitAttr::attachInterface<Irregular>(context);
  LayoutInterface layout = mlir::cast<LayoutInterface>(
      static_cast<mlir::Attribute>(mlir::UnitAttr::get(&context)));
  FormatInterface format = F32Attr::get(&context);
  EXPECT_EQ(refusal(format, layout, 32, 8), "");
  EXPECT_EQ(refusal(format, layout, 48, 8),
            "f32 weight of 48 x 8: its layout is not regular in tiles of 16 "
            "rows by 32 columns");
}

} // namespace
