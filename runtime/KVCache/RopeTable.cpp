//===- RopeTable.cpp - cosines and sines for every position ---------------===//
//
// See RopeTable.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeTable.h"

#include "runtime/KVCache/RopeAngles.h"

#include <utility>

namespace corellama::runtime {

Result<RopeTable> RopeTable::reserve(std::span<const abi::PairRotation> pairs,
                                     uint64_t rowFloats, uint64_t positions) {
  auto memory = Reservation::create("the RoPE table", positions,
                                    rowFloats * sizeof(float));
  if (!memory)
    return Error{memory.error() + "; give a smaller -c"};
  RopeTable table;
  table.memory = std::move(*memory);
  table.rowFloats = rowFloats;
  table.pairs = pairs;
  return table;
}

void RopeTable::reach(uint64_t positions) {
  for (; filled < positions; ++filled)
    abi::fillRopeRow(
        reinterpret_cast<float *>(memory.data()) + filled * rowFloats,
        rowFloats, 2 * pairs.size(), [&](uint64_t pair) {
          auto [frequency, magnitude] = pairs[pair];
          SineCosine turn =
              sineCosine(frequency * DoubleDouble{double(filled), 0});
          return SineCosine{turn.sine * magnitude, turn.cosine * magnitude};
        });
}

} // namespace corellama::runtime
