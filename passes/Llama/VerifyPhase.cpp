//===- VerifyPhase.cpp - what may be in a phase, and what must be ---------===//
//
// Checks a module against the table of phases: an op that the phase does not
// list is an error, and so is a decision of a later phase or a missing decision
// of an earlier one. Each rule is a row of `kFacts`; nothing else here depends
// on a phase.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/PlanInvariants.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAVERIFYPHASE
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

//===----------------------------------------------------------------------===//
// Which ops
//===----------------------------------------------------------------------===//

namespace {
/// The pass that removes the ops of a dialect that are in no phase after
/// `last`. The ops of a step have one such pass for each back end.
struct Remover {
  Phase last;
  StringLiteral dialect;
  StringLiteral passes;
};
} // namespace

static constexpr Remover kRemovers[] = {
    {Phase::Plan, "llama", "llama-outline-kernels"},
    {Phase::Schedule, "llama", "llama-to-tile"},
    {Phase::Tile, "tile", "tile-to-vector-cpu or tile-to-vector-cuda"},
    {Phase::Vector, "llama", "cpu-step-to-workers or cuda-step-to-launches"},
    {Phase::Vector, "context", "context-to-llvm"},
    {Phase::Vector, "cpu", "cpu-to-llvm"},
    {Phase::Vector, "cuda", "cuda-to-nvvm or cuda-to-emulator"},
};

/// Our ops name their phases; of others the table lists whole dialects.
static LogicalResult verifyOp(Operation *op, const PhaseInfo &info) {
  if (auto ours = dyn_cast<PhaseOpInterface>(op)) {
    PhaseRange range = ours.getPhases();
    if (info.phase < range.first)
      return op->emitOpError()
             << "is in phase " << info.name << ", but comes with phase "
             << infoOf(range.first).name;
    if (info.phase > range.last) {
      const Remover *remover = llvm::find_if(kRemovers, [&](const Remover &r) {
        return r.last == range.last &&
               r.dialect == op->getName().getDialectNamespace();
      });
      assert(remover != std::end(kRemovers) && "an op that nothing removes");
      return op->emitOpError() << "is in phase " << info.name << "; "
                               << remover->passes << " should have removed it";
    }
    return success();
  }
  StringRef dialect = op->getName().getDialectNamespace();
  if (dialect == "builtin" || llvm::is_contained(info.dialects, dialect))
    return success();
  return op->emitOpError() << "is in phase " << info.name
                           << ", which has no ops of '" << dialect
                           << "'; besides ours it has "
                           << llvm::join(info.dialects, ", ");
}

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

/// The first failure of `check` over all ops of a kind, in the order in which
/// they are printed.
template <typename OpTy, typename Check>
static LogicalResult forEach(Operation *scope, Check check) {
  WalkResult walked = scope->walk<WalkOrder::PreOrder>(
      [&](OpTy op) -> WalkResult { return check(op); });
  return failure(walked.wasInterrupted());
}

static bool hasEntryOfImport(ModelOp model) {
  return model.getEntries() && model.getEntries()->size() == 1 &&
         cast<EntryAttr>((*model.getEntries())[0]).getRows() == 0;
}

static bool hasForms(ModelOp model) {
  return model.getEntries() &&
         llvm::all_of(model.getEntries()->getAsRange<EntryAttr>(),
                      [](EntryAttr e) { return e.getRows() >= 1; });
}

static LogicalResult expectNothingPlaced(ModuleOp module) {
  return forEach<Operation *>(module, [](Operation *op) -> LogicalResult {
    SmallVector<std::pair<StringRef, Attribute>> decisions;
    if (auto kernel = dyn_cast<KernelOp>(op))
      decisions = {{"strategy", kernel.getStrategyAttr()},
                   {"partition", kernel.getPartitionAttr()}};
    else if (auto weight = dyn_cast<WeightOp>(op))
      decisions = {{"layouts", weight.getLayoutsAttr()}};
    else if (auto reduction = dyn_cast<ReductionOpInterface>(op))
      decisions = {{"order", reduction.getOrderAttr()}};
    for (auto [what, decided] : decisions)
      if (decided)
        return op->emitOpError() << "has " << what << " " << decided
                                 << ", which is decided in phase plan";
    return success();
  });
}

static LogicalResult expectAllInKernels(ModuleOp module) {
  for (auto function : module.getOps<FunctionOpInterface>())
    for (Operation &op : function.getFunctionBody().getOps())
      if (isa<LlamaDialect>(op.getDialect()) && !isa<KernelOp, WeightRefOp>(op))
        return op.emitOpError()
               << "stands outside of kernels; llama-fuse-kernels gathers it";
  return success();
}

static LogicalResult expectPlans(ModuleOp module) {
  return forEach<Operation *>(module, [](Operation *op) -> LogicalResult {
    if (auto kernel = dyn_cast<KernelOp>(op);
        kernel && (!kernel.getStrategyAttr() || !kernel.getPartitionAttr()))
      return kernel.emitOpError()
             << "\"" << kernel.getName()
             << "\" has no strategy and partition; llama-plan-kernels sets "
                "them";
    return success();
  });
}

static LogicalResult expectLayouts(ModuleOp module) {
  return forEach<WeightOp>(module, [&](WeightOp weight) -> LogicalResult {
    if (!weight.getLayouts())
      return weight.emitOpError()
             << "@" << weight.getSymName()
             << " has no layouts; llama-plan-layouts sets them";
    return success();
  });
}

/// The index that phase schedule wrote on a reference agrees with the
/// declaration, and kernels say how they run.
static LogicalResult expectResolved(ModuleOp module) {
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (auto dispatch = dyn_cast<DispatchOp>(op))
      for (auto callee : dispatch.getCallees().getAsRange<FlatSymbolRefAttr>())
        for (StringRef attribute : {kStrategyAttr, kPartitionAttr})
          if (Operation *function = module.lookupSymbol(callee);
              !function->hasAttr(attribute))
            return function->emitOpError()
                   << "is run by a step but has no " << attribute
                   << "; llama-outline-kernels sets it from the kernel";
    auto ref = dyn_cast<WeightRefOp>(op);
    if (!ref)
      return success();
    int64_t index = getWeightTableIndex(
        module, SymbolTable::lookupNearestSymbolFrom<WeightOp>(
                    ref, ref.getWeightAttr()));
    if (static_cast<int64_t>(*ref.getIndex()) != index)
      return ref.emitOpError() << "has index " << *ref.getIndex() << ", "
                               << ref.getWeight() << " has index " << index
                               << "; run llama-resolve-weight-references again";
    return success();
  });
}

/// A form computes each layer once, in order: its loops go over them one by one
/// and its tables have an entry for each. A head computes none. Forms and heads
/// have ascending bounds.
static LogicalResult expectLayers(ModuleOp module) {
  auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
  if (!config)
    return success(); // expectConfig asks for it where there is a model
  int64_t layers = config.getLayers();
  auto text = [](std::optional<int64_t> constant) {
    return constant ? std::to_string(*constant) : "?";
  };
  llvm::DenseMap<Operation *, int64_t> computed; // layers of each step
  auto verifyStep = [&](StepOp step) -> LogicalResult {
    // Of the dispatch before: where it stands, its layers from `from` below
    // `to`.
    Block *block = nullptr;
    int64_t from = 0;
    int64_t &to = computed[step];
    return forEach<DispatchOp>(step, [&](DispatchOp dispatch) -> LogicalResult {
      Value layer = dispatch.getLayer();
      if (!layer)
        return success();
      // A loop of one round becomes a constant.
      std::optional<int64_t> begin, end, by;
      auto loop = dyn_cast<scf::ForOp>(dispatch->getParentOp());
      if (loop && loop.getInductionVar() == layer &&
          loop->getParentOp() == step) {
        begin = getConstantIntValue(loop.getLowerBound());
        end = getConstantIntValue(loop.getUpperBound());
        by = getConstantIntValue(loop.getStep());
      } else if (!loop) {
        begin = getConstantIntValue(layer);
        if (begin) {
          end = *begin + 1;
          by = 1;
        }
      }
      bool again = dispatch->getBlock() == block && begin == from && end == to;
      if (!again &&
          (begin != to || !end || *end <= to || *end > layers || by != 1))
        return dispatch.emitOpError()
               << "is for layers from " << text(begin) << " below " << text(end)
               << " by " << text(by) << ", expected from " << to << " below "
               << layers << " or less by 1";
      if (dispatch.getOf() &&
          static_cast<int64_t>(dispatch.getOf()->size()) != layers)
        return dispatch.emitOpError()
               << "has a table of " << dispatch.getOf()->size()
               << " layers, the model has " << layers;
      block = dispatch->getBlock();
      from = *begin;
      to = *end;
      return success();
    });
  };
  auto verifyList = [&](ModelOp model, ArrayAttr list,
                        int64_t expected) -> LogicalResult {
    int64_t rows = 0;
    for (auto symbol : list.getAsRange<FlatSymbolRefAttr>()) {
      auto step = module.lookupSymbol<StepOp>(symbol);
      auto bound = static_cast<int64_t>(step.getRows());
      if (computed.lookup(step) != expected || bound <= rows)
        return model.emitOpError()
               << "lists " << symbol << " of " << bound << " rows and "
               << computed.lookup(step) << " layers, expected more than "
               << rows << " rows and " << expected << " layers";
      rows = bound;
    }
    return success();
  };
  if (failed(forEach<StepOp>(module, verifyStep)))
    return failure();
  return forEach<ModelOp>(module, [&](ModelOp model) {
    return failure(failed(verifyList(model, model.getStepsAttr(), layers)) ||
                   failed(verifyList(model, model.getHeads(), 0)));
  });
}

/// A tile.weight is an entry of the table of offsets, in a declared layout.
static LogicalResult verifyUse(tile::WeightOp op, ModuleOp module) {
  auto weight =
      SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, op.getWeightAttr());
  if (!weight)
    return success(); // a kernel alone, without declarations
  int64_t expected = getWeightTableIndex(module, weight);
  if (static_cast<int64_t>(op.getIndex()) != expected)
    return op.emitOpError() << "has index " << op.getIndex() << " of the "
                            << getWeightTableSize(module) << " in the table, "
                            << op.getWeight() << " has " << expected;
  for (auto [format, layout] :
       llvm::zip(weight.getFormats(), *weight.getLayouts()))
    if (format == op.getType().getFormat() && layout == op.getLayout())
      return success();
  return op.emitOpError() << "reads " << op.getType().getFormat() << " in "
                          << op.getLayout() << ", " << op.getWeight()
                          << " is declared as " << weight.getFormats() << " in "
                          << weight.getLayoutsAttr();
}

/// Memory of a buffer lies where the buffer does.
static LogicalResult verifyUse(Operation *op, FlatSymbolRefAttr symbol,
                               int64_t at, Type element, int64_t elements) {
  auto buffer = SymbolTable::lookupNearestSymbolFrom<BufferOp>(op, symbol);
  if (!buffer)
    return success(); // as above
  auto type = cast<RankedTensorType>(buffer.getType());
  if (buffer.getAt() == static_cast<uint64_t>(at) &&
      element == type.getElementType() && elements <= type.getNumElements())
    return success();
  return op->emitOpError() << "has " << elements << " elements of " << element
                           << " at " << at << ", buffer " << symbol << " is "
                           << type << " at " << *buffer.getAt();
}

static LogicalResult verifyUse(tile::CacheOp op, ModuleOp module) {
  auto layouts = module.getOps<CacheLayoutOp>();
  if (layouts.empty())
    return success(); // as above
  CacheLayoutOp declared = *layouts.begin();
  if (op.getKeys() == declared.getKeys() &&
      op.getValues() == declared.getValues())
    return success();
  return op.emitOpError() << "has keys in " << op.getKeys() << " and values in "
                          << op.getValues() << ", llama.cache_layout has them "
                          << "in " << declared.getKeys() << " and "
                          << declared.getValues();
}

/// Tiles use weights, buffers and the cache as they are declared, because the
/// image and the workspace are made from the declarations.
static LogicalResult expectDeclarations(ModuleOp module) {
  return forEach<Operation *>(module, [&](Operation *op) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case<tile::WeightOp, tile::CacheOp>(
            [&](auto use) { return verifyUse(use, module); })
        .Case([](tile::BufferOp use) {
          auto memory = cast<MemRefType>(use.getType());
          return verifyUse(use, use.getBufferAttr(), use.getAt(),
                           memory.getElementType(), memory.getNumElements());
        })
        .Case([](tile::BufferRowsOp use) {
          auto rows = cast<tile::RowsType>(use.getType());
          return verifyUse(use, use.getBufferAttr(), use.getAt(),
                           rows.getElementType(),
                           rows.getRows() * rows.getColumns());
        })
        .Default(success());
  });
}

/// A tile.rope_row reads the module's table, whose rows are for heads of one
/// size.
static LogicalResult expectHeadsOfTable(ModuleOp module) {
  auto tables = module.getOps<RopeTableOp>();
  if (tables.empty())
    return success(); // a kernel alone, without declarations
  uint64_t expected = (*tables.begin()).getHead();
  return forEach<tile::RopeRowOp>(
      module, [&](tile::RopeRowOp op) -> LogicalResult {
        if (op.getHead() != expected)
          return op.emitOpError()
                 << "is for heads of " << op.getHead()
                 << " elements, llama.rope_table has heads of " << expected;
        return success();
      });
}

static LogicalResult expectOneRotation(ModuleOp module) {
  return getRotation(module);
}

/// A block that does not divide the cache's block would read past its capacity.
/// All forms merge the same blocks, and the buffer between two kernels has room
/// for those of the longest context.
static LogicalResult expectReservedKeys(ModuleOp module) {
  constexpr int64_t kReserved = abi::kCacheBlock;
  auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
  IntegerAttr first;
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (auto write = dyn_cast<BufferWriteOp>(op); write && config) {
      auto part = write.getValue().getDefiningOp<AttentionPartOp>();
      auto buffer = module.lookupSymbol<BufferOp>(write.getBufferAttr());
      auto type = cast<RankedTensorType>(buffer.getType());
      if (part &&
          type.getDimSize(2) <
              llvm::divideCeilSigned(config.getContextLength(),
                                     static_cast<int64_t>(part.getKeys())))
        return op->emitOpError()
               << "buffer " << write.getBufferAttr() << " has room for "
               << type.getDimSize(2) << " blocks of " << part.getKeys()
               << " keys, a context has " << config.getContextLength();
    }
    if (!isa<AttentionOp, AttentionPartOp, AttentionMergeOp>(op))
      return success();
    auto keys = op->getAttrOfType<IntegerAttr>("keys");
    if (!keys)
      return success();
    if (keys.getInt() <= 0 || kReserved % keys.getInt() != 0)
      return op->emitOpError() << "has blocks of " << keys.getInt()
                               << " keys, the cache is reserved in blocks of "
                               << kReserved << "; give a divisor of it";
    if (!first)
      first = keys;
    if (keys != first)
      return op->emitOpError()
             << "has blocks of " << keys.getInt() << " keys, another op blocks "
             << "of " << first.getInt() << "; all forms merge the same blocks";
    return success();
  });
}

namespace {
/// What the model has from one phase to another, both ends included.
struct ModelFact {
  Phase first;
  Phase last;
  bool (*holds)(ModelOp);
  StringLiteral otherwise;
};

/// A rule that holds from one phase to another, both ends included.
struct Fact {
  Phase first;
  Phase last;
  LogicalResult (*verify)(ModuleOp);
};
} // namespace

static constexpr ModelFact kModelFacts[] = {
    {Phase::Import, Phase::LLVM,
     [](ModelOp model) {
       return isa_and_nonnull<ConfigAttr>(
           model->getParentOp()->getAttr(kConfigAttr));
     },
     "stands in a module without llama.config; import writes it"},
    {Phase::Specialize, Phase::LLVM,
     [](ModelOp model) { return static_cast<bool>(getTarget(model)); },
     "stands in a module without llama.target; the driver sets it before "
     "specialize"},
    {Phase::Import, Phase::Import, hasEntryOfImport,
     "has one entry of 0 (any number of) rows after import"},
    {Phase::Specialize, Phase::Plan, hasForms,
     "has entries of a known number of rows; llama-specialize-forms makes "
     "them"},
    {Phase::Schedule, Phase::Vector,
     [](ModelOp model) { return model.getSteps().has_value(); },
     "has no steps; llama-outline-kernels makes them"},
};

static constexpr Fact kFacts[] = {
    {Phase::Import, Phase::Schedule, expectOneRotation},
    {Phase::Import, Phase::Schedule, expectReservedKeys},
    {Phase::Import, Phase::Fuse, expectNothingPlaced},
    {Phase::Fuse, Phase::Plan, expectAllInKernels},
    {Phase::Plan, Phase::Plan, expectPlans},
    {Phase::Plan, Phase::Schedule, verifyPlanInvariants},
    {Phase::Tile, Phase::Tile, verifySums},
    {Phase::Plan, Phase::LLVM, expectLayouts},
    {Phase::Plan, Phase::Vector, verifyCache},
    {Phase::Schedule, Phase::Schedule, verifyStamps},
    {Phase::Schedule, Phase::Schedule, verifyReads},
    {Phase::Schedule, Phase::Schedule, expectResolved},
    {Phase::Schedule, Phase::Vector, expectLayers},
    {Phase::Tile, Phase::Tile, expectDeclarations},
    {Phase::Tile, Phase::Tile, expectHeadsOfTable},
};

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct VerifyPhase : corellama::llama::impl::LlamaVerifyPhaseBase<VerifyPhase> {
  using LlamaVerifyPhaseBase::LlamaVerifyPhaseBase;

  void runOnOperation() override {
    markAllAnalysesPreserved();
    ModuleOp module = getOperation();
    std::optional<Phase> wanted = parsePhase(phase);
    if (!wanted) {
      SmallVector<StringRef> names;
      for (const PhaseInfo &info : allPhases())
        names.push_back(info.name);
      module.emitError() << "phase is '" << phase << "', expected one of "
                         << llvm::join(names, ", ");
      return signalPassFailure();
    }
    const PhaseInfo &info = infoOf(*wanted);
    LogicalResult ops = forEach<Operation *>(
        module, [&](Operation *op) { return verifyOp(op, info); });
    if (failed(ops))
      return signalPassFailure();
    for (const ModelFact &fact : kModelFacts)
      for (auto model : module.getOps<ModelOp>())
        if (fact.first <= *wanted && *wanted <= fact.last &&
            !fact.holds(model)) {
          model.emitOpError() << fact.otherwise;
          return signalPassFailure();
        }
    for (const Fact &fact : kFacts)
      if (fact.first <= *wanted && *wanted <= fact.last &&
          failed(fact.verify(module)))
        return signalPassFailure();
  }
};
} // namespace
