//===- TileToVector.cpp - tile becomes a CPU's vectors --------------------===//
//
// tile -> vector, for CPUs. Here: the pass, where things are in memory, and the
// ops that become one or two others. Rows and epilogues are in VectorRows.cpp,
// attention in VectorAttention.cpp, the loops over k in Units/.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/Passes.h"
#include "passes/CPU/UnitLowering.h"
#include "passes/CPU/VectorKernel.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace corellama::cpu {
#define GEN_PASS_DEF_TILETOVECTORCPU
#include "passes/CPU/Passes.h.inc"
} // namespace corellama::cpu

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

#include "passes/CPU/UnitLowering.cpp.inc"

VectorKernel::VectorKernel(func::FuncOp kernel, TargetAttr target)
    : IndexBuilder({kernel.getLoc(), kernel.getContext()}), target(target),
      // vpermps with a 512-bit table.
      tables(target.getVectorBits() >= 512), kernel(kernel) {}

//===----------------------------------------------------------------------===//
// Small things
//===----------------------------------------------------------------------===//

VectorType VectorKernel::floats(int64_t lanes) {
  return VectorType::get({lanes}, b.getF32Type());
}
Value VectorKernel::zeros(Type type) {
  return arith::ConstantOp::create(b, b.getZeroAttr(type));
}
Value VectorKernel::splat(Value scalar) {
  return vector::BroadcastOp::create(
      b, VectorType::get({kLanes}, scalar.getType()), scalar);
}
Value VectorKernel::fma(Value x, Value y, Value z) {
  return vector::FMAOp::create(b, x, y, z);
}

Value VectorKernel::loop(int64_t from, Value to, int64_t step, ValueRange init,
                         function_ref<Vec<Value>(Value, ValueRange)> body,
                         Vec<Value> *results) {
  auto op = scf::ForOp::create(b, index(from), to, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  Vec<Value> values = body(op.getInductionVar(), op.getRegionIterArgs());
  if (!init.empty())
    scf::YieldOp::create(b, values);
  if (results)
    results->assign(op.getResults().begin(), op.getResults().end());
  return init.empty() ? Value() : op.getResult(0);
}

Value VectorKernel::field(context::Field which) {
  Type type = context::isPointer(which)
                  ? Type(LLVM::LLVMPointerType::get(b.getContext()))
                  : Type(b.getIndexType());
  return context::FieldOp::create(b, type, context, which);
}

Value VectorKernel::view(Value pointer, Value byteOffset, Type type) {
  return context::ViewOp::create(b, type, pointer, byteOffset);
}

/// Scratch for the whole call; each op has memory of its own.
Value VectorKernel::allocate(MemRefType type) {
  int64_t at = scratchBytes;
  int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  scratchBytes = llvm::alignTo(scratchBytes + bytes, 64);
  return view(scratch, index(at), type);
}

MemRefType VectorKernel::memoryOf(tile::RowsType rows) {
  if (isa<llama::Q8B32Type>(rows.getElementType()))
    return MemRefType::get(
        {rows.getRows(), llama::Q8B32Type::getRowBytes(rows.getColumns())},
        b.getI8Type());
  return MemRefType::get({rows.getRows(), rows.getColumns()},
                         rows.getElementType());
}

Value VectorKernel::loadScalar(Value memory, ValueRange indices) {
  return memref::LoadOp::create(b, memory, indices);
}

SmallVector<Value> VectorKernel::unpack(Value tile) {
  Vec<Value> found;
  for (int64_t i = 0, e = cast<VectorType>(tile.getType()).getDimSize(0); i < e;
       ++i)
    found.push_back(vector::ExtractOp::create(b, tile, i));
  return found;
}

Value VectorKernel::pack(ArrayRef<Value> values, Type type) {
  Value packed = zeros(type);
  for (auto [i, value] : llvm::enumerate(values))
    packed =
        vector::InsertOp::create(b, value, packed, static_cast<int64_t>(i));
  return packed;
}

Value VectorKernel::chunk(Value vector, int64_t first) {
  if (cast<VectorType>(vector.getType()).getDimSize(0) == kLanes)
    return vector;
  return vector::ExtractStridedSliceOp::create(
      b, vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{kLanes},
      ArrayRef<int64_t>{1});
}

Value VectorKernel::joinChunks(ArrayRef<Value> chunks) {
  if (chunks.size() == 1)
    return chunks[0];
  auto element = cast<VectorType>(chunks[0].getType()).getElementType();
  Value joined = zeros(
      VectorType::get({static_cast<int64_t>(chunks.size()) * kLanes}, element));
  for (auto [i, value] : llvm::enumerate(chunks))
    joined = vector::InsertStridedSliceOp::create(
        b, value, joined, ArrayRef<int64_t>{static_cast<int64_t>(i) * kLanes},
        ArrayRef<int64_t>{1});
  return joined;
}

/// What a list of the context says of a row.
Value VectorKernel::integerOf(context::Field list, Value row) {
  Value memory = view(field(list), index(0),
                      MemRefType::get({ShapedType::kDynamic}, b.getI32Type()));
  return arith::IndexCastOp::create(b, b.getIndexType(),
                                    loadScalar(memory, {row}));
}

Value VectorKernel::positionOf(Value row) {
  return integerOf(context::Field::Positions, row);
}

Value VectorKernel::maskBelow(Value limit) {
  Value bounded = minimum(maximum(limit, index(0)), index(kLanes));
  return vector::CreateMaskOp::create(
      b, VectorType::get({kLanes}, b.getI1Type()), ValueRange{bounded});
}

//===----------------------------------------------------------------------===//
// The words
//===----------------------------------------------------------------------===//

/// The lowering of a unit, where the target has its instructions: LLVM would
/// abort on one that it lacks.
static FailureOr<UnitLoweringInterface>
findLowering(Operation *op, llama::ContractionUnitInterface unit,
             llama::TargetInterface target) {
  auto lowering = dyn_cast<UnitLoweringInterface>(unit);
  if (!lowering)
    return op->emitOpError()
           << "the unit " << unit << " has no lowering to a CPU's vectors";
  StringRef missing = llama::getMissingFeature(unit, target);
  if (!missing.empty())
    return op->emitOpError()
           << "the unit " << unit << " needs " << missing
           << ", which the target " << target.getName() << " lacks";
  return lowering;
}

LogicalResult VectorKernel::rewritePanel(tile::PanelOp op) {
  auto lowering = findLowering(op, op.getType().getUnit(), target);
  return failure(failed(lowering) || failed(lowering->lowerPanel(*this, op)));
}

LogicalResult VectorKernel::rewriteContract(tile::ContractOp op) {
  if (cast<VectorType>(op.getType()).getDimSize(1) != kLanes)
    return op.emitOpError()
           << "is a group of 16 rows of the weight on a CPU (n = 16), found "
           << op.getType();
  auto lowering = findLowering(op, op.getOrder().getUnit(), target);
  return failure(failed(lowering) ||
                 failed(lowering->lowerContract(*this, op)));
}

LogicalResult VectorKernel::rewriteOp(Operation *op) {
  b.setInsertionPoint(op);
  b.setLoc(op->getLoc());
  auto replace = [&](Value value) {
    op->getResult(0).replaceAllUsesWith(value);
  };
  auto dynamic = [&](Type element) {
    return MemRefType::get({ShapedType::kDynamic}, element);
  };

  LogicalResult result = success();
  llvm::TypeSwitch<Operation *>(op)
      .Case<tile::RowCountOp>(
          [&](auto) { replace(field(context::Field::Rows)); })
      .Case<tile::KeyCountOp>(
          [&](auto) { replace(field(context::Field::KeyCount)); })
      .Case<tile::PositionOp>(
          [&](tile::PositionOp o) { replace(positionOf(o.getRow())); })
      .Case<tile::TokenOp>([&](tile::TokenOp o) {
        replace(integerOf(context::Field::Tokens, o.getRow()));
      })
      .Case<tile::WantedRowOp>([&](tile::WantedRowOp o) {
        replace(integerOf(context::Field::Wanted, o.getRow()));
      })
      .Case<tile::BufferOp>([&](tile::BufferOp o) {
        replace(view(field(context::Field::Workspace), index(o.getAt()),
                     o.getType()));
      })
      .Case<tile::BufferRowsOp>([&](tile::BufferRowsOp o) {
        rows[o] = view(field(context::Field::Workspace), index(o.getAt()),
                       memoryOf(o.getType()));
      })
      .Case<tile::ScratchOp>([&](tile::ScratchOp o) {
        replace(allocate(cast<MemRefType>(o.getType())));
      })
      .Case<tile::WeightOp>([&](tile::WeightOp o) {
        Value table = view(field(context::Field::Offsets), index(0),
                           dynamic(b.getI64Type()));
        Value entry = index(o.getIndex());
        if (o.getLayer())
          entry = add(entry, o.getLayer());
        Value at = arith::IndexCastOp::create(b, b.getIndexType(),
                                              loadScalar(table, {entry}));
        auto type = cast<llama::WeightType>(o.getType());
        Type element = type.getShape().size() == 1 ? Type(b.getF32Type())
                                                   : Type(b.getI8Type());
        weights[o] = {
            view(field(context::Field::Weights), at, dynamic(element)), type};
        bool isVector = type.getShape().size() == 1;
        std::string why;
        auto layout = dyn_cast<llama::Interleaved16Attr>(o.getLayout());
        bool readable =
            isVector
                ? isa<llama::F32Attr>(type.getFormat())
                : layout &&
                      succeeded(layout.accepts(type.getFormat(), type.getRows(),
                                               type.getColumns(), why));
        if (!readable)
          result = o.emitOpError()
                   << "is read on a CPU as f32 where it is a vector and in the "
                      "format's interleaved16 where it is a matrix, found "
                   << type << " in " << o.getLayout();
      })
      .Case<tile::CacheOp>([&](tile::CacheOp o) {
        auto type = cast<llama::CacheType>(o.getType());
        int64_t size = type.getHeadSize();
        llama::KVCacheStrides keys = o.getKeys().getStrides(size),
                              values = o.getValues().getStrides(size);
        // Scores load a vector of positions, sums of values one of elements.
        if (keys.group != kLanes || values.group != 1 ||
            type.getElementType().isBF16())
          result = o.emitOpError() << "is read on a CPU with keys in "
                                      "keys_interleaved16, values in "
                                      "rowmajor and elements f32 or f16";
        caches[o] = {view(field(context::Field::Keys), index(0),
                          dynamic(type.getElementType())),
                     view(field(context::Field::Values), index(0),
                          dynamic(type.getElementType())),
                     mul(o.getLayer(), type.getHeads()),
                     field(context::Field::Capacity),
                     type,
                     keys,
                     values};
      })
      .Case<tile::SumOp>([&](tile::SumOp o) { rewriteSum(o); })
      .Case<tile::StageOp>([&](tile::StageOp o) { rewriteStage(o); })
      .Case<tile::RoundRowsOp>(
          [&](tile::RoundRowsOp o) { rewriteRoundRows(o); })
      .Case<tile::BlockSumsOp>(
          [&](tile::BlockSumsOp o) { rewriteBlockSums(o); })
      .Case<tile::PanelOp>([&](tile::PanelOp o) { result = rewritePanel(o); })
      .Case<tile::ContractOp>(
          [&](tile::ContractOp o) { result = rewriteContract(o); })
      .Case<tile::ScoreKeysOp>([&](tile::ScoreKeysOp o) { rewriteScores(o); })
      .Case<tile::SumValuesOp>(
          [&](tile::SumValuesOp o) { rewriteSumValues(o); })
      .Case<tile::LoadOp>([&](tile::LoadOp o) { rewriteLoad(o); })
      .Case<tile::StoreOp>([&](tile::StoreOp o) { rewriteStore(o); })
      .Case<tile::AppendOp>(
          [&](tile::AppendOp o) { result = rewriteAppend(o); })
      .Case<tile::RopeRowOp>([&](tile::RopeRowOp o) { rewriteRope(o); })
      .Case<tile::CausalMaskOp>([&](tile::CausalMaskOp o) { rewriteMask(o); })
      .Case<tile::ColumnValuesOp>(
          [&](tile::ColumnValuesOp o) { rewriteColumnValues(o); })
      .Case<tile::DecodeOp>([&](tile::DecodeOp o) {
        const Weight &weight = weights.find(o.getWeight())->second;
        GroupLoads loads(b, weight.memory, weight.type, tables);
        int64_t columns = weight.type.getColumns();
        int64_t n = cast<VectorType>(o.getType()).getDimSize(1);
        Vec<Value> values;
        for (int64_t j = 0; j < n; ++j) {
          Value column = add(o.getColumn(), index(j));
          // What is past the last column is not stored, so any value does.
          if (columns % n != 0)
            column = minimum(column, index(columns - 1));
          values.push_back(loads.value(o.getRow(), column));
        }
        replace(vector::FromElementsOp::create(b, o.getType(), values));
      })
      .Case<tile::SwapPairsOp>([&](tile::SwapPairsOp o) {
        Vec<Value> swapped;
        Vec<int64_t> pairs;
        for (int64_t j = 0, e = cast<VectorType>(o.getType()).getDimSize(1);
             j < e; ++j)
          pairs.push_back(j ^ 1);
        for (Value row : unpack(o.getSource()))
          swapped.push_back(vector::ShuffleOp::create(b, row, row, pairs));
        replace(pack(swapped, o.getType()));
      })
      .Case<tile::ReduceLanesOp>([&](tile::ReduceLanesOp o) {
        Vec<Value> reduced;
        for (Value row : unpack(o.getSource()))
          reduced.push_back(o.getKind() == "add" ? sumLanes(row)
                                                 : maxLanes(row));
        replace(vector::FromElementsOp::create(b, o.getType(), reduced));
      })
      .Case<tile::BroadcastRowsOp>([&](tile::BroadcastRowsOp o) {
        auto type = cast<VectorType>(o.getType());
        auto row = VectorType::get({type.getDimSize(1)}, type.getElementType());
        Vec<Value> spread;
        for (int64_t i = 0; i < type.getDimSize(0); ++i)
          spread.push_back(vector::BroadcastOp::create(
              b, row,
              vector::ExtractOp::create(b, o.getSource(), i).getResult()));
        replace(pack(spread, type));
      })
      .Default([&](Operation *other) {
        result = other->emitOpError() << "has no lowering to a CPU's vectors";
      });
  return result;
}

LogicalResult VectorKernel::rewrite() {
  // (context, layer, begin, end) -> (context, scratch, layer, begin, end)
  Block &entry = kernel.getBody().front();
  Type pointer = LLVM::LLVMPointerType::get(kernel.getContext());
  // The old context stays as an operand of tile ops until they are gone.
  context = entry.insertArgument(0u, pointer, kernel.getLoc());
  scratch = entry.insertArgument(1u, pointer, kernel.getLoc());

  Vec<Operation *> ops;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op->getDialect() && op->getDialect()->getNamespace() == "tile" &&
        !isa<tile::YieldOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    if (failed(rewriteOp(op)))
      return failure();
  for (Operation *op : llvm::reverse(ops))
    op->erase();
  entry.eraseArgument(2);
  kernel.setType(
      FunctionType::get(kernel.getContext(), entry.getArgumentTypes(), {}));
  kernel->setAttr(llama::kScratchAttr,
                  IntegerAttr::get(IntegerType::get(kernel.getContext(), 64),
                                   scratchBytes));
  return success();
}

namespace {
struct TileToVectorCPU : cpu::impl::TileToVectorCPUBase<TileToVectorCPU> {
  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(llama::kTargetAttr);
    if (!target) {
      getOperation()->emitError()
          << "has no llama.target of a CPU, which the driver stamps; a GPU's "
             "module goes on with backend=cuda";
      return signalPassFailure();
    }
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      if (kernel.isExternal() || kernel.getNumArguments() == 0 ||
          !isa<tile::ContextType>(kernel.getArgument(0).getType()))
        continue;
      if (failed(VectorKernel(kernel, target).rewrite()))
        return signalPassFailure();
    }
  }
};
} // namespace
