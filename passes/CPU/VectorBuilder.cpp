//===- VectorBuilder.cpp - a builder of vectors of 16 lanes ---------------===//
//
// See VectorBuilder.h.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/VectorBuilder.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

VectorType VectorBuilder::vectorOf(Type element, int64_t lanes) {
  return VectorType::get({lanes}, element);
}
VectorType VectorBuilder::floats(int64_t lanes) {
  return vectorOf(getF32Type(), lanes);
}
Value VectorBuilder::zeros(Type type) {
  return arith::ConstantOp::create(b, getZeroAttr(type));
}
Value VectorBuilder::constant(Type type, int64_t value) {
  TypedAttr number = getIntegerAttr(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    number = DenseElementsAttr::get(vector, Attribute(number));
  return arith::ConstantOp::create(b, number);
}
Value VectorBuilder::constant(float value) {
  return arith::ConstantOp::create(b, getF32FloatAttr(value));
}
Value VectorBuilder::splat(Value scalar, int64_t lanes) {
  return vector::BroadcastOp::create(b, vectorOf(scalar.getType(), lanes),
                                     scalar);
}
Value VectorBuilder::lookUp(ArrayRef<int8_t> table, int32_t zero, Value index) {
  auto type = cast<VectorType>(index.getType());
  SmallVector<int8_t> values;
  for (int64_t i = 0; i < type.getDimSize(0); ++i)
    values.push_back(static_cast<int8_t>(table[i % 16] - zero));
  Value tables = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef<int8_t>(values)));
  return LookupBytesOp::create(b, tables, index);
}

Value VectorBuilder::lookUpHalves(ArrayRef<int8_t> table, int32_t zero,
                                  Value index) {
  const int64_t all = cast<VectorType>(index.getType()).getDimSize(0);
  Value first = lookUp(table, zero, chunk(index, 0, all / 2));
  Value second = lookUp(table, zero, chunk(index, all / 2, all / 2));
  return vector::ShuffleOp::create(b, first, second,
                                   llvm::to_vector(llvm::seq(all)));
}

Value VectorBuilder::fma(Value x, Value y, Value z) {
  return vector::FMAOp::create(b, x, y, z);
}

Value VectorBuilder::maskBelow(tile::IndexOperand limit) {
  Value bounded = minimum(maximum(limit, 0), kLanes);
  return vector::CreateMaskOp::create(b, vectorOf(getI1Type()),
                                      ValueRange{bounded});
}

Value VectorBuilder::reduceLanes(Value vector,
                                 function_ref<Value(Value, Value)> combine) {
  for (int64_t half = cast<VectorType>(vector.getType()).getDimSize(0) / 2;
       half; half /= 2) {
    auto lowLanes = llvm::to_vector(llvm::seq<int64_t>(half));
    auto highLanes = llvm::to_vector(llvm::seq<int64_t>(half, 2 * half));
    Value low = vector::ShuffleOp::create(b, vector, vector, lowLanes);
    Value high = vector::ShuffleOp::create(b, vector, vector, highLanes);
    vector = combine(low, high);
  }
  return vector::ExtractOp::create(b, vector, 0);
}
Value VectorBuilder::sumLanes(Value vector) {
  return reduceLanes(vector, [&](Value low, Value high) -> Value {
    return arith::AddFOp::create(b, low, high);
  });
}
Value VectorBuilder::maxLanes(Value vector) {
  return reduceLanes(vector, [&](Value low, Value high) -> Value {
    Value greater =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, high, low);
    return arith::SelectOp::create(b, greater, high, low);
  });
}

Values VectorBuilder::unpack(Value tile) {
  Values rows;
  for (int64_t i = 0, e = cast<VectorType>(tile.getType()).getDimSize(0); i < e;
       ++i)
    rows.push_back(vector::ExtractOp::create(b, tile, i));
  return rows;
}

Value VectorBuilder::pack(ArrayRef<Value> rows, Type type) {
  Value packed = zeros(type);
  for (auto [i, row] : llvm::enumerate(rows))
    packed = vector::InsertOp::create(b, row, packed, static_cast<int64_t>(i));
  return packed;
}

Value VectorBuilder::chunk(Value vector, int64_t first, int64_t count) {
  if (cast<VectorType>(vector.getType()).getDimSize(0) == count)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      b, vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{count},
      ArrayRef<int64_t>{1});
}

Value VectorBuilder::tileOf(VectorType type,
                            function_ref<Value(int64_t, int64_t)> chunkAt) {
  int64_t columns = type.getDimSize(1);
  auto rowType = vectorOf(type.getElementType(), columns);
  Values rows;
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    Values chunks;
    for (int64_t c = 0; c < columns; c += kLanes)
      chunks.push_back(chunkAt(i, c));
    rows.push_back(columns == kLanes ? chunks[0] : zeros(rowType));
    for (int64_t c = 0; columns != kLanes && c < columns; c += kLanes)
      rows[i] = vector::InsertStridedSliceOp::create(
          b, chunks[c / kLanes], rows[i], ArrayRef<int64_t>{c},
          ArrayRef<int64_t>{1});
  }
  return pack(rows, type);
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void VectorBuilder::guarded(Value condition, function_ref<void()> body) {
  if (!condition)
    return body();
  scf::IfOp::create(b, condition, [&](OpBuilder &, Location) {
    body();
    scf::YieldOp::create(b);
  });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value VectorBuilder::field(Value context, context::Field which) {
  Type type = context::isPointer(which) ? context.getType() : getIndexType();
  return context::FieldOp::create(b, type, context, which);
}

Value VectorBuilder::view(Value pointer, tile::IndexOperand byteOffset,
                          Type type) {
  return context::ViewOp::create(b, type, pointer, index(byteOffset));
}

Value VectorBuilder::table(Value context, context::Field which, Type element) {
  Value pointer = field(context, which);
  return view(pointer, 0, MemRefType::get({ShapedType::kDynamic}, element));
}

Value VectorBuilder::loadIndex(Value context, context::Field which, Value at) {
  Value memory = table(context, which, getI32Type());
  return arith::IndexCastOp::create(b, getIndexType(), loadScalar(memory, at));
}

Value VectorBuilder::loadScalar(Value memory, ValueRange at) {
  return memref::LoadOp::create(b, memory, at);
}

Value VectorBuilder::loadFloats(Value memory, ValueRange at, Value limit) {
  if (!limit)
    return vector::LoadOp::create(b, floats(), memory, at);
  Value mask = maskBelow(limit);
  return vector::MaskedLoadOp::create(b, floats(), memory, at, mask,
                                      zeros(floats()));
}

void VectorBuilder::storeLanes(Value vector, Value memory, ValueRange at,
                               Value limit) {
  if (limit)
    vector::MaskedStoreOp::create(b, memory, at, maskBelow(limit), vector);
  else
    vector::StoreOp::create(b, vector, memory, at);
}

void VectorBuilder::prefetch(Value memory, ValueRange at) {
  memref::PrefetchOp::create(b, memory, at, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

Value VectorBuilder::splatPair(Value memory, ValueRange at) {
  Value two = vector::LoadOp::create(b, vectorOf(getBF16Type(), 2), memory, at);
  Value word = vector::ExtractOp::create(
      b, vector::BitCastOp::create(b, vectorOf(getI32Type(), 1), two), 0);
  return vector::BitCastOp::create(b, vectorOf(getBF16Type(), 2 * kLanes),
                                   splat(word));
}

Value VectorBuilder::loadBytes(Value memory, ValueRange at, int64_t lanes,
                               Type element) {
  int64_t bytes = lanes * element.getIntOrFloatBitWidth() / 8;
  Value raw =
      vector::LoadOp::create(b, vectorOf(getI8Type(), bytes), memory, at);
  return vector::BitCastOp::create(b, vectorOf(element, lanes), raw);
}
