//===- Pipelines.cpp - from phase vector to the emulator ------------------===//
//
// As cuda::buildLLVMPasses; only the lowering of cuda's ops and what is done
// around kernels differ.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"
#include "mlir/Pass/PassManager.h"
#include "passes/CUDA/Passes.h"
#include "passes/Context/Passes.h"
#include "test/emulator/Passes.h"

using namespace corellama;

void emulator::buildLLVMPasses(mlir::OpPassManager &manager) {
  manager.addPass(cuda::createCUDAAddChoice());
  manager.addPass(cuda::createCUDAStepToLaunches());
  manager.addPass(createCUDAToEmulator());
  manager.addPass(context::createContextToLLVM());
  context::addUpstreamConversions(manager);
  // A GPU rounds to bf16 by an instruction, and LLVM by a library.
  manager.addPass(createBF16ToBits());
  manager.addPass(createCUDATraceAccesses());
}

void emulator::buildPhases(mlir::OpPassManager &manager, llama::Phase first,
                           llama::Phase last, const PipelineOptions &options) {
  assert(options.backend == "cuda");
  corellama::buildPhases(manager, first, std::min(last, llama::Phase::Vector),
                         options);
  if (last == llama::Phase::LLVM)
    buildLLVMPasses(manager);
}
