//===- VerifyPhase.cpp - what may be in a phase, and what must be ---------===//
//
// Checks a module against the table of phases: an op that the phase does not
// list is an error, and so is a decision of a later phase or a missing decision
// of an earlier one. Each rule is a row of `kFacts`; nothing else here depends
// on a phase.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/PlanInvariants.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/StringExtras.h"

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
static LogicalResult forEach(ModuleOp module, Check check) {
  WalkResult walked = module.walk<WalkOrder::PreOrder>(
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
    if (auto reduction = dyn_cast<ReductionOpInterface>(op);
        reduction && !reduction.getOrderAttr())
      return op->emitOpError()
             << "has no order for its sums; llama-plan-kernels sets it";
    return success();
  });
}

static LogicalResult expectLayouts(ModuleOp module) {
  bool usesCache = false;
  module.walk([&](Operation *op) {
    usesCache |= isa<LlamaDialect>(op->getDialect()) &&
                 llvm::any_of(op->getOperandTypes(), llvm::IsaPred<CacheType>);
  });
  if (usesCache && module.getOps<CacheLayoutOp>().empty())
    return module.emitError() << "uses a cache and has no llama.cache_layout; "
                                 "llama-plan-layouts makes it";
  return forEach<WeightOp>(module, [&](WeightOp weight) -> LogicalResult {
    if (!weight.getLayouts())
      return weight.emitOpError()
             << "@" << weight.getSymName()
             << " has no layouts; llama-plan-layouts sets them";
    return success();
  });
}

/// The attributes that phase schedule wrote on a reference agree with the
/// declaration.
static LogicalResult expectResolved(WeightRefOp ref) {
  auto module = ref->getParentOfType<ModuleOp>();
  auto weight =
      SymbolTable::lookupNearestSymbolFrom<WeightOp>(ref, ref.getWeightAttr());
  int64_t index = getWeightTableIndex(module, weight);
  if (static_cast<int64_t>(*ref.getIndex()) != index)
    return ref.emitOpError() << "has index " << *ref.getIndex() << ", "
                             << ref.getWeight() << " has index " << index
                             << "; run llama-resolve-weight-references again";
  return success();
}

static LogicalResult expectStamps(ModuleOp module) {
  auto expect = [](Operation *op, bool there, StringRef what,
                   StringRef pass) -> LogicalResult {
    if (!there)
      return op->emitOpError()
             << "has no " << what << "; " << pass << " sets it";
    return success();
  };
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (isa<BufferOp, BufferReadOp, BufferWriteOp>(op))
      return expect(op, op->hasAttr("at"), "offset", "llama-assign-buffers");
    if (auto ref = dyn_cast<WeightRefOp>(op)) {
      if (failed(expect(op, ref.getLayout() && ref.getIndex(),
                        "layout and index", "llama-resolve-weight-references")))
        return failure();
      return expectResolved(ref);
    }
    return success();
  });
}

/// The layers that a step names exist: a loop ends at the last layer, and a
/// table of callees has an entry for each.
static LogicalResult expectLayers(ModuleOp module) {
  auto config = module->getAttrOfType<ConfigAttr>(kConfigAttr);
  if (!config)
    return success(); // expectConfig asks for it where there is a model
  int64_t layers = config.getLayers();
  auto inRange = [&](Operation *op, Value layer) -> LogicalResult {
    int64_t first = 0, last = 0;
    if (std::optional<int64_t> constant = getConstantIntValue(layer)) {
      first = last = *constant;
    } else {
      auto argument = dyn_cast<BlockArgument>(layer);
      auto loop = argument
                      ? dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp())
                      : scf::ForOp();
      if (!loop || loop.getInductionVar() != layer)
        return op->emitOpError() << "has a layer that is neither a constant "
                                    "nor counted by a loop of the step";
      auto begin = getConstantIntValue(loop.getLowerBound());
      auto end = getConstantIntValue(loop.getUpperBound());
      auto step = getConstantIntValue(loop.getStep());
      if (!begin || !end || !step || *step < 1)
        return loop.emitOpError() << "counts layers, so its bounds and its "
                                     "step are constants, the step above 0";
      first = *begin;
      last = *end - 1;
    }
    if (first < 0 || last >= layers)
      return op->emitOpError() << "is for layers " << first << " to " << last
                               << ", the model has 0 to " << layers - 1;
    return success();
  };
  return forEach<DispatchOp>(module, [&](DispatchOp dispatch) -> LogicalResult {
    if (!dispatch.getLayer())
      return success();
    if (failed(inRange(dispatch, dispatch.getLayer())))
      return failure();
    if (dispatch.getOf() &&
        static_cast<int64_t>(dispatch.getOf()->size()) != layers)
      return dispatch.emitOpError()
             << "has a table of " << dispatch.getOf()->size()
             << " layers, the model has " << layers;
    return success();
  });
}

/// A tile.weight names an entry of the table of offsets. This folder does not
/// depend on `tile`, so the op is found by name.
static LogicalResult expectTableIndices(ModuleOp module) {
  int64_t size = getWeightTableSize(module);
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (op->getName().getStringRef() != "tile.weight")
      return success();
    auto index = op->getAttrOfType<IntegerAttr>("index");
    auto symbol = op->getAttrOfType<SymbolRefAttr>("weight");
    auto weight =
        symbol ? SymbolTable::lookupNearestSymbolFrom<WeightOp>(op, symbol)
               : WeightOp();
    if (!index || !weight)
      return success(); // a kernel alone, without declarations
    int64_t expected = getWeightTableIndex(module, weight);
    if (index.getInt() != expected)
      return op->emitOpError()
             << "has index " << index.getInt() << " of the " << size
             << " in the table, " << symbol << " has " << expected;
    return success();
  });
}

/// A tile.rope_row reads the module's table, whose rows are for heads of one
/// size.
static LogicalResult expectHeadsOfTable(ModuleOp module) {
  auto tables = module.getOps<RopeTableOp>();
  if (tables.empty())
    return success(); // a kernel alone, without declarations
  int64_t expected = static_cast<int64_t>((*tables.begin()).getHead());
  return forEach<Operation *>(module, [&](Operation *op) -> LogicalResult {
    if (op->getName().getStringRef() != "tile.rope_row")
      return success();
    auto head = op->getAttrOfType<IntegerAttr>("head");
    if (head && head.getInt() != expected)
      return op->emitOpError()
             << "is for heads of " << head.getInt()
             << " elements, llama.rope_table has heads of " << expected;
    return success();
  });
}

static LogicalResult expectKernelFunctions(ModuleOp module) {
  SymbolTable symbols(module);
  return forEach<DispatchOp>(module, [&](DispatchOp run) -> LogicalResult {
    for (auto callee : run.getCallees().getAsRange<FlatSymbolRefAttr>()) {
      Operation *function = symbols.lookup(callee.getValue());
      for (StringRef attribute : {kStrategyAttr, kPartitionAttr, kPartsAttr})
        if (!function->hasAttr(attribute))
          return function->emitOpError()
                 << "is run by a step but has no " << attribute
                 << "; llama-outline-kernels sets it from the kernel";
    }
    return success();
  });
}

static LogicalResult expectOneRotation(ModuleOp module) {
  return getRotation(module);
}

/// A block that does not divide the cache's block would read past its capacity.
static LogicalResult expectReservedKeys(ModuleOp module) {
  return forEach<Operation *>(module, [](Operation *op) -> LogicalResult {
    constexpr int64_t kReserved = abi::kCacheBlock;
    if (!isa<AttentionOp, AttentionPartOp, AttentionMergeOp>(op))
      return success();
    auto keys = op->getAttrOfType<IntegerAttr>("keys");
    if (!keys || (keys.getInt() > 0 && kReserved % keys.getInt() == 0))
      return success();
    return op->emitOpError() << "has blocks of " << keys.getInt()
                             << " keys, the cache is reserved in blocks of "
                             << kReserved << "; give a divisor of it";
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
    {Phase::Plan, Phase::LLVM, expectLayouts},
    {Phase::Schedule, Phase::Schedule, expectStamps},
    {Phase::Schedule, Phase::Vector, expectLayers},
    {Phase::Tile, Phase::Tile, expectTableIndices},
    {Phase::Tile, Phase::Tile, expectHeadsOfTable},
    {Phase::Schedule, Phase::Schedule, expectKernelFunctions},
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
