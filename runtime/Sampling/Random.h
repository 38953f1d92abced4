//===- Random.h - the runtime's pseudo-random generator -------------------===//
//
// xoshiro256** 1.0 (Blackman and Vigna, 2018; public domain), seeded through
// splitmix64 as its authors advise. A file of its own so that it can be tested
// against its reference values; std::mt19937_64 would be as exact, but carries
// 2.5 KB of state, and its distributions differ between libraries.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SAMPLING_RANDOM_H
#define CORELLAMA_RUNTIME_SAMPLING_RANDOM_H

#include <array>
#include <bit>
#include <cstdint>

namespace corellama::runtime {

class Random {
public:
  explicit constexpr Random(uint64_t seed) {
    for (uint64_t &word : state) {
      // splitmix64: never makes all four numbers zero, the one state that
      // xoshiro cannot leave.
      seed += 0x9E3779B97F4A7C15;
      uint64_t mixed = seed;
      mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
      mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
      word = mixed ^ mixed >> 31;
    }
  }

  /// From the generator's state, which must not be all zero. The authors'
  /// reference values are for a given state.
  explicit constexpr Random(const std::array<uint64_t, 4> &state)
      : state(state) {}

  constexpr uint64_t next() {
    uint64_t result = std::rotl(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = std::rotl(state[3], 45);
    return result;
  }

  /// Uniform in [0, 1): a multiple of 2^-53, so that it is exact.
  constexpr double uniform() {
    return static_cast<double>(next() >> 11) * 0x1p-53;
  }

  /// What the next number is made of.
  constexpr const std::array<uint64_t, 4> &words() const { return state; }

private:
  std::array<uint64_t, 4> state = {};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SAMPLING_RANDOM_H
