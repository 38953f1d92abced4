//===- DotU8S8Matrices.cpp - #cpu.dot_u8s8 by matrices of bytes -----------===//
//
// tile -> vector and amx: products of many rows of records and a panel of
// bytes, 8 rows by 16 at once, by `tdpbssd` (AMX). A block's sums are exact
// integers, so they are those of the other forms (DotU8S8.cpp), and what scales
// them is the same arithmetic: no bit depends on which form a target or a call
// has.
//
// The sums of a block go to memory, because a matrix register has no other way
// out. They are read one block later, when they have arrived there.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/Units/RoundedRows.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

/// Rows of x in a matrix, half of what there is room for: a product then takes
/// half of the time, and accumulators leave registers for what is added to
/// them. Those of 16 rows spill.
constexpr int64_t kRows = kMatrixRows / 2;
/// Columns of a row of a weight that stand side by side.
constexpr int64_t kFour = 4;
/// Blocks whose sums are in memory at a time.
constexpr int64_t kSlots = 2;

amx::TileType sumsType(VectorBuilder &b, int64_t rows = kRows) {
  return amx::TileType::get({rows, kMatrixRows}, b.getI32Type());
}
/// Rows of x, and `columns` columns of 16 rows of a weight.
amx::TileType xType(VectorBuilder &b, int64_t columns, int64_t rows = kRows) {
  return amx::TileType::get({rows, columns}, b.getI8Type());
}
amx::TileType weightType(VectorBuilder &b, int64_t columns) {
  return amx::TileType::get({columns / kFour, kFour * kMatrixRows},
                            b.getI8Type());
}
/// sums + x * w; quants are signed.
Value multiply(VectorBuilder &b, Value x, Value w, Value sums) {
  return amx::TileMulIOp::create(b, sums.getType(), x, w, sums,
                                 /*isZextLhs=*/false, /*isZextRhs=*/false);
}

/// One product: a tile of rows of x by a panel of 16 rows of a weight.
class Product {
public:
  Product(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
          Value sums)
      : b(b), tile(cast<VectorType>(op.getType())), x(b, in.getRows()[0], op),
        firstRow(in.getRow()[0]), panel(in.getWeight()), sums(sums) {
    auto type = cast<tile::PanelType>(op.getWeight().getType());
    scaleBlock = type.getFormat().getScaleBlock();
    blocks = type.getColumns() / kColumnBlock;
  }

  Value write() {
    SmallVector<Values> rows; // by matrix of x
    for (int64_t i = 0; i < tile.getDimSize(0); i += kRows)
      rows.push_back(sumRows(b.add(firstRow, i)));
    return b.tileOf(tile, [&](int64_t i, int64_t) {
      return rows[size_t(i / kRows)][size_t(i % kRows)];
    });
  }

private:
  /// The products of the rows of a matrix.
  Values sumRows(Value row) {
    Values rows;
    for (int64_t i = 0; i < kRows; ++i)
      rows.push_back(b.add(row, i));
    Value first = b.index(0);
    sumIntegers(row, first, first);
    Values accumulators(kRows, b.zeros(b.floats()));
    return b.fold(0, blocks, 1, accumulators,
                  [&](Value block, ValueRange carried) {
                    // Behind the last block there is none; its own sums are
                    // made again, where nothing reads them.
                    Value other = b.add(block, 1);
                    Value next = b.minimum(other, blocks - 1);
                    sumIntegers(row, next, b.rem(other, kSlots));
                    Values made(carried);
                    addBlock(rows, block, b.rem(block, kSlots), made);
                    return made;
                  });
  }

  /// The row of memory at which the sums of a digit in a part of a block begin.
  Value sumsRow(Value slot, int64_t from, int64_t digit) {
    Value first = b.mul(slot, kColumnBlock / scaleBlock * x.digits() * kRows);
    return b.add(first, (from / scaleBlock * x.digits() + digit) * kRows);
  }

  /// isum of each digit in each scale block of a block, to memory.
  void sumIntegers(Value row, Value block, Value slot) {
    Value record = b.mul(block, x.record.getRecordBytes());
    Value column = b.mul(block, kColumnBlock / kFour);
    Value zero = b.index(0);
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Value quants = b.add(column, from / kFour);
      Value w = amx::TileLoadOp::create(b, weightType(b, scaleBlock),
                                        panel[BytePanel::kBytes],
                                        ValueRange{quants, zero});
      for (int64_t digit = 0; digit < x.digits(); ++digit) {
        Value byte = b.add(record, x.record.getDigitByte(digit) + from);
        Value rows = amx::TileLoadOp::create(b, xType(b, scaleBlock), x.memory,
                                             ValueRange{row, byte});
        Value none = amx::TileZeroOp::create(b, sumsType(b));
        Value made = multiply(b, rows, w, none);
        amx::TileStoreOp::create(
            b, sums, ValueRange{sumsRow(slot, from, digit), zero}, made);
      }
    }
  }

  /// Adds a block to an accumulator for each row.
  void addBlock(ArrayRef<Value> rows, Value block, Value slot,
                MutableArrayRef<Value> accumulators) {
    Value zero = b.index(0);
    for (int64_t from = 0; from < kColumnBlock; from += scaleBlock) {
      Value number = b.mul(block, kColumnBlock / scaleBlock);
      number = b.add(number, from / scaleBlock);
      auto load = [&](BytePanel::Part part) -> Value {
        return part < panel.size() ? b.loadFloats(panel[part], {number, zero})
                                   : Value();
      };
      Value scale = load(BytePanel::kScales),
            minimum = load(BytePanel::kMinima);
      for (auto [i, row] : llvm::enumerate(rows)) {
        Values own;
        for (int64_t digit = 0; digit < x.digits(); ++digit) {
          Value at = b.add(sumsRow(slot, from, digit), int64_t(i));
          own.push_back(vector::LoadOp::create(b, b.vectorOf(b.getI32Type()),
                                               sums, ValueRange{at, zero}));
        }
        accumulators[i] = x.accumulate(own, scale, minimum, row, block, from,
                                       scaleBlock, accumulators[i]);
      }
    }
  }

  VectorBuilder &b;
  VectorType tile;
  RoundedRows x;
  Value firstRow;
  ValueRange panel;
  Value sums;
  int64_t scaleBlock, blocks;
};

} // namespace

Value cpu::multiplyMatrices(VectorBuilder &b, tile::ContractOp op,
                            Ranges<tile::ContractOp> in, Value memory) {
  return Product(b, op, in, memory).write();
}

MemRefType cpu::matrixScratch(tile::ContractOp op) {
  auto type = cast<tile::PanelType>(op.getWeight().getType());
  auto record =
      cast<llama::RowRecordInterface>(op.getRows().getType().getElementType());
  int64_t sums =
      kColumnBlock / type.getFormat().getScaleBlock() * record.getDigits();
  return MemRefType::get({kSlots * sums * kRows, kLanes},
                         IntegerType::get(op.getContext(), 32));
}

//===----------------------------------------------------------------------===//
// The ceiling
//===----------------------------------------------------------------------===//

/// As many as #cpu.amx_bf16 has: a product of bytes takes as long.
static constexpr int64_t kChains = 4;
/// Columns of a whole matrix of bytes: of a row of 64 bytes.
static constexpr int64_t kMostColumns = 64;

/// A turn of the loop over k is 8 rows by 16 by 32 columns, a quarter of a
/// whole matrix's 16 cycles. It takes as many as its loads, two a cycle: 8 for
/// the matrix of the weight and for each of x, one a digit; for each scale
/// block 8 for the sums of a digit, 8 for scales and 8 for sums of rows where
/// there is a minimum (docs/performance.md; by arithmetic alone).
double cpu::getMatrixBound(const llama::FormatFacts &format, int64_t digits) {
  double parts = double(kColumnBlock) / double(format.scaleBlock());
  double matrices = 1 + double(digits);
  double loads =
      8 *
      (matrices + parts * (matrices + format.has(llama::PlaneKind::Minima)));
  return 4 / (loads / 2);
}

int64_t cpu::getBytePeakOperations() {
  return kChains * 2 * kMatrixRows * kMatrixRows * kMostColumns;
}

void cpu::emitBytePeak(VectorBuilder &b, Value memory, Value turns) {
  Value zero = b.index(0);
  auto matrix = [&](amx::TileType type) {
    auto rows = MemRefType::get(type.getShape(), type.getElementType());
    return memref::ViewOp::create(b, rows, memory, zero, ValueRange())
        .getResult();
  };
  amx::TileType type = xType(b, kMostColumns, kMatrixRows);
  Value factor =
      amx::TileLoadOp::create(b, type, matrix(type), ValueRange{zero, zero});
  Values chains;
  for (int64_t i = 0; i < kChains; ++i)
    chains.push_back(amx::TileZeroOp::create(b, sumsType(b, kMatrixRows)));
  chains = b.fold(0, turns, 1, chains, [&](Value, ValueRange carried) {
    Values next;
    for (Value chain : carried)
      next.push_back(multiply(b, factor, factor, chain));
    return next;
  });
  Value target = matrix(sumsType(b, kMatrixRows));
  for (Value chain : chains)
    amx::TileStoreOp::create(b, target, ValueRange{zero, zero}, chain);
}
