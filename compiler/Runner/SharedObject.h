//===- SharedObject.h - generated code, loaded into this process ----------===//
//
// A module at phase llvm -> its object, linked to a shared library and loaded.
// Apart because two kinds of modules are loaded so: a CPU's kernels (Runner.h)
// and a GPU's on the emulator (EmulatorModule.h).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_RUNNER_SHAREDOBJECT_H
#define CORELLAMA_COMPILER_RUNNER_SHAREDOBJECT_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <utility>

namespace corellama {

/// Stays loaded as long as this lives.
class SharedObject {
public:
  /// `lazily`: what the code refers to may be missing until it is called.
  static llvm::Expected<SharedObject> load(mlir::ModuleOp module, bool lazily);

  SharedObject(SharedObject &&other)
      : library(std::exchange(other.library, nullptr)) {}
  SharedObject &operator=(SharedObject &&other) {
    std::swap(library, other.library);
    return *this;
  }
  ~SharedObject();

  /// Null where there is none.
  const void *lookup(const char *symbol) const;

private:
  explicit SharedObject(void *library) : library(library) {}

  void *library;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_RUNNER_SHAREDOBJECT_H
