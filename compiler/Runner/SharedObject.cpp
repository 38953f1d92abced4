//===- SharedObject.cpp - object, shared library, dlopen ------------------===//
//
// See SharedObject.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Runner/SharedObject.h"
#include "compiler/CodeGen/CodeGen.h"
#include "compiler/CodeGen/Link.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Signals.h"
#include <atomic>
#include <dlfcn.h>

using namespace corellama;

llvm::Expected<SharedObject> SharedObject::load(mlir::ModuleOp module,
                                                llvm::StringRef external) {
  auto object = codegen::compileToObject(module, external);
  if (!object)
    return object.takeError();
  // For a name that it has loaded before, dlopen returns the old library even
  // if the file was replaced. So each name is used once in a process.
  static std::atomic<unsigned> loaded = 0;
  llvm::SmallString<128> path;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile(
          "corellama-" + llvm::Twine(loaded++), "so", path))
    return llvm::createStringError("a temporary file for kernels: " +
                                   code.message());
  // The mapping stays valid after the file is removed.
  llvm::FileRemover remover(path);
  llvm::sys::RemoveFileOnSignal(path);
  if (llvm::Error error = codegen::linkShared(*object, path))
    return error;
  void *library = dlopen(
      path.c_str(), (external.empty() ? RTLD_LAZY : RTLD_NOW) | RTLD_LOCAL);
  if (!library)
    return llvm::createStringError(llvm::Twine("kernels cannot be loaded: ") +
                                   dlerror());
  return SharedObject(library);
}

SharedObject::~SharedObject() {
  if (library)
    dlclose(library);
}

const void *SharedObject::lookup(const char *symbol) const {
  return dlsym(library, symbol);
}
