//===- VectorAttention.cpp - patterns of attention on CPUs ----------------===//
//
// tile -> vector: the cache, what is appended to it, scores of keys, the causal
// mask, and weighted sums of values. One vector holds 16 keys, or 16 elements
// of a value, so no sum crosses lanes; the query and the weights of keys are
// broadcast, which folds into the fma. Whatever the cache's type, its numbers
// are exact in float32 and summed alike.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/TilePatterns.h"
#include "passes/CPU/UnitLowering.h"
#include "runtime/ABI/Kernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

static_assert(abi::kCacheBlock % kLanes == 0,
              "a group of positions ends inside of a block of the cache");

namespace {

/// Keys or values of a layer, from the values that a cache became.
struct CacheHalf {
  Value memory; // memref<? x getCacheMemory(element)>
  Value firstHead;
  /// Of the cache's region: of all layers, or of one.
  int64_t heads;
  llama::CacheType type;
  Type element;
  llama::KVCacheStrides strides;

  CacheHalf(ValueRange converted, Value cache, bool isKeys)
      : memory(converted[isKeys ? 0 : 1]), firstHead(converted[2]),
        type(cast<llama::CacheType>(cache.getType())),
        element(isKeys ? type.getKeyType() : type.getValueType()) {
    // Only tile.cache makes a cache (verifyHandles); it names the layouts.
    auto op = cache.getDefiningOp<tile::CacheOp>();
    heads = op.getRegionHeads();
    auto layout = isKeys ? op.getKeys() : op.getValues();
    strides = layout.getStrides(type.getHeadSize(), element);
  }

  /// Bytes of the unit that strides count.
  int64_t unitBytes() const {
    return getCacheMemory(element).getIntOrFloatBitWidth() / 8;
  }

  /// 16 numbers in float32, which holds each of them exactly; in q8_0 they are
  /// multiplied by `scales`.
  Value load(VectorBuilder &b, Value at, Value scales) const {
    Value lanes = vector::LoadOp::create(b, b.vectorOf(getCacheMemory(element)),
                                         memory, at);
    if (element.isF32())
      return lanes;
    if (element.isF16())
      return arith::ExtFOp::create(b, b.floats(), lanes);
    auto words = b.vectorOf(b.getI32Type());
    if (element.isBF16()) {
      Value bits = arith::ExtUIOp::create(b, words, lanes);
      Value high = arith::ShLIOp::create(b, bits, b.constant(words, 16));
      return arith::BitcastOp::create(b, b.floats(), high);
    }
    Value quants = arith::ExtSIOp::create(b, words, lanes);
    Value numbers = arith::SIToFPOp::create(b, b.floats(), quants);
    return arith::MulFOp::create(b, numbers, scales);
  }
  /// The scales of 16 positions, from byte `at` on.
  Value loadScales(VectorBuilder &b, Value at) const {
    Value halves = b.loadBytes(memory, at, kLanes, b.getF16Type());
    return arith::ExtFOp::create(b, b.floats(), halves);
  }
  /// One scale for 16 elements.
  Value loadScale(VectorBuilder &b, Value at) const {
    Value half = b.loadBytes(memory, at, 1, b.getF16Type());
    Value scalar = vector::ExtractOp::create(b, half, 0);
    return b.splat(arith::ExtFOp::create(b, b.getF32Type(), scalar));
  }
};

Values lowerCache(VectorBuilder &b, tile::CacheOp op,
                  Ranges<tile::CacheOp> in) {
  auto type = cast<llama::CacheType>(op.getType());
  Value context = in.getCtx()[0];
  if (op.getApart()) {
    // From where the layer's region begins; its heads are the first there.
    Value regions = b.table(context, context::Field::Regions, b.getI64Type());
    Value begin = arith::IndexCastOp::create(
        b, b.getIndexType(), b.loadScalar(regions, in.getLayer()[0]));
    auto region = [&](context::Field field, Type element,
                      llama::KVCacheLayoutInterface layout) {
      Type unit = getCacheMemory(element);
      int64_t bytes =
          layout.getStrides(type.getHeadSize(), element).perPosition *
          (unit.getIntOrFloatBitWidth() / 8);
      Value pointer = b.field(context, field), at = b.mul(begin, bytes);
      return b.view(pointer, at, MemRefType::get({ShapedType::kDynamic}, unit));
    };
    Value keys = region(context::Field::Keys, type.getKeyType(), op.getKeys());
    Value values =
        region(context::Field::Values, type.getValueType(), op.getValues());
    return {keys, values, b.index(0)};
  }
  Value keys =
      b.table(context, context::Field::Keys, getCacheMemory(type.getKeyType()));
  Value values = b.table(context, context::Field::Values,
                         getCacheMemory(type.getValueType()));
  Value firstHead = b.mul(in.getLayer()[0], type.getHeads());
  return {keys, values, firstHead};
}

Values lowerScoreKeys(VectorBuilder &b, tile::ScoreKeysOp op,
                      Ranges<tile::ScoreKeysOp> in) {
  CacheHalf keys(in.getCache(), op.getCache(), /*isKeys=*/true);
  const llama::KVCacheStrides &strides = keys.strides;
  auto type = cast<VectorType>(op.getType());
  // A tile of keys is groups of 16 positions: of each a vector for an element.
  int64_t m = type.getDimSize(0), groups = type.getDimSize(1) / kLanes;
  Value head = b.add(keys.firstHead, in.getHead()[0]);
  Values bases;
  for (int64_t g = 0; g < groups; ++g)
    bases.push_back(strides.groupAddress(b, keys.heads, head,
                                         b.add(in.getFirst()[0], g * kLanes)));
  // Where keys are fetched ahead, elements of one line of memory are a round.
  int64_t ahead = prefetchOf(op) / keys.unitBytes();
  int64_t size = keys.type.getHeadSize();
  int64_t inLine = ahead ? kCacheLine / (kLanes * keys.unitBytes()) : 1;
  if (size % inLine != 0)
    inLine = 1;

  // Adds elements `first` to `first` + inLine, of which the first is `skipped`
  // behind each of `starts`. sums[i * groups + g]: row i, keys 16 g to 16 g +
  // 15.
  auto addElements = [&](ValueRange starts, Value skipped, Value first,
                         ValueRange carried, ValueRange scales) {
    Values sums(carried), places;
    for (Value start : starts) {
      places.push_back(b.add(start, skipped));
      if (ahead)
        b.prefetch(keys.memory, b.add(places.back(), ahead));
    }
    for (int64_t e = 0; e < inLine; ++e) {
      Values columns;
      for (auto [g, at] : llvm::enumerate(places))
        columns.push_back(keys.load(b, b.add(at, e * strides.group),
                                    scales.empty() ? Value() : scales[g]));
      Value d = b.add(first, e);
      for (int64_t i = 0; i < m; ++i) {
        Value row = b.add(in.getRow()[0], i);
        Value element = b.splat(b.loadScalar(in.getRows()[0], {row, d}));
        for (auto [g, column] : llvm::enumerate(columns)) {
          Value &sum = sums[i * groups + g];
          sum = b.fma(column, element, sum);
        }
      }
    }
    return sums;
  };
  Values sums(m * groups, b.zeros(b.floats()));
  int64_t block = strides.block;
  if (block == 0)
    sums = b.fold(0, size, inLine, sums, [&](Value d, ValueRange carried) {
      return addElements(bases, b.mul(d, strides.group), d, carried, {});
    });
  else
    sums = b.fold(0, size, block, sums, [&](Value first, ValueRange carried) {
      Values scales, quants;
      for (Value base : bases) {
        Value at = b.add(base, strides.scaleInGroup(b, first));
        scales.push_back(keys.loadScales(b, at));
        quants.push_back(b.add(base, strides.elementInGroup(b, first)));
      }
      return b.fold(0, block, inLine, carried, [&](Value d, ValueRange inner) {
        return addElements(quants, b.mul(d, strides.group), b.add(first, d),
                           inner, scales);
      });
    });
  return {b.tileOf(type, [&](int64_t i, int64_t c) {
    return sums[i * groups + c / kLanes];
  })};
}

Values lowerSumValues(VectorBuilder &b, tile::SumValuesOp op,
                      Ranges<tile::SumValuesOp> in) {
  CacheHalf half(in.getCache(), op.getCache(), /*isKeys=*/false);
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0), chunks = type.getDimSize(1) / kLanes;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  const llama::KVCacheStrides &strides = half.strides;
  Value head = b.add(half.firstHead, in.getHead()[0]);
  Value base =
      strides.groupAddress(b, half.heads, head, Value(in.getFirst()[0]));
  // From a position's address to each 16 of its elements, and to their scale.
  Values places, scales;
  for (int64_t c = 0; c < chunks; ++c) {
    Value element = b.add(in.getElement()[0], c * kLanes);
    places.push_back(strides.elementInGroup(b, element));
    if (strides.block != 0)
      scales.push_back(strides.scaleInGroup(b, element));
  }
  // The first tile of a head's elements fetches all of them.
  int64_t ahead = getConstantIntValue(op.getElement()) == 0
                      ? prefetchOf(op) / half.unitBytes()
                      : 0;
  int64_t line = kCacheLine / half.unitBytes();
  auto limitOf = [&](int64_t row) {
    Value limit = b.add(in.getCount()[0], row * op.getAdvance());
    limit = b.maximum(limit, 0);
    return b.minimum(limit, keys);
  };

  // accumulators[i * chunks + c]: row i, elements 16 c to 16 c + 15.
  auto addKey = [&](Value key, ValueRange carried,
                    llvm::function_ref<Value(int64_t)> sees) {
    Value at = b.add(base, b.mul(key, strides.perPosition));
    for (int64_t next = 0; ahead && next < strides.perPosition; next += line)
      b.prefetch(half.memory, b.add(at, ahead + next));
    Values values, next;
    for (int64_t c = 0; c < chunks; ++c) {
      Value scale;
      if (strides.block != 0)
        scale = half.loadScale(b, b.add(at, scales[c]));
      values.push_back(half.load(b, b.add(at, places[c]), scale));
    }
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

/// Rounded to bf16, halves to the even number, by integers: `vcvtneps2bf16`,
/// which not all CPUs have, takes subnormal numbers for zeros.
Value toBF16Bits(VectorBuilder &b, Value floats) {
  auto words = cast<VectorType>(floats.getType()).cloneWith({}, b.getI32Type());
  auto number = [&](int64_t value) { return b.constant(words, value); };
  Value bits = arith::BitcastOp::create(b, words, floats);
  Value high = arith::ShRUIOp::create(b, bits, number(16));
  // Half of the last place, less one where the number kept is even.
  Value isOdd = arith::AndIOp::create(b, high, number(1));
  Value half = arith::AddIOp::create(b, isOdd, number(0x7fff));
  Value rounded = arith::ShRUIOp::create(
      b, arith::AddIOp::create(b, bits, half).getResult(), number(16));
  // A carry would turn some NaN into an infinity or a zero.
  Value isNaN =
      arith::CmpFOp::create(b, arith::CmpFPredicate::UNO, floats, floats);
  Value quiet = arith::OrIOp::create(b, high, number(0x40));
  Value kept = arith::SelectOp::create(b, isNaN, quiet, rounded);
  return arith::TruncIOp::create(b, words.cloneWith({}, b.getIntegerType(16)),
                                 kept);
}

Values lowerAppend(VectorBuilder &b, tile::AppendOp op,
                   Ranges<tile::AppendOp> in) {
  bool isKeys = op.getWhat() == "keys";
  CacheHalf half(in.getCache(), op.getCache(), isKeys);
  int64_t size = half.type.getHeadSize(), heads = half.type.getHeads();
  Type element = half.element;
  int64_t columns = cast<VectorType>(op.getValue().getType()).getDimSize(1);
  Value first =
      b.loadIndex(in.getCtx()[0], context::Field::Positions, in.getRow()[0]);
  // Where an element of a column is, at a place.
  struct Column {
    Value head, element;
  };
  auto columnOf = [&](Value column) -> Column {
    Value inLayer = b.div(column, size);
    Value d = b.rem(column, size);
    return {b.add(half.firstHead, inLayer), d};
  };
  auto addressOf = [&](Value place, Value column) {
    auto [head, d] = columnOf(column);
    return half.strides.address(b, half.heads, head, place, d);
  };
  auto storeLane = [&](Value lanes, int64_t j, Value at) {
    Value lane = vector::ExtractOp::create(b, lanes, j);
    memref::StoreOp::create(b, lane, half.memory, at);
  };
  // 16 elements of one head, whose first is at `at`.
  auto storeInHead = [&](Value at, Value lanes) {
    if (half.strides.group == 1)
      return b.storeLanes(lanes, half.memory, at);
    for (int64_t j = 0; j < kLanes; ++j)
      storeLane(lanes, j, b.add(at, j * half.strides.group));
  };
  auto storeChunk = [&](Value place, Value column, Value lanes) {
    // A tile lies inside one head where heads are whole vectors.
    if (size % kLanes == 0)
      return storeInHead(addressOf(place, column), lanes);
    for (int64_t j = 0; j < kLanes; ++j) {
      Value own = b.add(column, j);
      b.guarded(b.lessThan(own, heads * size),
                [&] { storeLane(lanes, j, addressOf(place, own)); });
    }
  };
  auto storeBlock = [&](Value place, Value column, Value low, Value high) {
    auto [head, d] = columnOf(column);
    auto [scale, digits] =
        roundBlock(b, low, high, llama::Q8B32Type::get(b.getContext()));
    Value number = arith::TruncFOp::create(b, b.getF16Type(), scale);
    Value bytes = vector::BitCastOp::create(
        b, b.vectorOf(b.getI8Type(), llama::KVCacheStrides::kScaleBytes),
        b.splat(number, 1));
    b.storeLanes(bytes, half.memory,
                 half.strides.scaleAddress(b, half.heads, head, place, d));
    Value at = half.strides.address(b, half.heads, head, place, d);
    for (auto [i, lanes] : llvm::enumerate(digits.front())) {
      Value chunk =
          b.add(at, static_cast<int64_t>(i) * kLanes * half.strides.group);
      storeInHead(chunk,
                  arith::TruncIOp::create(b, b.vectorOf(b.getI8Type()), lanes));
    }
  };
  for (auto [i, row] : llvm::enumerate(b.unpack(in.getValue()[0]))) {
    Value narrowed = row;
    if (element.isF16())
      narrowed = arith::TruncFOp::create(b, b.vectorOf(element, columns), row);
    else if (element.isBF16())
      narrowed = toBF16Bits(b, row);
    auto storeRow = [&, i = i] {
      Value place = b.placeIn(half.type.getRing(), b.add(first, i));
      int64_t block = half.strides.block;
      for (int64_t c = 0; block != 0 && c < columns; c += block) {
        Value column = b.add(in.getFirst()[0], c);
        Value low = b.chunk(narrowed, c);
        Value high = b.chunk(narrowed, c + kLanes);
        storeBlock(place, column, low, high);
      }
      for (int64_t c = 0; block == 0 && c < columns; c += kLanes) {
        Value column = b.add(in.getFirst()[0], c);
        storeChunk(place, column, b.chunk(narrowed, c));
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

Type cpu::getCacheMemory(Type element) {
  if (element.isBF16())
    return IntegerType::get(element.getContext(), 16);
  if (isa<llama::Q8_0Type>(element))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

void cpu::populateAttentionPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types,
                                    const ScratchPlan &scratch) {
  addPatterns<lowerCache, lowerScoreKeys, lowerSumValues, lowerCausalMask,
              lowerAppend>(patterns, types, scratch);
}
