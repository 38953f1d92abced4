//===- ThreadPoolTest.cpp - steps on many workers, and their barrier ------===//
//
// Tests runtime/Threads/ThreadPool.h and Barrier.h with steps written by hand.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/ThreadPool.h"

#include "runtime/Threads/Cpus.h"

#include <atomic>
#include <ctime>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using namespace corellama::runtime;

namespace {
constexpr uint64_t kScratch = 5000;

/// What a step finds through its context: tokens stand for any memory.
struct Shared {
  std::vector<uint64_t> seen;
  std::vector<void *> scratch;
  uint32_t workers = 0;
};

Shared &sharedOf(const corellama::abi::Context *context) {
  return *reinterpret_cast<Shared *>(context->workspace);
}

class ThreadPoolTest : public testing::TestWithParam<uint32_t> {
protected:
  void SetUp() override {
    auto made = ThreadPool::create(GetParam(), kScratch);
    ASSERT_TRUE(made) << made.error();
    pool = std::move(*made);
    shared.seen.assign(GetParam(), 0);
    shared.scratch.assign(GetParam(), nullptr);
    context.workspace = reinterpret_cast<uint8_t *>(&shared);
    context.threads = pool->barrier();
  }

  Shared shared;
  std::unique_ptr<ThreadPool> pool;
  corellama::abi::Context context{};
};
} // namespace

INSTANTIATE_TEST_SUITE_P(Workers, ThreadPoolTest,
                         testing::Values(1, 2, 3, 4, 8));

TEST_P(ThreadPoolTest, EveryWorkerCallsTheStepOnce) {
  for (int round = 1; round <= 200; ++round) {
    pool->run(
        [](const corellama::abi::Context *context, void *, uint32_t worker,
           uint32_t workers) {
          ++sharedOf(context).seen[worker];
          if (worker == 0)
            sharedOf(context).workers = workers;
        },
        context);
    // run() returned, so all of them have.
    for (uint64_t seen : shared.seen)
      ASSERT_EQ(seen, uint64_t(round));
  }
  EXPECT_EQ(shared.workers, GetParam());
}

TEST_P(ThreadPoolTest, AfterABarrierAllSeeWhatAllWrote) {
  for (int round = 0; round < 20; ++round) {
    context.rows = 0;
    std::fill(shared.seen.begin(), shared.seen.end(), 0);
    pool->run(
        [](const corellama::abi::Context *context, void *, uint32_t worker,
           uint32_t workers) {
          // Each turn every worker takes its neighbour's number plus one; any
          // step past an unfinished turn breaks the chain.
          std::vector<uint64_t> &seen = sharedOf(context).seen;
          for (int turn = 0; turn < 100; ++turn) {
            uint64_t next = seen[(worker + 1) % workers] + 1;
            corellama_barrier(context->threads, worker);
            seen[worker] = next;
            corellama_barrier(context->threads, worker);
          }
        },
        context);
    for (uint64_t seen : shared.seen)
      ASSERT_EQ(seen, 100u);
  }
}

TEST_P(ThreadPoolTest, EachHasItsOwnZeroedAlignedScratch) {
  pool->run(
      [](const corellama::abi::Context *context, void *scratch, uint32_t worker,
         uint32_t) {
        uint64_t sum = 0;
        auto *bytes = static_cast<uint8_t *>(scratch);
        for (uint64_t i = 0; i < kScratch; ++i)
          sum += bytes[i];
        for (uint64_t i = 0; i < kScratch; ++i)
          bytes[i] = uint8_t(worker + 1);
        sharedOf(context).seen[worker] = sum;
        sharedOf(context).scratch[worker] = scratch;
      },
      context);
  for (uint32_t worker = 0; worker < GetParam(); ++worker) {
    EXPECT_EQ(shared.seen[worker], 0u);
    auto *bytes = static_cast<uint8_t *>(shared.scratch[worker]);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(bytes) % 64, 0u);
    EXPECT_EQ(bytes[0], worker + 1);
    EXPECT_EQ(bytes[kScratch - 1], worker + 1);
  }
}

TEST_P(ThreadPoolTest, WaitingWorkersSleep) {
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  // Others wait at the end of the step, then for the next one.
  pool->run(
      [](const corellama::abi::Context *, void *, uint32_t worker, uint32_t) {
        if (worker == 0)
          usleep(200000);
      },
      context);
  usleep(200000);
  getrusage(RUSAGE_SELF, &after);
  auto seconds = [](const timeval &time) {
    return double(time.tv_sec) + double(time.tv_usec) * 1e-6;
  };
  // Spinning through it would take 0.4 s of at least one CPU.
  EXPECT_LT(seconds(after.ru_utime) - seconds(before.ru_utime), 0.1);
}

TEST(ThreadPool, LeavesTheOwnersAffinityAsItWas) {
  std::vector<uint32_t> before = affinityCpus();
  {
    auto pool = ThreadPool::create(uint32_t(before.size()), 0);
    ASSERT_TRUE(pool);
    EXPECT_EQ(affinityCpus().size(), 1u);
  }
  EXPECT_EQ(affinityCpus(), before);
}

TEST(ThreadPool, RefusesNoThreadsAndTooMany) {
  auto none = ThreadPool::create(0, 0);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error(),
            "0 threads were asked for; give -t a number from 1 to 4096");
  auto many = ThreadPool::create(4097, 0);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error(),
            "4097 threads were asked for; give -t a number from 1 to 4096");
}

TEST(ThreadPool, RefusesScratchThatOverflows) {
  auto pool = ThreadPool::create(2, UINT64_MAX);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error(),
            "the program asks for 18446744073709551615 bytes of scratch "
            "memory; it is damaged, compile it again");
}
