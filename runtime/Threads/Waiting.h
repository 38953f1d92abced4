//===- Waiting.h - spin, then sleep on a futex ----------------------------===//
//
// How a worker waits for something that another one does. A token takes
// hundreds of waits and most are far shorter than a system call, so a worker
// spins first, for a bounded time; it then sleeps, because the machine may have
// fewer free CPUs than there are workers.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_WAITING_H
#define CORELLAMA_RUNTIME_THREADS_WAITING_H

#include <atomic>
#include <cstdint>

namespace corellama::runtime {

class Waiting {
public:
  /// `crowded`: there are more workers than CPUs, so that a spinning worker may
  /// hold the CPU that another one needs.
  explicit Waiting(bool crowded) : spins(crowded ? kSpinsCrowded : kSpins) {}

  /// Returns when `isReady()`, which reads atomics only, after whose changes
  /// notify() is called.
  template <typename IsReady> void until(IsReady isReady) {
    uint32_t seen = events.load(std::memory_order_acquire);
    if (isReady())
      return;
    for (int spin = 0; spin < spins; ++spin) {
      // Only a new event is worth reading what others write.
      const uint32_t now = events.load(std::memory_order_acquire);
      if (now != seen && isReady())
        return;
      seen = now;
      __builtin_ia32_pause();
    }
    // Sequentially consistent, as in notify(): either that sees this sleeper,
    // or this worker sees its event.
    sleepers.fetch_add(1, std::memory_order_seq_cst);
    while (true) {
      seen = events.load(std::memory_order_seq_cst);
      if (isReady())
        break;
      sleep(seen);
    }
    sleepers.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Something has changed that others may wait for.
  void notify() {
    events.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) != 0)
      wake();
  }

private:
  void sleep(uint32_t seen);
  void wake();

  /// Pauses before a waiting worker sleeps. A pause is 40 to 140 cycles, so
  /// 4000 are 50 to 200 us: more than the workers of a kernel differ in their
  /// ends, and more than the greedy choice of an id takes between two steps;
  /// waking a sleeper costs 10 to 50 us on a virtual machine, at every barrier.
  static constexpr int kSpins = 4000;
  /// With four workers on two CPUs a barrier took 12 to 16 us with 200 pauses
  /// and 0.5 ms with 20000.
  static constexpr int kSpinsCrowded = 200;

  const int spins;
  // Each on a cache line of its own.
  alignas(64) std::atomic<uint32_t> events{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_WAITING_H
