//===- StudyPipeline.h - linalg on tensors to llvm ------------------------===//
//
// Upstream's scalar lowering ("stock lowering") for what the passes of the
// study leave: for `corellama eval --native --lowering` and corellama-opt.
// Apart from Pipelines.h because no program is compiled by it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_PIPELINES_STUDYPIPELINE_H
#define CORELLAMA_COMPILER_PIPELINES_STUDYPIPELINE_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

namespace corellama {

/// Functions on tensors -> functions on pointers. Buffers are allocated and
/// never freed; sine, cosine, exp and others are calls of libm.
void buildStudyPipeline(mlir::OpPassManager &manager);

/// Makes it --corellama-study-pipeline.
void registerStudyPipeline();

/// What it needs beside registerAllDialects.
void registerStudyDialects(mlir::DialectRegistry &registry);

} // namespace corellama

#endif // CORELLAMA_COMPILER_PIPELINES_STUDYPIPELINE_H
