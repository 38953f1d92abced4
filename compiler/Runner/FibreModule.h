//===- FibreModule.h - a GPU's kernels, loaded to run on fibres -----------===//
//
// Twin of Runner.h for modules that were lowered for fibres: the same passes up
// to phase vector as the code that a GPU gets, then host code. Kernels run
// alone or as a step, on a FibreDevice.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_RUNNER_FIBREMODULE_H
#define CORELLAMA_COMPILER_RUNNER_FIBREMODULE_H

#include "compiler/Runner/FibreDevice.h"
#include "compiler/Runner/SharedObject.h"

namespace corellama {

/// The kernels of one module. They stay loaded as long as this lives.
class FibreModule {
public:
  /// Compiles a module at phase llvm, backend fibres, and loads it. It needs an
  /// x86-64-v3 machine (gpu-to-fibres says why).
  static llvm::Expected<FibreModule> load(mlir::ModuleOp module);

  const abi::DeviceProgram &program() const { return *descriptor; }
  llvm::ArrayRef<abi::DeviceKernel> kernels() const {
    return {descriptor->kernels, descriptor->kernelCount};
  }
  /// The number of a kernel, for FibreDevice::launch.
  std::optional<uint32_t> lookup(llvm::StringRef name) const;

  /// A device with these kernels and the memory of `context`.
  FibreDevice makeDevice(const KernelContext &context,
                         FibreOptions options = {}) const {
    return FibreDevice(kernels(), context.ranges(), options);
  }

  /// Launches a kernel once, as a step does, on a device of its own.
  llvm::Error run(llvm::StringRef kernel, const KernelContext &context,
                  uint32_t layer, FibreOptions options = {}) const;

private:
  FibreModule(SharedObject object, const abi::DeviceProgram *descriptor)
      : object(std::move(object)), descriptor(descriptor) {}

  SharedObject object;
  const abi::DeviceProgram *descriptor;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_RUNNER_FIBREMODULE_H
