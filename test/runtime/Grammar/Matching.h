//===- Matching.h - texts against grammars, for tests ---------------------===//
//
// Runs whole texts through an automaton and says what became of them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_GRAMMAR_MATCHING_H
#define CORELLAMA_TEST_RUNTIME_GRAMMAR_MATCHING_H

#include "runtime/Grammar/Gbnf.h"
#include "runtime/Grammar/Pushdown.h"

#include "gtest/gtest.h"

#include <memory>
#include <string>
#include <string_view>

namespace corellama::runtime::grammar::test {

/// What a text is to a grammar.
enum class Fit { none, prefix, whole };

class Matching {
public:
  explicit Matching(const Grammar &grammar) {
    auto made = Automaton::create(grammar);
    EXPECT_TRUE(made) << made.error();
    if (!made)
      return;
    automaton = std::make_unique<Automaton>(std::move(*made));
    pushdown = std::make_unique<Pushdown>(*automaton);
  }
  /// Of GBNF.
  explicit Matching(std::string_view text) : Matching(parsed(text)) {}

  Fit operator()(std::string_view text) {
    pushdown->renewWork();
    Position at = pushdown->start();
    for (char byte : text)
      at = pushdown->step(at, uint8_t(byte));
    EXPECT_FALSE(pushdown->isExhausted());
    return at == Pushdown::kDead  ? Fit::none
           : pushdown->mayEnd(at) ? Fit::whole
                                  : Fit::prefix;
  }

  std::unique_ptr<Automaton> automaton;
  std::unique_ptr<Pushdown> pushdown;

private:
  static Grammar parsed(std::string_view text) {
    auto grammar = parseGbnf(text);
    EXPECT_TRUE(grammar) << grammar.error();
    return grammar ? std::move(*grammar) : Grammar();
  }
};

/// What is wrong with a grammar, when it is read or compiled.
inline std::string errorOf(std::string_view text) {
  auto grammar = parseGbnf(text);
  if (!grammar)
    return grammar.error();
  auto automaton = Automaton::create(*grammar);
  return automaton ? "" : automaton.error();
}

} // namespace corellama::runtime::grammar::test

#endif // CORELLAMA_TEST_RUNTIME_GRAMMAR_MATCHING_H
