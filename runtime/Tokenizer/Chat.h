//===- Chat.h - one user turn in the checkpoint's chat format -------------===//
//
// Turns a user's message into the ids that the checkpoint's chat template would
// give for it, ending where the assistant's answer starts. Templates are Jinja
// programs; they are not run, but recognised as one of the known formats. The
// text of a default system message is taken from the template.
//
// A file apart from the Tokenizer, which is the same for all chat formats.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_CHAT_H
#define CORELLAMA_RUNTIME_TOKENIZER_CHAT_H

#include "runtime/Support/Result.h"
#include "runtime/Tokenizer/Metadata.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class ChatFormat {
public:
  /// Reads `tokenizer.chat_template`. An error if there is none, or if it is of
  /// no known format.
  static Result<ChatFormat> create(const Metadata &metadata,
                                   const Tokenizer &tokenizer);

  /// The ids of one user turn and the start of the assistant's. What looks
  /// like a special token in `message` stays text. BOS comes first if the
  /// template puts it there. `lostBytes`, if given, receives the number of
  /// bytes of the message that the vocabulary has no token for.
  Result<std::vector<int32_t>> userTurn(std::string_view message,
                                        Tokenizer &tokenizer,
                                        size_t *lostBytes = nullptr) const;

  /// The default system message, where the template has one.
  const std::optional<std::string> &systemMessage() const { return system; }

private:
  ChatFormat() = default;

  int32_t start = 0;
  int32_t end = 0;
  std::optional<int32_t> bos;
  std::optional<std::string> system;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_CHAT_H
