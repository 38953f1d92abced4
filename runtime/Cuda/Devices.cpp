//===- Devices.cpp - which GPU runs which code ----------------------------===//
//
// See Devices.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/Devices.h"

#include <charconv>
#include <span>
#include <string_view>

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
    device.name = printable(name, sizeof(name));
    device.bytes = bytes;
    devices.push_back(std::move(device));
  }
  return devices;
}

bool canRun(const abi::DeviceModule &module, Capability capability) {
  std::string_view name = module.architecture;
  if (!name.starts_with("sm_"))
    return false;
  name.remove_prefix(3);
  // The last digit is the minor number: sm_100 is 10.0.
  int number = 0;
  const auto [end, error] =
      std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc())
    return false;
  const std::string_view suffix = name.substr(size_t(end - name.data()));
  const int wanted = capability.major * 10 + capability.minor;
  if (!suffix.empty())
    return suffix == "a" && number == wanted;
  return number <= wanted &&
         (!module.isAssembled || number / 10 == capability.major);
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

const abi::DeviceProgram *programFor(const abi::DeviceProgram *const *programs,
                                     Capability capability) {
  for (; *programs; ++programs)
    if (!modulesFor(**programs, capability).empty())
      return *programs;
  return nullptr;
}

std::string targetsOf(const abi::DeviceProgram *const *programs) {
  std::string names;
  for (; *programs; ++programs)
    names.append(names.empty() ? "" : ", ").append((*programs)->target);
  return names;
}

} // namespace corellama::runtime::cuda
