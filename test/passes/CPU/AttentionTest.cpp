//===- AttentionTest.cpp - attention at the borders of its blocks ---------===//
//
// Depths around the first key, the last of a block of 256 and the first of the
// next, for all groupings of heads and all types of the cache.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"

namespace corellama::test {
namespace {

using AttentionTest = CompiledModels;

TEST_P(AttentionTest, DepthsAroundABlockOfKeys) {
  for (int64_t depth : {1, 2, 255, 256, 257}) {
    for (const char *kernel : {"attn.decode", "o.decode"})
      checkKernel(*model, {kernel, /*layer=*/1, /*rows=*/1, depth - 1}, random);
    for (int64_t rows : {int64_t(1), std::min(depth, model->choice.chunk)})
      checkKernel(*model, {"attn.prefill", /*layer=*/0, rows, depth - rows},
                  random);
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, AttentionTest,
                         testing::ValuesIn(inTurn(llvm::to_vector(
                             llvm::seq<size_t>(0, std::size(kFormatCases))))),
                         nameOfModel);

} // namespace
} // namespace corellama::test
