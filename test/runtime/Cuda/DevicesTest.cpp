//===- DevicesTest.cpp - which GPU runs which code ------------------------===//
//
// Tests runtime/Cuda/Devices.h; programs on made-up machines are run by
// test/e2e/test_emulator.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/Devices.h"

#include <gtest/gtest.h>

// Inside, because <cxxabi.h> has a namespace abi too.
namespace corellama::runtime::cuda {

static bool runs(const char *architecture, bool isAssembled,
                 Capability capability) {
  return canRun({architecture, "", 1, isAssembled}, capability);
}

TEST(Devices, PTXRunsOnLaterGPUs) {
  EXPECT_TRUE(runs("sm_80", false, {8, 0}));
  EXPECT_TRUE(runs("sm_80", false, {8, 6}));
  EXPECT_TRUE(runs("sm_80", false, {9, 0}));
  EXPECT_TRUE(runs("sm_80", false, {10, 0}));
  EXPECT_FALSE(runs("sm_80", false, {7, 5}));
  EXPECT_FALSE(runs("sm_100", false, {9, 0}));
}

TEST(Devices, MachineCodeRunsOnItsGeneration) {
  EXPECT_TRUE(runs("sm_80", true, {8, 0}));
  EXPECT_TRUE(runs("sm_80", true, {8, 9}));
  EXPECT_FALSE(runs("sm_86", true, {8, 0}));
  EXPECT_FALSE(runs("sm_80", true, {9, 0}));
}

TEST(Devices, SpecificCodeRunsOnItsGPUAlone) {
  for (bool isAssembled : {false, true}) {
    EXPECT_TRUE(runs("sm_90a", isAssembled, {9, 0}));
    EXPECT_FALSE(runs("sm_90a", isAssembled, {10, 0}));
    EXPECT_FALSE(runs("sm_90a", isAssembled, {8, 0}));
  }
}

TEST(Devices, OtherNamesRunNowhere) {
  for (const char *name : {"", "sm_", "gfx90a", "sm_90x", "sm_ 90"})
    EXPECT_FALSE(runs(name, false, {9, 0})) << name;
}

TEST(Devices, TakesTheFirstProgramAndItsMachineCode) {
  const abi::DeviceModule hopper[] = {{"sm_90a", "", 1, false},
                                      {"sm_90a", "", 1, true}};
  const abi::DeviceModule ampere[] = {{"sm_80", "", 1, false},
                                      {"sm_80", "", 1, true}};
  abi::DeviceProgram first{}, second{};
  first.target = "cuda:sm_90a";
  first.modules = hopper;
  first.moduleCount = 2;
  second.target = "cuda:sm_80";
  second.modules = ampere;
  second.moduleCount = 2;
  const abi::DeviceProgram *const programs[] = {&first, &second, nullptr};
  EXPECT_EQ(targetsOf(programs), "cuda:sm_90a, cuda:sm_80");
  EXPECT_EQ(programFor(programs, {9, 0}), &first);
  EXPECT_EQ(programFor(programs, {8, 0}), &second);
  EXPECT_EQ(programFor(programs, {12, 0}), &second);
  EXPECT_EQ(programFor(programs, {7, 5}), nullptr);
  const auto onAmpere = modulesFor(second, {8, 6});
  ASSERT_EQ(onAmpere.size(), 2u);
  EXPECT_EQ(onAmpere[0], &ampere[1]);
  EXPECT_EQ(onAmpere[1], &ampere[0]);
  const auto onLater = modulesFor(second, {12, 0});
  ASSERT_EQ(onLater.size(), 1u);
  EXPECT_EQ(onLater[0], &ampere[0]);
}

} // namespace corellama::runtime::cuda
