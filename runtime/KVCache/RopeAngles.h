//===- RopeAngles.h - sines and cosines of rotation angles ----------------===//
//
// Sines and cosines for the RoPE table, from the image's frequencies. Our own
// code, because a program must give the same bits on every machine, and libm
// differs between versions of glibc and between CPUs. Accurate to far below
// half a unit of float32, at positions up to 2^31.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H
#define CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H

#include "runtime/ABI/Image.h"

namespace corellama::runtime {

using abi::DoubleDouble;
using abi::SineCosine;

/// Error below 2^-52, for angles from 0 to 2^31; where the result is near zero,
/// below 2^-50 of it or 2^-78, whichever is larger.
SineCosine sineCosine(DoubleDouble angle);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_KVCACHE_ROPEANGLES_H
