//===- CudaBackend.cpp - a program for GPUs -------------------------------===//
//
// The Backend of programs whose generated code is corellama_device_programs.
//
//===----------------------------------------------------------------------===//

#include "runtime/Cuda/CudaExecutor.h"
#include "runtime/Cuda/Devices.h"
#include "runtime/Cuda/StepPlan.h"
#include "runtime/Executor/GeneratedCode.h"

#include <string>
#include <utility>

namespace corellama::runtime {

namespace cuda {
namespace {

/// The driver, ready to be asked.
Result<std::unique_ptr<Driver>> openDriver() {
  auto driver = Driver::load();
  if (driver)
    if (auto error = (**driver)((*driver)->init, 0u))
      return *error;
  return driver;
}

/// The GPU that was asked for, or the first that can run the program.
Result<DeviceInfo> chooseDevice(const std::vector<DeviceInfo> &devices,
                                std::optional<uint32_t> index) {
  const std::string targets = targetsOf(corellama_device_programs);
  if (devices.empty())
    return Error{"this machine has no GPU that the driver shows; see what "
                 "CUDA_VISIBLE_DEVICES hides"};
  if (index && *index >= devices.size())
    return Error{"--device: is " + std::to_string(*index) +
                 ", this machine has " + std::to_string(devices.size()) +
                 "; --list-devices shows them"};
  for (const DeviceInfo &device : devices)
    if ((!index || device.index == *index) &&
        programFor(corellama_device_programs, device.capability))
      return device;
  return Error{devices[index.value_or(0)].describe() +
               " cannot run this program, which was compiled for " + targets +
               "; compile the model for it, or give another --device"};
}

class CudaBackend : public Backend, public DeviceQuestions {
public:
  DeviceQuestions *devices() override { return this; }

  // Which of several targets' code runs depends on the GPU, and is decided when
  // the model starts: --plan and --version need none.
  std::optional<Error> choose(const std::optional<std::string> &) override {
    return checkVersion(first().version);
  }

  std::string describe() const override {
    return targetsOf(corellama_device_programs);
  }

  // Forms are the same for all targets of a program.
  CodeFacts facts() const override { return factsOf(first(), 0); }

  Result<std::unique_ptr<Executor>>
  start(const MappedImage &image, const ExecutorSettings &settings) override {
    std::unique_ptr<Driver> driver;
    if (auto error = openDriver().moveTo(driver))
      return *error;
    std::vector<DeviceInfo> all;
    if (auto error = cuda::listDevices(*driver).moveTo(all))
      return *error;
    DeviceInfo device;
    if (auto error = chooseDevice(all, settings.device).moveTo(device))
      return *error;
    return CudaExecutor::create(
        std::move(driver), device,
        *programFor(corellama_device_programs, device.capability), image,
        settings.context);
  }

  Result<std::string> listDevices() override {
    std::unique_ptr<Driver> driver;
    if (auto error = openDriver().moveTo(driver))
      return *error;
    std::vector<DeviceInfo> all;
    if (auto error = cuda::listDevices(*driver).moveTo(all))
      return *error;
    std::string lines;
    for (const DeviceInfo &device : all) {
      const abi::DeviceProgram *program =
          programFor(corellama_device_programs, device.capability);
      lines += device.describe() + ", " + formatBytes(device.bytes) + ": " +
               (program ? std::string("runs the code for ") + program->target
                        : "cannot run this program") +
               "\n";
    }
    return lines;
  }

  Result<std::string> plan(const MappedImage &image, uint64_t context,
                           double gigabytes) override {
    if (!isSound(first(), image.header->vocabulary))
      return damagedProgram();
    if (context > image.header->context)
      return Error{"-c: is " + std::to_string(context) +
                   ", this model was made for at most " +
                   std::to_string(image.header->context) +
                   " tokens; give a smaller -c"};
    return describeStep(first(), image, context, gigabytes);
  }

private:
  static const abi::DeviceProgram &first() {
    return *corellama_device_programs[0];
  }
};

} // namespace
} // namespace cuda

std::unique_ptr<Backend> createBackend() {
  return std::make_unique<cuda::CudaBackend>();
}

} // namespace corellama::runtime
