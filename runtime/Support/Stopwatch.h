//===- Stopwatch.h - the program's clock ----------------------------------===//
//
// A monotonic clock in nanoseconds. A file of its own because executors time
// kernels with the same clock that runtime/Main times answers with.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SUPPORT_STOPWATCH_H
#define CORELLAMA_RUNTIME_SUPPORT_STOPWATCH_H

#include <cstdint>
#include <ctime>

namespace corellama::runtime {

/// Seconds since the clock was constructed.
class Stopwatch {
public:
  /// Nanoseconds of a monotonic clock.
  static int64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return int64_t(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
  }
  double seconds() const { return double(now() - start) * 1e-9; }

private:
  int64_t start = now();
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SUPPORT_STOPWATCH_H
