//===- KVCache.cpp - memory for the keys and values of past positions -----===//
//
// See KVCache.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/KVCache.h"

#include <string>
#include <utility>

namespace corellama::runtime {

Result<KVCache> KVCache::reserve(const abi::ImageHeader &model,
                                 std::span<const uint64_t> rings,
                                 uint64_t positions) {
  KVCache cache;
  KVCacheShape &shape = cache;
  if (auto error = create(model, rings, positions).moveTo(shape))
    return *error;
  const struct {
    const char *what;
    uint64_t bytesEach;
    Reservation &memory;
  } halves[] = {{"the cache of keys", model.keyBytes, cache.keyMemory},
                {"the cache of values", model.valueBytes, cache.valueMemory}};
  for (const auto &[what, bytesEach, memory] : halves) {
    auto reserved = Reservation::create(what, shape.positions(), bytesEach);
    if (!reserved)
      return Error{reserved.error() + "; give a smaller -c than " +
                   std::to_string(positions)};
    memory = std::move(*reserved);
    // It is written from its begin on; with rings each layer fills a region of
    // its own, and a large page of many layers would be used a little.
    if (rings.empty())
      memory.preferLargePages();
  }
  return cache;
}

} // namespace corellama::runtime
