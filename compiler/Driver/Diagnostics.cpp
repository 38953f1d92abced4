//===- Diagnostics.cpp - MLIR's diagnostics as lines for people -----------===//
//
// See Diagnostics.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Diagnostics.h"
#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace corellama;
using namespace mlir;

/// Messages of libraries may have line breaks; we print one line.
static std::string oneLine(llvm::StringRef text) {
  std::string line = text.trim().str();
  for (char &c : line)
    if (c == '\n' || c == '\r')
      c = ' ';
  return line;
}

void corellama::printError(llvm::StringRef message) {
  llvm::errs() << "corellama: " << oneLine(message) << "\n";
}

void corellama::printError(llvm::Error error) {
  printError(llvm::toString(std::move(error)));
}

/// "x.mlir:3:5", or the name of what the op was made from, or nothing.
static std::string describe(Location location) {
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return (file.getFilename().getValue() + ":" + llvm::Twine(file.getLine()) +
            ":" + llvm::Twine(file.getColumn()))
        .str();
  if (auto name = location->findInstanceOf<NameLoc>())
    return ("'" + name.getName().getValue() + "'").str();
  return "";
}

DiagnosticPrinter::DiagnosticPrinter(MLIRContext &context, Progress &progress)
    : handler(&context, [this, &progress](Diagnostic &diagnostic) {
        DiagnosticSeverity severity = diagnostic.getSeverity();
        if (severity != DiagnosticSeverity::Error &&
            severity != DiagnosticSeverity::Remark)
          return success();
        std::string line;
        if (!isa<FileLineColLoc>(diagnostic.getLocation()) && !place.empty())
          line += place + ": ";
        if (std::string where = describe(diagnostic.getLocation());
            !where.empty())
          line += where + ": ";
        if (severity == DiagnosticSeverity::Remark)
          line += "remark: ";
        else
          ++errorCount;
        progress.clear();
        printError(line + diagnostic.str());
        return success();
      }) {}
