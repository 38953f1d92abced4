//===- MLIRFlags.h - MLIR's own flags in our command line -----------------===//
//
// --mlir-print-ir-after-all, --mlir-timing, the reproducer and the rest of what
// MLIR registers as process-wide options. A file of its own because those
// options are global state of MLIR: they are set here, once, before a context
// exists.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_MLIRFLAGS_H
#define CORELLAMA_COMPILER_DRIVER_MLIRFLAGS_H

#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace corellama {

/// Registers MLIR's flags and sets those that are given, each as
/// `--flag=value`. Returns false after printing an error line if one of them is
/// wrong.
bool applyMLIRFlags(llvm::ArrayRef<std::string> flags);

/// With --mlir-print-ir-tree-dir=DIR, lets the next pass manager print to
/// DIR/`name`.
void setPrintTreeFolder(llvm::StringRef name);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_MLIRFLAGS_H
