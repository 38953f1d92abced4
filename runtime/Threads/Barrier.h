//===- Barrier.h - all workers wait for each other ------------------------===//
//
// The barrier between dependent kernels of a step: a counter of arrived workers
// and a generation that the last one increments. A token takes hundreds of
// barriers and most waits are far shorter than a system call, so a waiting
// worker spins first, for a bounded time; it then sleeps, because the machine
// may have fewer free CPUs than there are workers.
//
// A file apart from the pool because generated code calls the barrier
// (corellama_barrier) and nothing else of the pool.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_BARRIER_H
#define CORELLAMA_RUNTIME_THREADS_BARRIER_H

#include <atomic>
#include <cstdint>

namespace corellama::runtime {

class Barrier {
public:
  /// `crowded`: there are more workers than CPUs, so that a spinning worker may
  /// hold the CPU that the last one needs.
  explicit Barrier(uint32_t workers, bool crowded = false)
      : workers(workers), spins(crowded ? kSpinsCrowded : kSpins) {}

  /// Returns when all workers have called it. What any worker wrote before is
  /// visible to all of them after.
  void wait();

private:
  /// Pauses before a waiting worker sleeps. A pause is 40 to 140 cycles, so
  /// 4000 are 50 to 200 us: more than the workers of a kernel differ in their
  /// ends, and more than the greedy choice of an id takes between two steps;
  /// waking a sleeper costs 10 to 50 us on a virtual machine, at every barrier.
  static constexpr int kSpins = 4000;
  /// With four workers on two CPUs a barrier took 12 to 16 us with 200 pauses
  /// and 0.5 ms with 20000.
  static constexpr int kSpinsCrowded = 200;

  const uint32_t workers;
  const int spins;
  // Each on a cache line of its own: spinning workers read `generation` only,
  // and arriving workers must not invalidate its line.
  alignas(64) std::atomic<uint32_t> arrived{0};
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_BARRIER_H
