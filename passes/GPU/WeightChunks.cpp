//===- WeightChunks.cpp - how a thread reads a format ---------------------===//
//
// Conversions cost no more than two or three instructions of full rate a
// number: an SM that reads at full bandwidth sees 19 weights of 8 bits or 37 of
// 4 bits a clock, and converts only 16 integers to float.
//
//===----------------------------------------------------------------------===//

#include "passes/GPU/WeightChunks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama;
using corellama::gpu::ChunkFormat;

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

Value ChunkFormat::quant(ImplicitLocOpBuilder &b, Value memory, Value first,
                         Value column) const {
  Value x =
      memref::LoadOp::create(b, memory, ValueRange{add(b, first, column)});
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
  Values quants(ImplicitLocOpBuilder &b, Value words, int64_t) const override {
    Values found;
    for (int64_t i = 0; i < 4; ++i)
      found.push_back(
          asFloat(b, vector::ExtractOp::create(b, words, i).getResult()));
    return found;
  }
};

struct F16Chunks : ChunkFormat {
  int64_t columns() const override { return 8; }
  Type storage(MLIRContext *context) const override {
    return Float16Type::get(context);
  }
  Values quants(ImplicitLocOpBuilder &b, Value words,
                int64_t group) const override {
    Value halves = vector::BitCastOp::create(
        b, VectorType::get({8}, b.getF16Type()), words);
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
  Values quants(ImplicitLocOpBuilder &b, Value words,
                int64_t group) const override {
    // The upper half of a float: shifted or masked into place.
    Values found;
    for (int64_t i = 0; i < 2; ++i) {
      Value pair = vector::ExtractOp::create(b, words, 2 * group + i);
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
  Values quants(ImplicitLocOpBuilder &b, Value words,
                int64_t group) const override {
    // q + 128 is q with its sign bit turned.
    Value word = vector::ExtractOp::create(b, words, group);
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
  Values quants(ImplicitLocOpBuilder &b, Value words,
                int64_t group) const override {
    Value word = vector::ExtractOp::create(b, words, group % 4);
    Values found;
    for (unsigned i = 0; i < 4; ++i)
      found.push_back(
          magicFloat(b, word, 8 * i + (group < 4 ? 0 : 4), 0xF, zero));
    return found;
  }
  Value quant(ImplicitLocOpBuilder &b, Value memory, Value first,
              Value column) const override {
    auto div = [&](Value x, int64_t y) -> Value {
      return arith::DivUIOp::create(b, x, index(b, y));
    };
    auto rem = [&](Value x, int64_t y) -> Value {
      return arith::RemUIOp::create(b, x, index(b, y));
    };
    Value block = arith::MulIOp::create(b, div(column, 32), index(b, 16));
    Value at = add(b, first, add(b, block, rem(column, 16)));
    Value byte = memref::LoadOp::create(b, memory, ValueRange{at});
    Value word = arith::ExtUIOp::create(b, b.getI32Type(), byte);
    Value high =
        arith::IndexCastOp::create(b, b.getI32Type(), div(rem(column, 32), 16));
    word = arith::ShRUIOp::create(
        b, word, arith::MulIOp::create(b, high, i32(b, 4)).getResult());
    return magicFloat(b, word, 0, 0xF, zero);
  }
  uint32_t zero;
};

} // namespace

const ChunkFormat *ChunkFormat::get(llama::FormatInterface format) {
  static const F32Chunks f32;
  static const F16Chunks f16;
  static const BF16Chunks bf16;
  static const Q8_0Chunks q8_0;
  static const NibbleChunks q4_0(8), q4_1(0);
  return llvm::TypeSwitch<Attribute, const ChunkFormat *>(format)
      .Case<llama::F32Attr>([](auto) { return &f32; })
      .Case<llama::F16Attr>([](auto) { return &f16; })
      .Case<llama::BF16Attr>([](auto) { return &bf16; })
      .Case<llama::Q8_0Attr>([](auto) { return &q8_0; })
      .Case<llama::Q4_0Attr>([](auto) { return &q4_0; })
      .Case<llama::Q4_1Attr>([](auto) { return &q4_1; })
      .Default([](Attribute) { return nullptr; });
}
