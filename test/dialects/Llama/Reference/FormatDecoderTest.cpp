//===- FormatDecoderTest.cpp - two readings of each format agree ----------===//
//
// The evaluator's decoder against the dialect's FormatInterface, which share no
// code: here a value is put together from the planes of a block, wherever
// the facts say their fields are, by the facts' formula. Halves are read by
// LLVM's APFloat.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/FormatDecoder.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>
#include <vector>

using namespace corellama::llama;
using namespace corellama::llama::reference;

namespace {

double toDouble(const llvm::fltSemantics &semantics, unsigned width,
                uint64_t bits) {
  llvm::APFloat value(semantics, llvm::APInt(width, bits));
  bool losesInfo;
  value.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven,
                &losesInfo);
  return value.convertToDouble();
}
double half(uint64_t bits) {
  return toDouble(llvm::APFloat::IEEEhalf(), 16, bits);
}

/// Equal, with all NaNs alike and zeros told apart by their sign.
bool same(double found, double expected) {
  if (std::isnan(expected))
    return std::isnan(found);
  return found == expected && std::signbit(found) == std::signbit(expected);
}

class FormatDecoderTest : public ::testing::Test {
protected:
  FormatDecoderTest() { context.loadDialect<LlamaDialect>(); }

  /// The bits of one field, least significant first.
  uint64_t field(FormatInterface format, llvm::ArrayRef<uint8_t> block,
                 unsigned plane, int64_t column) {
    uint64_t value = 0;
    unsigned width = 0;
    for (BitRange piece : format.getFacts().locate(plane, column))
      for (unsigned i = 0; i < piece.bits; ++i, ++width) {
        unsigned bit = piece.from.bit + i;
        value |= uint64_t(block[piece.from.byte + bit / 8] >> (bit % 8) & 1)
                 << width;
      }
    EXPECT_EQ(width, format.getPlanes()[plane].bits);
    return value;
  }

  /// A field as a number, without its bias.
  double number(FormatInterface format, llvm::ArrayRef<uint8_t> block,
                unsigned plane, int64_t column) {
    uint64_t bits = field(format, block, plane, column);
    const Plane &facts = format.getPlanes()[plane];
    switch (facts.type) {
    case FieldType::F32:
      return toDouble(llvm::APFloat::IEEEsingle(), 32, bits);
    case FieldType::F16:
      return half(bits);
    case FieldType::BF16:
      return toDouble(llvm::APFloat::BFloat(), 16, bits);
    case FieldType::Signed:
      return static_cast<double>(llvm::SignExtend64(bits, facts.bits));
    case FieldType::Unsigned:
      return static_cast<double>(bits);
    case FieldType::Exponent:
      return std::ldexp(1.0, static_cast<int>(bits) - 128);
    }
    return 0;
  }

  /// product(levels + bias), the one that covers the most columns first.
  double product(FormatInterface format, llvm::ArrayRef<uint8_t> block,
                 PlaneKind kind, int64_t column) {
    double all = 1;
    auto planes = format.getFacts().planesOf(kind);
    for (unsigned plane : llvm::reverse(planes)) {
      double level = number(format, block, plane, column);
      // A float has none, and -0 + 0 would be 0.
      if (int32_t bias = format.getPlanes()[plane].bias)
        level += bias;
      all *= level;
    }
    return all;
  }

  /// The value of a column, by the formula of LlamaFormats.h.
  double expected(FormatInterface format, llvm::ArrayRef<uint8_t> block,
                  int64_t column) {
    const FormatFacts &facts = format.getFacts();
    if (format.getBlock() == 1)
      return number(format, block, 0, column);
    double quant = facts.planes[0].bias, weight = 1;
    for (unsigned plane : facts.planesOf(PlaneKind::Quants)) {
      quant += weight * number(format, block, plane, column);
      weight *= 1 << facts.planes[plane].bits;
    }
    if (!facts.planes[0].table.empty())
      quant = facts.planes[0].table[static_cast<size_t>(quant)];
    double value = product(format, block, PlaneKind::Scales, column) * quant;
    if (!facts.has(PlaneKind::Minima))
      return value;
    double minimum = product(format, block, PlaneKind::Minima, column);
    return facts.subtractsMinima ? value - minimum : value + minimum;
  }

  void compare(FormatInterface interface, llvm::ArrayRef<uint8_t> block) {
    Format format = *parseFormat(interface.getName());
    std::vector<double> values(interface.getBlock());
    decodeRow(format, block, values);
    for (int64_t column = 0; column < interface.getBlock(); ++column) {
      double wanted = expected(interface, block, column);
      if (!same(values[column], wanted))
        ADD_FAILURE() << interface.getName().str() << " column " << column
                      << ": " << values[column] << ", expected " << wanted;
    }
  }

  std::vector<FormatInterface> formats() {
    std::vector<FormatInterface> formats;
    for (const FormatFacts &facts : allFormats())
      formats.push_back(getFormat(&context, facts));
    return formats;
  }

  mlir::MLIRContext context;
};

TEST_F(FormatDecoderTest, NamesAndSizesAreTheDialects) {
  for (FormatInterface interface : formats()) {
    std::optional<Format> format = parseFormat(interface.getName());
    ASSERT_TRUE(format) << interface.getName().str();
    EXPECT_EQ(formatName(*format), interface.getName());
    EXPECT_EQ(blockColumns(*format), interface.getBlock());
    EXPECT_EQ(blockBytes(*format), interface.getBlockBytes());
  }
  EXPECT_FALSE(parseFormat("iq3_s"));
}

TEST_F(FormatDecoderTest, AllHalvesAndBFloats) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    EXPECT_TRUE(same(decodeF16(bits), half(bits))) << bits;
    EXPECT_TRUE(
        same(decodeBF16(bits), toDouble(llvm::APFloat::BFloat(), 16, bits)))
        << bits;
  }
}

// Each byte of a block takes each of its 256 values, so every field of every
// plane takes each of its own, beside different neighbours.
TEST_F(FormatDecoderTest, EveryByteOfEveryBlock) {
  std::mt19937 random(8);
  for (FormatInterface format : formats()) {
    std::vector<uint8_t> block(format.getBlockBytes());
    for (size_t byte = 0; byte < block.size(); ++byte)
      for (unsigned value = 0; value < 256; ++value) {
        for (uint8_t &other : block)
          other = static_cast<uint8_t>(random());
        block[byte] = static_cast<uint8_t>(value);
        compare(format, block);
        if (HasFailure())
          return;
      }
  }
}

// Each of the 65536 scales of a block, infinities and NaNs included.
TEST_F(FormatDecoderTest, EveryScale) {
  std::mt19937 random(9);
  for (FormatInterface format : formats()) {
    for (auto [plane, info] : llvm::enumerate(format.getPlanes())) {
      if (info.bits != 16 || info.per != format.getBlock() ||
          format.getBlock() == 1)
        continue;
      std::vector<uint8_t> block(format.getBlockBytes());
      for (uint8_t &byte : block)
        byte = static_cast<uint8_t>(random());
      uint64_t at = format.getFacts().locate(plane, 0)[0].from.byte;
      for (uint32_t bits = 0; bits < 65536;
           bits += format.getBlock() == 32 ? 1 : 7) {
        block[at] = bits & 255;
        block[at + 1] = bits >> 8;
        compare(format, block);
        if (HasFailure())
          return;
      }
    }
  }
}

// A block by hand, so that the two readings are not wrong alike.
TEST_F(FormatDecoderTest, BlocksByHand) {
  double out[256];
  // Q4_0: d = 1 (0x3c00); byte 0 = 0xf0: column 0 is 0 - 8, column 16 is 15
  // - 8.
  std::vector<uint8_t> q4(18, 0x88);
  q4[0] = 0x00, q4[1] = 0x3c, q4[2] = 0xf0;
  decodeRow(Format::Q4_0, q4, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], -8);
  EXPECT_EQ(out[1], 0);
  EXPECT_EQ(out[16], 7);
  // Q4_1: d = 2, m = -1: column 0 is 2 * 0 - 1, column 16 is 2 * 15 - 1.
  std::vector<uint8_t> q41(20, 0);
  q41[1] = 0x40, q41[3] = 0xbc, q41[4] = 0xf0;
  decodeRow(Format::Q4_1, q41, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], -1);
  EXPECT_EQ(out[16], 29);
  // Q8_0: d = 0.5; the last byte is -128.
  std::vector<uint8_t> q8(34, 1);
  q8[0] = 0x00, q8[1] = 0x38, q8[33] = 0x80;
  decodeRow(Format::Q8_0, q8, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], 0.5);
  EXPECT_EQ(out[31], -64);
  // Q6_K: d = 1, scale 15 (columns 240 to 255) is -3, the others 1. Column 255
  // = 128 + 3 * 32 + 31: low bits in the high nibble of byte 64 + 32 + 31 =
  // 127, high bits in bits 6 and 7 of byte 128 + 32 + 31: 0x9 and 2: 41 - 32
  // = 9.
  std::vector<uint8_t> q6(210, 0);
  for (int i = 0; i < 16; ++i)
    q6[192 + i] = 1;
  q6[207] = 0xfd, q6[209] = 0x3c, q6[127] = 0x90, q6[191] = 0x80;
  decodeRow(Format::Q6_K, q6, llvm::MutableArrayRef<double>(out, 256));
  EXPECT_EQ(out[255], -27);
  EXPECT_EQ(out[254], 96);
  EXPECT_EQ(out[0], -32);
}

// Superblocks whose sub-scales are in pieces, by hand.
TEST_F(FormatDecoderTest, SuperblocksByHand) {
  double out[256];
  // Q4_K: d = 1, dmin = 2. Scale 5 = 4 + 1: low bits 7 in byte 9 of the twelve,
  // high bits 2 (of bits 6 and 7 of byte 1): 39; minimum 5: low 12 in the high
  // nibble of byte 9, high 1 from byte 5: 28. Column 161 = 64 * 2 + 32 + 1 is
  // the high nibble of byte 32 * 2 + 1 of the quants: 11.
  std::vector<uint8_t> q4(144, 0);
  q4[1] = 0x3c, q4[3] = 0x40, q4[4 + 9] = 0xc7, q4[4 + 1] = 0x80;
  q4[4 + 5] = 0x40, q4[16 + 65] = 0xb0;
  decodeRow(Format::Q4_K, q4, llvm::MutableArrayRef<double>(out, 256));
  EXPECT_EQ(out[161], 39 * 11 - 2 * 28);
  EXPECT_EQ(out[160], -2 * 28);
  // Q3_K: d = 1. Scale 13 = 12 + 1: low bits 5 in the high nibble of byte 5 of
  // the twelve, high bits 3 in bits 6 and 7 of byte 9: 53 - 32. Column 211 =
  // 128 + 2 * 32 + 19 is in part 13: low bits 2 in bits 4 and 5 of byte 32 +
  // 19, third bit in bit 6 of byte 19 of hmask: 6 - 4.
  std::vector<uint8_t> q3(110, 0);
  q3[109] = 0x3c, q3[96 + 5] = 0x50, q3[96 + 9] = 0xc0;
  q3[32 + 51] = 0x20, q3[19] = 0x40;
  decodeRow(Format::Q3_K, q3, llvm::MutableArrayRef<double>(out, 256));
  EXPECT_EQ(out[211], 21 * 2);
  EXPECT_EQ(out[210], 21 * -4);
  // Q5_0: d = 1, column 20: high nibble of byte 4 and bit 4 of byte 2 of qh.
  std::vector<uint8_t> q5(22, 0);
  q5[1] = 0x3c, q5[2 + 2] = 0x10, q5[6 + 4] = 0x30;
  decodeRow(Format::Q5_0, q5, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[20], 3);
  EXPECT_EQ(out[4], -16);
}

// Indices of tables, by hand; the values are those of the PyPI package gguf.
TEST_F(FormatDecoderTest, TablesByHand) {
  double out[256];
  // IQ4_NL: d = 2; byte 1 has 15 for column 1 and 8 for column 17.
  std::vector<uint8_t> nonLinear(18, 0);
  nonLinear[1] = 0x40, nonLinear[2 + 1] = 0x8f;
  decodeRow(Format::IQ4_NL, nonLinear, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], -254);
  EXPECT_EQ(out[1], 226);
  EXPECT_EQ(out[17], 2);
  // IQ4_XS: d = 1. Scale 5: 9 in the high nibble of byte 2 of scales_l, 2 in
  // bits 10 and 11 of scales_h: 41 - 32. Column 5 * 32 + 20: the high nibble of
  // byte 16
  // * 5 + 4: 13, which is 69.
  std::vector<uint8_t> xs(136, 0);
  xs[1] = 0x3c, xs[3] = 0x08, xs[4 + 2] = 0x90, xs[8 + 84] = 0xd0;
  decodeRow(Format::IQ4_XS, xs, llvm::MutableArrayRef<double>(out, 256));
  EXPECT_EQ(out[180], 9 * 69);
  EXPECT_EQ(out[181], 9 * -127);
  EXPECT_EQ(out[0], -32 * -127);
  // MXFP4: 2^(129 - 127); 7 is 6, 9 is -0.5.
  std::vector<uint8_t> mx(17, 0);
  mx[0] = 129, mx[1] = 0x97;
  decodeRow(Format::MXFP4, mx, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], 24);
  EXPECT_EQ(out[16], -2);
  EXPECT_EQ(out[1], 0);
  // All exponents are numbers.
  mx[0] = 255;
  decodeRow(Format::MXFP4, mx, llvm::MutableArrayRef<double>(out, 32));
  EXPECT_EQ(out[0], std::ldexp(6.0, 128));
}

/// Blocks that llama.cpp's quantiser made (quantize_q4_K and its like of
/// ggml-quants.c, without an importance matrix) of column i =
/// ((37 i) mod 101 - 50) / 64 * (1 + i / 32) / 8, the division by 32 whole.
struct QuantisedBlocks {
  Format format;
  int bits;
  /// Quants are centred on zero: no minima.
  bool isCentred;
  /// Columns of a scale.
  int scaleBlock;
  llvm::StringRef hex;
};
const QuantisedBlocks kQuantised[] = {
    {Format::Q5_0, 5, true, 32,
     "401ea4a52d6dc07c38f3bf6b26e2ae5a15d18d49f4c020a296b6b4a4d81d"
     "61a5fa3e72b7fb3f84c80c5094e9"},
    {Format::Q5_1, 5, false, 32,
     "741e40aea4a52d6db07b37e3af6a26d29d5905c18c48f4b0422200b26949"
     "4b5b27e2ae5a15d19d4904c07c38f3bf6b26"},
    {Format::Q2_K, 2, false, 16,
     "22223344655588679978abbbcbedceff2cb1d66cb11b6d861b71c66cb1d6"
     "6cb21b6d861b71c628b1da6cb61b6d861b711b7d861b71c62cb1db6c861b"
     "71c628b1d66cb51b6c861b71c66cb1da6cb51b6cd727012a"},
    {Format::Q3_K, 3, true, 16,
     "86dc2bc6fd23d67923dc3986fc2bd6fda451fe045bae05fbae51fba459fe"
     "045b4827e2897823dd897722dd8877e29d785df6b79c2db68b5de1f7485d"
     "22b7882dfd6297c82d528bf8225688fd2e578b3de2c7787dd29bbc2d968b"
     "7de2d7787dd21d034937966ab300353af536c59f"},
    {Format::Q4_K, 4, false, 32,
     "bc162b228890d8de888fd7df68ee78ffa0156bc1278cd3489e045ab0167b"
     "c2378de349ae056ab1267cd2389de459af15268ce248ad0469b0157bd137"
     "9cf348ae046ac0268bd2379df359be156ac1268c9df359be157ac1268ce2"
     "48ad0459b0157bd1379ce348ae046ac0267bd2379df3156ac1268cd2489d"
     "f459b0157bc1378ce348ae046ab0267bd2379de359ae156a"},
    {Format::Q5_K, 5, false, 32,
     "8d121022888fd7de88d0d8e1770f95ff326c9936cc9366c9b36499324c99"
     "26cc9366c9336c99364c9b66cd9366c9336c702be6b36e29e6915c09c480"
     "3cf7c47f3af7a26d1ad5914d08c4804bf7b37e2b6e2ae5915d08c4803cf7"
     "b37f3bf6a26e19d5914d08c4704cf7b37f2ae6a25e193be7a36e2ae6925e"
     "19c5814c08b4703be7a36e2ad6925d19c5814cf8b47f3be71bd7824e0ab5"
     "713de9a4602ce8935f1bc6824e09b5713de9a4602cd7935f1ac6"},
};

// Every decoded value is one step of its scale from what was quantised: half a
// step for the quant, half for a scale and a minimum that are rounded
// themselves; where quants are centred a whole one at the end of the range that
// has one quant less. A field at a wrong place is off by more.
TEST_F(FormatDecoderTest, BlocksOfLlamaCppDecodeToWhatWasQuantised) {
  for (const QuantisedBlocks &row : kQuantised) {
    SCOPED_TRACE(formatName(row.format).str());
    std::string bytes = llvm::fromHex(row.hex);
    int64_t columns =
        bytes.size() / blockBytes(row.format) * blockColumns(row.format);
    std::vector<double> values(columns);
    decodeRow(row.format,
              {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()},
              values);
    for (int64_t first = 0; first < columns; first += row.scaleBlock) {
      std::vector<double> source;
      double low = 0, high = 0;
      for (int64_t i = first; i < first + row.scaleBlock; ++i) {
        source.push_back((37 * i % 101 - 50) / 64.0 *
                         static_cast<double>(1 + i / 32) / 8);
        low = std::min(low, source.back());
        high = std::max(high, source.back());
      }
      double step = row.isCentred ? std::max(-low, high) / (1 << (row.bits - 1))
                                  : (high - low) / ((1 << row.bits) - 1);
      for (int64_t i = 0; i < row.scaleBlock; ++i)
        ASSERT_NEAR(values[first + i], source[i], step)
            << "column " << first + i;
    }
  }
}

} // namespace
