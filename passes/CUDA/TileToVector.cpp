//===- TileToVector.cpp - tile becomes the code of a GPU's threads --------===//
//
// tile -> vector, for GPUs: the pass, and the walk over a kernel, which copies
// control flow and scalars and calls the file that lowers each op of tile. It
// writes a new function rather than rewriting the old one, because the type of
// every tile changes at once.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/Passes.h"
#include "passes/CUDA/UnitLowering.h"
#include "passes/Context/StepFunctions.h"
#include "llvm/ADT/TypeSwitch.h"

namespace corellama::cuda {
#define GEN_PASS_DEF_TILETOVECTORCUDA
#include "passes/CUDA/Passes.h.inc"
} // namespace corellama::cuda

using namespace mlir;
using namespace corellama;
using corellama::cuda::CUDAKernel;
using corellama::cuda::Fragment;
using corellama::cuda::LaunchDependentsOp;
using corellama::cuda::StrategyAttr;
using corellama::cuda::TargetAttr;
using corellama::cuda::UnitLoweringInterface;
using corellama::cuda::WaitPreviousOp;

#include "passes/CUDA/UnitLowering.cpp.inc"

CUDAKernel::CUDAKernel(func::FuncOp kernel)
    : IndexBuilder({kernel.getLoc(), kernel.getContext()}), source(kernel),
      strategy(kernel->getAttrOfType<StrategyAttr>(llama::kStrategyAttr)),
      threads(strategy ? strategy.getThreads() : 0), barriers(b) {}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Whether a value is spread over threads: a tile, and what has one value a row
/// where only some threads have elements of a row.
bool CUDAKernel::isSpread(Type type) const {
  auto vector = dyn_cast<VectorType>(type);
  return vector && (vector.getRank() == 2 || isa<MmaAttr>(strategy.getUnit()));
}

/// The new value. A constant tile is made at each use.
Value CUDAKernel::lookup(Value old) {
  auto constant = old.getDefiningOp<arith::ConstantOp>();
  if (!constant || !isSpread(old.getType()))
    return values.lookup(old);
  auto type = dyn_cast_or_null<VectorType>(typeOf(constant, old.getType()));
  auto splat = dyn_cast<SplatElementsAttr>(constant.getValue());
  if (!type || !splat)
    return {};
  return arith::ConstantOp::create(b, splat.resizeSplat(type));
}

SmallVector<Value> CUDAKernel::lookup(ValueRange old) {
  return llvm::map_to_vector(old, [&](Value value) { return lookup(value); });
}

void CUDAKernel::bind(ValueRange old, ValueRange made) {
  for (auto [key, value] : llvm::zip(old, made))
    values[key] = value;
}

Type CUDAKernel::typeOf(Operation *op, Type old) {
  if (!isSpread(old))
    return old;
  auto type = cast<VectorType>(old);
  if (type.getRank() == 1)
    return VectorType::get({kRowsOfThread}, type.getElementType());
  std::optional<Fragment> fragment = fragmentOf(op, old);
  if (!fragment)
    return {};
  return VectorType::get({fragment->size()}, type.getElementType());
}

FailureOr<SmallVector<Type>> CUDAKernel::resultTypesOf(Operation *op) {
  Vec<Type> types;
  for (Type old : op->getResultTypes()) {
    types.push_back(typeOf(op, old));
    if (!types.back())
      return failure();
  }
  return types;
}

/// An elementwise op, on fragments or on scalars.
LogicalResult CUDAKernel::writeElementwise(Operation *op) {
  Vec<Value> operands;
  for (Value old : op->getOperands()) {
    Value operand = lookup(old);
    Type type = typeOf(op, old.getType());
    if (!type)
      return failure();
    if (!operand || (isSpread(old.getType()) && operand.getType() != type))
      return op->emitOpError() << "uses a value that no thread has a share of";
    operands.push_back(operand);
  }
  FailureOr<Vec<Type>> types = resultTypesOf(op);
  if (failed(types))
    return failure();
  Operation *made = b.create(op->getLoc(), op->getName().getIdentifier(),
                             operands, *types, op->getAttrs());
  bind(op->getResults(), made->getResults());
  return success();
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

/// `upper` - `lower`, if it can be derived. A block has one part: `end` is
/// `begin` + 1.
static std::optional<int64_t> difference(Value upper, Value lower, Value begin,
                                         Value end) {
  auto argumentOf = [](Value value) {
    auto cast = value.getDefiningOp<arith::IndexCastUIOp>();
    return cast ? cast.getIn() : Value();
  };
  if (argumentOf(upper) == end && argumentOf(lower) == begin)
    return 1;
  std::optional<int64_t> high = getConstantIntValue(upper),
                         low = getConstantIntValue(lower);
  if (high && low)
    return *high - *low;
  if (auto sum = upper.getDefiningOp<arith::AddIOp>()) {
    if (sum.getLhs() == lower)
      return getConstantIntValue(sum.getRhs());
    if (sum.getRhs() == lower)
      return getConstantIntValue(sum.getLhs());
  }
  return std::nullopt;
}

/// `value` and, where it is a maximum (or minimum) of others, these as well:
/// all of them are lower (or upper) bounds of it.
template <typename JoinOp> static SmallVector<Value> boundsOf(Value value) {
  SmallVector<Value> bounds{value};
  for (size_t i = 0; i < bounds.size(); ++i)
    if (auto join = bounds[i].getDefiningOp<JoinOp>())
      llvm::append_values(bounds, join.getLhs(), join.getRhs());
  return bounds;
}

bool CUDAKernel::runsAtMostOnce(scf::ForOp op) {
  std::optional<int64_t> step = getConstantIntValue(op.getStep());
  if (!step)
    return false;
  for (Value lower : boundsOf<arith::MaxSIOp>(op.getLowerBound()))
    for (Value upper : boundsOf<arith::MinSIOp>(op.getUpperBound()))
      if (auto distance = difference(upper, lower, source.getArgument(2),
                                     source.getArgument(3));
          distance && *distance <= *step)
        return true;
  return false;
}

/// Writes the body of a region at the builder's place; returns the values that
/// it yields.
std::optional<SmallVector<Value>> CUDAKernel::writeBody(Block &body) {
  if (failed(writeBlock(body)))
    return std::nullopt;
  return lookup(body.getTerminator()->getOperands());
}

LogicalResult CUDAKernel::writeFor(scf::ForOp op) {
  Value from = lookup(op.getLowerBound()), to = lookup(op.getUpperBound());
  Vec<Value> init = lookup(op.getInitArgs());
  const bool hasKeys = attendsInTensorCores(op);
  bool failedBody = hasKeys && failed(copyKeys(op, from, to));
  auto body = [&](Value iv, ValueRange carried) -> Vec<Value> {
    values[op.getInductionVar()] = iv;
    bind(op.getRegionIterArgs(), carried);
    std::optional<Vec<Value>> yielded = writeBody(*op.getBody());
    failedBody |= !yielded;
    return yielded.value_or(Vec<Value>(carried));
  };
  Vec<Value> results;
  if (!runsAtMostOnce(op)) {
    std::optional<int64_t> step = getConstantIntValue(op.getStep());
    if (!step)
      return op.emitOpError() << "has no constant step";
    results = loop(from, to, *step, init, [&](Value iv, ValueRange carried) {
      if (hasKeys)
        tensorAttention.next = {op, add(iv, *step), to};
      failedBody |= failed(prefetchAhead(op, add(iv, *step), to));
      return body(iv, carried);
    });
  } else {
    // A loop of one trip is its body, under a condition if it may have none.
    std::optional<int64_t> distance =
        difference(op.getUpperBound(), op.getLowerBound(),
                   source.getArgument(2), source.getArgument(3));
    bool runs = distance && *distance > 0;
    results = branch(runs ? Value() : lessThan(from, to), init,
                     [&] { return body(from, init); });
  }
  bind(op.getResults(), results);
  return failure(failedBody);
}

LogicalResult CUDAKernel::writeIf(scf::IfOp op) {
  FailureOr<Vec<Type>> types = resultTypesOf(op);
  if (failed(types))
    return failure();
  bool hasElse = !op.getElseRegion().empty();
  auto made = scf::IfOp::create(b, *types, lookup(op.getCondition()), hasElse);
  OpBuilder::InsertionGuard guard(b);
  auto write = [&](Block &old) -> LogicalResult {
    std::optional<Vec<Value>> yielded = writeBody(old);
    if (yielded && !types->empty())
      scf::YieldOp::create(b, *yielded);
    return success(yielded.has_value());
  };
  b.setInsertionPointToStart(made.thenBlock());
  barriers.enterBranch();
  if (failed(write(*op.thenBlock())))
    return failure();
  barriers.enterElse();
  if (hasElse) {
    b.setInsertionPointToStart(made.elseBlock());
    if (failed(write(*op.elseBlock())))
      return failure();
  }
  barriers.leaveBranch();
  bind(op.getResults(), made.getResults());
  return success();
}

LogicalResult CUDAKernel::writeBlock(Block &old) {
  for (Operation &op : old) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    Location before = b.getLoc();
    b.setLoc(op.getLoc());
    if (failed(writeOp(&op)))
      return failure();
    b.setLoc(before);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The ops of tile
//===----------------------------------------------------------------------===//

LogicalResult CUDAKernel::write(tile::WeightOp op) {
  auto type = cast<llama::WeightType>(op.getType());
  bool isVector = type.getShape().size() == 1;
  llama::FormatInterface format = type.getFormat();
  if (isVector ? !isa<llama::F32Attr>(format)
               : !isa<llama::RowMajorSplitAttr>(op.getLayout()))
    return op.emitOpError()
           << "is read on a GPU as f32 where it is a vector and in "
              "rowmajor_split where it is a matrix, found "
           << type << " in " << op.getLayout();
  Value at = places.lookup(op);
  if (!at) {
    Value table = array(context::Field::Offsets, b.getI64Type());
    Value entry = index(op.getIndex());
    if (op.getLayer())
      entry = add(entry, lookup(op.getLayer()));
    at = arith::IndexCastOp::create(b, b.getIndexType(), load(table, {entry}));
    // A prefetch asks for it first, and no load is merged over the wait.
    if (b.getInsertionBlock() == wait->getBlock())
      places[op] = at;
  }
  Value pointer = field(context::Field::Weights);
  Type element = isVector ? Type(b.getF32Type()) : Type(b.getI8Type());
  weights[op] = {view(pointer, at, global({ShapedType::kDynamic}, element)),
                 type, pointer, at};
  return success();
}

LogicalResult CUDAKernel::write(tile::CacheOp op) {
  auto type = cast<llama::CacheType>(op.getType());
  Type keyType = type.getKeyType(), valueType = type.getValueType();
  int64_t size = type.getHeadSize();
  llama::KVCacheStrides keys = op.getKeys().getStrides(size, keyType),
                        rows = op.getValues().getStrides(size, valueType);
  auto isRead = llvm::IsaPred<Float32Type, Float16Type>;
  if (keys.group != 1 || rows.group != 1 || !isRead(keyType) ||
      !isRead(valueType))
    return op.emitOpError() << "is read on a GPU with keys and values in "
                               "rowmajor and elements f32 or f16";
  if (!op.getApart()) {
    caches[op] = {array(context::Field::Keys, keyType),
                  array(context::Field::Values, valueType),
                  mul(lookup(op.getLayer()), type.getHeads()),
                  op.getRegionHeads(),
                  type,
                  keys,
                  rows};
    return success();
  }
  // From where the layer's region begins; its heads are the first there.
  Value regions = array(context::Field::Regions, b.getI64Type());
  Value begin = arith::IndexCastOp::create(
      b, b.getIndexType(), load(regions, {lookup(op.getLayer())}));
  auto region = [&](context::Field which, Type element, int64_t perPosition) {
    int64_t bytes = perPosition * element.getIntOrFloatBitWidth() / 8;
    Value pointer = field(which), at = mul(begin, bytes);
    return view(pointer, at, global({ShapedType::kDynamic}, element));
  };
  Value keyMemory = region(context::Field::Keys, keyType, keys.perPosition);
  Value valueMemory =
      region(context::Field::Values, valueType, rows.perPosition);
  caches[op] = {keyMemory, valueMemory, index(0), op.getRegionHeads(),
                type,      keys,        rows};
  return success();
}

LogicalResult CUDAKernel::writeTileOp(Operation *op) {
  auto give = [&](FailureOr<Value> value) -> LogicalResult {
    if (succeeded(value))
      values[op->getResult(0)] = *value;
    return value;
  };
  auto onFragment = [&](auto o, Type tile) {
    std::optional<Fragment> fragment = fragmentOf(o, tile);
    decltype(write(o, *fragment)) result = failure();
    if (fragment)
      result = write(o, *fragment);
    return result;
  };
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tile::RowCountOp) { return give(field(context::Field::Rows)); })
      .Case([&](tile::KeyCountOp) {
        return give(field(context::Field::KeyCount));
      })
      .Case([&](tile::PositionOp o) {
        return give(positionOf(lookup(o.getRow())));
      })
      .Case([&](tile::TokenOp o) {
        return give(integerOf(context::Field::Tokens, lookup(o.getRow())));
      })
      .Case([&](tile::WantedRowOp o) {
        return give(integerOf(context::Field::Wanted, lookup(o.getRow())));
      })
      .Case([&](tile::BufferOp o) {
        auto type = cast<MemRefType>(o.getType());
        return give(view(field(context::Field::Workspace), o.getAt(),
                         global(type.getShape(), type.getElementType())));
      })
      .Case([&](tile::ScratchOp o) {
        auto type = cast<MemRefType>(o.getType());
        return give(allocate(type.getShape(), type.getElementType()));
      })
      .Case<tile::BufferRowsOp, tile::StageOp>([&](auto o) {
        write(o);
        return success();
      })
      .Case<tile::WeightOp, tile::CacheOp>([&](auto o) { return write(o); })
      .Case([&](tile::ContractOp o) -> LogicalResult {
        auto unit = dyn_cast<UnitLoweringInterface>(o.getOrder().getUnit());
        if (!unit)
          return o.emitOpError() << "the unit " << o.getOrder().getUnit()
                                 << " has no lowering to a GPU's threads";
        Value product = unit.lowerContract(*this, o);
        values[o] = product;
        return success(product != nullptr);
      })
      .Case<tile::SumOp, tile::CausalMaskOp>(
          [&](auto o) { return give(write(o)); })
      .Case<tile::ScoreKeysOp, tile::SumValuesOp, tile::LoadOp, tile::RopeRowOp,
            tile::ColumnValuesOp, tile::DecodeOp, tile::SwapPairsOp,
            tile::BroadcastRowsOp>(
          [&](auto o) { return give(onFragment(o, o.getType())); })
      .Case([&](tile::ReduceLanesOp o) {
        return give(onFragment(o, o.getSource().getType()));
      })
      .Case<tile::StoreOp, tile::AppendOp>(
          [&](auto o) { return onFragment(o, o.getValue().getType()); })
      .Default([](Operation *other) {
        return other->emitOpError() << "has no code for a GPU's threads";
      });
}

LogicalResult CUDAKernel::writeOp(Operation *op) {
  if (isa_and_nonnull<tile::TileDialect>(op->getDialect()))
    return writeTileOp(op);
  Value begin = source.getArgument(2), end = source.getArgument(3);
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](scf::ForOp o) { return writeFor(o); })
      .Case([&](scf::IfOp o) { return writeIf(o); })
      .Case([&](arith::ConstantOp o) -> LogicalResult {
        // A tile's constant is made at its uses.
        if (!isSpread(o.getType()))
          values[o] = b.clone(*op)->getResult(0);
        return success();
      })
      .Case([&](arith::IndexCastUIOp o) -> LogicalResult {
        if (o.getIn() != begin && o.getIn() != end)
          return writeElementwise(o);
        values[o] = o.getIn() == begin ? block : add(block, 1);
        return success();
      })
      .Case([&](memref::LoadOp o) -> LogicalResult {
        Value memory = lookup(o.getMemref());
        barriers.read(bufferOf(memory));
        values[o] = load(memory, lookup(o.getIndices()));
        return success();
      })
      .Case([&](memref::StoreOp o) -> LogicalResult {
        Value memory = lookup(o.getMemref());
        barriers.write(bufferOf(memory));
        Vec<Value> at = lookup(o.getIndices());
        // All threads have the value; one stores it.
        guarded(isZero(thread), [&] {
          memref::StoreOp::create(b, lookup(o.getValue()), memory, at);
        });
        return success();
      })
      .Default([&](Operation *other) -> LogicalResult {
        // The only vectors here have one value a row: every thread has all of
        // it.
        auto isSpread = [&](Type type) { return this->isSpread(type); };
        bool ofRows =
            isa_and_nonnull<vector::VectorDialect>(other->getDialect()) &&
            llvm::none_of(other->getOperandTypes(), isSpread) &&
            llvm::none_of(other->getResultTypes(), isSpread);
        if (other->getNumRegions() != 0 ||
            !(ofRows || OpTrait::hasElementwiseMappableTraits(other) ||
              isa<arith::ArithDialect, math::MathDialect>(other->getDialect())))
          return other->emitOpError() << "has no code for a GPU's threads";
        return writeElementwise(other);
      });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

LogicalResult CUDAKernel::verifyStrategy() {
  if (!strategy)
    return source.emitOpError()
           << "has no #cuda.strategy as llama.strategy; run llama-plan-kernels";
  if (!source->hasAttr(llama::kPartitionAttr))
    return source.emitOpError()
           << "has no llama.partition; run llama-outline-kernels";
  return success();
}

static AffineMap partsOf(func::FuncOp kernel) {
  return kernel->getAttrOfType<llama::PartitionAttr>(llama::kPartitionAttr)
      .getParts();
}

/// Whether the number of parts does: it is then known behind the wait.
bool CUDAKernel::dependsOnKeys() { return partsOf(source).isFunctionOfDim(1); }

/// Whether this block has a part; null: every block has one. The grid is sized
/// for the capacity, of which only some keys are filled.
Value CUDAKernel::isPart() {
  AffineMap parts = partsOf(source);
  if (parts.isConstant())
    return {};
  Vec<Value> counts{field(context::Field::Rows),
                    dependsOnKeys() ? field(context::Field::KeyCount)
                                    : index(0)};
  return lessThan(block, context::emitParts(b, parts, counts));
}

LogicalResult CUDAKernel::rewrite() {
  if (failed(verifyStrategy()))
    return failure();
  MLIRContext *context = source.getContext();
  b.setInsertionPoint(source);
  auto target = func::FuncOp::create(
      b, source.getName(),
      FunctionType::get(
          context, {LLVM::LLVMPointerType::get(context), b.getI32Type()}, {}));
  target.setPrivate();
  for (NamedAttribute attribute : source->getDiscardableAttrs())
    target->setAttr(attribute.getName(), attribute.getValue());
  Block *entry = target.addEntryBlock();
  b.setInsertionPointToStart(entry);
  this->context = entry->getArgument(0);
  layer = entry->getArgument(1);
  values[source.getArgument(1)] = layer;
  block = BlockIdOp::create(b, b.getIndexType());
  thread = ThreadIdOp::create(b, b.getIndexType());
  warp = div(thread, kWarp);
  lane = rem(thread, kWarp);

  LaunchDependentsOp::create(b);
  wait = WaitPreviousOp::create(b);
  LogicalResult result = success();
  if (!dependsOnKeys()) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPoint(wait);
    guarded(isPart(), [&] { result = prefetch(Ahead::Weights); });
  }
  branch(isPart(), {}, [&]() -> Vec<Value> {
    if (succeeded(result) && dependsOnKeys())
      result = prefetch(Ahead::Weights);
    if (succeeded(result))
      result = prefetch(Ahead::Cache);
    if (succeeded(result))
      result = writeBlock(source.getBody().front());
    return {};
  });
  b.setInsertionPointToEnd(entry);
  func::ReturnOp::create(b);
  if (failed(result)) {
    target.erase();
    return failure();
  }
  barriers.place();
  target->setAttr(llama::kScratchAttr, b.getI64IntegerAttr(workgroupBytes));
  auto machine = cast<TargetAttr>(llama::getTarget(source));
  int64_t most = machine.getWorkgroupBytes();
  if (most && workgroupBytes > most) {
    target.erase();
    return source.emitOpError()
           << "'" << source.getName() << "' needs " << workgroupBytes
           << " bytes of workgroup memory, a block of " << machine.getName()
           << " has at most " << most
           << "; the model's rows are too long for this target";
  }
  source.erase();
  return success();
}

namespace {
struct TileToVectorCUDA
    : corellama::cuda::impl::TileToVectorCUDABase<TileToVectorCUDA> {
  void runOnOperation() override {
    if (!getOperation()->getAttrOfType<TargetAttr>(llama::kTargetAttr)) {
      getOperation()->emitError()
          << "has no llama.target of a GPU; the driver sets it";
      return signalPassFailure();
    }
    for (auto kernel :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (kernel.isExternal() || kernel.getNumArguments() == 0 ||
          !isa<tile::ContextType>(kernel.getArgument(0).getType()))
        continue;
      if (failed(CUDAKernel(kernel).rewrite()))
        return signalPassFailure();
    }
  }
};
} // namespace
