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
  auto placeFor = [&](Capability capability) -> int {
    DeviceInfo device;
    device.capability = capability;
    const auto place = programFor(programs, device);
    return place ? int(*place) : -1;
  };
  EXPECT_EQ(placeFor({9, 0}), 0);
  EXPECT_EQ(placeFor({8, 0}), 1);
  EXPECT_EQ(placeFor({12, 0}), 1);
  EXPECT_EQ(placeFor({7, 5}), -1);
  const auto onAmpere = modulesFor(second, {8, 6});
  ASSERT_EQ(onAmpere.size(), 2u);
  EXPECT_EQ(onAmpere[0], &ampere[1]);
  EXPECT_EQ(onAmpere[1], &ampere[0]);
  const auto onLater = modulesFor(second, {12, 0});
  ASSERT_EQ(onLater.size(), 1u);
  EXPECT_EQ(onLater[0], &ampere[0]);
}

TEST(Devices, ABlockHasWorkgroupMemoryForEachKernel) {
  const abi::DeviceModule modules[] = {{"sm_80", "", 1, false}};
  abi::DeviceKernel kernels[3] = {};
  kernels[1].sharedBytes = 128 << 10;
  abi::DeviceProgram program{};
  program.target = "cuda:sm_80";
  program.modules = modules;
  program.moduleCount = 1;
  program.kernels = kernels;
  program.kernelCount = 3;
  const abi::DeviceProgram *const programs[] = {&program, nullptr};
  DeviceInfo device;
  device.capability = {8, 6};
  device.workgroupBytes = 128 << 10;
  EXPECT_TRUE(programFor(programs, device));
  device.workgroupBytes = 99 << 10;
  EXPECT_EQ(programFor(programs, device).error(),
            "cannot run this program, whose code for cuda:sm_80 takes 131072 "
            "bytes of workgroup memory, of which a block has at most 101376");
  device.capability = {7, 5};
  EXPECT_EQ(programFor(programs, device).error(),
            "cannot run this program, which was compiled for cuda:sm_80");
}

} // namespace corellama::runtime::cuda
