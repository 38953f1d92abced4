//===- Delays.h - delays of workers, in test builds only ------------------===//
//
// A missing barrier shows only when workers happen to be far apart. A test
// build (CORELLAMA_INJECT_DELAYS) drives them apart before every dispatch and
// barrier, and behind each call of a kernel (test/runtime/Threads/Delays.cpp);
// another has a worker at half speed (SlowWorker.cpp there). In a program that
// is shipped the calls are empty.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_DELAYS_H
#define CORELLAMA_RUNTIME_THREADS_DELAYS_H

#include <cstdint>

namespace corellama::runtime {

#ifdef CORELLAMA_INJECT_DELAYS
/// A kernel is called next.
void noteKernel(uint32_t worker);
/// May make the calling worker spin, yield or sleep.
void injectDelay(uint32_t worker);
#else
inline void noteKernel(uint32_t) {}
inline void injectDelay(uint32_t) {}
#endif

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_DELAYS_H
