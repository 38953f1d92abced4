//===- TensorCore.cpp - what the 32 lanes of a warp compute together ------===//
//
// See TensorCore.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/TensorCore.h"
#include <cmath>
#include <cstring>
#include <limits>

using namespace corellama;

void corellama::loadMatrices(const void *const (&rows)[kWarpLanes],
                             unsigned count,
                             uint32_t *const (&registers)[kWarpLanes]) {
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    for (unsigned i = 0; i < count; ++i)
      std::memcpy(&registers[lane][i],
                  static_cast<const uint8_t *>(rows[8 * i + lane / 4]) +
                      sizeof(uint32_t) * (lane % 4),
                  sizeof(uint32_t));
}

static double fromHalf(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  double magnitude;
  if (exponent == 31)
    magnitude = mantissa ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(mantissa, -24);
  else
    magnitude = std::ldexp(mantissa | 1024, exponent - 25);
  return bits >> 15 ? -magnitude : magnitude;
}

void corellama::multiply(const MmaOperands (&lanes)[kWarpLanes]) {
  auto element = [&](uint32_t pair, unsigned which) {
    return fromHalf(static_cast<uint16_t>(pair >> (16 * which)));
  };
  double a[16][16], b[16][8];
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
  for (unsigned lane = 0; lane < kWarpLanes; ++lane)
    for (unsigned i = 0; i < 4; ++i) {
      unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      double sum = 0;
      for (unsigned k = 0; k < 16; ++k)
        sum += a[row][k] * b[k][column];
      lanes[lane].d[i] = static_cast<float>(sum + lanes[lane].c[i]);
    }
}
