//===- LayerNormTest.cpp - two sums of a row before it is staged ----------===//
//
// A layer_norm in two passes sums a row, then its squared deviations, and a
// stage reads the row once more. Of rows that are whole columns of each thread
// the first sum keeps what it reads for the stage (CUDAKernel::stageBehind). No
// model of the other tests has two sums of a row, so this one is written at
// phase tile, with a weight that picks some of the row's columns.
//
//===----------------------------------------------------------------------===//

#include "mlir/Transforms/Passes.h"
#include "passes/CUDA/Passes.h"
#include "test/emulator/TestKernel.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

namespace corellama::test {
namespace {

constexpr double kEps = 1e-5;
constexpr int64_t kResults = 16;

std::string normText(int64_t columns) {
  std::string text = R"mlir(
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  func.func private @norm(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c0 = arith.constant 0 : index
    %share = arith.constant dense<$SHARE> : vector<1xf32>
    %eps = arith.constant dense<1.0e-05> : vector<1xf32>
    %one = arith.constant dense<1.0> : vector<1xf32>
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer %ctx @x at 128 : memref<1x$Nxf32>
    %gain = tile.weight %ctx @norm : <$N, #llama.f32> in #llama.rowmajor index 0
    %w = tile.weight %ctx @w : <16x$N, #llama.f32> in #llama.rowmajor_split index 1
    %sum = tile.sum %x[%c0] order <lanes = 256> : memref<1x$Nxf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    %mean = arith.mulf %sum, %share : vector<1xf32>
    %m = vector.extract %mean[0] : f32 from vector<1xf32>
    %squares = tile.sum %x[%c0] order <lanes = 256> : memref<1x$Nxf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %deviation = arith.subf %a, %m : f32
      %square = arith.mulf %deviation, %deviation : f32
      tile.yield %square
    }
    %variance = arith.mulf %squares, %share : vector<1xf32>
    %biased = arith.addf %variance, %eps : vector<1xf32>
    %root = math.sqrt %biased : vector<1xf32>
    %inverse = arith.divf %one, %root : vector<1xf32>
    %h = tile.stage %x[%c0] rows(%mean, %inverse : vector<1xf32>, vector<1xf32>) columns(%gain : !llama.weight<$N, #llama.f32>) : memref<1x$Nxf32> -> <1x$Nxf32> {
    ^bb0(%a: f32, %b: f32, %r: f32, %g: f32):
      %centred = arith.subf %a, %b : f32
      %scaled = arith.mulf %centred, %r : f32
      %normed = arith.mulf %scaled, %g : f32
      tile.yield %normed
    }
    %t = tile.contract %h[%c0], %w[%c0] order <unit = #cuda.simt, block = 4, lanes = 32> : <1x$Nxf32>, !llama.weight<16x$N, #llama.f32> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }
}
)mlir";
  // With 9 digits a float32 is itself.
  char share[32];
  snprintf(share, sizeof(share), "%.8e", 1.0f / float(columns));
  for (auto [name, value] :
       {std::pair<std::string, std::string>("$SHARE", share),
        {"$N", std::to_string(columns)}})
    for (size_t at; (at = text.find(name)) != std::string::npos;)
      text.replace(at, name.size(), value);
  return text;
}

llvm::Expected<EmulatorModule> compile(int64_t columns) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(normText(columns),
                                                        &kernelContext());
  if (!module)
    return llvm::createStringError("the text does not parse");
  mlir::PassManager manager(module->getContext());
  manager.addPass(cuda::createTileToVectorCUDA());
  manager.addPass(mlir::createCanonicalizerPass());
  manager.addPass(mlir::createCSEPass());
  emulator::buildLLVMPasses(manager);
  if (mlir::failed(manager.run(*module)))
    return llvm::createStringError("a pass failed");
  return EmulatorModule::load(*module);
}

class CUDALayerNorm : public testing::TestWithParam<int64_t> {};

TEST_P(CUDALayerNorm, TwoSumsOfARowAreThoseOfItsColumns) {
  const int64_t columns = GetParam();
  auto module = compile(columns);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  KernelContextSizes sizes;
  sizes.weightBytes = sizeof(float) * size_t((1 + kResults) * columns);
  sizes.workspaceBytes = 128 + sizeof(float) * size_t(columns);
  KernelContext context(sizes);
  context.offsets = {0, sizeof(float) * uint64_t(columns)};

  std::mt19937 random(7);
  // A mean that is not small beside the deviations.
  std::normal_distribution<float> normal(0.5f, 1.0f);
  float *gain = context.weights.as<float>(), *weight = gain + columns,
        *x = context.workspace.as<float>() + 32;
  for (int64_t i = 0; i < columns; ++i) {
    gain[i] = normal(random);
    x[i] = normal(random);
  }
  auto columnOf = [&](int64_t row) { return (row * 97 + 5) % columns; };
  for (int64_t row = 0; row < kResults; ++row)
    weight[row * columns + columnOf(row)] = 1;

  double mean = 0, size = 0, variance = 0;
  for (int64_t i = 0; i < columns; ++i) {
    mean += x[i] / double(columns);
    size += std::abs(x[i]) / double(columns);
  }
  for (int64_t i = 0; i < columns; ++i)
    variance += (x[i] - mean) * (x[i] - mean) / double(columns);
  const double inverse = 1 / std::sqrt(variance + kEps);

  EmulatorOptions options = seeded(3);
  options.overlaps = true;
  ASSERT_EQ(llvm::toString(module->run("norm", context, 0, options)), "");
  // A sum of up to 3 columns a thread goes through 3 additions in a thread, 3
  // between warps and 5 between lanes, and the share is rounded and multiplied:
  // 13 roundings of the mean; of the variance 2 more, of whose error a root
  // halves what is there and adds one, the quotient another: 10. Then three
  // operations on an element.
  const double ulp = 0x1p-24;
  for (int64_t row = 0; row < kResults; ++row) {
    const int64_t i = columnOf(row);
    const double expected = (x[i] - mean) * inverse * gain[i];
    const double bound = ulp * inverse * std::abs(gain[i]) *
                         (13 * size + (10 + 3) * (std::abs(x[i]) + size));
    EXPECT_NEAR(context.workspace.as<float>()[row], expected, bound)
        << "column " << i << " of " << columns;
  }
}

// Two and three columns of each thread, kept; 300, which is read again.
INSTANTIATE_TEST_SUITE_P(Columns, CUDALayerNorm,
                         testing::Values(512, 768, 300));

} // namespace
} // namespace corellama::test
