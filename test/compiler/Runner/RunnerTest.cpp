//===- RunnerTest.cpp - kernels loaded and called -------------------------===//

#include "compiler/Runner/Runner.h"
#include "compiler/Runner/KernelContext.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "test/compiler/CodeGen/CodeGenTesting.h"
#include "gtest/gtest.h"

// Inside, because <cxxabi.h> has a namespace abi too.
namespace corellama::test {

TEST(Runner, WhatTheHostLacksIsNamed) {
  mlir::MLIRContext context;
  context.loadDialect<cpu::CPUDialect, cuda::CUDADialect>();
  auto whatIsMissing = [](llama::TargetInterface target) {
    std::string missing;
    EXPECT_EQ(hostSupports(target, missing), missing.empty());
    return missing;
  };
  auto cpuWith = [&](llvm::StringRef features) {
    return whatIsMissing(cpu::TargetAttr::get(&context, "t", features, 256));
  };
  EXPECT_EQ(cpuWith("+sse3"), "");
  // Two features that no CPU can have, in spelling only.
  EXPECT_EQ(cpuWith("+nosuch1,+sse3,+nosuch2"), "nosuch1, nosuch2");
  EXPECT_EQ(
      whatIsMissing(cuda::TargetAttr::get(&context, "cuda:sm_80", "+ptx80", 0)),
      "a GPU");
}

TEST(Runner, ReadsTheDescriptorThroughTheABI) {
  auto module = parseModule(smallAttributesWithSteps(),
                            std::string(kSmallModule) + kSmallSteps);
  ASSERT_TRUE(module);
  auto loaded = RunnerModule::load(*module);
  ASSERT_TRUE(bool(loaded)) << llvm::toString(loaded.takeError());
  const abi::Program &program = loaded->program();
  EXPECT_EQ(program.version, abi::kVersion);
  EXPECT_STREQ(program.target, "x86-64-v3");
  EXPECT_STREQ(program.features, "+avx2,+fma");
  ASSERT_EQ(program.entryCount, 2u);
  EXPECT_STREQ(program.entries[0].name, "decode");
  EXPECT_EQ(program.entries[0].rows, 1u);
  EXPECT_STREQ(program.entries[1].name, "prefill");
  EXPECT_EQ(program.entries[1].rows, 8u);
  EXPECT_NE(program.entries[0].step, nullptr);
  EXPECT_NE(program.entries[0].step, program.entries[1].step);
  ASSERT_EQ(program.lmHeadCount, 1u);
  EXPECT_EQ(program.lmHeads[0].rows, 1u);
  EXPECT_NE(program.lmHeads[0].step, nullptr);
  EXPECT_EQ(program.workspaceBytes, 4096u);
  EXPECT_EQ(program.scratchBytes, 256u);
  EXPECT_EQ(program.logitsOffset, 128u);
  ASSERT_EQ(loaded->kernels().size(), 1u);
  EXPECT_STREQ(loaded->kernels()[0].name, "fill.decode");
  EXPECT_EQ(loaded->kernels()[0].scratchBytes, 64u);
  EXPECT_EQ(loaded->lookup("fill.decode"), &loaded->kernels()[0]);
  EXPECT_EQ(loaded->lookup("fill"), nullptr);
}

TEST(Entries, TheFirstThatHasRoomIsFound) {
  const abi::Entry entries[] = {
      {"a", 1, nullptr}, {"b", 4, nullptr}, {"c", 9, nullptr}};
  auto found = [&](uint64_t rows) {
    return abi::findEntry(entries, std::size(entries), rows);
  };
  EXPECT_EQ(found(1), &entries[0]);
  EXPECT_EQ(found(2), &entries[1]);
  EXPECT_EQ(found(4), &entries[1]);
  EXPECT_EQ(found(9), &entries[2]);
  EXPECT_EQ(found(10), nullptr);
  EXPECT_EQ(abi::findEntry(entries, 0, 1), nullptr);
}

TEST(Runner, CallsAKernelOnBuffers) {
  auto module = parseModule(kSmallAttributes, kSmallModule);
  ASSERT_TRUE(module);
  auto loaded = RunnerModule::load(*module);
  ASSERT_TRUE(bool(loaded)) << llvm::toString(loaded.takeError());
  const abi::Kernel *kernel = loaded->lookup("fill.decode");
  ASSERT_NE(kernel, nullptr);

  KernelContextSizes sizes;
  sizes.workspaceBytes = 4096;
  sizes.scratchBytes = kernel->scratchBytes;
  KernelContext inOrder(sizes), shuffled(sizes);
  inOrder.setRows(3, 5); // positions 5, 6, 7: 8 keys, 3 + 16 parts
  shuffled.setRows(3, 5);
  inOrder.run(*kernel, 2);
  std::mt19937 random(1);
  shuffled.runShuffled(*kernel, 2, random);
  for (int part = 0; part < 19; ++part) {
    EXPECT_EQ(inOrder.workspace.as<int32_t>()[part], part + 20);
    EXPECT_EQ(shuffled.workspace.as<int32_t>()[part], part + 20);
  }
  EXPECT_EQ(inOrder.workspace.as<int32_t>()[19], 0);
}

TEST(Runner, TwoModulesDoNotMeet) {
  auto module = parseModule(kSmallAttributes, kSmallModule);
  ASSERT_TRUE(module);
  auto first = RunnerModule::load(*module);
  auto second = RunnerModule::load(*module);
  ASSERT_TRUE(bool(first));
  ASSERT_TRUE(bool(second));
  EXPECT_NE(first->lookup("fill.decode"), second->lookup("fill.decode"));
  RunnerModule moved = std::move(*first);
  EXPECT_NE(moved.lookup("fill.decode"), nullptr);
}

TEST(KernelContext, PointsToWhatItOwns) {
  KernelContextSizes sizes;
  sizes.weightBytes = 100;
  sizes.workspaceBytes = 1;
  sizes.ropeRow = 4;
  sizes.capacity = 512;
  KernelContext buffers(sizes);
  buffers.setRows(2, 510);
  buffers.wanted[0] = 1;
  abi::Context context = buffers.context();
  EXPECT_EQ(context.rows, 2u);
  EXPECT_EQ(context.keyCount, 512u);
  EXPECT_EQ(context.capacity, 512u);
  EXPECT_EQ(context.wanted[0], 1);
  EXPECT_EQ(context.positions[0], 510);
  EXPECT_EQ(context.positions[1], 511);
  EXPECT_EQ(context.workspace, buffers.workspace.data());
  EXPECT_EQ(buffers.rope.size(), 4u * 512 * 4);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(context.weights) % 64, 0u);
}

} // namespace corellama::test
