//===- VectorAttention.cpp - patterns of attention on CPUs ----------------===//
//
// tile -> vector: the cache, what is appended to it, scores of keys, the causal
// mask, and weighted sums of values. One vector holds 16 keys, or 16 elements
// of a value, so no sum crosses lanes; the query and the weights of keys are
// broadcast, which folds into the fma.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/TilePatterns.h"
#include "runtime/ABI/Kernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

static_assert(abi::kCacheBlock % kLanes == 0,
              "a group of positions ends inside of the cache's capacity");

namespace {

/// Keys or values of a layer, from the values that a cache became.
struct CacheHalf {
  Value memory; // memref<? x element>
  Value firstHead, capacity;
  llama::CacheType type;
  llama::KVCacheStrides strides;

  CacheHalf(ValueRange converted, Value cache, bool isKeys)
      : memory(converted[isKeys ? 0 : 1]), firstHead(converted[2]),
        capacity(converted[3]), type(cast<llama::CacheType>(cache.getType())) {
    // Only tile.cache makes a cache (verifyHandles); it names the layouts.
    auto op = cache.getDefiningOp<tile::CacheOp>();
    auto layout = isKeys ? op.getKeys() : op.getValues();
    strides = layout.getStrides(type.getHeadSize());
  }

  Value load(VectorBuilder &b, Value element) const {
    Type stored = type.getElementType();
    Value lanes =
        vector::LoadOp::create(b, b.vectorOf(stored), memory, element);
    if (stored.isF32())
      return lanes;
    return arith::ExtFOp::create(b, b.floats(), lanes);
  }
};

Values lowerCache(VectorBuilder &b, tile::CacheOp op,
                  Ranges<tile::CacheOp> in) {
  auto type = cast<llama::CacheType>(op.getType());
  Value context = in.getCtx()[0];
  Value keys = b.table(context, context::Field::Keys, type.getElementType());
  Value values =
      b.table(context, context::Field::Values, type.getElementType());
  Value firstHead = b.mul(in.getLayer()[0], type.getHeads());
  return {keys, values, firstHead, b.field(context, context::Field::Capacity)};
}

Values lowerScoreKeys(VectorBuilder &b, tile::ScoreKeysOp op,
                      Ranges<tile::ScoreKeysOp> in) {
  CacheHalf keys(in.getCache(), op.getCache(), /*isKeys=*/true);
  auto type = cast<VectorType>(op.getType());
  // A tile of keys is a group of positions: a vector for each element.
  Value head = b.add(keys.firstHead, in.getHead()[0]);
  Value base = keys.strides.groupAddress(b, head, keys.capacity,
                                         Value(in.getFirst()[0]));
  Values sums(type.getDimSize(0), b.zeros(b.floats()));
  sums = b.fold(
      0, keys.type.getHeadSize(), 1, sums, [&](Value d, ValueRange carried) {
        Value column = keys.load(b, b.add(base, b.mul(d, keys.strides.group)));
        Values next;
        for (auto [i, sum] : llvm::enumerate(carried)) {
          Value row = b.add(in.getRow()[0], i);
          Value element = b.loadScalar(in.getRows()[0], {row, d});
          next.push_back(b.fma(column, b.splat(element), sum));
        }
        return next;
      });
  return {b.pack(sums, type)};
}

Values lowerSumValues(VectorBuilder &b, tile::SumValuesOp op,
                      Ranges<tile::SumValuesOp> in) {
  CacheHalf half(in.getCache(), op.getCache(), /*isKeys=*/false);
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0), chunks = type.getDimSize(1) / kLanes;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  Value head = b.add(half.firstHead, in.getHead()[0]);
  Value base =
      half.strides.address(b, head, half.capacity, Value(in.getFirst()[0]),
                           Value(in.getElement()[0]));
  auto limitOf = [&](int64_t row) {
    Value limit = b.add(in.getCount()[0], row * op.getAdvance());
    limit = b.maximum(limit, 0);
    return b.minimum(limit, keys);
  };

  // accumulators[i * chunks + c]: row i, elements 16 c to 16 c + 15.
  auto addKey = [&](Value key, ValueRange carried,
                    llvm::function_ref<Value(int64_t)> sees) {
    Value at = b.add(base, b.mul(key, half.strides.perPosition));
    Values values, next;
    for (int64_t c = 0; c < chunks; ++c)
      values.push_back(half.load(b, b.add(at, c * kLanes)));
    for (int64_t i = 0; i < m; ++i) {
      Value weight =
          b.splat(b.loadScalar(in.getWeights()[0], {b.index(i), key}));
      Value condition = sees(i);
      for (int64_t c = 0; c < chunks; ++c) {
        Value last = carried[i * chunks + c];
        Value sum = b.fma(values[c], weight, last);
        if (condition)
          sum = arith::SelectOp::create(b, condition, sum, last);
        next.push_back(sum);
      }
    }
    return next;
  };

  // The first key that a row of a window attends to.
  auto firstOf = [&](int64_t row) {
    auto window = static_cast<int64_t>(*op.getWindow());
    Value first = b.add(in.getCount()[0], row * op.getAdvance() - window);
    return b.maximum(first, 0);
  };

  Values sums(m * chunks, b.zeros(b.floats())), firsts, limits;
  // Keys that not all rows attend to. The counter of the loop begins at 0.
  auto addSome = [&](Value from, Value to) {
    Value more = b.sub(to, from);
    sums = b.fold(0, more, 1, sums, [&](Value offset, ValueRange carried) {
      Value key = b.add(from, offset);
      return addKey(key, carried, [&](int64_t i) {
        Value sees = b.lessThan(key, limits[i]);
        if (firsts.empty())
          return sees;
        Value next = b.add(key, 1);
        Value begun = b.lessThan(firsts[i], next);
        return arith::AndIOp::create(b, begun, sees).getResult();
      });
    });
  };
  bool sameKeys = op.getAdvance() == 0 || m == 1;
  tile::IndexOperand first = 0;
  if (op.getWindow())
    first = firstOf(0);
  Value common = limitOf(0);
  if (op.getWindow() && !sameKeys) {
    for (int64_t i = 0; i < m; ++i) {
      firsts.push_back(firstOf(i));
      limits.push_back(limitOf(i));
    }
    Value begun = b.minimum(firsts.back(), limits.back());
    addSome(firsts.front(), begun);
    first = begun;
    common = b.maximum(common, begun);
  }
  sums = b.fold(first, common, 1, sums, [&](Value key, ValueRange carried) {
    return addKey(key, carried, [](int64_t) { return Value(); });
  });
  if (!sameKeys) {
    // Those of later rows only.
    for (int64_t i = static_cast<int64_t>(limits.size()); i < m; ++i)
      limits.push_back(limitOf(i));
    addSome(common, limits.back());
  }
  return {b.tileOf(type, [&](int64_t i, int64_t c) {
    return sums[i * chunks + c / kLanes];
  })};
}

Values lowerCausalMask(VectorBuilder &b, tile::CausalMaskOp op,
                       tile::CausalMaskOp::Adaptor in) {
  auto type = cast<VectorType>(op.getType());
  // The last key that row i sees.
  auto lastOf = [&](int64_t i) {
    return b.add(in.getPosition(), i * op.getAdvance());
  };
  auto sees = [&](Value last) -> Value {
    Value seen =
        arith::CmpIOp::create(b, arith::CmpIPredicate::sle, in.getKey(), last);
    if (!op.getWindow())
      return seen;
    Value end = b.add(in.getKey(), static_cast<int64_t>(*op.getWindow()));
    return arith::AndIOp::create(b, seen, b.lessThan(last, end));
  };
  if (type.getRank() == 2)
    return {b.tileOf(type, [&](int64_t i, int64_t c) -> Value {
      // Keys key .. key + left - 1 are at or before the row's position.
      Value left = b.add(b.sub(lastOf(i), in.getKey()), 1);
      Value seen = b.maskBelow(b.sub(left, c));
      if (!op.getWindow())
        return seen;
      // Keys key .. key + before - 1 are before the row's window.
      auto window = static_cast<int64_t>(*op.getWindow());
      Value before = b.maskBelow(b.sub(left, c + window));
      Value after = arith::ConstantOp::create(
          b, DenseElementsAttr::get(cast<VectorType>(before.getType()), true));
      after = arith::XOrIOp::create(b, after, before);
      return arith::AndIOp::create(b, seen, after);
    })};
  Values visible;
  for (int64_t i = 0; i < type.getDimSize(0); ++i)
    visible.push_back(sees(lastOf(i)));
  return {vector::FromElementsOp::create(b, type, visible)};
}

Values lowerAppend(VectorBuilder &b, tile::AppendOp op,
                   Ranges<tile::AppendOp> in) {
  bool isKeys = op.getWhat() == "keys";
  CacheHalf half(in.getCache(), op.getCache(), isKeys);
  int64_t size = half.type.getHeadSize(), heads = half.type.getHeads();
  Type element = half.type.getElementType();
  int64_t columns = cast<VectorType>(op.getValue().getType()).getDimSize(1);
  Value first =
      b.loadIndex(in.getCtx()[0], context::Field::Positions, in.getRow()[0]);
  // Element of the cache where a column of a position is.
  auto placeOf = [&](Value position, Value column) {
    Value inLayer = b.div(column, size);
    Value d = b.rem(column, size);
    Value head = b.add(half.firstHead, inLayer);
    return half.strides.address(b, head, half.capacity, position, d);
  };
  auto storeLane = [&](Value lanes, int64_t j, Value at) {
    Value lane = vector::ExtractOp::create(b, lanes, j);
    memref::StoreOp::create(b, lane, half.memory, at);
  };
  auto storeChunk = [&](Value position, Value column, Value lanes) {
    // A tile lies inside one head where heads are whole vectors.
    bool isInOneHead = size % kLanes == 0;
    Value at = isInOneHead ? placeOf(position, column) : Value();
    if (isInOneHead && !isKeys)
      return b.storeLanes(lanes, half.memory, at);
    for (int64_t j = 0; j < kLanes; ++j) {
      if (isInOneHead) {
        storeLane(lanes, j, b.add(at, j * half.strides.group));
        continue;
      }
      Value own = b.add(column, j);
      b.guarded(b.lessThan(own, heads * size),
                [&] { storeLane(lanes, j, placeOf(position, own)); });
    }
  };
  for (auto [i, row] : llvm::enumerate(b.unpack(in.getValue()[0]))) {
    Value narrowed = row;
    if (!element.isF32())
      narrowed = arith::TruncFOp::create(b, b.vectorOf(element, columns), row);
    auto storeRow = [&, i = i] {
      Value position = b.add(first, i);
      for (int64_t c = 0; c < columns; c += kLanes) {
        Value column = b.add(in.getFirst()[0], c);
        storeChunk(position, column, b.chunk(narrowed, c));
      }
    };
    // The first row of a tile is always one of the call's.
    Value isValid;
    if (i != 0)
      isValid = b.lessThan(b.add(in.getRow()[0], i), in.getRows()[0]);
    b.guarded(isValid, storeRow);
  }
  return {};
}

} // namespace

void cpu::populateAttentionPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types,
                                    const ScratchPlan &scratch) {
  addPatterns<lowerCache, lowerScoreKeys, lowerSumValues, lowerCausalMask,
              lowerAppend>(patterns, types, scratch);
}
