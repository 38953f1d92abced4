//===- SharedObject.h - generated code, loaded into this process ----------===//
//
// A module at phase llvm -> its object, linked to a shared library and loaded.
// Apart from Runner.h because kernels of another kind are loaded so, too: those of
// a GPU on the emulator of the tests.
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
  /// The code may refer to what this executable exports under names that begin
  /// with `external`, and all of it must be there. Without `external` to the
  /// runtime only, which may be missing until it is called.
  static llvm::Expected<SharedObject> load(mlir::ModuleOp module,
                                           llvm::StringRef external = {});

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
