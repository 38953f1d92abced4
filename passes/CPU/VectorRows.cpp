//===- VectorRows.cpp - patterns of rows and epilogues on CPUs ------------===//
//
// tile -> vector: sums and maps over whole rows, loads and stores of tiles,
// RoPE's table, lanes of a tile.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "passes/CPU/TilePatterns.h"
#include "runtime/ABI/Image.h"
#include <limits>

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

/// 16 lanes of which `left` are in the row, or all.
static Value loadLanes(VectorBuilder &b, Value memory, ValueRange at,
                       int64_t left) {
  Value limit = left < kLanes ? b.index(left) : Value();
  return b.loadFloats(memory, at, limit);
}

/// The region of a sum or a stage on 16 lanes: its ops are elementwise.
static Value mapBody(VectorBuilder &b, Region &body,
                     ArrayRef<Value> arguments) {
  IRMapping mapping;
  mapping.map(body.front().getArguments(), arguments);
  auto lanesOf = [&](Value scalar) {
    // A scalar from outside, such as a constant that was hoisted.
    if (!mapping.contains(scalar))
      mapping.map(scalar, b.splat(scalar));
    return mapping.lookup(scalar);
  };
  for (Operation &op : body.front().without_terminator()) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto value = cast<FloatAttr>(constant.getValue()).getValue();
      auto splat = DenseElementsAttr::get(b.floats(), value);
      mapping.map(constant.getResult(),
                  arith::ConstantOp::create(b, splat).getResult());
      continue;
    }
    llvm::for_each(op.getOperands(), lanesOf);
    for (Value lanes : b.clone(op, mapping)->getResults())
      lanes.setType(b.floats());
  }
  return lanesOf(body.front().getTerminator()->getOperand(0));
}

RoundedBlock cpu::roundBlock(VectorBuilder &b, Value low, Value high) {
  using Q8B32 = llama::Q8B32Type;
  static_assert(Q8B32::kBlock == 2 * kLanes && Q8B32::kHalf == kLanes);
  static_assert(Q8B32::kBlock == llama::Q8_0Type::kBlock);
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  auto words = b.vectorOf(i32);
  // Without their sign, bits are in the order of the numbers; NaN is above all.
  auto magnitudes = [&](Value x) -> Value {
    Value bits = arith::BitcastOp::create(b, words, x);
    return arith::AndIOp::create(b, bits, b.constant(words, 0x7fffffff));
  };
  Value lowBits = magnitudes(low), highBits = magnitudes(high);
  Value largest = vector::ReductionOp::create(
      b, vector::CombiningKind::MAXSI,
      arith::MaxSIOp::create(b, lowBits, highBits).getResult());
  Value amax = arith::BitcastOp::create(b, f32, largest);
  constexpr auto kInfinity = std::numeric_limits<float>::infinity();
  Value isFinite = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, amax,
                                         b.constant(kInfinity));
  Value isLarge = arith::CmpFOp::create(b, arith::CmpFPredicate::UGE, amax,
                                        b.constant(Q8B32::kSmallestMaximum));
  Value isUsual = arith::AndIOp::create(b, isFinite, isLarge);
  Value scale = arith::DivFOp::create(b, amax, b.constant(Q8B32::kLargest));
  Value inverse = arith::DivFOp::create(b, b.constant(Q8B32::kLargest), amax);
  scale = arith::SelectOp::create(b, isUsual, scale, b.constant(0.0f));
  scale = arith::SelectOp::create(
      b, isFinite, scale, b.constant(std::numeric_limits<float>::quiet_NaN()));
  auto quantsOf = [&](Value x) -> Value {
    Value scaled = arith::MulFOp::create(b, x, b.splat(inverse));
    scaled = arith::SelectOp::create(b, isUsual, scaled, b.zeros(b.floats()));
    return arith::FPToSIOp::create(
        b, words, math::RoundEvenOp::create(b, scaled).getResult());
  };
  Value lowQuants = quantsOf(low), highQuants = quantsOf(high);
  return {scale, {lowQuants, highQuants}};
}

/// A block of 32 values becomes a record of q8b32.
static void storeRounded(VectorBuilder &b, Value low, Value high, Value target,
                         Value row, Value block) {
  using Q8B32 = llama::Q8B32Type;
  Type i32 = b.getI32Type(), i8 = b.getI8Type(), f32 = b.getF32Type();
  auto [scale, quants] = roundBlock(b, low, high);
  Value record = b.mul(block, Q8B32::kRecordBytes);
  auto store = [&](Value bytes, int64_t at) {
    b.storeLanes(bytes, target, {row, b.add(record, at)});
  };
  SmallVector<Value, 2> sums;
  for (auto [i, half] : llvm::enumerate(quants)) {
    store(arith::TruncIOp::create(b, b.vectorOf(i8), half),
          static_cast<int64_t>(i) * kLanes);
    sums.push_back(
        vector::ReductionOp::create(b, vector::CombiningKind::ADD, half));
  }
  Value sum = arith::AddIOp::create(b, sums[0], sums[1]);
  Value number = arith::SIToFPOp::create(b, f32, sum);
  Value scaledSum = arith::MulFOp::create(b, scale, number);
  static_assert(Q8B32::kSumByte == Q8B32::kScaleByte + 4 &&
                Q8B32::kLastHalfSumByte == Q8B32::kScaleByte + 8 &&
                Q8B32::kScaledSumByte == Q8B32::kScaleByte + 12 &&
                Q8B32::kRecordBytes == Q8B32::kScaleByte + 16);
  Value scaleBits = arith::BitcastOp::create(b, i32, scale);
  Value scaledBits = arith::BitcastOp::create(b, i32, scaledSum);
  auto timesFactor = [&](Value sum) -> Value {
    return arith::MulIOp::create(b, sum, b.constant(i32, Q8B32::kSumFactor));
  };
  Value numbers = vector::FromElementsOp::create(
      b, b.vectorOf(i32, 4),
      ValueRange{scaleBits, timesFactor(sum), timesFactor(sums[1]),
                 scaledBits});
  store(vector::BitCastOp::create(b, b.vectorOf(i8, 16), numbers),
        Q8B32::kScaleByte);
}

namespace {

//===----------------------------------------------------------------------===//
// Whole rows
//===----------------------------------------------------------------------===//

Values lowerSum(VectorBuilder &b, tile::SumOp op, tile::SumOp::Adaptor in) {
  int64_t columns = cast<MemRefType>(op.getSource().getType()).getDimSize(1);
  int64_t whole = columns / kLanes * kLanes;
  Values sums;
  for (int64_t i = 0, e = cast<VectorType>(op.getType()).getDimSize(0); i < e;
       ++i) {
    Value row = b.add(in.getRow(), i);
    auto map = [&](Value k, int64_t left) {
      Value x = loadLanes(b, in.getSource(), {row, k}, left);
      return mapBody(b, op.getBody(), {x});
    };
    Value zero = b.zeros(b.floats());
    Value lanes = b.fold(
        0, whole, kLanes, zero, [&](Value k, ValueRange carried) -> Values {
          return {arith::AddFOp::create(b, carried[0], map(k, kLanes))};
        })[0];
    if (whole != columns) {
      Value y = map(b.index(whole), columns - whole);
      // Lanes past the row add nothing, whatever the region makes of zero.
      Value mask = b.maskBelow(columns - whole);
      y = arith::SelectOp::create(b, mask, y, zero);
      lanes = arith::AddFOp::create(b, lanes, y);
    }
    sums.push_back(b.sumLanes(lanes));
  }
  return {vector::FromElementsOp::create(b, op.getType(), sums)};
}

Values lowerStage(VectorBuilder &b, tile::StageOp op, tile::StageOp::Adaptor in,
                  ValueRange memory) {
  tile::RowsType type = op.getType();
  int64_t columns = type.getColumns();
  bool isRounded = isa<llama::Q8B32Type>(type.getElementType());
  int64_t whole = columns / kLanes * kLanes;
  Value target = memory[0];
  for (int64_t i = 0; i < type.getRows(); ++i) {
    Value source = b.add(in.getRow(), i * op.getEvery());
    Value own = b.index(i);
    Values perRow;
    for (Value values : in.getPerRow())
      perRow.push_back(b.splat(vector::ExtractOp::create(b, values, i)));
    auto map = [&](Value k, int64_t left) {
      Values arguments{loadLanes(b, in.getSource(), {source, k}, left)};
      llvm::append_range(arguments, perRow);
      for (Value weight : in.getPerColumn())
        arguments.push_back(loadLanes(b, weight, k, left));
      return mapBody(b, op.getBody(), arguments);
    };
    auto store = [&](Value k, int64_t left) {
      Value lanes = map(k, left);
      if (!type.getElementType().isF32())
        lanes = arith::TruncFOp::create(b, b.vectorOf(type.getElementType()),
                                        lanes);
      b.storeLanes(lanes, target, {own, k});
    };
    if (isRounded) {
      constexpr int64_t kBlock = llama::Q8B32Type::kBlock;
      b.loop(0, columns / kBlock, 1, [&](Value block) {
        Value k = b.mul(block, kBlock);
        Value low = map(k, kLanes), high = map(b.add(k, kLanes), kLanes);
        storeRounded(b, low, high, target, own, block);
      });
      continue;
    }
    b.loop(0, whole, kLanes, [&](Value k) { store(k, kLanes); });
    if (whole != columns)
      store(b.index(whole), columns - whole);
  }
  return {target};
}

Values lowerRoundRows(VectorBuilder &b, tile::RoundRowsOp op,
                      tile::RoundRowsOp::Adaptor in) {
  constexpr int64_t kBlock = llama::Q8B32Type::kBlock;
  int64_t width = cast<MemRefType>(op.getSource().getType()).getDimSize(1),
          columns = op.getTarget().getType().getColumns();
  Value limit = b.index(width);
  if (columns % width != 0)
    limit = b.minimum(limit, b.sub(columns, in.getColumn()));
  b.loop(0, in.getCount(), 1, [&](Value row) {
    b.loop(0, limit, kBlock, [&](Value column) {
      auto load = [&](int64_t at) {
        return b.loadFloats(in.getSource(), {row, b.add(column, at)});
      };
      Value low = load(0), high = load(kLanes);
      Value targetRow = b.add(in.getRow(), row);
      Value block = b.div(b.add(in.getColumn(), column), kBlock);
      storeRounded(b, low, high, in.getTarget(), targetRow, block);
    });
  });
  return {};
}

Values lowerBlockSums(VectorBuilder &b, tile::BlockSumsOp op,
                      tile::BlockSumsOp::Adaptor in, ValueRange memory) {
  Value target = memory[0];
  int64_t block = op.getBlock();
  int64_t blocks = cast<MemRefType>(target.getType()).getDimSize(1);
  b.loop(0, in.getCount(), 1, [&](Value row) {
    b.loop(0, blocks, 1, [&](Value number) {
      Value first = b.mul(number, block);
      Value sum = b.zeros(b.getF32Type());
      for (int64_t k = 0; k < block; ++k)
        sum = arith::AddFOp::create(
            b, sum, b.loadScalar(in.getRows(), {row, b.add(first, k)}));
      memref::StoreOp::create(b, sum, target, ValueRange{row, number});
    });
  });
  return {target};
}

//===----------------------------------------------------------------------===//
// Tiles in memory
//===----------------------------------------------------------------------===//

/// Columns that tiles of `type` may access in memory; null: all of a tile.
/// Tiles begin at multiples of their width, so a row of whole tiles has no
/// tail.
Value columnLimit(VectorBuilder &b, VectorType type, Value memory,
                  Value columns) {
  if (columns)
    return columns;
  int64_t extent = cast<MemRefType>(memory.getType()).getDimSize(1);
  return extent % type.getDimSize(1) != 0 ? b.index(extent) : Value();
}

/// The op that a tile waits for behind a product: its only use, if a product
/// and no store is between the load and it. Else null.
Operation *useBehindProduct(tile::LoadOp op) {
  if (!op->hasOneUse() || op->user_begin()->getBlock() != op->getBlock())
    return nullptr;
  bool hasProduct = false;
  for (Operation *next = op->getNextNode(); next != *op->user_begin();
       next = next->getNextNode()) {
    bool isProduct = isa<tile::ContractOp>(next);
    if (!isProduct && !isMemoryEffectFree(next) &&
        !hasSingleEffect<MemoryEffects::Read>(next))
      return nullptr;
    hasProduct |= isProduct;
  }
  return hasProduct ? *op->user_begin() : nullptr;
}

/// What is used behind a product is fetched before it and loaded after it: the
/// loop over k would wait for a load that misses the caches as soon as
/// instructions behind it fill the CPU's window, and leave fewer registers to
/// its sums.
Values lowerLoad(VectorBuilder &b, tile::LoadOp op, tile::LoadOp::Adaptor in) {
  auto type = cast<VectorType>(op.getType());
  Value limit = columnLimit(b, type, in.getSource(), in.getColumns());
  if (Operation *use = useBehindProduct(op)) {
    for (int64_t i = 0; i < type.getDimSize(0); ++i)
      for (int64_t c = 0; c < type.getDimSize(1); c += kLanes)
        b.prefetch(in.getSource(),
                   {b.add(in.getRow(), i), b.add(in.getColumn(), c)});
    b.setInsertionPoint(use);
  }
  return {b.tileOf(type, [&](int64_t i, int64_t c) {
    Value row = b.add(in.getRow(), i), column = b.add(in.getColumn(), c);
    Value left = limit ? b.sub(limit, column) : Value();
    return b.loadFloats(in.getSource(), {row, column}, left);
  })};
}

Values lowerStore(VectorBuilder &b, tile::StoreOp op,
                  tile::StoreOp::Adaptor in) {
  auto type = cast<VectorType>(op.getValue().getType());
  Value limit = columnLimit(b, type, in.getTarget(), in.getColumns());
  for (auto [i, lanes] : llvm::enumerate(b.unpack(in.getValue()))) {
    Value row = b.add(in.getRow(), i);
    auto storeRow = [&, lanes = lanes] {
      for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
        Value column = b.add(in.getColumn(), c);
        Value left = limit ? b.sub(limit, column) : Value();
        b.storeLanes(b.chunk(lanes, c), in.getTarget(), {row, column}, left);
      }
    };
    // The first row of a tile is always one of the call's.
    bool isValid = !in.getRows() || i == 0;
    b.guarded(isValid ? Value() : b.lessThan(row, in.getRows()), storeRow);
  }
  return {};
}

Values lowerColumnValues(VectorBuilder &b, tile::ColumnValuesOp op,
                         tile::ColumnValuesOp::Adaptor in) {
  auto type = cast<VectorType>(op.getType());
  int64_t extent =
      cast<llama::WeightType>(op.getWeight().getType()).getColumns();
  Values chunks;
  for (int64_t c = 0; c < type.getDimSize(1); c += kLanes) {
    Value column = b.add(in.getFirst(), c);
    Value left = extent % kLanes != 0 ? b.sub(extent, column) : Value();
    chunks.push_back(b.loadFloats(in.getWeight(), column, left));
  }
  return {
      b.tileOf(type, [&](int64_t, int64_t c) { return chunks[c / kLanes]; })};
}

Values lowerRopeRow(VectorBuilder &b, tile::RopeRowOp op,
                    Ranges<tile::RopeRowOp> in) {
  auto type = cast<VectorType>(op.getType());
  auto head = static_cast<int64_t>(op.getHead());
  Value context = in.getCtx()[0];
  // Cosines, then signed sines, each long enough for a vector that begins at
  // any column of a head.
  int64_t half = abi::ropeRowOf(head) / 2;
  Value table = b.table(context, context::Field::Rope, b.getF32Type());
  Value first = b.loadIndex(context, context::Field::Positions, in.getRow()[0]);
  // Rows past the call's last are computed and not stored; their positions
  // are kept inside the table.
  Value keys = b.field(context, context::Field::KeyCount);
  Value last = b.sub(keys, 1);
  return {b.tileOf(type, [&](int64_t i, int64_t c) {
    Value position = i ? b.minimum(b.add(first, i), last) : first;
    Value base = b.add(b.mul(position, 2 * half), op.getSine() ? half : 0);
    Value column = b.rem(b.add(in.getFirst()[0], c), head);
    return b.loadFloats(table, b.add(base, column));
  })};
}

//===----------------------------------------------------------------------===//
// Lanes of a tile
//===----------------------------------------------------------------------===//

Values lowerSwapPairs(VectorBuilder &b, tile::SwapPairsOp op,
                      tile::SwapPairsOp::Adaptor in) {
  SmallVector<int64_t> pairs;
  for (int64_t j = 0, e = cast<VectorType>(op.getType()).getDimSize(1); j < e;
       ++j)
    pairs.push_back(j ^ 1);
  Values swapped;
  for (Value row : b.unpack(in.getSource()))
    swapped.push_back(vector::ShuffleOp::create(b, row, row, pairs));
  return {b.pack(swapped, op.getType())};
}

Values lowerReduceLanes(VectorBuilder &b, tile::ReduceLanesOp op,
                        tile::ReduceLanesOp::Adaptor in) {
  Values reduced;
  for (Value row : b.unpack(in.getSource()))
    reduced.push_back(op.getKind() == "add" ? b.sumLanes(row)
                                            : b.maxLanes(row));
  return {vector::FromElementsOp::create(b, op.getType(), reduced)};
}

Values lowerBroadcastRows(VectorBuilder &b, tile::BroadcastRowsOp op,
                          tile::BroadcastRowsOp::Adaptor in) {
  auto type = cast<VectorType>(op.getType());
  Values spread;
  for (Value scalar : b.unpack(in.getSource()))
    spread.push_back(b.splat(scalar, type.getDimSize(1)));
  return {b.pack(spread, type)};
}

} // namespace

void cpu::populateRowPatterns(RewritePatternSet &patterns,
                              const TypeConverter &types,
                              const ScratchPlan &scratch) {
  addPatterns<lowerSum, lowerStage, lowerRoundRows, lowerBlockSums, lowerLoad,
              lowerStore, lowerColumnValues, lowerRopeRow, lowerSwapPairs,
              lowerReduceLanes, lowerBroadcastRows>(patterns, types, scratch);
}
