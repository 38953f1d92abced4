//===- CpusTest.cpp - quotas of control groups, read from made-up trees ---===//
//
// Tests runtime/Threads/Cpus.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Cpus.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace corellama::runtime;

namespace {
/// A folder that stands for "/".
class Cpus : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "cpusXXXXXX";
    ASSERT_TRUE(mkdtemp(pattern.data()));
    root = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  void write(const std::string &path, const std::string &text) {
    std::filesystem::path file = root + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }

  std::string root;
};
} // namespace

TEST_F(Cpus, NoControlGroupsNoLimit) {
  EXPECT_EQ(quotaCpus(root), std::nullopt);
}

TEST_F(Cpus, Version2) {
  write("/proc/self/cgroup", "0::/system.slice/job\n");
  write("/sys/fs/cgroup/system.slice/job/cpu.max", "400000 100000\n");
  EXPECT_EQ(quotaCpus(root), 4u);
}

TEST_F(Cpus, Version2WithoutALimit) {
  write("/proc/self/cgroup", "0::/job\n");
  write("/sys/fs/cgroup/job/cpu.max", "max 100000\n");
  EXPECT_EQ(quotaCpus(root), std::nullopt);
}

TEST_F(Cpus, TheGroupAboveLimitsToo) {
  write("/proc/self/cgroup", "0::/slice/job\n");
  write("/sys/fs/cgroup/slice/job/cpu.max", "800000 100000\n");
  write("/sys/fs/cgroup/slice/cpu.max", "300000 100000\n");
  EXPECT_EQ(quotaCpus(root), 3u);
}

TEST_F(Cpus, InAContainerTheGroupIsTheMountsRoot) {
  write("/proc/self/cgroup", "0::/docker/0123456789abcdef\n");
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(quotaCpus(root), 2u);
}

TEST_F(Cpus, OutsideOfTheMountIsItsRoot) {
  write("/proc/self/cgroup", "0::/../../other\n");
  write("/sys/fs/cgroup/cpu.max", "200000 100000\n");
  EXPECT_EQ(quotaCpus(root), 2u);
}

TEST_F(Cpus, Version1) {
  write("/proc/self/cgroup",
        "5:cpuset:/\n4:cpu,cpuacct:/docker/job\n1:name=systemd:/\n");
  write("/sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_quota_us", "600000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/docker/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quotaCpus(root), 6u);
}

TEST_F(Cpus, Version1WithoutALimit) {
  write("/proc/self/cgroup", "4:cpu:/\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(quotaCpus(root), std::nullopt);
}

TEST_F(Cpus, FractionsRoundDownButNotToNone) {
  write("/proc/self/cgroup", "0::/\n");
  write("/sys/fs/cgroup/cpu.max", "250000 100000\n");
  EXPECT_EQ(quotaCpus(root), 2u);
  write("/sys/fs/cgroup/cpu.max", "50000 100000\n");
  EXPECT_EQ(quotaCpus(root), 1u);
}

TEST_F(Cpus, NonsenseIsNoLimit) {
  write("/proc/self/cgroup", "0::\n:::::\n\n4:cpu\n");
  write("/sys/fs/cgroup/cpu.max", "many 0\n");
  EXPECT_EQ(quotaCpus(root), std::nullopt);
}

TEST(CpusOfThisProcess, AreAtLeastOneAndAtMostTheMask) {
  EXPECT_GE(allowedCpus(), 1u);
  EXPECT_LE(allowedCpus(), affinityCpus().size());
}
