//===- ThreadPool.h - the workers that run the steps ----------------------===//
//
// A fixed number of threads that all call the same step function, each with its
// own number and its own scratch memory. The thread that owns the pool is
// worker 0. The step says which kernels run and in which order; the dispatcher
// decides which parts a worker computes; the pool only starts a step in all
// workers and returns when it is computed.
//
// A step ends when all its parts are computed, not when all workers have left
// it: one that has been stopped meanwhile finds out when it goes on.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_THREADPOOL_H
#define CORELLAMA_RUNTIME_THREADS_THREADPOOL_H

#include "runtime/ABI/Kernel.h"
#include "runtime/Memory/Reservation.h"
#include "runtime/Threads/Dispatcher.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <pthread.h>
#include <vector>

namespace corellama::runtime {

/// A bound against typing errors, above the CPUs of any machine.
inline constexpr uint32_t kMaxWorkers = 4096;

class ThreadPool {
public:
  /// Starts workers - 1 threads (workers: 1 to kMaxWorkers). Each worker gets
  /// `scratchBytes` of zeroed memory.
  static Result<std::unique_ptr<ThreadPool>> create(uint32_t workers,
                                                    uint64_t scratchBytes);
  ~ThreadPool();

  /// Calls `step` in all workers, with the context and its `threads` set, and
  /// returns when worker 0 has returned and all parts of all dispatches are
  /// computed. A worker that is late may still be in the step then, but touches
  /// nothing that the context points to.
  void run(abi::StepFunction step, const abi::Context &context);

  /// Returns when no worker is in a step of before, and none will enter one.
  void settle();

  uint32_t workers() const { return dispatcher.workers(); }

private:
  /// What a step is called with: a copy, because late workers read it.
  struct StepCall {
    abi::StepFunction step = nullptr;
    abi::Context context{};
    uint32_t firstDispatch = 0;
    std::atomic<uint32_t> users{0};
  };

  ThreadPool(uint32_t workers, Reservation scratch, uint64_t scratchBytes);
  static void *threadMain(void *start);
  void work(uint32_t worker);
  void call(uint32_t worker, const StepCall &stepCall);
  void bind(uint32_t worker);
  void publish(size_t index);

  struct Start {
    ThreadPool *pool;
    uint32_t worker;
  };

  Dispatcher dispatcher;
  /// One that all may read, one for each other worker that is late, and one to
  /// write.
  std::vector<StepCall> calls;
  /// Counts steps in the upper half; below it the index of the step's call.
  std::atomic<uint64_t> current{0};
  std::atomic<bool> ends{false};
  uint32_t nextDispatch = 1;
  /// One CPU for each worker; empty: workers are not pinned.
  std::vector<uint32_t> cpus;
  Reservation scratch;
  const uint64_t scratchStride;
  std::vector<Start> starts;
  std::vector<pthread_t> threads;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_THREADPOOL_H
