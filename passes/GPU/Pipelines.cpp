//===- Pipelines.cpp - the order of the GPU's passes ----------------------===//
//
// The only place that lists them; compiler/Pipelines calls these functions for
// targets of the GPU family. Device and fibres differ in the lowering of cuda's
// words and in what is done around the kernels, and in nothing else.
//
//===----------------------------------------------------------------------===//

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Context/Passes.h"
#include "passes/GPU/Passes.h"
#include "passes/Tile/Passes.h"

using namespace mlir;
using namespace corellama;

void corellama::gpu::buildVectorPasses(OpPassManager &manager) {
  manager.addPass(tile::createTileExpandExp());
  manager.addPass(createTileToVectorGPU());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
}

void corellama::gpu::buildLLVMPasses(OpPassManager &manager) {
  manager.addPass(createGPUStepToLaunches());
  manager.addPass(createGPUToNVVM());
  manager.addPass(context::createContextToLLVM());
  context::addUpstreamConversions(manager);
  manager.addPass(createGPUOutlineDevice());
}

void corellama::gpu::buildFibrePasses(OpPassManager &manager) {
  manager.addPass(createGPUStepToLaunches());
  manager.addPass(createGPUToFibres());
  manager.addPass(context::createContextToLLVM());
  context::addUpstreamConversions(manager);
  manager.addPass(createGPUTraceAccesses());
}
