//===- Barrier.cpp - spin, then sleep on a futex --------------------------===//
//
// See Barrier.h. No worker can enter the next round before all have left the
// counter of this one: the counter is reset before the generation is raised,
// and no worker passes before that.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Barrier.h"

#include "runtime/ABI/Kernel.h"
#include "runtime/Threads/Delays.h"

#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace corellama::runtime {

static long futex(std::atomic<uint32_t> &word, int operation, uint32_t value) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  return syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

void Barrier::wait() {
  const uint32_t round = generation.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) == workers - 1) {
    arrived.store(0, std::memory_order_relaxed);
    // Sequentially consistent, as is `sleepers` below: either this worker sees
    // the sleeper, or the kernel sees the new generation and does not let it
    // sleep.
    generation.store(round + 1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) != 0)
      futex(generation, FUTEX_WAKE_PRIVATE, INT_MAX);
    return;
  }
  for (int spin = 0; spin < spins; ++spin) {
    if (generation.load(std::memory_order_acquire) != round)
      return;
    __builtin_ia32_pause();
  }
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (generation.load(std::memory_order_seq_cst) == round)
    futex(generation, FUTEX_WAIT_PRIVATE, round);
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

} // namespace corellama::runtime

extern "C" void corellama_barrier(void *threads, uint32_t worker) {
  using namespace corellama::runtime;
  injectDelay(worker);
  static_cast<Barrier *>(threads)->wait();
  injectDelay(worker);
}
