//===- NamedTemplates.h - chat formats known by name ----------------------===//
//
// Templates for checkpoints that bring none, or a wrong one: five formats that
// most Llama models were trained with. They are Jinja as a checkpoint has it,
// so that they go the same way through the interpreter.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_NAMEDTEMPLATES_H
#define CORELLAMA_RUNTIME_TEMPLATES_NAMEDTEMPLATES_H

#include "runtime/Support/Result.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace corellama::runtime::templates {

struct NamedTemplate {
  std::string_view name, source;
  /// Markers that the models of this format have as control tokens; empty ones
  /// are none.
  std::array<std::string_view, 3> controls;
};

/// Null if there is none of that name.
const NamedTemplate *findTemplate(std::string_view name);

/// An error that lists the names, where there is none of that name.
std::optional<Error> checkTemplateName(std::string_view name);

/// All names, for help and messages: "chatml, llama2, ...".
std::string templateNames();

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_NAMEDTEMPLATES_H
