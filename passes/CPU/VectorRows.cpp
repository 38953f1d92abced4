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
#include <bit>
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

/// The scale of a block and its inverse, from the bits of its largest
/// magnitude.
static std::pair<Value, Value> scaleOf(VectorBuilder &b, Value bits,
                                       llama::RowRecordInterface record) {
  const auto largest = static_cast<float>(record.getLargest());
  Type f32 = b.getF32Type();
  if (record.getDigits() == 1) {
    Value amax = arith::BitcastOp::create(b, f32, bits);
    Value scale = arith::DivFOp::create(b, amax, b.constant(largest));
    Value inverse = arith::DivFOp::create(b, b.constant(largest), amax);
    return {scale, inverse};
  }
  // The least power of two of which amax is at most `largest`: the difference
  // of their exponents, one more where amax has the larger fraction, which a
  // sum carries into its exponent.
  constexpr int64_t kFraction = (1 << 23) - 1, kBias = 127;
  const int64_t bitsOfLargest = std::bit_cast<uint32_t>(largest);
  const int64_t exponent = (bitsOfLargest >> 23) - kBias;
  Type i32 = b.getI32Type();
  Value field = arith::ShRUIOp::create(
      b,
      arith::AddIOp::create(
          b, bits, b.constant(i32, kFraction - (bitsOfLargest & kFraction))),
      b.constant(i32, 23));
  auto powerOfTwo = [&](Value biased) -> Value {
    Value shifted = arith::ShLIOp::create(b, biased, b.constant(i32, 23));
    return arith::BitcastOp::create(b, f32, shifted);
  };
  Value below = arith::SubIOp::create(b, field, b.constant(i32, exponent));
  Value above =
      arith::SubIOp::create(b, b.constant(i32, 2 * kBias + exponent), field);
  return {powerOfTwo(below), powerOfTwo(above)};
}

RoundedBlock cpu::roundBlock(VectorBuilder &b, Value low, Value high,
                             llama::RowRecordInterface record) {
  using Record = llama::RowRecordInterface;
  static_assert(Record::kBlock == 2 * kLanes && Record::kHalf == kLanes);
  static_assert(Record::kBlock == llama::Q8_0Type::kBlock);
  // The smallest amax that is not taken for 0: scale and inverse are normal
  // numbers from there on.
  const float smallest = record.getDigits() == 1 ? 0x1p-119f : 0x1p-104f;
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
                                        b.constant(smallest));
  Value isUsual = arith::AndIOp::create(b, isFinite, isLarge);
  auto [scale, inverse] = scaleOf(b, largest, record);
  scale = arith::SelectOp::create(b, isUsual, scale, b.constant(0.0f));
  scale = arith::SelectOp::create(
      b, isFinite, scale, b.constant(std::numeric_limits<float>::quiet_NaN()));
  RoundedBlock rounded{scale, {}};
  rounded.digits.resize(record.getDigits());
  const std::array<Value, 2> halves{low, high};
  for (auto [half, x] : llvm::enumerate(halves)) {
    Value rest = arith::MulFOp::create(b, x, b.splat(inverse));
    rest = arith::SelectOp::create(b, isUsual, rest, b.zeros(b.floats()));
    rest = math::RoundEvenOp::create(b, rest);
    for (int64_t i = 0; i < record.getDigits(); ++i) {
      Value digit = rest;
      const auto place = static_cast<float>(record.getPlaceValue(i));
      if (place != 1) {
        digit = arith::MulFOp::create(b, rest, b.splat(b.constant(1 / place)));
        digit = math::RoundEvenOp::create(b, digit);
        rest = b.fma(digit, b.splat(b.constant(-place)), rest);
      }
      rounded.digits[i][half] = arith::FPToSIOp::create(b, words, digit);
    }
  }
  return rounded;
}

Value cpu::sumDigits(VectorBuilder &b, ValueRange sums,
                     llama::RowRecordInterface record) {
  Value all;
  for (auto [i, sum] : llvm::enumerate(sums)) {
    Value share = sum;
    if (int64_t place = record.getPlaceValue(static_cast<int64_t>(i));
        place != 1)
      share = arith::MulIOp::create(b, sum, b.constant(sum.getType(), place));
    all = all ? arith::AddIOp::create(b, all, share).getResult() : share;
  }
  return all;
}

/// A block of 32 values becomes a record.
static void storeRounded(VectorBuilder &b, Value low, Value high, Value target,
                         Value row, Value block,
                         llama::RowRecordInterface record) {
  using Record = llama::RowRecordInterface;
  Type i32 = b.getI32Type(), i8 = b.getI8Type(), f32 = b.getF32Type();
  auto [scale, digits] = roundBlock(b, low, high, record);
  Value first = b.mul(block, record.getRecordBytes());
  auto store = [&](Value bytes, int64_t at) {
    b.storeLanes(bytes, target, {row, b.add(first, at)});
  };
  Values sums, lastHalves;
  for (auto [i, halves] : llvm::enumerate(digits)) {
    int64_t at = record.getDigitByte(static_cast<int64_t>(i));
    std::array<Value, 2> own;
    for (auto [half, lanes] : llvm::enumerate(halves)) {
      store(arith::TruncIOp::create(b, b.vectorOf(i8), lanes),
            at + static_cast<int64_t>(half) * kLanes);
      own[half] =
          vector::ReductionOp::create(b, vector::CombiningKind::ADD, lanes);
    }
    sums.push_back(arith::AddIOp::create(b, own[0], own[1]));
    lastHalves.push_back(own[1]);
  }
  Value number = arith::SIToFPOp::create(b, f32, sumDigits(b, sums, record));
  Value scaledSum = arith::MulFOp::create(b, scale, number);
  // As getSumByte and the others have them, one behind the other.
  Values numbers{arith::BitcastOp::create(b, i32, scale)};
  for (auto [sum, lastHalf] : llvm::zip(sums, lastHalves))
    for (Value of : {sum, lastHalf})
      numbers.push_back(
          arith::MulIOp::create(b, of, b.constant(i32, Record::kSumFactor)));
  numbers.push_back(arith::BitcastOp::create(b, i32, scaledSum));
  const auto count = static_cast<int64_t>(numbers.size());
  assert(record.getScaleByte() + 4 * count == record.getRecordBytes());
  Value words =
      vector::FromElementsOp::create(b, b.vectorOf(i32, count), numbers);
  store(vector::BitCastOp::create(b, b.vectorOf(i8, 4 * count), words),
        record.getScaleByte());
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
  auto record = dyn_cast<llama::RowRecordInterface>(type.getElementType());
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
    if (record) {
      constexpr int64_t kBlock = llama::RowRecordInterface::kBlock;
      b.loop(0, columns / kBlock, 1, [&](Value block) {
        Value k = b.mul(block, kBlock);
        Value low = map(k, kLanes), high = map(b.add(k, kLanes), kLanes);
        storeRounded(b, low, high, target, own, block, record);
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
  constexpr int64_t kBlock = llama::RowRecordInterface::kBlock;
  auto record = cast<llama::RowRecordInterface>(
      op.getTarget().getType().getElementType());
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
      storeRounded(b, low, high, in.getTarget(), targetRow, block, record);
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
