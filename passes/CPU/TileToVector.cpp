//===- TileToVector.cpp - the dialect conversion of tile on CPUs ----------===//
//
// tile -> vector, for CPUs. Here: the pass, the types that types of tile
// become, the plan of scratch, and the patterns of ops that give access to
// memory or that a unit lowers. Patterns of rows and epilogues are in
// VectorRows.cpp, those of attention in VectorAttention.cpp, the loops over k
// in Units/.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/Passes.h"
#include "passes/CPU/UnitLowering.h"
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

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static MemRefType dynamicMemory(Type element) {
  return MemRefType::get({ShapedType::kDynamic}, element);
}

static MemRefType memoryOf(MemRefType type) { return type; }
static MemRefType memoryOf(llama::WeightType type) {
  Builder b(type.getContext());
  bool isVector = type.getShape().size() == 1;
  return dynamicMemory(isVector ? Type(b.getF32Type()) : Type(b.getI8Type()));
}

/// Rows of float32, f16 or bf16 as they are, records as bytes. Staged rows of
/// floats are padded, so that a vector may be stored at any of their columns.
static MemRefType memoryOf(tile::RowsType rows, bool isStaged = false) {
  int64_t columns = rows.getColumns();
  Type element = rows.getElementType();
  if (auto record = dyn_cast<llama::RowRecordInterface>(element)) {
    columns = record.getRowBytes(columns);
    element = IntegerType::get(rows.getContext(), 8);
  } else if (isStaged) {
    columns = llvm::alignTo(columns, kLanes);
  }
  return MemRefType::get({rows.getRows(), columns}, element);
}

/// `!tile.context` becomes the pointer to the context and that to the worker's
/// scratch; rows and weights a memref; a cache keys, values and the number of
/// its layer's first head; a panel the memrefs that its unit decodes into.
static void addConversions(TypeConverter &types, TargetAttr target) {
  types.addConversion([](Type type) { return type; });
  types.addConversion(
      [](tile::ContextType type, SmallVectorImpl<Type> &results) {
        results.append(2, LLVM::LLVMPointerType::get(type.getContext()));
        return success();
      });
  types.addConversion([](llama::WeightType type) { return memoryOf(type); });
  types.addConversion(
      [](llama::CacheType type, SmallVectorImpl<Type> &results) {
        for (Type element : {type.getKeyType(), type.getValueType()})
          results.push_back(dynamicMemory(getCacheMemory(element)));
        results.push_back(IndexType::get(type.getContext()));
        return success();
      });
  types.addConversion(
      [target](tile::PanelType type, SmallVectorImpl<Type> &results) {
        auto unit = cast<PanelLoweringInterface>(type.getUnit());
        llvm::append_range(results, unit.getPanelTypes(type, target));
        return success();
      });
  // By value: the type does not say whether rows are staged.
  types.addConversion([](Value value) -> std::optional<Type> {
    if (auto rows = dyn_cast<tile::RowsType>(value.getType()))
      return memoryOf(rows, value.getDefiningOp<tile::StageOp>() != nullptr);
    return std::nullopt;
  });
}

//===----------------------------------------------------------------------===//
// Scratch
//===----------------------------------------------------------------------===//

int64_t ScratchPlan::place(func::FuncOp kernel, const TypeConverter &types) {
  int64_t bytes = 0;
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    SmallVector<Type> needed;
    if (auto contract = dyn_cast<tile::ContractOp>(op))
      needed = cast<UnitLoweringInterface>(contract.getOrder().getUnit())
                   .getScratchTypes(contract);
    else if (op->getNumResults() == 1 &&
             isa_and_nonnull<tile::TileDialect>(op->getDialect()) &&
             hasEffect<MemoryEffects::Allocate>(op, op->getResult(0)))
      (void)types.convertType(op->getResult(0), needed);
    for (Type type : needed) {
      auto memory = cast<MemRefType>(type);
      places[op].push_back({bytes, memory});
      bytes += memory.getNumElements() * memory.getElementTypeBitWidth() / 8;
      bytes = llvm::alignTo(bytes, 64); // a vector of 512 bits
    }
  });
  return bytes;
}

Values ScratchPlan::memoryOf(VectorBuilder &b, Operation *op) const {
  // The function's signature has been converted: patterns run top down.
  Value scratch = op->getParentOfType<func::FuncOp>().getArgument(1);
  Values memory;
  for (const Place &place : places.lookup(op))
    memory.push_back(b.view(scratch, place.offset, place.type));
  return memory;
}

//===----------------------------------------------------------------------===//
// What a CPU does not have
//===----------------------------------------------------------------------===//

/// A unit needs a lowering, and the target its instructions: LLVM would abort
/// on one that it lacks.
static LogicalResult verifyUnit(Operation *op,
                                llama::ContractionUnitInterface unit,
                                llama::TargetInterface target) {
  if (!isa<UnitLoweringInterface>(unit))
    return op->emitOpError()
           << "the unit " << unit << " has no lowering to a CPU's vectors";
  StringRef missing = llama::getMissingFeature(unit, target);
  if (!missing.empty())
    return op->emitOpError()
           << "the unit " << unit << " needs " << missing
           << ", which the target " << target.getName() << " lacks";
  return success();
}

static LogicalResult verify(tile::WeightOp op, TargetAttr) {
  auto type = cast<llama::WeightType>(op.getType());
  auto layout = dyn_cast<llama::Interleaved16Attr>(op.getLayout());
  std::string why;
  bool isReadable =
      type.getShape().size() == 1
          ? isa<llama::F32Attr>(type.getFormat())
          : layout && succeeded(layout.accepts(type.getFormat(), type.getRows(),
                                               type.getColumns(), why));
  if (isReadable)
    return success();
  return op.emitOpError()
         << "is read on a CPU as f32 where it is a vector and in the "
            "format's interleaved16 where it is a matrix, found "
         << type << " in " << op.getLayout();
}

/// Scores load a vector of positions, sums of values one of elements.
static LogicalResult verify(tile::CacheOp op, TargetAttr) {
  auto type = cast<llama::CacheType>(op.getType());
  int64_t size = type.getHeadSize();
  if (op.getKeys().getStrides(size, type.getKeyType()).group == kLanes &&
      op.getValues().getStrides(size, type.getValueType()).group == 1)
    return success();
  return op.emitOpError() << "is read on a CPU with keys in "
                             "keys_interleaved16 and values in rowmajor";
}

/// Keys, or values, of which lanes share the elements: a GPU's.
template <typename OpT>
  requires std::is_same_v<OpT, tile::ScoreKeysOp> ||
           std::is_same_v<OpT, tile::SumValuesOp>
static LogicalResult verify(OpT op, TargetAttr) {
  if (!op.getOrder())
    return success();
  return op.emitOpError() << "has no lanes that share keys on a CPU, found "
                          << op.getOrderAttr();
}

/// Rows are summed as prologues of all forms do: in the lanes of one vector.
static LogicalResult verify(tile::SumOp op, TargetAttr) {
  if (op.getOrder().getLanes() == kLanes)
    return success();
  return op.emitOpError() << "is summed in " << kLanes
                          << " lanes on a CPU, found " << op.getOrder();
}

static LogicalResult verify(tile::ReduceLanesOp op, TargetAttr) {
  VectorType tile = op.getSource().getType();
  if (tile.getDimSize(1) % kLanes == 0)
    return success();
  return op.emitOpError() << "reduces rows of whole vectors of " << kLanes
                          << " on a CPU, found " << tile;
}

static LogicalResult verify(tile::PanelOp op, TargetAttr target) {
  llama::ContractionUnitInterface unit = op.getType().getUnit();
  if (failed(verifyUnit(op, unit, target)))
    return failure();
  if (!isa<PanelLoweringInterface>(unit))
    return op.emitOpError() << "the unit " << unit
                            << " multiplies numbers where they stand and has "
                               "no panels; multiply by the weight";
  return success();
}

static LogicalResult verify(tile::ContractOp op, TargetAttr target) {
  int64_t n = cast<VectorType>(op.getType()).getDimSize(1);
  auto panel = dyn_cast<tile::PanelType>(op.getWeight().getType());
  if (n % kLanes != 0 || (panel && n != panel.getRows()))
    return op.emitOpError() << "is groups of 16 rows of a weight on a CPU, all "
                               "those of a panel, "
                               "found "
                            << op.getType();
  auto weight = dyn_cast<llama::WeightType>(op.getWeight().getType());
  if (weight && n != kLanes && weight.getRows() % n != 0)
    return op.emitOpError() << "reads " << n << " rows at once of a weight of "
                            << weight.getRows()
                            << ", past its last group; n divides the rows, or "
                               "is 16";
  return verifyUnit(op, op.getOrder().getUnit(), target);
}

/// Before the conversion, so that no pattern fails and the message is the only
/// one.
static LogicalResult verify(func::FuncOp kernel, TargetAttr target) {
  WalkResult walk = kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    return WalkResult(
        llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case<tile::ScoreKeysOp, tile::SumValuesOp, tile::WeightOp,
                  tile::CacheOp, tile::PanelOp, tile::ContractOp, tile::SumOp,
                  tile::ReduceLanesOp>(
                [&](auto o) { return verify(o, target); })
            .Default(success()));
  });
  return failure(walk.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// Access to memory
//===----------------------------------------------------------------------===//

int64_t cpu::prefetchOf(Operation *op) {
  auto strategy =
      op->getParentOfType<func::FuncOp>()->getAttrOfType<StrategyAttr>(
          llama::kStrategyAttr);
  return strategy ? strategy.getPrefetch() : 0;
}

namespace {

TargetAttr targetOf(Operation *op) {
  return op->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>(
      llama::kTargetAttr);
}

/// A number of the context.
template <typename OpT, context::Field field>
Values lowerField(VectorBuilder &b, OpT, Ranges<OpT> in) {
  return {b.field(in.getCtx()[0], field)};
}

/// An element of a list of the context: of its positions and tokens, one for
/// each row, or of its wanted rows.
template <typename OpT, context::Field field>
Values lowerOfRow(VectorBuilder &b, OpT, Ranges<OpT> in) {
  return {b.loadIndex(in.getCtx()[0], field, in.getRow()[0])};
}

/// tile.buffer and tile.buffer_rows.
template <typename OpT>
Values lowerBuffer(VectorBuilder &b, OpT op, Ranges<OpT> in) {
  Value workspace = b.field(in.getCtx()[0], context::Field::Workspace);
  return {b.view(workspace, op.getAt(), memoryOf(op.getType()))};
}

Values lowerScratch(VectorBuilder &, tile::ScratchOp, tile::ScratchOp::Adaptor,
                    ValueRange memory) {
  return memory;
}

Values lowerWeight(VectorBuilder &b, tile::WeightOp op,
                   Ranges<tile::WeightOp> in) {
  Value context = in.getCtx()[0];
  Value offsets = b.table(context, context::Field::Offsets, b.getI64Type());
  Value entry = b.index(op.getIndex());
  if (op.getLayer())
    entry = b.add(entry, in.getLayer()[0]);
  Value at = arith::IndexCastOp::create(b, b.getIndexType(),
                                        b.loadScalar(offsets, entry));
  Value weights = b.field(context, context::Field::Weights);
  return {b.view(weights, at, memoryOf(op.getType()))};
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

Values lowerPanel(VectorBuilder &b, tile::PanelOp op, tile::PanelOp::Adaptor in,
                  ValueRange memory) {
  cast<PanelLoweringInterface>(op.getType().getUnit())
      .lowerPanel(b, op, in, memory, targetOf(op));
  return memory;
}

Values lowerContract(VectorBuilder &b, tile::ContractOp op,
                     Ranges<tile::ContractOp> in, ValueRange memory) {
  return {cast<UnitLoweringInterface>(op.getOrder().getUnit())
              .lowerContract(b, op, in, memory, targetOf(op))};
}

Values lowerDecode(VectorBuilder &b, tile::DecodeOp op,
                   tile::DecodeOp::Adaptor in) {
  auto type = cast<llama::WeightType>(op.getWeight().getType());
  GroupLoads loads(b, in.getWeight(), type, hasTables(targetOf(op)));
  int64_t columns = type.getColumns();
  int64_t n = cast<VectorType>(op.getType()).getDimSize(1);
  Values values;
  for (int64_t j = 0; j < n; ++j) {
    Value column = b.add(in.getColumn(), j);
    // What is past the last column is not stored, so any value does.
    if (columns % n != 0)
      column = b.minimum(column, columns - 1);
    values.push_back(loads.value(in.getRow(), column));
  }
  return {vector::FromElementsOp::create(b, op.getType(), values)};
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

struct TileToVectorCPU : cpu::impl::TileToVectorCPUBase<TileToVectorCPU> {
  void runOnOperation() override {
    auto target = getOperation()->getAttrOfType<TargetAttr>(llama::kTargetAttr);
    if (!target) {
      getOperation()->emitError()
          << "has no llama.target of a CPU, which the driver stamps; a GPU's "
             "module goes on with backend=cuda";
      return signalPassFailure();
    }
    TypeConverter types;
    addConversions(types, target);
    ScratchPlan scratch;
    SmallVector<Operation *> kernels;
    for (auto kernel : getOperation().getOps<func::FuncOp>()) {
      if (kernel.isExternal() || kernel.getNumArguments() == 0 ||
          !isa<tile::ContextType>(kernel.getArgument(0).getType()))
        continue;
      if (failed(verify(kernel, target)))
        return signalPassFailure();
      kernel->setAttr(llama::kScratchAttr,
                      Builder(&getContext())
                          .getI64IntegerAttr(scratch.place(kernel, types)));
      kernels.push_back(kernel);
    }

    ConversionTarget legal(getContext());
    legal.addLegalDialect<CPUDialect, context::ContextDialect, amx::AMXDialect,
                          arith::ArithDialect, math::MathDialect,
                          memref::MemRefDialect, scf::SCFDialect,
                          vector::VectorDialect>();
    legal.addIllegalDialect<tile::TileDialect>();
    legal.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return types.isSignatureLegal(op.getFunctionType());
    });
    RewritePatternSet patterns(&getContext());
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   types);
    addPatterns<lowerField<tile::RowCountOp, context::Field::Rows>,
                lowerField<tile::KeyCountOp, context::Field::KeyCount>,

                lowerOfRow<tile::PositionOp, context::Field::Positions>,
                lowerOfRow<tile::TokenOp, context::Field::Tokens>,
                lowerOfRow<tile::WantedRowOp, context::Field::Wanted>,
                lowerBuffer<tile::BufferOp>, lowerBuffer<tile::BufferRowsOp>,
                lowerScratch, lowerWeight, lowerPanel, lowerContract,
                lowerDecode>(patterns, types, scratch);
    populateRowPatterns(patterns, types, scratch);
    populateAttentionPatterns(patterns, types, scratch);
    if (failed(applyPartialConversion(kernels, legal, std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
