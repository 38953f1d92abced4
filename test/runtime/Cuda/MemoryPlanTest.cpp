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
  // 10 offsets; a context (112 bytes) and two lists of 20; one and a list of 8.
  EXPECT_EQ(sizeof(abi::Context), 112u);
  EXPECT_EQ(plan->step.firstList, 128u);
  EXPECT_EQ(plan->step.secondList, 256u);
  EXPECT_EQ(plan->step.bytes, 384u);
  EXPECT_EQ(plan->head.bytes, 192u);
  EXPECT_EQ(plan->tables, 128u + 384 + 192);
  EXPECT_EQ(plan->all(), plan->weights + plan->keys + plan->values +
                             plan->workspace + plan->rope + plan->tables);
}

TEST_F(MemoryPlanTest, RefusesWithItsNumbers) {
  auto plan = MemoryPlan::create(program, image, 1000);
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->check(plan->all(), "device 0"));
  auto error = plan->check(plan->all() - 1, "device 0");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message,
            "the model takes 3.01 GiB of GPU memory (3.00 GiB of weights, 2.25 "
            "MiB of cache for 1024 tokens, 4.00 MiB of workspace, 0.13 MiB of "
            "tables), and device 0 has 3.01 GiB free; give -c 768, or end "
            "other programs that use it");
  error = plan->check(plan->weights, "device 0");
  ASSERT_TRUE(error);
  EXPECT_NE(error->message.find("has 3.00 GiB free; give another --device, or "
                                "compile the model with --quantize"),
            std::string::npos);
}

// What it advises fits.
TEST_F(MemoryPlanTest, AdvisesAContextThatFits) {
  auto plan = MemoryPlan::create(program, image, 100'000);
  ASSERT_TRUE(plan);
  const uint64_t free = plan->all() - (plan->keys + plan->values) / 3;
  auto error = plan->check(free, "device 0");
  ASSERT_TRUE(error);
  const size_t at = error->message.find("give -c ");
  ASSERT_NE(at, std::string::npos);
  const uint64_t tokens = std::stoull(error->message.substr(at + 8));
  EXPECT_GT(tokens, 60'000u);
  auto smaller = MemoryPlan::create(program, image, tokens);
  ASSERT_TRUE(smaller);
  EXPECT_FALSE(smaller->check(free, "device 0"));
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
