//===- Rows.h - stored rows as the graph has them ---------------*- C++ -*-===//
//
// The rows of a weight as they lie in a file -> the same in the graph's order
// and type. A file of its own because it alone knows both: what a container's
// reader finds is described by TensorInfo, and the packer works on rows of the
// graph.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_ROWS_H
#define CORELLAMA_COMPILER_CHECKPOINT_ROWS_H

#include "compiler/Checkpoint/WeightIndex.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace corellama::checkpoint {

/// P, the one definition of it: RoPE turns rows 2i and 2i + 1 of each head of
/// the graph as a pair. Where a checkpoint's heads are half-split (Hugging
/// Face's `rotate_half`), these are its rows i and i + rotated / 2 of the head.
/// Rows from `rotated` on are not turned and stay. Returns the stored row that
/// is row `row` of the graph.
constexpr uint64_t halfSplitRow(uint64_t row, uint64_t headSize,
                                uint64_t rotated) {
  uint64_t within = row % headSize;
  if (within >= rotated)
    return row;
  return row - within + within / 2 + within % 2 * (rotated / 2);
}

/// Rows [first, first + count) of a weight in the graph's order and in
/// `tensor.type`, from its stored bytes. The result views these, or `scratch`
/// where rows are moved, or numbers widened (a vector's, exactly) or rounded (a
/// matrix's, see compiler/Quantize). Numbers of a matrix that --quantize
/// rounds have to be finite; the error is the place of the first that is
/// not.
llvm::Expected<llvm::ArrayRef<uint8_t>> readRows(const TensorInfo &tensor,
                                                 llvm::ArrayRef<uint8_t> stored,
                                                 const ModelConfig &config,
                                                 uint64_t first, uint64_t count,
                                                 std::vector<uint8_t> &scratch);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_ROWS_H
