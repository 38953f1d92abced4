//===- ThreadPoolTest.cpp - steps on many workers ------------------------===//
//
// Tests runtime/Threads: ThreadPool.h, Dispatcher.h and Waiting.h with steps
// and kernels written by hand.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/ThreadPool.h"

#include "runtime/Threads/Cpus.h"
#include "gtest/gtest.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

using namespace corellama::runtime;

using corellama::abi::Context;

namespace {
constexpr uint64_t kScratch = 5000;
constexpr uint64_t kMostParts = 200000;

/// What kernels and steps find through the context.
struct Shared {
  /// How often each part was computed, and what the last kernel left there.
  std::vector<std::atomic<uint32_t>> counts =
      std::vector<std::atomic<uint32_t>>(kMostParts);
  std::vector<uint64_t> values = std::vector<uint64_t>(kMostParts);
  std::atomic<uint64_t> firsts{0}, calls{0}, wrong{0}, inside{0};
};

Shared &sharedOf(const Context *context) {
  return *reinterpret_cast<Shared *>(context->workspace);
}

/// Counts its parts; where the first call of a dispatch is not told from the
/// others, or scratch is another worker's, it counts that.
void countParts(const Context *context, void *scratch, uint32_t layer,
                uint32_t begin, uint32_t end, uint32_t first) {
  Shared &shared = sharedOf(context);
  auto &prepared = *static_cast<std::atomic<uint32_t> *>(scratch);
  if (first) {
    ++shared.firsts;
    prepared = layer;
  } else if (prepared != layer) {
    ++shared.wrong;
  }
  ++shared.calls;
  for (uint32_t part = begin; part < end; ++part)
    ++shared.counts[part];
}

/// Each part becomes one more than its neighbour was in the layer before: any
/// part that is begun before its dispatch may begin breaks the chain. Layers
/// write one half of the values and read the other.
void addOne(const Context *context, void *, uint32_t layer, uint32_t begin,
            uint32_t end, uint32_t) {
  std::vector<uint64_t> &values = sharedOf(context).values;
  const uint64_t half = kMostParts / 2, parts = context->rows;
  const uint64_t *from = values.data() + (layer % 2) * half;
  uint64_t *to = values.data() + (1 - layer % 2) * half;
  for (uint64_t part = begin; part < end; ++part)
    to[part] = from[(part + 1) % parts] + 1;
}

/// A worker that is held up in every tenth part or so, by turns.
void addOneSlowly(const Context *context, void *scratch, uint32_t layer,
                  uint32_t begin, uint32_t end, uint32_t first) {
  if ((begin + layer) % 10 == 3)
    usleep(100);
  addOne(context, scratch, layer, begin, end, first);
}

class ThreadPoolTest : public testing::TestWithParam<uint32_t> {
protected:
  void SetUp() override {
    auto made = ThreadPool::create(GetParam(), kScratch);
    ASSERT_TRUE(made) << made.error();
    pool = std::move(*made);
    context.workspace = reinterpret_cast<uint8_t *>(&shared);
  }

  Shared shared;
  std::unique_ptr<ThreadPool> pool;
  Context context{};
};
} // namespace

INSTANTIATE_TEST_SUITE_P(Workers, ThreadPoolTest,
                         testing::Values(1, 2, 3, 4, 8));

TEST_P(ThreadPoolTest, EachPartIsComputedOnce) {
  uint32_t rounds = 0;
  // Fewer parts than workers, none, and more than a share's 16 bits hold.
  for (uint64_t parts : {0u, 1u, 2u, 7u, 64u, 1000u, 65535u, 65536u, 200000u}) {
    context.rows = parts;
    for (auto &count : shared.counts)
      count = 0;
    const uint32_t turns = parts > 1000 ? 2 : 50;
    for (uint32_t turn = 0; turn < turns; ++turn) {
      pool->run(
          [](const Context *context, void *scratch, uint32_t worker) {
            for (uint32_t layer = 1; layer <= 3; ++layer)
              corellama_dispatch(context->threads, worker, countParts, context,
                                 scratch, layer, context->rows);
          },
          context);
      ++rounds;
      for (uint64_t part = 0; part < kMostParts; ++part)
        ASSERT_EQ(shared.counts[part], part < parts ? 3 * (turn + 1) : 0)
            << part << " of " << parts;
    }
  }
  EXPECT_EQ(shared.wrong, 0u);
  EXPECT_LE(shared.firsts, 3u * rounds * GetParam());
  EXPECT_GE(shared.calls, shared.firsts);
}

TEST_P(ThreadPoolTest, AfterABarrierAllSeeWhatAllWrote) {
  for (bool slowly : {false, true})
    for (uint64_t parts : {1u, 3u, 40u, 500u}) {
      context.rows = parts;
      context.keyCount = slowly ? 20 : 1000;
      context.tokens = slowly ? reinterpret_cast<int32_t *>(this) : nullptr;
      std::fill(shared.values.begin(), shared.values.end(), 0);
      for (int round = 0; round < 3; ++round)
        pool->run(
            [](const Context *context, void *scratch, uint32_t worker) {
              for (uint32_t layer = 0; layer < context->keyCount; ++layer) {
                corellama_dispatch(context->threads, worker,
                                   context->tokens ? addOneSlowly : addOne,
                                   context, scratch, layer, context->rows);
                corellama_barrier(context->threads, worker);
              }
            },
            context);
      for (uint64_t part = 0; part < parts; ++part)
        ASSERT_EQ(shared.values[part], 3 * context.keyCount);
    }
}

TEST_P(ThreadPoolTest, DispatchesWithoutABarrierAreAllWaitedFor) {
  context.rows = 40;
  for (int round = 0; round < 20; ++round) {
    for (auto &count : shared.counts)
      count = 0;
    pool->run(
        [](const Context *context, void *scratch, uint32_t worker) {
          for (uint32_t layer = 0; layer < 30; ++layer)
            corellama_dispatch(context->threads, worker, countParts, context,
                               scratch, layer, context->rows);
        },
        context);
    for (uint64_t part = 0; part < context.rows; ++part)
      ASSERT_EQ(shared.counts[part], 30u);
  }
}

TEST_P(ThreadPoolTest, AStoppedWorkerHoldsUpOnlyWhatItHasBegun) {
  // Worker 1, if there is one, is late by half a second, in the first step it
  // meets.
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 5; ++round)
    pool->run(
        [](const Context *context, void *scratch, uint32_t worker) {
          if (worker == 1 && sharedOf(context).inside.exchange(1) == 0)
            usleep(500000);
          for (uint32_t layer = 0; layer < 20; ++layer) {
            corellama_dispatch(context->threads, worker, countParts, context,
                               scratch, layer, 40);
            corellama_barrier(context->threads, worker);
          }
        },
        context);
  const std::chrono::duration<double> taken =
      std::chrono::steady_clock::now() - start;
  EXPECT_EQ(shared.counts[0], 100u);
  EXPECT_EQ(shared.counts[39], 100u);
  // Nothing here takes a time worth mentioning: it did not wait for worker 1.
  EXPECT_LT(taken.count(), 0.4);
  pool->settle(); // it reads the context's copy only, which the pool owns
}

TEST_P(ThreadPoolTest, NobodyEntersAStepThatHasSettled) {
  for (int round = 0; round < 500; ++round) {
    pool->run([](const Context *context, void *,
                 uint32_t) { ++sharedOf(context).calls; },
              context);
    pool->settle();
    const uint64_t calls = shared.calls;
    pool->settle();
    ASSERT_EQ(shared.calls, calls);
  }
}

TEST_P(ThreadPoolTest, EachHasItsOwnZeroedAlignedScratch) {
  pool->run(
      [](const Context *context, void *scratch, uint32_t worker) {
        auto *bytes = static_cast<uint8_t *>(scratch);
        if (uintptr_t(bytes) % 64 != 0)
          ++sharedOf(context).wrong;
        for (uint64_t i = 0; i < kScratch; ++i) {
          sharedOf(context).wrong += bytes[i] != 0;
          bytes[i] = uint8_t(worker + 1);
        }
      },
      context);
  pool->settle();
  pool->run(
      [](const Context *context, void *scratch, uint32_t worker) {
        auto *bytes = static_cast<uint8_t *>(scratch);
        for (uint64_t i = 0; i < kScratch; ++i)
          sharedOf(context).wrong += bytes[i] != 0 && bytes[i] != worker + 1;
      },
      context);
  pool->settle();
  EXPECT_EQ(shared.wrong, 0u);
}

TEST_P(ThreadPoolTest, WaitingWorkersSleep) {
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  // Others wait at the barrier, then for the next step.
  pool->run(
      [](const Context *context, void *scratch, uint32_t worker) {
        corellama_dispatch(
            context->threads, worker,
            [](const Context *, void *, uint32_t, uint32_t, uint32_t,
               uint32_t) { usleep(200000); },
            context, scratch, 0, 1);
        corellama_barrier(context->threads, worker);
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
