//===- Report.h - how long it took ----------------------------------------===//
//
// The clock that the program is timed by, and the closing line of -v.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_REPORT_H
#define CORELLAMA_RUNTIME_MAIN_REPORT_H

#include "runtime/Main/Generate.h"

#include <cstdint>
#include <string>

namespace corellama::runtime {

/// Seconds since it was made.
class Stopwatch {
public:
  /// Nanoseconds of a clock that never goes back.
  static int64_t now();
  double seconds() const { return double(now() - start) * 1e-9; }

private:
  int64_t start = now();
};

/// How far a long prompt is, on a terminal: a line on standard error that is
/// overwritten, and gone at the end. Nothing where standard error is no
/// terminal or a prompt is read at once.
class PromptProgress {
public:
  ~PromptProgress() { clear(); }
  void show(uint64_t done, uint64_t tokens);
  void clear();

private:
  bool shown = false;
};

/// load 12.3 ms | prompt 512 tokens 1234.5 tok/s | decode 255 tokens 234.5
/// tok/s | seed 7, with the end of the line.
std::string closingLine(double loadSeconds, const Generation &generation);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_REPORT_H
