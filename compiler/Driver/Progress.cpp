//===- Progress.cpp - what the compiler is doing, on a terminal -----------===//
//
// See Progress.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Progress.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace corellama;

Progress::Progress() : terminal(llvm::sys::Process::StandardErrIsDisplayed()) {
  // https://no-color.org: set and not empty means no colors.
  std::optional<std::string> noColor = llvm::sys::Process::GetEnv("NO_COLOR");
  color = terminal && (!noColor || noColor->empty());
}

void Progress::clear() {
  if (shown)
    llvm::errs() << "\r\x1b[K";
  shown = false;
}

void Progress::begin(const llvm::Twine &what) {
  if (!terminal)
    return;
  clear();
  llvm::errs() << (color ? "\x1b[2mcorellama: " : "corellama: ") << what
               << (color ? " ...\x1b[0m" : " ...");
  shown = true;
}
