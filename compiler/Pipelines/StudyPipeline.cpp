//===- StudyPipeline.cpp - linalg on tensors to llvm ----------------------===//
//
// See StudyPipeline.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/StudyPipeline.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ComplexToLLVM/ComplexToLLVM.h"
#include "mlir/Conversion/ComplexToStandard/ComplexToStandard.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Pass/PassRegistry.h"
#include "passes/Context/Passes.h"

using namespace mlir;

void corellama::buildStudyPipeline(OpPassManager &manager) {
  bufferization::OneShotBufferizePassOptions bufferize;
  bufferize.bufferizeFunctionBoundaries = true;
  manager.addPass(bufferization::createOneShotBufferizePass(bufferize));
  manager.addPass(createConvertLinalgToLoopsPass());
  // A complex product is four products and two sums, as in the formula.
  ConvertComplexToStandardPassOptions complex;
  complex.complexRange = complex::ComplexRangeFlags::basic;
  manager.addPass(createConvertComplexToStandardPass(complex));
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createLowerAffinePass());
  manager.addPass(createConvertComplexToLLVMPass());
  context::addUpstreamConversions(manager);
}

void corellama::registerStudyPipeline() {
  PassPipelineRegistration<>("corellama-study-pipeline",
                             "linalg on tensors to llvm, by upstream's passes: "
                             "scalar code, for the study alone",
                             buildStudyPipeline);
}

void corellama::registerStudyDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, bufferization::BufferizationDialect,
                  complex::ComplexDialect, linalg::LinalgDialect,
                  tensor::TensorDialect>();
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
}
