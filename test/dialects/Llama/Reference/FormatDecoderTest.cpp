//===- FormatDecoderTest.cpp - two readings of each format agree ----------===//
//
// The evaluator's decoder against the dialect's FormatInterface, which share no
// code: here a value is put together from the planes of a block, wherever
// `locateInBlock` says their fields are. Halves are read by LLVM's APFloat.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/FormatDecoder.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/APFloat.h"
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
    BitPosition at = format.locateInBlock(plane, column);
    uint64_t value = 0;
    for (unsigned i = 0; i < format.getPlanes()[plane].bits; ++i) {
      unsigned bit = at.bit + i;
      value |= uint64_t(block[at.byte + bit / 8] >> (bit % 8) & 1) << i;
    }
    return value;
  }

  /// The value of a column, by the formula of the attribute's summary.
  double expected(FormatInterface format, llvm::ArrayRef<uint8_t> block,
                  int64_t column) {
    auto at = [&](unsigned plane) {
      return field(format, block, plane, column);
    };
    llvm::StringRef name = format.getName();
    if (name == "f32")
      return toDouble(llvm::APFloat::IEEEsingle(), 32, at(0));
    if (name == "f16")
      return half(at(0));
    if (name == "bf16")
      return toDouble(llvm::APFloat::BFloat(), 16, at(0));
    if (name == "q8_0")
      return half(at(1)) * static_cast<int8_t>(at(0));
    if (name == "q4_0")
      return half(at(1)) * (static_cast<double>(at(0)) - 8);
    if (name == "q4_1")
      return half(at(1)) * static_cast<double>(at(0)) + half(at(2));
    EXPECT_EQ(name, "q6_k");
    double quant = static_cast<double>(at(0) + 16 * at(1)) - 32;
    return half(at(3)) * static_cast<int8_t>(at(2)) * quant;
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
    return {
        llvm::cast<FormatInterface>(mlir::Attribute(F32Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(F16Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(BF16Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(Q8_0Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(Q4_0Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(Q4_1Attr::get(&context))),
        llvm::cast<FormatInterface>(mlir::Attribute(Q6_KAttr::get(&context)))};
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
  EXPECT_FALSE(parseFormat("q4_k"));
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
      uint64_t at = format.locateInBlock(plane, 0).byte;
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

} // namespace
