//===- Template.h - a chat template, and conversations through it ---------===//
//
// The Jinja program of a checkpoint (`tokenizer.chat_template`), run as
// `transformers` runs it: trim_blocks, lstrip_blocks, loop controls, tojson
// without HTML's escapes, raise_exception and strftime_now. The program uses
// only this file.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_TEMPLATE_H
#define CORELLAMA_RUNTIME_TEMPLATES_TEMPLATE_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Interpreter.h"

namespace corellama::runtime::templates {

class Template {
public:
  /// An error names the line and what is malformed or not supported.
  static Result<Template> create(std::string_view source);

  struct Inputs {
    /// A list of messages, as from JSON.
    Value messages;
    bool addGenerationPrompt = true;
    /// The template's own markers.
    std::string bosToken, eosToken;
    /// More variables, such as tools or enable_thinking.
    std::vector<std::pair<std::string, Value>> more;
    std::tm now = {};
    Limits limits = {};
  };
  /// What the template writes. An error is the template's own refusal of the
  /// conversation, a mistake in it, or a limit.
  Result<String> render(const Inputs &inputs) const;

private:
  explicit Template(NodePtr root) : root(std::move(root)) {}
  NodePtr root;
};

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_TEMPLATE_H
