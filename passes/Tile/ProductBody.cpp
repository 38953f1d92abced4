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

  auto partsOf = [&](int64_t rows) {
    return static_cast<int64_t>(llvm::divideCeil(rows, partition.getBy()));
  };
  int64_t allParts = 0;
  for (const RowGroups::Group &group : rowGroups.getGroups())
    allParts += partsOf(group.rows);
  int64_t firstPart = 0;
  for (auto [group, sinks] : llvm::zip(rowGroups.getGroups(), sinksOf)) {
    if (failed(writeGroup(sinks, group.products, group.rows, firstPart,
                          partsOf(group.rows), allParts)))
      return failure();
    firstPart += partsOf(group.rows);
  }
  return success();
}

/// A group's parts: `parts` of them from `firstPart` on, of `allParts` that the
/// kernel has for the rows of the call, or for a tile of them.
LogicalResult KernelBody::writeGroup(ArrayRef<Sink> sinks,
                                     ArrayRef<LinearOp> linears, int64_t rows,
                                     int64_t firstPart, int64_t parts,
                                     int64_t allParts) {
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
  // Calls `body` with the first row of each tile of the weight in a part.
  auto tilesOf = [&](Value part, function_ref<void(Value)> body) {
    Value first = mul(part, partition.getBy());
    if (partition.getRowsBy() && partition.getBy() == n) {
      body(first);
      return;
    }
    // Padding rows of the last group are zero in the image and never stored.
    Value next = add(first, partition.getBy());
    Value last = minimum(next, llvm::alignTo(rows, kInterleavedRows));
    loop(first, last, n, body);
  };

  if (partition.getRowsBy()) {
    for (const Sink &sink : sinks)
      if (roundsBlocks(sink))
        return sink.op->emitOpError()
               << "is rounded by blocks of a row where a part has all rows of "
                  "the call, and the partition is by tiles of rows too";
    // part = tile of rows * allParts + tile of the weight: blocks that run at
    // once read the same rows.
    loopOverParts([&](Value part) {
      Value rowTile = arith::DivUIOp::create(b, part, index(allParts));
      Value number = arith::RemUIOp::create(b, part, index(allParts));
      if (firstPart)
        number = sub(number, firstPart);
      Value firstRow = mul(rowTile, partition.getRowsBy());
      auto writePart = [&] {
        tilesOf(number, [&](Value column) {
          if (partition.getRowsBy() == m) {
            writeTile({firstRow, column, m, n});
            return;
          }
          Value nextTile = add(firstRow, partition.getRowsBy());
          Value lastRow = minimum(nextTile, rowCount());
          loop(firstRow, lastRow, m,
               [&](Value row) { writeTile({row, column, m, n}); });
        });
      };
      if (parts == allParts) {
        writePart();
        return;
      }
      // Numbers below the group's first are large ones after the subtraction.
      Value isOfGroup = arith::CmpIOp::create(b, arith::CmpIPredicate::ult,
                                              number, index(parts));
      auto branch = scf::IfOp::create(b, isOfGroup, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      writePart();
    });
    return result;
  }

  auto usesPanels = [&](LinearOp linear) {
    return linear.getOrderAttr().getUnit().usesPanels(
        linear.getWeight().getType().getFormat(), m);
  };
  for (const Sink &sink : sinks) {
    if (isa<KVAppendOp>(sink.op) && roundsBlocks(sink) &&
        partition.getBy() % Q8_0Type::kBlock != 0)
      return sink.op->emitOpError()
             << "rounds blocks of " << Q8_0Type::kBlock
             << " elements to q8_0, and the partition is by "
             << partition.getBy();
    auto write = dyn_cast<BufferWriteOp>(sink.op);
    prepareRounding(sink,
                    write ? capacityOf(write.getBufferAttr()).getDimSize(0)
                          : rowBound,
                    partition.getBy());
  }
  Value from = maximum(toIndex(begin), firstPart);
  Value to = minimum(toIndex(end), firstPart + parts);
  loop(from, to, 1, [&](Value part) {
    Value number = sub(part, firstPart);
    if (!unrounded.empty())
      beginRounding(sinks, 0, mul(number, partition.getBy()));
    // A panel of one tile would be used once.
    if (isOneTile()) {
      tilesOf(number, [&](Value column) {
        writeTile({index(0), column, dynamicRows ? m : 1, n});
      });
    } else if (partition.getBy() > n && llvm::none_of(linears, usesPanels)) {
      // The rows of a call are larger than a cache that a part of the weight
      // fits, so a tile of them is read once for the part.
      loop(0, rowCount(), m, [&](Value row) {
        tilesOf(number, [&](Value column) { writeTile({row, column, m, n}); });
      });
    } else {
      tilesOf(number, [&](Value column) {
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
        // The last tile computes m rows and stores those of the call: no fma of
        // a row depends on its tile.
        loop(0, rowCount(), m,
             [&](Value row) { writeTile({row, column, m, n}); });
        panels.clear();
      });
    }
    if (!unrounded.empty())
      finishRounding(sinks, rowCount());
  });
  return result;
}
