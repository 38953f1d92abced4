//===- PlanInvariants.cpp - invariants of kernel plans --------------------===//
//
// See PlanInvariants.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/PlanInvariants.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/LayerCaches.h"
#include "passes/Llama/RowGroups.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir;
using namespace corellama::llama;

PartitionAttr corellama::llama::makePartition(Block &body,
                                              StrategyInterface strategy,
                                              int64_t by, int64_t rowsBy) {
  MLIRContext *context = strategy.getContext();
  int64_t m = strategy.getM(), columns = std::max<int64_t>(1, strategy.getN());
  auto partitionOf = [&](PartitionOf what, int64_t by, int64_t times) {
    return PartitionAttr::get(context, {}, what, by, times, /*rows_by=*/0);
  };
  // The rows of a tile are heads that share keys.
  for (auto part : body.getOps<AttentionPartOp>())
    return partitionOf(PartitionOf::Keys, part.getKeys(),
                       llvm::divideCeil(part.getHeads(), m));
  // Heads that share keys are a part's, one after the other; tensor cores have
  // a part for each, or a prompt would be too few of them.
  for (auto attention : body.getOps<AttentionOp>())
    return partitionOf(PartitionOf::Rows, m,
                       strategy.getUnit().getRowsType().isF32()
                           ? attention.getCache().getType().getHeads()
                           : attention.getHeads());
  // A head is a part where heads are merged and no more is done.
  for (auto merge : body.getOps<AttentionMergeOp>())
    if (merge->hasOneUse() && isa<YieldOp, BufferWriteOp>(*merge->user_begin()))
      return partitionOf(PartitionOf::Rows, 1, merge.getHeads());
  RowGroups products(body);
  auto groups = llvm::map_to_vector(
      products.getGroups(), [](const RowGroups::Group &g) { return g.rows; });
  if (groups.empty())
    return partitionOf(PartitionOf::Rows, by, /*times=*/1);
  // Whole tiles, and whole blocks of a result that is rounded.
  for (auto quantize : body.getOps<QuantizeOp>())
    if (isa<RowRecordInterface>(quantize.getType().getElementType()) &&
        llvm::any_of(quantize->getUsers(),
                     llvm::IsaPred<YieldOp, BufferWriteOp>))
      columns = std::lcm(columns, RowRecordInterface::kBlock);
  return PartitionAttr::get(context, DenseI64ArrayAttr::get(context, groups),
                            PartitionOf::Weights, llvm::alignTo(by, columns),
                            /*times=*/1, llvm::alignTo(rowsBy, m));
}

int64_t corellama::llama::rowTileOf(Block &body, StrategyInterface strategy) {
  return body.getOps<AttentionPartOp>().empty() ? strategy.getM() : 1;
}

/// The partition of a kernel is the one that its body is written for.
static LogicalResult verifyPartition(Operation *kernel,
                                     StrategyInterface strategy) {
  auto partition = kernel->getAttrOfType<PartitionAttr>(
      isa<KernelOp>(kernel) ? "partition" : StringRef(kPartitionAttr));
  PartitionAttr expected =
      partition ? makePartition(kernel->getRegion(0).front(), strategy,
                                partition.getBy(), partition.getRowsBy())
                : PartitionAttr();
  if (partition == expected)
    return success();
  return kernel->emitOpError()
         << "is partitioned as " << partition << ", its ops and its tile of "
         << strategy.getM() << " x " << strategy.getN() << " ask for "
         << expected;
}

/// The last tile of rows may reach beyond the last row, and still lies in the
/// kernel's buffers.
static LogicalResult verifyRoomOf(Operation *kernel,
                                  StrategyInterface strategy) {
  int64_t tile = rowTileOf(kernel->getRegion(0).front(), strategy);
  auto verify = [&](Operation *op, FlatSymbolRefAttr symbol, Value value) {
    int64_t rows = getRowBound(value);
    auto buffer = SymbolTable::lookupNearestSymbolFrom<BufferOp>(op, symbol);
    if (!cast<RankedTensorType>(value.getType()).isDynamicDim(0) ||
        rows == kAnyRows || !buffer)
      return success();
    auto have = cast<RankedTensorType>(buffer.getType());
    if (llvm::alignTo(rows, tile) <= static_cast<uint64_t>(have.getDimSize(0)))
      return success();
    return LogicalResult(op->emitOpError()
                         << "buffer " << symbol << " of type " << have
                         << " has no room for " << rows << " rows in tiles of "
                         << tile << ", as " << strategy << " has them");
  };
  WalkResult walked = kernel->walk([&](Operation *op) -> WalkResult {
    if (auto read = dyn_cast<BufferReadOp>(op); read && !read.getRows())
      return verify(op, read.getBufferAttr(), read.getResult());
    if (auto write = dyn_cast<BufferWriteOp>(op))
      return verify(op, write.getBufferAttr(), write.getValue());
    return success();
  });
  return failure(walked.wasInterrupted());
}

Reads corellama::llama::readsOf(Operation *kernel) {
  SmallVector<Attribute> weights;
  Reads reads;
  kernel->walk([&](Operation *op) {
    if (CacheType cache = cacheOf(op); cache && cache.getRing() != 0)
      reads.ring = Builder(op->getContext()).getI64IntegerAttr(cache.getRing());
    if (auto ref = dyn_cast<WeightRefOp>(op)) {
      if (llvm::any_of(ref->getUsers(), [](Operation *user) {
            return user->hasTrait<IsProduct>();
          }))
        weights.push_back(ref.getWeightAttr());
    } else if (auto effects = dyn_cast<MemoryEffectOpInterface>(op)) {
      SmallVector<MemoryEffects::EffectInstance> found;
      effects.getEffectsOnResource(CacheResource::get(), found);
      if (llvm::any_of(found, [](const MemoryEffects::EffectInstance &effect) {
            return isa<MemoryEffects::Read>(effect.getEffect());
          }))
        reads.cache = UnitAttr::get(op->getContext());
    }
  });
  if (!weights.empty())
    reads.weights = ArrayAttr::get(kernel->getContext(), weights);
  return reads;
}

static LogicalResult verifyReadsOf(Operation *kernel, StrategyInterface) {
  Reads expected = readsOf(kernel);
  Reads said{kernel->getAttrOfType<ArrayAttr>(kReadsAttr),
             kernel->getAttrOfType<UnitAttr>(kReadsCacheAttr),
             kernel->getAttrOfType<IntegerAttr>(kRingAttr)};
  if (said == expected)
    return success();
  if (said.ring != expected.ring) {
    auto none = Builder(kernel->getContext()).getI64IntegerAttr(0);
    return kernel->emitOpError()
           << "uses a ring of "
           << (expected.ring ? expected.ring : none).getInt() << " positions, "
           << kRingAttr << " is " << (said.ring ? said.ring : none).getInt()
           << "; 0 is a cache of the context";
  }
  if (said.cache != expected.cache)
    return kernel->emitOpError()
           << (expected.cache ? "reads the cache without " : "has ")
           << kReadsCacheAttr
           << (expected.cache ? "" : " and does not read the cache");
  auto none = ArrayAttr::get(kernel->getContext(), {});
  return kernel->emitOpError()
         << "multiplies by " << (expected.weights ? expected.weights : none)
         << ", " << kReadsAttr << " is "
         << (said.weights ? said.weights : none);
}

/// Each sum has an order that its kernel has code for: a product that of the
/// strategy's unit, attention that or the lanes of the tile, which may be
/// several times as wide as the target's sums where lanes share no keys. A
/// kernel that has neither works on float32.
static LogicalResult verifySumsOf(Operation *kernel,
                                  StrategyInterface strategy) {
  if (TargetInterface target = getTarget(kernel);
      target && strategy.getDialect().getNamespace() != target.getBackend())
    return kernel->emitOpError() << "has " << strategy << ", no strategy of '"
                                 << target.getName() << "'";
  ContractionUnitInterface unit = strategy.getUnit();
  auto planner =
      dyn_cast_if_present<PlannerInterface>(Attribute(getTarget(kernel)));
  bool multiplies = false;
  WalkResult walked = kernel->walk([&](Operation *op) -> WalkResult {
    auto order = op->getAttrOfType<ReductionOrderAttr>("order");
    bool isSum = isa<ReductionOpInterface>(op);
    if (isSum && !order)
      return op->emitOpError()
             << "has no order for its sums; llama-plan-kernels sets it";
    const bool hasUnit =
        isa<LinearOp>(op) || (isa<AttentionOp>(op) && order.getUnit());
    if (isSum && !hasUnit) {
      // A prologue sums apart from the kernel's tiles; lanes may share keys.
      bool isPrologue = op->hasTrait<IsRowPrologue>();
      bool ownLanes = isPrologue || (order.getBlock() == 0 && planner &&
                                     order == planner.getOrder(op) &&
                                     strategy.getN() % order.getLanes() == 0);
      auto expected = ReductionOrderAttr::get(
          op->getContext(), /*unit=*/{}, isPrologue ? 0 : order.getBlock(),
          ScaleMode::None, ownLanes ? order.getLanes() : strategy.getN());
      if (order != expected)
        return op->emitOpError() << "sums in the order " << order
                                 << ", its kernel has code for " << expected;
    } else if (order && order.getUnit()) {
      multiplies = true;
      if (order.getUnit() != unit)
        return op->emitOpError() << "is made by " << order.getUnit()
                                 << ", its kernel's strategy is for " << unit;
    }
    return success();
  });
  if (walked.wasInterrupted() || multiplies || unit.getRowsType().isF32())
    return failure(walked.wasInterrupted());
  return kernel->emitOpError()
         << "has no products and a strategy for " << unit
         << ", expected the target's unit for float32 rows";
}

namespace {
/// What is summed: rows of a type against a weight or against keys of the
/// cache. Ops of different kinds never share a weight of one type.
struct Sum {
  /// Where forms need not have the same bits; else null.
  ContractionUnitInterface unit;
  Type rows;
  Attribute weight; // its symbol, or the window in which keys are seen
  Type type;

  bool operator==(const Sum &) const = default;
};
} // namespace

/// The sum that an op makes, which decode and prefill must make in the same
/// order.
static std::optional<Sum> sumOf(ReductionOpInterface op) {
  Type rows =
      cast<RankedTensorType>(op->getOperand(0).getType()).getElementType();
  for (Value operand : op->getOperands()) {
    // Layers may have windows of their own.
    if (isa<CacheType>(operand.getType()))
      return Sum{{}, rows, op->getAttr("window"), operand.getType()};
    if (auto ref = operand.getDefiningOp<WeightRefOp>())
      return Sum{{}, rows, ref.getWeightAttr(), ref.getType()};
  }
  return std::nullopt;
}

/// Ops that make the same sum have the same order in all forms.
static LogicalResult verifySameOrders(ModuleOp module) {
  // A model has few distinct sums; the first op of each represents it. Where a
  // GPU chooses (auto), forms round the rows of a weight as suits them, and
  // have the units that suit their number.
  auto activations = getCarriedOption<StringAttr>(module, "activations");
  bool isFree = activations && activations == "auto";
  bool sameRows = activations && !isFree;
  SmallVector<std::pair<Sum, ReductionOpInterface>> first;
  WalkResult result = module.walk([&](ReductionOpInterface op) {
    std::optional<Sum> sum = sumOf(op);
    if (!sum)
      return WalkResult::advance();
    if (auto order = op.getOrderAttr(); order && isFree)
      sum->unit = order.getUnit();
    auto known = llvm::find_if(first, [&](auto &entry) {
      return entry.first == *sum ||
             (sameRows && sum->weight && entry.first.weight == sum->weight &&
              entry.first.type == sum->type);
    });
    if (known != first.end() && known->first.rows != sum->rows) {
      InFlightDiagnostic diagnostic = op->emitOpError();
      diagnostic << "multiplies rows of " << sum->rows << " by weight "
                 << sum->weight << ", elsewhere rows of " << known->first.rows
                 << "; with activations " << activations
                 << " every form gives the same bits";
      diagnostic.attachNote(known->second->getLoc()) << "the other sum is here";
      return WalkResult::interrupt();
    }
    if (known == first.end()) {
      first.push_back({*sum, op});
      return WalkResult::advance();
    }
    Attribute here = op->getAttrDictionary(),
              there = known->second->getAttrDictionary();
    if (here == there)
      return WalkResult::advance();
    InFlightDiagnostic diagnostic = op->emitOpError();
    if (!isa<CacheType>(sum->type))
      diagnostic << "with weight " << sum->weight << " ";
    diagnostic << "sums with " << here << ", elsewhere with " << there
               << "; on rows of " << sum->rows
               << " every form gives the same bits";
    diagnostic.attachNote(known->second->getLoc()) << "the other sum is here";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

/// Calls `check` with each kernel that has a strategy, a region or a function.
static LogicalResult forEachKernel(
    ModuleOp module,
    function_ref<LogicalResult(Operation *, StrategyInterface)> check) {
  WalkResult kernels = module.walk([&](Operation *op) -> WalkResult {
    auto strategy = op->getAttrOfType<StrategyInterface>(
        isa<KernelOp>(op) ? "strategy" : StringRef(kStrategyAttr));
    bool hasBody = op->getNumRegions() == 1 && !op->getRegion(0).empty();
    return strategy && hasBody ? check(op, strategy) : success();
  });
  return failure(kernels.wasInterrupted());
}

LogicalResult corellama::llama::verifySums(ModuleOp module) {
  return forEachKernel(module, verifySumsOf);
}

LogicalResult corellama::llama::verifyReads(ModuleOp module) {
  return forEachKernel(module, verifyReadsOf);
}

LogicalResult corellama::llama::verifyPlanInvariants(ModuleOp module) {
  return failure(failed(forEachKernel(module, verifyPartition)) ||
                 failed(forEachKernel(module, verifyRoomOf)) ||
                 failed(verifySums(module)) ||
                 failed(verifySameOrders(module)));
}

LogicalResult corellama::llama::verifyCache(ModuleOp module) {
  auto layouts = module.getOps<CacheLayoutOp>();
  WalkResult walked = module.walk([&](Operation *op) -> WalkResult {
    for (Type operand : op->getOperandTypes()) {
      auto type = dyn_cast<CacheType>(operand);
      if (!type)
        continue;
      if (layouts.empty())
        return op->emitOpError() << "uses a cache and the module has no llama."
                                    "cache_layout; llama-plan-layouts makes it";
      if (type.withRing(0) != (*layouts.begin()).getType())
        return op->emitOpError()
               << "uses a cache of " << type << ", llama.cache_layout is of "
               << (*layouts.begin()).getType();
    }
    return success();
  });
  return failure(walked.wasInterrupted());
}

LogicalResult corellama::llama::verifyStamps(ModuleOp module) {
  WalkResult walked =
      module.walk<WalkOrder::PreOrder>([&](Operation *op) -> WalkResult {
        if (isa<BufferOp, BufferReadOp, BufferWriteOp>(op) &&
            !op->hasAttr("at"))
          return op->emitOpError()
                 << "has no offset; llama-assign-buffers sets it";
        if (auto ref = dyn_cast<WeightRefOp>(op);
            ref && (!ref.getLayout() || !ref.getIndex()))
          return op->emitOpError() << "has no layout and index; "
                                      "llama-resolve-weight-references sets it";
        return success();
      });
  return failure(walked.wasInterrupted());
}
