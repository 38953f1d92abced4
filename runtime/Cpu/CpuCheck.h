//===- CpuCheck.h - can this machine run the generated code ---------------===//
//
// Compares the features that the program was compiled for with the CPU and the
// operating system, before any generated code runs: an error line names what is
// missing, instead of an illegal instruction.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CPU_CPUCHECK_H
#define CORELLAMA_RUNTIME_CPU_CPUCHECK_H

#include "runtime/ABI/Kernel.h"
#include "runtime/Support/Result.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace corellama::runtime {

/// The facts of a machine: this one, or a made-up one in a test.
struct CpuReader {
  /// eax, ebx, ecx, edx; zeros for a leaf that the CPU does not have.
  std::array<uint32_t, 4> (*cpuid)(uint32_t leaf, uint32_t subleaf);
  /// Which register states the operating system saves (XCR0); 0 if none.
  uint64_t (*savedStates)();
  /// Asks the operating system to let this process use the registers of AMX,
  /// and whether it does. To be asked before there are threads.
  bool (*requestTiles)();
};

/// Reads the facts of this machine.
extern const CpuReader kThisCpu;

/// Whether this machine can run the program's code; asks for the registers that
/// the code needs and a process has by permission only.
std::optional<Error> checkProgram(const abi::Program &program,
                                  const CpuReader &cpu = kThisCpu);

/// The first of the programs, which a null ends, that this CPU can run, or
/// that of the target `name`, if given. Where there is none the error is that
/// of the last one, which asks for the least.
Result<const abi::Program *>
chooseProgram(const abi::Program *const *programs,
              const std::optional<std::string> &name = std::nullopt,
              const CpuReader &cpu = kThisCpu);

/// Their targets, separated by commas.
std::string targetsOf(const abi::Program *const *programs);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_CPU_CPUCHECK_H
