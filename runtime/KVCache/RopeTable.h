//===- RopeTable.h - cosines and sines for every position -----------------===//
//
// The table that RoPE kernels read (Image.h: fillRopeRow): one row for each
// position, computed when the position is first reached, so that a large
// context costs nothing until it is used.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_ROPETABLE_H
#define CORELLAMA_RUNTIME_KVCACHE_ROPETABLE_H

#include "runtime/ABI/Image.h"
#include "runtime/Memory/Reservation.h"

#include <cstdint>
#include <span>

namespace corellama::runtime {

class RopeTable {
public:
  /// Reserves `positions` rows of `rowFloats`; `reach` computes them.
  /// `pairs` (in the image) must outlive the table.
  static Result<RopeTable> reserve(std::span<const abi::PairRotation> pairs,
                                   uint64_t rowFloats, uint64_t positions);

  /// Computes the rows of all positions below `positions`, which must fit.
  void reach(uint64_t positions);

  const float *data() const {
    return reinterpret_cast<const float *>(memory.data());
  }

private:
  Reservation memory;
  /// How one position turns each pair of a head.
  std::span<const abi::PairRotation> pairs;
  uint64_t rowFloats = 0;
  uint64_t filled = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_ROPETABLE_H
