//===- KernelBody.cpp - bodies of products and row-wise kernels -----------===//
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
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// Rows of a weight that `rows16` keeps together, so that a tile's columns come
/// in multiples of it.
static constexpr int64_t kGroup = 16;

KernelBody::KernelBody(func::FuncOp source, func::FuncOp target,
                       OpBuilder &builder)
    : source(source), b(source.getLoc(), builder) {
  b.setInsertionPoint(builder.getInsertionBlock(), builder.getInsertionPoint());
  context = target.getArgument(0);
  layer = target.getArgument(1);
  begin = target.getArgument(2);
  end = target.getArgument(3);
  cut = source->getAttrOfType<CutAttr>(kCutAttr);
  if (auto cpu = source->getAttrOfType<CPUAttr>(kStrategyAttr)) {
    m = cpu.getM();
    n = cpu.getN();
  } else if (auto gpu = source->getAttrOfType<GPUAttr>(kStrategyAttr)) {
    m = gpu.getM();
    n = gpu.getN();
  }
  source.walk([&](Operation *op) {
    for (Value result : op->getResults())
      if (auto type = dyn_cast<RankedTensorType>(result.getType()))
        dynamicRows |= type.getRank() > 0 && type.isDynamicDim(0);
  });
}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

Value KernelBody::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}
Value KernelBody::add(Value x, Value y) {
  return arith::AddIOp::create(b, x, y);
}
Value KernelBody::sub(Value x, Value y) {
  return arith::SubIOp::create(b, x, y);
}
Value KernelBody::mul(Value x, Value y) {
  return arith::MulIOp::create(b, x, y);
}
Value KernelBody::minimum(Value x, Value y) {
  return arith::MinSIOp::create(b, x, y);
}
Value KernelBody::maximum(Value x, Value y) {
  return arith::MaxSIOp::create(b, x, y);
}
Value KernelBody::toIndex(Value i32) {
  return arith::IndexCastUIOp::create(b, b.getIndexType(), i32);
}

Value KernelBody::splat(float value, Type type) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(cast<VectorType>(type), APFloat(value)));
}

scf::ForOp KernelBody::loop(Value from, Value to, int64_t step,
                            function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(b, from, to, index(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
  return op;
}

Value KernelBody::layerIndex() { return toIndex(layer); }

Value KernelBody::rowCount() {
  return dynamicRows
             ? RowCountOp::create(b, b.getIndexType(), context).getResult()
             : index(1);
}

RankedTensorType KernelBody::capacityOf(FlatSymbolRefAttr slot) {
  auto declaration =
      SymbolTable::lookupNearestSymbolFrom<llama::SlotOp>(source, slot);
  return cast<RankedTensorType>(declaration.getType());
}

Value KernelBody::slotMemory(FlatSymbolRefAttr slot, int64_t at, int64_t rows,
                             int64_t columns) {
  return tile::SlotOp::create(b,
                              MemRefType::get({rows, columns}, b.getF32Type()),
                              context, slot, b.getI64IntegerAttr(at));
}

Value KernelBody::slotMemory(SlotReadOp read) {
  RankedTensorType type = capacityOf(read.getSlotAttr());
  return slotMemory(read.getSlotAttr(), *read.getAt(), type.getDimSize(0),
                    type.getDimSize(1));
}

Value KernelBody::weight(Value reference) {
  Value &made = weightsMade[reference];
  if (made)
    return made;
  auto ref = reference.getDefiningOp<WeightRefOp>();
  // At the top of the function: handles are pure and used in many loops.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(context);
  Value l = ref.getLayer() ? layerIndex() : Value();
  made = tile::WeightOp::create(b, ref.getType(), context, ref.getWeightAttr(),
                                l, *ref.getLayout(), ref.getIndexAttr());
  return made;
}

/// 1 / sqrt(mean(x^2) + eps) of a row, one element.
Value KernelBody::inverseRms(RmsNormOp norm, Value memory, Value row) {
  auto type = VectorType::get({1}, b.getF32Type());
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

FailureOr<KernelBody::Rows *> KernelBody::rowsOf(Value tensor) {
  if (auto it = rowsMade.find(tensor); it != rowsMade.end())
    return &it->second;
  Operation *op = tensor.getDefiningOp();
  auto type = cast<RankedTensorType>(tensor.getType());
  Rows made;
  if (auto read = dyn_cast<SlotReadOp>(op)) {
    RankedTensorType capacity = capacityOf(read.getSlotAttr());
    made.rows = SlotRowsOp::create(
        b,
        RowsType::get(b.getContext(), capacity.getDimSize(0),
                      capacity.getDimSize(1), b.getF32Type()),
        context, read.getSlotAttr(), read.getAtAttr());
    if (read.getRow())
      made.base = HeadRowOp::create(b, b.getIndexType(), context);
  } else if (auto norm = dyn_cast<RmsNormOp>(op)) {
    auto read = norm.getX().getDefiningOp<SlotReadOp>();
    if (!read || type.getDimSize(0) != 1)
      return norm.emitOpError() << "can be staged for a product where it "
                                   "normalises one row of a slot; run "
                                   "llama-fuse-kernels, which leaves others as "
                                   "kernels of their own";
    Value memory = slotMemory(read);
    Value row =
        read.getRow()
            ? HeadRowOp::create(b, b.getIndexType(), context).getResult()
            : index(0);
    Value inverse = inverseRms(norm, memory, row);
    auto stage = StageOp::create(
        b, RowsType::get(b.getContext(), 1, type.getDimSize(1), b.getF32Type()),
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
  } else if (auto merge = dyn_cast<AttentionMergeOp>(op)) {
    if (type.getDimSize(0) != 1)
      return merge.emitOpError() << "is staged for one row, found " << type;
    FailureOr<Value> row = mergedRow(merge);
    if (failed(row))
      return failure();
    made.rows = *row;
  } else {
    return op->emitOpError() << "gives no rows that a product can read; it "
                                "should be a kernel of its own";
  }
  return &(rowsMade[tensor] = made);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

FailureOr<Value> KernelBody::tileOf(Value tensor, const Position &at) {
  Operation *op = tensor.getDefiningOp();
  auto type = VectorType::get({at.m, at.n}, b.getF32Type());

  if (auto linear = dyn_cast<LinearOp>(op)) {
    FailureOr<Rows *> rows = rowsOf(linear.getX());
    if (failed(rows))
      return failure();
    Value row = (*rows)->base ? (*rows)->base : at.row;
    FormatInterface format =
        cast<WeightType>(linear.getWeight().getType()).getFormat();
    Value sums = format.hasMinimum()
                     ? (*rows)->sums.lookup(format.getScaleBlock())
                     : Value();
    Value panel = panels.lookup(linear);
    return ContractOp::create(b, type, (*rows)->rows, row,
                              panel ? panel : weight(linear.getWeight()),
                              panel ? index(0) : at.column, sums,
                              *linear.getOrder())
        .getResult();
  }
  if (auto read = dyn_cast<SlotReadOp>(op)) {
    Value row =
        read.getRow()
            ? HeadRowOp::create(b, b.getIndexType(), context).getResult()
            : at.row;
    Value rows = dynamicRows ? rowCount() : Value();
    return tile::LoadOp::create(b, type, slotMemory(read), row, at.column, rows,
                                Value())
        .getResult();
  }
  if (auto rope = dyn_cast<RopeOp>(op)) {
    FailureOr<Value> x = tileOf(rope.getX(), at);
    if (failed(x))
      return failure();
    int64_t head = cast<RankedTensorType>(tensor.getType()).getDimSize(1) /
                   static_cast<int64_t>(rope.getHeads());
    Value cosine =
        RopeRowOp::create(b, type, context, at.row, at.column, head, false);
    Value sine =
        RopeRowOp::create(b, type, context, at.row, at.column, head, true);
    Value swapped = SwapPairsOp::create(b, type, *x);
    Value turned = arith::MulFOp::create(b, *x, cosine);
    return math::FmaOp::create(b, swapped, sine, turned).getResult();
  }
  if (auto norm = dyn_cast<RmsNormOp>(op)) {
    FailureOr<Value> x = tileOf(norm.getX(), at);
    if (failed(x))
      return failure();
    Value inverse = inverses.lookup(norm);
    if (!inverse)
      return norm.emitOpError()
             << "is needed tile by tile in a kernel that is not row-wise";
    Value scaled = arith::MulFOp::create(
        b, *x, BroadcastRowsOp::create(b, type, inverse).getResult());
    Value gain =
        ColumnValuesOp::create(b, type, weight(norm.getWeight()), at.column);
    return arith::MulFOp::create(b, scaled, gain).getResult();
  }

  auto silu = [&](Value x) -> Value {
    Value e = math::ExpOp::create(b, arith::NegFOp::create(b, x));
    return arith::DivFOp::create(
        b, x, arith::AddFOp::create(b, e, splat(1.0f, type)));
  };
  if (isa<AddOp, MulOp, SwigluOp, SiluOp>(op)) {
    SmallVector<Value, 2> operands;
    for (Value operand : op->getOperands()) {
      FailureOr<Value> x = tileOf(operand, at);
      if (failed(x))
        return failure();
      operands.push_back(*x);
    }
    if (isa<AddOp>(op))
      return arith::AddFOp::create(b, operands[0], operands[1]).getResult();
    if (isa<MulOp>(op))
      return arith::MulFOp::create(b, operands[0], operands[1]).getResult();
    Value gated = silu(operands[0]);
    if (isa<SiluOp>(op))
      return gated;
    return arith::MulFOp::create(b, gated, operands[1]).getResult();
  }
  return op->emitOpError()
         << "has no body on a tile with this kernel's numerics; "
            "float32 activations have one for every op but quantize and argmax";
}

void KernelBody::store(const Sink &sink, Value tile, const Position &at) {
  if (auto write = dyn_cast<SlotWriteOp>(sink.op)) {
    RankedTensorType capacity = capacityOf(write.getSlotAttr());
    Value memory = slotMemory(write.getSlotAttr(), *write.getAt(),
                              capacity.getDimSize(0), capacity.getDimSize(1));
    tile::StoreOp::create(b, tile, memory, at.row, at.column,
                          dynamicRows ? rowCount() : Value(), Value());
    return;
  }
  auto append = cast<KVAppendOp>(sink.op);
  AppendOp::create(b, tile, cacheOf(append.getCache()), context, at.row,
                   at.column, rowCount(), sink.what);
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<KernelBody::Sink>> KernelBody::sinks() {
  SmallVector<Sink> found;
  for (Operation &op : source.getBody().front()) {
    if (auto write = dyn_cast<SlotWriteOp>(op)) {
      found.push_back({write, write.getValue(), "slot"});
    } else if (auto append = dyn_cast<KVAppendOp>(op)) {
      found.push_back({append, append.getKeys(), "keys"});
      found.push_back({append, append.getValues(), "values"});
    }
  }
  return found;
}

/// The products that a value is made of on a tile: what stands behind a staged
/// row belongs to the row.
void KernelBody::collectLinears(Value tensor,
                                SmallVectorImpl<LinearOp> &linears) {
  Operation *op = tensor.getDefiningOp();
  if (auto linear = dyn_cast_or_null<LinearOp>(op)) {
    if (!llvm::is_contained(linears, linear))
      linears.push_back(linear);
    return;
  }
  if (!isa_and_nonnull<RopeOp, AddOp, MulOp, SwigluOp, SiluOp>(op))
    return;
  for (Value operand : op->getOperands())
    collectLinears(operand, linears);
}

LogicalResult KernelBody::write() {
  Block &body = source.getBody().front();
  LogicalResult result = success();
  if (auto parts = body.getOps<AttentionPartOp>(); !parts.empty())
    result = writeAttentionPart(*parts.begin());
  else if (auto whole = body.getOps<AttentionOp>(); !whole.empty())
    result = writeAttention(*whole.begin());
  else if (!cut.getRows().empty())
    result = writeProducts();
  else
    result = writeRowWise();
  if (succeeded(result))
    func::ReturnOp::create(b);
  return result;
}

LogicalResult KernelBody::writeProducts() {
  FailureOr<SmallVector<Sink>> all = sinks();
  // Groups in the order of their first product, as the cut counts them.
  struct Group {
    SmallVector<LinearOp> linears;
    SmallVector<Sink> sinks;
  };
  SmallVector<Group> groups;
  for (auto linear : source.getBody().front().getOps<LinearOp>()) {
    if (llvm::any_of(groups, [&](Group &g) {
          return llvm::is_contained(g.linears, linear);
        }))
      continue;
    Group group;
    for (const Sink &sink : *all) {
      SmallVector<LinearOp> linears;
      collectLinears(sink.value, linears);
      if (!llvm::is_contained(linears, linear))
        continue;
      group.sinks.push_back(sink);
      for (LinearOp other : linears)
        if (!llvm::is_contained(group.linears, other))
          group.linears.push_back(other);
    }
    if (group.sinks.empty())
      return linear.emitOpError()
             << "leaves the kernel in no slot and no cache";
    groups.push_back(group);
  }
  if (groups.size() != cut.getRows().size())
    return source.emitOpError() << "is cut into " << cut.getRows().size()
                                << " groups of rows and has " << groups.size()
                                << " groups of products";

  // What is read as whole rows, once a call.
  for (Group &group : groups)
    for (LinearOp linear : group.linears) {
      FailureOr<Rows *> rows = rowsOf(linear.getX());
      if (failed(rows))
        return failure();
      auto type = cast<WeightType>(linear.getWeight().getType());
      weight(linear.getWeight());
      if (!type.getFormat().hasMinimum())
        continue;
      int64_t block = type.getFormat().getScaleBlock();
      Value &sums = (*rows)->sums[block];
      auto rowsType = cast<RowsType>((*rows)->rows.getType());
      if (!sums)
        sums = BlockSumsOp::create(
            b,
            MemRefType::get({rowsType.getRows(), rowsType.getColumns() / block},
                            b.getF32Type()),
            (*rows)->rows,
            (*rows)->base ? index(rowsType.getRows()) : rowCount(), block);
    }

  int64_t firstPart = 0;
  for (auto [group, rows] : llvm::zip(groups, cut.getRows())) {
    int64_t parts = llvm::divideCeil(rows, cut.getBy());
    if (failed(writeGroup(group.sinks, group.linears, rows, firstPart, parts)))
      return failure();
    firstPart += parts;
  }
  return success();
}

LogicalResult KernelBody::writeGroup(ArrayRef<Sink> sinks,
                                     ArrayRef<LinearOp> linears, int64_t rows,
                                     int64_t firstPart, int64_t parts) {
  LogicalResult result = success();
  auto writeTile = [&](const Position &at) {
    for (const Sink &sink : sinks) {
      FailureOr<Value> tile = tileOf(sink.value, at);
      if (failed(tile)) {
        result = failure();
        return;
      }
      store(sink, *tile, at);
    }
  };
  Value from = maximum(toIndex(begin), index(firstPart));
  Value to = minimum(toIndex(end), index(firstPart + parts));
  loop(from, to, 1, [&](Value part) {
    Value first = mul(sub(part, index(firstPart)), index(cut.getBy()));
    // Padding rows of the last group are zero in the image and never stored.
    Value last = minimum(add(first, index(cut.getBy())),
                         index(llvm::alignTo(rows, kGroup)));
    loop(first, last, n, [&](Value column) {
      if (!dynamicRows) {
        writeTile({index(0), column, 1, n});
        return;
      }
      panels.clear();
      for (LinearOp linear : linears) {
        auto type = cast<WeightType>(linear.getWeight().getType());
        panels[linear] =
            PanelOp::create(b,
                            PanelType::get(b.getContext(), n, type.getColumns(),
                                           type.getFormat(), b.getF32Type()),
                            weight(linear.getWeight()), column);
      }
      // The last tile computes m rows and stores those of the call: no fma of a
      // row depends on its tile.
      loop(index(0), rowCount(), m,
           [&](Value row) { writeTile({row, column, m, n}); });
      panels.clear();
    });
  });
  return result;
}

LogicalResult KernelBody::writeEmbed(EmbedOp embed, const Sink &sink) {
  auto type = cast<WeightType>(embed.getWeight().getType());
  auto write = cast<SlotWriteOp>(sink.op);
  RankedTensorType capacity = capacityOf(write.getSlotAttr());
  Value memory = slotMemory(write.getSlotAttr(), *write.getAt(),
                            capacity.getDimSize(0), capacity.getDimSize(1));
  Value table = weight(embed.getWeight());
  loop(toIndex(begin), toIndex(end), 1, [&](Value part) {
    Value first = mul(part, index(cut.getBy()));
    Value last = minimum(add(first, index(cut.getBy())), rowCount());
    loop(first, last, 1, [&](Value row) {
      Value token = TokenOp::create(b, b.getIndexType(), context, row);
      loop(index(0), index(type.getColumns()), 1, [&](Value column) {
        Value x = DecodeOp::create(b, b.getF32Type(), table, token, column);
        memref::StoreOp::create(b, x, memory, ValueRange{row, column});
      });
    });
  });
  return success();
}

LogicalResult KernelBody::writeRowWise() {
  FailureOr<SmallVector<Sink>> all = sinks();
  for (const Sink &sink : *all)
    if (auto embed = sink.value.getDefiningOp<EmbedOp>())
      return writeEmbed(embed, sink);

  LogicalResult result = success();
  loop(toIndex(begin), toIndex(end), 1, [&](Value part) {
    Value first = mul(part, index(cut.getBy()));
    Value last = minimum(add(first, index(cut.getBy())), rowCount());
    loop(first, last, 1, [&](Value row) {
      for (auto norm : source.getBody().front().getOps<RmsNormOp>()) {
        auto read = norm.getX().getDefiningOp<SlotReadOp>();
        if (!read) {
          result = norm.emitOpError()
                   << "normalises a value that is not in a slot";
          return;
        }
        inverses[norm] = inverseRms(norm, slotMemory(read), row);
      }
      for (const Sink &sink : *all) {
        int64_t columns =
            cast<RankedTensorType>(sink.value.getType()).getShape().back();
        loop(index(0), index(columns), kGroup, [&](Value column) {
          Position at{row, column, 1, kGroup};
          FailureOr<Value> tile = tileOf(sink.value, at);
          if (failed(tile)) {
            result = failure();
            return;
          }
          store(sink, *tile, at);
        });
      }
    });
  });
  return result;
}
