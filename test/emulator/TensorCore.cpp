//===- TensorCore.cpp - what the 32 lanes of a warp compute together ------===//
//
// See TensorCore.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/TensorCore.h"
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

using namespace corellama;

void corellama::loadMatrices(const void *const (&rows)[kWarpLanes],
                             unsigned count, bool isTransposed,
                             uint32_t *const (&registers)[kWarpLanes]) {
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    for (unsigned i = 0; i < count; ++i)
      for (unsigned e = 0; e < 2; ++e) {
        unsigned row = lane / 4, column = 2 * (lane % 4) + e;
        if (isTransposed)
          std::swap(row, column);
        auto *half = reinterpret_cast<uint8_t *>(&registers[lane][i]);
        std::memcpy(half + e * sizeof(uint16_t),
                    static_cast<const uint8_t *>(rows[8 * i + row]) +
                        column * sizeof(uint16_t),
                    sizeof(uint16_t));
      }
}

/// All f16, by their bits.
static std::vector<float> makeHalves() {
  std::vector<float> halves(1 << 16);
  for (unsigned bits = 0; bits < halves.size(); ++bits) {
    int exponent = static_cast<int>(bits >> 10 & 31),
        mantissa = static_cast<int>(bits & 1023);
    double magnitude;
    if (exponent == 31)
      magnitude = mantissa ? std::numeric_limits<double>::quiet_NaN()
                           : std::numeric_limits<double>::infinity();
    else if (exponent == 0)
      magnitude = std::ldexp(mantissa, -24);
    else
      magnitude = std::ldexp(mantissa | 1024, exponent - 25);
    halves[bits] = static_cast<float>(bits >> 15 ? -magnitude : magnitude);
  }
  return halves;
}

void corellama::multiply(const MmaOperands (&lanes)[kWarpLanes]) {
  static const std::vector<float> halves = makeHalves();
  const bool isBF16 = lanes[0].isBF16;
  auto element = [&](uint32_t pair, unsigned which) {
    uint32_t bits = pair >> (16 * which) & 0xFFFF;
    // A bf16 is the upper half of a float.
    return isBF16 ? std::bit_cast<float>(bits << 16) : halves[bits];
  };
  float a[16][16], b[16][8];
  for (unsigned lane = 0; lane < kWarpLanes; ++lane) {
    unsigned g = lane / 4, t = lane % 4;
    for (unsigned e = 0; e < 2; ++e) {
      // Registers of a: rows g and g + 8 of the left half, then of the right.
      for (unsigned i = 0; i < 4; ++i)
        a[g + 8 * (i % 2)][2 * t + 8 * (i / 2) + e] =
            element(lanes[lane].a[i], e);
      for (unsigned i = 0; i < 2; ++i)
        b[2 * t + 8 * i + e][g] = element(lanes[lane].b[i], e);
    }
  }
  // Columns innermost, so that they are summed side by side.
  double sums[16][8] = {};
  for (unsigned row = 0; row < 16; ++row)
    for (unsigned k = 0; k < 16; ++k)
      for (unsigned column = 0; column < 8; ++column)
        sums[row][column] +=
            static_cast<double>(a[row][k]) * static_cast<double>(b[k][column]);
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      lanes[lane].d[i] =
          static_cast<float>(sums[row][column] + lanes[lane].c[i]);
    }
}
