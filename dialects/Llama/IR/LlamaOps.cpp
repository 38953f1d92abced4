//===- LlamaOps.cpp - verifiers of the graph ------------------------------===//
//
// One check a constraint; its label is the one of LlamaOps.td.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace corellama::llama;

static int64_t rowsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getDimSize(0);
}
static int64_t columnsOf(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

/// "4" or "?".
static std::string extent(int64_t size) {
  return ShapedType::isDynamic(size) ? "?" : std::to_string(size);
}

static LogicalResult expectRank2(Operation *op, Value value, StringRef what) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getRank() != 2 || type.isDynamicDim(1))
    return op->emitOpError()
           << what << " is rows x columns with the columns known, found "
           << type;
  return success();
}

static LogicalResult expectSameRows(Operation *op, Value a, Value b,
                                    StringRef what) {
  if (rowsOf(a) != rowsOf(b))
    return op->emitOpError() << what << ": " << extent(rowsOf(a))
                             << " rows against " << extent(rowsOf(b));
  return success();
}

static LogicalResult expectPositions(Operation *op, Value rows,
                                     Value positions) {
  if (cast<RankedTensorType>(positions.getType()).getRank() != 1)
    return op->emitOpError()
           << "positions are one integer a row, found " << positions.getType();
  return expectSameRows(op, rows, positions, "one position a row");
}

static WeightType weightType(Value weight) {
  return cast<WeightType>(weight.getType());
}

LogicalResult EmbedOp::verify() {
  WeightType weight = weightType(getWeight());
  if (cast<RankedTensorType>(getIds().getType()).getRank() != 1)
    return emitOpError() << "ids are one integer a row, found "
                         << getIds().getType();
  if (failed(expectRank2(*this, getResult(), "the result")) ||
      failed(expectSameRows(*this, getResult(), getIds(),
                            "one row an id"))) // embed A1
    return failure();
  if (weight.getShape().size() != 2 ||
      columnsOf(getResult()) != weight.getColumns()) // embed A1
    return emitOpError() << "rows of the result are rows of the weight: "
                         << columnsOf(getResult()) << " columns against "
                         << weight;
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (failed(expectRank2(*this, getX(), "x")))
    return failure();
  WeightType weight = weightType(getWeight());
  if (weight.getShape().size() != 1 ||
      weight.getColumns() != columnsOf(getX())) // rms_norm A1
    return emitOpError() << "the weight is a vector of x's "
                         << columnsOf(getX()) << " columns, found " << weight;
  if (!(getEps().convertToDouble() > 0)) // rms_norm A2
    return emitOpError() << "eps is positive, found "
                         << getEps().convertToDouble();
  return success();
}

LogicalResult LinearOp::verify() {
  if (failed(expectRank2(*this, getX(), "x")) ||
      failed(expectRank2(*this, getResult(), "the result")))
    return failure();
  WeightType weight = weightType(getWeight());
  if (weight.getShape().size() != 2 ||
      weight.getColumns() != columnsOf(getX())) // linear A1
    return emitOpError() << "the weight has x's " << columnsOf(getX())
                         << " columns, found " << weight;
  if (columnsOf(getResult()) != weight.getRows()) // linear A2
    return emitOpError() << "the result has a column for each of the weight's "
                         << weight.getRows() << " rows, found "
                         << columnsOf(getResult());
  if (failed(expectSameRows(*this, getX(), getResult(),
                            "one result a row"))) // linear A2
    return failure();
  if (isa<Q8B32Type>(
          cast<RankedTensorType>(getX().getType()).getElementType()) &&
      weight.getFormat().getBlock() == 1) // linear A3
    return emitOpError()
           << "rows of q8b32 go with block-quantised weights, found "
           << weight.getFormat().getName()
           << "; leave the rows in f32 or round them to f16";
  if (!getOrderAttr())
    return success();
  return verifyContraction( // linear A4
      *this, cast<RankedTensorType>(getX().getType()).getElementType(),
      weight.getFormat(), getOrderAttr());
}

LogicalResult RopeOp::verify() {
  if (failed(expectRank2(*this, getX(), "x")))
    return failure();
  int64_t columns = columnsOf(getX()), heads = getHeads();
  if (heads <= 0 || columns % heads != 0 || columns / heads % 2 != 0) // rope A1
    return emitOpError() << columns << " columns are not " << heads
                         << " heads of an even size";
  if (!(getBase().convertToDouble() > 0)) // rope A3
    return emitOpError() << "the base is positive, found "
                         << getBase().convertToDouble();
  return expectPositions(*this, getX(), getPositions()); // rope A2
}

LogicalResult KVAppendOp::verify() {
  CacheType cache = getCache().getType();
  int64_t columns = cache.getHeads() * cache.getHeadSize();
  for (Value value : {getKeys(), getValues()}) {
    if (failed(expectRank2(*this, value, "keys and values")))
      return failure();
    if (columnsOf(value) != columns) // kv_append A1
      return emitOpError() << "a row of the cache has " << cache.getHeads()
                           << " x " << cache.getHeadSize()
                           << " elements, found " << columnsOf(value)
                           << " columns";
  }
  if (failed(expectSameRows(*this, getKeys(), getValues(),
                            "keys and values"))) // kv_append A2
    return failure();
  return expectPositions(*this, getKeys(), getPositions()); // kv_append A2
}

/// What attention and attention_part share.
static LogicalResult verifyAttention(Operation *op, Value query,
                                     CacheType cache, int64_t heads,
                                     Value positions) {
  if (failed(expectRank2(op, query, "the query")))
    return failure();
  if (heads <= 0 ||
      columnsOf(query) != heads * cache.getHeadSize()) // attention A1
    return op->emitOpError()
           << "the query has " << columnsOf(query) << " columns, not " << heads
           << " heads of the cache's size " << cache.getHeadSize();
  if (heads % cache.getHeads() != 0) // attention A2
    return op->emitOpError()
           << heads << " heads cannot share the cache's " << cache.getHeads();
  return expectPositions(op, query, positions); // attention A3
}

static LogicalResult expectKeys(Operation *op, IntegerAttr keys) {
  if (keys && keys.getInt() <= 0) // attention A4, attention_part A5
    return op->emitOpError()
           << "a block of keys is not empty, found " << keys.getInt();
  return success();
}

LogicalResult AttentionOp::verify() {
  if (failed(expectKeys(*this, getKeysAttr())))
    return failure();
  return verifyAttention(*this, getQuery(), getCache().getType(), getHeads(),
                         getPositions());
}

LogicalResult AttentionPartOp::verify() {
  if (failed(expectKeys(*this, getKeysAttr())) ||
      failed(verifyAttention(*this, getQuery(), getCache().getType(),
                             getHeads(), getPositions())))
    return failure();
  auto type = cast<RankedTensorType>(getResult().getType());
  if (type.getRank() != 4 || type.getDimSize(0) != rowsOf(getQuery()) ||
      type.getDimSize(1) != int64_t(getHeads()) ||
      type.getDimSize(3) !=
          getCache().getType().getHeadSize() + 2) // attention_part A4
    return emitOpError() << "the result is rows x " << getHeads()
                         << " heads x blocks x "
                         << getCache().getType().getHeadSize() + 2 << ", found "
                         << type;
  return success();
}

LogicalResult AttentionMergeOp::verify() {
  auto parts = cast<RankedTensorType>(getParts().getType());
  if (parts.getRank() != 4 || parts.getDimSize(1) != int64_t(getHeads()) ||
      parts.getDimSize(3) < 4) // attention_merge A1
    return emitOpError() << "parts are rows x " << getHeads()
                         << " heads x blocks x (head size + 2), found "
                         << parts;
  if (failed(expectRank2(*this, getResult(), "the result")) ||
      failed(
          expectSameRows(*this, getParts(), getResult(), "one result a row")))
    return failure();
  if (columnsOf(getResult()) !=
      int64_t(getHeads()) * (parts.getDimSize(3) - 2)) // attention_merge A2
    return emitOpError() << "the result has " << getHeads() << " x "
                         << parts.getDimSize(3) - 2 << " columns, found "
                         << columnsOf(getResult());
  return success();
}

LogicalResult ArgmaxOp::verify() {
  if (failed(expectRank2(*this, getX(), "x"))) // argmax A2
    return failure();
  if (cast<RankedTensorType>(getResult().getType()).getRank() != 1)
    return emitOpError() << "the result is one integer a row, found "
                         << getResult().getType();
  return expectSameRows(*this, getX(), getResult(),
                        "one result a row"); // argmax A1
}

LogicalResult QuantizeOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto result = cast<RankedTensorType>(getResult().getType());
  if (x.getShape() != result.getShape()) // quantize A1
    return emitOpError() << "rounding keeps the shape, found " << x << " to "
                         << result;
  if (result.getElementType().isF32()) // quantize A2
    return emitOpError() << "rounds to f16, bf16 or q8b32, not to f32";
  if (failed(expectRank2(*this, getX(), "x"))) // quantize A3
    return failure();
  if (isa<Q8B32Type>(result.getElementType()) &&
      columnsOf(getX()) % Q8B32Type::kBlock != 0) // quantize A4
    return emitOpError() << "rows of q8b32 are blocks of " << Q8B32Type::kBlock
                         << " columns, found " << columnsOf(getX());
  return success();
}
