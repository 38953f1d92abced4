//===- KVCache.h - memory for the keys and values of past positions -------===//
//
// Reserves the cache for the whole context at once: the address of any position
// is computed by arithmetic, and nothing is ever moved. Pages take physical
// memory as positions fill them. Only generated code knows the layout and
// writes the cache; the runtime knows only how many bytes a position takes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H
#define CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H

#include "runtime/KVCache/KVCacheShape.h"
#include "runtime/Memory/Reservation.h"

#include <cstdint>
#include <span>

namespace corellama::runtime {

class KVCache : public KVCacheShape {
public:
  /// As KVCacheShape::create.
  static Result<KVCache> reserve(const abi::ImageHeader &model,
                                 std::span<const uint64_t> rings,
                                 uint64_t positions);

  uint8_t *keys() const { return keyMemory.data(); }
  uint8_t *values() const { return valueMemory.data(); }

private:
  Reservation keyMemory;
  Reservation valueMemory;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_KVCACHE_H
