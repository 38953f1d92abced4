//===- Pipelines.h - the phases as pass pipelines -------------------------===//
//
// The pipelines from each phase to the next, for the driver (buildPhase) and
// for corellama-opt (one named pipeline a phase). All pipelines are built here,
// in C++, so that the order of passes can be read in one place.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_PIPELINES_PIPELINES_H
#define CORELLAMA_COMPILER_PIPELINES_PIPELINES_H

#include "dialects/Llama/IR/Phase.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include <string>

namespace corellama {

/// The options that change what a program means or how large its calls are.
/// Options that are not given are taken from the module's `llama.options`;
/// everything else that steers the passes is in the module, too.
struct PipelineOptions : mlir::PassPipelineOptions<PipelineOptions> {
  ListOption<int64_t> rows{
      *this, "rows",
      llvm::cl::desc("the most rows of a call, for each form; ascending")};
  Option<std::string> activations{
      *this, "activations",
      llvm::cl::desc("what rows are rounded to before a product: auto, what "
                     "the target's table says; f32; q8"),
      llvm::cl::init("auto")};
  Option<std::string> cacheType{
      *this, "cache-type",
      llvm::cl::desc("what the KV cache holds: f32, f16, bf16 or q8_0, or two "
                     "of them, KEYS,VALUES"),
      llvm::cl::init("f16")};
  Option<std::string> strategy{
      *this, "strategy",
      llvm::cl::desc("how kernels run: tuned, as the target's table says, or "
                     "plain, in the smallest tiles"),
      llvm::cl::init("tuned")};
  Option<std::string> backend{
      *this, "backend",
      llvm::cl::desc("what tiles become from vector on: cpu or cuda"),
      llvm::cl::init("cpu")};
};

/// The passes of two phases alone, for kernels that are no whole model.
void buildVectorPipeline(mlir::OpPassManager &pm,
                         const PipelineOptions &options);
void buildLLVMPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);

/// One row a phase, in order. Each pipeline takes a module of the phase before
/// its own; the first only cleans up the imported module.
struct PhasePipeline {
  llama::Phase phase;
  void (*build)(mlir::OpPassManager &pm, const PipelineOptions &options);
};
llvm::ArrayRef<PhasePipeline> allPhasePipelines();

/// Appends the verifiers of a phase: the ops and attributes that it allows,
/// and, for a phase with steps, that no two dispatches race.
void buildPhaseVerifiers(mlir::OpPassManager &pm, llama::Phase phase);

/// Appends the passes to phase `phase`, the pass that writes the phase's name
/// on the module, and the verifiers.
void buildPhase(mlir::OpPassManager &pm, llama::Phase phase,
                const PipelineOptions &options);

/// Appends the phases first..last, both included, each with its verifier.
void buildPhases(mlir::OpPassManager &pm, llama::Phase first, llama::Phase last,
                 const PipelineOptions &options);

/// Registers corellama-<phase>-pipeline for each phase; corellama-opt calls it.
void registerPipelines();

} // namespace corellama

#endif // CORELLAMA_COMPILER_PIPELINES_PIPELINES_H
