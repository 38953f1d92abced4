//===- Chat.h - a conversation in the checkpoint's chat format ------------===//
//
// Messages to the text that the checkpoint's chat template writes for them,
// ending where the assistant's answer starts. What a message says never becomes
// a control token, whatever it looks like: the text carries marks (String.h),
// and TokenizedText.h recognises only the template's own. The template is the
// checkpoint's, or one that the user names.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
#define CORELLAMA_RUNTIME_TEMPLATES_CHAT_H

#include "runtime/Templates/Template.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <string>
#include <vector>

namespace corellama::runtime {

struct Message {
  std::string role, content;
};

/// What the user says of the format.
struct ChatSettings {
  /// Of NamedTemplates.h, in place of the checkpoint's template.
  std::optional<std::string> name = std::nullopt;
  /// The text of a template in place of both.
  std::optional<std::string> source = std::nullopt;
  /// More variables of the template, as an object of JSON.
  std::optional<std::string> variables = std::nullopt;
  /// A message that has a plain-text marker of the template is an error.
  bool refuseMarkers = false;
};

class ChatFormat {
public:
  /// The tokenizer's chat template, where `settings` give no other; an error if
  /// there is none or it is malformed. `tokenizer` must outlive the format, and
  /// stay where it is.
  static Result<ChatFormat> create(const Tokenizer &tokenizer,
                                   const ChatSettings &settings = {});

  /// What the template writes for the messages, its own bytes marked. An error
  /// is the template's refusal, a limit that it reached, or a message that has
  /// a marker (ChatSettings::refuseMarkers). `addGenerationPrompt`: end where
  /// the assistant's answer starts.
  Result<templates::String> render(const std::vector<Message> &messages,
                                   bool addGenerationPrompt = true) const;

  /// Whether the template separates messages by plain text, which a message can
  /// imitate. It is tried with three messages, or with one where it refuses
  /// those; false where it refuses both.
  bool hasPlainMarkers() const;

  /// What the user should know of the format; empty: nothing.
  const std::string &note() const { return remark; }

private:
  explicit ChatFormat(templates::Template source) : source(std::move(source)) {}
  Result<templates::String> renderAny(const std::vector<Message> &messages,
                                      bool addGenerationPrompt) const;
  std::optional<Error> checkContents(const std::vector<Message> &messages,
                                     bool addGenerationPrompt) const;

  templates::Template source;
  const Tokenizer *tokenizer = nullptr;
  std::string bos, eos, remark;
  std::vector<std::pair<std::string, templates::Value>> variables;
  /// Bytes of their JSON.
  size_t variableBytes = 0;
  bool refuseMarkers = false;
};

/// The variables of a template from an object of JSON.
Result<std::vector<std::pair<std::string, templates::Value>>>
readVariables(std::string_view json);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TEMPLATES_CHAT_H
