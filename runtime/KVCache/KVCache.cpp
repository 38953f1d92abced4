//===- KVCache.cpp - memory for the keys and values of past positions -----===//
//
// See KVCache.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/KVCache.h"

#include "runtime/ABI/Kernel.h"

#include <string>
#include <utility>

namespace corellama::runtime {

Result<KVCache> KVCache::reserve(const abi::ImageHeader &model,
                                 uint64_t positions) {
  KVCache cache;
  if (!roundUp(positions, abi::kCacheBlock, cache.positions))
    return Error{"a context of " + std::to_string(positions) +
                 " tokens is too large; give a smaller -c"};
  const struct {
    const char *what;
    uint64_t bytesEach;
    Reservation &memory;
  } halves[] = {{"the cache of keys", model.keyBytes, cache.keyMemory},
                {"the cache of values", model.valueBytes, cache.valueMemory}};
  for (const auto &[what, bytesEach, memory] : halves) {
    auto reserved = Reservation::create(what, cache.positions, bytesEach);
    if (!reserved)
      return Error{reserved.error() + "; give a smaller -c than " +
                   std::to_string(positions)};
    memory = std::move(*reserved);
  }
  return cache;
}

} // namespace corellama::runtime
