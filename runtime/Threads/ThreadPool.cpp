//===- ThreadPool.cpp - the workers that run the steps --------------------===//
//
// See ThreadPool.h. A worker that is late may be in any earlier step, so a
// step's call is written over only when nobody uses it: a worker counts itself
// among the users, and looks again whether the call is still the current one.
// pthreads rather than std::thread, whose constructor can report failure only
// by throwing.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/ThreadPool.h"

#include "runtime/Threads/Cpus.h"

#include <csignal>
#include <cstring>
#include <sched.h>
#include <string>

namespace corellama::runtime {

ThreadPool::ThreadPool(uint32_t workers, Reservation scratch,
                       uint64_t scratchBytes)
    : dispatcher(workers, workers > allowedCpus()), calls(workers + 1),
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
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT})
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
  ends.store(true);
  publish(uint32_t(current.load()));
  for (pthread_t thread : threads)
    pthread_join(thread, nullptr);
  if (!cpus.empty())
    bindTo(cpus); // unpins the owner's thread, which goes on
}

/// Makes calls[index] the next step.
void ThreadPool::publish(size_t index) {
  current.store(((current.load() >> 32) + 1) << 32 | index);
  dispatcher.waiting.notify();
}

void ThreadPool::run(abi::StepFunction step, const abi::Context &context) {
  size_t index = 0;
  while (index == uint32_t(current.load()) || calls[index].users.load() != 0)
    ++index;
  StepCall &next = calls[index];
  next.step = step;
  next.context = context;
  next.context.threads = &dispatcher;
  next.firstDispatch = nextDispatch;
  publish(index);
  call(0, next);
  dispatcher.wait(0);
  nextDispatch = dispatcher.endStep(0);
}

void ThreadPool::settle() {
  // Whoever is too late for the last step enters this one.
  run([](const abi::Context *, void *, uint32_t) {}, {});
  for (const StepCall &stepCall : calls)
    while (stepCall.users.load() != 0)
      sched_yield();
}

void *ThreadPool::threadMain(void *start) {
  auto [pool, worker] = *static_cast<Start *>(start);
  pool->work(worker);
  return nullptr;
}

void ThreadPool::work(uint32_t worker) {
  bind(worker);
  uint64_t seen = 0;
  while (true) {
    uint64_t now;
    dispatcher.waiting.until([&] { return (now = current.load()) != seen; });
    if (ends.load())
      return;
    StepCall &stepCall = calls[uint32_t(now)];
    ++stepCall.users;
    if (current.load() == now) {
      seen = now;
      call(worker, stepCall);
    }
    --stepCall.users;
  }
}

void ThreadPool::call(uint32_t worker, const StepCall &stepCall) {
  dispatcher.beginStep(worker, stepCall.firstDispatch);
  stepCall.step(&stepCall.context, scratch.data() + worker * scratchStride,
                worker);
}

void ThreadPool::bind(uint32_t worker) {
  if (!cpus.empty())
    bindTo({&cpus[worker], 1});
}

} // namespace corellama::runtime
