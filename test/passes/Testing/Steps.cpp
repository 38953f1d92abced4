//===- Steps.cpp - whole steps, kernel by kernel --------------------------===//
//
// See Steps.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/Steps.h"
#include "gtest/gtest.h"
#include <cstring>

namespace corellama::test {

/// Runs a step on some ids from a position on.
static void runStep(TestModel &model, KernelContext &context,
                    llvm::StringRef step, llvm::ArrayRef<int32_t> ids,
                    int64_t position, std::mt19937 &random) {
  context.setRows(ids.size(), position);
  std::copy(ids.begin(), ids.end(), context.tokens.begin());
  for (const auto &[kernel, layer] : kernelsOf(model, step))
    runKernel(model, kernel, layer, context, random);
}

/// The bits that a step left in the buffer @x.
static std::vector<uint32_t> bitsOfRows(TestModel &model,
                                        KernelContext &context, int64_t rows) {
  std::vector<uint32_t> bits;
  for (float *at :
       bufferElements(model, context, "x", {rows, model.choice.shape.dim})) {
    bits.emplace_back();
    std::memcpy(&bits.back(), at, sizeof(float));
  }
  return bits;
}

void checkDecodeEqualsPrefill(TestModel &model, std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  // Eleven rows that cross the border of a block of keys, and what was before.
  const int64_t rows = 11, first = abi::kCacheBlock - 6;
  std::vector<int32_t> ids;
  for (int64_t row = 0; row < rows; ++row)
    ids.push_back(
        std::uniform_int_distribution<int32_t>(0, s.vocabulary - 1)(random));
  KernelContext whole = model.makeContext(), split = model.makeContext(),
                alone = model.makeContext();
  for (KernelContext *context : {&whole, &split, &alone}) {
    std::mt19937 same{7};
    fillCache(model, *context, nullptr, nullptr, first, same);
  }

  runStep(model, whole, "prefill", ids, first, random);
  std::vector<uint32_t> expected = bitsOfRows(model, whole, rows);

  const int64_t partition = 4;
  runStep(model, split, "prefill", llvm::ArrayRef(ids).take_front(partition),
          first, random);
  std::vector<uint32_t> got = bitsOfRows(model, split, partition);
  runStep(model, split, "prefill", llvm::ArrayRef(ids).drop_front(partition),
          first + partition, random);
  llvm::append_range(got, bitsOfRows(model, split, rows - partition));
  EXPECT_EQ(got, expected) << "prefill in two calls";

  got.clear();
  for (int64_t row = 0; row < rows; ++row) {
    runStep(model, alone, "decode", ids[row], first + row, random);
    llvm::append_range(got, bitsOfRows(model, alone, 1));
  }
  EXPECT_EQ(got, expected) << "decode";

  for (KernelContext *context : {&split, &alone})
    for (int64_t layer = 0; layer < s.layers; ++layer)
      for (int64_t position = first; position < first + rows; ++position)
        for (bool keys : {true, false})
          for (int64_t e = 0; e < s.kvHeads * s.headSize; ++e) {
            CacheElement at{keys, layer, e / s.headSize, position,
                            e % s.headSize};
            ASSERT_EQ(readCache(model, *context, at),
                      readCache(model, whole, at));
          }
}

} // namespace corellama::test
