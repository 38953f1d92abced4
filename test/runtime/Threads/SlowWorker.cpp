//===- SlowWorker.cpp - a worker at half speed, in a test build only ------===//
//
// See Delays.h. Worker 1 waits behind each call of a kernel for as long as the
// call took. Other work on its CPU would not do: it stops a worker, for
// milliseconds, which is not slowness (docs/workers.md).
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Delays.h"

#include <ctime>

namespace corellama::runtime {

static constexpr uint32_t kSlowWorker = 1;
/// Nanoseconds; 0 where no kernel has been called since the last delay.
static thread_local int64_t kernelBegan = 0;

static int64_t now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

void noteKernel(uint32_t worker) {
  if (worker == kSlowWorker)
    kernelBegan = now();
}

void injectDelay(uint32_t) {
  if (kernelBegan == 0)
    return;
  const int64_t ended = now();
  while (now() - ended < ended - kernelBegan)
    __builtin_ia32_pause();
  kernelBegan = 0;
}

} // namespace corellama::runtime
