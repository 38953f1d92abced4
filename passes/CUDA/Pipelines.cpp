//===- Pipelines.cpp - the order of the GPU's passes ----------------------===//
//
// The only place that lists them; compiler/Pipelines calls these functions for
// GPUs.
//
//===----------------------------------------------------------------------===//

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CUDA/Passes.h"
#include "passes/Context/Passes.h"
#include "passes/Tile/Passes.h"

using namespace mlir;
using namespace corellama;

void corellama::cuda::buildVectorPasses(OpPassManager &manager) {
  manager.addPass(tile::createTileExpandExp());
  manager.addPass(createTileToVectorCUDA());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
}

void corellama::cuda::buildLLVMPasses(OpPassManager &manager) {
  manager.addPass(createCUDAAddChoice());
  manager.addPass(createCUDAStepToLaunches());
  manager.addPass(createCUDAToNVVM());
  manager.addPass(context::createContextToLLVM());
  context::addUpstreamConversions(manager);
  manager.addPass(createCUDAOutlineDevice());
}
