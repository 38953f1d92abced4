//===- Pipelines.cpp - the order of the CPU's passes ----------------------===//
//
// The only place that lists them; compiler/Pipelines calls these two functions
// for targets of the CPU family.
//
//===----------------------------------------------------------------------===//

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/CPU/CPUStrategy.h"
#include "passes/CPU/GroupLoads.h"
#include "passes/CPU/Passes.h"
#include "passes/Context/Passes.h"
#include "passes/Tile/Passes.h"

using namespace mlir;
using namespace corellama;

void cpu::buildVectorPasses(OpPassManager &manager) {
  // A worker computes independent iterations one after the other.
  manager.addPass(createParallelForToNestedForsPass());
  manager.addPass(tile::createTileExpandExp());
  manager.addPass(cpu::createTileToVectorCPU());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
}

void cpu::buildLLVMPasses(OpPassManager &manager) {
  manager.addPass(cpu::createCPUStepToWorkers());
  manager.addPass(cpu::createCPUToLLVM());
  manager.addPass(context::createContextToLLVM());
  // ceildivsi and its like have no llvm op.
  manager.addPass(arith::createArithExpandOpsPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createConvertIndexToLLVMPass());
  manager.addPass(createUBToLLVMConversionPass());
  manager.addPass(createConvertFuncToLLVMPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  manager.addPass(createReconcileUnrealizedCastsPass());
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
}

void cpu::registerExternalModels(DialectRegistry &registry) {
  registerStrategy(registry);
  registerGroupLoads(registry);
}
