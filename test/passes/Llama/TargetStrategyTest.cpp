//===- TargetStrategyTest.cpp - a family's table is found by its target ---===//
//
// What no lit test can show, because corellama-opt registers every table: a
// family without one is an error that says so, and each family finds its own.
//
//===----------------------------------------------------------------------===//

#include "passes/Llama/TargetStrategy.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

namespace corellama::llama {
namespace {

/// A table that is told from others by the keys of its blocks.
template <typename Strategy, int64_t Keys>
struct FakeTable
    : StrategyInterface::ExternalModel<FakeTable<Strategy, Keys>, Strategy> {
  mlir::Type getRowsType(mlir::Attribute, const TargetAttr &,
                         mlir::Operation *) const {
    return {};
  }
  int64_t getAttentionKeys(mlir::Attribute, const TargetAttr &) const {
    return Keys;
  }
  mlir::Attribute getWeightLayout(mlir::Attribute, const TargetAttr &,
                                  FormatInterface, int64_t) const {
    return {};
  }
  std::pair<mlir::Attribute, mlir::Attribute>
  getCacheLayouts(mlir::Attribute, const TargetAttr &, mlir::Type) const {
    return {};
  }
  KernelPlan plan(mlir::Attribute, const TargetAttr &,
                  mlir::Operation *) const {
    return {};
  }
  mlir::Attribute getOrder(mlir::Attribute, const TargetAttr &,
                           mlir::Operation *) const {
    return {};
  }
};

class TargetStrategyTest : public testing::Test {
protected:
  TargetStrategyTest()
      : handler(&context, [this](mlir::Diagnostic &diagnostic) {
          message = diagnostic.str();
        }) {
    context.loadDialect<LlamaDialect>();
  }

  mlir::FailureOr<TargetStrategy> find(llvm::StringRef target) {
    module = mlir::parseSourceString<mlir::ModuleOp>(
        ("module attributes {llama.target = #llama.target<" + target + ">} {}")
            .str(),
        &context);
    return getTargetStrategy(*module);
  }

  mlir::MLIRContext context;
  std::string message;
  mlir::ScopedDiagnosticHandler handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

TEST_F(TargetStrategyTest, AFamilyWithoutATableIsAnError) {
  CPUAttr::attachInterface<FakeTable<CPUAttr, 7>>(context);
  EXPECT_TRUE(mlir::failed(find("family = gpu, name = \"cuda:sm_80\"")));
  EXPECT_EQ(message, "target 'cuda:sm_80' of family gpu has no table of "
                     "strategies; register the one of its family");
}

TEST_F(TargetStrategyTest, EachFamilyHasItsOwnTable) {
  CPUAttr::attachInterface<FakeTable<CPUAttr, 7>>(context);
  GPUAttr::attachInterface<FakeTable<GPUAttr, 9>>(context);
  auto cpu = find("family = cpu, name = \"c\"");
  ASSERT_TRUE(mlir::succeeded(cpu));
  EXPECT_EQ(cpu->target.getName().getValue(), "c");
  EXPECT_EQ(cpu->table.getAttentionKeys(cpu->target), 7);
  auto gpu = find("family = gpu, name = \"g\"");
  ASSERT_TRUE(mlir::succeeded(gpu));
  EXPECT_EQ(gpu->table.getAttentionKeys(gpu->target), 9);

  auto strategy = GPUAttr::get(&context, Unit::MMA, 128, 64, 64, 32, 2);
  EXPECT_TRUE(isStrategyOf(*gpu, strategy));
  EXPECT_FALSE(isStrategyOf(*cpu, strategy));
  EXPECT_EQ(message, "");
}

} // namespace
} // namespace corellama::llama
