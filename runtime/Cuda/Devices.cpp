//===- Devices.cpp - which GPU runs which code ----------------------------===//
//
// See Devices.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/Devices.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

namespace corellama::runtime::cuda {

std::string DeviceInfo::describe() const {
  return "device " + std::to_string(index) + " (" + name + ", sm_" +
         std::to_string(capability.major) + std::to_string(capability.minor) +
         ")";
}

Result<std::vector<DeviceInfo>> listDevices(const Driver &driver) {
  int count = 0;
  if (auto error = driver(driver.deviceGetCount, &count))
    return *error;
  std::vector<DeviceInfo> devices;
  for (int index = 0; index < count; ++index) {
    DeviceInfo device;
    device.index = uint32_t(index);
    char name[256] = "";
    size_t bytes = 0;
    int workgroupBytes = 0;
    if (auto error = driver(driver.deviceGet, &device.number, index))
      return *error;
    if (auto error = driver(driver.deviceGetName, name, int(sizeof(name) - 1),
                            device.number))
      return *error;
    if (auto error = driver(driver.deviceGetAttribute, &device.capability.major,
                            kCapabilityMajor, device.number))
      return *error;
    if (auto error = driver(driver.deviceGetAttribute, &device.capability.minor,
                            kCapabilityMinor, device.number))
      return *error;
    if (auto error = driver(driver.deviceTotalMem, &bytes, device.number))
      return *error;
    if (auto error = driver(driver.deviceGetAttribute, &workgroupBytes,
                            kWorkgroupBytes, device.number))
      return *error;
    device.workgroupBytes = uint64_t(std::max(workgroupBytes, 0));
    device.name = printable(name, sizeof(name));
    device.bytes = bytes;
    devices.push_back(std::move(device));
  }
  return devices;
}

/// "sm_90a": 90, and what stands behind the number; nothing of another name.
static std::optional<std::pair<int, std::string_view>>
numberOf(const abi::DeviceModule &module) {
  std::string_view name = module.architecture;
  if (!name.starts_with("sm_"))
    return std::nullopt;
  name.remove_prefix(3);
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc())
    return std::nullopt;
  return std::pair(number, name.substr(size_t(end - name.data())));
}

bool canRun(const abi::DeviceModule &module, Capability capability) {
  const auto name = numberOf(module);
  if (!name)
    return false;
  // The last digit is the minor number: sm_100 is 10.0.
  const auto [number, suffix] = *name;
  const int wanted = capability.major * 10 + capability.minor;
  if (!suffix.empty())
    return suffix == "a" && number == wanted;
  return number <= wanted &&
         (!module.isAssembled || number / 10 == capability.major);
}

bool overlaps(const abi::DeviceModule &module) {
  const auto name = numberOf(module);
  return name && name->first >= abi::kFirstThatOverlaps;
}

std::vector<const abi::DeviceModule *>
modulesFor(const abi::DeviceProgram &program, Capability capability) {
  std::vector<const abi::DeviceModule *> found;
  for (bool assembled : {true, false})
    for (const abi::DeviceModule &module :
         std::span(program.modules, program.moduleCount))
      if (bool(module.isAssembled) == assembled && canRun(module, capability))
        found.push_back(&module);
  return found;
}

uint64_t workgroupBytesOf(const abi::DeviceProgram &program) {
  uint64_t most = 0;
  for (const abi::DeviceKernel &kernel :
       std::span(program.kernels, program.kernelCount))
    most = std::max<uint64_t>(most, kernel.sharedBytes);
  return most;
}

Result<size_t> programFor(const abi::DeviceProgram *const *programs,
                          const DeviceInfo &device) {
  std::string why =
      "cannot run this program, which was compiled for " + targetsOf(programs);
  for (size_t place = 0; programs[place]; ++place) {
    const abi::DeviceProgram &program = *programs[place];
    if (modulesFor(program, device.capability).empty())
      continue;
    const uint64_t bytes = workgroupBytesOf(program);
    if (bytes <= device.workgroupBytes)
      return place;
    why = "cannot run this program, whose code for " +
          std::string(program.target) + " takes " + std::to_string(bytes) +
          " bytes of workgroup memory, of which a block has at most " +
          std::to_string(device.workgroupBytes);
  }
  return Error{why};
}

std::string targetsOf(const abi::DeviceProgram *const *programs) {
  std::string names;
  for (; *programs; ++programs)
    names.append(names.empty() ? "" : ", ").append((*programs)->target);
  return names;
}

} // namespace corellama::runtime::cuda
