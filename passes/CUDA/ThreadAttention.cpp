//===- ThreadAttention.cpp - scores and sums of values, by threads --------===//
//
// tile -> vector: for scores a thread has one key and all rows of the query,
// for sums of values one element of the head and all weights. No sum crosses
// threads, so each is one chain in the op's order.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::Spread;

/// Loads of 16 bytes of a key that a thread has in flight: 64 bytes are a head
/// of 32 f16.
static constexpr int64_t kKeyLoads = 4;
/// Bytes of values that a thread has in flight, one element of the head from
/// each key: as many as of its key for scores. The rest of a block of keys
/// takes the shorter step, then single keys.
static constexpr int64_t kValueBytes = 64, kFewValueLoads = 8;
/// Registers for these loads and for the sums, each of which takes two (the sum
/// and its weight): what addresses leave of the budget of 128. With more, heads
/// that share keys would spill.
static constexpr int64_t kValueRegisters = 40;

/// The capacity is a multiple of this, so a tile of keys whose width divides it
/// lies inside the cache's memory.
static constexpr int64_t kCacheBlock = abi::kCacheBlock;

/// Keys whose values a thread loads before it uses the first, if it holds
/// `sums` sums.
static int64_t valueLoads(Type element, int64_t sums) {
  int64_t loads = kValueBytes * 8 / element.getIntOrFloatBitWidth();
  while (loads > kFewValueLoads && loads + 2 * sums > kValueRegisters)
    loads /= 2;
  return loads;
}

Value CUDAKernel::toFloat(Value number) {
  Type type = number.getType();
  if (getElementTypeOrSelf(type).isF32())
    return number;
  Type f32 = b.getF32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    f32 = vector.clone(f32);
  return arith::ExtFOp::create(b, f32, number);
}

FailureOr<Value> CUDAKernel::write(tile::ScoreKeysOp op,
                                   const Fragment &fragment) {
  if (fragment.spread != Spread::ThreadColumns ||
      kCacheBlock % fragment.columns != 0)
    return op.emitOpError()
           << "has one key a thread and a width that divides " << kCacheBlock
           << " on a GPU, found " << op.getType();
  const Cache &cache = caches.find(op.getCache())->second;
  const Rows query = rows.find(op.getRows())->second;
  barriers.read(query.buffer);
  int64_t size = cache.type.getHeadSize(), m = fragment.rows;
  int64_t lanes = 16 * 8 / cache.type.getKeyType().getIntOrFloatBitWidth();
  IndexBuilder &math = *this;
  Value head = add(cache.firstHead, lookup(op.getHead()));

  Vec<Value> scores(fragment.size());
  for (int64_t j = 0; j < fragment.perRow; ++j) {
    Value column = columnOf(fragment, j);
    Value key = add(lookup(op.getFirst()), column);
    Value at = cache.keyStrides.groupAddress(math, cache.heads, head, key);
    // Elements d to d + count; the loads may reach into the row's padding.
    auto part = [&](Value d, int64_t count, ValueRange carried) {
      Vec<Value> sums(carried), elements;
      for (int64_t c = 0; c < count; c += lanes) {
        Value loaded =
            toFloat(loadVector(cache.keys, {add(at, add(d, c))}, lanes, 16));
        for (int64_t l = 0; l < lanes; ++l)
          elements.push_back(element(loaded, l));
      }
      for (int64_t c = 0; c < count; c += 4) {
        for (int64_t i = 0; i < m; ++i) {
          Value row = add(lookup(op.getRow()), i);
          Value four = loadGroup(query, row, add(d, c));
          for (int64_t l = c; l < std::min(c + 4, count); ++l)
            sums[i] = fma(elements[l], element(four, l - c), sums[i]);
        }
      }
      return sums;
    };
    Value zero = constant(0.0f);
    Vec<Value> start(m, zero);
    Value inside =
        fragment.passesColumns() ? lessThan(column, fragment.columns) : Value();
    Vec<Value> sums = guardedValues(inside, start, [&] {
      int64_t step = kKeyLoads * lanes, whole = size / step * step;
      Vec<Value> found = start;
      if (whole)
        found = fold(0, whole, step, found, [&](Value d, ValueRange carried) {
          return part(d, step, carried);
        });
      if (whole != size)
        found = part(index(whole), size - whole, found);
      return found;
    });
    for (int64_t i = 0; i < m; ++i)
      scores[i * fragment.perRow + j] = sums[i];
  }
  return fromElements(scores);
}

/// Columns `column` to `column` + 3 of rows in workgroup memory.
Value CUDAKernel::loadGroup(const Rows &from, Value row, Value column) {
  if (from.swizzled)
    column = mul(swizzle(div(column, 4)), 4);
  return loadVector(from.memory, {row, column}, 4, 16);
}

FailureOr<Value> CUDAKernel::write(tile::SumValuesOp op,
                                   const Fragment &fragment) {
  if (fragment.spread != Spread::ThreadColumns)
    return op.emitOpError() << "has one element a thread on a GPU, found "
                            << op.getType() << " for " << strategy;
  const Cache &cache = caches.find(op.getCache())->second;
  Value weightsMemory = lookup(op.getWeights());
  int64_t m = fragment.rows, size = cache.type.getHeadSize();
  int64_t keys = cast<MemRefType>(weightsMemory.getType()).getDimSize(1);
  barriers.read(bufferOf(weightsMemory));

  IndexBuilder &math = *this;
  Value firstValue = cache.valueStrides.groupAddress(
      math, cache.heads, add(cache.firstHead, lookup(op.getHead())),
      lookup(op.getFirst()));
  auto limitOf = [&](int64_t row) {
    Value limit = add(lookup(op.getCount()), row * op.getAdvance());
    return minimum(maximum(limit, 0), keys);
  };
  // The first key that a row of a window attends to.
  auto firstOf = [&](int64_t row) {
    auto window = static_cast<int64_t>(*op.getWindow());
    Value first = add(lookup(op.getCount()), row * op.getAdvance() - window);
    return maximum(first, 0);
  };
  Value common = limitOf(0);
  Vec<Value> firsts, limits;
  if (op.getAdvance() != 0)
    for (int64_t i = 0; i < m; ++i)
      limits.push_back(limitOf(i));
  // Keys from `begun` on are in the windows of all rows.
  Value first, begun;
  if (op.getWindow()) {
    for (int64_t i = 0; i < (op.getAdvance() != 0 ? m : 1); ++i)
      firsts.push_back(firstOf(i));
    first = begun = firsts.front();
    if (firsts.size() > 1) {
      begun = minimum(firsts.back(), limits.back());
      common = maximum(common, begun);
    }
  }

  llvm::SmallSetVector<int64_t, 3> steps;
  steps.insert(valueLoads(cache.type.getValueType(),
                          m * llvm::divideCeil(size, threads)));
  steps.insert(kFewValueLoads);
  steps.insert(1);
  Vec<Value> result(fragment.size());
  for (int64_t j = 0; j < fragment.perRow; ++j) {
    Value offset = columnOf(fragment, j);
    Value column = add(lookup(op.getElement()), offset);
    Value at = add(firstValue, column);
    // `count` keys from `key` on; a row adds those for which `sees` is true.
    auto part = [&](Value key, int64_t count, ValueRange carried,
                    function_ref<Value(int64_t)> sees) {
      Vec<Value> sums(carried), read;
      for (int64_t p = 0; p < count; ++p)
        read.push_back(
            load(cache.values,
                 {add(at, mul(add(key, p), cache.valueStrides.perPosition))}));
      for (Value &value : read)
        value = toFloat(value);
      for (int64_t i = 0; i < m; ++i) {
        Vec<Value> weight;
        for (int64_t p = 0; p < count; ++p) {
          // Rows of a multiple of 4 weights are aligned to 16 bytes, so that
          // one load takes the weights of four keys.
          if (count % 4 == 0 && keys % 4 == 0) {
            if (p % 4 == 0)
              weight.push_back(
                  loadVector(weightsMemory, {index(i), add(key, p)}, 4, 16));
            continue;
          }
          weight.push_back(load(weightsMemory, {index(i), add(key, p)}));
        }
        Value condition = sees(i);
        for (int64_t p = 0; p < count; ++p) {
          Value w = isa<VectorType>(weight[0].getType())
                        ? element(weight[p / 4], p % 4)
                        : weight[p];
          Value next = fma(read[p], w, sums[i]);
          sums[i] = condition
                        ? arith::SelectOp::create(b, condition, next, sums[i])
                              .getResult()
                        : next;
        }
      }
      return sums;
    };
    auto all = [](int64_t) { return Value(); };
    Value zero = constant(0.0f);
    Vec<Value> start(m, zero);
    Value inside = below(lookup(op.getElement()), fragment, offset, size, {});
    Vec<Value> sums = guardedValues(inside, start, [&] {
      Vec<Value> found = start;
      auto sees = [&](Value key, int64_t i) {
        Value before = lessThan(key, limits[i]);
        if (firsts.size() < 2)
          return before;
        return both(before, lessThan(firsts[i], add(key, 1)));
      };
      // Keys that only earlier rows attend to.
      if (firsts.size() > 1)
        found =
            fold(first, begun, 1, found, [&](Value key, ValueRange carried) {
              return part(key, 1, carried,
                          [&](int64_t i) { return sees(key, i); });
            });
      Value done = op.getWindow() ? begun : index(0);
      for (int64_t step : steps) {
        Value whole = sub(common, rem(common, step));
        // Loads of several weights are of whole steps from 0 on.
        if (op.getWindow() && step > 1)
          continue;
        found =
            fold(done, whole, step, found, [&](Value key, ValueRange carried) {
              return part(key, step, carried, all);
            });
        done = whole;
      }
      if (m == 1 || limits.empty())
        return found;
      // Keys that only later rows attend to.
      return fold(common, limits.back(), 1, found,
                  [&](Value key, ValueRange carried) {
                    return part(key, 1, carried,
                                [&](int64_t i) { return sees(key, i); });
                  });
    });
    for (int64_t i = 0; i < m; ++i)
      result[i * fragment.perRow + j] = sums[i];
  }
  return fromElements(result);
}
