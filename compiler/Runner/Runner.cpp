//===- Runner.cpp - compiled kernels, loaded into this process ------------===//
//
// See Runner.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/Runner.h"

using namespace corellama;

llvm::Expected<RunnerModule> RunnerModule::load(mlir::ModuleOp module) {
  // Lazy binding: steps refer to the runtime's barrier, which is missing here.
  auto object = SharedObject::load(module);
  if (!object)
    return object.takeError();
  auto *descriptor =
      static_cast<const abi::Program *>(object->lookup("corellama_program"));
  if (!descriptor || descriptor->version != abi::kVersion)
    return llvm::createStringError(
        "kernels: no descriptor of this ABI's version");
  return RunnerModule(std::move(*object), descriptor);
}

const abi::Kernel *RunnerModule::lookup(llvm::StringRef name) const {
  for (const abi::Kernel &kernel : kernels())
    if (name == kernel.name)
      return &kernel;
  return nullptr;
}
