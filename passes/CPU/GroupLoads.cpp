//===- GroupLoads.cpp - how the CPU reads a weight in interleaved16 -------===//
//
// See GroupLoads.h. Three idioms serve every format: 32-bit lanes, one a row,
// from which a column's bits are shifted and masked (products of floats); the
// same lanes as four bytes or two bf16, whose columns have their bits at one
// place (products of bytes and of bf16); and single fields (tile.decode). Three
// special ones have a reason beside them: 16 halves are converted by one
// instruction; a bf16 is the upper half of a float; quants of up to 4 bits are
// looked up where a table of 16 floats is one register. A test reads back every
// field of every format.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/GroupLoads.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;
using llama::FieldType;
using llama::Plane;
using llama::PlaneKind;
using llama::Stride;

//===----------------------------------------------------------------------===//
// Arithmetic on 16 lanes or on one
//===----------------------------------------------------------------------===//

static Value shiftLeft(VectorBuilder &b, Value x, int64_t bits) {
  return bits == 0 ? x
                   : arith::ShLIOp::create(b, x, b.constant(x.getType(), bits))
                         .getResult();
}
static Value shiftRight(VectorBuilder &b, Value x, int64_t bits) {
  return bits == 0 ? x
                   : arith::ShRUIOp::create(b, x, b.constant(x.getType(), bits))
                         .getResult();
}
static Value mask(VectorBuilder &b, Value x, uint32_t bits) {
  return arith::AndIOp::create(
      b, x, b.constant(x.getType(), static_cast<int32_t>(bits)));
}
static Value bias(VectorBuilder &b, Value x, int32_t bias) {
  return bias == 0 ? x
                   : arith::AddIOp::create(b, x, b.constant(x.getType(), bias))
                         .getResult();
}

/// 2^(e - 128) of a byte e: the exponent field is e - 1; of 0 and 1 the number
/// is subnormal.
static Value exponentBits(VectorBuilder &b, Value e) {
  Value normal = shiftLeft(b, bias(b, e, -1), 23);
  Value subnormal = shiftLeft(b, bias(b, e, 1), 21);
  Value isNormal = arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, e,
                                         b.constant(e.getType(), 1));
  return arith::SelectOp::create(b, isNormal, normal, subnormal);
}

/// As float32, by a conversion or as the same bits.
template <typename CastOp> static Value toFloat(VectorBuilder &b, Value x) {
  auto vector = dyn_cast<VectorType>(x.getType());
  Type type = b.getF32Type();
  return CastOp::create(b, vector ? vector.clone(type) : type, x);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

GroupLoads::GroupLoads(VectorBuilder &b, Value memory, llama::WeightType type,
                       bool tables, Value firstRow)
    : b(b), memory(memory), facts(type.getFormat().getFacts()), tables(tables) {
  auto layout = cast<llama::LayoutInterface>(
      Attribute(llama::Interleaved16Attr::getFor(type.getFormat())));
  // The size of a group is that of a weight of 16 rows.
  groupBytes = *layout.byteSize(type.getFormat(), kLanes, type.getColumns());
  // Rounded up where the last block is not whole.
  blockBytes = llvm::divideCeil(
      groupBytes, llvm::divideCeil(type.getColumns(), kColumnBlock));
  if (firstRow)
    group = b.mul(b.div(firstRow, kLanes), groupBytes);
  for (unsigned plane = 0; plane < facts.planes.size(); ++plane)
    places.push_back(FieldPlace::probe(layout, type, plane));
  last.resize(places.size());
}

/// A number at a byte of the weight.
Value GroupLoads::scalar(Value offset, Type element) {
  return vector::ExtractOp::create(b, b.loadBytes(memory, offset, 1, element),
                                   0);
}

/// The byte of the weight that has bit `bit` of a block of the group, of the
/// plane's fields.
Value GroupLoads::byteOf(Value block, unsigned plane, int64_t bit) {
  Value offset;
  for (const Stride &stride : places[plane].strides) {
    // What the block's number adds; columns inside the block are in `bit`.
    int64_t first = std::max(stride.columns, kColumnBlock);
    int64_t count = stride.columns * stride.count / first;
    if (stride.count != 0 && count <= 1 && stride.columns < kColumnBlock)
      continue;
    Value digit = b.div(block, first / kColumnBlock);
    if (stride.count != 0)
      digit = b.rem(digit, count);
    digit = b.mul(digit, stride.bits * (first / stride.columns) / 8);
    offset = offset ? b.add(offset, digit) : digit;
  }
  offset = b.add(offset, bit / 8);
  return b.add(group, offset);
}

/// 16 numbers of the group, of the plane's fields from bit `bit` of a block on.
Value GroupLoads::lanes(Value block, unsigned plane, int64_t bit,
                        Type element) {
  return b.loadBytes(memory, byteOf(block, plane, bit), kLanes, element);
}

/// The 32-bit lanes that begin at bit `bit` of a block. Loaded again for each
/// column where AVX-512 has a shift or a mask that reads memory in place of a
/// load and a shift: 67 instructions for a panel's block of BF16, not 83; 238
/// of Q6_K, not 248.
Value GroupLoads::dwords(Value block, unsigned plane, int64_t bit) {
  LastLoad &found = last[plane];
  bool folds = tables && (facts.planes.front().isFloat() ||
                          facts.planesOf(PlaneKind::Quants).size() > 1);
  if (folds || !found.lanes || found.block != block || found.bit != bit)
    found = {block, bit, lanes(block, plane, bit, b.getI32Type())};
  return found.lanes;
}

void GroupLoads::prefetch(Value block, int64_t ahead, int64_t groups) {
  Value first = b.add(b.mul(block, blockBytes), ahead);
  if (groups > 1) {
    Value isBehind = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, first,
                                           b.index(groupBytes));
    Value next = b.add(first, (groups - 1) * groupBytes);
    first = arith::SelectOp::create(b, isBehind, next, first);
  }
  first = b.add(group, first);
  for (int64_t at = 0; at < blockBytes; at += kCacheLine)
    b.prefetch(memory, b.add(first, at));
}

//===----------------------------------------------------------------------===//
// Quants
//===----------------------------------------------------------------------===//

/// Bits of a quant, those of all its planes.
unsigned GroupLoads::quantBits() const {
  unsigned bits = 0;
  for (unsigned plane : facts.planesOf(PlaneKind::Quants))
    bits += facts.planes[plane].bits;
  return bits;
}

/// What the lowest four bits of a lane mean: the bits of the quant, whatever is
/// above them. One vpermps with this table is in place of a mask, a subtraction
/// and a conversion, which the products of 4-bit quants are bound by. Null
/// where quants have more bits or such a table is not one register.
Value GroupLoads::makeTable() {
  const Plane &first = facts.planes.front();
  unsigned width = quantBits();
  if (!tables || width > 4)
    return {};
  SmallVector<float> values;
  for (int32_t q = 0; q < kLanes; ++q)
    values.push_back(
        first.table.empty()
            ? static_cast<float>((q & ((1 << width) - 1)) + first.bias)
            : first.table[q]);
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(b.floats(), ArrayRef<float>(values)));
}

void GroupLoads::quants(Value block, int64_t first, int64_t last,
                        llvm::function_ref<void(int64_t, Value)> visit) {
  // A load stays where it was made: another call may be in another block of
  // code.
  this->last.assign(places.size(), {});
  bool isFloat = facts.planes.front().isFloat();
  Value table = isFloat ? Value() : makeTable();
  for (int64_t c = first; c < last; ++c)
    visit(c, isFloat ? floatQuant(block, c) : integerQuant(block, c, table));
}

Value GroupLoads::floatQuant(Value block, int64_t column) {
  int64_t at = places[0].at(column);
  switch (facts.planes.front().type) {
  case FieldType::F32:
    return lanes(block, 0, at, b.getF32Type());
  case FieldType::F16:
    return toFloat<arith::ExtFOp>(b, lanes(block, 0, at, b.getF16Type()));
  default: {
    // A lane holds two columns of a row. A bf16 is the upper half of a float,
    // so a shift or a mask decodes it.
    Value pair = dwords(block, 0, at / 32 * 32);
    return toFloat<arith::BitcastOp>(
        b, at % 32 == 0 ? shiftLeft(b, pair, 16) : mask(b, pair, 0xffff0000u));
  }
  }
}

/// The bits of a quant from all planes, lowest first, at the bottom of its lane
/// or, with `every` = 0x01010101, those of four columns at the bottom of each
/// byte. Where it is not masked, bits of other columns may be above it.
Value GroupLoads::unsignedQuant(Value block, int64_t column, uint32_t every,
                                bool isMasked) {
  SmallVector<unsigned, 2> planes = facts.planesOf(PlaneKind::Quants);
  SmallVector<Value, 2> words;
  for (unsigned plane : planes)
    words.push_back(dwords(block, plane, places[plane].at(column) / 32 * 32));
  // The bits of a plane, from bit `to` on.
  auto fieldAt = [&](unsigned number, unsigned to) {
    unsigned plane = planes[number];
    int64_t from = places[plane].at(column) % 32;
    Value field = from >= to ? shiftRight(b, words[number], from - to)
                             : shiftLeft(b, words[number], to - from);
    if (!isMasked && planes.size() == 1)
      return field;
    return mask(b, field,
                (((1u << facts.planes[plane].bits) - 1) << to) * every);
  };
  Value quant = fieldAt(0, 0);
  unsigned width = facts.planes[planes.front()].bits;
  for (unsigned number = 1; number < planes.size(); ++number) {
    quant = arith::OrIOp::create(b, quant, fieldAt(number, width));
    width += facts.planes[planes[number]].bits;
  }
  return quant;
}

/// What the format's table has for the quants of four columns, a signed byte
/// each, by instructions of 32 bytes.
Value GroupLoads::fourOfTable(Value block, int64_t column) {
  return vector::BitCastOp::create(b, b.vectorOf(b.getI32Type()),
                                   b.lookUpHalves(facts.planes.front().table,
                                                  /*zero=*/0,
                                                  bytes(block, column)));
}

Value GroupLoads::integerQuant(Value block, int64_t column, Value table) {
  const Plane &first = facts.planes.front();
  auto signedField = [&](Value lanes, int64_t from, int64_t bits) {
    // To the top, then down with its sign.
    Value field = shiftLeft(b, lanes, 32 - bits - from);
    return toFloat<arith::SIToFPOp>(
        b, arith::ShRSIOp::create(b, field,
                                  b.constant(field.getType(), 32 - bits)));
  };
  if (first.type == FieldType::Signed) {
    int64_t at = places[0].at(column), from = at % 32;
    return signedField(dwords(block, 0, at - from), from, first.bits);
  }
  if (!first.table.empty() && !table)
    return signedField(fourOfTable(block, column / 4 * 4), column % 4 * 8, 8);
  // A table takes four bits of a lane, whatever is above the quant's.
  Value quant = unsignedQuant(block, column, /*every=*/1, /*isMasked=*/!table);
  if (!table)
    return toFloat<arith::SIToFPOp>(b, bias(b, quant, first.bias));
  return Lookup16Op::create(b, table, quant);
}

Value GroupLoads::bytes(Value block, int64_t column) {
  Value lanes = facts.planes.front().type == FieldType::Signed
                    ? dwords(block, 0, places[0].at(column))
                    : unsignedQuant(block, column, /*every=*/0x01010101,
                                    /*isMasked=*/true);
  return vector::BitCastOp::create(b, b.vectorOf(b.getI8Type(), 4 * kLanes),
                                   lanes);
}

Value GroupLoads::pairs(Value block, int64_t column) {
  return vector::BitCastOp::create(b, b.vectorOf(b.getBF16Type(), 2 * kLanes),
                                   dwords(block, 0, places[0].at(column)));
}

//===----------------------------------------------------------------------===//
// Scales and minima
//===----------------------------------------------------------------------===//

/// The product of a kind's levels, the one that covers the most columns first.
Value GroupLoads::levels(PlaneKind kind,
                         llvm::function_ref<Value(unsigned)> level) {
  SmallVector<Value, 2> factors;
  for (unsigned plane : facts.planesOf(kind))
    factors.push_back(level(plane));
  Value product;
  for (Value factor : llvm::reverse(factors))
    product = product ? arith::MulFOp::create(b, product, factor).getResult()
                      : factor;
  return product;
}

Value GroupLoads::level(Value block, unsigned plane, int64_t column) {
  const Plane &field = facts.planes[plane];
  int64_t at = places[plane].at(column);
  if (field.type == FieldType::F16)
    return toFloat<arith::ExtFOp>(b, lanes(block, plane, at, b.getF16Type()));
  Value bytes = lanes(block, plane, at, b.getI8Type());
  auto words = b.vectorOf(b.getI32Type());
  Value number = field.type == FieldType::Signed
                     ? arith::ExtSIOp::create(b, words, bytes).getResult()
                     : arith::ExtUIOp::create(b, words, bytes).getResult();
  if (field.type == FieldType::Exponent)
    return toFloat<arith::BitcastOp>(b, exponentBits(b, number));
  if (field.imageBits() < 8)
    number =
        mask(b, shiftRight(b, number, at % 8), (1u << field.imageBits()) - 1);
  return toFloat<arith::SIToFPOp>(b, bias(b, number, field.bias));
}

Value GroupLoads::signedMinimum(Value minimum) {
  if (!minimum || !facts.subtractsMinima)
    return minimum;
  return arith::NegFOp::create(b, minimum);
}

Value GroupLoads::scale(Value block, int64_t column) {
  return levels(PlaneKind::Scales,
                [&](unsigned plane) { return level(block, plane, column); });
}

Value GroupLoads::minimum(Value block, int64_t column) {
  return signedMinimum(levels(PlaneKind::Minima, [&](unsigned plane) {
    return level(block, plane, column);
  }));
}

//===----------------------------------------------------------------------===//
// One number
//===----------------------------------------------------------------------===//

/// A field as it stands: a float, or an integer of 32 bits without its bias.
Value GroupLoads::scalarField(unsigned plane, Value row, Value column) {
  const FieldPlace &place = places[plane];
  const Plane &field = facts.planes[plane];
  // The widest stride first: the columns of a tile share what it gives, and
  // differ in a displacement.
  Value at = b.mul(b.div(row, kLanes), groupBytes);
  Value shift;
  for (const Stride &stride : llvm::reverse(place.strides)) {
    Value digit = b.div(column, stride.columns);
    if (stride.count != 0)
      digit = b.rem(digit, stride.count);
    if (stride.bits % 8 == 0) {
      at = b.add(at, b.mul(digit, stride.bits / 8));
      continue;
    }
    digit = b.mul(digit, stride.bits);
    shift = shift ? b.add(shift, digit) : digit;
  }
  at = b.add(at, b.mul(b.rem(row, kLanes), place.rowStride / 8));
  at = b.add(at, place.base / 8);
  Type i32 = b.getI32Type();
  switch (field.type) {
  case FieldType::F32:
    return scalar(at, b.getF32Type());
  case FieldType::F16:
    return toFloat<arith::ExtFOp>(b, scalar(at, b.getF16Type()));
  case FieldType::BF16:
    return toFloat<arith::BitcastOp>(
        b,
        shiftLeft(b, arith::ExtUIOp::create(b, i32, scalar(at, b.getI16Type())),
                  16));
  case FieldType::Signed:
    return arith::ExtSIOp::create(b, i32, scalar(at, b.getI8Type()));
  case FieldType::Exponent:
  case FieldType::Unsigned:
    break;
  }
  Value number = arith::ExtUIOp::create(b, i32, scalar(at, b.getI8Type()));
  if (shift)
    number = arith::ShRUIOp::create(b, number,
                                    arith::IndexCastOp::create(b, i32, shift));
  if (field.type == FieldType::Exponent)
    return toFloat<arith::BitcastOp>(b, exponentBits(b, number));
  return field.imageBits() < 8 ? mask(b, number, (1u << field.imageBits()) - 1)
                               : number;
}

Value GroupLoads::scalarQuant(Value row, Value column) {
  SmallVector<unsigned, 2> planes = facts.planesOf(PlaneKind::Quants);
  Value quant = scalarField(planes.front(), row, column);
  const Plane &first = facts.planes[planes.front()];
  if (first.isFloat())
    return quant;
  unsigned width = first.bits;
  for (unsigned plane : llvm::drop_begin(planes)) {
    Value field = shiftLeft(b, scalarField(plane, row, column), width);
    quant = arith::OrIOp::create(b, quant, field);
    width += facts.planes[plane].bits;
  }
  if (!first.table.empty()) {
    SmallVector<float> values(first.table.begin(), first.table.end());
    Value table = arith::ConstantOp::create(
        b, DenseElementsAttr::get(b.floats(), ArrayRef<float>(values)));
    return vector::ExtractOp::create(
        b, table,
        arith::IndexCastOp::create(b, b.getIndexType(), quant).getResult());
  }
  return toFloat<arith::SIToFPOp>(b, bias(b, quant, first.bias));
}

Value GroupLoads::scalarLevel(unsigned plane, Value row, Value column) {
  Value number = scalarField(plane, row, column);
  const Plane &field = facts.planes[plane];
  return isa<FloatType>(number.getType())
             ? number
             : toFloat<arith::SIToFPOp>(b, bias(b, number, field.bias));
}

Value GroupLoads::value(Value row, Value column) {
  auto level = [&](unsigned plane) { return scalarLevel(plane, row, column); };
  Value value = scalarQuant(row, column);
  if (Value scale = levels(PlaneKind::Scales, level))
    value = arith::MulFOp::create(b, scale, value);
  // The product of scale and quant is exact, 11 bits times those of the quant
  // and of a superblock's scale.
  if (Value minimum = levels(PlaneKind::Minima, level))
    value = arith::AddFOp::create(b, value, signedMinimum(minimum));
  return value;
}
