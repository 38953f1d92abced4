//===- GraphTest.cpp - legal graphs through every phase -------------------===//
//
// Models that a grammar draws (RandomGraph.h), compiled and run: each kernel
// against the float64 evaluator, so that no pass relies on the shape of a
// Llama. A failure prints the seed, the number and the text of its graph;
// CORELLAMA_SEED draws others, CORELLAMA_ALL=1 takes ten times as many on CPUs.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Diagnostics.h"
#include "test/passes/Graphs/RandomGraph.h"
#include "test/passes/Testing/KernelCall.h"
#include "test/passes/Testing/Steps.h"
#include "gtest/gtest.h"
#include <cstdlib>

namespace corellama::test {
namespace {

/// Enough that each op is in each role five times: a layer has two trees that
/// end in the cache, which eight ops share in two roles.
constexpr size_t kGraphs = 24;
/// With CORELLAMA_ALL, on CPUs: the emulator is slower.
constexpr size_t kAllGraphs = 150;

uint32_t graphSeed() {
  const char *text = std::getenv("CORELLAMA_SEED");
  return text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
}
bool takesAllGraphs() { return std::getenv("CORELLAMA_ALL") != nullptr; }

const RandomGraph &graphOf(size_t number) {
  static const std::vector<RandomGraph> drawn = [] {
    RoleCounts counts;
    return randomGraphs(graphSeed(), takesAllGraphs() ? kAllGraphs : kGraphs,
                        counts);
  }();
  return drawn[number];
}

/// One graph for one target.
struct GraphCase {
  const char *target;
  size_t number;
  bool isGPU() const { return llvm::StringRef(target).starts_with("cuda"); }
};

/// GoogleTest prints the parameter of a test that fails.
void PrintTo(const GraphCase &given, std::ostream *out) {
  *out << "graph " << given.number << " for " << given.target;
}

std::vector<GraphCase> graphCases() {
  std::vector<GraphCase> cases;
  for (const char *target : {"x86-64-v3", "x86-64-v4", "cuda:sm_80"}) {
    GraphCase each{target, 0};
    size_t count = takesAllGraphs() && !each.isGPU() ? kAllGraphs : kGraphs;
    // The CPUs' kernels differ in their vectors alone: by default they take
    // turns.
    const bool takesTurns = !takesAllGraphs() && !each.isGPU();
    const bool isSecond = llvm::StringRef(target).ends_with("v4");
    for (; each.number < count; ++each.number)
      if (!takesTurns || (each.number % 2 == 1) == isSecond)
        cases.push_back(each);
  }
  return cases;
}

/// Compiles one graph; null, with a message, where that fails.
std::unique_ptr<TestModel> compile(const GraphCase &given,
                                   std::string &message) {
  const RandomGraph &graph = graphOf(given.number);
  ModelChoice choice;
  choice.format = llama::reference::Format::F32;
  choice.target = given.target;
  choice.cacheType = graph.cacheType;
  choice.shape = graph.shape;
  choice.text = graph.text;
  // Few rows to 512-bit vectors, many to others.
  if (given.number < kGraphs || given.number % 4 == 0)
    choice.forms = {4};
  choice.emulated = given.isGPU();
  // The errors of a pass that refuses a graph are the failure's message.
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(
      &kernelContext(), [&](mlir::Diagnostic &diagnostic) {
        llvm::raw_string_ostream(errors)
            << "\n"
            << diagnostic.getLocation() << ": " << diagnostic;
        return mlir::success();
      });
  auto model = TestModel::compile(choice, message);
  message += errors;
  return model;
}

void checkKernels(const RandomGraph &graph, TestModel &model,
                  std::mt19937 &random) {
  // Of a layer with a window calls that go past the end of a ring.
  auto positionOf = [&](int64_t layer) -> int64_t {
    return graph.windows[layer] ? abi::kCacheBlock - 1 : 4;
  };
  for (const auto &[kernel, layer] : kernelsOf(model, "decode"))
    checkKernel(model, {kernel, layer, /*rows=*/1, positionOf(layer) + 1},
                random);
  for (const auto &[kernel, layer] : kernelsOf(model, "prefill"))
    // A whole call and a tail of one tile.
    for (int64_t rows : {model.choice.chunk, int64_t(3)})
      checkKernel(model, {kernel, layer, rows, positionOf(layer)}, random);
  for (const auto &[kernel, layer] : kernelsOf(model, "lm_head"))
    checkKernel(model, {kernel, layer, /*rows=*/3, /*position=*/0}, random);
  for (const auto &[form, bound] : otherForms(model))
    for (const auto &[kernel, layer] : kernelsOf(model, form))
      checkKernel(model, {kernel, layer, bound - 1, positionOf(layer)}, random);
  checkNoneIsForgotten(model);
}

class GraphTest : public testing::TestWithParam<GraphCase> {};

TEST_P(GraphTest, ComputesWhatTheEvaluatorDoes) {
  SCOPED_TRACE(graphOf(GetParam().number).describe());
  std::string message;
  std::unique_ptr<TestModel> model = compile(GetParam(), message);
  ASSERT_TRUE(model) << message;
  std::mt19937 random(graphSeed());
  if (model->canRun())
    checkKernels(graphOf(GetParam().number), *model, random);
}

INSTANTIATE_TEST_SUITE_P(Graphs, GraphTest, testing::ValuesIn(graphCases()),
                         [](const testing::TestParamInfo<GraphCase> &info) {
                           std::string name =
                               info.param.target +
                               ("_" + std::to_string(info.param.number));
                           for (char &letter : name)
                             if (!std::isalnum(
                                     static_cast<unsigned char>(letter)))
                               letter = '_';
                           return name;
                         });

// A set that lacks an op in a role proves nothing about it.
TEST(RandomGraphTest, EachOpIsInEachRoleFiveTimes) {
  RoleCounts counts;
  randomGraphs(graphSeed(), kGraphs, counts);
  auto expectAtLeast = [&](int least, const std::string &what) {
    EXPECT_GE(counts[what], least)
        << what << ", CORELLAMA_SEED=" << graphSeed();
  };
  for (std::string op : {"rope ", "silu ", "mul ", "add ", "swiglu ", "scale ",
                         "bias ", "head_norm "}) {
    for (const char *role : {"inner", "buffer", "cache", "both"})
      expectAtLeast(5, op + role);
  }
  for (const char *what : {"producer none", "producer norm", "products 1",
                           "products 2", "products 3", "products 4"})
    expectAtLeast(5, what);
}

} // namespace
} // namespace corellama::test
