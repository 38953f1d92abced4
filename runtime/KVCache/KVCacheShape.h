//===- KVCacheShape.h - how many positions a cache has, and where ---------===//
//
// What is the same of a cache in this machine's memory and in a GPU's: its
// capacity, where the regions of layers begin, and how far it can go back. Some
// layers keep their last positions alone, in a ring, because they see no
// others.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_KVCACHESHAPE_H
#define CORELLAMA_RUNTIME_KVCACHE_KVCACHESHAPE_H

#include "runtime/ABI/Image.h"
#include "runtime/Support/Result.h"

#include <cstdint>
#include <span>
#include <vector>

namespace corellama::runtime {

class KVCacheShape {
public:
  /// For `positions` (at least 1), rounded up to whole blocks; in layers that
  /// have a ring, that. `rings` is the image's: one a layer, or none.
  static Result<KVCacheShape> create(const abi::ImageHeader &model,
                                     std::span<const uint64_t> rings,
                                     uint64_t positions);

  /// abi::Context::regions; empty where no layer has a ring.
  std::span<const uint64_t> regions() const { return begins; }
  /// A multiple of abi::kCacheBlock.
  uint64_t capacity() const { return most; }
  /// Of all layers together, each for all of its heads.
  uint64_t positions() const { return all; }

  /// Positions below `tokens` have been written.
  void reach(uint64_t tokens) { reached = tokens > reached ? tokens : reached; }
  /// How many of the first `tokens` positions, fewer than were written, can be
  /// kept if those behind them are written anew: all of them or, where a ring
  /// no longer holds what the next row sees, none. `mostRows` is the most rows
  /// of a call, by which rings are larger than windows.
  uint64_t truncate(uint64_t tokens, uint64_t mostRows);

private:
  uint64_t most = 0;
  uint64_t all = 0;
  std::vector<uint64_t> begins;
  /// Positions up to here were never replaced by later ones.
  uint64_t smallestRing = UINT64_MAX;
  /// The most positions that were there at once since the first was written.
  uint64_t reached = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_KVCACHESHAPE_H
