//===- KVCache.h - memory for the keys and values of past positions -------===//
//
// Reserves the cache for the whole context at once: the address of any position
// is computed by arithmetic, and nothing is ever moved. Pages take physical
// memory as positions fill them. Only generated code knows the layout and
// writes the cache; the runtime knows only how many bytes a position takes, and
// which layers keep their last positions alone, in a ring, because they see no
// others.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H
#define CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H

#include "runtime/ABI/Image.h"
#include "runtime/Memory/Reservation.h"

#include <cstdint>
#include <span>
#include <vector>

namespace corellama::runtime {

class KVCache {
public:
  /// Reserves `positions` (at least 1), rounded up to whole blocks; in layers
  /// that have a ring, that. `rings` is the image's: one a layer, or none.
  static Result<KVCache> reserve(const abi::ImageHeader &model,
                                 std::span<const uint64_t> rings,
                                 uint64_t positions);

  uint8_t *keys() const { return keyMemory.data(); }
  uint8_t *values() const { return valueMemory.data(); }
  /// abi::Context::regions; empty where no layer has a ring.
  std::span<const uint64_t> regions() const { return begins; }
  /// A multiple of abi::kCacheBlock.
  uint64_t capacity() const { return positions; }

  /// Positions below `tokens` have been written.
  void reach(uint64_t tokens) { reached = tokens > reached ? tokens : reached; }
  /// How many of the first `tokens` positions, fewer than were written, can be
  /// kept if those behind them are written anew: all of them or, where a ring
  /// no longer holds what the next row sees, none. `mostRows` is the most rows
  /// of a call, by which rings are larger than windows.
  uint64_t truncate(uint64_t tokens, uint64_t mostRows);

private:
  Reservation keyMemory;
  Reservation valueMemory;
  uint64_t positions = 0;
  std::vector<uint64_t> begins;
  /// Positions up to here were never replaced by later ones.
  uint64_t smallestRing = UINT64_MAX;
  /// The most positions that were there at once since the first was written.
  uint64_t reached = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H
