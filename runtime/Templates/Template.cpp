//===- Template.cpp - a chat template, and conversations through it -------===//
//
// See Template.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Template.h"

#include "runtime/Templates/Parser.h"

namespace corellama::runtime::templates {

Result<Template> Template::create(std::string_view source) {
  auto root = parse(source);
  if (!root)
    return Error{root.error()};
  return Template(std::move(*root));
}

Result<String> Template::render(const Inputs &inputs) const {
  std::vector<std::pair<std::string, Value>> names = {
      {"messages", inputs.messages},
      {"add_generation_prompt", inputs.addGenerationPrompt},
      {"bos_token", makeString(inputs.bosToken, Origin::Template)},
      {"eos_token", makeString(inputs.eosToken, Origin::Template)}};
  names.insert(names.end(), inputs.more.begin(), inputs.more.end());
  return Interpreter(inputs.limits, inputs.now).run(*root, names);
}

} // namespace corellama::runtime::templates
