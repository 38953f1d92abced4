//===- KVCache.cpp - memory for the keys and values of past positions -----===//
//
// See KVCache.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/KVCache.h"

#include "runtime/ABI/Kernel.h"

#include <algorithm>
#include <string>
#include <utility>

namespace corellama::runtime {

/// Adds up the positions of all layers, of one head, and fills `regions`. False
/// if these do not fit 64 bits.
static bool placeRegions(const abi::ImageHeader &model,
                         std::span<const uint64_t> rings, uint64_t capacity,
                         std::vector<uint64_t> &regions, uint64_t &all) {
  uint64_t end = 0;
  for (uint64_t ring : rings) {
    regions.push_back(end);
    if (!abi::endRegion(end, ring, capacity, model.kvHeads, end))
      return false;
  }
  all = end / model.kvHeads;
  return !rings.empty() ||
         !__builtin_mul_overflow(model.layers, capacity, &all);
}

Result<KVCache> KVCache::reserve(const abi::ImageHeader &model,
                                 std::span<const uint64_t> rings,
                                 uint64_t positions) {
  KVCache cache;
  uint64_t all;
  if (!roundUp(positions, abi::kCacheBlock, cache.positions) ||
      !placeRegions(model, rings, cache.positions, cache.begins, all))
    return Error{"a context of " + std::to_string(positions) +
                 " tokens is too large; give a smaller -c"};
  for (uint64_t ring : rings)
    if (ring != 0)
      cache.smallestRing = std::min(cache.smallestRing, ring);
  const struct {
    const char *what;
    uint64_t bytesEach;
    Reservation &memory;
  } halves[] = {{"the cache of keys", model.keyBytes, cache.keyMemory},
                {"the cache of values", model.valueBytes, cache.valueMemory}};
  for (const auto &[what, bytesEach, memory] : halves) {
    auto reserved = Reservation::create(what, all, bytesEach);
    if (!reserved)
      return Error{reserved.error() + "; give a smaller -c than " +
                   std::to_string(positions)};
    memory = std::move(*reserved);
  }
  return cache;
}

uint64_t KVCache::truncate(uint64_t tokens, uint64_t mostRows) {
  // A ring has room for a window and the rows of a call, so what a row behind
  // the last `mostRows` sees is there, and all is there that was never
  // replaced.
  const bool isHeld = reached <= smallestRing || reached - tokens <= mostRows;
  if (isHeld && tokens != 0)
    return tokens;
  reached = 0;
  return 0;
}

} // namespace corellama::runtime
