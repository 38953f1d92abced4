//===- Devices.h - which GPU runs which code ------------------------------===//
//
// The GPUs of a machine, and the modules of a program that each of them can
// run: by NVIDIA's rules of compatibility (CUDA C++ Programming Guide, binary
// and PTX compatibility).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_CUDA_DEVICES_H
#define CORELLAMA_RUNTIME_CUDA_DEVICES_H

#include "runtime/ABI/Device.h"
#include "runtime/Cuda/Driver.h"

#include <string>
#include <vector>

namespace corellama::runtime::cuda {

/// 8.0 is sm_80.
struct Capability {
  int major = 0, minor = 0;
};

struct DeviceInfo {
  /// As --device has it, and as the driver has it.
  uint32_t index = 0;
  DeviceNumber number = 0;
  std::string name;
  Capability capability;
  uint64_t bytes = 0;
  /// The most workgroup memory of a block.
  uint64_t workgroupBytes = 0;

  /// "device 0 (NVIDIA H100, sm_90)".
  std::string describe() const;
};

/// All of the machine; the driver must have been initialised.
Result<std::vector<DeviceInfo>> listDevices(const Driver &driver);

/// Whether a GPU can run a module.
bool canRun(const abi::DeviceModule &module, Capability capability);

/// Whether a module's kernels may be launched before the launches before them
/// have ended.
bool overlaps(const abi::DeviceModule &module);

/// The modules of a program that a GPU can run, machine code before PTX.
std::vector<const abi::DeviceModule *>
modulesFor(const abi::DeviceProgram &program, Capability capability);

/// The most workgroup memory that a kernel of a program takes of a block.
uint64_t workgroupBytesOf(const abi::DeviceProgram &program);

/// The place of the first of the programs, which a null ends, that a GPU can
/// run. The error says why there is none.
Result<size_t> programFor(const abi::DeviceProgram *const *programs,
                          const DeviceInfo &device);

/// Their targets, separated by commas.
std::string targetsOf(const abi::DeviceProgram *const *programs);

} // namespace corellama::runtime::cuda

#endif // CORELLAMA_RUNTIME_CUDA_DEVICES_H
