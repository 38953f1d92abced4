//===- GraphTest.cpp - legal graphs through every phase -------------------===//
//
// Models that a grammar draws (RandomGraph.h), compiled and run: each kernel
// against the float64 evaluator, so that no pass relies on the shape of a
// Llama. A failure prints the seed, the number and the text of its graph;
// CORELLAMA_SEED draws others, CORELLAMA_ALL=1 takes ten times as many.
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
/// With CORELLAMA_ALL.
constexpr size_t kAllGraphs = 200;

uint32_t graphSeed() {
  const char *text = std::getenv("CORELLAMA_SEED");
  return text ? static_cast<uint32_t>(std::strtoul(text, nullptr, 10)) : 1;
}
bool takesAllGraphs() { return std::getenv("CORELLAMA_ALL") != nullptr; }

const std::vector<RandomGraph> &graphs() {
  static RoleCounts counts;
  static const std::vector<RandomGraph> drawn = randomGraphs(
      graphSeed(), takesAllGraphs() ? kAllGraphs : kGraphs, counts);
  return drawn;
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
  choice.backend = target.rfind("cuda", 0) == 0 ? "emulator" : "cpu";
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
  for (const RandomGraph &graph : graphs()) {
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
  for (const char *op : {"rope", "silu", "mul", "add", "swiglu"})
    for (const char *role : {"inner", "buffer", "cache"})
      EXPECT_GE(counts[std::string(op) + " " + role], 10)
          << op << " " << role << ", CORELLAMA_SEED=" << graphSeed();
}

} // namespace
} // namespace corellama::test
