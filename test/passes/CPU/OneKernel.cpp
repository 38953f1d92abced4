//===- OneKernel.cpp - a kernel of a few ops of tile ----------------------===//
//
// See OneKernel.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/OneKernel.h"
#include "compiler/Pipelines/Pipelines.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "test/passes/Testing/Expansion.h"
#include "test/passes/Testing/TestModel.h"
#include "llvm/Support/MathExtras.h"

using namespace corellama;
using namespace corellama::test;

OneKernel OneKernel::make(const Choice &choice, std::string &message) {
  OneKernel made;
  const std::string shape =
      std::to_string(choice.rows) + "x" + std::to_string(choice.columns) + "x";
  made.rowsAt = llvm::alignTo(choice.rows * choice.columns * sizeof(float), 64);
  const std::string at = std::to_string(made.rowsAt);
  std::string text =
      "module attributes {llama.target = " + targetText(choice.target) +
      R"mlir(} {
  llama.buffer @x : tensor<)mlir" +
      shape + R"mlir(f32> at 0
  llama.buffer @rows : tensor<)mlir" +
      shape + choice.element + "> at " + at + R"mlir(
  llama.buffer @logits : tensor<1x16xf32> at 0
  func.func private @kernel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32)
      attributes {llama.partition = #llama.partition<of = rows, by = 3>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %x = tile.buffer %ctx @x at 0 : memref<)mlir" +
      shape + R"mlir(f32>
    %rows = tile.buffer_rows %ctx @rows at )mlir" +
      at + " : <" + shape + choice.element + ">\n" + choice.body +
      "    return\n  }\n}";
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &kernelContext());
  if (!module) {
    message = "the text does not parse";
    return made;
  }
  auto build = [&](auto pipeline) {
    mlir::PassManager manager(module->getContext());
    pipeline(manager, PipelineOptions());
    return mlir::succeeded(manager.run(*module));
  };
  bool isBuilt = build(buildVectorPipeline);
  if (isBuilt && choice.change)
    choice.change(*module);
  made.isExpanded = choice.alwaysExpand || !hostHas(choice.target);
  if (isBuilt && made.isExpanded)
    made.expanded = expandInstructions(*module);
  if (!isBuilt || !build(buildLLVMPipeline)) {
    message = "a pipeline failed";
    return made;
  }
  if (made.isExpanded) {
    made.expanded += expandTiles(*module);
    expandBF16(*module);
  }
  auto loaded = RunnerModule::load(*module);
  if (!loaded) {
    message = llvm::toString(loaded.takeError());
    return made;
  }
  made.module = std::make_unique<RunnerModule>(std::move(*loaded));
  KernelContextSizes sizes;
  sizes.weightBytes = choice.weightBytes;
  sizes.keyBytes = sizes.valueBytes = choice.cacheBytes;
  sizes.workspaceBytes = made.module->program().workspaceBytes;
  sizes.scratchBytes = made.module->program().scratchBytes;
  made.context = std::make_unique<KernelContext>(sizes);
  made.context->offsets = {0};
  return made;
}
