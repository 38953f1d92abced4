//===- FusionGroups.h - which ops become one kernel -----------------------===//
//
// The decisions of llama-fuse-kernels, without its rewrite: from the ops of a
// block to groups of ops, each decision with its reason. A file of its own so
// that the conditions of fusion stand in one place, free of any editing of IR.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_FUSIONGROUPS_H
#define CORELLAMA_PASSES_LLAMA_FUSIONGROUPS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace corellama::llama {

/// One question that was asked of an op: did it join its neighbours, and why.
struct FusionDecision {
  mlir::Operation *op;
  /// What was tried: "siblings", "epilogue" or "prologue".
  llvm::StringLiteral kind;
  bool joined;
  std::string reason;
};

/// Ops that become one kernel, in the order of the block.
struct FusionGroup {
  llvm::SmallVector<mlir::Operation *> ops;
  /// The role of the kernel (qkv, attn, o, ...). Empty where the ops do not
  /// become a kernel: they are one already, or belong to another dialect.
  llvm::StringRef role;
};

/// The groups in an order that respects values and the cache.
struct FusionPlan {
  llvm::SmallVector<FusionGroup> groups;
  llvm::SmallVector<FusionDecision> decisions;
};

/// Weight references and constants go into each kernel that reads them; they
/// are in no group.
bool isSunkIntoKernels(mlir::Operation *op);

/// `fewRows`: at most so many rows are few, which prologues are repeated for.
FusionPlan planFusion(mlir::Block &block, int64_t fewRows);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_FUSIONGROUPS_H
