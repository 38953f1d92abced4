//===- Models.h - the models that the tests of GPU kernels share ----------===//
//
// One model a combination of weight format, grouping of heads, head size and
// cache type, compiled when the first test asks for it. All combinations would
// take an hour, so there are some: each format, grouping, head size, cache type
// and depth at least once, joined by a seed. CORELLAMA_SEED=N joins them
// another way; CORELLAMA_ALL=1 takes each format with each grouping and each
// cache type, and attention in all combinations.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_CUDA_MODELS_H
#define CORELLAMA_TEST_PASSES_CUDA_MODELS_H

#include "test/passes/Testing/TestModel.h"
#include "gtest/gtest.h"

namespace corellama::test {

/// What a seed joins.
struct CUDAModel {
  std::string name;
  ModelChoice choice;
  /// Positions, the last included, that decode's attention is tested over.
  std::vector<int64_t> depths = {};
};

/// Whether the many combinations were asked for, and the seed that joins them.
bool takesAll();
uint32_t modelSeed();

/// Models of which every kernel is tested.
std::vector<CUDAModel> wholeModels();
/// Models of which barriers are moved: with tensor cores, without.
std::vector<CUDAModel> movedModels();
/// The same models with --activations=f32, where decode and prefill sum in one
/// order whatever the format.
std::vector<CUDAModel> exactRowsModels();
/// The whole models whose attention of prefill tensor cores compute.
std::vector<CUDAModel> tensorAttentionModels();
/// Those of the models with exact rows that keep off tensor cores by it. The
/// others' gate and up are tested with the whole models, which they are.
std::vector<CUDAModel> exactGateModels();
/// Models of which the kernels of attention are: every head size and grouping,
/// and heads of 256 and 512 elements.
std::vector<CUDAModel> attentionModels();
/// Models whose sums are so long that loops over k take their main path, and
/// whose vocabulary is partitioned as a large one is.
std::vector<CUDAModel> longModels();

/// Models whose products on tensor cores take one, an even and an odd number of
/// stages, and a part of one.
std::vector<CUDAModel> stageModels();
/// Models whose embedding has rows of more columns than a block has threads.
std::vector<CUDAModel> wideModels();
/// Models of integers (see ModelChoice) with the same long sums.
std::vector<CUDAModel> integerModels();

/// A model that is compiled once for all tests that ask for it by this name.
class CUDAModelTest : public testing::TestWithParam<CUDAModel> {
protected:
  void SetUp() override;

  TestModel *model = nullptr;
  /// A fixed seed: a failure can be repeated.
  std::mt19937 random{12345};
};

inline std::string nameOfModel(const testing::TestParamInfo<CUDAModel> &info) {
  return info.param.name;
}
inline void PrintTo(const CUDAModel &model, std::ostream *out) {
  *out << model.name;
}

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_CUDA_MODELS_H
