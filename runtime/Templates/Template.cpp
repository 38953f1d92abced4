//===- Template.cpp - a chat template, and conversations through it -------===//
//
// See Template.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Template.h"

#include "runtime/Templates/Parser.h"

namespace corellama::runtime::templates {

/// An error may quote the template, and what raise_exception was given.
static Error oneLine(const std::string &error) {
  constexpr size_t most = 500; // bytes, some lines of a terminal
  return Error{printable(error, most)};
}

/// Bytes. Reading a template is not charged for as running it is, and takes
/// some 0.3 ms a KiB at most; the longest that are published have some 30 KiB.
static constexpr size_t kLongestSource = size_t(256) << 10;

Result<Template> Template::create(std::string_view source) {
  if (source.size() > kLongestSource)
    return Error{"a template of " + std::to_string(source.size()) +
                 " bytes, at most " + std::to_string(kLongestSource) +
                 " are read"};
  auto root = parse(source);
  if (!root)
    return oneLine(root.error());
  return Template(std::move(*root));
}

Result<String> Template::render(const Inputs &inputs) const {
  std::vector<std::pair<std::string, Value>> names = {
      {"messages", inputs.messages},
      {"add_generation_prompt", inputs.addGenerationPrompt},
      {"bos_token", makeString(inputs.bosToken, Origin::Template)},
      {"eos_token", makeString(inputs.eosToken, Origin::Template)}};
  names.insert(names.end(), inputs.more.begin(), inputs.more.end());
  auto text = Interpreter(inputs.limits, inputs.now).run(*root, names);
  if (!text)
    return oneLine(text.error());
  return text;
}

} // namespace corellama::runtime::templates
