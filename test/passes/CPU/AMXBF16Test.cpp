//===- AMXBF16Test.cpp - products of bf16 in matrices, bit for bit --------===//
//
// What docs/bits.md says of #cpu.amx_bf16, computed here and compared with
// kernels without a tolerance: by matrices, of two and of one of each operand,
// and by vectors; random numbers, subnormal ones and those that are not finite;
// whole blocks of columns, a part of one, and both. And the loops that measure
// what matrices multiply at most.
//
//===----------------------------------------------------------------------===//

#include "compiler/CodeGen/CodeGen.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Target/Target.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "passes/CPU/CeilingLoops.h"
#include "test/passes/CPU/BF16Numbers.h"
#include "test/passes/Testing/TestModel.h"
#include "gtest/gtest.h"

namespace corellama::test {
namespace {

/// More than are multiplied: what is left in their place is all in their
/// memory.
constexpr int64_t kRows = 64, kWeightRows = 32;

float product(const uint16_t *x, const uint16_t *w, int64_t columns) {
  float sum = 0;
  for (int64_t block = 0; block < columns; block += 32) {
    float chains[2] = {0, 0};
    for (int64_t k = block; k < std::min(block + 32, columns); ++k)
      chains[k % 2] =
          flush(std::fma(numberOf(w[k]), numberOf(x[k]), chains[k % 2]));
    sum = flush(sum + flush(chains[0] + chains[1]));
  }
  return sum;
}

/// How many columns there are.
class AMXBF16Test : public testing::TestWithParam<int64_t> {
protected:
  /// What a contraction leaves: its first row of x and of the weight, and its
  /// shape, in the floats from `at` on.
  struct Result {
    int64_t row, weightRow, m, n, at;
  };
  static constexpr Result kResults[] = {
      {0, 0, 32, 32, 0}, {3, 16, 16, 16, 1024}, {3, 16, 8, 16, 1280}};

  void SetUp() override {
    const std::string columns = std::to_string(GetParam());
    auto format = llama::BF16Attr::get(&kernelContext());
    auto layout = mlir::cast<llama::LayoutInterface>(
        mlir::Attribute(llama::Interleaved16Attr::getFor(format)));
    packer.emplace(llvm::cantFail(
        image::Packer::create(format, layout, kWeightRows, GetParam())));
    std::string body =
        "%c16 = arith.constant 16 : index\n"
        "%w = tile.weight %ctx @w : <32x" +
        columns + ", #llama.bf16> in #llama.interleaved16<k = 2> index 0\n";
    for (const Result &result : kResults) {
      auto at = [](int64_t row) { return "[%c" + std::to_string(row) + "]"; };
      const std::string number = std::to_string(result.at),
                        shape = std::to_string(result.m) + "x" +
                                std::to_string(result.n) + "xf32>";
      body += "%p" + number + " = tile.contract %rows" + at(result.row) +
              ", %w" + at(result.weightRow) +
              " order <unit = #cpu.amx_bf16, block = 32> : <64x" + columns +
              "xbf16>, !llama.weight<32x" + columns +
              ", #llama.bf16> -> vector<" + shape + "\n%y" + number +
              " = tile.buffer %ctx @x at " + std::to_string(4 * result.at) +
              " : memref<" + shape + "\ntile.store %p" + number + ", %y" +
              number + "[%c0, %c0] : vector<" + shape + ", memref<" + shape +
              "\n";
    }
    OneKernel::Choice choice{"sapphirerapids", "bf16", GetParam(), body,
                             packer->bytes()};
    choice.rows = kRows;
    std::string message;
    kernel = OneKernel::make(choice, message);
    ASSERT_TRUE(kernel.module) << message;
  }

  /// Rows and a weight of numbers that `draw` gives, multiplied.
  void check(llvm::function_ref<uint16_t()> draw, const std::string &what) {
    const int64_t columns = GetParam();
    std::vector<uint16_t> x(kRows * columns), w(kWeightRows * columns);
    std::generate(x.begin(), x.end(), draw);
    std::generate(w.begin(), w.end(), draw);
    multiply(kernel, *packer, x, w);
    for (const Result &result : kResults)
      for (int64_t i = 0; i < result.m; ++i)
        for (int64_t r = 0; r < result.n; ++r) {
          float expected =
              product(&x[(result.row + i) * columns],
                      &w[(result.weightRow + r) * columns], columns);
          float got = kernel.floats()[result.at + i * result.n + r];
          ASSERT_TRUE(isSame(got, expected))
              << what << ", " << result.m << " x " << result.n << ": row " << i
              << " of x, row " << r << ": " << got << ", expected " << expected;
        }
  }

  std::optional<image::Packer> packer;
  OneKernel kernel;
  std::mt19937 random{2027};
};

TEST_P(AMXBF16Test, GivesTheBitsOfTheFormula) {
  for (int round = 0; round < 4; ++round)
    ASSERT_NO_FATAL_FAILURE(check(
        [&] { return drawNormal(random, std::exp2(8.0f * round)); }, "random"));
  // Products around 2^-126, and operands on both sides of it.
  for (int exponent : {1, 62, 64}) {
    ASSERT_NO_FATAL_FAILURE(
        check([&] { return drawNear(random, exponent); },
              "subnormal, exponent " + std::to_string(exponent)));
  }
  // An infinity here and there, so that some sums have one and some none.
  std::uniform_int_distribution<int> chance(0, 599);
  ASSERT_NO_FATAL_FAILURE(check(
      [&] {
        int which = chance(random);
        return static_cast<uint16_t>(which < 2 ? 0x7f80 | which << 15
                                               : drawNormal(random, 1));
      },
      "infinities"));
}

/// What `corellama bench` measures on such a machine: nothing but products, in
/// code that LLVM accepts.
TEST(AMXCeilings, AreLoopsOfProducts) {
  mlir::MLIRContext &context = kernelContext();
  auto target = mlir::cast<cpu::TargetAttr>(
      llvm::cantFail(resolveTarget(context, "sapphirerapids")));
  cpu::CeilingLoops made = cpu::buildCeilingLoops(
      target, {cpu::AMXBF16Attr::get(&context),
               cpu::DotU8S8Attr::get(&context, /*digits=*/1)});
  mlir::PassManager manager(&context);
  buildLLVMPipeline(manager, PipelineOptions());
  ASSERT_TRUE(mlir::succeeded(manager.run(*made.module)));
  llvm::StringMap<int> calls;
  made.module->walk(
      [&](mlir::LLVM::CallIntrinsicOp op) { ++calls[op.getIntrin()]; });
  EXPECT_EQ(calls["llvm.x86.tdpbf16ps.internal"], 4);
  EXPECT_EQ(calls["llvm.x86.tdpbssd.internal"], 4);
  auto object = codegen::compileToObject(*made.module);
  EXPECT_TRUE(static_cast<bool>(object)) << llvm::toString(object.takeError());
}

INSTANTIATE_TEST_SUITE_P(Columns, AMXBF16Test,
                         testing::Values<int64_t>(198, 64, 30),
                         testing::PrintToStringParamName());

} // namespace
} // namespace corellama::test
