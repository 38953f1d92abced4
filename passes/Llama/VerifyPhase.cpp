//===- VerifyPhase.cpp - what may be in a phase, and what must be ---------===//
//
// Checks a module against the table of phases: an op that the phase does not
// list is an error, and so is a decision of a later phase or a missing decision
// of an earlier one. Each rule is a row of `kFacts`; nothing else here depends
// on a phase.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "passes/Llama/Declarations.h"
#include "passes/Llama/LayerCaches.h"
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

static LogicalResult expectOneRotation(ModuleOp module) {
  return getRotation(module);
}

/// A block that does not divide the cache's block would read another head's
/// positions. All forms merge the same blocks, and the buffer between two
/// kernels has room for those of the longest context.
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
     [](ModelOp model) {
       return model.getSteps() && !model.getSteps()->empty();
     },
     "has no steps; llama-outline-kernels makes them"},
};

static constexpr Fact kFacts[] = {
    {Phase::Import, Phase::Schedule, expectOneRotation},
    {Phase::Import, Phase::Schedule, expectReservedKeys},
    {Phase::Import, Phase::Plan, expectCachesOfLayers},
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
    {Phase::Schedule, Phase::Schedule, expectInputs},
    {Phase::Schedule, Phase::Tile, expectDispatched},
    {Phase::Plan, Phase::Tile, expectOptions},
    {Phase::Schedule, Phase::Vector, expectLayers},
    {Phase::LLVM, Phase::LLVM, expectCachesOfProgram},
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
