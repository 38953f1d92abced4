//===- Lexer.h - the tokens of a Jinja template ---------------------------===//
//
// Text, tags and the words inside of them, with white space removed as Jinja
// does it with trim_blocks and lstrip_blocks, which is how `transformers` runs
// chat templates.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_LEXER_H
#define CORELLAMA_RUNTIME_TEMPLATES_LEXER_H

#include "runtime/Support/Result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace corellama::runtime::templates {

struct Token {
  enum class Kind {
    Data,          ///< text between tags
    BlockBegin,    ///< {%
    BlockEnd,      ///< %}
    VariableBegin, ///< {{
    VariableEnd,   ///< }}
    Name,
    String,
    Integer,
    Float,
    Operator,
    End,
  };
  Kind kind;
  /// The name, the operator, or the text without quotes and escapes.
  std::string text;
  int64_t integer = 0;
  double real = 0;
  /// For messages.
  size_t line = 0;
};

Result<std::vector<Token>> tokenize(std::string_view source);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_LEXER_H
