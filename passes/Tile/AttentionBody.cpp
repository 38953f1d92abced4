//===- AttentionBody.cpp - attention, block of keys by block of keys ------===//
//
// schedule -> tile, the kernels of attention. For few rows each block of keys
// is computed alone and leaves accumulator, maximum and sum; the next kernel
// merges them (AttentionMergeBody.cpp). For many rows a part is a tile of rows,
// which merges each block into what the blocks before it gave. Both use
// attendBlock and merge of this file, so their bits agree.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/KernelBody.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>
#include <utility>

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// Elements of a head come in multiples of this: the cache pads its values.
static constexpr int64_t kElements = kCacheRowMultiple;

static constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

/// The most lanes that one key is shared out to: those of a warp.
static constexpr int64_t kKeyLanes = 32;

/// The head's elements in tiles of whole vectors: widths that add up to the
/// head size rounded up to 16.
SmallVector<int64_t> KernelBody::headTiles(int64_t rows,
                                           int64_t headSize) const {
  int64_t vectors = llvm::divideCeil(headSize, kElements);
  int64_t most = strategy.getValueGroups(rows);
  SmallVector<int64_t> widths;
  for (int64_t done = 0; done < vectors; done += most)
    widths.push_back(std::min(most, vectors - done) * kElements);
  return widths;
}

/// The column where a head that begins at `column` ends, where tiles of whole
/// vectors would write past it; else null.
Value KernelBody::headLimit(Value column, int64_t headSize) {
  return headSize % kElements == 0 ? Value() : add(column, headSize);
}

Value KernelBody::cacheOf(Value cache, Value layer) {
  // schedule has the layouts on the declaration, of which there is one.
  for (auto layout :
       source->getParentOfType<ModuleOp>().getOps<CacheLayoutOp>())
    return CacheOp::create(b, cache.getType(), context, layerIndex(layer),
                           layout.getKeys(), layout.getValues(),
                           /*apart=*/layout.getRings().has_value());
  llvm_unreachable("the plan phase has verified that there is a cache_layout");
}

/// What scores are multiplied by, and a row's window if it has one.
template <typename Attention>
static std::pair<float, std::optional<int64_t>> scaleAndWindow(Attention op) {
  auto headSize = static_cast<double>(op.getCache().getType().getHeadSize());
  double scale = op.getScale() ? op.getScale()->convertToDouble()
                               : 1.0 / std::sqrt(headSize);
  std::optional<int64_t> window;
  if (op.getWindow())
    window = static_cast<int64_t>(*op.getWindow());
  return {static_cast<float>(scale), window};
}

/// The first block of `keys` keys in which a row at `position` sees one.
IndexOperand KernelBody::firstBlock(Value position,
                                    std::optional<int64_t> window,
                                    int64_t keys) {
  if (!window)
    return 0;
  return div(maximum(sub(position, *window - 1), 0), keys);
}

/// m rows of the query, scaled.
Value KernelBody::stageQuery(Value memory, Value row, int64_t every,
                             int64_t rows, int64_t headSize, float scale) {
  Type f32 = b.getF32Type();
  auto stage =
      StageOp::create(b, RowsType::get(b.getContext(), rows, headSize, f32),
                      memory, row, every, ValueRange{}, ValueRange{});
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&stage.getBody(), {}, {f32}, {b.getLoc()});
  Value factor = arith::ConstantOp::create(b, b.getF32FloatAttr(scale));
  tile::YieldOp::create(b,
                        arith::MulFOp::create(b, body->getArgument(0), factor));
  return stage;
}

/// How many lanes share the elements of a key, or of a value, in blocks of
/// `block`: as many as it has blocks, a power of two. Of `order.lanes` lanes
/// none is without a key.
static int64_t lanesOfKey(ReductionOrderAttr order, int64_t keys,
                          int64_t elements, int64_t block) {
  auto lanes = static_cast<int64_t>(
      llvm::PowerOf2Ceil(llvm::divideCeil(elements, block)));
  return std::clamp(lanes, order.getLanes() / keys, kKeyLanes);
}

/// Weighted values of a block of keys. Lanes that share keys also share their
/// values, as many bytes each.
void KernelBody::sumValues(const Query &q, KeyBlock &block, Value weights,
                           Value firstKey, Value place, int64_t keys) {
  auto cache = cast<CacheType>(q.cache.getType());
  Value count = add(sub(q.position, firstKey), 1);
  IntegerAttr window =
      q.window ? b.getI64IntegerAttr(*q.window) : IntegerAttr();
  int64_t element = 0, headSize = cache.getHeadSize();
  for (int64_t width : headTiles(q.m, headSize)) {
    ReductionOrderAttr order;
    if (q.order.getUnit()) {
      order = q.order;
    } else if (q.order.getBlock() != 0) {
      int64_t bits =
          q.order.getBlock() * cache.getKeyType().getIntOrFloatBitWidth();
      int64_t lanes =
          lanesOfKey(q.order, keys, width,
                     bits / cache.getValueType().getIntOrFloatBitWidth());
      order =
          ReductionOrderAttr::get(b.getContext(), /*unit=*/{}, /*block=*/0,
                                  ScaleMode::None, q.order.getLanes() / lanes);
    }
    block.accumulators.push_back(SumValuesOp::create(
        b, VectorType::get({q.m, width}, b.getF32Type()), weights, q.cache,
        q.head, place, index(element), count, q.advance, window, order));
    element += width;
  }
}

/// A block of keys that is one tile, whose keys lanes share, or which a unit
/// multiplies: scores need not be kept until their maximum is known.
KernelBody::KeyBlock KernelBody::attendTile(const Query &q, Value firstKey,
                                            Value place, int64_t keys) {
  auto cache = cast<CacheType>(q.cache.getType());
  auto tileType = VectorType::get({q.m, keys}, b.getF32Type());
  auto maskType = VectorType::get({q.m, keys}, b.getI1Type());
  auto rowType = VectorType::get({q.m}, b.getF32Type());
  Value zero = index(0);
  int64_t size = cache.getHeadSize(), each = q.order.getBlock();
  ReductionOrderAttr order = q.order;
  if (!order.getUnit())
    order = ReductionOrderAttr::get(b.getContext(), /*unit=*/{}, each,
                                    ScaleMode::None,
                                    lanesOfKey(q.order, keys, size, each));
  Value s = ScoreKeysOp::create(b, tileType, q.rows, zero, q.cache, q.head,
                                place, order);
  Value mask = CausalMaskOp::create(
      b, maskType, firstKey, q.position, q.advance,
      q.window ? b.getI64IntegerAttr(*q.window) : IntegerAttr());
  Value lowest = splat(kMinusInfinity, tileType);
  Value masked = arith::SelectOp::create(b, mask, s, lowest);
  KeyBlock block;
  block.maximum = ReduceLanesOp::create(b, rowType, "max", masked);
  Value spread = BroadcastRowsOp::create(b, tileType, block.maximum);
  Value w = math::ExpOp::create(b, arith::SubFOp::create(b, masked, spread));
  // Where a row has no key, -inf less -inf is no number.
  w = arith::SelectOp::create(b, mask, w, splat(0.0f, tileType));
  if (q.scores)
    tile::StoreOp::create(b, w, q.scores, zero, zero, Value(), Value());
  block.sum = ReduceLanesOp::create(b, rowType, "add", w);
  sumValues(q, block, q.scores ? q.scores : w, firstKey, place, keys);
  return block;
}

/// One block of keys, alone: scores, their maximum, weights and their sum,
/// weighted values.
KernelBody::KeyBlock KernelBody::attendBlock(const Query &q, Value firstKey,
                                             int64_t keys) {
  Type f32 = b.getF32Type();
  auto rowType = VectorType::get({q.m}, f32);
  Value zero = index(0);
  // A block never goes past the end of a ring, whose size it divides.
  int64_t ring = cast<CacheType>(q.cache.getType()).getRing();
  Value place = placeIn(ring, firstKey);
  if (q.order.getBlock() != 0 || q.order.getUnit())
    return attendTile(q, firstKey, place, keys);
  // Scores by whole tiles of the strategy's n keys, weights by tiles of as many
  // as their sum has lanes, a lane being the key modulo that; keys past the
  // position are -inf, whose exp is +0.
  int64_t lanes = q.order.getLanes(), tile = keys % n == 0 ? n : lanes;
  Value left = minimum(sub(q.keyLimit, firstKey), keys), unseen;
  // So are keys before the window, of which whole tiles are left out.
  IntegerAttr window;
  if (q.window) {
    window = b.getI64IntegerAttr(*q.window);
    unseen = maximum(sub(sub(q.position, *q.window - 1), firstKey), 0);
  }
  auto tiles = [&](int64_t of) -> std::pair<IndexOperand, Value> {
    Value upper = mul(arith::CeilDivSIOp::create(b, left, index(of)), of);
    IndexOperand lower = 0;
    if (unseen)
      lower = mul(div(unseen, of), of);
    return {lower, upper};
  };
  auto [lower, upper] = tiles(tile);
  auto tileType = VectorType::get({q.m, tile}, f32);
  auto maskType = VectorType::get({q.m, tile}, b.getI1Type());

  Value lowest = splat(kMinusInfinity, tileType);
  Value largest = fold(
      lower, upper, tile, lowest,
      [&](Value k, ValueRange carried) -> SmallVector<Value> {
        Value key = add(firstKey, k);
        Value at = ring != 0 ? add(place, k) : key;
        Value s =
            ScoreKeysOp::create(b, tileType, q.rows, zero, q.cache, q.head, at,
                                /*order=*/ReductionOrderAttr());
        Value mask = CausalMaskOp::create(b, maskType, key, q.position,
                                          q.advance, window);
        Value masked = arith::SelectOp::create(b, mask, s, lowest);
        tile::StoreOp::create(b, masked, q.scores, zero, k, Value(), Value());
        Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT,
                                              masked, carried[0]);
        return {arith::SelectOp::create(b, greater, masked, carried[0])};
      })[0];
  KeyBlock block;
  block.maximum = ReduceLanesOp::create(b, rowType, "max", largest);
  if (lanes != tile)
    std::tie(lower, upper) = tiles(lanes);
  auto laneType = VectorType::get({q.m, lanes}, f32);
  Value spread = BroadcastRowsOp::create(b, laneType, block.maximum);
  Value sum =
      fold(lower, upper, lanes, splat(0.0f, laneType),
           [&](Value k, ValueRange carried) -> SmallVector<Value> {
             Value s = tile::LoadOp::create(b, laneType, q.scores, zero, k,
                                            Value(), Value());
             Value w =
                 math::ExpOp::create(b, arith::SubFOp::create(b, s, spread));
             tile::StoreOp::create(b, w, q.scores, zero, k, Value(), Value());
             return {arith::AddFOp::create(b, carried[0], w)};
           })[0];
  block.sum = ReduceLanesOp::create(b, rowType, "add", sum);
  sumValues(q, block, q.scores, firstKey, place, keys);
  return block;
}

KernelBody::KeyBlock KernelBody::emptyBlock(int64_t rows, int64_t headSize) {
  Type f32 = b.getF32Type();
  KeyBlock block;
  block.maximum = splat(kMinusInfinity, VectorType::get({rows}, f32));
  block.sum = splat(0.0f, VectorType::get({rows}, f32));
  for (int64_t width : headTiles(rows, headSize))
    block.accumulators.push_back(
        splat(0.0f, VectorType::get({rows, width}, f32)));
  return block;
}

SmallVector<Value> KernelBody::KeyBlock::pack() const {
  SmallVector<Value> values{maximum, sum};
  llvm::append_range(values, accumulators);
  return values;
}
KernelBody::KeyBlock KernelBody::KeyBlock::unpack(ValueRange values) {
  return {SmallVector<Value>(values.drop_front(2)), values[0], values[1]};
}

/// A loop over the blocks of keys from `first` to `last`: `body` takes the
/// number of a block and what the blocks before it gave, and returns both
/// merged. It begins with an empty block; the result of the last round.
KernelBody::KeyBlock
KernelBody::foldBlocks(IndexOperand first, Value last, int64_t rows,
                       int64_t headSize,
                       function_ref<KeyBlock(Value, const KeyBlock &)> body) {
  SmallVector<Value> empty = emptyBlock(rows, headSize).pack();
  return KeyBlock::unpack(
      fold(first, last, 1, empty, [&](Value number, ValueRange carried) {
        return body(number, KeyBlock::unpack(carried)).pack();
      }));
}

/// m' = max(m, mi); a = exp(m - m'), c = exp(mi - m'); s' = fma(s, a, si * c);
/// o' = fma(o, a, oi * c).
KernelBody::KeyBlock KernelBody::merge(const KeyBlock &left,
                                       const KeyBlock &right) {
  KeyBlock merged;
  Value greater = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT,
                                        right.maximum, left.maximum);
  merged.maximum =
      arith::SelectOp::create(b, greater, right.maximum, left.maximum);
  Value a = math::ExpOp::create(
      b, arith::SubFOp::create(b, left.maximum, merged.maximum));
  Value c = math::ExpOp::create(
      b, arith::SubFOp::create(b, right.maximum, merged.maximum));
  merged.sum = math::FmaOp::create(b, left.sum, a,
                                   arith::MulFOp::create(b, right.sum, c));
  for (auto [o, oi] : llvm::zip(left.accumulators, right.accumulators)) {
    Value spreadA = BroadcastRowsOp::create(b, o.getType(), a);
    Value spreadC = BroadcastRowsOp::create(b, o.getType(), c);
    merged.accumulators.push_back(math::FmaOp::create(
        b, o, spreadA, arith::MulFOp::create(b, oi, spreadC)));
  }
  return merged;
}

//===----------------------------------------------------------------------===//
// Few rows: blocks alone
//===----------------------------------------------------------------------===//

LogicalResult KernelBody::writeAttentionPart(AttentionPartOp part) {
  CacheType cacheType = part.getCache().getType();
  int64_t headSize = cacheType.getHeadSize(), kvHeads = cacheType.getHeads();
  int64_t heads = part.getHeads(), group = heads / kvHeads,
          keys = part.getKeys();
  // Heads of a part: those that share keys, or some of them.
  int64_t rows = m, times = heads / rows;
  if (group % rows != 0)
    return source.emitOpError()
           << "has a tile of " << rows << " heads, which " << heads
           << " heads in groups of " << group << " cannot be shared out to";
  auto read = part.getQuery().getDefiningOp<BufferReadOp>();
  BufferWriteOp write;
  for (Operation *user : part->getUsers())
    write = dyn_cast<BufferWriteOp>(user);
  if (!read || !write)
    return part.emitOpError()
           << "reads its query from a buffer and leaves its parts in one";

  // A head's row of parts has its blocks side by side, each of them head size
  // elements, the maximum, the sum.
  Value query = bufferMemory(read.getBufferAttr(), read.getAtAttr(), heads);
  Value target = bufferMemory(write.getBufferAttr(), write.getAtAttr(), heads);
  Value cache = cacheOf(part.getCache(), part.getLayer());
  Value scores =
      ScratchOp::create(b, MemRefType::get({rows, keys}, b.getF32Type()));
  auto [scale, window] = scaleAndWindow(part);
  Value onlyPosition;
  if (!dynamicRows)
    onlyPosition = PositionOp::create(b, b.getIndexType(), context, index(0));

  loopOverParts([&](Value number) {
    Value blockNumber = arith::DivSIOp::create(b, number, index(times));
    Value share = arith::RemSIOp::create(b, number, index(times));
    Value firstHead = mul(share, rows);
    Value head = share;
    if (rows != group)
      head = arith::DivSIOp::create(b, firstHead, index(group));
    Value firstKey = mul(blockNumber, keys);
    // The heads of one row of the call, `first` the first of them. A block that
    // lies behind the row's position, or before its window, has no key for it:
    // its maximum is -inf.
    auto attendRow = [&, scale = scale, window = window](Value position,
                                                         Value first) {
      Query q{stageQuery(query, first, 1, rows, headSize, scale),
              scores,
              cache,
              head,
              position,
              add(position, 1),
              rows,
              /*advance=*/0,
              window,
              part.getOrderAttr()};
      KeyBlock block = attendBlock(q, firstKey, keys);
      Value column = mul(blockNumber, headSize + 2);
      Value bound = headLimit(column, headSize), limit = add(column, headSize);
      int64_t element = 0;
      for (Value o : block.accumulators) {
        tile::StoreOp::create(b, o, target, first, add(column, element),
                              Value(), bound);
        element += cast<VectorType>(o.getType()).getDimSize(1);
      }
      for (int64_t i = 0; i < rows; ++i) {
        Value row = add(first, i);
        Value largest = vector::ExtractOp::create(b, block.maximum, i);
        Value sum = vector::ExtractOp::create(b, block.sum, i);
        memref::StoreOp::create(b, largest, target, ValueRange{row, limit});
        memref::StoreOp::create(b, sum, target, ValueRange{row, add(limit, 1)});
      }
    };
    if (!dynamicRows)
      return attendRow(onlyPosition, firstHead);
    loop(0, rowCount(), 1, [&](Value row) {
      Value position = PositionOp::create(b, b.getIndexType(), context, row);
      attendRow(position, add(mul(row, heads), firstHead));
    });
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Many rows: a tile of them, merged block after block
//===----------------------------------------------------------------------===//

LogicalResult KernelBody::writeAttention(AttentionOp attention) {
  CacheType cacheType = attention.getCache().getType();
  int64_t headSize = cacheType.getHeadSize(), kvHeads = cacheType.getHeads();
  int64_t heads = attention.getHeads();
  // Heads of a part: those that share keys, or one.
  int64_t times = partition.getTimes(), members = heads / times;
  auto read = attention.getQuery().getDefiningOp<BufferReadOp>();
  // The result as it is, rounded, or both.
  SmallVector<BufferWriteOp, 2> writes;
  for (Operation *user : attention->getUsers())
    if (auto quantize = dyn_cast<QuantizeOp>(user))
      for (Operation *reader : quantize->getUsers())
        writes.push_back(dyn_cast<BufferWriteOp>(reader));
    else
      writes.push_back(dyn_cast<BufferWriteOp>(user));
  if (!read || writes.empty() || llvm::is_contained(writes, BufferWriteOp()) ||
      !attention.getKeys())
    return attention.emitOpError()
           << "has its keys in blocks, reads its query from a buffer and "
              "leaves its result in one; run llama-split-attention and "
              "llama-fuse-kernels";
  int64_t keys = attention.getKeysAttr().getInt();
  Type f32 = b.getF32Type();
  // One head of consecutive positions is every heads-th row.
  Value query = bufferMemory(read.getBufferAttr(), read.getAtAttr(), heads);
  SmallVector<Sink> all = sinks();
  prepareRounding(all, m, members * headSize);
  SmallVector<Value, 2> targets;
  for (BufferWriteOp write : writes)
    if (!findUnrounded({write, write.getValue(), "buffer"}))
      targets.push_back(bufferMemory(write.getBufferAttr(), write.getAtAttr()));
  Value cache = cacheOf(attention.getCache(), attention.getLayer());
  // Weights that a unit multiplies are where it needs them.
  const bool hasUnit = static_cast<bool>(attention.getOrderAttr().getUnit());
  Value scores;
  if (!hasUnit)
    scores = ScratchOp::create(b, MemRefType::get({m, keys}, f32));
  Value rows = rowCount();
  Value keyCount = KeyCountOp::create(b, b.getIndexType(), context);
  auto [scale, window] = scaleAndWindow(attention);
  // A row sees a key of a block if it sees the last one, or any after it.
  IntegerAttr seesOfBlock;
  if (window)
    seesOfBlock = b.getI64IntegerAttr(*window + keys - 1);

  loopOverParts([&, scale = scale, window = window](Value number) {
    Value tileNumber = arith::DivSIOp::create(b, number, index(times));
    Value share = arith::RemSIOp::create(b, number, index(times));
    // Later rows see more keys. The first parts are those of the last tile, so
    // that none of them begins when all others end.
    if (hasUnit)
      tileNumber = sub(sub(arith::CeilDivSIOp::create(b, rows, index(m)), 1),
                       tileNumber);
    Value head = share;
    if (times != kvHeads)
      head = arith::DivSIOp::create(b, share, index(times / kvHeads));
    Value firstRow = mul(tileNumber, m);
    Value position = PositionOp::create(b, b.getIndexType(), context, firstRow);
    Value keyLimit = minimum(add(position, m), keyCount);
    Value blocks = arith::CeilDivSIOp::create(b, keyLimit, index(keys));
    IndexOperand firstSeen = firstBlock(position, window, keys);
    if (!unrounded.empty())
      beginRounding(all, firstRow, mul(share, members * headSize));
    loop(0, members, 1, [&](Value member) {
      Value queryHead = add(mul(share, members), member);
      Value staged = stageQuery(query, add(mul(firstRow, heads), queryHead),
                                heads, m, headSize, scale);
      Query q{
          staged,   scores, cache,         head,   position,
          keyLimit, m,      /*advance=*/1, window, attention.getOrderAttr()};
      KeyBlock merged = foldBlocks(
          firstSeen, blocks, m, headSize,
          [&](Value number, const KeyBlock &before) {
            Value firstKey = mul(number, keys);
            KeyBlock next = merge(before, attendBlock(q, firstKey, keys));
            // A row that has no key in this block keeps what it had.
            Value sees = CausalMaskOp::create(
                b, VectorType::get({m}, b.getI1Type()), firstKey, position,
                /*advance=*/1, seesOfBlock);
            next.maximum =
                arith::SelectOp::create(b, sees, next.maximum, before.maximum);
            next.sum = arith::SelectOp::create(b, sees, next.sum, before.sum);
            for (auto [o, last] :
                 llvm::zip(next.accumulators, before.accumulators)) {
              auto type = cast<VectorType>(o.getType());
              Value spread = BroadcastRowsOp::create(
                  b, VectorType::get(type.getShape(), b.getI1Type()), sees);
              o = arith::SelectOp::create(b, spread, o, last);
            }
            return next;
          });
      Value column = mul(queryHead, headSize);
      Value limit = headLimit(column, headSize);
      int64_t element = 0;
      for (Value o : merged.accumulators) {
        Value sum = BroadcastRowsOp::create(b, o.getType(), merged.sum);
        Value y = arith::DivFOp::create(b, o, sum);
        Value at = add(column, element);
        for (Value target : targets) {
          Type kept = cast<MemRefType>(target.getType()).getElementType();
          Value stored = y;
          if (kept.getIntOrFloatBitWidth() < 32)
            stored = arith::TruncFOp::create(
                b, cast<VectorType>(y.getType()).clone(kept), y);
          tile::StoreOp::create(b, stored, target, firstRow, at, rows, limit);
        }
        for (const Sink &sink : all)
          if (findUnrounded(sink))
            store(sink, y, {firstRow, at, m, n}, limit);
        element += cast<VectorType>(o.getType()).getDimSize(1);
      }
    });
    if (!unrounded.empty())
      finishRounding(all, minimum(m, sub(rows, firstRow)));
  });
  return success();
}
