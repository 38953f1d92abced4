//===- KernelTest.cpp - every kernel against the evaluator ----------------===//
//
// Decode, prefill and head of a small model for each format and target: each
// kernel alone on random inputs, and decode beside prefill, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include "test/passes/Testing/Steps.h"

namespace corellama::test {
namespace {

using KernelTest = CompiledModels;

void checkEveryKernel(TestModel &model, std::mt19937 &random) {
  for (const auto &[kernel, layer] : kernelsOf(model, "decode"))
    checkKernel(model, {kernel, layer, /*rows=*/1, /*position=*/5}, random);
  for (const auto &[kernel, layer] : kernelsOf(model, "prefill")) {
    // A whole call, a tail of one tile and a single row.
    for (int64_t rows : {model.choice.chunk, int64_t(3), int64_t(1)})
      checkKernel(model, {kernel, layer, rows, /*position=*/4}, random);
  }
  for (const auto &[kernel, layer] : kernelsOf(model, "lm_head"))
    checkKernel(model, {kernel, layer, /*rows=*/3, /*position=*/0}, random);
}

TEST_P(KernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(KernelTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(KernelTest, DecodeEqualsPrefillBitForBit) {
  checkDecodeEqualsPrefill(*model, random);
}

/// The same with --activations=q8; formats without quants keep float32 rows.
class RoundedKernelTest : public CompiledModels {
  std::string activations() const override { return "q8"; }
};

TEST_P(RoundedKernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(RoundedKernelTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(RoundedKernelTest, DecodeEqualsPrefillBitForBit) {
  checkDecodeEqualsPrefill(*model, random);
}

INSTANTIATE_TEST_SUITE_P(
    Formats, RoundedKernelTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kTargets)),
    nameOfModel);

INSTANTIATE_TEST_SUITE_P(
    Formats, KernelTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kTargets)),
    nameOfModel);

} // namespace
} // namespace corellama::test
