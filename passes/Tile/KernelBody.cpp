//===- KernelBody.cpp - what bodies are made of ---------------------------===//
//
// schedule -> tile, one kernel. A kernel is read from its sinks (what leaves
// it) back to its sources: what is needed as whole rows is staged once a call,
// everything else is arithmetic on a tile. So any graph of products and
// elementwise ops that `fuse` gathers has a body; no role or name is asked for.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/KernelBody.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

KernelBody::KernelBody(func::FuncOp source, func::FuncOp target,
                       OpBuilder &builder)
    : IndexBuilder({source.getLoc(), builder}), source(source) {
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  context = target.getArgument(0);
  layer = target.getArgument(1);
  begin = target.getArgument(2);
  end = target.getArgument(3);
  partition = source->getAttrOfType<PartitionAttr>(kPartitionAttr);
  strategy = source->getAttrOfType<StrategyInterface>(kStrategyAttr);
  m = strategy.getM();
  n = strategy.getN();
  source.walk([&](Operation *op) {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        dynamicRows |= type.getRank() > 0 && type.isDynamicDim(0);
  });
  if (dynamicRows)
    rowBound = getRowBound(source);
}

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

Value KernelBody::toIndex(Value i32) {
  return arith::IndexCastUIOp::create(b, b.getIndexType(), i32);
}

Value KernelBody::splat(float value, Type type) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(cast<VectorType>(type), APFloat(value)));
}

/// The parts that the call is for.
void KernelBody::loopOverParts(function_ref<void(Value)> body) {
  Value from = toIndex(begin);
  Value to = toIndex(end);
  loop(from, to, 1, body);
}

/// Iterations that write nothing that another one reads or writes.
void KernelBody::parallelLoop(int64_t count, function_ref<void(Value)> body) {
  Value from = index(0);
  Value to = index(count);
  Value step = index(1);
  auto op = scf::ParallelOp::create(b, from, to, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVars()[0]);
}

/// The layer that an op names: a constant, or the layer of the call.
Value KernelBody::layerIndex(Value given) {
  llvm::APInt constant;
  if (matchPattern(given, m_ConstantInt(&constant)))
    return index(constant.getSExtValue());
  return toIndex(layer);
}

Value KernelBody::rowCount() {
  return dynamicRows
             ? RowCountOp::create(b, b.getIndexType(), context).getResult()
             : index(1);
}

/// Whether all rows of a call are one tile, so that each tile of a weight is
/// read once.
bool KernelBody::isOneTile() const { return rowBound <= m; }

/// The most rows that are staged once a call: staging is unrolled row by row,
/// and all of them have to fit into a worker's scratch. Tables of strategies
/// have tiles of at most 8 rows where rows are staged so.
static constexpr int64_t kMostStaged = 16;

/// Rows that are staged for a product, made by `op` from `read`: all of a call,
/// in whole tiles.
FailureOr<int64_t> KernelBody::stagedRows(Operation *op,
                                          BufferReadOp read) const {
  if (rowBound > kMostStaged)
    return op->emitOpError()
           << "can be staged for a product where a call has at most "
           << kMostStaged
           << " rows; run llama-fuse-kernels, which leaves it as a kernel of "
              "its own where there are more";
  if (!read || (read.getRows() && dynamicRows))
    return op->emitOpError()
           << "can be staged for a product where its rows lie side by side in "
              "a buffer; run llama-fuse-kernels, which leaves others as "
              "kernels of their own";
  return dynamicRows ? llvm::alignTo(rowBound, m) : 1;
}

RankedTensorType KernelBody::capacityOf(FlatSymbolRefAttr buffer) {
  auto declaration =
      SymbolTable::lookupNearestSymbolFrom<llama::BufferOp>(source, buffer);
  return cast<RankedTensorType>(declaration.getType());
}

/// A buffer as rows x columns; with `heads`, row r * heads + h is head h of row
/// r.
Value KernelBody::bufferMemory(FlatSymbolRefAttr buffer, IntegerAttr at,
                               int64_t heads) {
  RankedTensorType type = capacityOf(buffer);
  int64_t rows = type.getDimSize(0) * heads;
  auto memory = MemRefType::get({rows, type.getNumElements() / rows},
                                type.getElementType());
  return tile::BufferOp::create(b, memory, context, buffer, at);
}

Value KernelBody::bufferMemory(BufferReadOp read) {
  return bufferMemory(read.getBufferAttr(), read.getAtAttr());
}

/// The row of the buffer that stands for row `row` of the call; without one,
/// for its first.
Value KernelBody::rowIn(BufferReadOp read, Value row) {
  Value first = row ? row : index(0);
  if (!read.getRows())
    return first;
  return WantedRowOp::create(b, b.getIndexType(), context, first);
}

Value KernelBody::weight(Value reference) {
  Value &made = weightsMade[reference];
  if (made)
    return made;
  auto ref = reference.getDefiningOp<WeightRefOp>();
  // At the top of the function: handles are pure and used in many loops.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(context);
  Value l = ref.getLayer() ? layerIndex(ref.getLayer()) : Value();
  made = tile::WeightOp::create(b, ref.getType(), context, ref.getWeightAttr(),
                                l, ref.getLayoutAttr(), ref.getIndexAttr());
  return made;
}

/// 1 / sqrt(mean(x^2) + eps) of `count` rows, one element each.
Value KernelBody::inverseRms(RmsNormOp norm, Value memory, Value row,
                             int64_t count) {
  auto type = VectorType::get({count}, b.getF32Type());
  int64_t columns = cast<MemRefType>(memory.getType()).getDimSize(1);
  auto sum = SumOp::create(b, type, memory, row, norm.getOrderAttr());
  {
    OpBuilder::InsertionGuard guard(b);
    Block *body =
        b.createBlock(&sum.getBody(), {}, {b.getF32Type()}, {b.getLoc()});
    Value x = body->getArgument(0);
    tile::YieldOp::create(b, arith::MulFOp::create(b, x, x));
  }
  Value mean = arith::MulFOp::create(
      b, sum, splat(1.0f / static_cast<float>(columns), type));
  float eps = static_cast<float>(norm.getEps().convertToDouble());
  Value root =
      math::SqrtOp::create(b, arith::AddFOp::create(b, mean, splat(eps, type)));
  return arith::DivFOp::create(b, splat(1.0f, type), root);
}

//===----------------------------------------------------------------------===//
// Whole rows
//===----------------------------------------------------------------------===//

/// `count` rows of memory from `row` on, staged for a product, and rounded to
/// the element's type.
Value KernelBody::stageRows(Value memory, Value row, int64_t count,
                            Type element) {
  Type f32 = b.getF32Type();
  int64_t columns = cast<MemRefType>(memory.getType()).getDimSize(1);
  auto stage =
      StageOp::create(b, RowsType::get(b.getContext(), count, columns, element),
                      memory, row, 1, ValueRange{}, ValueRange{});
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&stage.getBody(), {}, {f32}, {b.getLoc()});
  tile::YieldOp::create(b, body->getArgument(0));
  return stage;
}

Value KernelBody::bufferRows(FlatSymbolRefAttr buffer, IntegerAttr at) {
  RankedTensorType capacity = capacityOf(buffer);
  return BufferRowsOp::create(
      b,
      RowsType::get(b.getContext(), capacity.getDimSize(0),
                    capacity.getDimSize(1), capacity.getElementType()),
      context, buffer, at);
}

/// q8b32 or x24b32: values are rounded by blocks.
static bool isRecord(Type tensor) {
  return isa<RowRecordInterface>(
      cast<RankedTensorType>(tensor).getElementType());
}
/// f16 or bf16: each value is rounded alone.
static bool isHalf(Type tensor) {
  return getElementTypeOrSelf(tensor).isF16() ||
         getElementTypeOrSelf(tensor).isBF16();
}

KernelBody::Rows *KernelBody::rowsOf(Value tensor) {
  if (auto it = rowsMade.find(tensor); it != rowsMade.end())
    return &it->second;
  Operation *op = tensor.getDefiningOp();
  auto type = cast<RankedTensorType>(tensor.getType());
  Type element = type.getElementType();
  // Few rows are rounded as they are staged.
  bool isRounded = isa<QuantizeOp>(op) && (isRecord(type) || element.isBF16());
  if (isRounded)
    op = cast<QuantizeOp>(op).getX().getDefiningOp();
  Rows made;
  if (auto read = dyn_cast<BufferReadOp>(op)) {
    if (isRounded) {
      FailureOr<int64_t> count = stagedRows(read, read);
      if (failed(count))
        return {};
      Value memory = bufferMemory(read);
      Value row = rowIn(read);
      made.rows = stageRows(memory, row, *count, element);
    } else {
      made.rows = bufferRows(read.getBufferAttr(), read.getAtAttr());
      made.wanted = static_cast<bool>(read.getRows());
    }
  } else if (auto norm = dyn_cast<RmsNormOp>(op); norm && !norm.getHeads()) {
    auto read = norm.getX().getDefiningOp<BufferReadOp>();
    FailureOr<int64_t> count = stagedRows(norm, read);
    if (failed(count))
      return {};
    Value memory = bufferMemory(read);
    Value row = rowIn(read);
    Value inverse = inverseRms(norm, memory, row, *count);
    auto stage = StageOp::create(
        b, RowsType::get(b.getContext(), *count, type.getDimSize(1), element),
        memory, row, 1, ValueRange{inverse},
        ValueRange{weight(norm.getWeight())});
    OpBuilder::InsertionGuard guard(b);
    Type f32 = b.getF32Type();
    Block *body = b.createBlock(&stage.getBody(), {}, {f32, f32, f32},
                                SmallVector<Location>(3, b.getLoc()));
    Value scaled =
        arith::MulFOp::create(b, body->getArgument(0), body->getArgument(1));
    tile::YieldOp::create(
        b, arith::MulFOp::create(b, scaled, body->getArgument(2)));
    made.rows = stage;
  } else if (auto norm = dyn_cast<LayerNormOp>(op)) {
    made.rows = stageNormed(norm, element);
    if (!made.rows)
      return {};
  } else if (auto merge = dyn_cast<AttentionMergeOp>(op)) {
    Value rows = mergeHeads(merge);
    if (!rows)
      return {};
    int64_t count = cast<MemRefType>(rows.getType()).getDimSize(0);
    made.rows = stageRows(rows, index(0), count, element);
  } else {
    op->emitOpError() << "gives no rows that a product can read; it "
                         "should be a kernel of its own";
    return {};
  }
  return &(rowsMade[tensor] = made);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

Value KernelBody::tileOf(Value tensor, const Position &at) {
  Operation *op = tensor.getDefiningOp();
  auto type = VectorType::get({at.m, at.n}, b.getF32Type());

  if (auto linear = dyn_cast<LinearOp>(op)) {
    Rows *rows = rowsOf(linear.getX());
    if (!rows)
      return {};
    Value row = at.row;
    if (rows->wanted) {
      if (at.m != 1) {
        linear.emitOpError() << "reads the wanted rows in tiles of " << at.m
                             << ", which they do not fill side by side; run "
                                "llama-fuse-kernels, which gathers them";
        return {};
      }
      row = WantedRowOp::create(b, b.getIndexType(), context, row);
    }
    FormatInterface format =
        cast<WeightType>(linear.getWeight().getType()).getFormat();
    Value sums = format.hasMinimum() ? rows->sums.lookup(format.getScaleBlock())
                                     : Value();
    Value panel = panels.lookup(linear);
    Value operand = panel ? panel : weight(linear.getWeight());
    Value column = panel ? index(0) : at.column;
    return ContractOp::create(b, type, rows->rows, row, operand, column, sums,
                              linear.getOrderAttr());
  }
  if (auto read = dyn_cast<BufferReadOp>(op)) {
    if (read.getRows() && at.m != 1) {
      read.emitOpError() << "gives the wanted rows in tiles of " << at.m
                         << ", which they do not fill side by side; run "
                            "llama-fuse-kernels, which gathers them";
      return {};
    }
    // A tile's last rows may lie behind the call's. A wanted row, read alone,
    // does not.
    Value rows = dynamicRows && !read.getRows() ? rowCount() : Value();
    Value memory = bufferMemory(read);
    Value row = rowIn(read, at.row);
    return tile::LoadOp::create(b, type, memory, row, at.column, rows, Value());
  }
  if (op->hasTrait<IsElementwise>()) {
    // Positions and weights are operands too; the op asks for them.
    SmallVector<Value, 2> tiles;
    for (Value operand : op->getOperands())
      if (auto rows = dyn_cast<RankedTensorType>(operand.getType());
          rows && rows.getRank() == 2) {
        tiles.push_back(tileOf(operand, at));
        if (!tiles.back())
          return {};
      }
    return elementwiseOn(op, tiles, at);
  }
  if (auto merge = merged.lookup(op))
    return tile::LoadOp::create(b, type, merge, at.row, at.column, Value(),
                                Value())
        .getResult();
  if (auto heads = normedHeads.lookup(op))
    return tile::LoadOp::create(b, type, heads, index(0), at.column, Value(),
                                Value())
        .getResult();
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    Value x = tileOf(norm.getX(), at);
    if (!x)
      return {};
    Value inverse = inverses.lookup(norm);
    if (!inverse) {
      norm.emitOpError()
          << "is needed tile by tile in a kernel that is not row-wise";
      return {};
    }
    Value scaled = arith::MulFOp::create(
        b, x, BroadcastRowsOp::create(b, type, inverse).getResult());
    Value gain =
        ColumnValuesOp::create(b, type, weight(norm.getWeight()), at.column);
    return arith::MulFOp::create(b, scaled, gain).getResult();
  }
  if (auto norm = dyn_cast<LayerNormOp>(op))
    return normedTile(norm, at);

  if (auto quantize = dyn_cast<QuantizeOp>(op);
      quantize &&
      (isHalf(quantize.getType()) || isRecord(quantize.getType()))) {
    Value x = tileOf(quantize.getX(), at);
    // A tile is no whole block: what is stored is rounded later.
    if (!x || isRecord(quantize.getType()))
      return x;
    auto halves =
        VectorType::get({at.m, at.n}, quantize.getType().getElementType());
    return arith::TruncFOp::create(b, halves, x).getResult();
  }
  op->emitOpError() << "is needed tile by tile, and has a body on whole rows "
                       "only; it should be a kernel of its own";
  return {};
}

void KernelBody::store(const Sink &sink, Value tile, const Position &at,
                       Value columns) {
  if (const Unrounded *to = findUnrounded(sink)) {
    Value row = sub(at.row, to->row);
    Value column = sub(at.column, to->column);
    Value rowLimit = dynamicRows ? sub(rowCount(), to->row) : Value();
    Value limit = columns ? sub(columns, to->column) : Value();
    tile::StoreOp::create(b, tile, to->memory, row, column, rowLimit, limit);
    return;
  }
  if (auto write = dyn_cast<BufferWriteOp>(sink.op)) {
    Value memory = bufferMemory(write.getBufferAttr(), write.getAtAttr());
    tile::StoreOp::create(b, tile, memory, at.row, at.column,
                          dynamicRows ? rowCount() : Value(), columns);
    return;
  }
  auto append = cast<KVAppendOp>(sink.op);
  Value cache = cacheOf(append.getCache(), append.getLayer());
  AppendOp::create(b, tile, cache, context, at.row, at.column, rowCount(),
                   sink.what);
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

SmallVector<KernelBody::Sink> KernelBody::sinks() {
  SmallVector<Sink> found;
  for (Operation &op : source.getBody().front()) {
    if (auto write = dyn_cast<BufferWriteOp>(op)) {
      found.push_back({write, write.getValue(), "buffer"});
    } else if (auto append = dyn_cast<KVAppendOp>(op)) {
      found.push_back({append, append.getKeys(), "keys"});
      found.push_back({append, append.getValues(), "values"});
    }
  }
  return found;
}

LogicalResult KernelBody::write() {
  Block &body = source.getBody().front();
  LogicalResult result = success();
  if (auto parts = body.getOps<AttentionPartOp>(); !parts.empty())
    result = writeAttentionPart(*parts.begin());
  else if (auto whole = body.getOps<AttentionOp>(); !whole.empty())
    result = writeAttention(*whole.begin());
  else if (!body.getOps<LinearOp>().empty())
    result = writeProducts();
  else
    result = writeRowWise();
  if (succeeded(result))
    func::ReturnOp::create(b);
  return result;
}
