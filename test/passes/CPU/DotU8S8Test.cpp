//===- DotU8S8Test.cpp - products and rows of 8 bits, bit for bit ---------===//
//
// What docs/bits.md says of q8b32, computed here from the layout's places and
// compared with kernels without a tolerance: products of every format of
// quants, at random and at the extremes of quants and rows, in the code of each
// instruction set; and the rounding of rows, special values included.
//
// A machine without vpdpbusd runs that code all the same: its one instruction
// is replaced by what Intel's manual says that it computes, and all else of the
// kernel stays as it is.
//
//===----------------------------------------------------------------------===//

#include "compiler/Image/Packing.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "test/passes/CPU/Models.h"
#include "test/passes/CPU/OneKernel.h"
#include "test/passes/Testing/RandomWeights.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace corellama::test {
namespace {

using Q8B32 = llama::Q8B32Type;
using llama::PlaneKind;

constexpr int64_t kRows = OneKernel::kRows, kColumns = 512;
constexpr int64_t kWeightRows = OneKernel::kWeightRows;

uint8_t *recordOf(OneKernel &kernel, int64_t row, int64_t block) {
  return kernel.rows() + row * Q8B32::getRowBytes(kColumns) +
         block * Q8B32::kRecordBytes;
}

/// One block of a row, as docs/bits.md has it.
struct Block {
  int8_t quants[32];
  float scale;
  int32_t sums[2]; // of each half

  void setSums() {
    sums[0] = sums[1] = 0;
    for (int k = 0; k < 32; ++k)
      sums[k / 16] += quants[k];
  }
  void write(uint8_t *at) const {
    std::memcpy(at, quants, 32);
    std::memcpy(at + 32, &scale, 4);
    int32_t sum = sums[0] + sums[1], stored[2] = {-128 * sum, -128 * sums[1]};
    float scaled = scale * static_cast<float>(sum);
    std::memcpy(at + 36, stored, 8);
    std::memcpy(at + 44, &scaled, 4);
  }
};
using Row = std::vector<Block>;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// A weight in the image, field by field, by the layout's own places.
class ImageWeight {
public:
  ImageWeight(llama::FormatInterface format, llvm::ArrayRef<uint8_t> source)
      : format(format), facts(format.getFacts()),
        layout(mlir::cast<llama::LayoutInterface>(
            mlir::Attribute(llama::Interleaved16Attr::getFor(format)))) {
    auto packer = llvm::cantFail(
        image::Packer::create(format, layout, kWeightRows, kColumns));
    bytes.resize(packer.bytes());
    packer.pack(0, packer.tileCount(), source, bytes);
  }

  /// Every quant becomes the smallest or the largest one.
  void setQuants(llvm::function_ref<bool(int64_t, int64_t)> isLargest) {
    for (unsigned plane : facts.planesOf(PlaneKind::Quants)) {
      unsigned bits = facts.planes[plane].bits;
      bool isSigned = facts.planes[plane].type == llama::FieldType::Signed;
      uint32_t ones = (1u << bits) - 1, top = 1u << (bits - 1);
      uint32_t largest = isSigned ? ones ^ top : ones;
      uint32_t smallest = isSigned ? top : 0;
      if (auto table = facts.planes[plane].table; !table.empty()) {
        auto [least, greatest] =
            std::minmax_element(table.begin(), table.end());
        largest = static_cast<uint32_t>(greatest - table.begin());
        smallest = static_cast<uint32_t>(least - table.begin());
      }
      for (int64_t r = 0; r < kWeightRows; ++r)
        for (int64_t c = 0; c < kColumns; ++c)
          write(plane, r, c, isLargest(r, c) ? largest : smallest);
    }
  }

  int32_t quant(int64_t r, int64_t c) const {
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
  float levels(PlaneKind kind, int64_t r, int64_t c) const {
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
  /// Row r times a row of x, by the formula.
  float product(int64_t r, const Row &x) const {
    float acc = 0;
    int64_t scaleBlock = facts.scaleBlock();
    for (int64_t from = 0; from < kColumns; from += scaleBlock) {
      const Block &block = x[from / 32];
      int32_t isum = 0, sum = 0;
      for (int64_t c = from; c < from + scaleBlock; ++c) {
        isum += quant(r, c) * block.quants[c % 32];
        sum += block.quants[c % 32];
      }
      float factor = levels(PlaneKind::Scales, r, from) * block.scale;
      acc = std::fma(static_cast<float>(isum), factor, acc);
      if (facts.has(PlaneKind::Minima)) {
        float other = block.scale * static_cast<float>(sum);
        acc = std::fma(levels(PlaneKind::Minima, r, from), other, acc);
      }
    }
    return acc;
  }

  std::vector<uint8_t> bytes;

private:
  llama::BitPosition place(unsigned plane, int64_t r, int64_t c) const {
    return layout.locate(format, kWeightRows, kColumns, plane, r, c);
  }
  uint32_t read(unsigned plane, int64_t r, int64_t c) const {
    llama::BitPosition at = place(plane, r, c);
    unsigned bits = facts.planes[plane].bits;
    uint32_t value = bytes[at.byte];
    if (bits == 16)
      return value | static_cast<uint32_t>(bytes[at.byte + 1]) << 8;
    return value >> at.bit & ((1u << bits) - 1);
  }
  void write(unsigned plane, int64_t r, int64_t c, uint32_t value) {
    llama::BitPosition at = place(plane, r, c);
    uint32_t mask = ((1u << facts.planes[plane].bits) - 1) << at.bit;
    bytes[at.byte] = static_cast<uint8_t>((bytes[at.byte] & ~mask) |
                                          (value << at.bit & mask));
  }

  llama::FormatInterface format;
  const llama::FormatFacts &facts;
  llama::LayoutInterface layout;
};

/// AVX2, AVX-VNNI and AVX-512 VNNI.
constexpr const char *kForms[] = {"x86-64-v3", "alderlake", "sapphirerapids"};

class DotU8S8Test
    : public testing::TestWithParam<std::tuple<size_t, const char *>> {
protected:
  void SetUp() override { makeKernel(); }
  void makeKernel() {
    auto [index, target] = GetParam();
    const llama::FormatFacts &facts = *llama::findFormat(
        llama::reference::formatName(kFormatCases[index].format));
    if (!facts.has(PlaneKind::Scales))
      GTEST_SKIP() << facts.name.str() << " has no quants";
    format = llama::getFormat(&kernelContext(), facts);
    std::string name = facts.name.str(), message;
    std::string weight = "!llama.weight<16x512, #llama." + name + ">";
    std::string body = R"mlir(
    %y = tile.buffer %ctx @x at 0 : memref<3x16xf32>
    %w = tile.weight %ctx @w : <16x512, #llama.FORMAT> in #llama.interleaved16<k = 4> index 0
    %one = tile.contract %rows[%c0], %w[%c0] order ORDER : <3x512x!llama.q8b32>, WEIGHT -> vector<1x16xf32>
    tile.store %one, %y[%c0, %c0] : vector<1x16xf32>, memref<3x16xf32>
    %two = tile.contract %rows[%c1], %w[%c0] order ORDER : <3x512x!llama.q8b32>, WEIGHT -> vector<2x16xf32>
    tile.store %two, %y[%c1, %c0] : vector<2x16xf32>, memref<3x16xf32>
)mlir";
    auto replace = [&](llvm::StringRef what, const std::string &with) {
      for (size_t at; (at = body.find(what)) != std::string::npos;)
        body.replace(at, what.size(), with);
    };
    if (byMatrices)
      body = R"mlir(
    %y = tile.buffer %ctx @x at 0 : memref<16x16xf32>
    %w = tile.weight %ctx @w : <16x512, #llama.FORMAT> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <16x512, #llama.FORMAT> -> <16x512, #llama.FORMAT, #cpu.dot_u8s8>
    %all = tile.contract %rows[%c0], %p[%c0] order ORDER : <16x512x!llama.q8b32>, !tile.panel<16x512, #llama.FORMAT, #cpu.dot_u8s8> -> vector<16x16xf32>
    tile.store %all, %y[%c0, %c0] : vector<16x16xf32>, memref<16x16xf32>
)mlir";
    replace("FORMAT", name);
    replace("WEIGHT", weight);
    replace("ORDER", "<unit = #cpu.dot_u8s8, block = " +
                         std::to_string(facts.scaleBlock()) +
                         ", scale = outer>");
    ImageWeight sized(format, source());
    OneKernel::Choice choice{target, "!llama.q8b32", kColumns, body,
                             sized.bytes.size()};
    choice.rows = byMatrices ? 16 : kRows;
    choice.change = [&](mlir::ModuleOp module) { planted = plant(module); };
    kernel = OneKernel::make(choice, message);
    ASSERT_TRUE(kernel.module) << message;
    // Where the instruction is replaced, it was there.
    EXPECT_EQ(kernel.expanded > 0, kernel.isExpanded);
  }

  std::vector<uint8_t> source() {
    return randomWeight(kFormatCases[std::get<0>(GetParam())].format,
                        kWeightRows, kColumns, random);
  }

  Row rowOf(llvm::function_ref<int(int64_t)> quant) {
    Row row(kColumns / 32);
    for (int64_t c = 0; c < kColumns; ++c)
      row[c / 32].quants[c % 32] = static_cast<int8_t>(quant(c));
    for (Block &block : row) {
      block.scale = std::uniform_real_distribution<float>(1e-3f, 1)(random);
      block.setSums();
    }
    return row;
  }
  /// Changes ops of the module; how many.
  virtual int plant(mlir::ModuleOp) { return 0; }

  int any() { return std::uniform_int_distribution<int>(-127, 127)(random); }

  /// Runs the kernel; what of its result is not the formula's, if anything.
  std::string differenceOf(const ImageWeight &weight,
                           llvm::ArrayRef<Row> rows) {
    std::copy(weight.bytes.begin(), weight.bytes.end(),
              kernel.context->weights.data());
    const auto count = static_cast<int64_t>(rows.size());
    for (int64_t i = 0; i < count; ++i)
      for (int64_t block = 0; block < kColumns / 32; ++block)
        rows[i][block].write(recordOf(kernel, i, block));
    kernel.run();
    const float *got = kernel.floats();
    for (int64_t i = 0; i < count; ++i)
      for (int64_t r = 0; r < kWeightRows; ++r) {
        float expected = weight.product(r, rows[i]);
        if (std::bit_cast<uint32_t>(got[i * 16 + r]) !=
            std::bit_cast<uint32_t>(expected))
          return llvm::formatv("row {0} of x, row {1}: {2}, expected {3}", i, r,
                               got[i * 16 + r], expected);
      }
    return {};
  }
  void compare(const ImageWeight &weight, llvm::ArrayRef<Row> rows,
               const std::string &what) {
    ASSERT_EQ(differenceOf(weight, rows), "") << what;
  }

  void compareRandom(size_t count) {
    ImageWeight weight(format, source());
    std::vector<Row> rows(count);
    for (Row &row : rows)
      row = rowOf([&](int64_t) { return any(); });
    compare(weight, rows, "random");
  }
  void compareExtremes(size_t count);

  llama::FormatInterface format;
  OneKernel kernel;
  std::mt19937 random{2024};
  /// A tile of 16 rows, multiplied by a panel.
  bool byMatrices = false;
  int planted = 0;
};

TEST_P(DotU8S8Test, GivesTheBitsOfTheFormula) {
  for (int round = 0; round < 4; ++round)
    ASSERT_NO_FATAL_FAILURE(compareRandom(kRows));
}

TEST_P(DotU8S8Test, NothingSaturatesAtTheExtremes) { compareExtremes(kRows); }

void DotU8S8Test::compareExtremes(size_t count) {
  ImageWeight weight(format, source());
  std::vector<Row> rows = {
      rowOf([](int64_t) { return 127; }), rowOf([](int64_t) { return -127; }),
      rowOf([](int64_t c) { return c / 2 % 2 ? 127 : -127; })};
  while (rows.size() < count)
    rows.push_back(rows[rows.size() - 3]);
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
    weight.setQuants(pattern.isLargest);
    ASSERT_NO_FATAL_FAILURE(compare(weight, rows, pattern.name));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, DotU8S8Test,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kForms)),
    nameOfModel);

class ByteMatrixTest : public DotU8S8Test {
protected:
  ByteMatrixTest() { byMatrices = true; }
};

TEST_P(ByteMatrixTest, GivesTheBitsOfTheFormula) {
  ASSERT_NO_FATAL_FAILURE(compareRandom(16));
  compareExtremes(16);
}

INSTANTIATE_TEST_SUITE_P(
    Formats, ByteMatrixTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::Values("sapphirerapids")),
    nameOfModel);

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

// Errors that kernels of quants have had, planted in the ops of a right one.
// The comparison above must see each: all others rely on it.

/// A quant of the first four columns is one too large.
int addOneToQuants(mlir::ModuleOp module) {
  int count = 0;
  module.walk([&](mlir::Operation *op) {
    bool isDot = mlir::isa<cpu::DotU8S8Op>(op);
    if (count > 0 || (!isDot && !mlir::isa<cpu::MultiplyPairsOp>(op)))
      return;
    mlir::ImplicitLocOpBuilder b(op->getLoc(), op);
    mlir::OpOperand &bytes = op->getOpOperand(isDot ? 1 : 0);
    auto type = mlir::cast<mlir::VectorType>(bytes.get().getType());
    auto one = mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(type, b.getI8IntegerAttr(1)));
    bytes.set(mlir::arith::AddIOp::create(b, bytes.get(), one));
    ++count;
  });
  return count;
}

/// Sums of products are multiplied by the scale of the block of x before.
int takeOtherScale(mlir::ModuleOp module) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    if (!fma.getLhs().getDefiningOp<mlir::arith::SIToFPOp>())
      return;
    // factor = scale of the weight * that of x, one number for all lanes.
    auto factor = fma.getRhs().getDefiningOp<mlir::arith::MulFOp>();
    mlir::Operation *op = factor ? factor.getRhs().getDefiningOp() : nullptr;
    while (op && !mlir::isa<mlir::vector::LoadOp>(op))
      op = op->getNumOperands() ? op->getOperand(0).getDefiningOp() : nullptr;
    if (!op)
      return;
    auto load = mlir::cast<mlir::vector::LoadOp>(op);
    mlir::ImplicitLocOpBuilder b(load.getLoc(), load);
    mlir::OpOperand &byte = load.getIndicesMutable()[1];
    auto record = mlir::arith::ConstantIndexOp::create(b, Q8B32::kRecordBytes);
    byte.set(mlir::arith::SubIOp::create(b, byte.get(), record));
    ++count;
  });
  return count;
}

/// The sum of a block of x is not multiplied by the weight's minimum.
int dropMinima(mlir::ModuleOp module) {
  int count = 0;
  module.walk([&](mlir::vector::FMAOp fma) {
    if (fma.getLhs().getDefiningOp<mlir::arith::SIToFPOp>())
      return;
    fma.replaceAllUsesWith(fma.getAcc());
    ++count;
  });
  return count;
}

/// Bytes of 8 bits are made unsigned for vpmaddubsw by adding 128, as for
/// vpdpbusd: its sums of two products saturate.
int saturatePairs(mlir::ModuleOp module) {
  llvm::SmallVector<cpu::MultiplyPairsOp> pairs;
  module.walk([&](cpu::MultiplyPairsOp op) {
    if (op.getOperand(0).getDefiningOp<mlir::math::AbsIOp>())
      pairs.push_back(op);
  });
  for (cpu::MultiplyPairsOp op : pairs) {
    mlir::ImplicitLocOpBuilder b(op.getLoc(), op);
    mlir::Value quants =
        op.getOperand(0).getDefiningOp<mlir::math::AbsIOp>().getOperand();
    mlir::Value x = op.getOperand(1).getDefiningOp()->getOperand(0);
    auto type = mlir::cast<mlir::VectorType>(quants.getType());
    auto bias = mlir::arith::ConstantOp::create(
        b, mlir::DenseElementsAttr::get(type, b.getI8IntegerAttr(-128)));
    mlir::Value bytes = mlir::arith::XOrIOp::create(b, quants, bias);
    mlir::Value sum = cpu::MultiplyPairsOp::create(b, bytes, x);
    mlir::Value toSubtract = cpu::MultiplyPairsOp::create(b, bias, x);
    op.replaceAllUsesWith(
        mlir::arith::SubIOp::create(b, sum, toSubtract).getResult());
  }
  return static_cast<int>(pairs.size());
}

struct Fault {
  const char *name;
  int (*plant)(mlir::ModuleOp);
  /// The formats, and the target, whose kernels can have it.
  bool (*applies)(const llama::FormatFacts &, llvm::StringRef target);
};
constexpr Fault kFaults[] = {
    {"a quant off by one", addOneToQuants,
     [](const llama::FormatFacts &, llvm::StringRef) { return true; }},
    {"the scale of the block before", takeOtherScale,
     [](const llama::FormatFacts &, llvm::StringRef) { return true; }},
    {"no minima", dropMinima,
     [](const llama::FormatFacts &facts, llvm::StringRef) {
       return facts.has(PlaneKind::Minima);
     }},
    {"pairs that saturate", saturatePairs,
     [](const llama::FormatFacts &facts, llvm::StringRef target) {
       return target == kForms[0] &&
              facts.planes.front().type == llama::FieldType::Signed;
     }},
};

class PlantedFaultTest : public DotU8S8Test {
protected:
  void SetUp() override {} // once for each fault
  int plant(mlir::ModuleOp module) override { return fault->plant(module); }

  const Fault *fault = nullptr;
};

TEST_P(PlantedFaultTest, IsSeen) {
  auto [index, target] = GetParam();
  const llama::FormatFacts &facts = *llama::findFormat(
      llama::reference::formatName(kFormatCases[index].format));
  if (!facts.has(PlaneKind::Scales))
    GTEST_SKIP() << facts.name.str() << " has no quants";
  for (const Fault &each : kFaults) {
    fault = &each;
    if (!each.applies(facts, target))
      continue;
    ASSERT_NO_FATAL_FAILURE(makeKernel());
    EXPECT_GT(planted, 0) << each.name;
    ImageWeight weight(format, source());
    std::vector<Row> rows(kRows);
    for (Row &row : rows)
      row = rowOf([&](int64_t) { return any(); });
    EXPECT_NE(differenceOf(weight, rows), "") << each.name << " is not seen";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, PlantedFaultTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kForms)),
    nameOfModel);

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

/// A block rounded as docs/bits.md says.
Block roundBlock(const float *x) {
  Block block{};
  float amax = 0;
  bool isFinite = true;
  for (int k = 0; k < 32; ++k) {
    isFinite &= std::isfinite(x[k]);
    amax = std::max(amax, std::abs(x[k]));
  }
  if (!isFinite) {
    block.scale = std::numeric_limits<float>::quiet_NaN();
  } else if (amax >= 0x1p-119f) {
    block.scale = amax / 127.0f;
    float inverse = 127.0f / amax;
    for (int k = 0; k < 32; ++k) {
      // nearbyint is to nearest even, as the tests leave the rounding mode.
      float quant = std::nearbyint(x[k] * inverse);
      EXPECT_LE(std::abs(quant), 127.0f);
      block.quants[k] = static_cast<int8_t>(quant);
    }
  }
  block.setSums();
  return block;
}

class RoundRowsTest : public testing::TestWithParam<const char *> {};

TEST_P(RoundRowsTest, GivesTheBitsOfTheFormula) {
  if (!hostHas(GetParam()))
    GTEST_SKIP() << "this machine does not run " << GetParam();
  std::string message;
  OneKernel kernel =
      OneKernel::make({GetParam(), "!llama.q8b32", kColumns, R"mlir(
    tile.round_rows %x, %rows[%c0, %c0] count %c3 : memref<3x512xf32>, !tile.rows<3x512x!llama.q8b32>
)mlir"},
                      message);
  ASSERT_TRUE(kernel.module) << message;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  constexpr float kSmall = 0x1p-119f;
  // Blocks of zeros with the given values in front, the rest as the first says.
  std::vector<std::vector<float>> special = {
      {0.0f, -0.0f},
      {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -126.5f},
      {254.0f, 1.0f, 3.0f, 5.0f, -253.0f},
      {kSmall, -kSmall / 2},
      {std::nextafter(kSmall, 0.0f)},
      {std::nextafter(kSmall, 1.0f), kSmall},
      {1e-40f, -1e-45f},
      {std::numeric_limits<float>::max(), -1e38f, 1.0f},
      {kInfinity, 1.0f},
      {1.0f, -kInfinity},
      {2.0f, kNaN, -3.0f},
      {2.0f, -kNaN},
      {-1.0f, 1.0f, std::nextafter(1.0f, 0.0f)},
  };
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
                  x + 32 * block + (block % 2 ? 20 : 0));
      }
    kernel.run();
    for (int64_t i = 0; i < kRows; ++i)
      for (int64_t block = 0; block < kColumns / 32; ++block) {
        uint8_t expected[48];
        roundBlock(x + i * kColumns + 32 * block).write(expected);
        ASSERT_EQ(std::memcmp(recordOf(kernel, i, block), expected, 48), 0)
            << "round " << round << " row " << i << " block " << block;
      }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, RoundRowsTest, testing::ValuesIn(kTargets),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace corellama::test
