//===- MmaAttention.cpp - #cuda.mma: attention in tensor cores ------------===//
//
// tile -> vector: 64 rows of a head's query, block of 64 keys by block. Four
// warps; warp w has rows 16 w to 16 w + 15 of scores and of the result, so that
// a row's maximum and sum are among four lanes, and weights are where the next
// product wants them: no score goes through memory.
//
// Query and weights are float32. Each is a sum of two f16 and a power of two
// that its row shares, so that nothing is rounded that float32 would not round
// likewise (docs/bits.md); keys and values are f16 as they are in the cache.
//
// A block's keys and its values have a place each in workgroup memory, to which
// they are copied (cp.async) while the other is multiplied. Two barriers a
// block of keys:
//
//     wait for my copies of keys; barrier     keys are there, and no thread
//                                             still reads the last values
//     start the copies of values; scores, maxima, weights
//     wait for my copies of values; barrier   values are there, and no thread
//                                             still reads these keys
//     start the copies of the next keys; sums of values
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <tuple>

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::Spread;

/// The tile of a block, its keys and threads: what the code below is written
/// for, as the strategy table says it.
static constexpr int64_t kRows = 64, kKeys = 64, kThreads = 128;
/// f16 in 16 bytes, the unit of copies and of ldmatrix's rows.
static constexpr int64_t kUnit = 8;
/// Lanes that share a row of the query while it is split, 4 elements each, and
/// the loads of 16 bytes that a thread has in flight then.
static constexpr int64_t kRowLanes = 8, kGroup = 4, kLoads = 16;
/// Weights are at most 1. With this power of two, which is taken out of the
/// sums, what their lower halves cannot hold is 2^-39.
static constexpr float kWeightPower = 0x1p14f;

bool CUDAKernel::attendsInTensorCores(scf::ForOp loop) {
  return loop && llvm::any_of(loop.getBody()->getOps<tile::ScoreKeysOp>(),
                              [](tile::ScoreKeysOp score) {
                                return score.getOrderAttr() &&
                                       score.getOrderAttr().getUnit();
                              });
}

//===----------------------------------------------------------------------===//
// Workgroup memory
//===----------------------------------------------------------------------===//

/// Rows of the query as the ops' region makes them, split. Their places, and
/// those of keys and values, are an odd number of 16 bytes apart, so that the 8
/// rows that ldmatrix reads at once are in different banks.
void CUDAKernel::splitQuery(tile::StageOp op) {
  TensorAttention &t = tensorAttention;
  const int64_t size = op.getType().getColumns();
  t.padded = llvm::alignTo(size, kMmaDepth);
  const int64_t width = t.padded + kUnit;
  Type half = b.getF16Type();
  t.upper = allocate({kRows, width}, half);
  t.lower = allocate({kRows, width}, half);
  t.powers = allocate({kRows}, b.getF32Type());
  t.keys = allocate({kKeys, width}, half);
  t.values = allocate({kKeys, width}, half);
  for (Value memory : {t.upper, t.lower, t.powers})
    barriers.write(bufferOf(memory));

  Value memory = lookup(op.getSource()), inRow = rem(lane, kRowLanes);
  // Of a row in memory, and with what fills it up; a lane's share.
  const int64_t groups = size / kGroup, all = t.padded / kGroup,
                loads = llvm::divideCeil(all, kRowLanes),
                atOnce = std::max<int64_t>(1, kLoads / loads);
  auto mask = splat(i32(kMagnitude), kGroup);
  auto words = VectorType::get({kGroup}, b.getI32Type());
  auto groupOf = [&](int64_t i) { return add(inRow, i * kRowLanes); };
  auto splitRow = [&](Value row, ArrayRef<Value> mine) {
    Value most;
    for (Value four : mine) {
      Value magnitude = arith::AndIOp::create(
          b, vector::BitCastOp::create(b, words, four), mask);
      for (int64_t e = 0; e < kGroup; ++e) {
        Value one = element(magnitude, e);
        most = most ? arith::MaxUIOp::create(b, most, one).getResult() : one;
      }
    }
    for (int64_t bit = kRowLanes / 2; bit; bit /= 2)
      most =
          arith::MaxUIOp::create(b, most, ShuffleXorOp::create(b, most, bit));
    auto [up, down] = powersFor(most);
    guarded(isZero(inRow), [&, down = down] {
      memref::StoreOp::create(b, down, t.powers, row);
    });
    for (auto [i, four] : llvm::enumerate(mine)) {
      auto [upper, lower] =
          splitHalves(arith::MulFOp::create(b, four, splat(up, kGroup)));
      Value group = groupOf(i);
      bool isPart = all % kRowLanes != 0 && i + 1 == mine.size();
      guarded(isPart ? lessThan(group, all) : Value(),
              [&, upper = upper, lower = lower] {
                Value place[] = {row, mul(group, kGroup)};
                storeVector(upper, t.upper, place, 8);
                storeVector(lower, t.lower, place, 8);
              });
    }
  };
  const int64_t perRound = kThreads / kRowLanes;
  for (int64_t first = 0; first < kRows; first += perRound * atOnce) {
    Vec<std::pair<Value, Vec<Value>>> rows;
    for (int64_t r = first; r < std::min(kRows, first + perRound * atOnce);
         r += perRound) {
      Value row = add(div(thread, kRowLanes), r);
      Value from = add(lookup(op.getRow()), mul(row, op.getEvery()));
      Vec<Value> mine;
      for (int64_t i = 0; i < loads; ++i) {
        Value isThere = (i + 1) * kRowLanes > groups
                            ? lessThan(groupOf(i), groups)
                            : Value();
        Vec<Value> zero{zeros(floats(kGroup))};
        mine.push_back(guardedValues(isThere, zero, [&]() -> Vec<Value> {
          return {
              loadVector(memory, {from, mul(groupOf(i), kGroup)}, kGroup, 16)};
        })[0]);
      }
      rows.emplace_back(row, mine);
    }
    for (auto &[row, mine] : rows) {
      for (Value &four : mine)
        four = mapBody(op.getBody(), {four});
      splitRow(row, mine);
    }
  }
}

/// Starts the copies of a block's keys or values: 64 rows from `place` on. What
/// is behind the cache's last row, and behind a row's last element, is zero.
void CUDAKernel::copyRows(const Cache &cache, Value memory,
                          const llama::KVCacheStrides &strides, Value head,
                          Value place, Value target) {
  IndexBuilder &math = *this;
  const int64_t size = cache.type.getHeadSize(),
                units = tensorAttention.padded / kUnit;
  Value filled = field(context::Field::KeyCount);
  if (int64_t ring = cache.type.getRing())
    filled = minimum(filled, ring);
  Value left = sub(filled, place);
  Value start = strides.groupAddress(math, cache.heads,
                                     add(cache.firstHead, head), place);
  // The row `further` behind `row`. Of one that is not there nothing is read,
  // whatever its address.
  auto copy = [&](Value row, int64_t further, Value unit) {
    Value column = mul(unit, kUnit), bytes = index(CopyAsyncOp::kBytes);
    if (size != tensorAttention.padded) {
      Value rest = maximum(mul(sub(index(size), column), 2), 0);
      bytes = minimum(rest, CopyAsyncOp::kBytes);
    }
    Value valid = arith::SelectOp::create(b, lessThan(further, sub(left, row)),
                                          bytes, index(0));
    Value at = add(start, add(mul(row, strides.perPosition), column));
    CopyAsyncOp::create(b, memory,
                        ValueRange{add(at, further * strides.perPosition)},
                        target, ValueRange{add(row, further), column}, valid);
  };
  // A thread has the same unit of every row that it copies, or any.
  const bool isEven = kThreads % units == 0;
  for (int64_t item = 0; item < kKeys * units; item += kThreads) {
    if (isEven) {
      copy(div(thread, units), item / units, rem(thread, units));
      continue;
    }
    Value number = add(thread, item);
    bool isPart = item + kThreads > kKeys * units;
    guarded(isPart ? lessThan(number, kKeys * units) : Value(),
            [&] { copy(div(number, units), 0, rem(number, units)); });
  }
  CopyCommitOp::create(b);
}

void CUDAKernel::copyKeys(tile::ScoreKeysOp op) {
  Value place = values.lookup(op.getFirst()),
        head = values.lookup(op.getHead());
  auto cache = caches.find(op.getCache());
  // Before the kernel's first op no place is known.
  if (!place || !head || cache == caches.end() || !tensorAttention.keys)
    return;
  copyRows(cache->second, cache->second.keys, cache->second.keyStrides, head,
           place, tensorAttention.keys);
}

/// Starts the copies of keys of the block that the trip `number` of the loop
/// reads, if there is one.
LogicalResult CUDAKernel::copyKeys(scf::ForOp loop, Value number, Value to) {
  return prefetchFor(loop, number, to);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Products of a tile's rows and of `columns` columns. At each depth, a
/// multiple of 16 below `end`, `rows` gives both halves and `load` what
/// ldmatrix makes of 16 columns from `column` on: the pairs of the first 8,
/// then of the others.
SmallVector<Value>
CUDAKernel::multiply(int64_t end, int64_t columns,
                     function_ref<std::array<Value, 2>(int64_t)> rows,
                     function_ref<Value(int64_t, int64_t)> load) {
  Vec<Value> sums(columns / kMmaColumns,
                  zeros(VectorType::get({4}, b.getF32Type())));
  for (int64_t depth = 0; depth < end; depth += kMmaDepth) {
    // Or ptxas would load what several depths need at once, and spill.
    ConvergeOp::create(b);
    Vec<Value> second;
    for (int64_t column = 0; column < columns; column += 2 * kMmaColumns) {
      Value pairs = load(depth, column);
      for (int64_t i = 0; i < 2; ++i)
        second.push_back(vector::ExtractStridedSliceOp::create(
            b, pairs, ArrayRef<int64_t>{2 * i}, ArrayRef<int64_t>{2},
            ArrayRef<int64_t>{1}));
    }
    // Sums of one half after the other: a sum does not wait for itself.
    for (Value half : rows(depth))
      for (auto [sum, other] : llvm::zip(sums, second))
        sum = MmaOp::create(b, half, other, sum);
  }
  return sums;
}

/// The elements of accumulators, each times that of `factors`.
Value CUDAKernel::scaled(ArrayRef<Value> sums, Value factors) {
  Vec<Value> elements;
  for (Value sum : sums) {
    Value product = arith::MulFOp::create(b, sum, factors);
    for (int64_t e = 0; e < 4; ++e)
      elements.push_back(element(product, e));
  }
  return fromElements(elements);
}

FailureOr<Value> CUDAKernel::scoreInTensorCores(tile::ScoreKeysOp op,
                                                const Fragment &fragment) {
  const Cache &cache = caches.find(op.getCache())->second;
  TensorAttention &t = tensorAttention;
  const bool isF16 =
      cache.type.getKeyType().isF16() && cache.type.getValueType().isF16();
  if (fragment.spread != Spread::Accumulators || fragment.rows != kRows ||
      fragment.columns != kKeys || threads != kThreads || !isF16 ||
      cache.type.getHeadSize() % kGroup != 0 || !t.next.loop || !t.upper)
    return op.emitOpError()
           << "has code in tensor cores for " << kRows << " rows and " << kKeys
           << " keys of f16, whole groups of " << kGroup
           << " elements, in a loop over blocks of them, found " << op.getType()
           << " and " << op.getCache().getType() << " in " << strategy;
  CopyWaitOp::create(b, 0);
  barriers.barrier();
  copyRows(cache, cache.values, cache.valueStrides, lookup(op.getHead()),
           lookup(op.getFirst()), t.values);

  for (Value memory : {t.upper, t.lower, t.powers})
    barriers.read(bufferOf(memory));
  auto registers = VectorType::get({4, 2}, b.getF16Type());
  // Matrices of 8 x 8 in the order of mma's registers: rows 0 to 7 and 8 to 15
  // of elements 0 to 7, then of elements 8 to 15.
  Value row = add(mul(warp, kMmaRows), rem(lane, kMmaRows));
  Value side = mul(div(lane, kMmaRows), kUnit);
  auto query = [&](int64_t depth) -> std::array<Value, 2> {
    Value place[] = {row, add(side, depth)};
    return {LdMatrixOp::create(b, registers, t.upper, place),
            LdMatrixOp::create(b, registers, t.lower, place)};
  };
  // Of keys 0 to 7 elements 0 to 7 and 8 to 15, then of keys 8 to 15.
  Value key = add(rem(lane, kUnit), mul(div(lane, kMmaRows), kUnit));
  Value part = mul(rem(div(lane, kUnit), 2), kUnit);
  auto keys = [&](int64_t depth, int64_t column) -> Value {
    Value place[] = {add(key, column), add(part, depth)};
    return LdMatrixOp::create(b, registers, t.keys, place);
  };
  Vec<Value> sums = multiply(t.padded, kKeys, query, keys);
  Value first = load(t.powers, rowOfThread(0)),
        second = load(t.powers, rowOfThread(1));
  return scaled(sums, fromElements({first, first, second, second}));
}

FailureOr<Value> CUDAKernel::sumInTensorCores(tile::SumValuesOp op,
                                              const Fragment &fragment) {
  TensorAttention &t = tensorAttention;
  std::optional<int64_t> from = getConstantIntValue(op.getElement());
  if (!from || !t.values)
    return op.emitOpError()
           << "sums elements of known numbers behind their block's scores";
  // The first elements; others are summed behind it.
  if (*from == 0) {
    CopyWaitOp::create(b, 0);
    barriers.barrier();
    if (failed(copyKeys(t.next.loop, t.next.number, t.next.to)))
      return failure();
  }
  // Accumulators of 16 keys are mma's registers of a depth.
  Value weights = lookup(op.getWeights());
  Value upper, lower;
  std::tie(upper, lower) = splitHalves(arith::MulFOp::create(
      b, weights, splat(constant(kWeightPower), kRows * kKeys / kThreads)));
  auto registers = VectorType::get({4, 2}, b.getF16Type());
  auto halvesOf = [&](int64_t depth) -> std::array<Value, 2> {
    auto pairsOf = [&](Value halves) -> Value {
      Value eight = vector::ExtractStridedSliceOp::create(
          b, halves, ArrayRef<int64_t>{depth / 2}, ArrayRef<int64_t>{8},
          ArrayRef<int64_t>{1});
      return vector::ShapeCastOp::create(b, registers, eight);
    };
    return {pairsOf(upper), pairsOf(lower)};
  };
  // Keys 0 to 7 and 8 to 15 of elements 0 to 7, then of elements 8 to 15.
  Value key = rem(lane, kMmaRows), side = mul(div(lane, kMmaRows), kUnit);
  auto values = [&](int64_t depth, int64_t column) -> Value {
    Value place[] = {add(key, depth), add(side, column + *from)};
    return LdMatrixOp::create(b, registers, t.values, place,
                              /*transposed=*/true);
  };
  Vec<Value> sums = multiply(kKeys, fragment.columns, halvesOf, values);
  return scaled(sums, splat(constant(1 / kWeightPower), 4));
}
