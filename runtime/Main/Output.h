//===- Output.h - generated ids to standard output ------------------------===//
//
// Writes each id as soon as it is generated: as text (whole UTF-8 characters
// only), as a number, or as a line of JSON (Logprobs.h). Text that may be the
// beginning of a stop text is held back until it is known.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_OUTPUT_H
#define CORELLAMA_RUNTIME_MAIN_OUTPUT_H

#include "runtime/Main/Generate.h"
#include "runtime/Main/Text.h"
#include "runtime/Tokenizer/Utf8.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class Output {
public:
  Output(const Text &text, const Options &options)
      : text(text), asIds(options.outputIds), logprobs(options.logprobs),
        stops(options.stops) {}

  /// `logits` are those that the id was chosen by. False if it could not be
  /// written: error() says why; it is empty if the reader of a pipe has closed
  /// it, which is no error.
  bool put(int32_t id, std::span<const float> logits);

  /// Whether a stop text has come: it and what follows is not written.
  bool isStopped() const { return stopped; }

  /// Ends the output line: after ids, on a terminal, and in a conversation
  /// after each answer. An unfinished character at the end of the text is left
  /// out.
  void finish(Generation &generation, bool inConversation = false);

  /// The text of the answer so far, without what may begin a stop text.
  const std::string &answer() const { return shown; }

  const std::string &error() const { return failure; }

private:
  bool write(std::string_view bytes);
  std::string_view untilStop(std::string_view bytes);

  const Text &text;
  const bool asIds;
  const std::optional<uint32_t> logprobs;
  const std::vector<std::string> stops;
  bool first = true;
  bool stopped = false;
  bool closed = false;
  Utf8Stream characters;
  std::string buffer, shown;
  /// What may begin a stop text, and before it what was returned last.
  std::string pending;
  size_t ready = 0;
  std::string failure;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_OUTPUT_H
