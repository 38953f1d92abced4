//===- Registration.h - dialects, passes, pipelines of all tools ----------===//
//
// Dialects, external models, passes and pipelines, for the driver, the opt tool
// and the language server alike. A new dialect or pass library is named in
// Registration.cpp and nowhere else.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_REGISTRATION_REGISTRATION_H
#define CORELLAMA_COMPILER_REGISTRATION_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace corellama {

/// Our dialects, upstream's dialects that our phases use, the external models
/// that targets attach, and the translation to LLVM IR.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Our passes and pipelines.
void registerAllPasses();

} // namespace corellama

#endif // CORELLAMA_COMPILER_REGISTRATION_REGISTRATION_H
