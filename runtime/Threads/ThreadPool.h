//===- ThreadPool.h - the workers that run the steps ----------------------===//
//
// A fixed number of threads that all call the same step function, each with its
// own number and its own scratch memory. The thread that owns the pool is
// worker 0. The step decides which parts of a kernel a worker computes; the
// pool only starts and ends a step in all workers.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_THREADPOOL_H
#define CORELLAMA_RUNTIME_THREADS_THREADPOOL_H

#include "runtime/ABI/Kernel.h"
#include "runtime/Memory/Reservation.h"
#include "runtime/Threads/Barrier.h"

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

  /// Calls `step` in all workers and returns when all have returned.
  /// `context.threads` must be barrier().
  void run(abi::StepFunction step, const abi::Context &context);

  /// The barrier, which generated code passes to corellama_barrier.
  void *barrier() { return &barrierOfStep; }
  uint32_t workers() const { return count; }

private:
  ThreadPool(uint32_t workers, Reservation scratch, uint64_t scratchBytes);
  static void *threadMain(void *start);
  void work(uint32_t worker);
  void callStep(uint32_t worker);
  void bind(uint32_t worker);

  struct Start {
    ThreadPool *pool;
    uint32_t worker;
  };

  const uint32_t count;
  Barrier barrierOfStep;
  /// Written by worker 0 before it arrives at the barrier that starts a step.
  abi::StepFunction step = nullptr;
  const abi::Context *context = nullptr;
  /// One CPU for each worker; empty: workers are not pinned.
  std::vector<uint32_t> cpus;
  Reservation scratch;
  const uint64_t scratchStride;
  std::vector<Start> starts;
  std::vector<pthread_t> threads;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_THREADPOOL_H
