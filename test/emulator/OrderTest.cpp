//===- OrderTest.cpp - accesses that the emulator must find unordered -----===//
//
// Kernels whose accesses have an order, and the same without it: by barriers,
// within a warp, between blocks, and beside asynchronous copies. A fault must
// be reported whatever the fibres do first.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/TestKernel.h"
#include "gtest/gtest.h"
#include <cmath>

namespace corellama::test {

//===----------------------------------------------------------------------===//
// Barriers, warps, blocks
//===----------------------------------------------------------------------===//

static std::string reverse(const char *barrier) {
  return std::string(R"mlir(
    %m = cuda.shared at 0 : memref<64xf32, 3>
    %x = memref.load %in[%t] : memref<512xf32, 1>
    memref.store %x, %m[%t] : memref<64xf32, 3>
)mlir") + barrier +
         R"mlir(
    %mirror = arith.subi %c63, %t : index
    %y = memref.load %m[%mirror] : memref<64xf32, 3>
    memref.store %y, %out[%t] : memref<512xf32, 1>
)mlir";
}

TEST(Emulator, BarrierOrdersWorkgroupMemory) {
  Kernel kernel(reverse("cuda.barrier"));
  for (uint64_t seed = 0; seed < 20; ++seed) {
    ASSERT_EQ(kernel.run(seeded(seed)), "");
    for (int t = 0; t < 64; ++t)
      EXPECT_EQ(kernel.out(t), Kernel::in(63 - t));
  }
}

TEST(Emulator, MissingBarrierIsReportedInAnyOrder) {
  Kernel kernel(reverse(""));
  EXPECT_EQ(kernel.run(),
            "kernel 'k', layer 0, block 0: thread 32 writes workgroup memory + "
            "128, which thread 31 reads, with no barrier between them");
  for (uint64_t seed = 0; seed < 20; ++seed)
    EXPECT_NE(kernel.run(seeded(seed)).find(", with no barrier between them"),
              std::string::npos);
}

// Unwritten memory is NaN.
TEST(Emulator, WorkgroupMemoryIsNotInitialised) {
  Kernel kernel(reverse(""));
  ASSERT_EQ(kernel.runUnchecked(), "");
  EXPECT_TRUE(std::isnan(kernel.out(0)));
  EXPECT_EQ(kernel.out(63), Kernel::in(0));
}

TEST(Emulator, SeedsChangeTheOrder) {
  Kernel kernel(reverse(""));
  EmulatorOptions first = seeded(1), second = seeded(2);
  first.findConflicts = second.findConflicts = false;
  ASSERT_EQ(kernel.run(first), "");
  std::vector<uint32_t> one(64), two(64);
  std::memcpy(one.data(), kernel.context.workspace.data() + 2048, 256);
  ASSERT_EQ(kernel.run(second), "");
  std::memcpy(two.data(), kernel.context.workspace.data() + 2048, 256);
  EXPECT_NE(one, two);
  ASSERT_EQ(kernel.run(first), "");
  std::memcpy(two.data(), kernel.context.workspace.data() + 2048, 256);
  EXPECT_EQ(one, two);
}

/// Where the error of a body is, in each of some orders: the same fault.
static void expectInAnyOrder(const std::string &body, const std::string &what) {
  Kernel kernel("%m = cuda.shared at 0 : memref<64xf32, 3>\n"
                "%x = arith.constant 1.0 : f32\n" +
                body);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::string error = kernel.run(seeded(seed));
    if (what.empty())
      ASSERT_EQ(error, "") << seed;
    else
      ASSERT_NE(error.find(what), std::string::npos) << seed << ": " << error;
  }
}
static const char *kNoBarrier = ", with no barrier between them";

/// Lane l reads what lane l xor `mask` wrote, after `between`.
static std::string exchange(int mask, const std::string &between) {
  return R"mlir(
    memref.store %x, %m[%t] : memref<64xf32, 3>
    )mlir" +
         between + R"mlir(
    %mask = arith.constant )mlir" +
         std::to_string(mask) + R"mlir( : index
    %other = arith.xori %t, %mask : index
    %y = memref.load %m[%other] : memref<64xf32, 3>
    memref.store %y, %out[%t] : memref<512xf32, 1>
)mlir";
}

TEST(Emulator, ConvergeOrdersAWarpAndNoOther) {
  expectInAnyOrder(exchange(1, "cuda.converge"), "");
  expectInAnyOrder(exchange(32, "cuda.converge"), kNoBarrier);
  expectInAnyOrder(exchange(32, "cuda.barrier"), "");
}

TEST(Emulator, ShuffleOrdersNoMemory) {
  expectInAnyOrder(exchange(1, "%z = cuda.shuffle_xor %x mask 1 : f32"),
                   kNoBarrier);
}

/// All threads for which `condition` holds read %m[0], a converge, and thread 0
/// writes it.
static std::string readsThenWrite(const std::string &condition) {
  return "%reads = arith.cmpi " + condition + R"mlir( : index
    scf.if %reads {
      %y = memref.load %m[%c0] : memref<64xf32, 3>
      memref.store %y, %out[%t] : memref<512xf32, 1>
    }
    cuda.converge
    %first = arith.cmpi eq, %t, %c0 : index
    scf.if %first {
      memref.store %x, %m[%c0] : memref<64xf32, 3>
    }
)mlir";
}

// Two readers are kept of many.
TEST(Emulator, NoReaderIsForgotten) {
  expectInAnyOrder(readsThenWrite("ult, %t, %c32"), "");
  expectInAnyOrder(readsThenWrite("ule, %t, %c32"), kNoBarrier);
  expectInAnyOrder(readsThenWrite("ule, %c0, %t"), kNoBarrier);
  // Readers before and behind a converge.
  expectInAnyOrder(R"mlir(
    %y = memref.load %m[%c0] : memref<64xf32, 3>
    cuda.converge
    %z = memref.load %m[%c0] : memref<64xf32, 3>
    %sum = arith.addf %y, %z : f32
    memref.store %sum, %out[%t] : memref<512xf32, 1>
    %first = arith.cmpi eq, %t, %c4 : index
    scf.if %first {
      memref.store %x, %m[%c0] : memref<64xf32, 3>
    }
)mlir",
                   kNoBarrier);
}

// Blocks have no order, not even by barriers.
TEST(Emulator, BlocksDoNotMeet) {
  EXPECT_EQ(Kernel(R"mlir(
    %x = memref.load %in[%t] : memref<512xf32, 1>
    memref.store %x, %out[%t] : memref<512xf32, 1>
)mlir",
                   2)
                .run(),
            "kernel 'k', layer 0, block 1: thread 0 writes workspace + 2048, "
            "which thread 0 of block 0 writes in the same launch");
  std::string readsNext = R"mlir(
    cuda.barrier
    %next = arith.addi %b, %c1 : index
    %x = memref.load %out[%next] : memref<512xf32, 1>
    cuda.barrier
    memref.store %x, %m[%t] : memref<64xf32, 3>
    %first = arith.cmpi eq, %t, %c0 : index
    scf.if %first {
      memref.store %x, %out[%b] : memref<512xf32, 1>
    }
)mlir";
  Kernel kernel("%m = cuda.shared at 0 : memref<64xf32, 3>" + readsNext, 3);
  EXPECT_EQ(kernel.run(),
            "kernel 'k', layer 0, block 1: thread 0 writes workspace + 2052, "
            "which thread 0 of block 0 reads in the same launch");
}

//===----------------------------------------------------------------------===//
// Launches that overlap
//===----------------------------------------------------------------------===//

/// What the device says of a launch that begins before those before it end.
static std::string runEarly(const std::string &body) {
  EmulatorOptions options;
  options.overlaps = true;
  return Kernel("%m = cuda.shared at 0 : memref<64xf32, 3>\n" + body)
      .run(options);
}

TEST(Emulator, ALaunchThatOverlapsWaits) {
  const std::string wait = "cuda.wait_previous\n", weight = R"mlir(
    %at = arith.muli %t, %c4 : index
    %q = vector.load %w[%at] : memref<?xi8, 1>, vector<4xi8>
    %word = vector.bitcast %q : vector<4xi8> to vector<1xf32>
    %x = vector.extract %word[0] : f32 from vector<1xf32>
    memref.store %x, %m[%t] : memref<64xf32, 3>
    cuda.prefetch %w[%at] : memref<?xi8, 1>
)mlir",
                    read = "%y = memref.load %in[%t] : memref<512xf32, 1>\n",
                    write = "memref.store %x, %out[%t] : memref<512xf32, 1>\n",
                    use = "memref.store %y, %m[%t] : memref<64xf32, 3>\n";
  EXPECT_EQ(
      runEarly("cuda.launch_dependents\n" + weight + wait + read + use + write),
      "");
  // Nobody need have written it: the launch before this one might.
  EXPECT_EQ(runEarly(read + wait + use),
            "kernel 'k', layer 0, block 0: thread 0 reads workspace + 0, and "
            "has not waited for earlier launches");
  EXPECT_EQ(runEarly(weight + write + wait),
            "kernel 'k', layer 0, block 0: thread 0 writes workspace + 2048, "
            "and has not waited for earlier launches");
  EXPECT_EQ(runEarly(R"mlir(
    cuda.copy_async %in[%c0] to %m[%c0] valid %c16 : memref<512xf32, 1> to memref<64xf32, 3>
)mlir" + wait),
            "kernel 'k', layer 0, block 0: thread 0 reads workspace + 0, and "
            "has not waited for earlier launches");
  // Another thread's wait is not this one's, and barriers are no waits.
  EXPECT_EQ(runEarly(R"mlir(
    %first = arith.cmpi eq, %t, %c0 : index
    scf.if %first {
      cuda.wait_previous
    }
    cuda.barrier
)mlir" + read + use),
            "kernel 'k', layer 0, block 0: thread 1 reads workspace + 4, and "
            "has not waited for earlier launches");
  // The launch behind it would not wait for those before it.
  EXPECT_EQ(runEarly(weight),
            "kernel 'k', layer 0, block 0: thread 0 ends, and has not waited "
            "for earlier launches");
  // One that begins when they have ended need not wait.
  EXPECT_EQ(
      Kernel("%m = cuda.shared at 0 : memref<64xf32, 3>\n" + read + use).run(),
      "");
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

static std::string copies(const std::string &wait, int valid = 16) {
  return R"mlir(
    %m = cuda.shared at 256 : memref<128xf32, 3>
    %at = arith.muli %t, %c4 : index
    %zero = arith.constant dense<7.0> : vector<4xf32>
    %some = arith.cmpi ult, %t, %c32 : index
    %valid = arith.constant )mlir" +
         std::to_string(valid) + R"mlir( : index
    scf.if %some {
      vector.store %zero, %m[%at] : memref<128xf32, 3>, vector<4xf32>
      cuda.copy_async %in[%at] to %m[%at] valid %valid : memref<512xf32, 1> to memref<128xf32, 3>
      cuda.copy_commit
      )mlir" +
         wait + R"mlir(
      %x = vector.load %m[%at] : memref<128xf32, 3>, vector<4xf32>
      vector.store %x, %out[%at] : memref<512xf32, 1>, vector<4xf32>
    }
)mlir";
}

TEST(Emulator, CopiesArriveAtTheWait) {
  Kernel kernel(copies("cuda.copy_wait 0"));
  ASSERT_EQ(kernel.run(), "");
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(kernel.out(i), Kernel::in(i));
  Kernel part(copies("cuda.copy_wait 0", 8));
  ASSERT_EQ(part.run(), "");
  for (int i = 0; i < 128; ++i)
    EXPECT_EQ(part.out(i), i % 4 < 2 ? Kernel::in(i) : 0.0f);
}

TEST(Emulator, CopiesDoNotArriveBeforeTheWait) {
  for (const char *wait : {"", "cuda.copy_wait 1"}) {
    Kernel kernel(copies(wait));
    EXPECT_EQ(kernel.run(),
              "kernel 'k', layer 0, block 0: thread 0 reads workgroup memory + "
              "256, which a copy of thread 0 fills that no copy_wait has "
              "covered");
    ASSERT_EQ(kernel.runUnchecked(), "");
    for (int i = 0; i < 128; ++i)
      EXPECT_EQ(kernel.out(i), 7.0f);
  }
}

/// Thread 0 copies %in to %m, a step between, waits, and then a step behind.
static std::string copyOfOne(const std::string &between,
                             const std::string &behind) {
  return R"mlir(
    %first = arith.cmpi eq, %t, %c0 : index
    %last = arith.cmpi eq, %t, %c63 : index
    scf.if %first {
      cuda.copy_async %in[%c0] to %m[%c0] valid %c16 : memref<512xf32, 1> to memref<64xf32, 3>
      cuda.copy_commit
    }
    cuda.barrier
    )mlir" +
         between + R"mlir(
    cuda.barrier
    scf.if %first {
      cuda.copy_wait 0
    }
    )mlir" +
         behind;
}

// A copy is behind its beginning and before its wait, not where its thread is.
TEST(Emulator, CopiesAreAgentsOfTheirOwn) {
  const std::string write = R"mlir(
    scf.if %last {
      memref.store %x, %in[%c0] : memref<512xf32, 1>
    }
)mlir",
                    read = R"mlir(
    %y = memref.load %m[%c0] : memref<64xf32, 3>
    memref.store %y, %out[%t] : memref<512xf32, 1>
)mlir";
  expectInAnyOrder(copyOfOne("", "cuda.barrier" + write + read), "");
  // Between two barriers, but not behind the wait.
  expectInAnyOrder(copyOfOne(write, ""),
                   "thread 63 writes workspace + 0, which a copy reads that no "
                   "copy_wait has covered");
  expectInAnyOrder(copyOfOne(read, ""),
                   "which a copy of thread 0 fills that no copy_wait has "
                   "covered");
  // Its thread has waited, others have not met it since.
  expectInAnyOrder(copyOfOne("", write), "thread 63 writes workspace + 0");
  expectInAnyOrder(copyOfOne("", read), "reads workgroup memory + 0");
  expectInAnyOrder(copyOfOne("", "cuda.converge\n"), "");
  // Nor its own thread, whose source it still reads.
  expectInAnyOrder(R"mlir(
    %at = arith.muli %t, %c4 : index
    %some = arith.cmpi ult, %t, %c16 : index
    scf.if %some {
      cuda.copy_async %in[%at] to %m[%at] valid %c16 : memref<512xf32, 1> to memref<64xf32, 3>
      memref.store %x, %in[%at] : memref<512xf32, 1>
    }
)mlir",
                   "which a copy reads");
}

/// Each thread copies twice, in two groups, and reads the first or the second
/// after a wait that leaves `pending`.
static std::string twoGroups(int pending, const char *which) {
  return R"mlir(
    %c64 = arith.constant 64 : index
    %two = cuda.shared at 0 : memref<256xf32, 3>
    %at = arith.muli %t, %c4 : index
    %place = arith.remui %at, %c64 : index
    %second = arith.addi %place, %c64 : index
    %some = arith.cmpi ult, %t, %c16 : index
    scf.if %some {
      cuda.copy_async %in[%place] to %two[%place] valid %c16 : memref<512xf32, 1> to memref<256xf32, 3>
      cuda.copy_commit
      cuda.copy_async %in[%place] to %two[%second] valid %c16 : memref<512xf32, 1> to memref<256xf32, 3>
      cuda.copy_commit
      cuda.copy_wait )mlir" +
         std::to_string(pending) + R"mlir(
      %y = memref.load %two[)mlir" +
         which + R"mlir(] : memref<256xf32, 3>
      memref.store %y, %out[%t] : memref<512xf32, 1>
    }
)mlir";
}

TEST(Emulator, GroupsOfCopiesEndInTheirOrder) {
  const std::string missing = "that no copy_wait has covered";
  expectInAnyOrder(twoGroups(0, "%second"), "");
  expectInAnyOrder(twoGroups(1, "%place"), "");
  expectInAnyOrder(twoGroups(1, "%second"), missing);
  expectInAnyOrder(twoGroups(2, "%place"), missing);
}

// A fault of a test's own: an op that orders is left out, or waits for less.
TEST(Emulator, HasTheFaultThatItIsGiven) {
  Kernel reversed(reverse("cuda.barrier"));
  EmulatorOptions options;
  options.fault = EmulatorFault{0, 0};
  EXPECT_NE(reversed.run(options).find(kNoBarrier), std::string::npos);
  options.fault->site = 1;
  EXPECT_EQ(reversed.run(options), "");
  Kernel copying(copies("cuda.copy_wait 0"));
  const std::string missing = "that no copy_wait has covered";
  Kernel waiting("cuda.wait_previous\n");
  EmulatorOptions early;
  early.overlaps = true;
  EXPECT_EQ(waiting.run(early), "");
  early.fault = EmulatorFault{0, 0};
  EXPECT_NE(waiting.run(early).find("has not waited for earlier launches"),
            std::string::npos);
  for (auto [site, kind] : {std::pair(0u, EmulatorFault::LeftOut),
                            {1u, EmulatorFault::LeftOut},
                            {1u, EmulatorFault::WaitsForLess}}) {
    options.fault = EmulatorFault{0, site, kind};
    EXPECT_NE(copying.run(options).find(missing), std::string::npos) << site;
  }
}

} // namespace corellama::test
