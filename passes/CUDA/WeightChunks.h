//===- WeightChunks.h - how a thread reads a format -----------------------===//
//
// The one place of passes/CUDA that knows what the 16 bytes of a weight that a
// thread loads at once mean: how many columns they are and how they become
// float32. Where they lie is RowMajorSplitAttr::locate's to say. Private to
// passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H
#define CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Weights/FieldPlace.h"

namespace corellama::cuda {

/// What a thread has loaded of a chunk.
struct ChunkWords {
  /// 16 bytes of plane 0, vector<4xi32>.
  mlir::Value quants;
  /// Of formats with high bits: 16 bytes of plane 1, which are those of
  /// `highChunks()` chunks, and which of them is this one (index).
  mlir::Value high, part;
};

/// A row of a plane in memory.
struct PlaneRow {
  /// The plane as `storage`, and the element at which the row begins.
  mlir::Value memory, first;
};

/// What the chunks of a format are, from its facts and its places in
/// rowmajor_split.
class ChunkFormat {
public:
  explicit ChunkFormat(llama::FormatInterface format);

  /// Columns of 16 bytes of the first plane of quants.
  int64_t columns() const { return kChunkBytes * 8 / first().bits; }
  /// The type of what `quant` loads from the quants' planes.
  mlir::Type storage(mlir::MLIRContext *context) const;
  /// Chunks whose high bits are 16 bytes of plane 1, a power of two; 0: quants
  /// have none.
  int64_t highChunks() const;
  /// Columns 4 * group to 4 * group + 3 of a chunk, unscaled, as float32.
  llvm::SmallVector<mlir::Value> quants(mlir::ImplicitLocOpBuilder &b,
                                        const ChunkWords &words,
                                        int64_t group) const;
  /// One unscaled value, from a row of each plane that quants are in.
  mlir::Value quant(mlir::ImplicitLocOpBuilder &b,
                    llvm::ArrayRef<PlaneRow> planes, mlir::Value column) const;

private:
  const llama::Plane &first() const { return facts.planes.front(); }

  const llama::FormatFacts &facts;
  /// Of each plane of quants, in a row.
  llvm::SmallVector<FieldPlace, 2> places;
};

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H
