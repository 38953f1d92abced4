//===- WorkTest.cpp - the cost model of bench -----------------------------===//
//
// Bytes and operations of dispatches against numbers worked out by hand, and
// manifests that lack something.
//
//===----------------------------------------------------------------------===//

#include "compiler/Bench/Work.h"
#include "compiler/Registration/Registration.h"
#include "test/compiler/Bench/Manifest.h"
#include "gtest/gtest.h"

namespace corellama::test {
namespace {

using bench::Cost;
using bench::Estimate;
using bench::Work;

class WorkTest : public testing::Test {
protected:
  WorkTest() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  llvm::Expected<Work> read(const std::string &manifest) {
    llvm::json::Value value = llvm::cantFail(llvm::json::parse(manifest));
    return Work::create(*value.getAsObject(), "m", context);
  }
  /// The message after one text of the manifest has become another.
  std::string messageAfter(llvm::StringRef from, llvm::StringRef to) {
    std::string manifest = kManifest;
    size_t at = manifest.find(from);
    EXPECT_NE(at, manifest.npos) << from.str();
    manifest.replace(at, from.size(), to);
    llvm::Expected<Work> work = read(manifest);
    return work ? "" : llvm::toString(work.takeError());
  }

  mlir::MLIRContext context;
};

TEST_F(WorkTest, AFormRunsItsDispatchesInOrder) {
  Work work = llvm::cantFail(read(kManifest));
  std::vector<std::pair<std::string, uint64_t>> order;
  for (const bench::Dispatch &dispatch : work.formFor(1)->dispatches)
    order.push_back({work.kernels[dispatch.kernel].name, dispatch.layer});
  EXPECT_EQ(order, (std::vector<std::pair<std::string, uint64_t>>{
                       {"up.0", 0}, {"attn", 0}, {"up.1", 1}, {"attn", 1}}));
  EXPECT_EQ(work.formFor(2)->dispatches.size(), 1u);
  EXPECT_EQ(work.formFor(9), nullptr);
  EXPECT_EQ(work.mostRows(), 8u);
  EXPECT_EQ(work.weightBytes, 140u + 60 + 18 + 40);
  EXPECT_EQ(work.parameters, 70u + 30 + 30 + 10);
  ASSERT_EQ(work.units.size(), 2u);
}

TEST_F(WorkTest, CostsAreThoseOfTheLayersTensors) {
  Work work = llvm::cantFail(read(kManifest));
  Cost first = work.costOf({/*kernel=*/0, /*layer=*/0}, /*rows=*/4, 0);
  EXPECT_EQ(first.bytes, 60);
  EXPECT_EQ(first.operations, 2 * 30 * 4);
  Cost second = work.costOf({/*kernel=*/1, /*layer=*/1}, /*rows=*/1, 0);
  EXPECT_EQ(second.bytes, 18);
  EXPECT_NE(first.unit, second.unit);
  // Two rows behind three: they meet four and five keys of 5 heads of 4; one of
  // two layers has half of a position's bytes.
  Cost attention = work.costOf({/*kernel=*/2, 0}, /*rows=*/2, /*depth=*/3);
  EXPECT_EQ(attention.bytes, 5 * 20);
  EXPECT_EQ(attention.operations, 4 * 5 * 4 * (4 + 5));
}

// Three rows behind two see 3, 4 and 4 keys of a window of 4, behind twenty 4
// each and 6 together; the other layer sees all.
TEST_F(WorkTest, AWindowBoundsTheKeysOfItsLayers) {
  std::string text = kManifest;
  const std::string before = R"("context": 64)";
  text.replace(text.find(before), before.size(),
               before + R"(, "window": 4, "window_layers": [1])");
  Work work = llvm::cantFail(read(text));
  Cost windowed = work.costOf({/*kernel=*/2, 1}, /*rows=*/3, /*depth=*/2);
  EXPECT_EQ(windowed.bytes, 5 * 20);
  EXPECT_EQ(windowed.operations, 4 * 5 * 4 * (3 + 4 + 4));
  windowed = work.costOf({/*kernel=*/2, 1}, /*rows=*/3, /*depth=*/20);
  EXPECT_EQ(windowed.bytes, 6 * 20);
  EXPECT_EQ(windowed.operations, 4 * 5 * 4 * (4 + 4 + 4));
  EXPECT_EQ(work.costOf({2, 0}, 3, 20).bytes, 23 * 20);
}

TEST_F(WorkTest, TheFloorOfEachKernelIsItsOwn) {
  Work work = llvm::cantFail(read(kManifest));
  // In a second memory gives 10 bytes; fma makes 100 operations, the other 1.
  bench::Rates rates{10, {100, 1}};
  Cost memory{/*bytes=*/40, /*operations=*/10, /*unit=*/0};
  EXPECT_EQ(memory.floor(rates), 4);
  Cost arithmetic{/*bytes=*/40, /*operations=*/10, /*unit=*/1};
  EXPECT_EQ(arithmetic.floor(rates), 10);
  // up.0: 6 s by memory; up.1: 60 by arithmetic; attention of one key and of
  // two: 2 and 4 by memory in each layer; the head: 14 by memory.
  EXPECT_EQ(work.generateTime(Estimate::Floor, 1, 0, rates),
            6 + 60 + 2 * 2 + 14);
  EXPECT_EQ(work.generateTime(Estimate::Floor, 2, 0, rates),
            2 * (6 + 60 + 14) + 2 * 2 + 2 * 4);
  // Calls of 8 and of 2 rows: 8 keys are 16 s by memory and 28.8 by arithmetic,
  // 10 are 20 and 15.2; the head once.
  EXPECT_DOUBLE_EQ(work.promptTime(Estimate::Floor, 10, 0, 8, rates),
                   28.8 + 20 + 14);
}

TEST_F(WorkTest, APredictionIsNoLessThanTheFloor) {
  Work work = llvm::cantFail(read(kManifest));
  // An addition behind 32 multiplications of f16; scales, an fma and a widening
  // behind 8 of quants; exp and masks of attention.
  EXPECT_DOUBLE_EQ(work.costOf({/*kernel=*/0, 0}, 4, 0).slots, 240 * 33 / 32.);
  EXPECT_DOUBLE_EQ(work.costOf({/*kernel=*/1, 1}, 1, 0).slots, 60 * 11 / 8.);
  EXPECT_DOUBLE_EQ(work.costOf({/*kernel=*/2, 0}, 2, 3).slots, 720 / 0.8);
  // Five heads share a key that is read for one row.
  EXPECT_DOUBLE_EQ(work.costOf({/*kernel=*/2, 0}, 1, 3).slots,
                   320 / (0.86 * 5 / (5 + 2.1)));
  // A microsecond, and 96% of the bytes or 93% of the slots of a second.
  bench::Rates rates{10, {100, 1}};
  Cost memory{/*bytes=*/48, /*operations=*/10, /*unit=*/0, /*slots=*/10};
  EXPECT_DOUBLE_EQ(memory.prediction(rates), 5 + 1e-6);
  Cost arithmetic{/*bytes=*/1, /*operations=*/10, /*unit=*/1, /*slots=*/18.6};
  EXPECT_DOUBLE_EQ(arithmetic.prediction(rates), 20 + 1e-6);
  for (uint64_t rows : {1, 8})
    EXPECT_GT(work.promptTime(Estimate::Prediction, rows, 3, 8, rates),
              work.promptTime(Estimate::Floor, rows, 3, 8, rates));
}

TEST_F(WorkTest, AManifestThatLacksSomethingIsAnError) {
  const std::pair<const char *, const char *> edits[] = {
      {"\"layers\": 2", "\"layers\": 0"},
      {"\"bytes\": 140", "\"bytes\": -1"},
      {"\"format\": \"f16\"", "\"format\": \"f17\""},
      {"\"vector_bits\": 256", "\"vector_bits\": -1"},
      {"#cpu.strategy<unit = #cpu.dot_u8s8", "#cpu.strategy<unit = #cpu.none"},
      {"[[0, 1]]", "[[0, 5]]"},
      {"[[0, 1]]", "[[4, 1]]"},
      {"[[0, 1]]", "[0]"},
      {"[\"lm_head\", 0]", "[\"head\", 0]"},
      {"[\"up.1\", 1]", "[\"up.1\", 2]"},
      {"[\"up.1\", 1]", "\"up.1\""},
      {"\"forms\"", "\"form\""},
  };
  for (auto [from, to] : edits)
    EXPECT_TRUE(
        llvm::StringRef(messageAfter(from, to)).starts_with("m: manifest: '"))
        << from << " -> " << to << ": " << messageAfter(from, to);
}

} // namespace
} // namespace corellama::test
