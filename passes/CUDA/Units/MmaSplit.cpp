//===- MmaSplit.cpp - #cuda.mma_split: one row, in tensor cores -----------===//
//
// tile -> vector: 16 rows of a weight times one row of float32, which is there
// as two f16 a value (BlockRows.cpp). The warps of a block divide the columns.
// Four lanes of a warp take four chunks of 16 bytes side by side, of rows g and
// g + 8, where g = lane / 4: as many chunks as lanes of `#cuda.simt` take, with
// the same loads.
//
// A matrix of 16 x 16 has four columns of each of the four chunks, so its sums
// must stay apart, as each chunk has its own scale. They do because the second
// operand's eight columns are the four chunks' own: column 2 j has the upper
// halves of chunk j where the matrix has its quants, column 2 j + 1 the lower
// halves, and both are zero elsewhere. So a lane's four sums are those of its
// own chunk, of two rows, and it scales them itself. A quarter of the products
// are of numbers that are not zero, which is enough: what limits other kernels
// of one row is how many instructions make floats of quants.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/UnitLowering.h"
#include "passes/CUDA/WeightChunks.h"
#include "llvm/Support/MathExtras.h"
#include <tuple>

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::Spread;

/// Lanes that have columns of one row of a matrix, and so a chunk each; rows of
/// the matrix that a lane has columns of.
static constexpr int64_t kQuad = 4, kOwnRows = 2;
/// Times that 16 bytes are in the 32 banks of workgroup memory.
static constexpr int64_t kTurn = 8;

// Of 128 registers a thread some 80 are not for what it loads: places in the
// row of x and in the weight, sums, operands of mma. The bounds below are the
// largest with which no kernel spills, of eleven models' widths in each format
// on both architectures (test_cuda_ptx.py has some of them by default).

/// The most registers of what a lane has loaded and not used, where there are
/// minima, which sums of x are multiplied by, or where products or tiles share
/// a row, whose places are kept from one to the other. Else what kWeightLoads
/// allows fits.
static constexpr int64_t kLoadedRegisters = 48;
/// The most rounds of a row without a loop, and with minima the most registers
/// of all that a lane loads of it: LLVM and ptxas move loads and addresses of
/// one trip into the one before.
static constexpr int64_t kStraightRounds = 6, kStraightRegisters = 72;
/// The most rounds of a trip in a loop where products or tiles share a row.
static constexpr int64_t kSharedRounds = 2;

/// The registers of a round: a lane's chunk of each of its rows, with scales
/// and minima. Those of two levels have a product.
static int64_t registersOfRound(llama::FormatInterface format, int64_t chains) {
  int64_t fields = 0;
  for (auto kind : {llama::PlaneKind::Scales, llama::PlaneKind::Minima}) {
    const int64_t levels = format.getFacts().planesOf(kind).size();
    fields += levels > 1 ? levels + 1 : levels;
  }
  const int64_t bytes = cuda::kChunkBytes + ChunkFormat(format).highBytes();
  return kOwnRows * (bytes / 4 + fields * chains);
}

/// Of `total` chunks of a row, of which lanes read `together` in a round, the
/// rounds that are read at once. A row that needs few registers has no loop,
/// and is one trip if it is short: all of it is under way. Others have at least
/// two trips, the fewest that there can be, and of equal ones those without a
/// rest, or the longest. `isAlone`: nothing that another product or tile has in
/// common with this one is kept in registers.
static int64_t roundsOfTrip(llama::FormatInterface format, int64_t chains,
                            int64_t total, int64_t together, bool isAlone) {
  const int64_t registers = registersOfRound(format, chains);
  const int64_t bytes =
      kOwnRows * (cuda::kChunkBytes + ChunkFormat(format).highBytes());
  const bool hasMinimum = format.hasMinimum();
  int64_t most =
      llvm::divideNearest(cuda::kWeightLoads * cuda::kChunkBytes, bytes);
  if (hasMinimum || !isAlone)
    most = std::min(most, kLoadedRegisters / registers);
  const int64_t rounds = llvm::divideCeil(total, together);
  const bool isStraight =
      isAlone ? rounds <= kStraightRounds &&
                    (!hasMinimum || rounds * registers <= kStraightRegisters)
              : rounds <= most && total % together == 0;
  if (isStraight)
    return std::max<int64_t>(1, std::min(rounds, most));
  if (!isAlone)
    most = std::min(most, kSharedRounds);
  int64_t best = 1;
  for (int64_t some = 2; some <= std::min(most, total / together / 2); ++some)
    if (llvm::divideCeil(rounds, some) < llvm::divideCeil(rounds, best) ||
        total % (best * together) != 0)
      best = some;
  return best;
}

/// A word of two f16.
static Value halvesOf(ImplicitLocOpBuilder &b, Value word) {
  Value one = vector::BroadcastOp::create(
      b, VectorType::get({1}, b.getI32Type()), word);
  return vector::BitCastOp::create(b, VectorType::get({2}, b.getF16Type()),
                                   one);
}

/// Registers of cuda.mma.
static Value registersOf(ImplicitLocOpBuilder &b, ArrayRef<Value> pairs) {
  auto type =
      VectorType::get({static_cast<int64_t>(pairs.size()), 2}, b.getF16Type());
  Value registers = arith::ConstantOp::create(b, b.getZeroAttr(type));
  for (auto [i, pair] : llvm::enumerate(pairs))
    registers =
        vector::InsertOp::create(b, pair, registers, static_cast<int64_t>(i));
  return registers;
}

Value CUDAKernel::writeSplitContract(tile::ContractOp op) {
  std::optional<Fragment> fragment = fragmentOf(op, op.getType());
  if (!fragment)
    return {};
  auto weightIt = weights.find(op.getWeight());
  auto rowsIt = rows.find(op.getRows());
  if (weightIt == weights.end() || rowsIt == rows.end() ||
      !rowsIt->second.split || fragment->spread != Spread::WarpColumns ||
      fragment->columns != kMmaRows) {
    op.emitOpError() << "multiplies one row of float32 by " << kMmaRows
                     << " rows of a weight in memory, found " << op.getType()
                     << " of " << op.getRows().getType() << " for " << strategy;
    return {};
  }
  const Weight weight = weightIt->second;
  const Rows x = rowsIt->second;
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat chunkFormat(format);
  const int64_t width = chunkFormat.columns(), chains = chainsOf(format);
  const int64_t warps = threads / kWarp;
  barriers.read(x.buffer);
  // Of a block of several tiles places of a lane are as many as spill when they
  // are kept from tile to tile.
  keepInvariants();

  // A lane's chunks are `own`, `own` + `together`, ...
  const int64_t together = kQuad * warps;
  const int64_t total = llvm::divideCeil(weight.type.getColumns(), width);
  Value inQuad = rem(lane, kQuad), quad = div(lane, kQuad);
  Value own = add(mul(warp, kQuad), inQuad);
  Value first = add(lookup(op.getFirst()), quad);
  const WeightRows weightRows =
      rowsOfWeight(weight, {first, add(first, kMmaRows / kOwnRows)}, kMmaRows);

  // The lane's column of the second operand is its quad: the upper or the lower
  // halves of a chunk, of which it holds what belongs to its own quants.
  const int64_t chunksOfLine = kLineColumns / width;
  Value isNotZero = arith::CmpIOp::create(b, arith::CmpIPredicate::eq,
                                          div(quad, kOwnRows), inQuad);
  auto placeOf = [&](Value chunk) {
    return chunksOfLine > 1 ? mul(rem(chunk, chunksOfLine), width / 2)
                            : index(0);
  };
  Value inLine =
      add(mul(rem(quad, kOwnRows), kLineColumns / 2), placeOf(inQuad));

  // Eight lanes read at once. Two of them, of chunk lane / 8 of the warp's
  // four, have something to multiply, 16 words apart; the others read zeros,
  // all the same ones, at a place whose banks those two leave. It does not
  // depend on the round: from round to round chunks are whole turns of the
  // banks apart.
  const int64_t allLines = x.lines();
  auto lineOf = [&](Value chunk) {
    return chunksOfLine > 1 ? div(chunk, chunksOfLine) : chunk;
  };
  assert(together / chunksOfLine % (2 * kTurn) == 0);
  Value read = div(lane, 8);
  Value taken = add(mul(lineOf(add(mul(warp, kQuad), read)), kLineWords / 4),
                    div(placeOf(read), 4));
  Value zero =
      rem(add(taken, kTurn + 1 - allLines * (kLineWords / 4) % kTurn), kTurn);
  zero = add(mul(zero, 4), allLines * kLineWords);
  Value factorAt = factorPlace(lineOf(own));

  // Rounds from chunk `from` on; of the last, where `partial`, not all lanes
  // have a chunk. Those read the row's last, and zeros for x.
  auto batch = [&](Value from, int64_t rounds, ValueRange carried,
                   bool partial) {
    Vec<Value> sums(carried), lines, factors;
    SmallVector<LoadedChunks> chunks;
    for (int64_t u = 0; u < rounds; ++u) {
      Value chunk = add(add(from, u * together), own), inside;
      Value line = mul(lineOf(chunk), kLineWords);
      if (partial && u == rounds - 1) {
        inside = lessThan(chunk, total);
        chunk = minimum(chunk, total - 1);
      }
      lines.push_back(arith::SelectOp::create(b, both(isNotZero, inside),
                                              add(line, inLine), zero));
      if (inside)
        line = arith::SelectOp::create(b, inside, line,
                                       index(allLines * kLineWords));
      factors.push_back(add(line, factorAt));
      chunks.push_back(loadChunks(weightRows, chunk));
    }
    ConvergeOp::create(b);
    for (int64_t u = 0; u < rounds; ++u) {
      // The power of two, and the sum of the line's columns.
      Value pair = loadVector(x.split, {factors[u]}, 2, 8);
      pair = vector::BitCastOp::create(b, floats(2), pair);
      Value factor = element(pair, 0), sumOfX = element(pair, 1);
      const int64_t groups = width / 4 / chains;
      for (int64_t c = 0; c < chains; ++c) {
        Value sum = zeros(floats(4));
        // A load of 16 bytes has two groups of four columns.
        for (int64_t g = c * groups; g < (c + 1) * groups; ++g) {
          if (g % 2 == 0)
            pair = loadVector(x.split, {add(lines[u], 2 * g)}, 4, 16);
          Vec<Value> a(2 * kOwnRows), second;
          for (int64_t i = 0; i < kOwnRows; ++i)
            std::tie(a[i], a[i + kOwnRows]) =
                chunkFormat.pairs(b, chunks[u].words[i], g);
          for (int64_t i = 0; i < 2; ++i)
            second.push_back(halvesOf(b, element(pair, g % 2 * 2 + i)));
          sum =
              MmaOp::create(b, registersOf(b, a), registersOf(b, second), sum);
        }
        for (int64_t i = 0; i < kOwnRows; ++i) {
          Value chain = arith::AddFOp::create(b, element(sum, 2 * i),
                                              element(sum, 2 * i + 1));
          chain = arith::MulFOp::create(b, chain, factor);
          sums[i] = fma(chain, chunks[u].scales[c * kOwnRows + i], sums[i]);
          if (format.hasMinimum())
            sums[i] = fma(chunks[u].minima[c * kOwnRows + i], sumOfX, sums[i]);
        }
      }
    }
    return sums;
  };

  const bool isAlone =
      llvm::hasSingleElement(op->getBlock()->getOps<tile::ContractOp>()) &&
      !isa<scf::ForOp>(b.getInsertionBlock()->getParentOp());
  const int64_t rounds = roundsOfTrip(format, chains, total, together, isAlone);
  const int64_t step = rounds * together, whole = total / step * step;
  Vec<Value> sums(kOwnRows, constant(0.0f));
  if (whole)
    sums = fold(0, whole, step, sums, [&](Value from, ValueRange carried) {
      return batch(from, rounds, carried, /*partial=*/false);
    });
  if (whole != total)
    sums = batch(index(whole), llvm::divideCeil(total - whole, together), sums,
                 /*partial=*/(total - whole) % together != 0);

  // The lanes of a row, then the warps, by trees.
  for (Value &sum : sums)
    for (int64_t mask = kQuad / 2; mask; mask /= 2)
      sum = arith::AddFOp::create(b, sum, ShuffleXorOp::create(b, sum, mask));
  Value memory = allocate({kMmaRows, warps}, b.getF32Type());
  barriers.write(bufferOf(memory));
  guarded(isZero(inQuad), [&] {
    for (int64_t i = 0; i < kOwnRows; ++i)
      memref::StoreOp::create(
          b, sums[i], memory,
          ValueRange{add(quad, i * (kMmaRows / kOwnRows)), warp});
  });
  barriers.read(bufferOf(memory));
  Vec<Value> results;
  for (int64_t i = 0; i < fragment->perRow; ++i) {
    Value row = columnOf(*fragment, i);
    Vec<Value> parts;
    for (int64_t w = 0; w < warps; ++w)
      parts.push_back(load(memory, {row, index(w)}));
    results.push_back(reduceTree(parts, /*isMaximum=*/false));
  }
  return fromElements(results);
}

namespace {
struct MmaSplitLowering
    : cuda::UnitLoweringInterface::ExternalModel<MmaSplitLowering,
                                                 cuda::MmaSplitAttr> {
  Value lowerContract(Attribute, CUDAKernel &kernel,
                      tile::ContractOp op) const {
    return kernel.writeSplitContract(op);
  }
};
} // namespace

void corellama::cuda::registerMmaSplit(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CUDADialect *) {
    MmaSplitAttr::attachInterface<MmaSplitLowering>(*context);
  });
}
