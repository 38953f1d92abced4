//===- ExpTest.cpp - exp as kernels compute it ----------------------------===//
//
// The polynomial of tile-expand-exp, compiled for each target and compared with
// exp in float64 on floats from all over its range.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Runner/Runner.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "test/passes/Testing/TestModel.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <limits>

namespace corellama::test {
namespace {

constexpr int64_t kRows = 4096, kColumns = 16;

class ExpTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    if (!hostHas(GetParam()))
      GTEST_SKIP() << "this machine does not run " << GetParam();
    std::string text = R"mlir(
module attributes {llama.target = )mlir" +
                       targetText(GetParam()) +
                       R"mlir(} {
  llama.buffer @x : tensor<4096x16xf32> at 0
  llama.buffer @logits : tensor<1x16xf32> at 0
  func.func private @exp(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32)
      attributes {llama.partition = #llama.partition<of = rows, by = 4096>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %rows = arith.constant 4096 : index
    %x = tile.buffer %ctx @x at 0 : memref<4096x16xf32>
    scf.for %row = %c0 to %rows step %c1 {
      %a = tile.load %x[%row, %c0] : memref<4096x16xf32> -> vector<1x16xf32>
      %e = math.exp %a : vector<1x16xf32>
      tile.store %e, %x[%row, %c0] : vector<1x16xf32>, memref<4096x16xf32>
    }
    return
  }
})mlir";
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &kernelContext());
    ASSERT_TRUE(module);
    mlir::PassManager manager(module->getContext());
    buildVectorPipeline(manager, PipelineOptions());
    buildLLVMPipeline(manager, PipelineOptions());
    ASSERT_TRUE(mlir::succeeded(manager.run(*module)));
    auto made = RunnerModule::load(*module);
    ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
    loaded = std::make_unique<RunnerModule>(std::move(*made));
    KernelContextSizes sizes;
    sizes.workspaceBytes = loaded->program().workspaceBytes;
    sizes.scratchBytes = loaded->program().scratchBytes;
    context = std::make_unique<KernelContext>(sizes);
  }

  /// exp of every value.
  std::vector<float> exp(std::vector<float> values) {
    const abi::Kernel *kernel = loaded->lookup("exp");
    std::vector<float> results;
    values.resize((values.size() + kRows * kColumns - 1) / (kRows * kColumns) *
                  kRows * kColumns);
    for (size_t first = 0; first < values.size(); first += kRows * kColumns) {
      std::memcpy(context->workspace.data(), values.data() + first,
                  kRows * kColumns * sizeof(float));
      context->run(*kernel, 0);
      const float *got = context->workspace.as<float>();
      results.insert(results.end(), got, got + kRows * kColumns);
    }
    return results;
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::unique_ptr<RunnerModule> loaded;
  std::unique_ptr<KernelContext> context;
};

/// The distance of two neighbouring floats at x.
double unitInTheLastPlace(double x) {
  return std::ldexp(1.0, std::max(std::ilogb(x), -126) - 23);
}

TEST_P(ExpTest, IsWithinItsBound) {
  // Floats of both signs evenly in their bits, so that every exponent has its
  // share, and evenly in [-87, 88], where results have every exponent.
  std::vector<float> values;
  for (uint32_t bits = 0; bits < 0x42b00000; bits += 1009)
    for (uint32_t sign : {0u, 0x80000000u}) {
      uint32_t pattern = bits | sign;
      float value;
      std::memcpy(&value, &pattern, sizeof(value));
      if (value >= -87.0f)
        values.push_back(value);
    }
  for (int i = 0; i <= 1000000; ++i)
    values.push_back(-87.0f + 175.0f * static_cast<float>(i) / 1000000.0f);

  std::vector<float> got = exp(values);
  double worst = 0;
  float where = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double expected = std::exp(static_cast<double>(values[i]));
    double error = std::abs(got[i] - expected) / unitInTheLastPlace(expected);
    // Not a number compares as worse.
    if (!(error <= worst)) {
      worst = error;
      where = values[i];
    }
  }
  EXPECT_LE(worst, 1.2) << "exp(" << where << ")";
}

TEST_P(ExpTest, IsExactAtZeroAndFlushesWhatIsTiny) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> tiny = {-87.34f, -88.0f, -100.0f, -1.0e30f, -infinity};
  std::vector<float> got = exp(tiny);
  for (size_t i = 0; i < tiny.size(); ++i) {
    uint32_t bits;
    std::memcpy(&bits, &got[i], sizeof(bits));
    EXPECT_EQ(bits, 0u) << "exp(" << tiny[i] << ") is +0";
  }
  got = exp({0.0f, -0.0f, 88.0f, 89.0f, infinity, -87.33f});
  EXPECT_EQ(got[0], 1.0f);
  EXPECT_EQ(got[1], 1.0f);
  // Above 88 the result stays.
  EXPECT_EQ(got[3], got[2]);
  EXPECT_EQ(got[4], got[2]);
  EXPECT_GT(got[5], 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Targets, ExpTest,
                         testing::Values("x86-64-v3", "x86-64-v4"),
                         [](const auto &info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace corellama::test
