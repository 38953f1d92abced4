//===- Fragments.h - how a tile is spread over threads --------------------===//
//
// The one table from the shape of a tile to the share of each thread, its
// fragment: a one-dimensional vector. Code that reads or writes a tile in
// memory takes each element's row and column from this table; elementwise
// arithmetic does not need them. Private to passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_FRAGMENTS_H
#define CORELLAMA_PASSES_CUDA_FRAGMENTS_H

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/BuiltinTypes.h"

namespace corellama::cuda {

/// Rows and columns of the product of one cuda.mma.
inline constexpr int64_t kMmaRows = 16, kMmaColumns = 8;
/// Rows of it of which a thread has elements: lane / 4 and 8 more.
inline constexpr int64_t kRowsOfThread = 2;

enum class Spread {
  /// Warp w has columns w c to w c + c - 1 of one row, c = columns / warps; all
  /// 32 lanes have the same values, and lane 0 stores them. Element e is column
  /// w c + e. The result of a product whose lanes go along k.
  WarpColumns,
  /// Thread t has columns t, t + T, ... of every row. Element r C + j is row r,
  /// column t + j T, where C is the number of strides.
  ThreadColumns,
  /// Lane l of each warp has columns l, l + 32, ...; numbered likewise. All
  /// warps of a block have the whole tile; the first one stores it.
  EachWarp,
  /// The accumulators of cuda.mma: warp w has rows 16 w to 16 w + 15. Element
  /// 4 j + 2 h + c is row 16 w + lane / 4 + 8 h, column 8 j + 2 (lane mod 4) +
  /// c.
  Accumulators,
};

/// The fragment of a tile of `rows` x `columns`.
struct Fragment {
  Spread spread;
  int64_t rows, columns;
  /// Threads along the columns: of the block, or of a warp.
  int64_t stride;
  /// Elements that a thread has of one row; all of them for accumulators.
  int64_t perRow;

  int64_t size() const {
    return spread == Spread::Accumulators ? perRow : rows * perRow;
  }
  /// Whether neighbouring columns 2 i, 2 i + 1 are elements e, e ^ 1 of a
  /// thread.
  bool hasPairs() const {
    return spread == Spread::Accumulators ||
           (spread == Spread::WarpColumns && perRow % 2 == 0);
  }
  /// Whether some thread has an element beyond the last column.
  bool passesColumns() const {
    return (spread == Spread::ThreadColumns || spread == Spread::EachWarp) &&
           columns % stride != 0;
  }
};

/// The table. Fails where this strategy cannot spread such a tile.
std::optional<Fragment> fragmentOf(llvm::ArrayRef<int64_t> shape,
                                   StrategyAttr strategy);

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_FRAGMENTS_H
