//===- Simt.cpp - #cuda.simt: products, some rows of the weight a warp ----===//
//
// tile -> vector: the loop over k of a product of one row. The lanes of a warp
// go along k, each 16 bytes of every row of the warp at a time, so that a warp
// reads 512 bytes side by side. A chunk's columns are one chain of fma from +0;
// scaled, it is added to the lane's sum; at the end the 32 lanes are added by a
// tree. This is the unit's reduction order.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/UnitLowering.h"
#include "passes/CUDA/WeightChunks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::Spread;

/// The most columns of x that a lane processes between loads. Nibbles would
/// have 128, whose x would fill 128 registers, which LLVM keeps from one
/// product to the next: then only one block fits an SM, and memory idles in its
/// prologue. With 64 a lane has four loads of 16 bytes at once, and two blocks
/// fit.
static constexpr int64_t kColumnsAtOnce = 64;

namespace {
/// Trips of a loop over rounds of chunks, and the rounds of one trip. What is
/// left is done behind it, round by round.
struct Trips {
  int64_t count, rounds;
};
} // namespace

/// Chooses the fewest waits for memory, one a trip, and of equal ones the
/// longest trip. At least `least` trips, if there are as many rounds.
static Trips tripsOf(int64_t full, int64_t most, int64_t least) {
  Trips best{full, 1};
  int64_t waits = full;
  for (int64_t rounds = 2; rounds <= most && full / rounds >= least; ++rounds) {
    int64_t count = full / rounds, found = count + full % rounds;
    if (found <= waits)
      best = {count, rounds};
    waits = std::min(waits, found);
  }
  return best;
}

Value CUDAKernel::writeWarpContract(tile::ContractOp op) {
  std::optional<Fragment> fragment = fragmentOf(op, op.getType());
  if (!fragment)
    return {};
  auto weightIt = weights.find(op.getWeight());
  if (weightIt == weights.end()) {
    op.emitOpError() << "reads a weight from memory on a GPU, found "
                     << op.getWeight().getType();
    return {};
  }
  const Weight weight = weightIt->second;
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat format16(format);
  const int64_t width = format16.columns();
  if (fragment->spread != Spread::WarpColumns) {
    op.emitOpError() << "is a tile of one row and fewer columns than threads "
                        "for this unit, found "
                     << op.getType() << " for " << strategy;
    return {};
  }
  const Rows x = rows.find(op.getRows())->second;
  barriers.read(x.buffer);

  int64_t columns = weight.type.getColumns(), count = fragment->perRow;
  int64_t total = llvm::divideCeil(columns, width);
  Value row = lookup(op.getRow());

  // The warp's rows of the weight.
  Vec<Value> numbers;
  for (int64_t i = 0; i < count; ++i)
    numbers.push_back(add(lookup(op.getFirst()), columnOf(*fragment, i)));
  const WeightRows weightRows =
      rowsOfWeight(weight, numbers, fragment->columns);
  const int64_t chains = chainsOf(format);
  const int64_t full = total / kWarp;

  // Chunks lane + `from` + 32 u for all u < rounds. Where all lanes have them,
  // all loads are issued before the first is used.
  auto batch = [&](Value from, int64_t rounds, ValueRange carried,
                   bool allLanes) {
    Vec<Value> sums(carried);
    SmallVector<LoadedChunks> chunks;
    for (int64_t u = 0; u < rounds; ++u)
      chunks.push_back(loadChunks(weightRows, add(add(from, u * kWarp), lane)));
    // Without scales nothing is sunk, and ptxas takes fewer registers by
    // itself; but a trip alone is no loop, and what stands between keeps LLVM
    // from holding x for the next product.
    if (allLanes && (format.hasScale() || rounds == full))
      ConvergeOp::create(b);
    const int64_t groups = width / 4 / chains;
    for (int64_t step = 0; step < rounds * chains; ++step) {
      int64_t u = step / chains, firstScale = step % chains * count;
      Vec<Value> chain(count, constant(0.0f));
      // Minima are multiplied by the sum of x over the chain's columns. The sum
      // is made here, from registers, for all rows of the warp, not once for
      // the block.
      Value sumOfX = format.hasMinimum() ? constant(0.0f) : Value();
      for (int64_t g = 0; g < groups; ++g) {
        int64_t group = step % chains * groups + g;
        Vec<Value> four =
            loadColumns(x, row, add(from, u * kWarp), width, group);
        for (int64_t i = 0; i < count; ++i)
          for (auto [q, value] :
               llvm::zip(format16.quants(b, chunks[u].words[i], group), four))
            chain[i] = fma(q, value, chain[i]);
        if (sumOfX)
          for (Value value : four)
            sumOfX = arith::AddFOp::create(b, sumOfX, value);
      }
      for (int64_t i = 0; i < count; ++i) {
        sums[i] = format.hasScale()
                      ? fma(chain[i], chunks[u].scales[firstScale + i], sums[i])
                      : arith::AddFOp::create(b, sums[i], chain[i]).getResult();
        if (sumOfX)
          sums[i] = fma(chunks[u].minima[firstScale + i], sumOfX, sums[i]);
      }
    }
    return sums;
  };

  // If the rows of x stay in global memory there are many, in a loop around
  // this one. Loads of one round are enough then, because a warp overlaps them
  // with the next row's. Weights do not depend on the row: LLVM would convert
  // them all before the loop, into more registers than there are.
  if (x.buffer < 0)
    keepInvariants();
  // Floats need no registers but those that they are loaded to: twice as many
  // chunks. Quants have at least two trips, if there are two rounds: without a
  // loop LLVM would keep the values of x for the kernel's next product, in more
  // registers than there are.
  const bool isFloat = !format.hasScale();
  int64_t most =
      x.buffer < 0
          ? 1
          : std::clamp<int64_t>(cuda::kWeightLoads * (isFloat ? 2 : 1) / count,
                                1, kColumnsAtOnce / width);
  Trips trips = tripsOf(full, most, /*least=*/isFloat ? 1 : 2);
  // A round that is left over is no loop either. With high bits and minima its
  // x would be spilled.
  if (format16.highBytes() && format.hasMinimum() && full % trips.rounds)
    trips = {full, 1};
  int64_t whole = trips.count * trips.rounds;
  Vec<Value> sums(count, constant(0.0f));
  auto loopOver = [&](int64_t first, int64_t last, int64_t rounds) {
    sums = fold(first * kWarp, last * kWarp, rounds * kWarp, sums,
                [&](Value from, ValueRange carried) {
                  return batch(from, rounds, carried, x.buffer >= 0);
                });
  };
  // A round of the loop, of which only the first chunks may exist.
  auto guarded = [&](Value from) {
    Value left = sub(total, from);
    return guardedValues(lessThan(lane, left), sums,
                         [&] { return batch(from, 1, sums, false); });
  };
  if (chains > 1 && full == 1 && total % kWarp) {
    // One round and a part of one would be no loop (see above), and a chunk
    // with several scales has no registers to spare: two trips, both guarded.
    sums = fold(0, 2 * kWarp, kWarp, sums, [&](Value from, ValueRange carried) {
      sums.assign(carried.begin(), carried.end());
      return guarded(from);
    });
  } else {
    loopOver(0, whole, trips.rounds);
    if (full != whole)
      loopOver(whole, full, 1);
    if (total % kWarp)
      sums = guarded(index(full * kWarp));
  }
  for (Value &sum : sums)
    sum = reduceWarp(sum, /*isMaximum=*/false);
  return fromElements(sums);
}

/// Forbids LLVM to move anything out of the loop that is being written.
void CUDAKernel::keepInvariants() {
  auto loop = dyn_cast<scf::ForOp>(b.getInsertionBlock()->getParentOp());
  if (!loop)
    return;
  MLIRContext *context = b.getContext();
  auto licm = LLVM::LoopLICMAttr::get(context, b.getBoolAttr(true),
                                      /*versioningDisable=*/{});
  loop->setAttr("loop_annotation",
                LLVM::LoopAnnotationAttr::get(
                    context, /*disableNonforced=*/{}, /*vectorize=*/{},
                    /*interleave=*/{}, /*unroll=*/{}, /*unrollAndJam=*/{}, licm,
                    /*distribute=*/{}, /*pipeline=*/{}, /*peeled=*/{},
                    /*unswitch=*/{}, /*mustProgress=*/{},
                    /*isVectorized=*/{}, /*startLoc=*/{}, /*endLoc=*/{},
                    /*parallelAccesses=*/{}));
}

/// Columns 4 * group to 4 * group + 3 of chunk `from` + lane; from is a
/// multiple of 32 chunks. Zero past the row's last.
SmallVector<Value> CUDAKernel::loadColumns(const Rows &x, Value row, Value from,
                                           int64_t width, int64_t group) {
  Vec<Value> four;
  int64_t groups = width / 4;
  auto split = [&](Value vector) {
    for (int64_t i = 0; i < 4; ++i)
      four.push_back(element(vector, i));
    return four;
  };
  if (x.swizzled) {
    // The permutation repeats after 64 groups, so for chunks of two or more
    // groups it depends on the lane only, and the loop adds a constant.
    Value own = add(mul(lane, groups), group), more = mul(from, groups);
    Value place =
        groups > 1 ? add(swizzle(own), more) : swizzle(add(own, more));
    return split(loadVector(x.memory, {row, mul(place, 4)}, 4, 16));
  }
  Value column = add(mul(add(from, lane), width), 4 * group);
  Vec<Value> zero(4, constant(0.0f));
  if (x.columns % 4 == 0) {
    Value inside = x.columns % width == 0 || x.buffer >= 0
                       ? Value()
                       : lessThan(column, x.columns);
    return guardedValues(inside, zero, [&] {
      return split(loadVector(x.memory, {row, column}, 4, 16));
    });
  }
  for (int64_t i = 0; i < 4; ++i) {
    Value at = add(column, i);
    Value inside = x.buffer >= 0 ? Value() : lessThan(at, x.columns);
    four.push_back(guardedValues(
        inside, ValueRange(zero).take_front(1),
        [&]() -> Vec<Value> { return {load(x.memory, {row, at})}; })[0]);
  }
  return four;
}

namespace {
struct SimtLowering
    : cuda::UnitLoweringInterface::ExternalModel<SimtLowering, cuda::SimtAttr> {
  Value lowerContract(Attribute, CUDAKernel &kernel,
                      tile::ContractOp op) const {
    return kernel.writeWarpContract(op);
  }
};
} // namespace

void corellama::cuda::registerSimt(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CUDADialect *) {
    SimtAttr::attachInterface<SimtLowering>(*context);
  });
}
