//===- KVCacheShape.cpp - how many positions a cache has, and where -------===//
//
// See KVCacheShape.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/KVCacheShape.h"

#include "runtime/ABI/Kernel.h"
#include "runtime/Memory/Reservation.h"

#include <algorithm>
#include <string>

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

Result<KVCacheShape> KVCacheShape::create(const abi::ImageHeader &model,
                                          std::span<const uint64_t> rings,
                                          uint64_t positions) {
  KVCacheShape shape;
  if (!roundUp(positions, abi::kCacheBlock, shape.most) ||
      !placeRegions(model, rings, shape.most, shape.begins, shape.all))
    return Error{"a context of " + std::to_string(positions) +
                 " tokens is too large; give a smaller -c"};
  for (uint64_t ring : rings)
    if (ring != 0)
      shape.smallestRing = std::min(shape.smallestRing, ring);
  return shape;
}

uint64_t KVCacheShape::truncate(uint64_t tokens, uint64_t mostRows) {
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
