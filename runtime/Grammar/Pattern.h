//===- Pattern.h - regular expressions and characters inside JSON strings -===//
//
// What may stand between the quotation marks of a JSON string: characters, and
// the strings that a schema's `pattern` matches. A file of its own since JSON
// writes some characters by escapes and regular expressions know nothing of it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_PATTERN_H
#define CORELLAMA_RUNTIME_GRAMMAR_PATTERN_H

#include "runtime/Grammar/Grammar.h"
#include "runtime/Support/Result.h"

#include <string_view>
#include <vector>

namespace corellama::runtime::grammar {

/// One character of these as JSON writes it: as it is, or in its shortest
/// escape where it must be escaped.
Expression jsonCharacters(Grammar &grammar, std::vector<CodeRange> ranges);

/// Any one character of a JSON string, in any form.
Expression anyJsonCharacter(Grammar &grammar);

/// The strings that `^...$` matches, as JSON writes them. Where dialects differ
/// (\w, \d, \s, ., with and without Unicode), what all of them match; so an
/// answer is right by each of them. An error names what is not supported: a
/// pattern that is not anchored at both ends, assertions, references to groups.
Result<Expression> parsePattern(Grammar &grammar, std::string_view pattern);

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_PATTERN_H
