//===- ByteProduct.cpp - one product of bytes, bit for bit ----------------===//
//
// See ByteProduct.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/ByteProduct.h"
#include "compiler/Image/Packing.h"
#include "test/passes/Testing/RandomWeights.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <bit>
#include <cmath>

namespace corellama::test {

using llama::PlaneKind;

//===----------------------------------------------------------------------===//
// The formula
//===----------------------------------------------------------------------===//

ImageWeight::ImageWeight(llama::FormatInterface format,
                         llvm::ArrayRef<uint8_t> source)
    : format(format), facts(format.getFacts()),
      layout(mlir::cast<llama::LayoutInterface>(
          mlir::Attribute(llama::Interleaved16Attr::getFor(format)))) {
  auto packer =
      llvm::cantFail(image::Packer::create(format, layout, kRows, kColumns));
  bytes.resize(packer.bytes());
  packer.pack(0, packer.tileCount(), source, bytes);
}

void ImageWeight::setQuants(
    llvm::function_ref<bool(int64_t, int64_t)> isLargest) {
  for (unsigned plane : facts.planesOf(PlaneKind::Quants)) {
    unsigned bits = facts.planes[plane].bits;
    bool isSigned = facts.planes[plane].type == llama::FieldType::Signed;
    uint32_t ones = (1u << bits) - 1, top = 1u << (bits - 1);
    uint32_t largest = isSigned ? ones ^ top : ones;
    uint32_t smallest = isSigned ? top : 0;
    if (auto table = facts.planes[plane].table; !table.empty()) {
      auto [least, greatest] = std::minmax_element(table.begin(), table.end());
      largest = static_cast<uint32_t>(greatest - table.begin());
      smallest = static_cast<uint32_t>(least - table.begin());
    }
    for (int64_t r = 0; r < kRows; ++r)
      for (int64_t c = 0; c < kColumns; ++c)
        write(plane, r, c, isLargest(r, c) ? largest : smallest);
  }
}

int32_t ImageWeight::quant(int64_t r, int64_t c) const {
  int32_t value = 0;
  unsigned width = 0;
  for (unsigned plane : facts.planesOf(PlaneKind::Quants)) {
    value |= static_cast<int32_t>(read(plane, r, c)) << width;
    width += facts.planes[plane].bits;
  }
  if (facts.planes.front().type == llama::FieldType::Signed)
    value = value >= 128 ? value - 256 : value;
  if (auto table = facts.planes.front().table; !table.empty())
    return table[static_cast<size_t>(value)];
  return value + facts.planes.front().bias;
}

/// The product of a kind's levels: exact in float32.
float ImageWeight::levels(PlaneKind kind, int64_t r, int64_t c) const {
  double product = 1;
  for (unsigned plane : facts.planesOf(kind)) {
    const llama::Plane &field = facts.planes[plane];
    uint32_t raw = read(plane, r, c);
    if (field.type == llama::FieldType::F16)
      product *= llama::reference::decodeF16(static_cast<uint16_t>(raw));
    else if (field.type == llama::FieldType::Signed)
      product *= static_cast<int8_t>(raw);
    else if (field.type == llama::FieldType::Exponent)
      product *= std::ldexp(1.0, static_cast<int>(raw) - 128);
    else
      product *= static_cast<int32_t>(raw) + field.bias;
  }
  if (kind == PlaneKind::Minima && facts.subtractsMinima)
    product = -product;
  EXPECT_EQ(static_cast<double>(static_cast<float>(product)), product);
  return static_cast<float>(product);
}

float ImageWeight::product(int64_t r, const RoundedRow &x) const {
  float acc = 0;
  int64_t scaleBlock = facts.scaleBlock();
  for (int64_t from = 0; from < kColumns; from += scaleBlock) {
    const RowBlock &block = x[from / RowBlock::kSize];
    const auto first = static_cast<int>(from % RowBlock::kSize);
    const int next = first + static_cast<int>(scaleBlock);
    float isum = 0;
    for (int i = block.digits - 1; i >= 0; --i) {
      int32_t sum = 0;
      for (int c = first; c < next; ++c)
        sum += quant(r, from - first + c) * block.digit[i][c];
      // The last digit counts 1, those before it 254 and 254^2.
      float counts = 1;
      for (int j = i + 1; j < block.digits; ++j)
        counts *= 254;
      isum = std::fma(static_cast<float>(sum), counts, isum);
    }
    float factor = levels(PlaneKind::Scales, r, from) * block.scale;
    acc = std::fma(isum, factor, acc);
    if (facts.has(PlaneKind::Minima)) {
      float other = block.scale * static_cast<float>(block.sum(first, next));
      acc = std::fma(levels(PlaneKind::Minima, r, from), other, acc);
    }
  }
  return acc;
}

llama::BitPosition ImageWeight::place(unsigned plane, int64_t r,
                                      int64_t c) const {
  return layout.locate(format, kRows, kColumns, plane, r, c);
}

uint32_t ImageWeight::read(unsigned plane, int64_t r, int64_t c) const {
  llama::BitPosition at = place(plane, r, c);
  unsigned bits = facts.planes[plane].bits;
  uint32_t value = bytes[at.byte];
  if (bits == 16)
    return value | static_cast<uint32_t>(bytes[at.byte + 1]) << 8;
  return value >> at.bit & ((1u << bits) - 1);
}

void ImageWeight::write(unsigned plane, int64_t r, int64_t c, uint32_t value) {
  llama::BitPosition at = place(plane, r, c);
  uint32_t mask = ((1u << facts.planes[plane].bits) - 1) << at.bit;
  bytes[at.byte] =
      static_cast<uint8_t>((bytes[at.byte] & ~mask) | (value << at.bit & mask));
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

static constexpr llvm::StringLiteral kTwoTiles = R"mlir(
    %y = tile.buffer %ctx @x at 0 : memref<3x16xf32>
    %w = tile.weight %ctx @w : <16x512, #llama.FORMAT> in #llama.interleaved16<k = 4> index 0
    %one = tile.contract %rows[%c0], %w[%c0] order ORDER : <3x512xROWS>, !llama.weight<16x512, #llama.FORMAT> -> vector<1x16xf32>
    tile.store %one, %y[%c0, %c0] : vector<1x16xf32>, memref<3x16xf32>
    %two = tile.contract %rows[%c1], %w[%c0] order ORDER : <3x512xROWS>, !llama.weight<16x512, #llama.FORMAT> -> vector<2x16xf32>
    tile.store %two, %y[%c1, %c0] : vector<2x16xf32>, memref<3x16xf32>
)mlir";

static constexpr llvm::StringLiteral kPanel = R"mlir(
    %y = tile.buffer %ctx @x at 0 : memref<16x16xf32>
    %w = tile.weight %ctx @w : <16x512, #llama.FORMAT> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <16x512, #llama.FORMAT> -> <16x512, #llama.FORMAT, UNIT>
    %all = tile.contract %rows[%c0], %p[%c0] order ORDER : <16x512xROWS>, !tile.panel<16x512, #llama.FORMAT, UNIT> -> vector<16x16xf32>
    tile.store %all, %y[%c0, %c0] : vector<16x16xf32>, memref<16x16xf32>
)mlir";

const llama::FormatFacts &ByteProduct::facts() const {
  return *llama::findFormat(llama::reference::formatName(
      kFormatCases[std::get<0>(GetParam())].format));
}

void ByteProduct::makeKernel() {
  if (!facts().has(PlaneKind::Scales))
    GTEST_SKIP() << facts().name.str() << " has no quants";
  format = llama::getFormat(&kernelContext(), facts());
  const std::string type = digits == 1 ? "!llama.q8b32" : "!llama.x24b32",
                    unit = digits == 1 ? "#cpu.dot_u8s8"
                                       : "#cpu.dot_u8s8<digits = 3>";
  std::string body = (tileRows == OneKernel::kRows ? kTwoTiles : kPanel).str();
  auto replace = [&](llvm::StringRef what, const std::string &with) {
    for (size_t at; (at = body.find(what)) != std::string::npos;)
      body.replace(at, what.size(), with);
  };
  replace("FORMAT", facts().name.str());
  replace("ROWS", type);
  replace("ORDER",
          "<unit = UNIT, block = " + std::to_string(facts().scaleBlock()) +
              ", scale = outer>");
  replace("UNIT", unit);
  OneKernel::Choice choice{std::get<1>(GetParam()), type, kColumns, body,
                           weight().bytes.size()};
  choice.rows = tileRows;
  choice.change = [&](mlir::ModuleOp module) { planted = plant(module); };
  std::string message;
  kernel = OneKernel::make(choice, message);
  ASSERT_TRUE(kernel.module) << message;
  // Where the instruction is replaced, it was there.
  EXPECT_EQ(kernel.expanded > 0, kernel.isExpanded);
}

ImageWeight ByteProduct::weight() {
  return {format, randomWeight(kFormatCases[std::get<0>(GetParam())].format,
                               ImageWeight::kRows, kColumns, random)};
}

RoundedRow ByteProduct::rowOf(llvm::function_ref<int(int64_t)> digit) {
  RoundedRow row(kColumns / RowBlock::kSize, RowBlock{digits});
  for (int64_t c = 0; c < kColumns; ++c)
    for (int i = 0; i < digits; ++i)
      row[c / RowBlock::kSize].digit[i][c % RowBlock::kSize] =
          static_cast<int8_t>(digit(c));
  for (RowBlock &block : row)
    block.scale = std::uniform_real_distribution<float>(1e-3f, 1)(random);
  return row;
}

std::vector<RoundedRow> ByteProduct::randomRows(size_t count) {
  std::vector<RoundedRow> made;
  while (made.size() < count)
    made.push_back(rowOf([&](int64_t) {
      return std::uniform_int_distribution<int>(-127, 127)(random);
    }));
  return made;
}

std::string ByteProduct::differenceOf(const ImageWeight &weight,
                                      llvm::ArrayRef<RoundedRow> rows) {
  std::copy(weight.bytes.begin(), weight.bytes.end(),
            kernel.context->weights.data());
  uint8_t *record = kernel.rows();
  for (const RoundedRow &row : rows)
    for (const RowBlock &block : row) {
      block.write(record);
      record += block.recordBytes();
    }
  kernel.run();
  const float *got = kernel.floats();
  for (auto [i, row] : llvm::enumerate(rows))
    for (int64_t r = 0; r < ImageWeight::kRows; ++r, ++got) {
      float expected = weight.product(r, row);
      if (std::bit_cast<uint32_t>(*got) != std::bit_cast<uint32_t>(expected))
        return llvm::formatv("row {0} of x, row {1}: {2}, expected {3}", i, r,
                             *got, expected);
    }
  return {};
}

} // namespace corellama::test
