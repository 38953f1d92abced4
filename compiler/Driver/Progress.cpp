//===- Progress.cpp - what the compiler is doing, on a terminal -----------===//
//
// See Progress.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Progress.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"
#include <sys/ioctl.h>
#include <unistd.h>

using namespace corellama;

Progress::Progress() : terminal(llvm::sys::Process::StandardErrIsDisplayed()) {
  // A terminal without control sequences cannot erase a line.
  if (llvm::sys::Process::GetEnv("TERM").value_or("dumb") == "dumb")
    terminal = false;
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
  std::string line = ("corellama: " + what + " ...").str();
  // Text that wrapped to the next line could not be erased.
  winsize size;
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
      line.size() >= size.ws_col)
    line.resize(size.ws_col - 1);
  llvm::errs() << (color ? "\x1b[2m" : "") << line << (color ? "\x1b[0m" : "");
  shown = true;
}
