//===- GrammarVerify.h - what must hold of every grammar --------*- C++ -*-===//
//
// Any bytes, taken as a grammar or a JSON schema and a way through it ->
// nothing, or what is wrong with what the runtime makes of them. A file of its
// own because the fuzzer and the replay judge by the same rules.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_FUZZ_GRAMMARVERIFY_H
#define CORELLAMA_TEST_FUZZ_GRAMMARVERIFY_H

#include <string>
#include <string_view>

namespace corellama::test {

struct GrammarVerdict {
  /// Tokens were allowed by it.
  bool accepted = false;
  std::string fault; ///< of the runtime; empty if the answer is right
};

/// `input` is GBNF, or a JSON schema where it begins with `{`; then a NUL byte
/// and bytes that choose tokens among those allowed.
GrammarVerdict verifyGrammar(std::string_view input);

} // namespace corellama::test

#endif // CORELLAMA_TEST_FUZZ_GRAMMARVERIFY_H
