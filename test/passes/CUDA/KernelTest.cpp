//===- KernelTest.cpp - every GPU kernel against the evaluator ------------===//
//
// Decode, prefill and head of small models, as code for a GPU that fibres
// execute: each kernel alone on random inputs, under many orders of its blocks
// and threads, and decode beside prefill, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CUDA/Models.h"
#include "test/passes/CUDA/OrderedCalls.h"
#include "test/passes/Testing/Steps.h"

namespace corellama::test {
namespace {

using CUDAKernelTest = CUDAModelTest;

/// Rows of a prefill call: around a tile of 64, and the largest call.
const int64_t kRows[] = {1, 2, 63, 64, 65, 70};

/// Whether what a kernel computes depends on the position.
bool knowsPosition(TestModel &model, llvm::StringRef kernel) {
  bool knows = false;
  model.schedule->lookupSymbol(kernel)->walk([&](mlir::Operation *op) {
    knows |= mlir::isa<llama::RopeOp, llama::KVAppendOp, llama::AttentionOp,
                       llama::AttentionPartOp, llama::AttentionMergeOp>(op);
  });
  return knows;
}

TEST_P(CUDAKernelTest, DecodeComputesWhatTheEvaluatorDoes) {
  for (const auto &[kernel, layer] : kernelsOf(*model, "decode")) {
    if (!knowsPosition(*model, kernel)) {
      checkInOrders(*model, {kernel, layer, /*rows=*/1, /*position=*/5},
                    random);
      continue;
    }
    // One layer or the other.
    for (auto [i, depth] : llvm::enumerate(GetParam().depths))
      if (static_cast<int64_t>(i) % model->choice.shape.layers == layer)
        checkInOrders(*model, {kernel, layer, /*rows=*/1, depth - 1}, random);
  }
  for (const auto &[kernel, layer] : kernelsOf(*model, "lm_head"))
    checkInOrders(*model, {kernel, layer, /*rows=*/3, /*position=*/0}, random);
  for (const auto &[form, bound] : otherForms(*model))
    for (const auto &[kernel, layer] : kernelsOf(*model, form))
      checkInOrders(*model, {kernel, layer, bound - 1, /*position=*/0}, random,
                    fewOrders());
}

TEST_P(CUDAKernelTest, PrefillComputesWhatTheEvaluatorDoes) {
  for (const auto &[kernel, layer] : kernelsOf(*model, "prefill")) {
    bool ofLayer = llvm::StringRef(kernel) != "embed.prefill";
    for (auto [i, rows] : llvm::enumerate(kRows)) {
      // One layer or the other: they differ in where their weights are.
      if (ofLayer && static_cast<int64_t>(i) % 2 != layer)
        continue;
      // All orders where there are few threads, some where there are many:
      // another order of them is no other case.
      checkInOrders(*model, {kernel, layer, rows, /*position=*/4}, random,
                    rows <= 2 ? kOrders : fewOrders());
    }
  }
}

TEST_P(CUDAKernelTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

INSTANTIATE_TEST_SUITE_P(Models, CUDAKernelTest,
                         testing::ValuesIn(wholeModels()), nameOfModel);

//===----------------------------------------------------------------------===//
// Rows that nothing rounds
//===----------------------------------------------------------------------===//

using CUDAExactRowsTest = CUDAModelTest;

TEST_P(CUDAExactRowsTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAExactRowsTest,
                         testing::ValuesIn(exactRowsModels()), nameOfModel);

using CUDATensorCallsTest = CUDAModelTest;

// Rows of tensor cores are no others in a call of another size.
TEST_P(CUDATensorCallsTest, PrefillAgreesBitForBit) {
  checkCallsAgree(*model, random);
}

INSTANTIATE_TEST_SUITE_P(Models, CUDATensorCallsTest,
                         testing::ValuesIn(tensorAttentionModels()),
                         nameOfModel);

using CUDAExactGateTest = CUDAModelTest;

TEST_P(CUDAExactGateTest, GateAndUpComputeWhatTheEvaluatorDoes) {
  for (int64_t rows : {2, 65})
    checkInOrders(*model, {"gate_up.prefill", /*layer=*/1, rows, 0}, random,
                  fewOrders());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAExactGateTest,
                         testing::ValuesIn(exactGateModels()), nameOfModel);

//===----------------------------------------------------------------------===//
// Stages of tensor cores
//===----------------------------------------------------------------------===//

using CUDAStageTest = CUDAModelTest;

TEST_P(CUDAStageTest, TheLastIsComputedWhateverItsNumber) {
  for (int64_t rows : {3, 66})
    checkInOrders(*model, {"gate_up.prefill", /*layer=*/1, rows, 0}, random,
                  fewOrders());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAStageTest,
                         testing::ValuesIn(stageModels()), nameOfModel);

//===----------------------------------------------------------------------===//
// Long sums, large vocabularies
//===----------------------------------------------------------------------===//

using CUDALongSumTest = CUDAModelTest;

TEST_P(CUDALongSumTest, MainLoopsComputeWhatTheEvaluatorDoes) {
  checkInOrders(*model, {"down.decode", /*layer=*/1, /*rows=*/1, 0}, random);
  checkInOrders(*model, {"down.prefill", /*layer=*/0, /*rows=*/3, 0}, random,
                fewOrders());
}

TEST_P(CUDALongSumTest, TheHeadOfALargeVocabularyDoesToo) {
  checkInOrders(*model, {"lm_head.lm_head", /*layer=*/0, /*rows=*/2, 0}, random,
                fewOrders());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDALongSumTest,
                         testing::ValuesIn(longModels()), nameOfModel);

using CUDAWideRowTest = CUDAModelTest;

TEST_P(CUDAWideRowTest, TheEmbeddingIsRead) {
  checkInOrders(*model, {"embed.decode", /*layer=*/0, /*rows=*/1, 0}, random,
                fewOrders());
  checkInOrders(*model, {"embed.prefill", /*layer=*/0, /*rows=*/3, 0}, random,
                fewOrders());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAWideRowTest,
                         testing::ValuesIn(wideModels()), nameOfModel);

//===----------------------------------------------------------------------===//
// Sums without rounding
//===----------------------------------------------------------------------===//

using CUDAIntegerTest = CUDAModelTest;

// No product of these rows and weights is zero, so a column that is left out,
// or read twice, changes every element.
TEST_P(CUDAIntegerTest, NoColumnIsLeftOut) {
  checkInOrders(*model, {"down.decode", /*layer=*/1, /*rows=*/1, 0}, random,
                fewOrders());
  for (int64_t depth : {1, 1000})
    checkInOrders(*model, {"merge.decode", /*layer=*/0, /*rows=*/1, depth - 1},
                  random, fewOrders());
  checkInOrders(*model, {"down.prefill", /*layer=*/1, /*rows=*/3, 0}, random,
                fewOrders());
}

INSTANTIATE_TEST_SUITE_P(Models, CUDAIntegerTest,
                         testing::ValuesIn(integerModels()), nameOfModel);

} // namespace
} // namespace corellama::test
