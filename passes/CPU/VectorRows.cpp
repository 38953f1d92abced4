//===- VectorRows.cpp - rows and epilogues in a CPU's vectors -------------===//
//
// tile -> vector: sums and maps over whole rows, loads and stores of tiles,
// RoPE's table, the causal mask, appending to the cache.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/CPU/VectorKernel.h"
#include "runtime/ABI/Image.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

/// 16 lanes of a row; where fewer than 16 columns are left, the others are zero
/// and are not read.
Value VectorKernel::loadLanes(Value memory, Value row, Value column, int64_t,
                              int64_t left) {
  SmallVector<Value> at;
  if (row)
    at.push_back(row);
  at.push_back(column);
  if (left >= kLanes)
    return vector::LoadOp::create(b, floats(), memory, at);
  return vector::MaskedLoadOp::create(b, floats(), memory, at,
                                      maskBelow(index(left)), zeros(floats()));
}

/// Lane j and lane j + half, halving.
Value VectorKernel::sumLanes(Value vector) {
  for (int64_t half = cast<VectorType>(vector.getType()).getDimSize(0) / 2;
       half; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t j = 0; j < half; ++j) {
      low.push_back(j);
      high.push_back(j + half);
    }
    vector = arith::AddFOp::create(
        b, vector::ShuffleOp::create(b, vector, vector, low).getResult(),
        vector::ShuffleOp::create(b, vector, vector, high).getResult());
  }
  return vector::ExtractOp::create(b, vector, 0);
}

Value VectorKernel::maxLanes(Value vector) {
  for (int64_t half = cast<VectorType>(vector.getType()).getDimSize(0) / 2;
       half; half /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t j = 0; j < half; ++j) {
      low.push_back(j);
      high.push_back(j + half);
    }
    Value x = vector::ShuffleOp::create(b, vector, vector, low);
    Value y = vector::ShuffleOp::create(b, vector, vector, high);
    Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, y, x);
    vector = arith::SelectOp::create(b, greater, y, x);
  }
  return vector::ExtractOp::create(b, vector, 0);
}

/// The region of a sum or a stage on 16 lanes: its ops are elementwise.
Value VectorKernel::mapBody(Region &body, ArrayRef<Value> arguments) {
  IRMapping mapping;
  mapping.map(body.front().getArguments(), arguments);
  for (Operation &op : body.front().without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto value = cast<FloatAttr>(constant.getValue());
      mapping.map(constant.getResult(),
                  arith::ConstantOp::create(
                      b, DenseElementsAttr::get(floats(), value.getValue()))
                      .getResult());
      continue;
    }
    SmallVector<Value> operands;
    for (Value operand : op.getOperands()) {
      // A scalar from outside, such as a constant that was hoisted.
      if (!mapping.contains(operand))
        mapping.map(operand, splat(operand));
      operands.push_back(mapping.lookup(operand));
    }
    SmallVector<Type> types(op.getNumResults(), floats());
    Operation *lanes = b.create(op.getLoc(), op.getName().getIdentifier(),
                                operands, types, op.getAttrs());
    mapping.map(op.getResults(), lanes->getResults());
  }
  Value result = body.front().getTerminator()->getOperand(0);
  return mapping.contains(result) ? mapping.lookup(result) : splat(result);
}

void VectorKernel::rewriteSum(tile::SumOp op) {
  int64_t columns = cast<MemRefType>(op.getSource().getType()).getDimSize(1);
  int64_t whole = columns / kLanes * kLanes;
  SmallVector<Value> sums;
  for (int64_t i = 0, e = cast<VectorType>(op.getType()).getDimSize(0); i < e;
       ++i) {
    Value row = i ? add(op.getRow(), index(i)) : op.getRow();
    Value lanes =
        loop(0, index(whole), kLanes, {zeros(floats())},
             [&](Value k, ValueRange carried) -> Vec<Value> {
               Value x = loadLanes(op.getSource(), row, k, columns, kLanes);
               Value y = mapBody(op.getBody(), {x});
               return {arith::AddFOp::create(b, carried[0], y).getResult()};
             });
    if (whole != columns) {
      Value x = loadLanes(op.getSource(), row, index(whole), columns,
                          columns - whole);
      Value y = mapBody(op.getBody(), {x});
      // Lanes past the row add nothing, whatever the region makes of zero.
      Value mask = maskBelow(index(columns - whole));
      y = arith::SelectOp::create(b, mask, y, zeros(floats()));
      lanes = arith::AddFOp::create(b, lanes, y);
    }
    sums.push_back(sumLanes(lanes));
  }
  op.getResult().replaceAllUsesWith(
      vector::FromElementsOp::create(b, op.getType(), sums).getResult());
}

/// A block of 32 values becomes a record of q8b32: docs/bits.md has the
/// formula.
void VectorKernel::storeRounded(Value low, Value high, Value target, Value row,
                                Value block) {
  using Q8B32 = llama::Q8B32Type;
  static_assert(Q8B32::kBlock == 2 * kLanes && Q8B32::kSumColumns == kLanes);
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  auto words = VectorType::get({kLanes}, i32);
  auto floatOf = [&](float value) -> Value {
    return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
  };
  auto integer = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
  };
  // Without their sign, bits are in the order of the numbers; NaN is above all.
  auto magnitudes = [&](Value x) -> Value {
    return arith::AndIOp::create(b, arith::BitcastOp::create(b, words, x),
                                 splat(integer(0x7fffffff)));
  };
  Value largest = vector::ReductionOp::create(
      b, vector::CombiningKind::MAXSI,
      arith::MaxSIOp::create(b, magnitudes(low), magnitudes(high)).getResult());
  Value amax = arith::BitcastOp::create(b, f32, largest);
  constexpr auto kInfinity = std::numeric_limits<float>::infinity();
  Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, amax,
                                         floatOf(kInfinity));
  Value isLarge = arith::CmpFOp::create(b, arith::CmpFPredicate::UGE, amax,
                                        floatOf(Q8B32::kSmallestMaximum));
  Value isUsual = arith::AndIOp::create(b, isFinite, isLarge);
  Value scale = arith::DivFOp::create(b, amax, floatOf(Q8B32::kLargest));
  Value inverse = arith::DivFOp::create(b, floatOf(Q8B32::kLargest), amax);
  scale = arith::SelectOp::create(b, isUsual, scale, floatOf(0.0f));
  scale = arith::SelectOp::create(
      b, isFinite, scale, floatOf(std::numeric_limits<float>::quiet_NaN()));

  Value record = mul(block, Q8B32::kRecordBytes);
  auto store = [&](Value bytes, int64_t at) {
    vector::StoreOp::create(b, bytes, target, ValueRange{row, add(record, at)});
  };
  SmallVector<Value, 4> tail{arith::BitcastOp::create(b, i32, scale)};
  for (auto [i, x] : llvm::enumerate(ArrayRef<Value>{low, high})) {
    Value scaled = arith::MulFOp::create(b, x, splat(inverse));
    scaled = arith::SelectOp::create(b, isUsual, scaled, zeros(floats()));
    Value quants = arith::FPToSIOp::create(
        b, words, math::RoundEvenOp::create(b, scaled).getResult());
    store(arith::TruncIOp::create(b, VectorType::get({kLanes}, b.getI8Type()),
                                  quants),
          static_cast<int64_t>(i) * kLanes);
    tail.push_back(
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, quants));
  }
  tail.push_back(integer(0));
  static_assert(Q8B32::kSumsByte == Q8B32::kScaleByte + 4 &&
                Q8B32::kRecordBytes == Q8B32::kScaleByte + 16);
  store(vector::BitCastOp::create(
            b, VectorType::get({16}, b.getI8Type()),
            vector::FromElementsOp::create(b, VectorType::get({4}, i32), tail)
                .getResult()),
        Q8B32::kScaleByte);
}

void VectorKernel::rewriteRoundRows(tile::RoundRowsOp op) {
  constexpr int64_t kBlock = llama::Q8B32Type::kBlock;
  int64_t width = cast<MemRefType>(op.getSource().getType()).getDimSize(1),
          columns = op.getTarget().getType().getColumns();
  Value target = rows.lookup(op.getTarget());
  Value limit = index(width);
  if (columns % width != 0)
    limit = minimum(limit, sub(index(columns), op.getColumn()));
  loop(0, op.getCount(), 1, {}, [&](Value row, ValueRange) -> Vec<Value> {
    loop(0, limit, kBlock, {}, [&](Value column, ValueRange) -> Vec<Value> {
      auto load = [&](int64_t at) {
        return loadLanes(op.getSource(), row, add(column, at), width, kLanes);
      };
      Value low = load(0), high = load(kLanes);
      storeRounded(low, high, target, add(op.getRow(), row),
                   div(add(op.getColumn(), column), kBlock));
      return {};
    });
    return {};
  });
}

void VectorKernel::rewriteStage(tile::StageOp op) {
  tile::RowsType type = op.getType();
  int64_t columns = type.getColumns(), count = type.getRows();
  bool isRounded = isa<llama::Q8B32Type>(type.getElementType());
  int64_t whole = columns / kLanes * kLanes,
          padded = llvm::alignTo(columns, kLanes);
  Value target =
      allocate(isRounded ? memoryOf(type)
                         : MemRefType::get({count, padded}, b.getF32Type()));
  for (int64_t i = 0; i < count; ++i) {
    Value source = i ? add(op.getRow(), index(i * op.getEvery())) : op.getRow();
    SmallVector<Value> perRow;
    for (Value values : op.getPerRow())
      perRow.push_back(splat(vector::ExtractOp::create(b, values, i)));
    auto map = [&](Value k, int64_t left) {
      SmallVector<Value> arguments{
          loadLanes(op.getSource(), source, k, columns, left)};
      llvm::append_range(arguments, perRow);
      for (Value weight : op.getPerColumn())
        arguments.push_back(loadLanes(weights.find(weight)->second.memory, {},
                                      k, columns, left));
      return mapBody(op.getBody(), arguments);
    };
    if (isRounded) {
      constexpr int64_t kBlock = llama::Q8B32Type::kBlock;
      loop(0, index(columns / kBlock), 1, {},
           [&](Value block, ValueRange) -> Vec<Value> {
             Value k = mul(block, kBlock);
             Value low = map(k, kLanes), high = map(add(k, kLanes), kLanes);
             storeRounded(low, high, target, index(i), block);
             return {};
           });
      continue;
    }
    auto store = [&](Value k, int64_t left) {
      vector::StoreOp::create(b, map(k, left), target, ValueRange{index(i), k});
    };
    loop(0, index(whole), kLanes, {}, [&](Value k, ValueRange) -> Vec<Value> {
      store(k, kLanes);
      return {};
    });
    if (whole != columns)
      store(index(whole), columns - whole);
  }
  rows[op] = target;
}

void VectorKernel::rewriteBlockSums(tile::BlockSumsOp op) {
  auto type = cast<MemRefType>(op.getResult().getType());
  Value target = allocate(type);
  Value source = rows.lookup(op.getRows());
  int64_t block = op.getBlock();
  loop(0, op.getCount(), 1, {}, [&](Value row, ValueRange) -> Vec<Value> {
    loop(0, index(type.getDimSize(1)), 1, {},
         [&](Value number, ValueRange) -> Vec<Value> {
           Value first = mul(number, block);
           Value sum = zeros(b.getF32Type());
           for (int64_t k = 0; k < block; ++k)
             sum = arith::AddFOp::create(
                 b, sum, loadScalar(source, {row, add(first, index(k))}));
           memref::StoreOp::create(b, sum, target, ValueRange{row, number});
           return {};
         });
    return {};
  });
  op.getResult().replaceAllUsesWith(target);
}

void VectorKernel::rewriteLoad(tile::LoadOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t extent = cast<MemRefType>(op.getSource().getType()).getDimSize(1);
  // Tiles begin at multiples of their width, so a row of whole tiles has no
  // tail.
  bool masked = op.getColumns() || extent % type.getDimSize(1) != 0;
  Value limit = op.getColumns() ? op.getColumns() : index(extent);
  SmallVector<Value> loaded;
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    Value row = i ? add(op.getRow(), index(i)) : op.getRow();
    SmallVector<Value> chunks;
    for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
      Value column = c ? add(op.getColumn(), index(c)) : op.getColumn();
      if (!masked) {
        chunks.push_back(vector::LoadOp::create(b, floats(), op.getSource(),
                                                ValueRange{row, column}));
        continue;
      }
      chunks.push_back(vector::MaskedLoadOp::create(
          b, floats(), op.getSource(), ValueRange{row, column},
          maskBelow(sub(limit, column)), zeros(floats())));
    }
    loaded.push_back(joinChunks(chunks));
  }
  op.getResult().replaceAllUsesWith(pack(loaded, type));
}

void VectorKernel::rewriteStore(tile::StoreOp op) {
  auto type = cast<VectorType>(op.getValue().getType());
  int64_t extent = cast<MemRefType>(op.getTarget().getType()).getDimSize(1);
  bool masked = op.getColumns() || extent % type.getDimSize(1) != 0;
  Value limit = op.getColumns() ? op.getColumns() : index(extent);
  for (auto [i, lanes] : llvm::enumerate(unpack(op.getValue()))) {
    Value row = i ? add(op.getRow(), index(i)) : op.getRow();
    auto storeRow = [&, lanes = lanes] {
      for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
        Value column = c ? add(op.getColumn(), index(c)) : op.getColumn();
        if (!masked)
          vector::StoreOp::create(b, chunk(lanes, c), op.getTarget(),
                                  ValueRange{row, column});
        else
          vector::MaskedStoreOp::create(
              b, op.getTarget(), ValueRange{row, column},
              maskBelow(sub(limit, column)), chunk(lanes, c));
      }
    };
    // The first row of a tile is always one of the call's.
    if (!op.getRows() || i == 0) {
      storeRow();
      continue;
    }
    auto valid = scf::IfOp::create(b, lessThan(row, op.getRows()),
                                   /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(valid.thenBlock());
    storeRow();
  }
}

void VectorKernel::rewriteRope(tile::RopeRowOp op) {
  auto type = cast<VectorType>(op.getType());
  int64_t head = op.getHead();
  // Cosines, then signed sines, each long enough for a vector that begins at
  // any column of a head.
  int64_t half = abi::ropeRowOf(head) / 2;
  Value table = view(field(context::Field::Rope), index(0),
                     MemRefType::get({ShapedType::kDynamic}, b.getF32Type()));
  Value first = positionOf(op.getRow());
  // Rows past the call's last are computed and not stored; their positions are
  // kept inside the table.
  Value last = sub(field(context::Field::KeyCount), index(1));
  SmallVector<Value> loaded;
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    Value position = i ? minimum(add(first, index(i)), last) : first;
    Value base = add(mul(position, 2 * half), index(op.getSine() ? half : 0));
    SmallVector<Value> chunks;
    for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
      Value column =
          arith::RemUIOp::create(b, add(op.getFirst(), index(c)), index(head));
      chunks.push_back(vector::LoadOp::create(b, floats(), table,
                                              ValueRange{add(base, column)}));
    }
    loaded.push_back(joinChunks(chunks));
  }
  op.getResult().replaceAllUsesWith(pack(loaded, type));
}

void VectorKernel::rewriteMask(tile::CausalMaskOp op) {
  auto type = cast<VectorType>(op.getType());
  SmallVector<Value> visible;
  for (int64_t i = 0; i < type.getDimSize(0); ++i) {
    // Keys key .. key + left - 1 are at or before the row's position.
    Value position = add(op.getPosition(), index(i * op.getAdvance()));
    if (type.getRank() == 1) {
      visible.push_back(arith::CmpIOp::create(b, arith::CmpIPredicate::sle,
                                              op.getKey(), position));
      continue;
    }
    Value left = add(sub(position, op.getKey()), index(1));
    SmallVector<Value> chunks;
    for (int64_t c = 0; c < type.getDimSize(1); c += kLanes)
      chunks.push_back(maskBelow(sub(left, index(c))));
    visible.push_back(joinChunks(chunks));
  }
  op.getResult().replaceAllUsesWith(
      type.getRank() == 1
          ? vector::FromElementsOp::create(b, type, visible).getResult()
          : pack(visible, type));
}

void VectorKernel::rewriteColumnValues(tile::ColumnValuesOp op) {
  const Weight &weight = weights.find(op.getWeight())->second;
  int64_t columns = weight.type.getColumns();
  Value lanes;
  if (columns % kLanes == 0)
    lanes = vector::LoadOp::create(b, floats(), weight.memory,
                                   ValueRange{op.getFirst()});
  else
    lanes = vector::MaskedLoadOp::create(
        b, floats(), weight.memory, ValueRange{op.getFirst()},
        maskBelow(sub(index(columns), op.getFirst())), zeros(floats()));
  op.getResult().replaceAllUsesWith(pack({lanes}, op.getType()));
}

LogicalResult VectorKernel::rewriteAppend(tile::AppendOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  bool keys = op.getWhat() == "keys";
  llama::KVCacheStrides strides = keys ? cache.keyStrides : cache.valueStrides;
  int64_t size = cache.type.getHeadSize(), heads = cache.type.getHeads();
  Type element = cache.type.getElementType();
  auto type = cast<VectorType>(op.getValue().getType());
  // A tile lies inside one head where heads are whole vectors.
  bool oneHead = size % kLanes == 0;
  Value first = positionOf(op.getRow());
  for (auto [i, row] : llvm::enumerate(unpack(op.getValue()))) {
    Value narrowed = row;
    if (!element.isF32())
      narrowed = arith::TruncFOp::create(
          b, VectorType::get({type.getDimSize(1)}, element), row);
    auto storeRow = [&, i = i] {
      Value position = i ? add(first, index(i)) : first;
      // Element of the cache where (head, d) of this position is.
      auto place = [&](Value head, Value d) -> Value {
        IndexBuilder &math = *this;
        return strides.address(math, add(cache.firstHead, head), cache.capacity,
                               position, d);
      };
      Value memory = keys ? cache.keys : cache.values;
      for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
        Value column = c ? add(op.getFirst(), index(c)) : op.getFirst();
        Value lanes = chunk(narrowed, c);
        if (oneHead) {
          Value head = arith::DivUIOp::create(b, column, index(size));
          Value d = arith::RemUIOp::create(b, column, index(size));
          Value at = place(head, d);
          if (!keys) {
            vector::StoreOp::create(b, lanes, memory, ValueRange{at});
            continue;
          }
          for (int64_t j = 0; j < kLanes; ++j)
            memref::StoreOp::create(
                b, vector::ExtractOp::create(b, lanes, j).getResult(), memory,
                ValueRange{add(at, index(j * kLanes))});
          continue;
        }
        for (int64_t j = 0; j < kLanes; ++j) {
          Value own = add(column, index(j));
          auto inside =
              scf::IfOp::create(b, lessThan(own, index(heads * size)), false);
          OpBuilder::InsertionGuard guard(b);
          b.setInsertionPointToStart(inside.thenBlock());
          Value head = arith::DivUIOp::create(b, own, index(size));
          Value d = arith::RemUIOp::create(b, own, index(size));
          memref::StoreOp::create(
              b, vector::ExtractOp::create(b, lanes, j).getResult(), memory,
              ValueRange{place(head, d)});
        }
      }
    };
    if (i == 0) {
      storeRow();
      continue;
    }
    auto valid =
        scf::IfOp::create(b, lessThan(add(op.getRow(), index(i)), op.getRows()),
                          /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(valid.thenBlock());
    storeRow();
  }
  return success();
}
