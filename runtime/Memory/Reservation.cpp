//===- Reservation.cpp - mmap with the sizes checked ----------------------===//
//
// See Reservation.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Memory/Reservation.h"

#include <cerrno>
#include <cstring>
#include <string>
#include <sys/mman.h>
#include <utility>

namespace corellama::runtime {

/// What an x86-64 process can address: 47 bits.
static constexpr uint64_t kAddressSpace = uint64_t(1) << 47;

Reservation::Reservation(Reservation &&other) noexcept
    : begin(std::exchange(other.begin, nullptr)),
      bytes(std::exchange(other.bytes, 0)) {}

Reservation &Reservation::operator=(Reservation &&other) noexcept {
  std::swap(begin, other.begin);
  std::swap(bytes, other.bytes);
  return *this;
}

Reservation::~Reservation() {
  if (begin)
    munmap(begin, bytes);
}

Result<Reservation> Reservation::create(std::string_view what, uint64_t count,
                                        uint64_t bytesEach) {
  uint64_t total;
  if (__builtin_mul_overflow(count, bytesEach, &total) || total > kAddressSpace)
    return Error{std::string(what) + " would take " + std::to_string(count) +
                 " x " + std::to_string(bytesEach) +
                 " bytes, more than a process can address"};
  Reservation result;
  if (total == 0)
    return result;
  void *memory = mmap(nullptr, total, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return Error{std::string(what) + " takes " + std::to_string(total) +
                 " bytes, which cannot be reserved: " + strerror(errno)};
  // No large pages: one is resident as a whole once a byte of it is written,
  // and most of what is reserved here is for the largest calls.
  madvise(memory, total, MADV_NOHUGEPAGE);
  result.begin = static_cast<uint8_t *>(memory);
  result.bytes = total;
  return result;
}

void Reservation::preferLargePages() {
  // Where the system has none the memory is the same in small pages.
  if (begin)
    madvise(begin, bytes, MADV_HUGEPAGE);
}

bool roundUp(uint64_t value, uint64_t step, uint64_t &result) {
  if (__builtin_add_overflow(value, step - 1, &result))
    return false;
  result &= ~(step - 1);
  return true;
}

} // namespace corellama::runtime
