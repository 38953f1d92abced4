//===- Diagnostics.h - MLIR's diagnostics as lines for people -------------===//
//
// `corellama: FILE: PLACE: message`, one line each, on standard error. A file
// of its own because MLIR's own handler prints an excerpt of the source, and
// the source of most modules is a checkpoint.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_DIAGNOSTICS_H
#define CORELLAMA_COMPILER_DRIVER_DIAGNOSTICS_H

#include "compiler/Driver/Progress.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"
#include <string>

namespace corellama {

/// Prints an error as one line.
void printError(llvm::StringRef message);
void printError(llvm::Error error);

/// While it lives, prints errors and remarks of a context; notes and warnings
/// are left out. Erases the progress line first.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(mlir::MLIRContext &context, Progress &progress);

  /// The prefix of a message whose location is no file: the checkpoint, and the
  /// running phase.
  void setPlace(std::string newPlace) { place = std::move(newPlace); }
  unsigned errors() const { return errorCount; }

private:
  std::string place;
  unsigned errorCount = 0;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_DIAGNOSTICS_H
