//===- Prefetches.cpp - what a block reads, asked for before all else -----===//
//
// tile -> vector: a kernel of decode begins with prefetches of the weights that
// its block reads first, or of its keys and values. Where they are depends on
// the block's number and on an offset, not on x, which is waited for,
// normalised and shared before the first of them is used: so DRAM works
// meanwhile, and what is read later comes from the second-level cache. Weights
// are asked for while earlier launches still run; how many keys there are is
// known when these have ended. A walk of its own over the old kernel, before
// the one that writes it, because what reads stands behind all that the row
// needs.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;

/// The most bytes that a block prefetches of one weight: 16 rows of 4096
/// columns of 4 bits. A small model's block prefetches all that it reads. What
/// limits it is that all blocks do so at once: three on each of 132 SMs, two
/// weights each, are 29 MB, and the second-level caches of A100 and H100 have
/// 40 and 50 MB.
static constexpr int64_t kPrefetchBytes = int64_t(36) * 1024;
/// Prefetches of a thread that are written without a loop.
static constexpr int64_t kAtOnce = 4;

LogicalResult CUDAKernel::prefetch(Ahead what) {
  // What is made for the prefetches alone is no value of the kernel.
  NewValues known = values;
  LogicalResult result = prefetchIn(source.getBody().front(), what);
  values = std::move(known);
  weights.clear();
  caches.clear();
  return result;
}

/// Whether a product of one row of x reads a weight.
static bool readsOnce(tile::ContractOp op) {
  return cast<tile::RowsType>(op.getRows().getType()).getRows() == 1;
}

LogicalResult CUDAKernel::prefetchAhead(scf::ForOp loop, Value iv, Value to) {
  if (llvm::none_of(loop.getBody()->getOps<tile::ContractOp>(), readsOnce))
    return success();
  return prefetchFor(loop, iv, to);
}

/// What the trip of `iv` reads, if there is one.
LogicalResult CUDAKernel::prefetchFor(scf::ForOp loop, Value iv, Value to) {
  NewValues known = values;
  values[loop.getInductionVar()] = iv;
  LogicalResult result = success();
  guarded(lessThan(iv, to),
          [&] { result = prefetchIn(*loop.getBody(), Ahead::Weights); });
  values = std::move(known);
  return result;
}

LogicalResult CUDAKernel::prefetchIn(Block &old, Ahead what) {
  auto isNumber = [](Value value) { return value.getType().isIntOrIndex(); };
  // What comes from memory or from x is not known when a block begins.
  auto isKnown = [&](Value value) {
    return values.lookup(value) ||
           llvm::is_contained(source.getArguments(), value);
  };
  auto prefetchIf = [&](Value condition, Block &block) {
    LogicalResult result = success();
    guarded(condition, [&] { result = prefetchIn(block, what); });
    return result;
  };
  auto prefetchOf = [&](Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](scf::ForOp loop) -> LogicalResult {
          // Of a loop over tiles the first is prefetched.
          Value from = values.lookup(loop.getLowerBound()),
                to = values.lookup(loop.getUpperBound());
          if (!from || !to)
            return success();
          values[loop.getInductionVar()] = from;
          return prefetchIf(lessThan(from, to), *loop.getBody());
        })
        .Case([&](scf::IfOp choice) -> LogicalResult {
          Value condition = values.lookup(choice.getCondition());
          return condition ? prefetchIf(condition, *choice.thenBlock())
                           : success();
        })
        .Case<tile::WeightOp, tile::CacheOp>([&](auto o) { return write(o); })
        .Case([&](tile::ContractOp product) {
          if (what == Ahead::Weights)
            prefetch(product);
          return success();
        })
        .Case([&](tile::SumValuesOp sum) {
          if (what == Ahead::Cache)
            prefetch(sum);
          return success();
        })
        .Case([&](tile::ScoreKeysOp score) {
          if (attendsInTensorCores(score->getParentOfType<scf::ForOp>()))
            copyKeys(score);
          return success();
        })
        .Default([&](Operation *other) -> LogicalResult {
          bool isPlace = isa<arith::ArithDialect>(other->getDialect()) &&
                         llvm::all_of(other->getResults(), isNumber) &&
                         llvm::all_of(other->getOperands(), isKnown);
          return isPlace ? writeOp(other) : success();
        });
  };
  for (Operation &op : old) {
    Location before = b.getLoc();
    b.setLoc(op.getLoc());
    if (failed(prefetchOf(&op)))
      return failure();
    b.setLoc(before);
  }
  return success();
}

void CUDAKernel::prefetch(tile::ContractOp op) {
  auto found = weights.find(op.getWeight());
  Value first = values.lookup(op.getFirst());
  // Many rows of x read a weight again and again, and their kernels begin with
  // it.
  if (found == weights.end() || !first || !readsOnce(op))
    return;
  const Weight &weight = found->second;
  int64_t tile = cast<VectorType>(op.getType()).getDimSize(1);
  int64_t planes = weight.type.getFormat().getPlanes().size(), rowBytes = 0;
  for (int64_t plane = 0; plane < planes; ++plane)
    rowBytes += planeStride(weight, plane);
  bool isWhole = tile * rowBytes <= kPrefetchBytes;
  for (int64_t plane = 0; plane < planes; ++plane) {
    // Rows of a plane lie behind each other; of long ones the first part.
    int64_t stride = planeStride(weight, plane);
    int64_t pieces = isWhole ? 1 : tile;
    int64_t bytes =
        isWhole ? tile * stride : stride * kPrefetchBytes / (tile * rowBytes);
    int64_t lines = llvm::divideCeil(bytes, PrefetchOp::kLine);
    auto begin = static_cast<int64_t>(planeOffset(weight, plane, 0));
    int64_t end = begin + weight.type.getRows() * stride;
    Value start = add(mul(first, stride), begin);
    rounds(pieces * lines, kAtOnce, {},
           [&](ArrayRef<Value> items, ValueRange) -> Vec<Value> {
             for (Value item : items) {
               Value line = isWhole ? item : rem(item, lines);
               Value at = add(start, mul(line, PrefetchOp::kLine));
               if (!isWhole)
                 at = add(at, mul(div(item, lines), stride));
               // The last tile may have fewer rows.
               if (weight.type.getRows() % tile != 0)
                 at = minimum(at, end - 1);
               PrefetchOp::create(b, weight.memory, at);
             }
             return {};
           });
  }
}

/// The keys and values of the block of keys whose values are summed, of which
/// the last may not all be there.
void CUDAKernel::prefetch(tile::SumValuesOp op) {
  Value first = values.lookup(op.getFirst()),
        head = values.lookup(op.getHead());
  // Tensor cores copy theirs.
  if (!first || !head || isa<VectorType>(op.getWeights().getType()))
    return;
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  IndexBuilder &math = *this;
  Value count = field(context::Field::KeyCount);
  if (int64_t ring = cache.type.getRing())
    count = minimum(count, ring);
  auto prefetchRows = [&](Value memory, Type element,
                          const llama::KVCacheStrides &strides) {
    Value ownHead = add(cache.firstHead, head);
    Value start = strides.groupAddress(math, cache.heads, ownHead, first),
          end = add(start, mul(sub(count, first), strides.perPosition));
    int64_t line = PrefetchOp::kLine * 8 / element.getIntOrFloatBitWidth();
    int64_t elements = keys * strides.perPosition;
    rounds(llvm::divideCeil(elements, line), kAtOnce, {},
           [&](ArrayRef<Value> items, ValueRange) -> Vec<Value> {
             for (Value item : items) {
               Value at = add(start, mul(item, line));
               PrefetchOp::create(b, memory, minimum(at, sub(end, 1)));
             }
             return {};
           });
  };
  prefetchRows(cache.keys, cache.type.getKeyType(), cache.keyStrides);
  prefetchRows(cache.values, cache.type.getValueType(), cache.valueStrides);
}
