//===- RopeAngles.h - rotation angles, their sines and cosines ------------===//
//
// The two functions that the RoPE table is made from, written out here: a
// program must give the same bits on every machine, and libm differs between
// versions of glibc and between CPUs. Both are accurate to far below half a
// unit of float32, at positions up to 2^31.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H
#define CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H

#include "runtime/KVCache/DoubleDouble.h"

#include <cstdint>

namespace corellama::runtime {

/// base^(-numerator / denominator), for a base from 1 to 1e30 and a quotient
/// from 0 to 1: what one position turns a pair by, relative error below 2^-90.
DoubleDouble inversePower(double base, uint64_t numerator,
                          uint64_t denominator);

struct SineCosine {
  double sine;
  double cosine;
};

/// Error below 2^-52, for angles from 0 to 2^31; where the result is near zero,
/// below 2^-50 of it or 2^-78, whichever is larger.
SineCosine sineCosine(DoubleDouble angle);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H
