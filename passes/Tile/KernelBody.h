//===- KernelBody.h - the parts of a kernel's body ------------------------===//
//
// What llama-to-tile builds a body with: one object a kernel, from which the
// bodies of products, of row-wise kernels and of attention are written. Private
// to passes/Tile.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_TILE_KERNELBODY_H
#define CORELLAMA_PASSES_TILE_KERNELBODY_H

#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "passes/Tile/IndexBuilder.h"
#include "llvm/ADT/DenseMap.h"
#include <optional>

namespace corellama::tile {

/// Writes the body of one kernel. `source` is the kernel at phase schedule;
/// `builder` stands in the new function, whose arguments are given.
class KernelBody : IndexBuilder {
public:
  KernelBody(mlir::func::FuncOp source, mlir::func::FuncOp target,
             mlir::OpBuilder &builder);

  /// Writes all of it; the error has been reported where this fails.
  mlir::LogicalResult write();

private:
  using Value = mlir::Value;

  /// Rows that a contraction reads.
  struct Rows {
    Value rows;
    /// Whether row r of a tile is the row that `wanted` says for r.
    bool wanted = false;
    /// Sums of blocks of columns, by block size; made when first needed.
    llvm::SmallDenseMap<int64_t, Value> sums;
  };
  /// A tile: rows from `row`, columns from `column`.
  struct Position {
    Value row, column;
    int64_t m, n;
  };
  /// Something that leaves the kernel: a buffer, or the keys or values of the
  /// cache.
  struct Sink {
    mlir::Operation *op;
    Value value;
    mlir::StringRef what; // "buffer", "keys", "values"
  };
  /// Where values stand until their blocks are whole, and which row and column
  /// of the sink the first of them is.
  struct Unrounded {
    Value memory, row, column;
  };

  // KernelBody.cpp: values, rows, tiles.
  Value toIndex(Value i32);
  Value splat(float value, mlir::Type type);
  void loopOverParts(llvm::function_ref<void(Value)> body);
  void parallelLoop(int64_t count, llvm::function_ref<void(Value)> body);
  Value layerIndex(Value given);
  Value rowCount();
  bool isOneTile() const;
  mlir::FailureOr<int64_t> stagedRows(mlir::Operation *op,
                                      llama::BufferReadOp read) const;
  mlir::RankedTensorType capacityOf(mlir::FlatSymbolRefAttr buffer);
  Value bufferMemory(mlir::FlatSymbolRefAttr buffer, mlir::IntegerAttr at,
                     int64_t heads = 1);
  Value bufferMemory(llama::BufferReadOp read);
  Value rowIn(llama::BufferReadOp read, Value row = {});
  Value weight(Value reference);
  Value inverseRms(llama::RmsNormOp norm, Value memory, Value row,
                   int64_t count);
  Value stageRows(Value memory, Value row, int64_t count, mlir::Type element);
  Value bufferRows(mlir::FlatSymbolRefAttr buffer, mlir::IntegerAttr at);
  Rows *rowsOf(Value tensor);
  Value tileOf(Value tensor, const Position &at);
  /// Columns of the buffer from `columns` on, where given, are not stored.
  void store(const Sink &sink, Value tile, const Position &at,
             Value columns = {});
  static bool roundsBlocks(const Sink &sink);
  Unrounded *findUnrounded(const Sink &sink);
  void prepareRounding(llvm::ArrayRef<Sink> sinks, int64_t rows,
                       int64_t columns);
  void beginRounding(llvm::ArrayRef<Sink> sinks, IndexOperand row,
                     IndexOperand column);
  void finishRounding(llvm::ArrayRef<Sink> sinks, Value count);
  void appendBlocks(const Sink &sink, const Unrounded &from, Value count);
  llvm::SmallVector<Sink> sinks();

  // RowWiseBody.cpp
  mlir::LogicalResult writeRowWise();
  mlir::LogicalResult normHeads(llama::RmsNormOp norm, Value row);
  mlir::LogicalResult writeEmbed(llama::EmbedOp embed, const Sink &sink);

  // ElementwiseBody.cpp
  Value elementwiseOn(mlir::Operation *op, mlir::ValueRange tiles,
                      const Position &at);
  Value encodePosition(llama::PositionEncodingOp op, const Position &at);

  // LayerNormBody.cpp
  struct Moments {
    Value mean, inverse; // one a row: 1 / sqrt(variance + eps)
  };
  Moments momentsOf(llama::LayerNormOp norm, Value memory, Value row);
  mlir::LogicalResult prepareMoments(llama::LayerNormOp norm, Value row);
  Value normedTile(llama::LayerNormOp norm, const Position &at);
  Value stageNormed(llama::LayerNormOp norm, mlir::Type element);

  // ProductBody.cpp
  mlir::LogicalResult writeProducts();
  mlir::LogicalResult writeGroup(llvm::ArrayRef<Sink> sinks,
                                 llvm::ArrayRef<llama::LinearOp> linears,
                                 int64_t rows, int64_t firstPiece,
                                 int64_t pieces);

  // AttentionBody.cpp: the blocks of keys, alone and merged.
  struct KeyBlock {
    llvm::SmallVector<Value> accumulators; // one a tile of the head's elements
    Value maximum, sum;                    // one a row
    /// As values that a loop carries.
    llvm::SmallVector<Value> pack() const;
    static KeyBlock unpack(mlir::ValueRange values);
  };
  struct Query {
    Value rows;   // staged and scaled
    Value scores; // scratch, m x keys; null: the order has a unit
    Value cache;
    Value head;     // of keys and values
    Value position; // of row 0
    Value keyLimit; // keys that some row of the tile may see
    int64_t m;
    int64_t advance; // of the position from row to row
    std::optional<int64_t> window;
    llama::ReductionOrderAttr order; // of the op
  };
  llvm::SmallVector<int64_t> headTiles(int64_t m, int64_t headSize) const;
  IndexOperand firstBlock(Value position, std::optional<int64_t> window,
                          int64_t keys);
  Value stageQuery(Value memory, Value row, int64_t every, int64_t m,
                   int64_t headSize, float scale);
  void sumValues(const Query &query, KeyBlock &block, Value weights,
                 Value firstKey, Value place, int64_t keys);
  KeyBlock attendTile(const Query &query, Value firstKey, Value place,
                      int64_t keys);
  KeyBlock attendBlock(const Query &query, Value firstKey, int64_t keys);
  KeyBlock merge(const KeyBlock &left, const KeyBlock &right);
  KeyBlock emptyBlock(int64_t m, int64_t headSize);
  KeyBlock
  foldBlocks(IndexOperand first, Value last, int64_t m, int64_t headSize,
             llvm::function_ref<KeyBlock(Value, const KeyBlock &)> body);
  mlir::LogicalResult writeAttentionPart(llama::AttentionPartOp part);
  mlir::LogicalResult writeAttention(llama::AttentionOp attention);
  Value cacheOf(Value cache, Value layer);
  Value headLimit(Value column, int64_t headSize);

  // AttentionMergeBody.cpp
  void storeMerged(const KeyBlock &all, Value target, Value row, Value column,
                   int64_t headSize);
  Value mergeHeads(llama::AttentionMergeOp merge);
  mlir::LogicalResult writeAttentionMerge(llama::AttentionMergeOp merge,
                                          const Sink &sink);

  mlir::func::FuncOp source;
  Value context, layer, begin, end;
  llama::PartitionAttr partition;
  llama::StrategyInterface strategy;
  int64_t m, n; // its tile
  bool dynamicRows = false;
  /// The most rows of a call.
  int64_t rowBound = 1;
  llvm::DenseMap<Value, Rows> rowsMade;
  llvm::DenseMap<Value, Value> weightsMade;
  /// Panels of the group that is being written, by linear.
  llvm::DenseMap<mlir::Operation *, Value> panels;
  /// What is rounded by blocks, in the order of `sinks`.
  llvm::SmallVector<std::pair<Sink, Unrounded>, 2> unrounded;
  /// 1 / rms of the row that is being written, by norm.
  llvm::DenseMap<mlir::Operation *, Value> inverses;
  /// Of the row that is being written, by layer_norm.
  llvm::DenseMap<mlir::Operation *, Moments> moments;
  /// Heads that a row-wise kernel merges, in scratch.
  llvm::DenseMap<mlir::Operation *, Value> merged;
  /// One row of normed heads in scratch, by norm: that of the row that is being
  /// written.
  llvm::DenseMap<mlir::Operation *, Value> normedHeads;
};

} // namespace corellama::tile

#endif // CORELLAMA_PASSES_TILE_KERNELBODY_H
