//===- EmulatorModule.cpp - kernels of a GPU, loaded to be emulated -------===//
//
// See EmulatorModule.h.
//
//===----------------------------------------------------------------------===//

#include "test/emulator/EmulatorModule.h"

using namespace corellama;

llvm::Expected<EmulatorModule> EmulatorModule::load(mlir::ModuleOp module) {
  auto object = SharedObject::load(module, "corellama_emulator_");
  if (!object)
    return object.takeError();
  auto *descriptor = static_cast<const abi::DeviceProgram *>(
      object->lookup("corellama_device_program"));
  if (!descriptor || descriptor->version != abi::kVersion)
    return llvm::createStringError(
        "kernels: no device descriptor of this ABI's version");
  return EmulatorModule(std::move(*object), descriptor);
}

std::optional<uint32_t> EmulatorModule::lookup(llvm::StringRef name) const {
  for (auto [number, kernel] : llvm::enumerate(kernels()))
    if (name == kernel.name)
      return static_cast<uint32_t>(number);
  return std::nullopt;
}

llvm::Error EmulatorModule::run(llvm::StringRef name,
                                const KernelContext &context, uint32_t layer,
                                EmulatorOptions options) const {
  std::optional<uint32_t> number = lookup(name);
  if (!number)
    return llvm::createStringError("there is no kernel '" + name + "'");
  abi::Context arguments = context.context();
  return makeDevice(context, options)
      .launch(*number, arguments, layer,
              kernels()[*number].parts(arguments.rows, arguments.capacity),
              options.overlaps);
}
