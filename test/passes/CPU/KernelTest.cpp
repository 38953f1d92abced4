//===- KernelTest.cpp - every kernel against the evaluator ----------------===//
//
// Decode, prefill and head of a small model for each format and target: each
// kernel alone on random inputs, and decode beside prefill, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include <cstring>
#include <set>

namespace corellama::test {
namespace {

using KernelTest = CompiledModels;

TEST_P(KernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  for (const auto &[kernel, layer] : kernelsOf(*model, "decode"))
    checkKernel(*model, {kernel, layer, /*rows=*/1, /*position=*/5}, random);
  for (const auto &[kernel, layer] : kernelsOf(*model, "prefill")) {
    // A whole call, a tail of one tile and a single row.
    for (int64_t rows : {model->choice.chunk, int64_t(3), int64_t(1)})
      checkKernel(*model, {kernel, layer, rows, /*position=*/4}, random);
  }
  for (const auto &[kernel, layer] : kernelsOf(*model, "head"))
    checkKernel(*model, {kernel, layer, /*rows=*/3, /*position=*/0}, random);
}

TEST_P(KernelTest, NoKernelIsForgotten) {
  std::set<std::string> called;
  for (const char *step : {"decode", "prefill", "head"})
    for (const auto &[kernel, layer] : kernelsOf(*model, step))
      called.insert(kernel);
  std::vector<std::string> names = model->kernels().names();
  EXPECT_EQ(called, std::set<std::string>(names.begin(), names.end()));
  EXPECT_EQ(called.size(), names.size());
}

/// Runs a step on some ids from a position on.
void runStep(TestModel &model, KernelContext &context, llvm::StringRef step,
             llvm::ArrayRef<int32_t> ids, int64_t position,
             std::mt19937 &random) {
  context.setRows(ids.size(), position);
  std::copy(ids.begin(), ids.end(), context.tokens.begin());
  for (const auto &[kernel, layer] : kernelsOf(model, step))
    llvm::cantFail(model.kernels().run(kernel, static_cast<uint32_t>(layer),
                                       context, random));
}

/// The bits that a step left in the slot @x.
std::vector<uint32_t> bitsOfRows(TestModel &model, KernelContext &context,
                                 int64_t rows) {
  std::vector<uint32_t> bits;
  for (float *at :
       slotElements(model, context, "x", {rows, model.choice.shape.dim})) {
    bits.emplace_back();
    std::memcpy(&bits.back(), at, sizeof(float));
  }
  return bits;
}

TEST_P(KernelTest, DecodeEqualsPrefillBitForBit) {
  const ModelShape &s = model->choice.shape;
  // Eleven rows that cross the border of a block of keys, and what was before.
  const int64_t rows = model->choice.chunk, first = abi::kCacheBlock - 6;
  std::vector<int32_t> ids;
  for (int64_t row = 0; row < rows; ++row)
    ids.push_back(
        std::uniform_int_distribution<int32_t>(0, s.vocabulary - 1)(random));
  KernelContext whole = model->makeContext(), split = model->makeContext(),
                alone = model->makeContext();
  for (KernelContext *context : {&whole, &split, &alone}) {
    std::mt19937 same{7};
    fillCache(*model, *context, nullptr, nullptr, first, same);
  }

  runStep(*model, whole, "prefill", ids, first, random);
  std::vector<uint32_t> expected = bitsOfRows(*model, whole, rows);

  const int64_t cut = 4;
  runStep(*model, split, "prefill", llvm::ArrayRef(ids).take_front(cut), first,
          random);
  std::vector<uint32_t> got = bitsOfRows(*model, split, cut);
  runStep(*model, split, "prefill", llvm::ArrayRef(ids).drop_front(cut),
          first + cut, random);
  llvm::append_range(got, bitsOfRows(*model, split, rows - cut));
  EXPECT_EQ(got, expected) << "prefill in two calls";

  got.clear();
  for (int64_t row = 0; row < rows; ++row) {
    runStep(*model, alone, "decode", ids[row], first + row, random);
    llvm::append_range(got, bitsOfRows(*model, alone, 1));
  }
  EXPECT_EQ(got, expected) << "decode";

  for (KernelContext *context : {&split, &alone})
    for (int64_t layer = 0; layer < s.layers; ++layer)
      for (int64_t position = first; position < first + rows; ++position)
        for (bool keys : {true, false})
          for (int64_t e = 0; e < s.kvHeads * s.headSize; ++e) {
            CacheElement at{keys, layer, e / s.headSize, position,
                            e % s.headSize};
            ASSERT_EQ(readCache(*model, *context, at),
                      readCache(*model, whole, at));
          }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, KernelTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kTargets)),
    nameOfModel);

} // namespace
} // namespace corellama::test
