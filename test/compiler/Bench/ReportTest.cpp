//===- ReportTest.cpp - tables and records of bench -----------------------===//
//
// Results with round numbers -> each form of the output, compared as a whole or
// parsed.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Bench.h"
#include "compiler/Registration/Registration.h"
#include "test/compiler/Bench/Manifest.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

namespace corellama::test {
namespace {

using namespace corellama::bench;

class ReportTest : public testing::Test {
protected:
  ReportTest() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    llvm::json::Value manifest = llvm::cantFail(llvm::json::parse(kManifest));
    work = std::make_unique<Work>(llvm::cantFail(
        Work::create(*manifest.getAsObject(), "program", context)));
    options.program = "program";
    // 8 tokens in 2 and in 4 seconds; the floor is 1 second.
    Result prompt, generated;
    prompt.isPrompt = true;
    prompt.tokens = 8;
    prompt.depth = 0;
    prompt.threads = 2;
    prompt.nanoseconds = {2e9, 4e9};
    prompt.floor = {1e9, 1e9};
    prompt.prediction = {2e9, 1.6e9};
    prompt.rates = {{4e9, {1e12, 2e12}}, {6e9, {3e12, 4e12}}};
    // 2 tokens in a second.
    generated.isPrompt = false;
    generated.tokens = 2;
    generated.depth = 16;
    generated.threads = 1;
    generated.nanoseconds = {1e9};
    generated.floor = {5e8};
    generated.prediction = {8e8};
    generated.rates = {{1e9, {1e9, 1e9}}};
    generated.kernels = {{"up", 2, {30}, {5}, {15}, {24}, {60e3, 240e3, 0}}};
    generated.barriers = 10;
    generated.barrierMicroseconds = {1};
    results = {prompt, generated};
  }

  std::string report(Format format) {
    options.format = format;
    std::string text;
    llvm::raw_string_ostream out(text);
    bench::report(options, *work, results, out);
    return text;
  }

  mlir::MLIRContext context;
  std::unique_ptr<Work> work;
  Options options;
  std::vector<Result> results;
};

TEST_F(ReportTest, TheTableHasMeansDeviationsAndShares) {
  std::string text = report(Format::Markdown);
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n');
  ASSERT_GE(lines.size(), 5u);
  EXPECT_EQ(lines[0],
            "| model |     size | params | activations | threads |      test |"
            "         t/s | GB/s ceiling | GOP/s ceiling | share |");
  // 4 and 2 tokens a second; half and a quarter of the ceiling.
  EXPECT_EQ(lines[2],
            "| m     | 0.00 MiB | 0.00 M |          q8 |       2 |       pp8 |"
            " 3.00 \xC2\xB1 1.41 |          5.0 |          2000 |   38% |");
  EXPECT_NE(lines[3].find("tg2 @ d16 | 2.00 \xC2\xB1 0.00"), lines[3].npos)
      << lines[3].str();
  // Ten barriers of 1 us beside 30 us of kernels.
  EXPECT_NE(
      text.find("| up       |     2 |  30 |     75% |  2.0 |     8 |   50% |"
                "      80% |        5 | 60% |"),
      text.npos)
      << text;
  EXPECT_NE(text.find("| barriers |    10 |  10 |     25% |"), text.npos)
      << text;
}

TEST_F(ReportTest, RecordsHaveTheFieldsOfLlamaBench) {
  options.kernels = true;
  llvm::json::Value value =
      llvm::cantFail(llvm::json::parse(report(Format::JSON)));
  const llvm::json::Array &list = *value.getAsArray();
  ASSERT_EQ(list.size(), 2u);
  const llvm::json::Object &prompt = *list[0].getAsObject();
  for (auto [key, number] : {std::pair("n_prompt", 8),
                             {"n_gen", 0},
                             {"n_depth", 0},
                             {"n_threads", 2},
                             {"n_batch", 8},
                             {"model_n_params", 140}})
    EXPECT_EQ(prompt.getInteger(key), number) << key;
  EXPECT_EQ(prompt.getString("type_k"), "f16");
  EXPECT_EQ(prompt.getInteger("avg_ns"), 3000000000);
  EXPECT_DOUBLE_EQ(*prompt.getNumber("avg_ts"), 3);
  EXPECT_DOUBLE_EQ(*prompt.getNumber("share"), 0.375);
  EXPECT_DOUBLE_EQ(*prompt.getNumber("ceiling_gbps"), 5);
  EXPECT_EQ(prompt.getArray("samples_ts")->size(), 2u);
  const llvm::json::Object &generated = *list[1].getAsObject();
  EXPECT_EQ(generated.getInteger("n_gen"), 2);
  const llvm::json::Object &kernel =
      *generated.getArray("kernels")->front().getAsObject();
  EXPECT_EQ(kernel.getString("name"), "up");
  EXPECT_DOUBLE_EQ(*kernel.getNumber("gbps"), 2);
}

TEST_F(ReportTest, PredictionsStandBesideMeasurements) {
  options.predict = true;
  // 8 tokens in 2 and in 1.6 seconds, 2 in 0.8.
  std::string text = report(Format::Markdown);
  EXPECT_NE(text.find("|   38% |          4.50 |   70% |"), text.npos) << text;
  EXPECT_NE(text.find("|   50% |          2.50 |   80% |"), text.npos) << text;
  llvm::json::Value value =
      llvm::cantFail(llvm::json::parse(report(Format::JSON)));
  const llvm::json::Object &prompt = *value.getAsArray()->front().getAsObject();
  EXPECT_DOUBLE_EQ(*prompt.getNumber("predicted_ts"), 4.5);
  EXPECT_DOUBLE_EQ(*prompt.getNumber("of_predicted"), 0.7);
}

TEST_F(ReportTest, EachLineIsARecord) {
  llvm::SmallVector<llvm::StringRef> lines;
  std::string text = report(Format::JSONLines);
  llvm::StringRef(text).trim().split(lines, '\n');
  ASSERT_EQ(lines.size(), 2u);
  for (llvm::StringRef line : lines)
    EXPECT_TRUE(llvm::cantFail(llvm::json::parse(line)).getAsObject());
}

TEST_F(ReportTest, CSVHasOneHeaderAndQuotes) {
  work->model = "a \"b\", c.gguf";
  std::string text = report(Format::CSV);
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).trim().split(lines, '\n');
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(
      lines[0].starts_with("build,cpu_info,model_filename,model_type,"));
  EXPECT_NE(lines[1].find("\"a \"\"b\"\", c.gguf\""), lines[1].npos);
  EXPECT_EQ(lines[0].count(','), lines[2].count("\",\""));
}

} // namespace
} // namespace corellama::test
