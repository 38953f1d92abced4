//===- RopeTable.cpp - cosines and sines for every position ---------------===//
//
// See RopeTable.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/RopeTable.h"

#include "runtime/KVCache/RopeAngles.h"

#include <utility>

namespace corellama::runtime {

Result<RopeTable> RopeTable::reserve(const abi::ImageHeader &model,
                                     uint64_t positions) {
  auto memory = Reservation::create("the RoPE table", positions,
                                    model.ropeRow * sizeof(float));
  if (!memory)
    return Error{memory.error() + "; give a smaller -c"};
  RopeTable table;
  table.memory = std::move(*memory);
  table.rowFloats = model.ropeRow;
  table.frequencies.reserve(model.headSize / 2);
  for (uint64_t pair = 0; pair < model.headSize / 2; ++pair)
    table.frequencies.push_back(
        inversePower(model.ropeBase, 2 * pair, model.headSize));
  return table;
}

void RopeTable::reach(uint64_t positions) {
  for (; filled < positions; ++filled)
    fillRow(filled);
}

void RopeTable::fillRow(uint64_t position) {
  const uint64_t half = rowFloats / 2;
  float *cosines =
      reinterpret_cast<float *>(memory.data()) + position * rowFloats;
  float *sines = cosines + half;
  const uint64_t headSize = 2 * frequencies.size();
  for (uint64_t column = 0; column < headSize; column += 2) {
    auto [sine, cosine] =
        sineCosine(frequencies[column / 2] * DoubleDouble{double(position), 0});
    cosines[column] = cosines[column + 1] = float(cosine);
    // The rotation subtracts in the even column and adds in the odd one.
    sines[column] = float(-sine);
    sines[column + 1] = float(sine);
  }
  for (uint64_t column = headSize; column < half; ++column) {
    cosines[column] = cosines[column - headSize];
    sines[column] = sines[column - headSize];
  }
}

} // namespace corellama::runtime
