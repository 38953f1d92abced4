//===- WeightChunks.cpp - how a thread reads a format ---------------------===//
//
// Conversions cost no more than two or three instructions of full rate a
// number: an SM of an H100 that reads at full bandwidth sees 12 weights of 8
// bits or 23 of 4 bits a clock, and converts only 16 integers to float.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/WeightChunks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::ChunkWords;
using corellama::cuda::PlaneRow;

using Values = SmallVector<Value>;

static Value i32(ImplicitLocOpBuilder &b, uint32_t value) {
  return arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
static Value index(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}
static Value add(ImplicitLocOpBuilder &b, Value x, Value y) {
  return arith::AddIOp::create(b, x, y);
}
static Value div(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return arith::DivUIOp::create(b, x, index(b, y));
}
static Value rem(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return arith::RemUIOp::create(b, x, index(b, y));
}
static Value mul(ImplicitLocOpBuilder &b, Value x, int64_t y) {
  return arith::MulIOp::create(b, x, index(b, y));
}
static Value asFloat(ImplicitLocOpBuilder &b, Value word) {
  return arith::BitcastOp::create(b, b.getF32Type(), word);
}
static Value f32(ImplicitLocOpBuilder &b, float value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

/// 2^23 as a word: a small unsigned number in its low bits is the float
/// 2^23 + number, exactly, so that taking 2^23 away converts it without a
/// conversion. `zero` is what stands for 0 and is taken away with it.
static Value magicFloat(ImplicitLocOpBuilder &b, Value word, unsigned shift,
                        uint32_t mask, uint32_t zero) {
  constexpr uint32_t kMagic = 0x4B000000;
  constexpr float kTwo23 = 8388608.0f;
  if (shift)
    word = arith::ShRUIOp::create(b, word, i32(b, shift));
  word = arith::AndIOp::create(b, word, i32(b, mask));
  word = arith::OrIOp::create(b, word, i32(b, kMagic));
  return arith::SubFOp::create(b, asFloat(b, word),
                               f32(b, kTwo23 + static_cast<float>(zero)));
}

/// `bits` bits of the byte at a place of a row, from bit `shift` (index) on, as
/// i32.
static Value bitsAt(ImplicitLocOpBuilder &b, const PlaneRow &row, Value at,
                    Value shift, unsigned bits) {
  Value place = add(b, row.first, at);
  Value byte = memref::LoadOp::create(b, row.memory, ValueRange{place});
  Value word = arith::ExtUIOp::create(b, b.getI32Type(), byte);
  Value by = arith::IndexCastOp::create(b, b.getI32Type(), shift);
  word = arith::ShRUIOp::create(b, word, by);
  return arith::AndIOp::create(b, word, i32(b, (1u << bits) - 1));
}

Value ChunkFormat::quant(ImplicitLocOpBuilder &b, ArrayRef<PlaneRow> planes,
                         Value column) const {
  Value at = add(b, planes[0].first, column);
  Value x = memref::LoadOp::create(b, planes[0].memory, ValueRange{at});
  if (x.getType().isF32())
    return x;
  if (isa<FloatType>(x.getType()))
    return arith::ExtFOp::create(b, b.getF32Type(), x);
  return arith::SIToFPOp::create(b, b.getF32Type(), x);
}

namespace {

struct F32Chunks : ChunkFormat {
  int64_t columns() const override { return 4; }
  Type storage(MLIRContext *context) const override {
    return Float32Type::get(context);
  }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t) const override {
    Values found;
    for (int64_t i = 0; i < 4; ++i)
      found.push_back(asFloat(
          b, vector::ExtractOp::create(b, words.quants, i).getResult()));
    return found;
  }
};

struct F16Chunks : ChunkFormat {
  int64_t columns() const override { return 8; }
  Type storage(MLIRContext *context) const override {
    return Float16Type::get(context);
  }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t group) const override {
    Value halves = vector::BitCastOp::create(
        b, VectorType::get({8}, b.getF16Type()), words.quants);
    Values found;
    for (int64_t i = 0; i < 4; ++i)
      found.push_back(arith::ExtFOp::create(
          b, b.getF32Type(),
          vector::ExtractOp::create(b, halves, 4 * group + i).getResult()));
    return found;
  }
};

struct BF16Chunks : ChunkFormat {
  int64_t columns() const override { return 8; }
  Type storage(MLIRContext *context) const override {
    return BFloat16Type::get(context);
  }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t group) const override {
    // The upper half of a float: shifted or masked into place.
    Values found;
    for (int64_t i = 0; i < 2; ++i) {
      Value pair = vector::ExtractOp::create(b, words.quants, 2 * group + i);
      found.push_back(
          asFloat(b, arith::ShLIOp::create(b, pair, i32(b, 16)).getResult()));
      found.push_back(asFloat(
          b, arith::AndIOp::create(b, pair, i32(b, 0xFFFF0000)).getResult()));
    }
    return found;
  }
};

struct Q8_0Chunks : ChunkFormat {
  int64_t columns() const override { return 16; }
  Type storage(MLIRContext *context) const override {
    return IntegerType::get(context, 8);
  }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t group) const override {
    // q + 128 is q with its sign bit turned.
    Value word = vector::ExtractOp::create(b, words.quants, group);
    word = arith::XOrIOp::create(b, word, i32(b, 0x80808080));
    Values found;
    for (unsigned i = 0; i < 4; ++i)
      found.push_back(magicFloat(b, word, 8 * i, 0xFF, 128));
    return found;
  }
};

/// Blocks of 32 columns in 16 bytes: byte j has column j low, j + 16 high.
struct NibbleChunks : ChunkFormat {
  explicit NibbleChunks(uint32_t zero) : zero(zero) {}
  int64_t columns() const override { return 32; }
  Type storage(MLIRContext *context) const override {
    return IntegerType::get(context, 8);
  }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t group) const override {
    Value word = vector::ExtractOp::create(b, words.quants, group % 4);
    Values found;
    for (unsigned i = 0; i < 4; ++i)
      found.push_back(
          magicFloat(b, word, 8 * i + (group < 4 ? 0 : 4), 0xF, zero));
    return found;
  }
  Value quant(ImplicitLocOpBuilder &b, ArrayRef<PlaneRow> planes,
              Value column) const override {
    return magicFloat(b, nibble(b, planes[0], column), 0, 0xF, zero);
  }

protected:
  static Value nibble(ImplicitLocOpBuilder &b, const PlaneRow &row,
                      Value column) {
    Value at = add(b, mul(b, div(b, column, 32), 16), rem(b, column, 16));
    Value shift = mul(b, div(b, rem(b, column, 32), 16), 4);
    return bitsAt(b, row, at, shift, 4);
  }

private:
  uint32_t zero;
};

/// Low bits as nibbles, two high bits in 8 bytes more, whose word h has those
/// of columns 16 h + 4 g + j at bit 8 j + 2 g.
struct Q6_KChunks : NibbleChunks {
  Q6_KChunks() : NibbleChunks(kZero) {}
  int64_t highChunks() const override { return 2; }
  Values quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                int64_t group) const override {
    int64_t half = group / 4, quarter = group % 4;
    auto wordOf = [&](int64_t part) -> Value {
      return vector::ExtractOp::create(b, words.high, 2 * part + half);
    };
    Value isSecond = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                           words.part, index(b, 0));
    Value high =
        arith::SelectOp::create(b, isSecond, wordOf(1), wordOf(0)).getResult();
    // To bits 4 and 5 of each byte, then four bytes at once.
    if (quarter < 2)
      high = arith::ShLIOp::create(b, high, i32(b, 4 - 2 * quarter));
    else if (quarter > 2)
      high = arith::ShRUIOp::create(b, high, i32(b, 2 * quarter - 4));
    high = arith::AndIOp::create(b, high, i32(b, 0x30303030));
    Value low = vector::ExtractOp::create(b, words.quants, quarter);
    if (half)
      low = arith::ShRUIOp::create(b, low, i32(b, 4));
    low = arith::AndIOp::create(b, low, i32(b, 0x0F0F0F0F));
    Value word = arith::OrIOp::create(b, low, high);
    Values found;
    for (unsigned i = 0; i < 4; ++i)
      found.push_back(magicFloat(b, word, 8 * i, 0xFF, kZero));
    return found;
  }
  Value quant(ImplicitLocOpBuilder &b, ArrayRef<PlaneRow> planes,
              Value column) const override {
    Value half = div(b, rem(b, column, 32), 16);
    Value at = add(b, mul(b, div(b, column, 32), 8),
                   add(b, mul(b, half, 4), rem(b, column, 4)));
    Value shift = mul(b, div(b, rem(b, column, 16), 4), 2);
    Value high =
        arith::ShLIOp::create(b, bitsAt(b, planes[1], at, shift, 2), i32(b, 4));
    Value word = arith::OrIOp::create(b, nibble(b, planes[0], column), high);
    return magicFloat(b, word, 0, 0xFF, kZero);
  }

private:
  static constexpr uint32_t kZero = 32;
};

} // namespace

const ChunkFormat *ChunkFormat::get(llama::FormatInterface format) {
  static const F32Chunks f32;
  static const F16Chunks f16;
  static const BF16Chunks bf16;
  static const Q8_0Chunks q8_0;
  static const NibbleChunks q4_0(8), q4_1(0);
  static const Q6_KChunks q6_k;
  return llvm::TypeSwitch<Attribute, const ChunkFormat *>(format)
      .Case<llama::F32Attr>([](auto) { return &f32; })
      .Case<llama::F16Attr>([](auto) { return &f16; })
      .Case<llama::BF16Attr>([](auto) { return &bf16; })
      .Case<llama::Q8_0Attr>([](auto) { return &q8_0; })
      .Case<llama::Q4_0Attr>([](auto) { return &q4_0; })
      .Case<llama::Q4_1Attr>([](auto) { return &q4_1; })
      .Case<llama::Q6_KAttr>([](auto) { return &q6_k; })
      .Default([](Attribute) { return nullptr; });
}
