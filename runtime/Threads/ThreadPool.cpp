//===- ThreadPool.cpp - the workers that run the steps --------------------===//
//
// See ThreadPool.h. One barrier serves both the step and the pool: workers wait
// at it for the next step, arrive at the step's own barriers, and meet there
// once more when the step has returned. pthreads rather than std::thread, whose
// constructor can report failure only by throwing.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/ThreadPool.h"

#include "runtime/Threads/Cpus.h"

#include <csignal>
#include <cstring>
#include <string>

namespace corellama::runtime {

ThreadPool::ThreadPool(uint32_t workers, Reservation scratch,
                       uint64_t scratchBytes)
    : count(workers), barrierOfStep(workers, workers > allowedCpus()),
      scratch(std::move(scratch)), scratchStride(scratchBytes) {
  // Workers are pinned only if there is exactly one for each CPU of the
  // affinity mask. With fewer workers any fixed choice might be another
  // program's too, or two threads of one core.
  cpus = affinityCpus();
  if (cpus.size() != workers)
    cpus.clear();
}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(uint32_t workers,
                                                       uint64_t scratchBytes) {
  if (workers == 0 || workers > kMaxWorkers)
    return Error{std::to_string(workers) + " threads were asked for; give -t " +
                 "a number from 1 to " + std::to_string(kMaxWorkers)};
  // Whole pages, so that each worker first touches its own memory, which places
  // it on the worker's NUMA node.
  uint64_t stride;
  if (!roundUp(scratchBytes, 4096, stride))
    return Error{"the program asks for " + std::to_string(scratchBytes) +
                 " bytes of scratch memory; it is damaged, compile it again"};
  auto scratch = Reservation::create("scratch memory", workers, stride);
  if (!scratch)
    return Error{scratch.error()};

  std::unique_ptr<ThreadPool> pool(
      new ThreadPool(workers, std::move(*scratch), stride));
  // These signals go to the main thread, all of whose waits they can interrupt.
  sigset_t outside, before;
  sigemptyset(&outside);
  for (int signal : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&outside, signal);
  pthread_sigmask(SIG_BLOCK, &outside, &before);
  int failure = 0;
  pool->starts.resize(workers);
  for (uint32_t worker = 1; worker < workers && !failure; ++worker) {
    pool->starts[worker] = {pool.get(), worker};
    pthread_t thread;
    failure =
        pthread_create(&thread, nullptr, threadMain, &pool->starts[worker]);
    if (!failure)
      pool->threads.push_back(thread);
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failure) {
    // The threads that did start wait at a barrier that will never open, so the
    // pool cannot be destroyed; the program ends with this error.
    size_t started = pool.release()->threads.size();
    return Error{"only " + std::to_string(started + 1) + " of " +
                 std::to_string(workers) + " threads could be started: " +
                 strerror(failure) + "; give a smaller -t"};
  }
  pool->bind(0);
  return pool;
}

ThreadPool::~ThreadPool() {
  step = nullptr;
  barrierOfStep.wait();
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
  if (!cpus.empty())
    bindTo(cpus); // unpins the owner's thread, which goes on
}

void ThreadPool::run(abi::StepFunction nextStep,
                     const abi::Context &nextContext) {
  step = nextStep;
  context = &nextContext;
  barrierOfStep.wait();
  callStep(0);
  corellama_barrier(&barrierOfStep, 0);
}

void *ThreadPool::threadMain(void *start) {
  auto [pool, worker] = *static_cast<Start *>(start);
  pool->work(worker);
  return nullptr;
}

void ThreadPool::work(uint32_t worker) {
  bind(worker);
  while (true) {
    corellama_barrier(&barrierOfStep, worker);
    if (!step)
      return;
    callStep(worker);
    corellama_barrier(&barrierOfStep, worker);
  }
}

void ThreadPool::bind(uint32_t worker) {
  if (!cpus.empty())
    bindTo({&cpus[worker], 1});
}

void ThreadPool::callStep(uint32_t worker) {
  step(context, scratch.data() + worker * scratchStride, worker, count);
}

} // namespace corellama::runtime
