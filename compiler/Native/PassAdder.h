//===- PassAdder.h - passes that a tool of the tests adds -----------------===//
//
// Tests hold native code against the evaluator, and have to notice a fault in
// it: their tool breaks the code of a function in the middle of its phases. A
// header of its own, so that the driver's interface includes nothing of MLIR.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_NATIVE_PASSADDER_H
#define CORELLAMA_COMPILER_NATIVE_PASSADDER_H

#include <functional>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace corellama {

using PassAdder = std::function<void(mlir::OpPassManager &)>;

} // namespace corellama

#endif // CORELLAMA_COMPILER_NATIVE_PASSADDER_H
