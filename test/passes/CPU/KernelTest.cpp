//===- KernelTest.cpp - every kernel against the evaluator ----------------===//
//
// Decode, prefill and head of a small model for each format and target, and
// forms of few rows of some: each kernel alone on random inputs, and all forms
// beside each other, bit for bit.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/Models.h"
#include "test/passes/Testing/KernelCall.h"
#include "test/passes/Testing/Steps.h"
#include "llvm/ADT/Sequence.h"
#include <set>

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

TEST_P(KernelTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

TEST_P(KernelTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

/// The same with --activations=q8; formats without quants keep float32 rows.
class RoundedKernelTest : public CompiledModels {
  std::string activations() const override { return "q8"; }
};

TEST_P(RoundedKernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(RoundedKernelTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(RoundedKernelTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

TEST_P(RoundedKernelTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundedKernelTest,
                         testing::ValuesIn(inTurn(llvm::to_vector(
                             llvm::seq<size_t>(0, std::size(kFormatCases))))),
                         nameOfModel);

/// The same with --activations=x24, and a tile that is full and one row.
class DigitKernelTest : public RoundedKernelTest {
protected:
  DigitKernelTest() { chunk = 17; }

private:
  std::string activations() const override { return "x24"; }
};

TEST_P(DigitKernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(DigitKernelTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(DigitKernelTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

TEST_P(DigitKernelTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

// All that have quants.
INSTANTIATE_TEST_SUITE_P(Formats, DigitKernelTest,
                         testing::ValuesIn(inTurn({3, 4, 5, 6, 7, 8, 9, 10, 11,
                                                   12, 13, 14, 15})),
                         nameOfModel);

INSTANTIATE_TEST_SUITE_P(
    Formats, KernelTest,
    testing::Combine(testing::Range<size_t>(0, std::size(kFormatCases)),
                     testing::ValuesIn(kTargets)),
    nameOfModel);

//===----------------------------------------------------------------------===//
// Forms of few rows, and the first that is not
//===----------------------------------------------------------------------===//

class FormTest : public CompiledModels {
protected:
  /// To 256-bit vectors two rows are few.
  FormTest() { forms = {2, 3}; }

  /// As many rows as there is room for, a tail and a single one; in one block
  /// of keys, and on both sides of its border.
  void checkForms() {
    for (const auto &[form, bound] : otherForms(*model))
      for (const auto &[kernel, layer] : kernelsOf(*model, form))
        for (int64_t rows : std::set<int64_t>{bound, bound - 1, 1})
          for (int64_t position : {int64_t(4), int64_t(abi::kCacheBlock) - 1})
            checkKernel(*model, {kernel, layer, rows, position}, random);
  }
};

TEST_P(FormTest, EveryKernelComputesWhatTheEvaluatorDoes) { checkForms(); }

TEST_P(FormTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(FormTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

// Rows of F16 and of no whole blocks; one scale; minima; levels of scales.
INSTANTIATE_TEST_SUITE_P(Formats, FormTest,
                         testing::ValuesIn(inTurn({1, 3, 5, 6})), nameOfModel);

/// Tiles of few rows that read several groups of a weight side by side.
class StreamTest : public FormTest {
protected:
  StreamTest() {
    forms = {2};
    shape = &kLargeShape;
  }
};

TEST_P(StreamTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

TEST_P(StreamTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

// Floats, bytes, minima, levels of scales.
INSTANTIATE_TEST_SUITE_P(Formats, StreamTest,
                         testing::ValuesIn(inTurn({2, 3, 5, 6})), nameOfModel);

class RoundedStreamTest : public StreamTest {
  std::string activations() const override { return "q8"; }
};

TEST_P(RoundedStreamTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

TEST_P(RoundedStreamTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

INSTANTIATE_TEST_SUITE_P(Formats, RoundedStreamTest,
                         testing::ValuesIn(inTurn({3, 5, 6})), nameOfModel);

class DigitStreamTest : public StreamTest {
  std::string activations() const override { return "x24"; }
};

TEST_P(DigitStreamTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

TEST_P(DigitStreamTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

INSTANTIATE_TEST_SUITE_P(Formats, DigitStreamTest,
                         testing::Combine(testing::Values<size_t>(5),
                                          testing::Values("x86-64-v3")),
                         nameOfModel);

/// The same code on 512-bit vectors, whose groups are one register each.
class WideStreamTest : public RoundedStreamTest {
protected:
  WideStreamTest() { vectorBits = 512; }
};

TEST_P(WideStreamTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

INSTANTIATE_TEST_SUITE_P(Formats, WideStreamTest,
                         testing::Combine(testing::Values<size_t>(2, 3, 5),
                                          testing::Values("x86-64-v3")),
                         nameOfModel);

/// Eight rows are few to 512-bit vectors only, which not every machine has.
class WideFormTest : public FormTest {
protected:
  /// A tile that is not full, a full one, and more than one.
  WideFormTest() {
    vectorBits = 512;
    forms = {3, 8, 9};
  }
};

TEST_P(WideFormTest, EveryKernelComputesWhatTheEvaluatorDoes) { checkForms(); }

TEST_P(WideFormTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

// Formats whose quants are not looked up in a 512-bit register.
INSTANTIATE_TEST_SUITE_P(Formats, WideFormTest,
                         testing::Combine(testing::Values<size_t>(1, 3),
                                          testing::Values("x86-64-v3")),
                         nameOfModel);

/// Few rows are rounded in the prologues of their readers.
class RoundedFormTest : public WideFormTest {
  std::string activations() const override { return "q8"; }
};

TEST_P(RoundedFormTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkForms();
}

TEST_P(RoundedFormTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

// One scale; minima; levels of scales.
INSTANTIATE_TEST_SUITE_P(Formats, RoundedFormTest,
                         testing::Combine(testing::Values<size_t>(3, 5, 6),
                                          testing::Values("x86-64-v3")),
                         nameOfModel);

/// Rows of three digits, of which a loop has four.
class DigitFormTest : public WideFormTest {
  std::string activations() const override { return "x24"; }
};

TEST_P(DigitFormTest, EveryKernelComputesWhatTheEvaluatorDoes) { checkForms(); }

TEST_P(DigitFormTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

// Minima; levels of scales.
INSTANTIATE_TEST_SUITE_P(Formats, DigitFormTest,
                         testing::Combine(testing::Values<size_t>(5, 6),
                                          testing::Values("x86-64-v3")),
                         nameOfModel);

/// Rows of bf16, multiplied by BF16 weights two columns at a time.
class PairsTest : public WideFormTest {
protected:
  PairsTest() {
    expands = true;
    shape = &kEvenShape;
    vectorBits = 0;
  }

private:
  std::string activations() const override { return "bf16"; }
};

TEST_P(PairsTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

TEST_P(PairsTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(PairsTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

TEST_P(PairsTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

/// Several groups of a weight side by side.
class PairStreamTest : public PairsTest {
protected:
  PairStreamTest() {
    forms = {2};
    shape = &kLargeShape;
  }
};

TEST_P(PairStreamTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(PairStreamTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

// BF16.
INSTANTIATE_TEST_SUITE_P(Formats, PairsTest,
                         testing::Combine(testing::Values<size_t>(2),
                                          testing::Values("znver4")),
                         nameOfModel);
INSTANTIATE_TEST_SUITE_P(Formats, PairStreamTest,
                         testing::Combine(testing::Values<size_t>(2),
                                          testing::Values("znver4")),
                         nameOfModel);

/// The same rows and weights, summed as matrices do it, by them where rows are
/// many and by vectors where they are few.
class MatrixTest : public PairsTest {
protected:
  MatrixTest() {
    // One matrix of rows, which is not full, and two.
    forms = {13};
    chunk = 37;
    shape = &kMatrixShape;
  }

private:
  std::string activations() const override { return "amx"; }
};

TEST_P(MatrixTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
  checkForms();
}

TEST_P(MatrixTest, NoKernelIsForgotten) { checkNoneIsForgotten(*model); }

TEST_P(MatrixTest, FormsAgreeBitForBit) { checkFormsAgree(*model, random); }

TEST_P(MatrixTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

/// Rows of 8 bits, many of which are multiplied as matrices.
class ByteMatrixKernelTest : public MatrixTest {
protected:
  ByteMatrixKernelTest() {
    forms = {};
    shape = nullptr;
  }

private:
  std::string activations() const override { return "q8"; }
};

TEST_P(ByteMatrixKernelTest, EveryKernelComputesWhatTheEvaluatorDoes) {
  checkEveryKernel(*model, random);
}

TEST_P(ByteMatrixKernelTest, FormsAgreeBitForBit) {
  checkFormsAgree(*model, random);
}

TEST_P(ByteMatrixKernelTest, HostileRowsStayAmongThemselves) {
  checkHostileRows(*model, random);
}

// Minima; levels of scales.
INSTANTIATE_TEST_SUITE_P(Formats, ByteMatrixKernelTest,
                         testing::Combine(testing::Values<size_t>(5, 6),
                                          testing::Values("sapphirerapids")),
                         nameOfModel);

INSTANTIATE_TEST_SUITE_P(Formats, MatrixTest,
                         testing::Combine(testing::Values<size_t>(2),
                                          testing::Values("sapphirerapids")),
                         nameOfModel);

} // namespace
} // namespace corellama::test
