//===- Chat.h - a conversation in the checkpoint's chat format ------------===//
//
// Messages to the ids that the checkpoint's chat template gives for them,
// ending where the assistant's answer starts. What a message says never becomes
// a control token, whatever it looks like: the template's text carries marks
// (String.h), and a control token is recognised only where all its bytes are
// the template's own.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
#define CORELLAMA_RUNTIME_TEMPLATES_CHAT_H

#include "runtime/Templates/Template.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <string>
#include <vector>

namespace corellama::runtime {

struct Message {
  std::string role, content;
};

class ChatFormat {
public:
  /// The tokenizer's chat template; an error if there is none or it is
  /// malformed.
  static Result<ChatFormat> create(const Tokenizer &tokenizer);

  struct Turn {
    std::vector<int32_t> ids;
    /// Bytes that the vocabulary has no token for.
    size_t lostBytes = 0;
    /// No control token stands behind the first id: the template's markers are
    /// plain text, which a message can imitate.
    bool hasPlainMarkers = false;
  };
  /// The ids of the messages and of the start of the assistant's. An error is
  /// the template's refusal, or a limit that it reached.
  Result<Turn> encode(const std::vector<Message> &messages,
                      Tokenizer &tokenizer) const;

private:
  explicit ChatFormat(templates::Template source) : source(std::move(source)) {}

  templates::Template source;
  std::string bos, eos;
};

/// Appends the ids of a text that a template has written: its control tokens as
/// such, the stretches between them as text. Returns the bytes without a token.
Result<size_t> encodeMarked(const templates::String &text, Tokenizer &tokenizer,
                            std::vector<int32_t> &ids);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
