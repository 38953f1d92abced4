//===- JsonSchema.h - a JSON schema as a grammar of its values ------------===//
//
// A schema (draft 2020-12) -> Grammar: texts that are JSON and valid under it.
// Not all valid texts: properties come in the order of the schema, optional
// ones may be left out, and where the schema allows white space or number
// formats without end there are bounds. docs/text.md lists what is supported.
// Whatever else would make a value invalid is an error that names the keyword
// and its place; nothing is passed over.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_JSONSCHEMA_H
#define CORELLAMA_RUNTIME_GRAMMAR_JSONSCHEMA_H

#include "runtime/Grammar/Grammar.h"
#include "runtime/Support/Result.h"

#include <string_view>

namespace corellama::runtime::grammar {

/// An error begins with the place in the schema, as #/properties/name.
Result<Grammar> parseJsonSchema(std::string_view text);

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_JSONSCHEMA_H
