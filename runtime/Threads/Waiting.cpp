//===- Waiting.cpp - spin, then sleep on a futex --------------------------===//
//
// See Waiting.h: the system calls.
//
//===----------------------------------------------------------------------===//

#include "runtime/Threads/Waiting.h"

#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace corellama::runtime {

static long futex(std::atomic<uint32_t> &word, int operation, uint32_t value) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  return syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
}

void Waiting::sleep(uint32_t seen) { futex(events, FUTEX_WAIT_PRIVATE, seen); }
void Waiting::wake() { futex(events, FUTEX_WAKE_PRIVATE, INT_MAX); }

} // namespace corellama::runtime
