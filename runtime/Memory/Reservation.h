//===- Reservation.h - a range of zeroed pages, used as it is touched -----===//
//
// Address space that costs memory only where it has been written: the cache,
// the RoPE table, the workspace and the workers' scratch memory are all
// reserved at their full size before the first token and never grow or move.
//
// A file of its own so that sizes, which come from a file and from the command
// line, are checked in one place.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MEMORY_RESERVATION_H
#define CORELLAMA_RUNTIME_MEMORY_RESERVATION_H

#include "runtime/Support/Result.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace corellama::runtime {

class Reservation {
public:
  Reservation() = default;
  Reservation(Reservation &&other) noexcept;
  Reservation &operator=(Reservation &&other) noexcept;
  ~Reservation();

  /// Reserves count * bytesEach bytes, zeroed and page aligned; no memory if
  /// the product is 0. The error begins with `what`, for example "the KV
  /// cache".
  static Result<Reservation> create(std::string_view what, uint64_t count,
                                    uint64_t bytesEach);

  /// Lets the system hold the memory in pages of 2 MiB, each of which is
  /// resident as a whole once a byte of it is written.
  void preferLargePages();

  uint8_t *data() const { return begin; }
  size_t size() const { return bytes; }

private:
  uint8_t *begin = nullptr;
  size_t bytes = 0;
};

/// `value` rounded up to a multiple of `step`, a power of two; false if that
/// does not fit 64 bits.
bool roundUp(uint64_t value, uint64_t step, uint64_t &result);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MEMORY_RESERVATION_H
