//===- ChoiceTest.cpp - ids that a GPU chooses are the sampler's ----------===//
//
// The kernels of cuda-add-choice on the emulator, beside runtime/Sampling: the
// same rows, settings and generator must give the same ids, in any order of
// blocks and threads; and each of their barriers is needed.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "passes/CUDA/Passes.h"
#include "runtime/Sampling/Sampler.h"
#include "test/emulator/EmulatorModule.h"
#include "test/emulator/Passes.h"
#include "test/passes/Testing/TestModel.h"
#include "gtest/gtest.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>

namespace corellama::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// A model without kernels of its own, at phase vector, and those that choose.
mlir::OwningOpRef<mlir::ModuleOp> makeModule(size_t vocabulary) {
  auto module = mlir::parseSourceString<mlir::ModuleOp>(
      "module attributes {llama.config = #llama.config<dim = 32, heads = 2, "
      "kv_heads = 1, head_size = 16, hidden = 48, vocabulary = " +
          std::to_string(vocabulary) +
          R"(, layers = 1, context_length = 64>,
          llama.target = #cuda.target<name = "cuda:sm_80">} {
        llama.step @decode rows 1 {
        }
        llama.model @m steps [@decode] lm_heads [@decode]
      })",
      &kernelContext());
  mlir::PassManager manager(&kernelContext());
  manager.addPass(cuda::createCUDAAddChoice());
  EXPECT_TRUE(module && mlir::succeeded(manager.run(*module)));
  return module;
}

llvm::Expected<EmulatorModule> load(mlir::ModuleOp module) {
  mlir::PassManager manager(&kernelContext());
  emulator::buildLLVMPasses(manager);
  if (mlir::failed(manager.run(module)))
    return llvm::createStringError("a pass failed");
  return EmulatorModule::load(module);
}

/// A row of logits, and the memory of a token loop.
class Loop {
public:
  Loop(llvm::Expected<EmulatorModule> module, size_t vocabulary)
      : module(std::move(module)), logits(vocabulary * sizeof(float)),
        memory(kEnds + roundUp(vocabulary) +
               (vocabulary + abi::kChoiceIds - 1) / abi::kChoiceIds *
                   abi::kChoiceKept * sizeof(uint64_t)),
        vocabulary(vocabulary) {
    if (!this->module)
      ADD_FAILURE() << llvm::toString(this->module.takeError());
  }

  explicit Loop(size_t vocabulary)
      : Loop(load(*makeModule(vocabulary)), vocabulary) {}

  abi::Choice &choice() { return *memory.as<abi::Choice>(); }
  int32_t &token() { return *at<int32_t>(kToken); }
  int32_t &position() { return *at<int32_t>(kPosition); }
  void setEnd(size_t id) { at<uint8_t>(kEnds)[id / 8] |= 1 << id % 8; }

  void begin(const runtime::Sampler &sampler, uint64_t most) {
    std::fill_n(memory.data(), memory.size(), uint8_t(0xff));
    std::fill_n(memory.data() + kEnds, roundUp(vocabulary), uint8_t(0));
    const runtime::SamplerSettings &settings = sampler.given();
    choice() = {};
    choice().left = most;
    choice().kept = settings.isGreedy() ? 1 : uint64_t(settings.topK);
    choice().temperature = settings.isGreedy() ? 1 : settings.temperature;
    choice().topP = settings.topP;
    choice().minP = settings.minP;
    llvm::copy(sampler.generator(), choice().random);
    choice().ends = kEnds;
    choice().lists = kEnds + roundUp(vocabulary);
    position() = 6;
  }

  /// The error, or nothing.
  std::string choose(std::optional<uint64_t> order,
                     std::optional<EmulatorFault> fault = {}) {
    abi::Context context{};
    context.workspace = logits.data();
    context.threads = memory.data();
    context.tokens = &token();
    context.positions = &position();
    EmulatorOptions options;
    options.seed = order;
    options.fault = fault;
    options.overlaps = true;
    EmulatorDevice device(module->kernels(),
                          {{"choice", memory.data(), memory.size(), true},
                           {"workspace", logits.data(), logits.size(), true}},
                          options);
    return llvm::toString(device.run(module->program().choose, context));
  }

  llvm::Expected<EmulatorModule> module;
  AlignedBytes logits;

private:
  static constexpr size_t kToken = 256, kPosition = 320, kEnds = 384;
  /// Bytes of a bit for each id.
  static size_t roundUp(size_t ids) { return (ids + 63) / 64 * 8; }
  template <typename T> T *at(size_t offset) {
    return reinterpret_cast<T *>(memory.data() + offset);
  }

  AlignedBytes memory;
  const size_t vocabulary;
};

/// Rows of all kinds: `kind` decides what is special about it.
void fillRow(std::span<float> row, int kind, std::mt19937 &random) {
  std::normal_distribution<float> normal(0, kind % 2 ? 8.0f : 1.5f);
  for (float &logit : row)
    logit = normal(random);
  auto some = [&](float value, unsigned each) {
    for (float &logit : row)
      if (random() % each == 0)
        logit = value;
  };
  switch (kind) {
  case 2: // many of each logit, and both zeros
    for (float &logit : row)
      logit = std::trunc(logit / 2) * (random() % 2 ? 1.0f : -1.0f);
    break;
  case 3:
    some(kNaN, 3);
    some(-kInfinity, 3);
    break;
  case 4:
    some(kInfinity, 7);
    break;
  case 5:
    llvm::fill(row, -kInfinity);
    some(kNaN, 2);
    break;
  case 6:
    llvm::fill(row, kNaN);
    break;
  case 7: // most weights are 0
    for (float &logit : row)
      logit *= 1000;
    break;
  default:
    break;
  }
}
constexpr int kKinds = 8;

runtime::SamplerSettings randomSettings(std::mt19937 &random) {
  auto pick = [&](std::initializer_list<double> values) {
    return values.begin()[random() % values.size()];
  };
  runtime::SamplerSettings settings;
  settings.temperature = pick({0, 0.1, 0.8, 1, 3});
  settings.topK = int64_t(pick({1, 2, 3, 20, 40}));
  settings.topP = pick({0, 0.3, 0.95, 1, 2});
  settings.minP = pick({-1, 0, 0.05, 0.5, 1});
  settings.seed = random();
  return settings;
}

} // namespace

TEST(CUDAChoice, IsTheSamplers) {
  std::mt19937 random(1);
  uint64_t order = 0;
  for (size_t vocabulary : {1, 2, 100, 2048, 2049, 5000}) {
    Loop loop(vocabulary);
    ASSERT_TRUE(bool(loop.module));
    for (int turn = 0; turn < 2 * kKinds; ++turn) {
      runtime::Sampler sampler(randomSettings(random));
      loop.begin(sampler, 100);
      // Several ids, because the generator goes on.
      for (uint64_t i = 0; i < 3; ++i) {
        std::span row(loop.logits.as<float>(), vocabulary);
        fillRow(row, (turn + int(i)) % kKinds, random);
        ASSERT_EQ(loop.choose(++order), "");
        const abi::ChosenId got = loop.choice().ids[i];
        ASSERT_EQ(got.id, sampler.sample(row))
            << vocabulary << " ids, turn " << turn << ", number " << i;
        ASSERT_EQ(std::bit_cast<uint32_t>(got.logit),
                  std::bit_cast<uint32_t>(row[size_t(got.id)]));
        ASSERT_EQ(loop.choice().count, i + 1);
        ASSERT_EQ(loop.choice().left, 99 - i);
        ASSERT_EQ(loop.token(), got.id);
        ASSERT_EQ(loop.position(), int32_t(7 + i));
      }
      if (!sampler.given().isGreedy())
        for (size_t i = 0; i < 4; ++i)
          ASSERT_EQ(loop.choice().random[i], sampler.generator()[i]);
    }
  }
}

TEST(CUDAChoice, KeepsAsManyAsItHasThreads) {
  std::mt19937 random(2);
  constexpr size_t kVocabulary = 3000;
  Loop loop(kVocabulary);
  ASSERT_TRUE(bool(loop.module));
  runtime::SamplerSettings settings;
  settings.temperature = 5;
  settings.topK = abi::kChoiceKept;
  settings.topP = 1;
  settings.minP = 0;
  runtime::Sampler sampler(settings);
  loop.begin(sampler, 10);
  std::span row(loop.logits.as<float>(), kVocabulary);
  for (int kind : {0, 2}) {
    fillRow(row, kind, random);
    const uint64_t number = loop.choice().count;
    ASSERT_EQ(loop.choose(number), "");
    EXPECT_EQ(loop.choice().ids[number].id, sampler.sample(row));
  }
}

// What another sampler goes on from, which counts the device's draws.
TEST(CUDAChoice, ASamplerCountsItsDraws) {
  std::mt19937 random(3);
  runtime::SamplerSettings settings;
  runtime::Sampler drawn(settings), counted(settings);
  std::vector<float> row(50);
  for (int kind = 0; kind < kKinds; ++kind) {
    fillRow(row, kind, random);
    const int32_t id = drawn.sample(row);
    counted.chosen(id, row[size_t(id)]);
    ASSERT_EQ(drawn.generator(), counted.generator()) << kind;
  }
}

TEST(CUDAChoice, EndsWithTheLastId) {
  constexpr size_t kVocabulary = 100, kEnd = 77;
  Loop loop(kVocabulary);
  ASSERT_TRUE(bool(loop.module));
  runtime::SamplerSettings settings;
  settings.temperature = 0;
  runtime::Sampler sampler(settings);
  float *row = loop.logits.as<float>();
  auto checkStays = [&] {
    const abi::Choice before = loop.choice();
    const int32_t token = loop.token();
    ASSERT_EQ(before.left, 0u);
    ASSERT_EQ(loop.choose(1), "");
    EXPECT_EQ(std::memcmp(&before, &loop.choice(), sizeof(before)), 0);
    EXPECT_EQ(loop.token(), token);
    EXPECT_EQ(loop.position(), 7);
  };
  // By their number, and by an id that none follows; neither becomes a row.
  for (bool byNumber : {true, false}) {
    loop.begin(sampler, byNumber ? 2 : 9);
    if (!byNumber)
      loop.setEnd(kEnd);
    for (size_t id : {5, int(kEnd)}) {
      std::fill_n(row, kVocabulary, 0.0f);
      row[id] = 1;
      ASSERT_EQ(loop.choose(1), "");
    }
    EXPECT_EQ(loop.choice().count, 2u);
    EXPECT_EQ(loop.choice().ids[1].id, int32_t(kEnd));
    EXPECT_EQ(loop.token(), 5);
    checkStays();
  }
  // Only the newest ids are held.
  loop.begin(sampler, 100);
  for (uint64_t i = 0; i <= abi::kChosenIds; ++i) {
    std::fill_n(row, kVocabulary, 0.0f);
    row[i] = 1;
    ASSERT_EQ(loop.choose(1), "");
  }
  EXPECT_EQ(loop.choice().ids[0].id, int32_t(abi::kChosenIds));
  EXPECT_EQ(loop.choice().ids[1].id, 1);
}

TEST(CUDAChoice, EachBarrierAndWaitIsNeeded) {
  constexpr size_t kVocabulary = 2100;
  auto module = makeModule(kVocabulary);
  // What is said without each, by the sites of EmulatorABI.h.
  std::map<std::string, std::vector<const char *>> sites;
  for (auto kernel : module->getOps<mlir::func::FuncOp>())
    kernel.walk([&](mlir::Operation *op) {
      if (mlir::isa<cuda::BarrierOp>(op))
        sites[kernel.getName().str()].push_back("with no barrier between them");
      else if (mlir::isa<cuda::WaitPreviousOp>(op))
        sites[kernel.getName().str()].push_back(
            "reads choice + 0, and has not waited for earlier launches");
    });
  ASSERT_EQ(sites.size(), 2u);
  Loop loop(load(*module), kVocabulary);
  ASSERT_TRUE(bool(loop.module));
  runtime::SamplerSettings settings;
  settings.topK = 3;
  std::mt19937 random(4);
  fillRow({loop.logits.as<float>(), kVocabulary}, 0, random);
  int tried = 0;
  for (const auto &[kernel, problems] : sites)
    for (auto [site, problem] : llvm::enumerate(problems)) {
      loop.begin(runtime::Sampler(settings), 9);
      std::string said = loop.choose(
          {}, EmulatorFault{*loop.module->lookup(kernel), uint32_t(site)});
      EXPECT_NE(said.find(problem), std::string::npos)
          << kernel << " without " << site << ": " << said;
      ++tried;
    }
  EXPECT_EQ(tried, 7);
}

} // namespace corellama::test
