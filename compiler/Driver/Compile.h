//===- Compile.h - corellama compile --------------------------------------===//
//
// Checkpoint in, program (or IR, or assembly) out: the order of the whole
// compiler on one page.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_COMPILE_H
#define CORELLAMA_COMPILER_DRIVER_COMPILE_H

#include "compiler/Driver/Arguments.h"
#include "llvm/ADT/StringRef.h"

namespace corellama {

/// Runs the command; errors are printed. `tool` is this executable, beside
/// which the runtime is found. The exit status.
int compileCheckpoint(const CompileArguments &arguments, llvm::StringRef tool);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_COMPILE_H
