//===- Chat.h - one user turn in the checkpoint's chat format -------------===//
//
// Turns a user's message into the ids that the checkpoint's chat template would
// give for it, ending where the assistant's answer starts. Templates are
// programs (Jinja); this knows the formats by name instead of running them. The
// text of a default system message is taken out of the template.
//
// Apart from the Tokenizer because formats will be added here and the tokenizer
// is the same for all of them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_CHAT_H
#define CORELLAMA_RUNTIME_TOKENIZER_CHAT_H

#include "runtime/Tokenizer/Metadata.h"
#include "runtime/Support/Result.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class ChatFormat {
public:
  /// Reads `tokenizer.chat_template`. Gives an error where there is none, or
  /// where it is of no format that is known here.
  static Result<ChatFormat> create(const Metadata &metadata,
                                   const Tokenizer &tokenizer);

  /// The ids of one user turn and the start of the assistant's. What looks
  /// like a special token in `message` stays text. BOS is put first where the
  /// template does so. `lostBytes`, if given, receives the number of bytes of
  /// the message that the vocabulary has no token for.
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
