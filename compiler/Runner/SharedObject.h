//===- SharedObject.h - generated code, loaded into this process ----------===//
//
// A module at phase llvm -> its object, linked to a shared library and loaded.
// A file apart from Runner.h because the tests' emulator loads a GPU's kernels
// with it, too.
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
  /// The code may refer to symbols of this executable that begin with
  /// `external`; all of them must exist. Without `external` it may refer to the
  /// runtime only, whose symbols may be missing until they are called.
  static llvm::Expected<SharedObject> load(mlir::ModuleOp module,
                                           llvm::StringRef external = {});

  SharedObject(SharedObject &&other)
      : library(std::exchange(other.library, nullptr)) {}
  SharedObject &operator=(SharedObject &&other) {
    std::swap(library, other.library);
    return *this;
  }
  ~SharedObject();

  /// The symbol's address, or null.
  const void *lookup(const char *symbol) const;

private:
  explicit SharedObject(void *library) : library(library) {}

  void *library;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_RUNNER_SHAREDOBJECT_H
