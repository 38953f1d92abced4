//===- Models.cpp - the models that the tests of GPU kernels share --------===//
//
// See Models.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CUDA/Models.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <set>

using namespace corellama;
using namespace corellama::test;
using llama::reference::Format;

bool test::takesAll() { return std::getenv("CORELLAMA_ALL") != nullptr; }

uint32_t test::modelSeed() {
  const char *text = std::getenv("CORELLAMA_SEED");
  return text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
}

namespace {

/// Printed once, so that a failure can be repeated.
struct ShowSeed : testing::Environment {
  void SetUp() override {
    if (takesAll())
      std::cout << "more (CORELLAMA_ALL) ";
    std::cout << "combinations by CORELLAMA_SEED=" << modelSeed() << "\n";
  }
};
[[maybe_unused]] testing::Environment *const showSeed =
    testing::AddGlobalTestEnvironment(new ShowSeed);

//===----------------------------------------------------------------------===//
// What there is to join
//===----------------------------------------------------------------------===//

/// Sizes that are no multiple of anything where the format allows.
struct Sizes {
  Format format;
  const char *name;
  int64_t dim, hidden, vocabulary;
};
const Sizes kSizes[] = {
    {Format::F32, "f32", 43, 71, 37},
    // Rows of whole 16 bytes of halves go to tensor cores, others do not.
    {Format::F16, "f16", 72, 51, 29},
    {Format::F16, "f16_odd", 45, 53, 29},
    {Format::BF16, "bf16", 56, 67, 41},
    {Format::Q8_0, "q8_0", 96, 160, 53},
    {Format::Q4_0, "q4_0", 160, 96, 35},
    {Format::Q4_1, "q4_1", 64, 224, 50},
    {Format::Q6_K, "q6_k", 256, 256, 45},
    {Format::Q5_0, "q5_0", 96, 160, 33},
    {Format::Q5_1, "q5_1", 64, 96, 18},
    {Format::Q2_K, "q2_k", 256, 512, 19},
    {Format::Q3_K, "q3_k", 256, 256, 23},
    {Format::Q4_K, "q4_k", 256, 512, 20},
    {Format::Q5_K, "q5_k", 256, 256, 17},
    {Format::IQ4_NL, "iq4_nl", 96, 160, 36},
    {Format::IQ4_XS, "iq4_xs", 256, 512, 22},
    {Format::MXFP4, "mxfp4", 64, 96, 34},
};

/// Groupings of heads; queries to a head of keys, 0: all of them.
struct Grouping {
  const char *name;
  int64_t queries;
};
const Grouping kGroupings[] = {{"mha", 1}, {"gqa", 2}, {"mqa", 0}};

const int64_t kHeadSizes[] = {2, 20, 64, 80, 128};
const char *const kCacheTypes[] = {"f32", "f16"};
/// Where the type matters also keys and values apart.
const char *const kAttentionCaches[] = {"f32", "f16", "f16,f32"};

/// Depths of decode: the first keys, around half a tile of keys, several blocks
/// of 256 of which the last is full but for one, or partition.
const std::vector<int64_t> kDepths[] = {{1, 2}, {63, 64, 65}, {257, 1000}};

/// Columns of which a row has whole blocks; 1: any number.
int64_t blockOf(Format format) {
  switch (format) {
  case Format::F32:
  case Format::F16:
  case Format::BF16:
    return 1;
  case Format::Q8_0:
  case Format::Q4_0:
  case Format::Q4_1:
  case Format::Q5_0:
  case Format::Q5_1:
  case Format::IQ4_NL:
  case Format::MXFP4:
    return 32;
  case Format::Q6_K:
  case Format::Q2_K:
  case Format::Q3_K:
  case Format::Q4_K:
  case Format::Q5_K:
  case Format::IQ4_XS:
    return 256;
  }
  llvm_unreachable("no such format");
}

/// All depths, or one of each kind.
std::vector<int64_t> chooseDepths(size_t model) {
  std::vector<int64_t> depths;
  for (const std::vector<int64_t> &kind : kDepths) {
    if (takesAll())
      llvm::append_range(depths, kind);
    else
      depths.push_back(kind[(model + modelSeed()) % kind.size()]);
  }
  return depths;
}

CUDAModel join(const Sizes &sizes, const Grouping &grouping, int64_t headSize,
               const char *cacheType) {
  // Heads that a grouping divides and no power of two does, where a row of
  // attn_output may have any length; else as few as give whole blocks of 32.
  int64_t heads = grouping.queries == 1 ? 3 : grouping.queries ? 6 : 5;
  int64_t block = blockOf(sizes.format);
  // Else a block would be a hundred heads, or of 80 each sixteen.
  if (block > 32)
    headSize = headSize > 64 ? 128 : 64;
  if (block > 1)
    for (heads = 2 * std::max<int64_t>(grouping.queries, 1);
         heads * headSize % block;)
      heads += 2;
  int64_t kvHeads = grouping.queries ? heads / grouping.queries : 1;
  ModelChoice choice;
  choice.format = sizes.format;
  choice.target = "cuda:sm_80";
  choice.cacheType = cacheType;
  choice.shape = {.dim = sizes.dim,
                  .heads = heads,
                  .kvHeads = kvHeads,
                  .headSize = headSize,
                  .hidden = sizes.hidden,
                  .vocabulary = sizes.vocabulary};
  // A tile of 64 rows and a part of one.
  choice.chunk = 70;
  // Four blocks of keys: 1000 positions end inside the last.
  choice.capacity = 1024;
  choice.emulated = true;
  std::string name = std::string(sizes.name) + "_" + grouping.name + "_" +
                     std::to_string(headSize) + "_" + cacheType;
  std::replace(name.begin(), name.end(), ',', '_'); // no name of a test has it
  return {name, choice};
}

/// The values of a table in an order that the seed decides.
template <typename T, size_t N>
std::vector<T> shuffled(const T (&table)[N], uint32_t stream) {
  std::vector<T> values(std::begin(table), std::end(table));
  std::mt19937 random(modelSeed() * 16 + stream);
  std::shuffle(values.begin(), values.end(), random);
  return values;
}

} // namespace

//===----------------------------------------------------------------------===//
// What is joined
//===----------------------------------------------------------------------===//

std::vector<CUDAModel> test::wholeModels() {
  std::vector<CUDAModel> models;
  auto groupings = shuffled(kGroupings, 0);
  auto headSizes = shuffled(kHeadSizes, 1);
  auto cacheTypes = shuffled(kCacheTypes, 2);
  // Each format once, or with each grouping and each type of cache. What these
  // two and the head size do to each other is attention's matter: see below.
  const size_t times = takesAll() ? std::size(kGroupings) : 1;
  size_t i = 0;
  for (const Sizes &sizes : kSizes)
    for (size_t time = 0; time < times; ++time) {
      models.push_back(
          join(sizes, groupings[i % 3], headSizes[i % 5], cacheTypes[i % 2]));
      models.back().depths = chooseDepths(i++);
    }
  return models;
}

std::vector<CUDAModel> test::movedModels() {
  std::vector<CUDAModel> models = wholeModels();
  llvm::erase_if(models, [](const CUDAModel &model) {
    return model.choice.format != Format::F32 &&
           model.choice.format != Format::Q8_0;
  });
  return models;
}

/// Whether tensor cores compute products of prefill by weights of so many
/// columns, of a model.
static bool hasTensorCores(const CUDAModel &model, int64_t columns) {
  return model.choice.format != Format::F32 && columns % 8 == 0;
}

/// Whether tensor cores compute products of decode, where rows may be split
/// (#cuda.mma_split).
static bool hasSplitRows(Format format) {
  return llvm::is_contained({Format::Q8_0, Format::Q4_0, Format::Q4_1,
                             Format::Q5_0, Format::Q5_1, Format::Q4_K,
                             Format::Q5_K, Format::Q6_K},
                            format);
}

/// Whether tensor cores compute attention of prefill.
static bool attendsInTensorCores(const CUDAModel &model) {
  return model.choice.cacheType == "f16" &&
         model.choice.shape.headSize % 4 == 0 &&
         model.choice.shape.headSize <= 128;
}

std::vector<CUDAModel> test::exactRowsModels() {
  std::vector<CUDAModel> models = wholeModels();
  for (CUDAModel &model : models) {
    const ModelShape &shape = model.choice.shape;
    if (hasTensorCores(model, shape.dim) ||
        hasTensorCores(model, shape.heads * shape.headSize) ||
        hasTensorCores(model, shape.hidden) ||
        hasSplitRows(model.choice.format) || attendsInTensorCores(model)) {
      model.choice.activations = "f32";
      model.name += "_exact_rows";
    }
  }
  return models;
}

std::vector<CUDAModel> test::tensorAttentionModels() {
  std::vector<CUDAModel> models = wholeModels();
  llvm::erase_if(models, [](const CUDAModel &model) {
    return !attendsInTensorCores(model);
  });
  return models;
}

std::vector<CUDAModel> test::exactGateModels() {
  std::vector<CUDAModel> models = exactRowsModels();
  llvm::erase_if(models, [](const CUDAModel &model) {
    return !hasTensorCores(model, model.choice.shape.dim);
  });
  return models;
}

std::vector<CUDAModel> test::attentionModels() {
  std::vector<CUDAModel> models;
  auto groupings = shuffled(kGroupings, 3);
  auto cacheTypes = shuffled(kAttentionCaches, 4);
  size_t i = 0;
  for (int64_t headSize : kHeadSizes) {
    for (const Grouping &grouping : groupings)
      for (const char *cacheType : cacheTypes)
        models.push_back(join(kSizes[0], grouping, headSize, cacheType));
    if (!takesAll()) {
      // One of the nine.
      std::swap(models[i], models[i + (i + modelSeed()) % 9]);
      models.resize(++i);
    }
  }
  // What tensor cores read: rows that end in 16 bytes, rows filled up to 16
  // elements, and rows of which eight lanes have unlike shares.
  for (int64_t headSize : {4, 48, 64, 100, 128})
    models.push_back(join(kSizes[0], groupings[i++ % 3], headSize, "f16"));
  // Heads too large for these, of which a thread has several elements: two,
  // and so many that a block has fewer heads than share its keys.
  for (const char *cacheType : {"f32", "f16"})
    models.push_back(join(kSizes[0], groupings[i++ % 3], 256, cacheType));
  models.push_back(join(kSizes[0], kGroupings[2], 512, "f16"));
  models.back().choice.shape.heads = 8;
  llvm::stable_sort(models, [](const CUDAModel &x, const CUDAModel &y) {
    return x.name < y.name;
  });
  models.erase(
      llvm::unique(models, [](const CUDAModel &x,
                              const CUDAModel &y) { return x.name == y.name; }),
      models.end());
  for (CUDAModel &model : models) {
    model.name = "attn_" + model.name;
    model.choice.only = {"attn.decode", "merge.decode", "attn.prefill"};
  }
  return models;
}

std::vector<CUDAModel> test::longModels() {
  std::vector<CUDAModel> models;
  std::set<Format> taken;
  for (const Sizes &sizes : kSizes) {
    if (!taken.insert(sizes.format).second)
      continue;
    CUDAModel model = join(sizes, kGroupings[0], 20, "f16");
    // A warp takes 32 chunks of 16 bytes at a time, 4 times over before a
    // turn of its loop ends: 4096 columns of 4 bits, fewer of others. Two
    // turns, some chunks, and where the format allows a part of a chunk.
    int64_t block = blockOf(sizes.format);
    model.choice.shape.hidden = block == 1    ? 2 * 1024 + 517
                                : block == 32 ? 2 * 4096 + 33 * 32
                                              : 2 * 4096 + 5 * 256;
    // From 16384 rows on the head is partitioned into larger parts.
    model.choice.shape.vocabulary = 16384 + 77;
    model.choice.shape.dim = std::max<int64_t>(24, block);
    model.choice.capacity = 256;
    model.choice.chunk = 3;
    model.choice.only = {"down.decode", "down.prefill", "lm_head.lm_head"};
    model.name = std::string("long_") + sizes.name;
    // Without tensor cores, which rows that long have where they are of whole
    // blocks; sums of integers below are with them.
    if (block > 1)
      model.choice.activations = "f32";
    models.push_back(model);
  }
  return models;
}

std::vector<CUDAModel> test::integerModels() {
  std::vector<CUDAModel> models = longModels();
  for (CUDAModel &model : models) {
    model.name.replace(0, std::string("long").size(), "integer");
    model.choice.integers = true;
    model.choice.activations = "auto";
    model.choice.shape.vocabulary = 16;
    model.choice.capacity = 1024;
    model.choice.only = {"down.decode", "merge.decode", "down.prefill"};
  }
  // Sums whose loops are others to save registers: one round and a part of one
  // of chunks with several scales; a round left over where there are high bits
  // and minima.
  for (auto [format, hidden] : {std::pair(Format::Q2_K, 2304),
                                {Format::Q3_K, 2304},
                                {Format::Q5_K, 3072}}) {
    CUDAModel model = *llvm::find_if(models, [&](const CUDAModel &each) {
      return each.choice.format == format;
    });
    model.name += "_short";
    model.choice.activations = "f32";
    model.choice.shape.hidden = hidden;
    models.push_back(model);
  }
  return models;
}

std::vector<CUDAModel> test::stageModels() {
  // A stage is 32 columns.
  const std::pair<Format, std::vector<int64_t>> rows[] = {
      {Format::F16, {8, 40, 64, 128}},
      {Format::BF16, {40}},
      {Format::Q8_0, {32, 64, 128}},
      {Format::Q4_0, {64}},
      {Format::Q5_1, {32, 64}},
      {Format::IQ4_NL, {32}},
      {Format::MXFP4, {64}},
      {Format::Q2_K, {256}},
      {Format::Q6_K, {256}}};
  std::vector<CUDAModel> models;
  for (const auto &[format, dims] : rows)
    for (int64_t dim : dims) {
      std::string name = llama::reference::formatName(format).str();
      // Columns of its result: a tile of 64 and a part of one, if a row of
      // ffn_down may be so long.
      const int64_t hidden = std::max<int64_t>(96, blockOf(format));
      Sizes sizes{format, name.c_str(), dim, hidden, /*vocabulary=*/16};
      models.push_back(join(sizes, kGroupings[0], 64, "f16"));
      models.back().name = name + "_" + std::to_string(dim) + "_columns";
      models.back().choice.only = {"gate_up.prefill"};
    }
  return models;
}

std::vector<CUDAModel> test::wideModels() {
  // Whole columns of each thread, some, more than it reads at once.
  const std::pair<Format, int64_t> rows[] = {{Format::Q4_0, 1024},
                                             {Format::Q8_0, 1056},
                                             {Format::F16, 4099},
                                             {Format::Q6_K, 4096}};
  std::vector<CUDAModel> models;
  for (const auto &[format, dim] : rows) {
    std::string name = llama::reference::formatName(format).str();
    const int64_t hidden = std::max<int64_t>(16, blockOf(format));
    Sizes sizes{format, name.c_str(), dim, hidden, /*vocabulary=*/5};
    models.push_back(join(sizes, kGroupings[0], 64, "f16"));
    models.back().name = name + "_" + std::to_string(dim) + "_wide";
    models.back().choice.only = {"embed.decode", "embed.prefill"};
  }
  return models;
}

void CUDAModelTest::SetUp() {
  static std::map<std::string, std::unique_ptr<TestModel>> compiled;
  std::unique_ptr<TestModel> &entry = compiled[GetParam().name];
  std::string message;
  if (!entry)
    entry = TestModel::compile(GetParam().choice, message);
  ASSERT_TRUE(entry) << message;
  model = entry.get();
}
