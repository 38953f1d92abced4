//===- Pipelines.cpp - every pipeline, in order ---------------------------===//
//
// The passes from each phase to the next, in the order in which the compiler
// runs them between import and code generation. The passes of a target are
// listed in passes/CPU/Pipelines.cpp and passes/CUDA/Pipelines.cpp.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"
#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CPU/Passes.h"
#include "passes/CUDA/Passes.h"
#include "passes/Llama/Passes.h"
#include "passes/Tile/Passes.h"

using namespace corellama;
using llama::Phase;
using mlir::OpPassManager;

namespace {
/// Verifies what the passes of a phase have made, and writes `llama.phase` of a
/// module that has one, so that --compile-from accepts the pipeline's result.
/// Part of the pipelines, not of a dialect's passes: only pipelines know that a
/// phase is complete. The compiler has the module verified here and not after
/// each of forty passes, which took a third of the time of MLIR's passes.
struct SetPhase
    : mlir::PassWrapper<SetPhase, mlir::OperationPass<mlir::ModuleOp>> {
  SetPhase() = default;
  explicit SetPhase(Phase to) { phase = llama::infoOf(to).name.str(); }
  SetPhase(const SetPhase &other) : PassWrapper(other) {
    copyOptionValuesFrom(&other);
  }

  llvm::StringRef getArgument() const override { return "llama-set-phase"; }
  llvm::StringRef getDescription() const override {
    return "verify a phase's result and say of which phase it is; each phase's "
           "pipeline ends in it";
  }
  void runOnOperation() override {
    markAllAnalysesPreserved();
    mlir::ModuleOp module = getOperation();
    if (mlir::failed(mlir::verify(module)))
      return signalPassFailure();
    if (module->hasAttr(llama::kPhaseAttr))
      module->setAttr(llama::kPhaseAttr,
                      mlir::StringAttr::get(&getContext(), phase));
  }

  Option<std::string> phase{*this, "phase",
                            llvm::cl::desc("the name of the phase")};
};
} // namespace

static void buildImportPipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(mlir::createCanonicalizerPass());
}

static void buildSpecializePipeline(OpPassManager &pm,
                                    const PipelineOptions &options) {
  // Passes take options that are not given from the module.
  pm.addPass(llama::createLlamaSpecializeForms(
      {llvm::SmallVector<int64_t>(options.rows.begin(), options.rows.end())}));
  pm.addPass(options.cacheType.hasValue()
                 ? llama::createLlamaSetCacheType({options.cacheType})
                 : llama::createLlamaSetCacheType());
  pm.addPass(llama::createLlamaSetCacheRings());
  pm.addPass(options.activations.hasValue()
                 ? llama::createLlamaSetNumerics({options.activations})
                 : llama::createLlamaSetNumerics());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
}

static void buildFusePipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(llama::createLlamaSplitAttention());
  pm.addPass(llama::createLlamaFuseKernels());
}

static void buildPlanPipeline(OpPassManager &pm,
                              const PipelineOptions &options) {
  pm.addPass(llama::createLlamaPlanLayouts());
  llama::LlamaPlanKernelsOptions plan;
  plan.strategy = options.strategy;
  pm.addPass(options.strategy.hasValue() ? llama::createLlamaPlanKernels(plan)
                                         : llama::createLlamaPlanKernels());
}

static void buildSchedulePipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(llama::createLlamaOutlineKernels());
  pm.addPass(llama::createLlamaInsertBarriers());
  pm.addPass(llama::createLlamaAssignBuffers());
  pm.addPass(llama::createLlamaResolveWeightReferences());
}

static void buildTilePipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(tile::createLlamaToTile());
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
}

void corellama::buildVectorPipeline(OpPassManager &pm,
                                    const PipelineOptions &options) {
  if (options.backend == "cpu")
    cpu::buildVectorPasses(pm);
  else
    cuda::buildVectorPasses(pm);
}

void corellama::buildLLVMPipeline(OpPassManager &pm,
                                  const PipelineOptions &options) {
  if (options.backend == "cpu")
    cpu::buildLLVMPasses(pm);
  else
    cuda::buildLLVMPasses(pm);
}

static constexpr PhasePipeline kPipelines[] = {
    {Phase::Import, buildImportPipeline},
    {Phase::Specialize, buildSpecializePipeline},
    {Phase::Fuse, buildFusePipeline},
    {Phase::Plan, buildPlanPipeline},
    {Phase::Schedule, buildSchedulePipeline},
    {Phase::Tile, buildTilePipeline},
    {Phase::Vector, buildVectorPipeline},
    {Phase::LLVM, buildLLVMPipeline},
};

llvm::ArrayRef<PhasePipeline> corellama::allPhasePipelines() {
  return kPipelines;
}

void corellama::buildPhaseVerifiers(OpPassManager &pm, Phase phase) {
  if (phase == Phase::Schedule || phase == Phase::Tile)
    pm.addPass(llama::createLlamaVerifySchedule());
  pm.addPass(llama::createLlamaVerifyPhase({llama::infoOf(phase).name.str()}));
}

void corellama::buildPhase(OpPassManager &pm, Phase phase,
                           const PipelineOptions &options) {
  for (const PhasePipeline &row : kPipelines)
    if (row.phase == phase)
      row.build(pm, options);
  pm.addPass(std::make_unique<SetPhase>(phase));
  buildPhaseVerifiers(pm, phase);
}

void corellama::buildPhases(OpPassManager &pm, Phase first, Phase last,
                            const PipelineOptions &options) {
  for (const PhasePipeline &row : kPipelines)
    if (row.phase >= first && row.phase <= last)
      buildPhase(pm, row.phase, options);
}

void corellama::registerPipelines() {
  mlir::PassRegistration<SetPhase>();
  for (const PhasePipeline &row : kPipelines) {
    const llama::PhaseInfo &info = llama::infoOf(row.phase);
    mlir::registerPassPipeline(
        ("corellama-" + info.name + "-pipeline").str(),
        ("to phase " + info.name + ": " + info.summary).str(),
        [phase = row.phase](
            OpPassManager &pm, llvm::StringRef text,
            llvm::function_ref<llvm::LogicalResult(const llvm::Twine &)> refuse)
            -> llvm::LogicalResult {
          PipelineOptions options;
          if (mlir::failed(options.parseFromString(text)))
            return mlir::failure();
          if (options.backend != "cpu" && options.backend != "cuda")
            return refuse("backend is '" + options.backend +
                          "', expected cpu or cuda");
          buildPhase(pm, phase, options);
          return mlir::success();
        },
        [](llvm::function_ref<void(const mlir::detail::PassOptions &)> visit) {
          visit(PipelineOptions());
        });
  }
}
