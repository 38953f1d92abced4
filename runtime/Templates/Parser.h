//===- Parser.h - a Jinja template to statements --------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_PARSER_H
#define CORELLAMA_RUNTIME_TEMPLATES_PARSER_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/Ast.h"

namespace corellama::runtime::templates {

/// The whole template as a block. An error names the line and what is not
/// supported or malformed.
Result<NodePtr> parse(std::string_view source);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_PARSER_H
