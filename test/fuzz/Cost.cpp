//===- Cost.cpp - memory and time that a reader takes ---------------------===//
//
// See Cost.h.
//
//===----------------------------------------------------------------------===//

#include "Cost.h"
#include <algorithm>
#include <ctime>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define COUNTS_BYTES 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define COUNTS_BYTES 1
#endif
#ifdef COUNTS_BYTES
#include <sanitizer/allocator_interface.h>
#endif

namespace corellama::test {

/// One call at a time, on one thread.
static bool isCounting = false;
static Cost counted;
/// May be negative: what was there before may be freed.
static std::ptrdiff_t live = 0;

#ifdef COUNTS_BYTES
static void noteAllocation(const volatile void *, size_t size) {
  if (!isCounting)
    return;
  live += std::ptrdiff_t(size);
  counted.peak =
      std::max(counted.peak, size_t(std::max<std::ptrdiff_t>(live, 0)));
}
static void noteFree(const volatile void *memory) {
  if (isCounting && memory)
    live -= std::ptrdiff_t(
        __sanitizer_get_allocated_size(const_cast<const void *>(memory)));
}
static const int installed =
    __sanitizer_install_malloc_and_free_hooks(noteAllocation, noteFree);
#endif

static double processorTime() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

Cost measure(llvm::function_ref<void()> call) {
  counted = {};
  live = 0;
  const double begin = processorTime();
  isCounting = true;
  call();
  isCounting = false;
  counted.seconds = processorTime() - begin;
  return counted;
}

void Cost::add(const Cost &other) {
  peak = std::max(peak, other.peak);
  seconds = std::max(seconds, other.seconds);
}

std::string Cost::fault(size_t fileBytes, size_t fixedBytes) const {
  if (peak > 2 * fileBytes + fixedBytes)
    return std::to_string(peak) + " bytes at once for files of " +
           std::to_string(fileBytes) + ", expected at most twice as many and " +
           std::to_string(fixedBytes);
  if (seconds > 1)
    return "took " + std::to_string(seconds) + " s, expected at most 1";
  return "";
}

} // namespace corellama::test
