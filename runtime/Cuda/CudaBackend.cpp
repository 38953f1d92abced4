//===- CudaBackend.cpp - a program for GPUs -------------------------------===//
//
// The Backend of programs whose generated code is corellama_device_programs.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/CudaExecutor.h"
#include "runtime/Cuda/Devices.h"
#include "runtime/Cuda/StepPlan.h"
#include "runtime/Executor/GeneratedCode.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace corellama::runtime {

namespace cuda {
namespace {

/// The code of all targets of this program.
std::span<const abi::DeviceProgram *const> allPrograms() {
  size_t count = 0;
  while (corellama_device_programs[count])
    ++count;
  return {corellama_device_programs, count};
}

Result<size_t> programFor(const DeviceInfo &device) {
  return programFor(corellama_device_programs, device);
}

/// A driver that is ready, and the GPUs that it shows: at least one.
struct Machine {
  std::unique_ptr<Driver> driver;
  std::vector<DeviceInfo> devices;

  static Result<Machine> open() {
    Machine machine;
    if (auto error = Driver::load().moveTo(machine.driver))
      return *error;
    const Driver &driver = *machine.driver;
    if (auto error = driver(driver.init, 0u))
      return *error;
    if (auto error = cuda::listDevices(driver).moveTo(machine.devices))
      return *error;
    if (machine.devices.empty())
      return Error{"this machine has no GPU that the driver shows; see what "
                   "CUDA_VISIBLE_DEVICES hides"};
    return machine;
  }

  /// The GPU that was asked for, or the first that can run the program.
  Result<DeviceInfo> choose(std::optional<uint32_t> index) const {
    if (index && *index >= devices.size())
      return Error{"--device: is " + std::to_string(*index) +
                   ", this machine has " + std::to_string(devices.size()) +
                   "; --list-devices shows them"};
    for (const DeviceInfo &device : devices)
      if ((!index || device.index == *index) && programFor(device))
        return device;
    const DeviceInfo &device = devices[index.value_or(0)];
    const bool isKnown =
        std::ranges::any_of(allPrograms(), [&](const auto *program) {
          return !modulesFor(*program, device.capability).empty();
        });
    return Error{device.describe() + " " + programFor(device).error() + "; " +
                 (isKnown ? "" : "compile the model for it, or ") +
                 "give another --device"};
  }
};

class CudaBackend : public Backend, public DeviceQuestions {
public:
  DeviceQuestions *devices() override { return this; }

  // Which of several targets' code runs depends on the GPU, and is decided when
  // the model starts: --plan and --version need none. Before that all targets
  // have to be the same in what is asked.
  std::optional<Error> choose(const std::optional<std::string> &) override {
    const CodeFacts first = facts();
    for (const abi::DeviceProgram *program : allPrograms()) {
      if (auto error = checkVersion(program->version))
        return error;
      const CodeFacts other = factsOf(*program, 0);
      if (other.rows != first.rows || other.wanted != first.wanted)
        return damagedProgram();
    }
    return std::nullopt;
  }

  std::string describe() const override {
    return targetsOf(corellama_device_programs);
  }

  CodeFacts facts() const override {
    return factsOf(*allPrograms()[chosen], chosen);
  }

  Result<std::unique_ptr<Executor>>
  start(const MappedImage &image, const ExecutorSettings &settings) override {
    Machine machine;
    if (auto error = Machine::open().moveTo(machine))
      return *error;
    DeviceInfo device;
    if (auto error = machine.choose(settings.device).moveTo(device))
      return *error;
    if (auto error = programFor(device).moveTo(chosen))
      return *error;
    return CudaExecutor::create(std::move(machine.driver), device,
                                *allPrograms()[chosen], image, settings);
  }

  Result<std::string> listDevices() override {
    Machine machine;
    if (auto error = Machine::open().moveTo(machine))
      return *error;
    std::string lines;
    for (const DeviceInfo &device : machine.devices) {
      const Result<size_t> program = programFor(device);
      lines += device.describe() + ", " + formatBytes(device.bytes) + ": " +
               (program ? std::string("runs the code for ") +
                              allPrograms()[*program]->target
                        : program.error()) +
               "\n";
    }
    return lines;
  }

  Result<std::string> plan(const MappedImage &image, uint64_t context,
                           double gigabytes) override {
    if (context > image.header->context)
      return Error{"-c: is " + std::to_string(context) +
                   ", this model was made for at most " +
                   std::to_string(image.header->context) +
                   " tokens; give a smaller -c"};
    std::string text;
    for (const abi::DeviceProgram *program : allPrograms()) {
      if (!isSound(*program, image.header->vocabulary))
        return damagedProgram();
      const auto step = describeStep(*program, image, context, gigabytes);
      if (!step)
        return Error{step.error()};
      text += (text.empty() ? "" : "\n") + *step;
    }
    return text;
  }

private:
  /// The place of the program that runs; before the start the first stands for
  /// all.
  size_t chosen = 0;
};

} // namespace
} // namespace cuda

std::unique_ptr<Backend> createBackend() {
  return std::make_unique<cuda::CudaBackend>();
}

} // namespace corellama::runtime
