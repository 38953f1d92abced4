//===- PlanInvariants.h - invariants of kernel plans ----------------------===//
//
// Reads kernels with strategies, partitions and orders, from a table, an
// override or an edited dump, and checks what later phases rely on: the body
// that is written for the ops and the strategy has the parts of the partition,
// the strategy's unit makes the products, and on rows of one type decode and
// prefill make each sum in the same order. Called by llama-plan-kernels, so
// that the error names the kernel at once, and by llama-verify-phase.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
#define CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H

#include "dialects/Llama/IR/LlamaDialect.h"

namespace corellama::llama {

/// The partition of a kernel. The ops and the strategy determine it but for
/// `by` and `rowsBy` of a kernel with products, which are rounded up to whole
/// tiles, and `by` of a row-wise one.
PartitionAttr makePartition(mlir::Block &body, StrategyInterface strategy,
                            int64_t by, int64_t rowsBy);
/// Rows of a call in one tile of a kernel with this body: attention that is
/// partitioned by keys has tiles of heads.
int64_t rowTileOf(mlir::Block &body, StrategyInterface strategy);
/// What a kernel reads besides buffers: the weights that it multiplies by, as
/// symbols in order, whether it reads the cache, and the ring that a cache it
/// reads or writes is. Null: none, and not.
struct Reads {
  mlir::ArrayAttr weights;
  mlir::UnitAttr cache;
  mlir::IntegerAttr ring;

  bool operator==(const Reads &) const = default;
};
Reads readsOf(mlir::Operation *kernel);
/// Of kernels from plan to schedule.
mlir::LogicalResult verifyPlanInvariants(mlir::ModuleOp module);
/// The part of it that can be told of kernels of tiles as well.
mlir::LogicalResult verifySums(mlir::ModuleOp module);
/// Functions of kernels say what they read, from which `corellama bench`
/// computes floors when their bodies are code.
mlir::LogicalResult verifyReads(mlir::ModuleOp module);
/// Kernels use a cache of the type whose layout is declared.
mlir::LogicalResult verifyCache(mlir::ModuleOp module);
/// Buffers have offsets, references to weights layouts and indices.
mlir::LogicalResult verifyStamps(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_PLANINVARIANTS_H
