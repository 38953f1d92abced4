//===- PlannerTest.cpp - the planner is found by the target ---------------===//
//
// What no lit test can show, because corellama-opt registers every planner: a
// target without one is an error that says so, and each target finds its own.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/Planner.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace corellama::llama {
namespace {

/// A planner that is told from others by the keys of its blocks.
template <typename Target, int64_t Keys>
struct FakePlanner
    : PlannerInterface::ExternalModel<FakePlanner<Target, Keys>, Target> {
  mlir::Type getRowsType(mlir::Attribute, mlir::Operation *) const {
    return {};
  }
  int64_t getAttentionKeys(mlir::Attribute) const { return Keys; }
  int64_t getFewRows(mlir::Attribute) const { return 1; }
  mlir::Attribute getWeightLayout(mlir::Attribute, FormatInterface,
                                  int64_t) const {
    return {};
  }
  std::pair<mlir::Attribute, mlir::Attribute>
  getCacheLayouts(mlir::Attribute, mlir::Type, mlir::Type) const {
    return {};
  }
  KernelPlan plan(mlir::Attribute, mlir::Operation *) const { return {}; }
  mlir::Attribute getOrder(mlir::Attribute, mlir::Operation *) const {
    return {};
  }
};

class PlannerTest : public testing::Test {
protected:
  PlannerTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          message = diagnostic.str();
        }) {
    context.loadDialect<LlamaDialect, cpu::CPUDialect, cuda::CUDADialect>();
    cpu::TargetAttr::attachInterface<FakePlanner<cpu::TargetAttr, 7>>(context);
  }

  mlir::FailureOr<PlannerInterface> find(llvm::StringRef attributes) {
    module = mlir::parseSourceString<mlir::ModuleOp>(
        ("module attributes {" + attributes + "} {}").str(), &context);
    return getPlanner(*module);
  }

  mlir::MLIRContext context;
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(PlannerTest, AModuleWithoutATargetIsAnError) {
  EXPECT_TRUE(mlir::failed(find("")));
  EXPECT_EQ(message, "the module has no llama.target; the driver sets it "
                     "before specialize");
}

TEST_F(PlannerTest, ATargetWithoutAPlannerIsAnError) {
  EXPECT_TRUE(
      mlir::failed(find("llama.target = #cuda.target<name = \"cuda:sm_80\">")));
  EXPECT_EQ(message, "target 'cuda:sm_80' has no planner; register the one of "
                     "cuda");
}

TEST_F(PlannerTest, EachTargetHasItsOwn) {
  cuda::TargetAttr::attachInterface<FakePlanner<cuda::TargetAttr, 9>>(context);
  auto cpu =
      find("llama.target = #cpu.target<name = \"c\", vector_bits = 256>");
  ASSERT_TRUE(mlir::succeeded(cpu));
  EXPECT_EQ(cpu->getAttentionKeys(), 7);
  auto gpu = find("llama.target = #cuda.target<name = \"g\">");
  ASSERT_TRUE(mlir::succeeded(gpu));
  EXPECT_EQ(gpu->getAttentionKeys(), 9);
  EXPECT_EQ(message, "");
}

} // namespace
} // namespace corellama::llama
