//===- RingTest.cpp - a GPU's attention over rings of the cache -----------===//
//
// Of a model whose attention sees a window: its kernels against the evaluator
// beyond the end of the ring, and its rows bit for bit against the same model
// that keeps the whole context.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/Steps.h"
#include "gtest/gtest.h"

namespace corellama::test {
namespace {

std::unique_ptr<TestModel> compile(const char *cacheType, bool keepsContext) {
  ModelChoice choice;
  choice.format = llama::reference::Format::F16;
  choice.target = "cuda:sm_80";
  choice.cacheType = cacheType;
  choice.shape = {.dim = 32,
                  .heads = 4,
                  .kvHeads = 2,
                  .headSize = 20,
                  .hidden = 48,
                  .vocabulary = 21,
                  .window = 200};
  choice.capacity = 1024;
  choice.emulated = true;
  choice.keepsContext = keepsContext;
  std::string message;
  auto model = TestModel::compile(choice, message);
  EXPECT_TRUE(model) << message;
  return model;
}

class CUDARingTest : public testing::TestWithParam<const char *> {};

// One test, so that a model is compiled once.
TEST_P(CUDARingTest, ComputesWhatTheEvaluatorAndTheWholeContextDo) {
  auto ring = compile(GetParam(), /*keepsContext=*/false),
       whole = compile(GetParam(), /*keepsContext=*/true);
  ASSERT_TRUE(ring && whole);
  ASSERT_LT(ring->cachePlan(true).bytes, whole->cachePlan(true).bytes);
  std::mt19937 random(12345);
  for (int64_t depth : {256, 257, 700}) {
    for (const char *kernel : {"qkv.decode", "attn.decode", "merge.decode"})
      checkKernel(*ring, {kernel, /*layer=*/1, /*rows=*/1, depth - 1}, random);
    for (const char *kernel : {"qkv.prefill", "attn.prefill"})
      checkKernel(*ring, {kernel, /*layer=*/1, /*rows=*/11, depth - 11},
                  random);
  }
  checkRingAgrees(*ring, *whole, /*first=*/507, random);
}

INSTANTIATE_TEST_SUITE_P(CacheTypes, CUDARingTest,
                         testing::Values("f16", "f32"),
                         [](const testing::TestParamInfo<const char *> &info) {
                           return std::string(info.param);
                         });

} // namespace
} // namespace corellama::test
