//===- PipelinesTest.cpp - each pipeline, whole ---------------------------===//
//
// A change of a pipeline is a change of this file: passes added twice, or
// without their options, are seen here and nowhere else.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "gtest/gtest.h"

namespace corellama::test {

using llama::Phase;

static std::string print(mlir::OpPassManager &pm) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  pm.printAsTextualPipeline(stream);
  return text;
}

static std::string print(Phase first, Phase last,
                         const PipelineOptions &options) {
  mlir::OpPassManager pm(mlir::ModuleOp::getOperationName());
  buildPhases(pm, first, last, options);
  return print(pm);
}

/// Options with defaults are printed too, which says nothing about us.
static const std::string kCanonicalize =
    "canonicalize{  max-iterations=10 max-num-rewrites=-1 "
    "region-simplify=normal test-convergence=false top-down=true}";

static std::string pipeline(std::initializer_list<std::string> passes) {
  std::string text = "builtin.module(";
  for (const std::string &pass : passes)
    text += (text.back() == '(' ? "" : ",") + pass;
  return text + ")";
}

TEST(Pipelines, Import) {
  PipelineOptions options;
  EXPECT_EQ(print(Phase::Import, Phase::Import, options),
            pipeline({kCanonicalize, "llama-set-phase{phase=import}",
                      "llama-verify-phase{phase=import}"}));
}

TEST(Pipelines, SpecializeObeysTheOptions) {
  PipelineOptions options;
  options.rows = llvm::ArrayRef<int64_t>({1, 8});
  options.cacheType = "f32";
  options.activations = "q8";
  EXPECT_EQ(print(Phase::Specialize, Phase::Specialize, options),
            pipeline({"llama-specialize-forms{rows={1,8}}",
                      "llama-set-cache-type{type=f32}", "llama-set-cache-rings",
                      "llama-set-numerics{activations=q8}", kCanonicalize,
                      "cse", "llama-set-phase{phase=specialize}",
                      "llama-verify-phase{phase=specialize}"}));
}

TEST(Pipelines, FuseAndPlaceAndSchedule) {
  PipelineOptions options;
  EXPECT_EQ(
      print(Phase::Fuse, Phase::Schedule, options),
      pipeline({"llama-split-attention", "llama-fuse-kernels",
                "llama-set-phase{phase=fuse}", "llama-verify-phase{phase=fuse}",
                "llama-plan-layouts",
                "llama-plan-kernels{override= strategy=tuned}",
                "llama-set-phase{phase=plan}", "llama-verify-phase{phase=plan}",
                "llama-outline-kernels", "llama-insert-barriers",
                "llama-assign-buffers", "llama-resolve-weight-references",
                "llama-set-phase{phase=schedule}", "llama-verify-schedule",
                "llama-verify-phase{phase=schedule}"}));
}

TEST(Pipelines, Tile) {
  PipelineOptions options;
  EXPECT_EQ(print(Phase::Tile, Phase::Tile, options),
            pipeline({"llama-to-tile", kCanonicalize, "cse",
                      "llama-set-phase{phase=tile}", "llama-verify-schedule",
                      "llama-verify-phase{phase=tile}"}));
}

TEST(Pipelines, ThereIsOneForEachPhaseInOrder) {
  ASSERT_EQ(allPhasePipelines().size(), llama::allPhases().size());
  for (auto [pipeline, info] :
       llvm::zip_equal(allPhasePipelines(), llama::allPhases()))
    EXPECT_EQ(pipeline.phase, info.phase) << info.name.str();
}

TEST(Pipelines, PhasesAddUp) {
  PipelineOptions options;
  mlir::OpPassManager one(mlir::ModuleOp::getOperationName());
  for (const PhasePipeline &row : allPhasePipelines())
    buildPhase(one, row.phase, options);
  EXPECT_EQ(print(one), print(Phase::Import, Phase::LLVM, options));
}

} // namespace corellama::test
