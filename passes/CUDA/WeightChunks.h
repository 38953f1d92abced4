//===- WeightChunks.h - how a thread reads a format -----------------------===//
//
// A thread loads a weight in chunks of 16 bytes. This file alone knows what a
// chunk means: how many columns it holds and how they become float32 or f16.
// Their places are defined by RowMajorSplitAttr::locate. Private to
// passes/CUDA.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H
#define CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Weights/FieldPlace.h"

namespace corellama::cuda {

/// The loaded bytes of a chunk.
struct ChunkWords {
  /// 16 bytes of plane 0, vector<4xi32>.
  mlir::Value quants;
  /// For formats with high bits: `highBytes()` bytes of plane 1, as words.
  mlir::Value high;
};

/// The most chunks of quants that a lane of a product of one row has in flight:
/// 32 registers. An SM of an H100 needs 18 KB in flight for its share
/// of the bandwidth. With eight a lane one block of 8 warps has 32 KiB, which
/// is enough; with two blocks it is enough also for short rows, whose trips
/// have fewer loads.
inline constexpr int64_t kWeightLoads = 8;

/// A row of a plane in memory.
struct PlaneRow {
  /// The plane as `storage`, and the element at which the row begins.
  mlir::Value memory, first;
};

/// table[n], a byte each, of the four quants n in the low half of `nibbles`. To
/// make all bytes positive the least of the table is taken from them.
mlir::Value lookUpNibbles(mlir::ImplicitLocOpBuilder &b,
                          const llama::FormatFacts &facts, mlir::Value nibbles);

/// A signed byte, zero-extended, as float32.
mlir::Value floatOfSigned(mlir::ImplicitLocOpBuilder &b, mlir::Value byte);

/// 2^(e - 128) of a byte e, as float32.
mlir::Value decodeExponent(mlir::ImplicitLocOpBuilder &b, mlir::Value e);

/// The chunks of a format, derived from its facts and its places in
/// rowmajor_split.
class ChunkFormat {
public:
  explicit ChunkFormat(llama::FormatInterface format);

  /// Columns in 16 bytes of the first plane of quants.
  int64_t columns() const { return kChunkBytes * 8 / first().bits; }
  /// The element type in which `quant` loads from the planes of quants.
  mlir::Type storage(mlir::MLIRContext *context) const;
  /// Bytes of plane 1 that belong to a chunk, 4 or 8; 0: the quants have no
  /// high bits.
  int64_t highBytes() const;
  /// Columns 4 * group to 4 * group + 3 of a chunk, unscaled, as float32.
  llvm::SmallVector<mlir::Value> quants(mlir::ImplicitLocOpBuilder &b,
                                        const ChunkWords &words,
                                        int64_t group) const;
  /// The same columns as two pairs of f16, columns 0 and 2, then 1 and 3; of
  /// formats whose quants are integers and no table's numbers.
  std::pair<mlir::Value, mlir::Value> pairs(mlir::ImplicitLocOpBuilder &b,
                                            const ChunkWords &words,
                                            int64_t group) const;
  /// What a thread loads of a plane for 16 columns that begin at a multiple of
  /// 16: so many columns, 16 or 32, of 16 bytes or a word.
  int64_t pieceColumns(unsigned plane) const;
  int64_t pieceBytes(unsigned plane) const {
    return pieceColumns(plane) * facts.planes[plane].bits / 8;
  }
  /// These columns as four groups of four f16, from the piece of each plane
  /// (vector<4xi32> or i32); `half` says which half of a piece of 32 they are.
  /// Of formats whose quants are integers.
  llvm::SmallVector<mlir::Value> sixteen(mlir::ImplicitLocOpBuilder &b,
                                         llvm::ArrayRef<mlir::Value> pieces,
                                         mlir::Value half) const;
  /// One unscaled value, from one row of each plane of quants.
  mlir::Value quant(mlir::ImplicitLocOpBuilder &b,
                    llvm::ArrayRef<PlaneRow> planes, mlir::Value column) const;

private:
  const llama::Plane &first() const { return facts.planes.front(); }
  /// The bits that mean 0.
  uint32_t zero() const;
  /// The same columns as the bytes of a word, `zero` added to each.
  mlir::Value bytes(mlir::ImplicitLocOpBuilder &b, const ChunkWords &words,
                    int64_t group) const;

  const llama::FormatFacts &facts;
  /// For each plane of quants, the places in a row.
  llvm::SmallVector<FieldPlace, 2> places;
};

} // namespace corellama::cuda

#endif // CORELLAMA_PASSES_CUDA_WEIGHTCHUNKS_H
