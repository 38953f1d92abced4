//===- GroupLoadsTest.cpp - the emitted loads against the layout ----------===//
//
// Every element of random weights, packed by LayoutInterface::locate, read back
// by what GroupLoads emits: one value at a time (tile.decode), a group of rows
// from memory (decode's products) and from a decoded panel (prefill's). A
// product with a one-hot row has no sum to round, so each value is exact.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include "test/passes/Testing/RandomWeights.h"

namespace corellama::test {
namespace {

using GroupLoadsTest = CompiledModels;

/// A weight's values, rounded to float32 once, as every path must.
std::vector<float> expectedValues(TestModel &model, const std::string &name,
                                  int64_t layer) {
  const RandomWeights::Entry &entry = model.weights.entries.at({name, layer});
  std::vector<float> values;
  for (double value :
       decodeWeight(entry.format, entry.bytes, entry.shape[0], entry.shape[1]))
    values.push_back(static_cast<float>(value));
  return values;
}

TEST_P(GroupLoadsTest, EveryValueOfTheEmbeddingIsDecoded) {
  const ModelShape &s = model->choice.shape;
  std::vector<float> expected = expectedValues(*model, "token_embd", 0);
  KernelContext context = model->makeContext();
  for (const char *kernel : {"embed.decode", "embed.prefill"}) {
    int64_t most =
        std::string(kernel) == "embed.decode" ? 1 : model->choice.chunk;
    for (int64_t first = 0; first < s.vocabulary; first += most) {
      int64_t rows = std::min(most, s.vocabulary - first);
      context.setRows(rows, 0);
      for (int64_t row = 0; row < rows; ++row)
        context.tokens[row] = static_cast<int32_t>(first + row);
      runKernel(*model, kernel, 0, context, random);
      std::vector<float *> got =
          bufferElements(*model, context, "x", {rows, s.dim});
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_EQ(*got[i], expected[first * s.dim + i])
            << kernel << " token " << first + i / s.dim << " column "
            << i % s.dim;
    }
  }
}

/// Runs down on one-hot rows: columns `first` to `first` + rows of the weight.
void expectColumns(TestModel &model, KernelContext &context,
                   const std::string &form, int64_t layer, int64_t first,
                   int64_t rows, llvm::ArrayRef<float> expected,
                   std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  context.setRows(rows, 0);
  std::vector<float *> x =
      bufferElements(model, context, form + ".gate_up", {rows, s.hidden});
  for (size_t i = 0; i < x.size(); ++i)
    *x[i] = static_cast<int64_t>(i) % s.hidden ==
            first + static_cast<int64_t>(i) / s.hidden;
  for (float *residual :
       bufferElements(model, context, form + ".o", {rows, s.dim}))
    *residual = 0.0f;
  runKernel(model, "down." + form, layer, context, random);
  std::vector<float *> y = bufferElements(model, context, "x", {rows, s.dim});
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t n = 0; n < s.dim; ++n)
      ASSERT_EQ(*y[row * s.dim + n], expected[n * s.hidden + first + row])
          << "down." << form << " row " << n << " column " << first + row;
}

TEST_P(GroupLoadsTest, EveryValueOfAProductsWeightIsLoaded) {
  const ModelShape &s = model->choice.shape;
  KernelContext context = model->makeContext();
  for (int64_t layer = 0; layer < s.layers; ++layer) {
    std::vector<float> expected =
        expectedValues(*model, "blk::ffn_down", layer);
    for (int64_t k = 0; k < s.hidden; ++k)
      ASSERT_NO_FATAL_FAILURE(expectColumns(*model, context, "decode", layer, k,
                                            1, expected, random));
    for (int64_t k = 0; k < s.hidden; k += model->choice.chunk)
      ASSERT_NO_FATAL_FAILURE(expectColumns(
          *model, context, "prefill", layer, k,
          std::min(model->choice.chunk, s.hidden - k), expected, random));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Formats, GroupLoadsTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kTargets)),
    nameOfModel);

} // namespace
} // namespace corellama::test
