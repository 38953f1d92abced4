//===- Delays.cpp - random delays, in a test build only -------------------===//
//
// See Delays.h. The generator is seeded from the clock: the effect of a delay
// depends on the scheduler anyway, so a fixed seed would only reduce coverage.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Delays.h"

#include <ctime>
#include <sched.h>

namespace corellama::runtime {

static uint64_t roll(uint32_t worker) {
  static thread_local uint64_t state = 0;
  if (state == 0) {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    state = uint64_t(now.tv_nsec) * 0x9E3779B97F4A7C15u + worker + 1;
  }
  // xorshift64*: the state is never 0.
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return (state * 0x2545F4914F6CDD1Du) >> 32;
}

void noteKernel(uint32_t) {}

void injectDelay(uint32_t worker) {
  // One call in eight is delayed, so that the others run past it: with a delay
  // at every call all workers would be equally late.
  uint64_t dice = roll(worker);
  switch (dice & 31) {
  case 0: { // longer than the barrier spins
    timespec pause{0, long((dice >> 5) % 60000)};
    nanosleep(&pause, nullptr);
    break;
  }
  case 1:
    sched_yield();
    break;
  case 2:
  case 3: // shorter than it spins
    for (uint64_t spin = (dice >> 5) % 400; spin > 0; --spin)
      __builtin_ia32_pause();
    break;
  default:
    break;
  }
}

} // namespace corellama::runtime
