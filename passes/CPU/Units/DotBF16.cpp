//===- DotBF16.cpp - #cpu.dot_bf16: products of bf16, two a lane ----------===//
//
// tile -> vector: the loop over k of a product of BF16 weights and rows of
// bf16. A vector has two columns of 16 rows of a weight, where they stand in
// memory; two columns of a row are broadcast, which folds into the instruction.
// Each result is one chain of sums, columns ascending by twos.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/UnitLowering.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

struct DotBF16Lowering
    : UnitLoweringInterface::ExternalModel<DotBF16Lowering, DotBF16Attr> {
  SmallVector<Type> getScratchTypes(Attribute, tile::ContractOp) const {
    return {};
  }
  Value lowerContract(Attribute, VectorBuilder &b, tile::ContractOp op,
                      Ranges<tile::ContractOp> in, ValueRange,
                      TargetAttr target) const {
    auto tile = cast<VectorType>(op.getType());
    auto weight = cast<llama::WeightType>(op.getWeight().getType());
    const int64_t m = tile.getDimSize(0), columns = weight.getColumns();
    Values rows;
    for (int64_t i = 0; i < m; ++i)
      rows.push_back(b.add(in.getRow()[0], i));
    // Each group of 16 rows is a stream of memory.
    SmallVector<GroupLoads> groups;
    for (int64_t j = 0; j < tile.getDimSize(1); j += kLanes)
      groups.emplace_back(b, in.getWeight()[0], weight, hasTables(target),
                          b.add(in.getFirst()[0], j));

    auto addBlock = [&](Value block, int64_t count, ValueRange carried) {
      Values sums(carried); // by group, by row
      Value first = b.mul(block, kColumnBlock);
      for (auto [g, group] : llvm::enumerate(groups)) {
        if (int64_t ahead = prefetchOf(op))
          group.prefetch(block, ahead, int64_t(groups.size()));
        for (int64_t c = 0; c < count; c += 2) {
          Value w = group.pairs(block, c);
          Value column = b.add(first, c);
          for (int64_t i = 0; i < m; ++i) {
            Value &sum = sums[g * m + i];
            sum = DotBF16Op::create(
                b, sum, w, b.splatPair(in.getRows()[0], {rows[i], column}));
          }
        }
      }
      return sums;
    };
    Values sums(groups.size() * m, b.zeros(b.floats()));
    Value blocks = b.index(columns / kColumnBlock);
    sums = b.fold(0, blocks, 1, sums, [&](Value block, ValueRange carried) {
      return addBlock(block, kColumnBlock, carried);
    });
    if (int64_t rest = columns % kColumnBlock)
      sums = addBlock(blocks, rest, sums);
    return b.tileOf(tile, [&](int64_t i, int64_t j) -> Value {
      return sums[size_t(j / kLanes * m + i)];
    });
  }

  int64_t getPeakOperations(Attribute, TargetAttr) const {
    return kPeakChains * 4 * kLanes; // two products a lane, added
  }
  double getBound(Attribute, const llama::FormatFacts &, TargetAttr) const {
    return 1; // one chain of sums
  }
  void emitPeakLoop(Attribute, VectorBuilder &b, Value memory, Value turns,
                    TargetAttr) const {
    auto step = [&](Value chain, Value x) -> Value {
      auto pairs = b.vectorOf(b.getBF16Type(), 2 * kLanes);
      Value factor = vector::BitCastOp::create(b, pairs, x);
      Value next = DotBF16Op::create(
          b, vector::BitCastOp::create(b, b.floats(), chain), factor, factor);
      return vector::BitCastOp::create(b, x.getType(), next);
    };
    emitVectorPeak(b, memory, turns, kLanes, step);
  }
};

} // namespace

void cpu::registerDotBF16(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    DotBF16Attr::attachInterface<DotBF16Lowering>(*context);
  });
}
