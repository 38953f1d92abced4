//===- Chat.h - a conversation in the checkpoint's chat format ------------===//
//
// Messages to the text that the checkpoint's chat template writes for them,
// ending where the assistant's answer starts. What a message says never becomes
// a control token, whatever it looks like: the text carries marks (String.h),
// and TokenizedText.h recognises only the template's own.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
#define CORELLAMA_RUNTIME_TEMPLATES_CHAT_H

#include "runtime/Templates/Template.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <span>
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

  /// The messages as the template writes them, and after them the start of the
  /// assistant's. An error is the template's refusal, or a limit that it
  /// reached.
  Result<templates::String> render(const std::vector<Message> &messages,
                                   bool addGenerationPrompt = true) const;

private:
  explicit ChatFormat(templates::Template source) : source(std::move(source)) {}

  templates::Template source;
  std::string bos, eos;
};

/// Whether no control token stands behind the first id of a rendered
/// conversation: the template's markers are plain text, which a message can
/// imitate.
bool hasPlainMarkers(std::span<const int32_t> ids, const Tokenizer &tokenizer);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
