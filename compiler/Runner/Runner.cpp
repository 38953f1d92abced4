//===- Runner.cpp - object, shared library, dlopen ------------------------===//
//
// See Runner.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/Runner.h"
#include "compiler/CodeGen/CodeGen.h"
#include "compiler/CodeGen/Link.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Signals.h"
#include <dlfcn.h>
#include <utility>

using namespace corellama;

llvm::Expected<RunnerModule> RunnerModule::load(mlir::ModuleOp module) {
  auto object = codegen::compileToObject(module);
  if (!object)
    return object.takeError();
  llvm::SmallString<128> path;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("corellama", "so", path))
    return llvm::createStringError("a temporary file for kernels: " +
                                   code.message());
  // The mapping outlives the file's name.
  llvm::FileRemover remover(path);
  llvm::sys::RemoveFileOnSignal(path);
  if (llvm::Error error = codegen::linkShared(*object, path))
    return error;

  // Lazily: steps refer to the runtime's barrier, which is not here.
  void *library = dlopen(path.c_str(), RTLD_LAZY | RTLD_LOCAL);
  if (!library)
    return llvm::createStringError(llvm::Twine("kernels cannot be loaded: ") +
                                   dlerror());
  auto *descriptor =
      static_cast<const abi::Program *>(dlsym(library, "corellama_program"));
  if (!descriptor || descriptor->version != abi::kVersion) {
    dlclose(library);
    return llvm::createStringError(
        "kernels: no descriptor of this ABI's version");
  }
  return RunnerModule(library, descriptor);
}

RunnerModule::RunnerModule(RunnerModule &&other)
    : library(std::exchange(other.library, nullptr)),
      descriptor(other.descriptor) {}

RunnerModule &RunnerModule::operator=(RunnerModule &&other) {
  std::swap(library, other.library);
  std::swap(descriptor, other.descriptor);
  return *this;
}

RunnerModule::~RunnerModule() {
  if (library)
    dlclose(library);
}

const abi::Kernel *RunnerModule::lookup(llvm::StringRef name) const {
  for (const abi::Kernel &kernel : kernels())
    if (name == kernel.name)
      return &kernel;
  return nullptr;
}
