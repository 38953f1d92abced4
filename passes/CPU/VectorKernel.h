//===- VectorKernel.h - one kernel on its way from tile to vectors --------===//
//
// What tile-to-vector-cpu keeps of a kernel while it rewrites it: where the
// things of tile are in memory. Private to passes/CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_VECTORKERNEL_H
#define CORELLAMA_PASSES_CPU_VECTORKERNEL_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/Context/IR/ContextDialect.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/Tile/IndexBuilder.h"
#include "llvm/ADT/DenseMap.h"

namespace corellama::cpu {

class VectorKernel : public tile::IndexBuilder {
public:
  VectorKernel(mlir::func::FuncOp kernel, TargetAttr target);

  mlir::LogicalResult rewrite();

  // What a unit's lowering (Units/) writes with.
  using IndexBuilder::b;
  using Value = mlir::Value;
  template <typename T> using Vec = llvm::SmallVector<T>;

  struct Weight {
    Value memory; // memref<?xi8>
    llama::WeightType type;
  };
  struct Panel {
    Value quants; // memref<columns x 16 x f32>
    Value scales; // memref<scale blocks x 16 x f32>
    Value minima;
  };
  struct Cache {
    Value keys, values; // memref<? x element>
    /// (layer * heads) and positions reserved.
    Value firstHead, capacity;
    llama::CacheType type;
    llama::KVCacheStrides keyStrides, valueStrides;
  };

  // TileToVector.cpp
  mlir::VectorType floats(int64_t lanes = kLanes);
  Value zeros(mlir::Type type);
  Value splat(Value scalar);
  Value fma(Value x, Value y, Value z);
  Value loop(int64_t from, Value to, int64_t step, mlir::ValueRange init,
             llvm::function_ref<Vec<Value>(Value, mlir::ValueRange)> body,
             Vec<Value> *results = nullptr);
  Value field(context::Field which);
  Value view(Value pointer, Value byteOffset, mlir::Type type);
  Value allocate(mlir::MemRefType type);
  /// The memory of rows: of float32 or f16 as they are, of q8b32 as bytes.
  mlir::MemRefType memoryOf(tile::RowsType rows);
  Value loadScalar(Value memory, mlir::ValueRange indices);
  /// Rows of a tile, as one vector each; and back.
  Vec<Value> unpack(Value tile);
  Value pack(llvm::ArrayRef<Value> rows, mlir::Type type);
  /// 16 lanes of a 1-D vector from lane `first`, and whole vectors from them.
  Value chunk(Value vector, int64_t first);
  Value joinChunks(llvm::ArrayRef<Value> chunks);

  TargetAttr target;
  bool tables;
  llvm::DenseMap<Value, Weight> weights;
  llvm::DenseMap<Value, Panel> panels;
  llvm::DenseMap<Value, Value> rows;

private:
  mlir::LogicalResult rewriteOp(mlir::Operation *op);
  mlir::LogicalResult rewriteContract(tile::ContractOp op);
  mlir::LogicalResult rewritePanel(tile::PanelOp op);
  Value integerOf(context::Field list, Value row);
  Value positionOf(Value row);
  /// Lanes j < limit, as a mask of 16.
  Value maskBelow(Value limit);

  // VectorRows.cpp
  Value loadLanes(Value memory, Value row, Value column, int64_t columns,
                  int64_t lanesLeft);
  Value sumLanes(Value vector);
  Value maxLanes(Value vector);
  Value mapBody(mlir::Region &body, llvm::ArrayRef<Value> arguments);
  void rewriteSum(tile::SumOp op);
  void rewriteStage(tile::StageOp op);
  void storeRounded(Value low, Value high, Value target, Value row,
                    Value block);
  void rewriteRoundRows(tile::RoundRowsOp op);
  void rewriteBlockSums(tile::BlockSumsOp op);
  void rewriteLoad(tile::LoadOp op);
  void rewriteStore(tile::StoreOp op);
  mlir::LogicalResult rewriteAppend(tile::AppendOp op);
  void rewriteRope(tile::RopeRowOp op);
  void rewriteMask(tile::CausalMaskOp op);
  void rewriteColumnValues(tile::ColumnValuesOp op);

  // VectorAttention.cpp
  void rewriteScores(tile::ScoreKeysOp op);
  void rewriteSumValues(tile::SumValuesOp op);
  Value loadCache(Value memory, Value element, mlir::Type elementType);

  mlir::func::FuncOp kernel;
  Value context, scratch;
  int64_t scratchBytes = 0;
  llvm::DenseMap<Value, Cache> caches;
};

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_VECTORKERNEL_H
