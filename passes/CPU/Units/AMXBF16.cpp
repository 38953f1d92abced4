//===- AMXBF16.cpp - #cpu.amx_bf16: products of bf16 in matrices ----------===//
//
// tile -> vector and amx: the loop over k of a product of BF16 weights and rows
// of bf16, in the order in which `tdpbf16ps` sums. Tiles of 16 rows of x and
// more are that instruction's: 16 rows of a weight stand in memory as its
// second operand. Fewer rows would leave most of a matrix unused and are
// computed by `vdpbf16ps`, bit for bit as the matrices do it: each chain of an
// even or an odd column is a sum in which the other column adds a zero.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/UnitLowering.h"
#include <limits>

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

namespace {

static_assert(kMatrixRows == kLanes, "a row of sums is a vector");
/// Matrices of x, and of a weight, that are multiplied by each other: two of
/// each and their four sums are the eight registers.
constexpr int64_t kMatrices = 2;

/// One column of a pair: its bits, and the sign of the other one.
struct Column {
  uint32_t bits, otherSign;
};
constexpr Column kEven = {0x0000ffff, 0x80000000};
constexpr Column kOdd = {0xffff0000, 0x00008000};

amx::TileType sumsType(VectorBuilder &b) {
  return amx::TileType::get({kMatrixRows, kMatrixRows}, b.getF32Type());
}
/// Of rows of x, a row of 32 columns each; or of 16 rows of a weight, a row for
/// each pair of columns.
amx::TileType operandType(VectorBuilder &b) {
  return amx::TileType::get({kMatrixRows, kColumnBlock}, b.getBF16Type());
}

/// What stands in memory of bytes, row by row, as a matrix.
Value matrixAt(VectorBuilder &b, Value memory, Value byte, amx::TileType type) {
  auto rows = MemRefType::get(type.getShape(), type.getElementType());
  return memref::ViewOp::create(b, rows, memory, byte, ValueRange());
}
Value loadMatrix(VectorBuilder &b, Value memory, Value byte) {
  Value rows = matrixAt(b, memory, byte, operandType(b));
  Value zero = b.index(0);
  return amx::TileLoadOp::create(b, operandType(b), rows,
                                 ValueRange{zero, zero});
}

bool hasMatrices(tile::ContractOp op) {
  return cast<VectorType>(op.getType()).getDimSize(0) % kMatrixRows == 0;
}

/// One product: a tile of rows of x by groups of 16 rows of a weight.
class Product {
public:
  Product(VectorBuilder &b, tile::ContractOp op, Ranges<tile::ContractOp> in,
          TargetAttr target)
      : b(b), tile(cast<VectorType>(op.getType())), x(in.getRows()[0]),
        weight(in.getWeight()[0]), firstRow(in.getRow()[0]),
        ahead(prefetchOf(op)) {
    auto type = cast<llama::WeightType>(op.getWeight().getType());
    rest = type.getColumns() % kColumnBlock;
    // Each group of 16 rows is a stream of memory.
    for (int64_t j = 0; j < tile.getDimSize(1); j += kLanes)
      groups.emplace_back(b, weight, type, hasTables(target),
                          b.add(in.getFirst()[0], j));
    blocks = b.index(type.getColumns() / kColumnBlock);
  }

  Value byVectors() {
    const int64_t m = tile.getDimSize(0);
    Values rows;
    for (int64_t i = 0; i < m; ++i)
      rows.push_back(b.add(firstRow, i));
    auto addBlocks = [&](Value block, int64_t count, ValueRange carried) {
      Values sums(carried); // by group, by row
      for (auto [g, group] : llvm::enumerate(groups)) {
        if (ahead)
          group.prefetch(block, ahead, int64_t(groups.size()));
        addBlock(group, block, count, rows,
                 MutableArrayRef(sums).slice(g * rows.size(), rows.size()));
      }
      return sums;
    };
    Values sums(groups.size() * rows.size(), b.zeros(b.floats()));
    sums = b.fold(0, blocks, 1, sums, [&](Value block, ValueRange carried) {
      return addBlocks(block, kColumnBlock, carried);
    });
    if (rest)
      sums = addBlocks(blocks, rest, sums);
    return b.tileOf(tile, [&](int64_t i, int64_t j) -> Value {
      return sums[size_t(j / kLanes * m + i)];
    });
  }

  /// `sums` is memory for the tile.
  Value byMatrices(Value sums) {
    const int64_t m = tile.getDimSize(0) / kMatrixRows;
    const auto n = static_cast<int64_t>(groups.size());
    for (int64_t i = 0; i < m; i += kMatrices)
      for (int64_t g = 0; g < n; g += kMatrices)
        sumMatrices(sums, i, std::min(m - i, kMatrices), g,
                    std::min(n - g, kMatrices));
    if (rest)
      b.loop(0, tile.getDimSize(0), 1, [&](Value i) {
        Value row = b.add(firstRow, i);
        for (auto [g, group] : llvm::enumerate(groups)) {
          Value at = b.index(int64_t(g) * kLanes);
          Value sum = b.loadFloats(sums, {i, at});
          addBlock(group, blocks, rest, row, sum);
          b.storeLanes(sum, sums, {i, at});
        }
      });
    return b.tileOf(tile, [&](int64_t i, int64_t j) {
      return b.loadFloats(sums, {b.index(i), b.index(j)});
    });
  }

private:
  /// Stores the sums of whole blocks of `rows` matrices of x and `count` groups
  /// from matrix `firstMatrix` and group `firstGroup` of the tile on.
  void sumMatrices(Value target, int64_t firstMatrix, int64_t rows,
                   int64_t firstGroup, int64_t count) {
    Values sums; // by matrix of x, by group
    for (int64_t i = 0; i < rows * count; ++i)
      sums.push_back(amx::TileZeroOp::create(b, sumsType(b)));
    sums = b.fold(0, blocks, 1, sums, [&](Value block, ValueRange carried) {
      Value column = b.mul(block, kColumnBlock);
      Values xs, ws, next;
      for (int64_t i = 0; i < rows; ++i) {
        Value row = b.add(firstRow, (firstMatrix + i) * kMatrixRows);
        xs.push_back(amx::TileLoadOp::create(b, operandType(b), x,
                                             ValueRange{row, column}));
      }
      for (int64_t g = 0; g < count; ++g)
        ws.push_back(
            loadMatrix(b, weight, groups[firstGroup + g].firstPair(block)));
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t g = 0; g < count; ++g)
          next.push_back(amx::TileMulFOp::create(b, sumsType(b), xs[i], ws[g],
                                                 carried[i * count + g]));
      return next;
    });
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t g = 0; g < count; ++g) {
        Value row = b.index((firstMatrix + i) * kMatrixRows);
        Value column = b.index((firstGroup + g) * kMatrixRows);
        amx::TileStoreOp::create(b, target, ValueRange{row, column},
                                 sums[i * count + g]);
      }
  }

  /// Adds the products of `count` columns of a block to the sums of some rows.
  void addBlock(GroupLoads &group, Value block, int64_t count, ValueRange rows,
                MutableArrayRef<Value> sums) {
    Value first = b.mul(block, kColumnBlock);
    Values even(rows.size(), b.zeros(b.floats())), odd = even;
    for (int64_t c = 0; c < count; c += 2) {
      Value w = group.pairs(block, c);
      Value evenOfW = only(w, kEven.bits), oddOfW = only(w, kOdd.bits);
      Value column = b.add(first, c);
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value pair = b.splatPair(x, {row, column});
        even[i] = DotBF16Op::create(b, even[i], evenOfW, factor(pair, kEven));
        odd[i] = DotBF16Op::create(b, odd[i], oddOfW, factor(pair, kOdd));
      }
    }
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value both = add(even[i], odd[i]);
      sum = add(sum, both);
    }
  }

  /// The bits of one column of a pair; the other one is zero.
  Value only(Value pair, uint32_t bits) {
    auto words = b.vectorOf(b.getI32Type());
    Value both = vector::BitCastOp::create(b, words, pair);
    Value kept = arith::AndIOp::create(
        b, both, b.constant(words, static_cast<int32_t>(bits)));
    return vector::BitCastOp::create(b, pair.getType(), kept);
  }
  /// One column of x; the other one is -0, so that its product with 0 is -0,
  /// which changes no sum, not even a zero's sign.
  Value factor(Value pair, Column column) {
    auto words = b.vectorOf(b.getI32Type());
    Value kept = vector::BitCastOp::create(b, words, only(pair, column.bits));
    Value factor = arith::OrIOp::create(
        b, kept, b.constant(words, static_cast<int32_t>(column.otherSign)));
    return vector::BitCastOp::create(b, pair.getType(), factor);
  }

  /// The sum of two numbers that are not subnormal; zero with its sign where it
  /// is itself.
  Value add(Value left, Value right) {
    auto words = b.vectorOf(b.getI32Type());
    Value sum = arith::AddFOp::create(b, left, right);
    Value bits = arith::BitcastOp::create(b, words, sum);
    Value exponent =
        arith::AndIOp::create(b, bits, b.constant(words, 0x7f800000));
    Value isTiny = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, exponent,
                                         b.zeros(words));
    Value zero = arith::AndIOp::create(
        b, bits, b.constant(words, std::numeric_limits<int32_t>::min()));
    Value kept = arith::SelectOp::create(b, isTiny, zero, bits);
    return arith::BitcastOp::create(b, sum.getType(), kept);
  }

  VectorBuilder &b;
  VectorType tile;
  Value x, weight, firstRow;
  int64_t ahead;
  SmallVector<GroupLoads> groups;
  /// Whole blocks of columns, and how many columns are behind them.
  Value blocks;
  int64_t rest;
};

struct AMXBF16Lowering
    : UnitLoweringInterface::ExternalModel<AMXBF16Lowering, AMXBF16Attr> {
  SmallVector<Type> getScratchTypes(Attribute, tile::ContractOp op) const {
    if (!hasMatrices(op))
      return {};
    auto tile = cast<VectorType>(op.getType());
    return {MemRefType::get(tile.getShape(), tile.getElementType())};
  }

  Value lowerContract(Attribute, VectorBuilder &b, tile::ContractOp op,
                      Ranges<tile::ContractOp> in, ValueRange memory,
                      TargetAttr target) const {
    Product product(b, op, in, target);
    return hasMatrices(op) ? product.byMatrices(memory[0])
                           : product.byVectors();
  }

  /// A product takes 16 cycles and its sums are there after 52 (Intel's
  /// optimization manual, chapter on AMX), so four chains keep the unit busy.
  static constexpr int64_t kChains = 4;

  int64_t getPeakOperations(Attribute, TargetAttr) const {
    return kChains * 2 * kMatrixRows * kMatrixRows * kColumnBlock;
  }
  /// Each product waits for 1 KiB of the second-level cache, 64 bytes a cycle
  /// at best; three quarters of that are assumed, and not measured.
  double getBound(Attribute, const llama::FormatFacts &, TargetAttr) const {
    return 0.75;
  }
  void emitPeakLoop(Attribute, VectorBuilder &b, Value memory, Value turns,
                    TargetAttr) const {
    Value zero = b.index(0);
    Value factor = loadMatrix(b, memory, zero);
    Values chains;
    for (int64_t i = 0; i < kChains; ++i)
      chains.push_back(amx::TileZeroOp::create(b, sumsType(b)));
    chains = b.fold(0, turns, 1, chains, [&](Value, ValueRange carried) {
      Values next;
      for (Value chain : carried)
        next.push_back(
            amx::TileMulFOp::create(b, sumsType(b), factor, factor, chain));
      return next;
    });
    Value target = matrixAt(b, memory, zero, sumsType(b));
    for (Value chain : chains)
      amx::TileStoreOp::create(b, target, ValueRange{zero, zero}, chain);
  }
};

} // namespace

void cpu::registerAMXBF16(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, CPUDialect *) {
    AMXBF16Attr::attachInterface<AMXBF16Lowering>(*context);
  });
}
