//===- EmulatorModule.h - a GPU's kernels, loaded to run on the emulator --===//
//
// The Runner.h of modules that were lowered for the emulator: the same passes
// up to phase vector as the code that a GPU gets, then host code. Kernels run
// alone or as a step, on an EmulatorDevice.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_EMULATORMODULE_H
#define CORELLAMA_TEST_EMULATOR_EMULATORMODULE_H

#include "compiler/Runner/SharedObject.h"
#include "test/emulator/EmulatorDevice.h"

namespace corellama {

/// The kernels of one module. They stay loaded as long as this lives.
class EmulatorModule {
public:
  /// Compiles a module that emulator::buildPhases led to phase llvm, and loads
  /// it. It needs an x86-64-v3 machine (cuda-to-emulator says why).
  static llvm::Expected<EmulatorModule> load(mlir::ModuleOp module);

  const abi::DeviceProgram &program() const { return *descriptor; }
  llvm::ArrayRef<abi::DeviceKernel> kernels() const {
    return {descriptor->kernels, descriptor->kernelCount};
  }
  /// The number of a kernel, for EmulatorDevice::launch.
  std::optional<uint32_t> lookup(llvm::StringRef name) const;

  /// A device with these kernels and the memory of `context`.
  EmulatorDevice makeDevice(const KernelContext &context,
                            EmulatorOptions options = {}) const {
    return EmulatorDevice(kernels(), context.ranges(), options);
  }

  /// Launches a kernel once, as a step does, on a device of its own.
  llvm::Error run(llvm::StringRef kernel, const KernelContext &context,
                  uint32_t layer, EmulatorOptions options = {}) const;

private:
  EmulatorModule(SharedObject object, const abi::DeviceProgram *descriptor)
      : object(std::move(object)), descriptor(descriptor) {}

  SharedObject object;
  const abi::DeviceProgram *descriptor;
};

} // namespace corellama

#endif // CORELLAMA_TEST_EMULATOR_EMULATORMODULE_H
