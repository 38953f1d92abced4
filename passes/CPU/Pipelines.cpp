//===- Pipelines.cpp - the order of the CPU's passes ----------------------===//
//
// The only place that lists them; compiler/Pipelines calls these two functions
// for CPUs.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CPU/CPUPlanner.h"
#include "passes/CPU/Passes.h"
#include "passes/CPU/UnitLowering.h"
#include "passes/Context/Passes.h"
#include "passes/Tile/Passes.h"

using namespace mlir;
using namespace corellama;

void cpu::buildVectorPasses(OpPassManager &manager) {
  // A worker computes independent iterations one after the other.
  manager.addPass(createParallelForToNestedForsPass());
  manager.addPass(tile::createTileExpandExp());
  manager.addPass(cpu::createTileToVectorCPU());
  manager.addPass(cpu::createCPUPrologueOnce());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
}

void cpu::buildLLVMPasses(OpPassManager &manager) {
  manager.addPass(cpu::createCPUStepToWorkers());
  manager.addPass(cpu::createCPUToLLVM());
  manager.addPass(context::createContextToLLVM());
  context::addUpstreamConversions(manager, {"amx"});
}

void cpu::registerExternalModels(DialectRegistry &registry) {
  registerPlanner(registry);
  registerUnits(registry);
}
