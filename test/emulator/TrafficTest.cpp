//===- TrafficTest.cpp - what kernels are counted to ask memory for -------===//
//
// Accesses whose sectors, passes and bytes are known from their addresses.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/TestKernel.h"
#include "gtest/gtest.h"

namespace corellama::test {

using Site = EmulatorTraffic::Site;

/// The launch of a kernel, of which `ran` blocks run.
static EmulatorTraffic::Launch launchOf(const std::string &body, int blocks = 1,
                                        uint64_t ran = 1) {
  Kernel kernel(body, blocks);
  EmulatorTraffic traffic(kernel.context.ranges(), ran);
  EmulatorOptions options;
  options.findConflicts = false;
  options.traffic = &traffic;
  EXPECT_EQ(kernel.run(options), "");
  EXPECT_EQ(traffic.launches().size(), 1u);
  return traffic.launches().front();
}

/// The only site of a kind in a memory.
static Site siteOf(const EmulatorTraffic::Launch &launch,
                   EmulatorTraffic::Kind kind, llvm::StringRef memory) {
  std::vector<Site> found;
  for (const Site &site : launch.sites)
    if (site.kind == kind && site.memory == memory)
      found.push_back(site);
  EXPECT_EQ(found.size(), 1u);
  return found.empty() ? Site{} : found.front();
}

/// Two warps read float32 at a multiple of their thread's number.
static std::string readsAt(int stride) {
  return "%stride = arith.constant " + std::to_string(stride) + R"mlir( : index
    %at = arith.muli %t, %stride : index
    %x = memref.load %in[%at] : memref<512xf32, 1>
    memref.store %x, %out[%t] : memref<512xf32, 1>
)mlir";
}

TEST(EmulatorTraffic, CountsSectorsOfRequests) {
  for (auto [stride, sectors, lines] :
       {std::tuple(1u, 4u, 1u), {2, 8, 2}, {8, 32, 8}}) {
    auto launch = launchOf(readsAt(static_cast<int>(stride)));
    Site site = siteOf(launch, EmulatorTraffic::Kind::Load, "workspace");
    EXPECT_EQ(site.requests, 2u);
    EXPECT_EQ(site.width, 4u);
    EXPECT_EQ(site.sectors, 2 * sectors) << stride;
    EXPECT_EQ(site.lines, 2 * lines) << stride;
    EXPECT_EQ(site.fewest, 8u);
    // Two warps store 128 bytes each.
    EXPECT_EQ(launch.l2Bytes, 64.0 * sectors + 256);
    EXPECT_EQ(launch.dramBytes, 64.0 * sectors);
  }
}

/// A vector of `width` floats of workgroup memory a thread, `stride` apart.
static Site shares(int width, int stride, int modulo) {
  std::string type = width == 1 ? "memref.load %m[%at] : memref<256xf32, 3>\n"
                                : "vector.load %m[%at] {alignment = 16} : "
                                  "memref<256xf32, 3>, vector<4xf32>\n";
  std::string store = width == 1
                          ? "memref.store %x, %out[%t] : memref<512xf32, 1>\n"
                          : "vector.store %x, %out[%to] : memref<512xf32, 1>, "
                            "vector<4xf32>\n";
  auto launch = launchOf("%stride = arith.constant " + std::to_string(stride) +
                         " : index\n%modulo = arith.constant " +
                         std::to_string(modulo) + R"mlir( : index
    %m = cuda.shared at 0 : memref<256xf32, 3>
    %lane = arith.remui %t, %modulo : index
    %at = arith.muli %lane, %stride : index
    %to = arith.muli %t, %c4 : index
    %x = )mlir" + type + store);
  return siteOf(launch, EmulatorTraffic::Kind::Load, "workgroup");
}

TEST(EmulatorTraffic, CountsPassesOfWorkgroupMemory) {
  auto expect = [](const Site &site, uint64_t passes, uint64_t least) {
    EXPECT_EQ(site.requests, 2u);
    EXPECT_EQ(site.passes, 2 * passes);
    EXPECT_EQ(site.leastPasses, 2 * least);
    EXPECT_EQ(site.worst, passes - least);
  };
  expect(shares(1, 1, 32), 1, 1);
  expect(shares(1, 2, 32), 2, 1);
  expect(shares(1, 8, 32), 8, 1);
  // All lanes read one word.
  expect(shares(1, 1, 1), 1, 1);
  // 16 bytes a lane: quarters of a warp.
  expect(shares(4, 4, 32), 4, 4);
  expect(shares(4, 32, 8), 32, 4);
}

TEST(EmulatorTraffic, CopiesAreReadsAndWrites) {
  auto launch = launchOf(R"mlir(
    %m = cuda.shared at 0 : memref<256xf32, 3>
    %at = arith.muli %t, %c4 : index
    cuda.copy_async %in[%at] to %m[%at] valid %c16 : memref<512xf32, 1> to memref<256xf32, 3>
    cuda.copy_commit
    cuda.copy_wait 0
    cuda.prefetch %w[%c0] : memref<?xi8, 1>
)mlir");
  Site from = siteOf(launch, EmulatorTraffic::Kind::Copy, "workspace"),
       to = siteOf(launch, EmulatorTraffic::Kind::CopyTo, "workgroup");
  EXPECT_EQ(from.requests, 2u);
  EXPECT_EQ(from.sectors, 32u);
  EXPECT_EQ(to.passes, 8u);
  EXPECT_EQ(launch.l2Bytes, 1024);
  // A prefetch brings a line, to the second-level cache alone.
  EXPECT_EQ(launch.dramBytes, 1024 + 128);
}

// What several blocks read comes from DRAM once, and to each of them.
TEST(EmulatorTraffic, ScalesSomeBlocksToTheGrid) {
  const std::string body = R"mlir(
    %c64 = arith.constant 64 : index
    %first = arith.muli %b, %c64 : index
    %at = arith.addi %first, %t : index
    %x = memref.load %in[%at] : memref<512xf32, 1>
    %y = memref.load %in[%t] : memref<512xf32, 1>
    %sum = arith.addf %x, %y : f32
    memref.store %sum, %out[%at] : memref<512xf32, 1>
)mlir";
  auto launch = launchOf(body, /*blocks=*/8, /*ran=*/2);
  EXPECT_EQ(launch.blocks, 8u);
  EXPECT_EQ(launch.ran, 2u);
  // Each block reads 256 bytes of its own, 256 of all, and stores 256.
  EXPECT_EQ(launch.l2Bytes, 8 * 768);
  EXPECT_EQ(launch.dramBytes, 8 * 256 + 256);
}

} // namespace corellama::test
