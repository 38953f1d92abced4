//===- GroupLoads.h - how the CPU reads a weight in interleaved16 ---------===//
//
// Emits the loads of a group of 16 rows. One generator for every format: where
// a field is comes from the layout (passes/Weights), what it means from the
// format's facts. Private to passes/CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_GROUPLOADS_H
#define CORELLAMA_PASSES_CPU_GROUPLOADS_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "passes/CPU/VectorBuilder.h"
#include "passes/Weights/FieldPlace.h"

namespace corellama::cpu {

/// The loads of a weight. `block` counts blocks of 32 columns along the whole
/// row, `column` is one inside the block.
class GroupLoads {
public:
  /// `memory` is the weight as memref<?xi8>; `firstRow` the group's first row,
  /// null for `value` alone. `tables`: cpu.lookup16 is one instruction.
  GroupLoads(VectorBuilder &b, mlir::Value memory, llama::WeightType type,
             bool tables, mlir::Value firstRow = {});

  /// Calls `visit` with columns first to last of a block, ascending, and the
  /// unscaled quants of the 16 rows there, as a vector of 16 f32.
  void quants(mlir::Value block, int64_t first, int64_t last,
              llvm::function_ref<void(int64_t, mlir::Value)> visit);
  /// Fetches the lines that begin `ahead` bytes behind a block, as many as a
  /// block of all planes has. A tile reads `groups` groups side by side, so
  /// behind the end of this one lies its next in the next tile.
  void prefetch(mlir::Value block, int64_t ahead, int64_t groups);
  /// The quants of four columns from `column` on, a multiple of 4, as 64 bytes:
  /// row r in bytes 4 r to 4 r + 3. As they are stored, without bias or table;
  /// signed where the field is. Calls for one block stand in one block of code.
  mlir::Value bytes(mlir::Value block, int64_t column);
  /// The numbers of two columns from `column` on, an even one, of the 16 rows:
  /// row r in elements 2 r and 2 r + 1.
  mlir::Value pairs(mlir::Value block, int64_t column);
  /// The byte of the weight at which the numbers of a block begin: 16 pairs of
  /// columns of 16 rows, side by side.
  mlir::Value firstPair(mlir::Value block) { return byteOf(block, 0, 0); }
  /// Which load of a block has the quants of a column: equal for columns that
  /// share one.
  int64_t placeOf(int64_t column) const { return places[0].at(column) / 32; }
  /// The scales or the minima (with their sign) of the 16 rows, the product of
  /// all levels; null where the format has none.
  mlir::Value scale(mlir::Value block, int64_t column);
  mlir::Value minimum(mlir::Value block, int64_t column);
  /// One number: row and column are those of the weight.
  mlir::Value value(mlir::Value row, mlir::Value column);

private:
  using Value = mlir::Value;

  unsigned quantBits() const;
  Value scalar(Value offset, mlir::Type element);
  Value byteOf(Value block, unsigned plane, int64_t bit);
  Value lanes(Value block, unsigned plane, int64_t bit, mlir::Type element);
  Value dwords(Value block, unsigned plane, int64_t bit);

  Value floatQuant(Value block, int64_t column);
  Value makeTable();
  Value integerQuant(Value block, int64_t column, Value table);
  Value fourOfTable(Value block, int64_t column);
  Value unsignedQuant(Value block, int64_t column, uint32_t every,
                      bool isMasked);
  Value levels(llama::PlaneKind kind,
               llvm::function_ref<Value(unsigned)> level);
  Value level(Value block, unsigned plane, int64_t column);
  Value scalarField(unsigned plane, Value row, Value column);
  Value scalarQuant(Value row, Value column);
  Value scalarLevel(unsigned plane, Value row, Value column);
  Value signedMinimum(Value minimum);

  VectorBuilder &b;
  Value memory;
  const llama::FormatFacts &facts;
  bool tables;
  /// Bytes of a group and of its blocks, and where the one that is read begins.
  int64_t groupBytes, blockBytes;
  Value group;
  llvm::SmallVector<FieldPlace> places;
  /// The vector that was loaded last of each plane of quants: neighbouring
  /// columns are in one.
  struct LastLoad {
    Value block;
    int64_t bit;
    Value lanes;
  };
  llvm::SmallVector<LastLoad> last;
};

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_GROUPLOADS_H
