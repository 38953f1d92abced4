//===- TerminalLine.h - a line of progress that is overwritten ------------===//
//
// What a program does, on standard error, for whoever watches: one line that is
// written over and erased at the end. Nothing is written if standard error is
// no terminal, or one that cannot erase.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SUPPORT_TERMINALLINE_H
#define CORELLAMA_RUNTIME_SUPPORT_TERMINALLINE_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace corellama::runtime {

class TerminalLine {
public:
  ~TerminalLine() { clear(); }

  /// "prompt: 512 of 1024 tokens". `done` grows.
  void show(const char *what, uint64_t done, uint64_t all, const char *unit) {
    const char *terminal = getenv("TERM");
    if (!isatty(STDERR_FILENO) || !terminal || strcmp(terminal, "dumb") == 0)
      return;
    fprintf(stderr, "\r%s: %llu of %llu %s", what,
            static_cast<unsigned long long>(done),
            static_cast<unsigned long long>(all), unit);
    shown = true;
  }
  void clear() {
    if (shown)
      fputs("\r\x1b[K", stderr);
    shown = false;
  }

private:
  bool shown = false;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SUPPORT_TERMINALLINE_H
