//===- ProductBody.cpp - the groups of products of a kernel ---------------===//
//
// schedule -> tile, kernels that multiply weights: what is read as whole rows
// is staged once a call, then each part loops over the tiles of its group, and
// what comes after the products is arithmetic on the tile (KernelBody.cpp). How
// parts are numbered is here and in PartitionAttr, nowhere else.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/RowGroups.h"
#include "passes/Tile/KernelBody.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

LogicalResult KernelBody::writeProducts() {
  RowGroups rowGroups(source.getBody().front());
  SmallVector<SmallVector<Sink>> sinksOf(rowGroups.getGroups().size());
  for (const Sink &sink : sinks()) {
    std::optional<unsigned> group = rowGroups.groupOf(sink.value);
    if (!group)
      return sink.op->emitOpError() << "leaves the kernel with a value that "
                                       "none of its products makes; "
                                       "it should be a kernel of its own";
    sinksOf[*group].push_back(sink);
  }
  for (auto [group, sinks] : llvm::zip(rowGroups.getGroups(), sinksOf))
    if (sinks.empty())
      return group.products.front()->emitOpError()
             << "leaves the kernel in no buffer and no cache";

  // What is read as whole rows, once a call.
  for (const RowGroups::Group &group : rowGroups.getGroups())
    for (LinearOp linear : group.products) {
      Rows *rows = rowsOf(linear.getX());
      if (!rows)
        return failure();
      auto type = cast<WeightType>(linear.getWeight().getType());
      weight(linear.getWeight());
      if (!linear.getOrderAttr().getUnit().needsBlockSums(type.getFormat()))
        continue;
      int64_t block = type.getFormat().getScaleBlock();
      Value &sums = rows->sums[block];
      auto rowsType = cast<RowsType>(rows->rows.getType());
      if (!sums)
        sums = BlockSumsOp::create(
            b,
            MemRefType::get({rowsType.getRows(), rowsType.getColumns() / block},
                            b.getF32Type()),
            rows->rows, rows->wanted ? index(rowsType.getRows()) : rowCount(),
            block);
    }

  int64_t firstPiece = 0;
  for (auto [group, sinks] : llvm::zip(rowGroups.getGroups(), sinksOf)) {
    int64_t pieces =
        static_cast<int64_t>(llvm::divideCeil(group.rows, partition.getBy()));
    if (failed(
            writeGroup(sinks, group.products, group.rows, firstPiece, pieces)))
      return failure();
    firstPiece += pieces;
  }
  return success();
}

/// A group's parts: `pieces` of its weights, from `firstPiece` of the kernel
/// on, each for all rows of the call or for one of their tiles.
LogicalResult KernelBody::writeGroup(ArrayRef<Sink> sinks,
                                     ArrayRef<LinearOp> linears, int64_t rows,
                                     int64_t firstPiece, int64_t pieces) {
  const int64_t by = partition.getBy(), rowsBy = partition.getRowsBy();
  LogicalResult result = success();
  auto writeTile = [&](const Position &at) {
    for (const Sink &sink : sinks) {
      Value tile = tileOf(sink.value, at);
      if (!tile) {
        result = failure();
        return;
      }
      store(sink, tile, at);
    }
  };
  // A piece's parts follow each other, so that blocks of threads that run at
  // once, or a worker, read it from memory once.
  Value rowTiles;
  if (rowsBy)
    rowTiles = div(add(rowCount(), rowsBy - 1), rowsBy);
  // A part is one tile.
  if (rowsBy == m && by == n) {
    for (const Sink &sink : sinks)
      if (roundsBlocks(sink))
        return sink.op->emitOpError()
               << "is rounded by blocks of a row, and a part is one tile";
    bool isOnly = partition.getRows().asArrayRef().size() == 1;
    loopOverParts([&](Value part) {
      Value piece = div(part, rowTiles);
      Value row = mul(rem(part, rowTiles), rowsBy);
      piece = sub(piece, firstPiece);
      if (isOnly)
        return writeTile({row, mul(piece, by), m, n});
      // Numbers below the group's first are large ones after the subtraction.
      Value isOfGroup = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                              piece, index(pieces));
      auto branch = scf::IfOp::create(b, isOfGroup, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      writeTile({row, mul(piece, by), m, n});
    });
    return result;
  }

  // Calls `body` with the first row of each tile of the weight in a piece.
  auto tilesOf = [&](Value piece, function_ref<void(Value)> body) {
    Value first = mul(piece, by);
    // Padding rows of the last group are zero in the image and never stored.
    Value next = add(first, by);
    Value last = minimum(next, llvm::alignTo(rows, kInterleavedRows));
    loop(first, last, n, body);
  };

  auto usesPanels = [&](LinearOp linear) {
    return linear.getOrderAttr().getUnit().usesPanels(
        linear.getWeight().getType().getFormat(), m, n, getTarget(source));
  };
  for (const Sink &sink : sinks) {
    if (isa<KVAppendOp>(sink.op) && roundsBlocks(sink) &&
        by % Q8_0Type::kBlock != 0)
      return sink.op->emitOpError()
             << "rounds blocks of " << Q8_0Type::kBlock
             << " elements to q8_0, and the partition is by " << by;
    auto write = dyn_cast<BufferWriteOp>(sink.op);
    int64_t capacity =
        write ? capacityOf(write.getBufferAttr()).getDimSize(0) : rowBound;
    prepareRounding(sink, rowsBy ? rowsBy : capacity, by);
  }
  auto partOf = [&](int64_t piece) {
    return rowTiles ? mul(rowTiles, piece) : index(piece);
  };
  Value from = maximum(toIndex(begin), partOf(firstPiece));
  Value nextPart = partOf(firstPiece + pieces);
  Value to = minimum(toIndex(end), nextPart);
  loop(from, to, 1, [&](Value part) {
    Value piece = part, firstRow = index(0), lastRow;
    if (rowTiles) {
      piece = div(part, rowTiles);
      firstRow = mul(rem(part, rowTiles), rowsBy);
      Value next = add(firstRow, rowsBy);
      lastRow = minimum(next, rowCount());
    }
    piece = sub(piece, firstPiece);
    // The last tile computes m rows and stores those of the call: no fma of a
    // row depends on its tile.
    auto rowsOf = [&](function_ref<void(Value)> body) {
      loop(firstRow, lastRow ? lastRow : rowCount(), m, body);
    };
    if (!unrounded.empty())
      beginRounding(sinks, firstRow, mul(piece, by));
    // A panel of one tile would be used once.
    if (isOneTile()) {
      tilesOf(piece, [&](Value column) {
        writeTile({firstRow, column, dynamicRows ? m : 1, n});
      });
    } else if (by > n && llvm::none_of(linears, usesPanels)) {
      // The rows of a call are larger than a cache that a part of the weight
      // fits, so a tile of them is read once for the part.
      rowsOf([&](Value row) {
        tilesOf(piece, [&](Value column) { writeTile({row, column, m, n}); });
      });
    } else {
      tilesOf(piece, [&](Value column) {
        panels.clear();
        for (LinearOp linear : linears) {
          if (!usesPanels(linear))
            continue;
          ContractionUnitInterface unit = linear.getOrderAttr().getUnit();
          auto type = cast<WeightType>(linear.getWeight().getType());
          panels[linear] = PanelOp::create(
              b,
              PanelType::get(b.getContext(), n, type.getColumns(),
                             type.getFormat(), unit),
              weight(linear.getWeight()), column);
        }
        rowsOf([&](Value row) { writeTile({row, column, m, n}); });
        panels.clear();
      });
    }
    if (!unrounded.empty())
      finishRounding(sinks, rowTiles ? sub(lastRow, firstRow) : rowCount());
  });
  return result;
}
