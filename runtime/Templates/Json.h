//===- Json.h - values of a template from JSON, and as JSON ---------------===//
//
// Conversations and tools come as JSON, and templates write values as JSON. A
// reader and writer of their own because strings carry marks, integers stay
// integers, and what is written must be Python's json.dumps byte for byte.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_JSON_H
#define CORELLAMA_RUNTIME_TEMPLATES_JSON_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Value.h"

namespace corellama::runtime::templates {

/// One value of RFC 8259; all strings are content. An error says where.
Result<Value> parseJson(std::string_view text);

struct JsonStyle {
  /// Characters beyond ASCII as \uXXXX.
  bool ensureAscii = false;
  /// What a level is indented by; without a value all is one line.
  std::optional<std::string> indent;
  std::string itemSeparator = ", ", keySeparator = ": ";
  bool sortKeys = false;
};

/// Python's json.dumps. What it puts around strings is content.
Result<String> writeJson(const Value &value, const JsonStyle &style);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_JSON_H
