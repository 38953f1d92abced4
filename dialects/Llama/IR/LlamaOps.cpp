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

static LogicalResult expectSameRows(Operation *op, Value a, Value b,
                                    StringRef what) {
  if (rowsOf(a) != rowsOf(b))
    return op->emitOpError() << what << ": " << extent(rowsOf(a))
                             << " rows against " << extent(rowsOf(b));
  return success();
}

LogicalResult EmbedOp::verify() {
  WeightType weight = getWeight().getType();
  if (failed(expectSameRows(*this, getResult(), getIds(),
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
  WeightType weight = getWeight().getType();
  auto heads = static_cast<int64_t>(getHeads().value_or(1));
  if (columnsOf(getX()) % heads != 0) // rms_norm A3
    return emitOpError() << columnsOf(getX()) << " columns are not " << heads
                         << " heads";
  if (weight.getShape().size() != 1 ||
      weight.getColumns() != columnsOf(getX()) / heads) // rms_norm A1
    return emitOpError() << "the weight is a vector of "
                         << (getHeads() ? "a head's " : "x's ")
                         << columnsOf(getX()) / heads << " columns, found "
                         << weight;
  return success();
}

LogicalResult BiasOp::verify() {
  WeightType weight = getWeight().getType();
  if (weight.getShape().size() != 1 ||
      weight.getColumns() != columnsOf(getX())) // bias A1
    return emitOpError() << "the weight is a vector of x's "
                         << columnsOf(getX()) << " columns, found " << weight;
  return success();
}

LogicalResult LinearOp::verify() {
  WeightType weight = getWeight().getType();
  Type element = getX().getType().getElementType();
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
  if (auto record = dyn_cast<RowRecordInterface>(element);
      record && weight.getFormat().getBlock() == 1) // linear A3
    return emitOpError() << "rows of " << record.getName()
                         << " go with block-quantised weights, found "
                         << weight.getFormat().getName()
                         << "; leave the rows in f32 or round them to f16";
  if (!getOrderAttr())
    return success();
  return verifyContraction(*this, element, weight.getFormat(),
                           getOrderAttr()); // linear A4
}

LogicalResult corellama::llama::verifyRotation(Operation *op,
                                               RotationAttr rotation,
                                               int64_t headSize) {
  if (!rotation)
    return success();
  int64_t turned = rotation.getTurned(headSize);
  if (turned > headSize)
    return op->emitOpError()
           << "turns " << turned << " columns of heads of " << headSize;
  ArrayAttr factors = rotation.getFactors();
  if (factors && static_cast<int64_t>(factors.size()) != turned / 2)
    return op->emitOpError()
           << "has " << factors.size() << " factors, its rotation turns "
           << turned / 2 << " pairs";
  return success();
}

LogicalResult RopeOp::verify() {
  int64_t columns = columnsOf(getX()), heads = getHeads();
  if (heads <= 0 || columns % heads != 0 || columns / heads % 2 != 0) // rope A1
    return emitOpError() << columns << " columns are not " << heads
                         << " heads of an even size";
  if (failed(verifyRotation(*this, getRotationAttr(),
                            columns / heads))) // rope A4
    return failure();
  return expectSameRows(*this, getX(), getPositions(),
                        "one position a row"); // rope A2
}

LogicalResult KVAppendOp::verify() {
  CacheType cache = getCache().getType();
  int64_t columns = cache.getHeads() * cache.getHeadSize();
  for (Value value : {getKeys(), getValues()})
    if (columnsOf(value) != columns) // kv_append A1
      return emitOpError() << "a row of the cache has " << cache.getHeads()
                           << " x " << cache.getHeadSize()
                           << " elements, found " << columnsOf(value)
                           << " columns";
  if (failed(expectSameRows(*this, getKeys(), getValues(),
                            "keys and values"))) // kv_append A2
    return failure();
  return expectSameRows(*this, getKeys(), getPositions(),
                        "one position a row"); // kv_append A2
}

/// What attention and attention_part share.
template <typename Attention>
static LogicalResult verifyAttention(Attention op) {
  CacheType cache = op.getCache().getType();
  int64_t heads = op.getHeads(), columns = columnsOf(op.getQuery());
  if (heads <= 0 || columns != heads * cache.getHeadSize()) // attention A1
    return op.emitOpError()
           << "the query has " << columns << " columns, not " << heads
           << " heads of the cache's size " << cache.getHeadSize();
  if (heads % cache.getHeads() != 0) // attention A2
    return op.emitOpError()
           << heads << " heads cannot share the cache's " << cache.getHeads();
  int64_t window = op.getWindow().value_or(INT64_MAX);
  if (cache.getRing() != 0 && window > cache.getRing()) // attention A6
    return op.emitOpError()
           << "reads a ring of " << cache.getRing()
           << " positions, expected a window of as many at most";
  return expectSameRows(op, op.getQuery(), op.getPositions(),
                        "one position a row"); // attention A3
}

LogicalResult AttentionOp::verify() { return verifyAttention(*this); }

LogicalResult AttentionPartOp::verify() {
  if (failed(verifyAttention(*this)))
    return failure();
  RankedTensorType type = getType();
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
  RankedTensorType parts = getParts().getType();
  if (parts.getRank() != 4 || parts.getDimSize(1) != int64_t(getHeads()) ||
      parts.getDimSize(3) < 4) // attention_merge A1
    return emitOpError() << "parts are rows x " << getHeads()
                         << " heads x blocks x (head size + 2), found "
                         << parts;
  if (failed(expectSameRows(*this, getParts(), getResult(),
                            "one result a row"))) // attention_merge A2
    return failure();
  if (columnsOf(getResult()) !=
      int64_t(getHeads()) * (parts.getDimSize(3) - 2)) // attention_merge A2
    return emitOpError() << "the result has " << getHeads() << " x "
                         << parts.getDimSize(3) - 2 << " columns, found "
                         << columnsOf(getResult());
  return success();
}

LogicalResult PositionEncodingOp::verify() {
  if (failed(expectSameRows(*this, getPositions(), getResult(),
                            "one row a position"))) // position_encoding A1
    return failure();
  int64_t columns = columnsOf(getResult());
  bool isBinary = getKind() == PositionKind::Binary;
  if (isBinary && (columns < 1 || columns > 31)) // position_encoding A2
    return emitOpError() << "a binary position has 1 to 31 columns, found "
                         << columns;
  if (isBinary &&
      (getBase() || getAngles() != AngleType::F64)) // position_encoding A3
    return emitOpError() << "a binary position has no angles";
  if (isBinary)
    return success();
  if (!getBase()) // position_encoding A3
    return emitOpError() << "angles need a base";
  if (getKind() == PositionKind::Sinusoidal &&
      columns % 2 != 0) // position_encoding A4
    return emitOpError() << columns << " columns are no pairs of sine and "
                         << "cosine";
  double base = getBase()->convertToDouble();
  if (!(base >= 1 && base <= 1e300)) // position_encoding A5
    return emitOpError() << "base is from 1 to 1e+300, found " << base;
  return success();
}

LogicalResult LayerNormOp::verify() {
  for (Value operand : {getWeight(), getBias()}) {
    if (!operand)
      continue;
    auto type = cast<WeightType>(operand.getType());
    if (type.getShape().size() != 1 ||
        type.getColumns() != columnsOf(getX())) // layer_norm A1
      return emitOpError() << "weight and bias are vectors of x's "
                           << columnsOf(getX()) << " columns, found " << type;
  }
  return success();
}

LogicalResult QuantizeOp::verify() {
  RankedTensorType x = getX().getType(), result = getType();
  if (x.getShape() != result.getShape()) // quantize A1
    return emitOpError() << "rounding keeps the shape, found " << x << " to "
                         << result;
  if (result.getElementType().isF32()) // quantize A2
    return emitOpError() << "rounds to f16, bf16, q8b32 or x24b32, not to f32";
  if (auto record = dyn_cast<RowRecordInterface>(result.getElementType());
      record && columnsOf(getX()) % record.kBlock != 0) // quantize A4
    return emitOpError() << "rows of " << record.getName() << " are blocks of "
                         << record.kBlock << " columns, found "
                         << columnsOf(getX());
  return success();
}
