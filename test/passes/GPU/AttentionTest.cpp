//===- AttentionTest.cpp - a GPU's attention at the borders of its blocks
//--===//
//
// Depths around the first key, half a tile of keys, the end of a block of 256
// and the last block of four, for all groupings of heads, head sizes and both
// cache types.
//
//===----------------------------------------------------------------------===//

#include "test/passes/GPU/Models.h"
#include "test/passes/GPU/OrderedCalls.h"

namespace corellama::test {
namespace {

using GPUAttentionTest = GPUModelTest;

TEST_P(GPUAttentionTest, DepthsAroundTilesAndBlocksOfKeys) {
  for (int64_t depth : {1, 2, 63, 64, 65, 257, 1000}) {
    for (const char *kernel : {"attn.decode", "o.decode"})
      checkInOrders(*model, {kernel, /*layer=*/1, /*rows=*/1, depth - 1},
                    random);
    for (int64_t rows : {int64_t(1), std::min(depth, model->choice.chunk)})
      checkInOrders(*model, {"attn.prefill", /*layer=*/0, rows, depth - rows},
                    random, takesAll() || rows <= 2 ? kOrders : 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GPUAttentionTest,
                         testing::ValuesIn(attentionModels()), nameOfModel);

} // namespace
} // namespace corellama::test
