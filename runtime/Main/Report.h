//===- Report.h - how long it took ----------------------------------------===//
//
// The progress of a long prompt, and the last line that -v prints.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_REPORT_H
#define CORELLAMA_RUNTIME_MAIN_REPORT_H

#include "runtime/Main/Generate.h"
#include "runtime/Support/Stopwatch.h"
#include "runtime/Support/TerminalLine.h"

#include <cstdint>
#include <optional>
#include <string>

namespace corellama::runtime {

/// The progress of a long prompt. Prints nothing if the prompt is a single
/// chunk.
class PromptProgress {
public:
  void show(uint64_t done, uint64_t tokens) {
    if (done != 0)
      line.show("prompt", done, tokens, "tokens");
  }
  void clear() { line.clear(); }

private:
  TerminalLine line;
};

/// "load 12.3 ms | prompt 512 tokens 1234.5 tok/s | decode 255 tokens 234.5
/// tok/s | seed 7" and a line end; with drafts what became of them, and of the
/// prompt how much the cache held, too.
std::string closingLine(std::optional<double> loadSeconds,
                        const Generation &generation);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_REPORT_H
