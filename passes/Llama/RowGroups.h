//===- RowGroups.h - products of a kernel that share a tile ---------------===//
//
// From the ops of a kernel to groups of its products. A part of a kernel takes
// some rows of the weights of one group and computes the same columns of all
// results of the group, so the partition's list of rows and the bodies of
// kernels must agree on the groups. This analysis is what they share.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_ROWGROUPS_H
#define CORELLAMA_PASSES_LLAMA_ROWGROUPS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/DenseMap.h"

namespace corellama::llama {

/// Two products are in one group if an elementwise op needs elements of both,
/// directly or through other elementwise ops:
///
///     %a = linear %x, %w0      %b = linear %x, %w1      %c = linear %x, %w2
///     %s = silu %a             %r = rope %b
///     %y = mul %s, %r
///
/// has the groups {a, b} and {c}. A product that reads what another one made
/// reads whole rows of it, which puts the two in no group together.
class RowGroups {
public:
  struct Group {
    /// In the order of the block.
    llvm::SmallVector<LinearOp> products;
    /// Rows of each weight, which are columns of each result.
    int64_t rows;
  };

  /// Of a kernel's region, or of the function that it became.
  explicit RowGroups(mlir::Block &block);

  /// In the order of their first products, as a partition lists them.
  llvm::ArrayRef<Group> getGroups() const { return groups; }
  /// The group whose tiles `value` is made from; none if no product's are.
  std::optional<unsigned> groupOf(mlir::Value value) const;

private:
  llvm::SmallVector<Group> groups;
  llvm::DenseMap<mlir::Value, unsigned> groupOfValue;
};

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_ROWGROUPS_H
