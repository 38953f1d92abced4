//===- AttentionTest.cpp - a GPU's attention around its blocks of keys ----===//
//
// Depths around the first key, the end of a block of 64, and with so many
// blocks that merging takes turns, for all groupings of heads, head sizes and
// both cache types.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CUDA/Models.h"
#include "test/passes/CUDA/OrderedCalls.h"

namespace corellama::test {
namespace {

using CUDAAttentionTest = CUDAModelTest;

TEST_P(CUDAAttentionTest, DepthsAroundTilesAndBlocksOfKeys) {
  for (int64_t depth : {1, 2, 63, 64, 65, 257, 1000}) {
    // By default all orders and many rows at one depth: another order of
    // threads is no other case.
    bool many = takesAll() || depth == 65;
    for (const char *kernel : {"attn.decode", "merge.decode"})
      checkInOrders(*model, {kernel, /*layer=*/1, /*rows=*/1, depth - 1},
                    random, many ? kOrders : fewOrders());
    checkInOrders(*model, {"attn.prefill", /*layer=*/0, /*rows=*/1, depth - 1},
                  random, many ? kOrders : fewOrders());
    if (int64_t rows = std::min(depth, model->choice.chunk); rows > 1 && many)
      checkInOrders(*model, {"attn.prefill", /*layer=*/0, rows, depth - rows},
                    random, fewOrders());
  }
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAAttentionTest,
                         testing::ValuesIn(attentionModels()), nameOfModel);

} // namespace
} // namespace corellama::test
