//===- Cpus.h - how many CPUs this process may use ------------------------===//
//
// The default number of threads: the CPUs of the affinity mask, or fewer where
// a control group limits the time on them. With more threads, all would wait at
// every barrier for those that the kernel does not schedule.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_THREADS_CPUS_H
#define CORELLAMA_RUNTIME_THREADS_CPUS_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace corellama::runtime {

/// The CPUs of the affinity mask, in order; empty if it cannot be read.
std::vector<uint32_t> affinityCpus();

/// The smallest CPU quota of this process's control groups (version 1 and 2),
/// in whole CPUs, at least 1; none if nothing limits it. `root` is the prefix
/// of every path that is read ("" in a program, a made-up tree in a test).
std::optional<uint32_t> quotaCpus(const std::string &root);

/// Threads to start unless the user says otherwise; at least 1.
uint32_t allowedCpus();

/// Pins the calling thread to these CPUs. Failure is ignored.
void bindTo(std::span<const uint32_t> cpus);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_THREADS_CPUS_H
