//===- Models.h - the models that the tests of kernels share --------------===//
//
// One model a format and target, compiled when the first test asks for it.
// Sizes are no multiple of anything where the format allows; grouped-query,
// multi-query and multi-head attention and the types of the cache take turns.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CPU_MODELS_H
#define CORELLAMA_TEST_PASSES_CPU_MODELS_H

#include "test/passes/Testing/TestModel.h"
#include "gtest/gtest.h"

namespace corellama::test {

struct FormatCase {
  llama::reference::Format format;
  ModelShape shape;
  const char *cacheType;
};

inline const FormatCase kFormatCases[] = {
    {llama::reference::Format::F32, {43, 3, 3, 14, 71, 37}, "f32"},
    {llama::reference::Format::F16, {45, 6, 2, 18, 51, 29}, "f16"},
    {llama::reference::Format::BF16, {37, 5, 1, 22, 67, 41}, "bf16"},
    {llama::reference::Format::Q8_0, {96, 8, 2, 20, 160, 53}, "f16"},
    {llama::reference::Format::Q4_0, {96, 4, 4, 24, 96, 35}, "f32"},
    {llama::reference::Format::Q4_1, {64, 8, 1, 20, 160, 50}, "f16"},
    {llama::reference::Format::Q6_K, {256, 8, 2, 32, 256, 21}, "q8_0"},
    {llama::reference::Format::Q5_0, {96, 4, 2, 24, 160, 33}, "f32"},
    {llama::reference::Format::Q5_1, {64, 8, 1, 20, 96, 18}, "f16"},
    {llama::reference::Format::Q2_K, {256, 4, 4, 64, 512, 19}, "q8_0,f16"},
    {llama::reference::Format::Q3_K, {256, 8, 1, 32, 256, 23}, "bf16,q8_0"},
    {llama::reference::Format::Q4_K, {256, 8, 2, 32, 512, 20}, "f16"},
    {llama::reference::Format::Q5_K, {256, 4, 1, 64, 256, 17}, "f32,bf16"},
    {llama::reference::Format::IQ4_NL, {96, 4, 2, 24, 160, 35}, "f16"},
    {llama::reference::Format::IQ4_XS, {256, 8, 2, 32, 256, 22}, "f32"},
    {llama::reference::Format::MXFP4, {64, 8, 1, 20, 96, 37}, "f16"},
};

/// Tiles of one row are of 32 rows of a weight, in "gate_up" and head of 64.
inline const ModelShape kLargeShape = {256, 8, 2, 32, 2048, 2112};

/// Columns in pairs that are no whole block of 32.
inline const ModelShape kEvenShape = {38, 5, 1, 22, 70, 41};

/// Weights of whole pairs of groups and of others; columns in two blocks of 32,
/// and in blocks and a rest.
inline const ModelShape kMatrixShape = {64, 5, 1, 22, 70, 41, /*layers=*/1};

inline const char *const kTargets[] = {"x86-64-v3", "x86-64-v4"};

/// Which row of kFormatCases, and which target.
using ModelParam = std::tuple<size_t, const char *>;

/// These formats, each on one of the targets in turn; on all of them with
/// CORELLAMA_ALL, and where this machine would skip some.
inline std::vector<ModelParam> inTurn(llvm::ArrayRef<size_t> formats) {
  bool all = std::getenv("CORELLAMA_ALL") != nullptr ||
             !llvm::all_of(kTargets, hostHas);
  std::vector<ModelParam> chosen;
  for (auto [i, format] : llvm::enumerate(formats))
    for (auto [j, target] : llvm::enumerate(kTargets))
      if (all || i % std::size(kTargets) == j)
        chosen.emplace_back(format, target);
  return chosen;
}

class CompiledModels : public testing::TestWithParam<ModelParam> {
protected:
  /// As the pipelines' option.
  virtual std::string activations() const { return "f32"; }

  /// Skips where this machine lacks the target.
  void SetUp() override {
    auto [index, target] = GetParam();
    if (!hostHas(target) && !expands)
      GTEST_SKIP() << "this machine does not run " << target;
    static std::map<
        std::tuple<size_t, std::string, std::string, std::vector<int64_t>,
                   int64_t, const ModelShape *, int64_t>,
        std::unique_ptr<TestModel>>
        compiled;
    std::unique_ptr<TestModel> &entry = compiled[{
        index, target, activations(), forms, vectorBits, shape, chunk}];
    const FormatCase &row = kFormatCases[index];
    ModelChoice choice{row.format, target, row.cacheType,
                       shape ? *shape : row.shape};
    choice.expands = expands;
    choice.forms = forms;
    choice.vectorBits = vectorBits;
    choice.chunk = chunk;
    std::string message;
    choice.activations = activations();
    if (!entry)
      entry = TestModel::compile(choice, message);
    ASSERT_TRUE(entry) << message;
    model = entry.get();
  }

  /// Bounds of forms besides one row and the largest.
  std::vector<int64_t> forms;
  int64_t vectorBits = 0;
  /// As ModelChoice's.
  int64_t chunk = ModelChoice{}.chunk;
  /// In place of the format's own.
  const ModelShape *shape = nullptr;
  /// As ModelChoice's; else a test of a target that this machine lacks is
  /// skipped.
  bool expands = false;
  TestModel *model = nullptr;
  /// A fixed seed: a failure can be repeated.
  std::mt19937 random{12345};
};

inline std::string nameOfModel(const testing::TestParamInfo<ModelParam> &info) {
  auto [index, target] = info.param;
  std::string name =
      llama::reference::formatName(kFormatCases[index].format).str() + "_" +
      target;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CPU_MODELS_H
