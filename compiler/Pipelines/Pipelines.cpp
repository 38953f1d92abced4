//===- Pipelines.cpp - every pipeline, in order ---------------------------===//
//
// From a phase to the next. Read from top to bottom it is what the compiler
// does between import and code generation; what a target does with tiles is
// behind the functions of passes/CPU and passes/CUDA.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CPU/Passes.h"
#include "passes/CUDA/Passes.h"
#include "passes/Llama/Passes.h"
#include "passes/Tile/Passes.h"

using namespace corellama;
using llama::Phase;
using mlir::OpPassManager;

void corellama::buildImportPipeline(OpPassManager &pm,
                                    const PipelineOptions &) {
  pm.addPass(mlir::createCanonicalizerPass());
}

void corellama::buildSpecializePipeline(OpPassManager &pm,
                                        const PipelineOptions &options) {
  pm.addPass(llama::createLlamaSpecializeForms({options.chunk}));
  pm.addPass(llama::createLlamaSetCacheType({options.cacheType}));
  pm.addPass(llama::createLlamaSetNumerics({options.activations}));
  pm.addPass(mlir::createCanonicalizerPass());
  pm.addPass(mlir::createCSEPass());
}

void corellama::buildFusePipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(llama::createLlamaSplitAttention());
  pm.addPass(llama::createLlamaFuseKernels());
}

void corellama::buildPlanPipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(llama::createLlamaPlanLayouts());
  pm.addPass(llama::createLlamaPlanKernels());
}

void corellama::buildSchedulePipeline(OpPassManager &pm,
                                      const PipelineOptions &) {
  pm.addPass(llama::createLlamaOutlineKernels());
  pm.addPass(llama::createLlamaInsertBarriers());
  pm.addPass(llama::createLlamaAssignBuffers());
  pm.addPass(llama::createLlamaResolveWeightReferences());
}

void corellama::buildTilePipeline(OpPassManager &pm, const PipelineOptions &) {
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
  else if (options.backend == "emulator")
    cuda::buildEmulatorPasses(pm);
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
  if (phase == Phase::Schedule)
    pm.addPass(llama::createLlamaVerifySchedule());
  pm.addPass(llama::createLlamaVerifyPhase({llama::infoOf(phase).name.str()}));
}

void corellama::buildPhase(OpPassManager &pm, Phase phase,
                           const PipelineOptions &options) {
  for (const PhasePipeline &row : kPipelines)
    if (row.phase == phase)
      row.build(pm, options);
  buildPhaseVerifiers(pm, phase);
}

void corellama::buildPhases(OpPassManager &pm, Phase first, Phase last,
                            const PipelineOptions &options) {
  for (const PhasePipeline &row : kPipelines)
    if (row.phase >= first && row.phase <= last)
      buildPhase(pm, row.phase, options);
}

void corellama::registerPipelines() {
  for (const PhasePipeline &row : kPipelines) {
    const llama::PhaseInfo &info = llama::infoOf(row.phase);
    mlir::PassPipelineRegistration<PipelineOptions>(
        ("corellama-" + info.name + "-pipeline").str(),
        ("to phase " + info.name + ": " + info.summary).str(),
        [phase = row.phase](OpPassManager &pm, const PipelineOptions &options) {
          buildPhase(pm, phase, options);
        });
  }
}
