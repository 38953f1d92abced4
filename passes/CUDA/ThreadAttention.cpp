//===- ThreadAttention.cpp - scores and sums of values, by threads --------===//
//
// tile -> vector: the lanes of a warp share a key, 16 bytes each, so that they
// read it whole, and as many keys as they have room for; warps have others.
// What lanes share they add by shuffles, what warps share through workgroup
// memory, in the order that the ops say. Values are asked for together with the
// keys.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;

/// Loads of 16 bytes of keys, or of values, that a thread has in flight: 32
/// registers. Of 64 keys of 128 f16 in 128 threads these are all.
static constexpr int64_t kLoads = 8;

Value CUDAKernel::toFloat(Value number) {
  Type type = number.getType();
  if (getElementTypeOrSelf(type).isF32())
    return number;
  Type f32 = b.getF32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    f32 = vector.clone(f32);
  return arith::ExtFOp::create(b, f32, number);
}

/// Columns `column` to `column` + 3 of rows in workgroup memory.
Value CUDAKernel::loadGroup(const Rows &from, Value row, Value column) {
  if (from.swizzled)
    column = mul(swizzle(div(column, 4)), 4);
  return loadVector(from.memory, {row, column}, 4, 16);
}

//===----------------------------------------------------------------------===//
// Sharing keys
//===----------------------------------------------------------------------===//

/// How the threads of a block share `keys` rows of `elements` of `type`:
/// `lanes` lanes one row.
CUDAKernel::KeyShare CUDAKernel::shareKeys(int64_t keys, int64_t elements,
                                           Type type, int64_t lanes) {
  KeyShare share{.type = type,
                 .elements = elements,
                 .lanes = lanes,
                 .each = kChunkBytes * 8 / type.getIntOrFloatBitWidth()};
  share.loads = llvm::divideCeil(elements, lanes * share.each);
  share.rounds = keys * lanes / threads;
  share.part = mul(rem(lane, lanes), share.each);
  // A warp's rows are as far apart as there are warps.
  share.key = add(mul(div(lane, lanes), threads / kWarp), warp);
  return share;
}

/// Whether the threads of a block, some lanes of a warp one row, have whole
/// rounds.
static bool canShare(int64_t keys, int64_t lanes, int64_t threads) {
  return llvm::isPowerOf2_64(lanes) && lanes <= corellama::cuda::kWarp &&
         llvm::isPowerOf2_64(keys) && keys <= threads &&
         keys * lanes >= threads;
}

/// Rounds whose chunks are in flight at once. Rows of several chunks have sums
/// and addresses for each, so half as many; where a lane has more sums than a
/// chunk of f16 has elements, one, or heads that share keys spill.
int64_t CUDAKernel::KeyShare::roundsAtOnce() const {
  constexpr int64_t kFewSums = 8;
  int64_t most = loads == 1                 ? kLoads
                 : loads * each <= kFewSums ? kLoads / 2 / loads
                                            : 1;
  return std::clamp<int64_t>(most, 1, rounds);
}

/// An error of an op of attention, for what it has instead of `what`.
template <typename OpT>
static InFlightDiagnostic refuse(OpT op, const char *what) {
  InFlightDiagnostic error = op.emitOpError()
                             << what << ", found " << op.getType() << " in ";
  if (op.getOrderAttr())
    return std::move(error) << op.getOrderAttr();
  return std::move(error) << "no order";
}

/// The chunks of `count` rounds from `first` on, as words: keys or values of
/// rows from `place` on, elements from `element` on. Rows behind the cache's
/// last are that one again, and what is behind a row's last element its first.
SmallVector<Value> CUDAKernel::loadRows(const Cache &cache, Value memory,
                                        const llama::KVCacheStrides &strides,
                                        const KeyShare &share, Value head,
                                        Value place, Value element,
                                        int64_t first, int64_t count) {
  IndexBuilder &math = *this;
  Value filled = field(context::Field::KeyCount);
  if (int64_t ring = cache.type.getRing())
    filled = minimum(filled, ring);
  // All of these rows are in one block of the cache.
  Value last = sub(sub(filled, 1), place);
  Value start = strides.groupAddress(math, cache.heads,
                                     add(cache.firstHead, head), place);
  start = add(start, element);
  auto words = VectorType::get({kChunkBytes / 4}, b.getI32Type());
  Vec<Value> chunks;
  for (int64_t r = first; r < first + count; ++r) {
    Value row = minimum(add(share.key, r * share.chains(threads)), last);
    Value at = add(start, mul(row, strides.perPosition));
    for (int64_t l = 0; l < share.loads; ++l) {
      Value part = add(share.part, l * share.lanes * share.each);
      if (share.isPadded())
        part = arith::SelectOp::create(b, lessThan(part, share.elements), part,
                                       index(0));
      Value chunk =
          loadVector(memory, {add(at, part)}, share.each, kChunkBytes);
      chunks.push_back(vector::BitCastOp::create(b, words, chunk));
    }
  }
  return chunks;
}

/// The elements of a chunk.
SmallVector<Value> CUDAKernel::elementsOf(const KeyShare &share, Value words) {
  auto type = VectorType::get({share.each}, share.type);
  Value numbers = toFloat(vector::BitCastOp::create(b, type, words));
  Vec<Value> found;
  for (int64_t e = 0; e < share.each; ++e)
    found.push_back(element(numbers, e));
  return found;
}

/// Adds each of these values, a power of two of them, over lanes whose numbers
/// differ in bits from `below` up to `above`, by the tree that begins with the
/// highest bit. In each step a lane keeps half of the values and gives its
/// neighbour the others, as long as it has two. Lane l ends with those from
/// number (l mod `above`) / `below` * (values / steps) on, or shares one.
SmallVector<Value> CUDAKernel::addAcross(SmallVector<Value> all, int64_t above,
                                         int64_t below) {
  for (int64_t bit = above / 2; bit >= below; bit /= 2) {
    auto half = static_cast<int64_t>(all.size()) / 2;
    if (half == 0) {
      Value other = ShuffleXorOp::create(b, all[0], bit);
      all[0] = arith::AddFOp::create(b, all[0], other);
      continue;
    }
    Value upper = lessThan(0, arith::AndIOp::create(b, lane, index(bit)));
    for (int64_t j = 0; j < half; ++j) {
      Value kept = arith::SelectOp::create(b, upper, all[j + half], all[j]);
      Value given = arith::SelectOp::create(b, upper, all[j], all[j + half]);
      Value other = ShuffleXorOp::create(b, given, bit);
      all[j] = arith::AddFOp::create(b, kept, other);
    }
    all.resize(half);
  }
  return all;
}

/// Rows 0 to `count`, one after the other: in a loop, in which only what
/// threads have loaded stays in registers.
void CUDAKernel::eachRow(int64_t count, function_ref<void(Value)> body) {
  if (count == 1)
    return body(index(0));
  IndexBuilder::loop(0, count, 1, body);
}

SmallVector<tile::SumValuesOp> CUDAKernel::sumsBeside(tile::ScoreKeysOp op) {
  SmallVector<tile::SumValuesOp> sums;
  for (Operation *user : op.getCache().getUsers())
    if (auto sum = dyn_cast<tile::SumValuesOp>(user);
        sum && sum->getBlock() == op->getBlock() &&
        sum.getHead() == op.getHead() && sum.getFirst() == op.getFirst())
      sums.push_back(sum);
  return sums;
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

FailureOr<Value> CUDAKernel::write(tile::ScoreKeysOp op,
                                   const Fragment &fragment) {
  if (op.getOrderAttr() && op.getOrderAttr().getUnit())
    return scoreInTensorCores(op, fragment);
  const Cache &cache = caches.find(op.getCache())->second;
  Type type = cache.type.getKeyType();
  int64_t size = cache.type.getHeadSize(), m = fragment.rows,
          keys = fragment.columns;
  llama::ReductionOrderAttr order = op.getOrderAttr();
  if (!order || order.getBlock() * type.getIntOrFloatBitWidth() != 128 ||
      !canShare(keys, order.getLanes(), threads))
    return refuse(op, "is on a GPU the sum of up to 32 lanes, of 16 bytes "
                      "each, of keys that the threads of a block share");
  KeyShare share = shareKeys(keys, size, type, order.getLanes());
  const Rows query = rows.find(op.getRows())->second;
  Value head = lookup(op.getHead()), place = lookup(op.getFirst());
  int64_t atOnce = share.roundsAtOnce();

  Value scores = allocate({m, keys}, b.getF32Type());
  barriers.read(query.buffer);
  barriers.write(bufferOf(scores));
  for (int64_t first = 0; first < share.rounds; first += atOnce) {
    Vec<Value> chunks = loadRows(cache, cache.keys, cache.keyStrides, share,
                                 head, place, index(0), first, atOnce);
    // Where they have room, values are on their way meanwhile.
    for (tile::SumValuesOp sum : sumsBeside(op))
      if (first == 0)
        loadAhead(sum);
    ConvergeOp::create(b);
    eachRow(m, [&](Value i) {
      Value row = add(lookup(op.getRow()), i);
      Vec<Value> sums(atOnce, constant(0.0f));
      for (int64_t l = 0; l < share.loads; ++l) {
        Value part = add(share.part, l * share.lanes * share.each);
        Value isThere = lessThan(part, size), read = part;
        if (share.isPadded())
          read = arith::SelectOp::create(b, isThere, part, index(0));
        Vec<Value> q;
        for (int64_t e = 0; e < share.each; e += 4) {
          Value four = loadGroup(query, row, add(read, e));
          for (int64_t j = 0; j < 4; ++j)
            q.push_back(element(four, j));
        }
        for (int64_t r = 0; r < atOnce; ++r) {
          Vec<Value> k = elementsOf(share, chunks[r * share.loads + l]);
          for (int64_t e = 0; e < share.each; ++e) {
            Value next = fma(k[e], q[e], sums[r]);
            // The last chunk of a row may have fewer.
            if (share.isPadded())
              next = arith::SelectOp::create(
                  b, size % share.each ? lessThan(add(part, e), size) : isThere,
                  next, sums[r]);
            sums[r] = next;
          }
        }
      }
      Value score = addAcross(sums, share.lanes, 1)[0];
      int64_t same = share.lanes / atOnce;
      Value round = add(div(rem(lane, share.lanes), same), first);
      guarded(same > 1 ? isZero(rem(lane, same)) : Value(), [&] {
        Value key = add(mul(round, share.chains(threads)), share.key);
        memref::StoreOp::create(b, score, scores, ValueRange{i, key});
      });
    });
  }
  barriers.read(bufferOf(scores));
  return build(fragment, [&](Value row, Value column) {
    return load(scores, {row ? row : index(0), column});
  });
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::optional<CUDAKernel::KeyShare> CUDAKernel::shareOf(tile::SumValuesOp op) {
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t keys = cast<MemRefType>(op.getWeights().getType()).getDimSize(1);
  llama::ReductionOrderAttr order = op.getOrderAttr();
  int64_t chains = order ? order.getLanes() : 0;
  if (chains == 0 || !canShare(keys, threads / chains, threads))
    return std::nullopt;
  return shareKeys(keys, cast<VectorType>(op.getType()).getDimSize(1),
                   cache.type.getValueType(), threads / chains);
}

/// Loads the values that `op` will sum, if all of them are no more than a
/// thread may have in flight.
void CUDAKernel::loadAhead(tile::SumValuesOp op) {
  std::optional<KeyShare> share = shareOf(op);
  if (!share || share->rounds * share->loads > kLoads)
    return;
  const Cache &cache = caches.find(op.getCache())->second;
  std::optional<int64_t> element = getConstantIntValue(op.getElement());
  if (element)
    loadedAhead[op] = loadRows(cache, cache.values, cache.valueStrides, *share,
                               lookup(op.getHead()), lookup(op.getFirst()),
                               index(*element), 0, share->rounds);
}

FailureOr<Value> CUDAKernel::write(tile::SumValuesOp op,
                                   const Fragment &fragment) {
  if (op.getOrderAttr() && op.getOrderAttr().getUnit())
    return sumInTensorCores(op, fragment);
  std::optional<KeyShare> found = shareOf(op);
  if (!found)
    return refuse(op, "is on a GPU the sum of chains that the threads of a "
                      "block share");
  const KeyShare &share = *found;
  const Cache &cache = caches.find(op.getCache())->second;
  int64_t m = fragment.rows, warps = threads / kWarp,
          size = cache.type.getHeadSize();
  int64_t width = share.lanes * share.each * share.loads;
  Value weights = lookup(op.getWeights());
  int64_t atOnce = share.roundsAtOnce();

  // Warps add their lanes' chains, then the block adds the warps'.
  Value partial = allocate({m * warps, width}, b.getF32Type());
  barriers.read(bufferOf(weights));
  barriers.write(bufferOf(partial));
  Vec<Value> chunks = loadedAhead.lookup(op);
  const bool isAhead = !chunks.empty();
  if (isAhead)
    atOnce = share.rounds;
  eachRow(m, [&](Value i) {
    Value limit = add(lookup(op.getCount()), mul(i, op.getAdvance()));
    Vec<Value> sums(share.each * share.loads, constant(0.0f));
    for (int64_t r = 0; r < share.rounds; ++r) {
      // What is too much for the registers is read again for each row.
      if (!isAhead && r % atOnce == 0) {
        chunks = loadRows(cache, cache.values, cache.valueStrides, share,
                          lookup(op.getHead()), lookup(op.getFirst()),
                          lookup(op.getElement()), r, atOnce);
        ConvergeOp::create(b);
      }
      Value key = add(share.key, r * share.chains(threads));
      Value isSeen = lessThan(key, limit);
      if (op.getWindow()) {
        auto window = static_cast<int64_t>(*op.getWindow());
        isSeen = both(isSeen, lessThan(limit, add(key, window + 1)));
      }
      Value weight = load(weights, {i, key});
      for (int64_t l = 0; l < share.loads; ++l) {
        Value chunk = chunks[r % atOnce * share.loads + l];
        chunk =
            arith::SelectOp::create(b, isSeen, chunk, zeros(chunk.getType()));
        for (auto [e, v] : llvm::enumerate(elementsOf(share, chunk))) {
          Value &sum = sums[l * share.each + e];
          sum = fma(v, weight, sum);
        }
      }
    }
    // Of several loads a row takes all lanes of a warp, and no two have a sum
    // to share.
    sums = addAcross(sums, kWarp, share.lanes);
    Value row = add(mul(i, warps), warp);
    auto left = static_cast<int64_t>(sums.size());
    if (share.lanes == kWarp) {
      for (int64_t l = 0; l < share.loads; ++l) {
        Value column = add(share.part, l * share.lanes * share.each);
        for (int64_t e = 0; e < share.each; e += 4)
          storeVector(fromElements(ArrayRef(sums).slice(l * share.each + e, 4)),
                      partial, {row, add(column, e)}, 16);
      }
      return;
    }
    int64_t groups = kWarp / share.lanes, same = groups * left / share.each;
    Value group = div(lane, share.lanes);
    Value column = add(share.part, mul(div(group, same), left));
    guarded(same > 1 ? isZero(rem(group, same)) : Value(), [&] {
      storeVector(fromElements(sums), partial, {row, column}, left * 4);
    });
  });
  barriers.read(bufferOf(partial));
  Value zero = constant(0.0f);
  return build(fragment, [&](Value row, Value column) {
    Value isThere = below(lookup(op.getElement()), fragment, column, size, {});
    return guardedValues(isThere, zero, [&]() -> Vec<Value> {
      Vec<Value> read;
      Value first = row ? mul(row, warps) : index(0);
      for (int64_t w = 0; w < warps; ++w)
        read.push_back(load(partial, {add(first, w), column}));
      return {reduceTree(read, /*isMaximum=*/false)};
    })[0];
  });
}
