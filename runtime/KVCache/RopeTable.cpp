//===- RopeTable.cpp - cosines and sines for every position ---------------===//
//
// See RopeTable.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeTable.h"

#include "runtime/KVCache/RopeAngles.h"

#include <utility>

namespace corellama::runtime {

Result<RopeTable>
RopeTable::reserve(std::span<const abi::DoubleDouble> frequencies,
                   uint64_t rowFloats, uint64_t positions) {
  auto memory = Reservation::create("the RoPE table", positions,
                                    rowFloats * sizeof(float));
  if (!memory)
    return Error{memory.error() + "; give a smaller -c"};
  RopeTable table;
  table.memory = std::move(*memory);
  table.rowFloats = rowFloats;
  table.frequencies = frequencies;
  return table;
}

void RopeTable::reach(uint64_t positions) {
  for (; filled < positions; ++filled)
    abi::fillRopeRow(reinterpret_cast<float *>(memory.data()) +
                         filled * rowFloats,
                     rowFloats, 2 * frequencies.size(), [&](uint64_t pair) {
                       return sineCosine(frequencies[pair] *
                                         DoubleDouble{double(filled), 0});
                     });
}

} // namespace corellama::runtime
