//===- Pipelines.cpp - the order of the GPU's passes ----------------------===//
//
// The only place that lists them; compiler/Pipelines calls these functions for
// targets of the GPU family. Device and fibres differ in the lowering of cuda's
// words and in what is done around the kernels, and in nothing else.
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

/// Upstream's conversions of everything that is not ours.
static void addUpstreamConversions(OpPassManager &manager) {
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

void corellama::gpu::buildLLVMPasses(OpPassManager &manager) {
  manager.addPass(createGPUStepToLaunches());
  manager.addPass(createGPUToNVVM());
  manager.addPass(context::createContextToLLVM());
  addUpstreamConversions(manager);
  manager.addPass(createGPUOutlineDevice());
}

void corellama::gpu::buildFibrePasses(OpPassManager &manager) {
  manager.addPass(createGPUStepToLaunches());
  manager.addPass(createGPUToFibres());
  manager.addPass(context::createContextToLLVM());
  addUpstreamConversions(manager);
  manager.addPass(createGPUTraceAccesses());
}
