//===- WeightChunks.h - how a thread reads a format -----------------------===//
//
// The one place of passes/GPU that knows what the 16 bytes of a weight that a
// thread loads at once mean: how many columns they are and how they become
// float32. Where they lie is RowMajorSplitAttr::locate's to say. Private to
// passes/GPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_GPU_WEIGHTCHUNKS_H
#define CORELLAMA_PASSES_GPU_WEIGHTCHUNKS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace corellama::gpu {

/// Bytes of a chunk: the widest load of a thread.
inline constexpr int64_t kChunkBytes = 16;

/// What the chunks of a format are. A new format is a class in WeightChunks.cpp
/// and a line in `get`.
class ChunkFormat {
public:
  virtual ~ChunkFormat() = default;

  /// The format's, or null where a GPU has no code for it.
  static const ChunkFormat *get(llama::FormatInterface format);

  /// Columns of 16 bytes of the quants' plane.
  virtual int64_t columns() const = 0;
  /// The type of what `value` loads from the quants' plane.
  virtual mlir::Type storage(mlir::MLIRContext *context) const = 0;
  /// Columns 4 * group to 4 * group + 3 of a chunk (vector<4xi32>), unscaled,
  /// as float32.
  virtual llvm::SmallVector<mlir::Value> quants(mlir::ImplicitLocOpBuilder &b,
                                                mlir::Value words,
                                                int64_t group) const = 0;
  /// One unscaled value: `memory` is the quants' plane as `storage`, `first`
  /// the element at which the row begins.
  virtual mlir::Value quant(mlir::ImplicitLocOpBuilder &b, mlir::Value memory,
                            mlir::Value first, mlir::Value column) const;
};

} // namespace corellama::gpu

#endif // CORELLAMA_PASSES_GPU_WEIGHTCHUNKS_H
