//===- ParallelLoops.cpp - independent iterations, a warp each ------------===//
//
// tile -> vector: scf.parallel, which merges heads of attention. A warp has
// several iterations, each a loop over parts that waits for memory in every
// trip; it makes these loops one, so that it waits for all of them at once. A
// file of its own, because here an op of the old kernel becomes several.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;

/// The most iterations that a warp has at once, and of all of them elements of
/// a tile a lane: loads and sums of 16 are 32 of its 128 registers.
static constexpr int64_t kTogether = 4, kElements = 16;

/// How many iterations a warp has at once; each of `warps` warps has a whole
/// number of times as many.
static int64_t countTogether(scf::ParallelOp op, int64_t warps) {
  std::optional<int64_t> from = getConstantIntValue(op.getLowerBound()[0]),
                         to = getConstantIntValue(op.getUpperBound()[0]),
                         step = getConstantIntValue(op.getStep()[0]);
  if (!from || !to || !step)
    return 1;
  int64_t columns = 1;
  op.walk([&](Operation *inner) {
    for (Type type : inner->getResultTypes())
      if (auto tile = dyn_cast<VectorType>(type); tile && tile.getRank() == 2)
        columns = std::max(columns, tile.getNumElements());
  });
  auto elements = static_cast<int64_t>(llvm::divideCeil(columns, cuda::kWarp));
  int64_t count = llvm::divideCeilSigned(*to - *from, *step);
  int64_t together = kTogether;
  while (together > 1 &&
         (count % (together * warps) != 0 || together * elements > kElements))
    together /= 2;
  return together;
}

LogicalResult CUDAKernel::writeParallel(scf::ParallelOp op) {
  if (op.getNumLoops() != 1 || op.getNumReductions() != 0 || team == Team::Warp)
    return op.emitOpError() << "is one loop of independent iterations, a warp "
                               "each, on a GPU";
  const int64_t warps = threads / kWarp, together = countTogether(op, warps);
  Value step = lookup(op.getStep()[0]);
  Value from = add(lookup(op.getLowerBound()[0]), mul(warp, step));
  Value apart = mul(step, warps);
  auto made = scf::ForOp::create(b, from, lookup(op.getUpperBound()[0]),
                                 mul(apart, together));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(made.getBody());
  barriers.enterWarps();
  team = Team::Warp;
  Vec<NewValues> copies(together, values);
  for (auto [i, copy] : llvm::enumerate(copies))
    copy[op.getInductionVars()[0]] = add(made.getInductionVar(), mul(apart, i));
  LogicalResult result = writeTogether(*op.getBody(), copies);
  team = Team::Block;
  barriers.leaveWarps();
  return result;
}

/// Writes a block for each of several maps of old values to new ones, op by op.
LogicalResult CUDAKernel::writeTogether(Block &old,
                                        MutableArrayRef<NewValues> copies) {
  for (Operation &op : old.without_terminator()) {
    Location before = b.getLoc();
    b.setLoc(op.getLoc());
    auto loop = dyn_cast<scf::ForOp>(op);
    auto isSame = [&](Value bound) {
      return llvm::all_of(copies, [&](const NewValues &copy) {
        return copy.lookup(bound) == copies[0].lookup(bound);
      });
    };
    if (loop && !runsAtMostOnce(loop) && isSame(loop.getLowerBound()) &&
        isSame(loop.getUpperBound()) && getConstantIntValue(loop.getStep())) {
      if (failed(writeForTogether(loop, copies)))
        return failure();
    } else {
      for (NewValues &copy : copies) {
        std::swap(values, copy);
        LogicalResult result = writeOp(&op);
        std::swap(values, copy);
        if (failed(result))
          return failure();
      }
    }
    b.setLoc(before);
  }
  return success();
}

LogicalResult CUDAKernel::writeForTogether(scf::ForOp op,
                                           MutableArrayRef<NewValues> copies) {
  auto gather = [&](ValueRange old) {
    Vec<Value> all;
    for (NewValues &copy : copies) {
      std::swap(values, copy);
      llvm::append_range(all, lookup(old));
      std::swap(values, copy);
    }
    return all;
  };
  auto scatter = [&](ValueRange old, ValueRange made) {
    for (auto [i, copy] : llvm::enumerate(copies))
      for (auto [j, key] : llvm::enumerate(old))
        copy[key] = made[i * old.size() + j];
  };
  LogicalResult result = success();
  Vec<Value> results =
      loop(copies[0].lookup(op.getLowerBound()),
           copies[0].lookup(op.getUpperBound()),
           *getConstantIntValue(op.getStep()), gather(op.getInitArgs()),
           [&](Value iv, ValueRange carried) -> Vec<Value> {
             for (NewValues &copy : copies)
               copy[op.getInductionVar()] = iv;
             scatter(op.getRegionIterArgs(), carried);
             result = writeTogether(*op.getBody(), copies);
             return succeeded(result)
                        ? gather(op.getBody()->getTerminator()->getOperands())
                        : Vec<Value>(carried);
           });
  scatter(op.getResults(), results);
  return result;
}
