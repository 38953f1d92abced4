//===- TileOps.cpp - verifiers of tile ------------------------------------===//

#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::tile;

#define GET_OP_CLASSES
#include "dialects/Tile/IR/TileOps.cpp.inc"

LogicalResult tile::verifyHandles(Operation *op) {
  // What makes a handle of the operand's type, and whether `source` is that.
  auto makerOf = [](Type type,
                    Operation *source) -> std::pair<StringRef, bool> {
    return llvm::TypeSwitch<Type, std::pair<StringRef, bool>>(type)
        .Case([&](llama::WeightType) {
          return std::pair("tile.weight", isa_and_nonnull<WeightOp>(source));
        })
        .Case([&](llama::CacheType) {
          return std::pair("tile.cache", isa_and_nonnull<CacheOp>(source));
        })
        .Case([&](RowsType) {
          return std::pair("tile.buffer_rows or tile.stage",
                           isa_and_nonnull<BufferRowsOp, StageOp>(source));
        })
        .Case([&](PanelType) {
          return std::pair("tile.panel", isa_and_nonnull<PanelOp>(source));
        })
        .Default([](Type) { return std::pair(StringRef(), true); });
  };
  for (Value operand : op->getOperands()) {
    Operation *source = operand.getDefiningOp();
    auto [maker, isMade] = makerOf(operand.getType(), source);
    if (isMade)
      continue;
    InFlightDiagnostic diagnostic =
        op->emitOpError() << "takes " << operand.getType() << " from ";
    if (source)
      diagnostic << "'" << source->getName() << "'";
    else
      diagnostic << "a block's argument";
    return diagnostic << ", expected the result of " << maker;
  }
  return success();
}

/// The region takes `arguments` floats and ends in a tile.yield.
static LogicalResult verifyMap(Operation *op, Region &body, size_t arguments) {
  Block &block = body.front();
  if (block.getNumArguments() != arguments ||
      !llvm::all_of(block.getArgumentTypes(),
                    [](Type type) { return type.isF32(); }))
    return op->emitOpError()
           << "the region takes " << arguments << " values of type f32";
  if (!isa_and_nonnull<YieldOp>(
          block.mightHaveTerminator() ? block.getTerminator() : nullptr))
    return op->emitOpError() << "the region ends in tile.yield";
  return success();
}

LogicalResult CacheOp::verify() {
  if (getType().getRing() != 0 && !getApart()) // cache A1
    return emitOpError() << "is of " << getType()
                         << ", a ring, and not apart; llama-to-tile says so "
                            "where llama.cache_layout has rings";
  return success();
}

LogicalResult SumOp::verify() {
  if (cast<MemRefType>(getSource().getType()).getRank() != 2)
    return emitOpError() << "sums rows of a matrix, found "
                         << getSource().getType();
  if (getOrder().getLanes() == 0)
    return emitOpError() << "the order of a sum over a row names its lanes";
  return verifyMap(*this, getBody(), 1);
}

/// Rows of records have no part of a block.
static bool areWholeBlocks(int64_t columns) {
  return columns % llama::RowRecordInterface::kBlock == 0;
}

LogicalResult RoundRowsOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  RowsType target = getTarget().getType();
  if (!isa<llama::RowRecordInterface>(target.getElementType()))
    return emitOpError() << "rounds to rows of q8b32 or x24b32, found "
                         << target;
  if (source.getRank() != 2 || !areWholeBlocks(source.getDimSize(1)) ||
      !areWholeBlocks(target.getColumns()))
    return emitOpError() << "rounds whole blocks of "
                         << llama::RowRecordInterface::kBlock
                         << " columns, found " << source << " to " << target;
  return success();
}

LogicalResult StageOp::verify() {
  auto source = cast<MemRefType>(getSource().getType());
  Type element = getType().getElementType();
  if (!element.isF32() && !element.isBF16() &&
      !(isa<llama::RowRecordInterface>(element) &&
        areWholeBlocks(getType().getColumns())))
    return emitOpError()
           << "stages float32, bf16, or whole blocks of q8b32 or x24b32, found "
           << getType();
  if (source.getRank() != 2 || source.getDimSize(1) != getType().getColumns())
    return emitOpError() << "stages whole rows: " << source << " to "
                         << getType();
  for (Value weight : getPerColumn()) {
    auto type = cast<llama::WeightType>(weight.getType());
    if (type.getShape().size() != 1 ||
        type.getColumns() != getType().getColumns())
      return emitOpError() << "a per-column weight has the row's "
                           << getType().getColumns() << " elements, found "
                           << type;
  }
  return verifyMap(*this, getBody(),
                   1 + getPerRow().size() + getPerColumn().size());
}

LogicalResult ContractOp::verify() {
  int64_t columns = 0;
  llama::FormatInterface format;
  llama::ReductionOrderAttr order = getOrder();
  if (auto weight = dyn_cast<llama::WeightType>(getWeight().getType())) {
    columns = weight.getColumns();
    format = weight.getFormat();
  } else {
    auto panel = cast<PanelType>(getWeight().getType());
    columns = panel.getColumns();
    format = panel.getFormat();
    if (panel.getUnit() != order.getUnit())
      return emitOpError() << "reads a panel of the unit " << panel.getUnit()
                           << ", but sums in the order " << order;
  }
  if (getRows().getType().getColumns() != columns)
    return emitOpError() << "rows of " << getRows().getType().getColumns()
                         << " columns against a weight of " << columns;
  if (failed(llama::verifyContraction(
          *this, getRows().getType().getElementType(), format, order)))
    return failure();
  bool needsSums = order.getUnit().needsBlockSums(format);
  if (needsSums && !getSums())
    return emitOpError() << "the unit " << order.getUnit()
                         << " needs the sums of blocks of the rows for "
                         << format.getName();
  if (!needsSums && getSums())
    return emitOpError() << "the unit " << order.getUnit()
                         << " does not read sums of blocks for "
                         << format.getName();
  return success();
}

LogicalResult ReduceLanesOp::verify() {
  if (getKind() != "add" && getKind() != "max")
    return emitOpError() << "adds or takes the maximum, found '" << getKind()
                         << "'";
  int64_t lanes = cast<VectorType>(getSource().getType()).getDimSize(1);
  if ((lanes & (lanes - 1)) != 0)
    return emitOpError() << "lanes are reduced by a tree, so their number is a "
                            "power of two, found "
                         << lanes;
  return success();
}

LogicalResult SumValuesOp::verify() {
  const bool hasUnit = getOrderAttr() && getOrderAttr().getUnit();
  if (hasUnit != isa<VectorType>(getWeights().getType())) // A1
    return emitOpError() << "takes its weights "
                         << (hasUnit ? "as a tile, for the unit of its order"
                                     : "from memory")
                         << ", found " << getWeights().getType();
  return success();
}

LogicalResult AppendOp::verify() {
  if (getWhat() != "keys" && getWhat() != "values")
    return emitOpError() << "appends keys or values, found '" << getWhat()
                         << "'";
  llama::CacheType cache = getCache().getType();
  Type element =
      getWhat() == "keys" ? cache.getKeyType() : cache.getValueType();
  int64_t columns = cast<VectorType>(getValue().getType()).getDimSize(1);
  if (isa<llama::Q8_0Type>(element) && columns % llama::Q8_0Type::kBlock != 0)
    return emitOpError() << "rounds whole blocks of " << llama::Q8_0Type::kBlock
                         << " elements to q8_0, found a tile of " << columns
                         << " columns";
  return success();
}
