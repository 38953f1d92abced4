//===- Gbnf.h - grammars in llama.cpp's notation --------------------------===//
//
// GBNF text -> Grammar: rules `name ::= ...` with literals, classes of
// characters, `.`, groups, alternatives and repetitions, as grammars/README.md
// of llama.cpp describes them. Its references to tokens (`<[1000]>`) are left
// out: a grammar here is about bytes, and no control token is ever allowed.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_GBNF_H
#define CORELLAMA_RUNTIME_GRAMMAR_GBNF_H

#include "runtime/Grammar/Grammar.h"
#include "runtime/Support/Result.h"

#include <string_view>

namespace corellama::runtime::grammar {

/// An error begins with `line L, column C: `; a column is a byte of its line.
/// All rules that are referred to are defined, and there is a `root`.
Result<Grammar> parseGbnf(std::string_view text);

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_GBNF_H
