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
#include "gtest/gtest.h"
#include <cstdlib>

namespace corellama::test {
namespace {

/// Enough that each op is in each role ten times.
constexpr size_t kGraphs = 20;
/// With CORELLAMA_ALL, on CPUs: the emulator takes a minute for twenty.
constexpr size_t kAllGraphs = 200;

uint32_t graphSeed() {
  const char *text = std::getenv("CORELLAMA_SEED");
  return text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
}
bool takesAllGraphs() { return std::getenv("CORELLAMA_ALL") != nullptr; }

bool isGPU(llvm::StringRef target) { return target.starts_with("cuda"); }

std::vector<RandomGraph> graphsFor(llvm::StringRef target) {
  RoleCounts counts;
  bool all = takesAllGraphs() && !isGPU(target);
  return randomGraphs(graphSeed(), all ? kAllGraphs : kGraphs, counts);
}

/// Compiles one graph for a target; null, with a message, where that fails.
std::unique_ptr<TestModel> compile(const RandomGraph &graph,
                                   const std::string &target,
                                   std::string &message) {
  ModelChoice choice;
  choice.format = llama::reference::Format::F32;
  choice.target = target;
  choice.cacheType = graph.cacheType;
  choice.shape = graph.shape;
  choice.text = graph.text;
  choice.emulated = isGPU(target);
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

void checkKernels(TestModel &model, std::mt19937 &random) {
  for (const auto &[kernel, layer] : kernelsOf(model, "decode"))
    checkKernel(model, {kernel, layer, /*rows=*/1, /*position=*/5}, random);
  for (const auto &[kernel, layer] : kernelsOf(model, "prefill"))
    // A whole call and a tail of one tile.
    for (int64_t rows : {model.choice.chunk, int64_t(3)})
      checkKernel(model, {kernel, layer, rows, /*position=*/4}, random);
  checkNoneIsForgotten(model);
}

class GraphTest : public testing::TestWithParam<const char *> {};

TEST_P(GraphTest, EveryGraphComputesWhatTheEvaluatorDoes) {
  std::mt19937 random(graphSeed());
  for (const RandomGraph &graph : graphsFor(GetParam())) {
    std::string message;
    std::unique_ptr<TestModel> model = compile(graph, GetParam(), message);
    if (!model) {
      ADD_FAILURE() << message << "\n" << graph.describe();
      continue;
    }
    if (!model->canRun())
      continue;
    SCOPED_TRACE(graph.describe());
    checkKernels(*model, random);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Targets, GraphTest, testing::Values("x86-64-v3", "x86-64-v4", "cuda:sm_80"),
    [](const testing::TestParamInfo<const char *> &info) {
      std::string name = info.param;
      for (char &letter : name)
        if (!std::isalnum(static_cast<unsigned char>(letter)))
          letter = '_';
      return name;
    });

// A set that lacks an op in a role proves nothing about it.
TEST(RandomGraphTest, EachOpIsInEachRoleTenTimes) {
  RoleCounts counts;
  randomGraphs(graphSeed(), kGraphs, counts);
  auto expectAtLeast = [&](int least, const std::string &what) {
    EXPECT_GE(counts[what], least)
        << what << ", CORELLAMA_SEED=" << graphSeed();
  };
  for (std::string op : {"rope ", "silu ", "mul ", "add ", "swiglu "}) {
    for (const char *role : {"inner", "buffer", "both"})
      expectAtLeast(10, op + role);
    // A tree in the cache and in no buffer besides.
    expectAtLeast(2, op + "cache");
  }
  for (const char *what : {"producer none", "producer norm", "products 1",
                           "products 2", "products 3", "products 4"})
    expectAtLeast(10, what);
}

} // namespace
} // namespace corellama::test
