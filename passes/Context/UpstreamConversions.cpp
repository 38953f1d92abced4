//===- UpstreamConversions.cpp - the rest of vector to llvm ---------------===//
//
// vector -> llvm, the part that upstream's passes do. One file, because their
// order matters and is the same for every target.
//
//===----------------------------------------------------------------------===//

#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Context/Passes.h"

using namespace mlir;
using namespace corellama;

void context::addUpstreamConversions(OpPassManager &manager,
                                     ArrayRef<std::string> more) {
  // ceildivsi and similar ops have no llvm op.
  manager.addPass(arith::createArithExpandOpsPass());
  manager.addPass(createSCFToControlFlowPass());
  // A pass of its own: it first rewrites vector ops into simpler ones.
  manager.addPass(createConvertVectorToLLVMPass());
  // One pass for the other dialects: one pass each takes twice as long. The
  // dialects are named, so that corellama-opt, which knows all of upstream's,
  // converts what corellama converts.
  ConvertToLLVMPassOptions rest;
  rest.filterDialects = {"arith", "cf", "func", "math", "memref", "ub"};
  llvm::append_range(rest.filterDialects, more);
  // No pattern of these fails after it has changed something.
  rest.allowPatternRollback = false;
  manager.addPass(createConvertToLLVMPass(std::move(rest)));
  // The canonicalizer folds the casts that the two conversions leave between
  // them. Blocks stay as the loops made them: LLVM simplifies them anyway.
  GreedyRewriteConfig config;
  config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
  manager.addPass(createCanonicalizerPass(config));
  manager.addPass(createCSEPass());
}
