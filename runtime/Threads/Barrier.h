//===- Barrier.h - all workers wait for each other ------------------------===//
//
// The barrier between dependent kernels of a step: a counter of those who have
// arrived and a generation that the last one raises. There are hundreds a token
// and most waits are far shorter than a system call, so a waiting worker spins
// first; it then sleeps, because the machine may have fewer free CPUs than
// there are workers.
//
// Apart from the pool because generated code calls it (corellama_barrier) and
// knows nothing else of the pool.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_BARRIER_H
#define CORELLAMA_RUNTIME_THREADS_BARRIER_H

#include <atomic>
#include <cstdint>

namespace corellama::runtime {

class Barrier {
public:
  explicit Barrier(uint32_t workers) : workers(workers) {}

  /// Returns when all workers have called it. What any of them wrote before is
  /// seen by all of them after.
  void wait();

private:
  const uint32_t workers;
  // Each on a cache line of its own: those who spin read `generation` only and
  // must not be disturbed by those who still arrive.
  alignas(64) std::atomic<uint32_t> arrived{0};
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_BARRIER_H
