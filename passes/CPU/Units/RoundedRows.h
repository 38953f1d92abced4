//===- RoundedRows.h - rows of records in memory, read by units -----------===//
//
// The numbers in the record of a row's block (RowRecordInterface), and panels
// of bytes, as the forms of #cpu.dot_u8s8 read them: by vectors (DotU8S8.cpp)
// and by matrices (DotU8S8Matrices.cpp). Private to passes/CPU/Units.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITS_ROUNDEDROWS_H
#define CORELLAMA_PASSES_CPU_UNITS_ROUNDEDROWS_H

#include "passes/CPU/UnitLowering.h"

namespace corellama::cpu {

/// `row` is the number of a row, `block` that of a block of 32 columns.
struct RoundedRows {
  using Value = mlir::Value;

  VectorBuilder &b;
  Value memory;
  llama::RowRecordInterface record;

  RoundedRows(VectorBuilder &b, Value memory, tile::ContractOp op)
      : b(b), memory(memory), record(mlir::cast<llama::RowRecordInterface>(
                                  op.getRows().getType().getElementType())) {}

  int64_t digits() const { return record.getDigits(); }
  /// A number in the record of a row's block.
  Value field(Value row, Value block, tile::IndexOperand byte, mlir::Type type);
  /// The sum of one of a row's digits in the block, or in a half of it, times a
  /// number: in each of `lanes`.
  Value sumTimes(int32_t factor, int64_t digit, Value row, Value block,
                 int64_t from, int64_t count, int64_t lanes);
  /// Adds `count` columns from column `from` of a block on, which share a scale
  /// of the weight, to the product of a row: `sums` are those of the digits'
  /// products, as i32; `minimum` is null where the weight has none.
  Value accumulate(mlir::ValueRange sums, Value scale, Value minimum, Value row,
                   Value block, int64_t from, int64_t count, Value product);

private:
  Value scaledSum(Value row, Value block, int64_t from, int64_t count,
                  Value scale);
};

/// A panel of quants, with their bias or by their table, less `zero`: of four
/// columns the bytes of each row side by side, those of all rows in a row of
/// the memref; scales and minima as float32, a row of the memref for each
/// block, where the format has them. Where `isHalved` is set a row of the
/// memref has the lower four bits of all bytes, then the upper four.
struct BytePanel {
  enum Part : unsigned { kBytes, kScales, kMinima };

  int32_t zero = 0;
  bool isHalved = false;

  /// The byte in a row of the memref at which a half begins.
  static int64_t firstByte(tile::PanelType panel, int64_t half) {
    return half * 4 * panel.getRows();
  }

  llvm::SmallVector<mlir::Type> getTypes(tile::PanelType panel) const;
  void decode(VectorBuilder &b, tile::PanelOp op, tile::PanelOp::Adaptor in,
              mlir::ValueRange panel, TargetAttr target) const;
};

/// The code of #cpu.dot_u8s8 by matrices: of a tile of a multiple of 16 rows
/// and a panel, whose sums go through `memory`.
mlir::Value multiplyMatrices(VectorBuilder &b, tile::ContractOp op,
                             Ranges<tile::ContractOp> in, mlir::Value memory);
mlir::MemRefType matrixScratch(tile::ContractOp op);
/// As emitPeakLoop, the operations of a turn, and getBound.
void emitBytePeak(VectorBuilder &b, mlir::Value memory, mlir::Value turns);
int64_t getBytePeakOperations();
double getMatrixBound(const llama::FormatFacts &format, int64_t digits);

} // namespace corellama::cpu

#endif // CORELLAMA_PASSES_CPU_UNITS_ROUNDEDROWS_H
