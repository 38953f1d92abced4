//===- GroupLoads.cpp - the loads of each format in interleaved16 ---------===//
//
// One model a format. Offsets are those of LlamaLayouts.cpp; a test compares
// what is emitted with `locate` for every field.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/GroupLoads.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

#include "passes/CPU/GroupLoads.cpp.inc"

namespace {

using Visit = llvm::function_ref<void(int64_t, Value)>;

/// Emits integer and float arithmetic on 16 lanes or on one.
struct Emitter {
  const GroupStream &stream;
  ImplicitLocOpBuilder &b = stream.b;

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value mul(Value x, int64_t y) {
    return arith::MulIOp::create(b, x, index(y));
  }
  Value div(Value x, int64_t y) {
    return arith::DivUIOp::create(b, x, index(y));
  }
  Value rem(Value x, int64_t y) {
    return arith::RemUIOp::create(b, x, index(y));
  }

  /// `value` in all lanes of `like`'s type.
  Value constant(Type type, int32_t value) {
    IntegerAttr scalar = b.getI32IntegerAttr(value);
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(
          b, DenseElementsAttr::get(vector, scalar.getValue()));
    return arith::ConstantOp::create(b, scalar);
  }
  Value shiftRight(Value x, int64_t bits) {
    return bits ? arith::ShRUIOp::create(b, x, constant(x.getType(), bits))
                      .getResult()
                : x;
  }
  Value mask(Value x, int32_t bits) {
    return arith::AndIOp::create(b, x, constant(x.getType(), bits));
  }
  Value toFloat(Value x) {
    Type type = b.getF32Type();
    if (auto vector = dyn_cast<VectorType>(x.getType()))
      type = VectorType::get(vector.getShape(), type);
    return arith::SIToFPOp::create(b, type, x);
  }

  /// `count` bytes at group + offset as lanes of `element`.
  Value load(Value offset, int64_t lanes, Type element) {
    int64_t bytes = lanes * element.getIntOrFloatBitWidth() / 8;
    auto raw = VectorType::get({bytes}, b.getI8Type());
    Value at = stream.group ? add(stream.group, offset) : offset;
    Value v = vector::LoadOp::create(b, raw, stream.memory, ValueRange{at});
    return vector::BitCastOp::create(b, VectorType::get({lanes}, element), v);
  }
  Value lanes32(Value offset) { return load(offset, 16, b.getI32Type()); }
  Value halves(Value offset) {
    Value h = load(offset, 16, b.getF16Type());
    return arith::ExtFOp::create(b, VectorType::get({16}, b.getF32Type()), h);
  }

  /// One little-endian scalar at a byte offset of the weight.
  Value scalar(Value offset, Type element) {
    int64_t bytes = element.getIntOrFloatBitWidth() / 8;
    Value v = vector::LoadOp::create(b, VectorType::get({bytes}, b.getI8Type()),
                                     stream.memory, ValueRange{offset});
    Value one = vector::BitCastOp::create(b, VectorType::get({1}, element), v);
    return vector::ExtractOp::create(b, one, 0);
  }
  Value scalarHalf(Value offset) {
    return arith::ExtFOp::create(b, b.getF32Type(),
                                 scalar(offset, b.getF16Type()));
  }
  Value scalarByte(Value offset, bool isSigned) {
    Value byte = scalar(offset, b.getI8Type());
    if (isSigned)
      return arith::ExtSIOp::create(b, b.getI32Type(), byte);
    return arith::ExtUIOp::create(b, b.getI32Type(), byte);
  }
  Value toI32(Value i) {
    return arith::IndexCastOp::create(b, b.getI32Type(), i);
  }
};

/// Byte offset in the weight of the group that a row belongs to.
Value groupOf(Emitter &e, Value row, int64_t groupBytes) {
  return e.mul(e.div(row, 16), groupBytes);
}

//===----------------------------------------------------------------------===//
// F32, F16, BF16: no scales
//===----------------------------------------------------------------------===//

template <typename Model, typename Format>
struct Plain : GroupLoadInterface::ExternalModel<Model, Format> {
  Value emitScale(Attribute, const GroupStream &, Value, int64_t) const {
    return {};
  }
  Value emitMinimum(Attribute, const GroupStream &, Value) const { return {}; }
};

struct F32Loads : Plain<F32Loads, llama::F32Attr> {
  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    Value base = e.mul(block, 32 * 64);
    for (int64_t c = first; c < last; ++c)
      visit(c, e.load(e.add(base, e.index(64 * c)), 16, e.b.getF32Type()));
  }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value at = e.add(groupOf(e, row, 64 * stream.columns),
                     e.add(e.mul(column, 64), e.mul(e.rem(row, 16), 4)));
    return e.scalar(at, e.b.getF32Type());
  }
};

struct F16Loads : Plain<F16Loads, llama::F16Attr> {
  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    Value base = e.mul(block, 32 * 32);
    for (int64_t c = first; c < last; ++c)
      visit(c, e.halves(e.add(base, e.index(32 * c))));
  }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value at = e.add(groupOf(e, row, 32 * stream.columns),
                     e.add(e.mul(column, 32), e.mul(e.rem(row, 16), 2)));
    return e.scalarHalf(at);
  }
};

// A lane holds columns 2p (low half) and 2p + 1 of a row; a bf16 is the upper
// half of an f32, so a shift or a mask decodes it.
struct BF16Loads : Plain<BF16Loads, llama::BF16Attr> {
  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    Value base = e.mul(block, 16 * 64);
    auto floats = VectorType::get({16}, e.b.getF32Type());
    for (int64_t c = first; c < last; ++c) {
      Value pair = e.lanes32(e.add(base, e.index(64 * (c / 2))));
      Value bits = c % 2 ? e.mask(pair, static_cast<int32_t>(0xffff0000u))
                         : arith::ShLIOp::create(e.b, pair,
                                                 e.constant(pair.getType(), 16))
                               .getResult();
      visit(c, vector::BitCastOp::create(e.b, floats, bits));
    }
  }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    int64_t pairs = (stream.columns + 1) / 2;
    Value at = e.add(
        groupOf(e, row, 64 * pairs),
        e.add(e.mul(e.div(column, 2), 64),
              e.add(e.mul(e.rem(row, 16), 4), e.mul(e.rem(column, 2), 2))));
    Value half = arith::ExtUIOp::create(e.b, e.b.getI32Type(),
                                        e.scalar(at, e.b.getI16Type()));
    Value bits =
        arith::ShLIOp::create(e.b, half, e.constant(e.b.getI32Type(), 16));
    return arith::BitcastOp::create(e.b, e.b.getF32Type(), bits);
  }
};

//===----------------------------------------------------------------------===//
// Q8_0
//===----------------------------------------------------------------------===//

struct Q8_0Loads
    : GroupLoadInterface::ExternalModel<Q8_0Loads, llama::Q8_0Attr> {
  static constexpr int64_t kBlock = 544, kQuants = 32;

  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    Value base = e.mul(block, kBlock);
    Value lanes;
    for (int64_t c = first; c < last; ++c) {
      if (!lanes || c % 4 == 0)
        lanes = e.lanes32(e.add(base, e.index(kQuants + 64 * (c / 4))));
      // Byte j to the top, then down with its sign.
      int64_t up = 24 - 8 * (c % 4);
      Value q = lanes;
      if (up)
        q = arith::ShLIOp::create(e.b, q, e.constant(q.getType(), up));
      q = arith::ShRSIOp::create(e.b, q, e.constant(q.getType(), 24));
      visit(c, e.toFloat(q));
    }
  }
  Value emitScale(Attribute, const GroupStream &stream, Value block,
                  int64_t) const {
    Emitter e{stream};
    return e.halves(e.mul(block, kBlock));
  }
  Value emitMinimum(Attribute, const GroupStream &, Value) const { return {}; }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value block = e.add(groupOf(e, row, stream.columns / 32 * kBlock),
                        e.mul(e.div(column, 32), kBlock));
    Value r = e.rem(row, 16), c = e.rem(column, 32);
    Value at =
        e.add(e.add(block, e.index(kQuants)),
              e.add(e.mul(e.div(c, 4), 64), e.add(e.mul(r, 4), e.rem(c, 4))));
    Value q = e.toFloat(e.scalarByte(at, /*isSigned=*/true));
    Value scale = e.scalarHalf(e.add(block, e.mul(r, 2)));
    return arith::MulFOp::create(e.b, scale, q);
  }
};

//===----------------------------------------------------------------------===//
// Q4_0, Q4_1: nibbles
//===----------------------------------------------------------------------===//

/// A 4-bit quant q stands for q + offset.
void emitNibbles(const GroupStream &stream, Value quants, int32_t offset,
                 int64_t first, int64_t last, Visit visit) {
  Emitter e{stream};
  Value table;
  if (stream.tables) {
    SmallVector<float> values;
    for (int32_t q = 0; q < 16; ++q)
      values.push_back(static_cast<float>(q + offset));
    table = arith::ConstantOp::create(
        e.b, DenseElementsAttr::get(VectorType::get({16}, e.b.getF32Type()),
                                    llvm::ArrayRef<float>(values)));
  }
  Value lanes;
  for (int64_t c = first; c < last; ++c) {
    int64_t low = c % 16;
    if (!lanes || low % 4 == 0)
      lanes = e.lanes32(e.add(quants, e.index(64 * (low / 4))));
    Value q = e.shiftRight(lanes, 8 * (low % 4) + (c < 16 ? 0 : 4));
    if (table) {
      visit(c, Lookup16Op::create(e.b, table, q));
      continue;
    }
    q = e.mask(q, 15);
    if (offset)
      q = arith::AddIOp::create(e.b, q, e.constant(q.getType(), offset));
    visit(c, e.toFloat(q));
  }
}

/// The nibble of (row, column) of a block as f32.
Value nibbleValue(Emitter &e, Value quants, Value r, Value c, int32_t offset) {
  Value low = e.rem(c, 16);
  Value at = e.add(quants, e.add(e.mul(e.div(low, 4), 64),
                                 e.add(e.mul(r, 4), e.rem(low, 4))));
  Value byte = e.scalarByte(at, /*isSigned=*/false);
  Value shift = e.toI32(e.mul(e.div(c, 16), 4));
  Value q = e.mask(arith::ShRUIOp::create(e.b, byte, shift), 15);
  if (offset)
    q = arith::AddIOp::create(e.b, q, e.constant(q.getType(), offset));
  return e.toFloat(q);
}

struct Q4_0Loads
    : GroupLoadInterface::ExternalModel<Q4_0Loads, llama::Q4_0Attr> {
  static constexpr int64_t kBlock = 288, kQuants = 32;

  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    emitNibbles(stream, e.add(e.mul(block, kBlock), e.index(kQuants)), -8,
                first, last, visit);
  }
  Value emitScale(Attribute, const GroupStream &stream, Value block,
                  int64_t) const {
    Emitter e{stream};
    return e.halves(e.mul(block, kBlock));
  }
  Value emitMinimum(Attribute, const GroupStream &, Value) const { return {}; }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value block = e.add(groupOf(e, row, stream.columns / 32 * kBlock),
                        e.mul(e.div(column, 32), kBlock));
    Value r = e.rem(row, 16);
    Value q = nibbleValue(e, e.add(block, e.index(kQuants)), r,
                          e.rem(column, 32), -8);
    return arith::MulFOp::create(e.b, e.scalarHalf(e.add(block, e.mul(r, 2))),
                                 q);
  }
};

struct Q4_1Loads
    : GroupLoadInterface::ExternalModel<Q4_1Loads, llama::Q4_1Attr> {
  static constexpr int64_t kBlock = 320, kMinima = 32, kQuants = 64;

  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    emitNibbles(stream, e.add(e.mul(block, kBlock), e.index(kQuants)), 0, first,
                last, visit);
  }
  Value emitScale(Attribute, const GroupStream &stream, Value block,
                  int64_t) const {
    Emitter e{stream};
    return e.halves(e.mul(block, kBlock));
  }
  Value emitMinimum(Attribute, const GroupStream &stream, Value block) const {
    Emitter e{stream};
    return e.halves(e.add(e.mul(block, kBlock), e.index(kMinima)));
  }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value block = e.add(groupOf(e, row, stream.columns / 32 * kBlock),
                        e.mul(e.div(column, 32), kBlock));
    Value r = e.rem(row, 16);
    Value q =
        nibbleValue(e, e.add(block, e.index(kQuants)), r, e.rem(column, 32), 0);
    Value scale = e.scalarHalf(e.add(block, e.mul(r, 2)));
    Value minimum =
        e.scalarHalf(e.add(e.add(block, e.index(kMinima)), e.mul(r, 2)));
    // The product of an 11-bit scale and a 4-bit quant is exact.
    return arith::AddFOp::create(e.b, arith::MulFOp::create(e.b, scale, q),
                                 minimum);
  }
};

//===----------------------------------------------------------------------===//
// Q6_K
//===----------------------------------------------------------------------===//

struct Q6_KLoads
    : GroupLoadInterface::ExternalModel<Q6_KLoads, llama::Q6_KAttr> {
  /// 16 rows x 256 columns: d, scales, then 8 pairs of 16-column parts.
  static constexpr int64_t kSuperBlock = 3360, kScales = 32, kQuants = 288,
                           kPair = 384, kHigh = 256;

  void emitQuants(Attribute, const GroupStream &stream, Value block,
                  int64_t first, int64_t last, Visit visit) const {
    Emitter e{stream};
    Value pair =
        e.add(e.add(e.mul(e.div(block, 8), kSuperBlock), e.index(kQuants)),
              e.mul(e.rem(block, 8), kPair));
    for (int64_t c = first; c < last; ++c) {
      int64_t part = c / 16, p = c % 16 / 4, j = c % 4;
      Value low = e.lanes32(e.add(pair, e.index(64 * p)));
      Value high = e.lanes32(e.add(pair, e.index(kHigh + 64 * part)));
      low = e.mask(e.shiftRight(low, 8 * j + 4 * part), 15);
      // The two high bits go to bits 4 and 5.
      int64_t from = 8 * j + 2 * p;
      high = from >= 4 ? e.shiftRight(high, from - 4)
                       : arith::ShLIOp::create(
                             e.b, high, e.constant(high.getType(), 4 - from))
                             .getResult();
      high = e.mask(high, 0x30);
      Value q = arith::OrIOp::create(e.b, low, high);
      q = arith::AddIOp::create(e.b, q, e.constant(q.getType(), -32));
      visit(c, e.toFloat(q));
    }
  }
  Value emitScale(Attribute, const GroupStream &stream, Value block,
                  int64_t column) const {
    Emitter e{stream};
    Value super = e.mul(e.div(block, 8), kSuperBlock);
    Value part = e.add(e.mul(e.rem(block, 8), 2), e.index(column / 16));
    Value bytes = e.load(e.add(e.add(super, e.index(kScales)), e.mul(part, 16)),
                         16, e.b.getI8Type());
    Value scale = e.toFloat(arith::ExtSIOp::create(
        e.b, VectorType::get({16}, e.b.getI32Type()), bytes));
    return arith::MulFOp::create(e.b, e.halves(super), scale);
  }
  Value emitMinimum(Attribute, const GroupStream &, Value) const { return {}; }
  Value emitValue(Attribute, const GroupStream &stream, Value row,
                  Value column) const {
    Emitter e{stream};
    Value super = e.add(groupOf(e, row, stream.columns / 256 * kSuperBlock),
                        e.mul(e.div(column, 256), kSuperBlock));
    Value r = e.rem(row, 16), inside = e.rem(column, 256),
          c = e.rem(inside, 32);
    Value pair =
        e.add(e.add(super, e.index(kQuants)), e.mul(e.div(inside, 32), kPair));
    Value p = e.div(e.rem(c, 16), 4), j = e.rem(c, 4), part = e.div(c, 16);
    Value inLane = e.add(e.mul(r, 4), j);
    Value low = e.scalarByte(e.add(pair, e.add(e.mul(p, 64), inLane)), false);
    low = e.mask(arith::ShRUIOp::create(e.b, low, e.toI32(e.mul(part, 4))), 15);
    Value high = e.scalarByte(
        e.add(e.add(pair, e.index(kHigh)), e.add(e.mul(part, 64), inLane)),
        false);
    high = e.mask(arith::ShRUIOp::create(e.b, high, e.toI32(e.mul(p, 2))), 3);
    high = arith::ShLIOp::create(e.b, high, e.constant(high.getType(), 4));
    Value q = arith::AddIOp::create(e.b, arith::OrIOp::create(e.b, low, high),
                                    e.constant(low.getType(), -32));
    Value at = e.add(e.add(super, e.index(kScales)),
                     e.add(e.mul(e.div(inside, 16), 16), r));
    Value scale =
        arith::MulFOp::create(e.b, e.scalarHalf(e.add(super, e.mul(r, 2))),
                              e.toFloat(e.scalarByte(at, true)));
    return arith::MulFOp::create(e.b, scale, e.toFloat(q));
  }
};

} // namespace

void cpu::registerGroupLoads(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, llama::LlamaDialect *) {
    llama::F32Attr::attachInterface<F32Loads>(*context);
    llama::F16Attr::attachInterface<F16Loads>(*context);
    llama::BF16Attr::attachInterface<BF16Loads>(*context);
    llama::Q8_0Attr::attachInterface<Q8_0Loads>(*context);
    llama::Q4_0Attr::attachInterface<Q4_0Loads>(*context);
    llama::Q4_1Attr::attachInterface<Q4_1Loads>(*context);
    llama::Q6_KAttr::attachInterface<Q6_KLoads>(*context);
  });
}
