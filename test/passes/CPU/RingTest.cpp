//===- RingTest.cpp - windows whose cache is a ring -----------------------===//
//
// Kernels of models whose attention sees a window, at positions far beyond it:
// against the evaluator, and bit for bit against the same models that keep the
// whole context. Sizes and types of the cache are those of Models.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/Steps.h"

namespace corellama::test {
namespace {

/// Of kFormatCases: caches in f32, f16, q8_0, and bf16 with q8_0.
struct RingCase {
  size_t format;
  const char *target;
  /// The window, which with calls of 11 rows takes a ring of 256 positions up
  /// to 246, and one of 512 from there on.
  int64_t window;
  /// Whether bits are compared with a cache of the context.
  bool comparesBits;
};
constexpr RingCase kRingCases[] = {{0, "x86-64-v4", 19, true},
                                   {1, "x86-64-v3", 246, false},
                                   {6, "x86-64-v4", 247, false},
                                   {10, "x86-64-v3", 100, true}};

void PrintTo(const RingCase &given, std::ostream *out) {
  *out << "window " << given.window << " for " << given.target;
}

std::unique_ptr<TestModel> compile(const RingCase &given, bool keepsContext) {
  const FormatCase &row = kFormatCases[given.format];
  ModelChoice choice{row.format, given.target, row.cacheType, row.shape};
  choice.shape.window = given.window;
  choice.activations = "f32";
  choice.forms = {4};
  choice.capacity = 2048;
  choice.keepsContext = keepsContext;
  std::string message;
  auto model = TestModel::compile(choice, message);
  EXPECT_TRUE(model) << message;
  return model;
}

void checkKernels(TestModel &ring, std::mt19937 &random) {
  const std::pair<const char *, int64_t> calls[] = {
      {"decode", 1}, {"rows4", 3}, {"prefill", 11}};
  for (int64_t depth : {255, 256, 257, 513, 1500})
    for (auto [form, rows] : calls)
      for (const auto &[kernel, layer] : kernelsOf(ring, form)) {
        llvm::StringRef name = kernel;
        if (layer == 1 && (name.starts_with("attn") || name.starts_with("o.") ||
                           name.starts_with("qkv")))
          checkKernel(ring, {kernel, layer, rows, depth - rows}, random);
      }
}

class RingTest : public testing::TestWithParam<RingCase> {};

// One test, so that a model is compiled once.
TEST_P(RingTest, ComputesWhatTheEvaluatorAndTheWholeContextDo) {
  if (!hostHas(GetParam().target))
    GTEST_SKIP() << "this machine does not run " << GetParam().target;
  std::mt19937 random(12345);
  auto ring = compile(GetParam(), /*keepsContext=*/false);
  ASSERT_TRUE(ring);
  checkKernels(*ring, random);
  if (!GetParam().comparesBits)
    return;
  auto whole = compile(GetParam(), /*keepsContext=*/true);
  ASSERT_TRUE(whole);
  ASSERT_LT(ring->cachePlan(true).bytes, whole->cachePlan(true).bytes);
  // Eleven rows, of which each in turn is the first behind the end of the ring.
  for (int64_t before = 0; before <= 11; ++before)
    checkRingAgrees(*ring, *whole, 1024 - before, random);
  checkFormsAgree(*ring, random);
}

INSTANTIATE_TEST_SUITE_P(Windows, RingTest, testing::ValuesIn(kRingCases),
                         [](const testing::TestParamInfo<RingCase> &info) {
                           return "window_" + std::to_string(info.param.window);
                         });

} // namespace
} // namespace corellama::test
