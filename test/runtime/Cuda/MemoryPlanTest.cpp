//===- MemoryPlanTest.cpp - what a program takes of a GPU's memory --------===//
//
// Tests runtime/Cuda/MemoryPlan.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/MemoryPlan.h"

#include <gtest/gtest.h>

// Inside, because <cxxabi.h> has a namespace abi too.
namespace corellama::runtime::cuda {

namespace {
class MemoryPlanTest : public testing::Test {
protected:
  MemoryPlanTest() {
    header.layers = 3;
    header.kvHeads = 2;
    header.keyBytes = 256;
    header.valueBytes = 512;
    header.ropeRow = 32;
    header.weights.bytes = uint64_t(3) << 30;
    program.entries = entries;
    program.entryCount = 2;
    program.lmHeads = heads;
    program.lmHeadCount = 1;
    program.workspaceBytes = 4 << 20;
    image.header = &header;
    image.offsets = offsets;
  }

  static constexpr abi::DeviceEntry entries[] = {{"one", 1, nullptr},
                                                 {"all", 20, nullptr}};
  static constexpr abi::DeviceEntry heads[] = {{"some", 8, nullptr}};
  const uint64_t offsets[10] = {};
  abi::ImageHeader header{};
  abi::DeviceProgram program{};
  MappedImage image{};
};
} // namespace

TEST_F(MemoryPlanTest, HasEachKind) {
  auto plan = MemoryPlan::create(program, image, 1000);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->weights, uint64_t(3) << 30);
  EXPECT_EQ(plan->keys, 1024u * 3 * 256);
  EXPECT_EQ(plan->values, 1024u * 3 * 512);
  EXPECT_EQ(plan->workspace, uint64_t(4) << 20);
  EXPECT_EQ(plan->rope, 1024u * 32 * 4);
  // 10 offsets; two lists of 20; a list of 8.
  EXPECT_EQ(plan->step.secondList, 128u);
  EXPECT_EQ(plan->step.bytes, 256u);
  EXPECT_EQ(plan->head.bytes, 64u);
  EXPECT_EQ(plan->tables, 80u + 256 + 64);
  EXPECT_EQ(plan->all(), plan->weights + plan->keys + plan->values +
                             plan->workspace + plan->rope + plan->tables);
}

// What a token loop has: for 5000 ids bits, and three lists of 256 words.
TEST_F(MemoryPlanTest, HasTheTokenLoop) {
  EXPECT_EQ(MemoryPlan::create(program, image, 1000)->loop.bytes, 0u);
  program.choose = [](const abi::Context *, void *) {};
  header.vocabulary = 5000;
  auto plan = MemoryPlan::create(program, image, 1000);
  ASSERT_TRUE(plan);
  EXPECT_EQ(sizeof(abi::Choice), 232u);
  EXPECT_EQ(plan->loop.token, 256u);
  EXPECT_EQ(plan->loop.ends, 256u + 3 * 64);
  EXPECT_EQ(plan->loop.copied, plan->loop.ends + 640);
  EXPECT_EQ(plan->loop.bytes, plan->loop.copied + uint64_t(3) * 256 * 8);
  EXPECT_EQ(plan->tables, 80u + 256 + 64 + plan->loop.bytes);
}

// The driver takes memory by pages: of eight allocations six are less than one.
TEST_F(MemoryPlanTest, TakesPages) {
  auto plan = MemoryPlan::create(program, image, 1000);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->taken(1024), (uint64_t(3) << 30) + (4 << 20) + (6 * 2 << 20));
  const uint64_t least = plan->taken(1024) + kGraphMargin;
  EXPECT_FALSE(plan->check(least, "device 0"));
  EXPECT_TRUE(plan->check(least - 1, "device 0"));
}

TEST_F(MemoryPlanTest, RefusesWithItsNumbers) {
  auto plan = MemoryPlan::create(program, image, 100'000);
  ASSERT_TRUE(plan);
  auto error = plan->check(plan->weights + (200 << 20), "device 0");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message,
            "the model takes 3.30 GiB of GPU memory (3.00 GiB of weights, "
            "219.94 MiB of cache for 100096 tokens, 4.00 MiB of workspace, "
            "12.22 MiB of tables, each in pages of 2.00 MiB, and 64.00 MiB for "
            "the driver's graphs), and device 0 has 3.20 GiB free; give -c "
            "53248, or end other programs that use it");
  error = plan->check(plan->weights, "device 0");
  ASSERT_TRUE(error);
  EXPECT_NE(error->message.find("has 3.00 GiB free; give another --device, or "
                                "compile the model with --quantize"),
            std::string::npos);
}

// What it advises fits, and a block more does not: where all layers keep all
// positions, where some have rings, and where all have.
TEST_F(MemoryPlanTest, AdvisesTheLargestContextThatFits) {
  const uint64_t none[] = {0, 0, 0}, some[] = {768, 0, 512},
                 all[] = {768, 768, 768};
  for (std::span<const uint64_t> rings :
       {std::span<const uint64_t>(), {none}, {some}, {all}}) {
    image.rings = rings;
    auto plan = MemoryPlan::create(program, image, 100'000);
    ASSERT_TRUE(plan);
    const uint64_t free =
        plan->taken(plan->cache.capacity() / 3 * 2) + kGraphMargin;
    auto error = plan->check(free, "device 0");
    ASSERT_TRUE(error);
    const size_t at = error->message.find("give -c ");
    ASSERT_NE(at, std::string::npos) << error->message;
    const uint64_t tokens = std::stoull(error->message.substr(at + 8));
    EXPECT_GT(tokens, 60'000u);
    auto smaller = MemoryPlan::create(program, image, tokens);
    ASSERT_TRUE(smaller);
    EXPECT_EQ(smaller->taken(tokens), plan->taken(tokens));
    EXPECT_FALSE(smaller->check(free, "device 0"));
    auto larger = MemoryPlan::create(program, image, tokens + abi::kCacheBlock);
    ASSERT_TRUE(larger);
    EXPECT_TRUE(larger->check(free, "device 0"));
  }
}

TEST_F(MemoryPlanTest, RefusesSizesThatOverflow) {
  EXPECT_EQ(MemoryPlan::create(program, image, UINT64_MAX).error(),
            "a context of 18446744073709551615 tokens is too large; give a "
            "smaller -c");
  header.valueBytes = uint64_t(1) << 60;
  EXPECT_EQ(MemoryPlan::create(program, image, 1000).error(),
            "a context of 1000 tokens is too large; give a smaller -c");
}

TEST_F(MemoryPlanTest, BytesForPeople) {
  EXPECT_EQ(formatBytes(0), "0.00 MiB");
  EXPECT_EQ(formatBytes(3 << 19), "1.50 MiB");
  EXPECT_EQ(formatBytes(uint64_t(5) << 29), "2.50 GiB");
}

} // namespace corellama::runtime::cuda
