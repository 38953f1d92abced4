//===- VectorAttention.cpp - attention's loops in a CPU's vectors ---------===//
//
// tile -> vector: scores of keys, and weighted sums of values. One vector holds
// 16 keys, or 16 elements of a value, so no sum crosses lanes; the query and
// the weights of keys are broadcast, which folds into the fma.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/VectorKernel.h"
#include "runtime/ABI/Kernel.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

Value VectorKernel::loadCache(Value memory, Value element, Type elementType) {
  Value lanes = vector::LoadOp::create(
      b, VectorType::get({kLanes}, elementType), memory, ValueRange{element});
  if (elementType.isF32())
    return lanes;
  return arith::ExtFOp::create(b, floats(), lanes);
}

static_assert(abi::kCacheBlock % kLanes == 0,
              "a group of positions ends inside of the cache's capacity");

void VectorKernel::rewriteScores(tile::ScoreKeysOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t size = cache.type.getHeadSize();
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0);
  Value source = rows.lookup(op.getRows());
  // A tile of keys is a group of positions: a vector for each element.
  IndexBuilder &math = *this;
  Value base =
      cache.keyStrides.groupAddress(math, add(cache.firstHead, op.getHead()),
                                    cache.capacity, Value(op.getFirst()));
  SmallVector<Value> sums(m, zeros(floats()));
  loop(
      0, index(size), 1, SmallVector<Value>(sums),
      [&](Value d, ValueRange carried) {
        Value keys =
            loadCache(cache.keys, add(base, mul(d, cache.keyStrides.group)),
                      cache.type.getElementType());
        SmallVector<Value> next;
        for (int64_t i = 0; i < m; ++i) {
          Value row = i ? add(op.getRow(), index(i)) : op.getRow();
          next.push_back(
              fma(keys, splat(loadScalar(source, {row, d})), carried[i]));
        }
        return next;
      },
      &sums);
  op.getResult().replaceAllUsesWith(pack(sums, type));
}

void VectorKernel::rewriteSumValues(tile::SumValuesOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  auto type = cast<VectorType>(op.getType());
  int64_t m = type.getDimSize(0), chunks = type.getDimSize(1) / kLanes;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  IndexBuilder &math = *this;
  Value base = cache.valueStrides.address(
      math, add(cache.firstHead, op.getHead()), cache.capacity,
      Value(op.getFirst()), Value(op.getElement()));
  auto limitOf = [&](int64_t row) {
    Value limit =
        row ? add(op.getCount(), index(row * op.getAdvance())) : op.getCount();
    return minimum(maximum(limit, index(0)), index(keys));
  };

  // accumulators[i * chunks + c]: row i, elements 16 c to 16 c + 15.
  auto addKey = [&](Value key, ValueRange carried,
                    llvm::function_ref<Value(int64_t)> sees) {
    Value at = add(base, mul(key, cache.valueStrides.perPosition));
    SmallVector<Value> values, next;
    for (int64_t c = 0; c < chunks; ++c)
      values.push_back(loadCache(cache.values,
                                 c ? add(at, index(c * kLanes)) : at,
                                 cache.type.getElementType()));
    for (int64_t i = 0; i < m; ++i) {
      Value weight = splat(loadScalar(op.getWeights(), {index(i), key}));
      Value condition = sees(i);
      for (int64_t c = 0; c < chunks; ++c) {
        Value last = carried[i * chunks + c];
        Value sum = fma(values[c], weight, last);
        next.push_back(
            condition
                ? arith::SelectOp::create(b, condition, sum, last).getResult()
                : sum);
      }
    }
    return next;
  };

  SmallVector<Value> sums(m * chunks, zeros(floats()));
  Value common = limitOf(0);
  loop(
      0, common, 1, SmallVector<Value>(sums),
      [&](Value key, ValueRange carried) {
        return addKey(key, carried, [](int64_t) { return Value(); });
      },
      &sums);
  if (op.getAdvance() != 0 && m > 1) {
    SmallVector<Value> limits;
    for (int64_t i = 0; i < m; ++i)
      limits.push_back(limitOf(i));
    // Keys that only later rows attend to. The loop starts where row 0 ends, so
    // its counter is offset.
    loop(
        0, sub(limits.back(), common), 1, SmallVector<Value>(sums),
        [&](Value more, ValueRange carried) {
          Value key = add(common, more);
          return addKey(key, carried,
                        [&](int64_t i) { return lessThan(key, limits[i]); });
        },
        &sums);
  }
  SmallVector<Value> packed;
  for (int64_t i = 0; i < m; ++i)
    packed.push_back(
        joinChunks(ArrayRef<Value>(sums).slice(i * chunks, chunks)));
  op.getResult().replaceAllUsesWith(pack(packed, type));
}
