//===- Delays.h - random delays, in a test build only ---------------------===//
//
// A missing barrier shows only when workers happen to be far apart. The test
// build (CORELLAMA_INJECT_DELAYS) drives them apart before every dispatch and
// barrier, and behind each call of a kernel; in a program that is shipped the
// call is empty.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_DELAYS_H
#define CORELLAMA_RUNTIME_THREADS_DELAYS_H

#include <cstdint>

namespace corellama::runtime {

#ifdef CORELLAMA_INJECT_DELAYS
/// Sometimes makes the calling worker spin, yield or sleep.
void injectDelay(uint32_t worker);
#else
inline void injectDelay(uint32_t) {}
#endif

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_DELAYS_H
