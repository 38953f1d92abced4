//===- GrammarVerify.cpp - judging grammars and masks ---------------------===//
//
// The rules behind GrammarVerify.h: an error is one line that begins with a
// place or a rule; a mask has the tokens that a second matcher takes byte by
// byte, with an end token where the answer may end; from everywhere the answer
// can go on or end; a whole answer under a schema is JSON; after restart() all
// is as before.
//
//===----------------------------------------------------------------------===//

#include "GrammarVerify.h"
#include "Faults.h"
#include "runtime/Grammar/Constraint.h"
#include "runtime/Grammar/Gbnf.h"
#include "runtime/Grammar/JsonSchema.h"
#include "test/runtime/Tokenizer/TokenizerModel.h"
#include <algorithm>
#include <vector>

using namespace corellama::runtime;
using namespace corellama::runtime::grammar;

namespace corellama::test {
namespace {

/// So that an answer of an object fits, and an input takes a millisecond.
constexpr size_t kMostTokens = 8;
/// Larger automata are compiled, and nothing is matched: a fuzzer would not get
/// on. People's grammars have some thousands.
constexpr size_t kMostStates = 1 << 14;
/// Ways to read a text at once. What is more ambiguous takes a power of the
/// text's length, until the limit that PushdownTest.cpp tries.
constexpr size_t kMostThreads = 24;
/// <|im_end|> and <|endoftext|>.
constexpr int32_t kEnds[] = {1, 2};

/// Printable ASCII without most capitals, some of a character's bytes, and
/// longer tokens: JSON's, and of lengths on both sides of 8 and 16, where masks
/// change their tries.
runtime::test::TokenizerModel vocabulary() {
  std::string missing;
  for (int byte = 0; byte < 256; ++byte)
    if (byte < ' ' || byte > '~' || (byte >= 'F' && byte < 'T'))
      missing += static_cast<char>(byte);
  runtime::test::TokenizerModel model({}, missing);
  for (std::string token : {"\n",
                            "\t",
                            "\xC3",
                            "\xA9",
                            "\u00e9",
                            "\xF0\x9F",
                            "\x98\x80",
                            "\xFF",
                            "{\"",
                            "\":",
                            "\": ",
                            ", ",
                            ",\n",
                            "\"}",
                            "\"]",
                            "]}",
                            "[]",
                            "{}",
                            "true",
                            "false",
                            "null",
                            "\\u00",
                            "\\n",
                            "\\\"",
                            "-1",
                            "12",
                            "0.5",
                            "e+1",
                            "ab",
                            "aab",
                            "abc",
                            "aaaaaaa",
                            "aaaaaaaa",
                            "aaaaaaaab",
                            "abababababababab",
                            "aaaaaaaaaaaaaaaaa",
                            "2024-01-31",
                            "name"})
    model.add(model.byteLevel(token), TokenType::normal);
  return model;
}

Tokenizer &tokenizer() {
  static const runtime::test::TokenizerModel model = vocabulary();
  static Result<Tokenizer> made = Tokenizer::create(model.data());
  return *made;
}

/// Readers say where, the compiler of what is read says in which rule.
std::string faultOfError(const std::string &error, bool isSchema) {
  const auto begins = [&](auto... places) {
    return (error.starts_with(places) || ...);
  };
  const bool hasPlace = isSchema ? begins("#", "byte ") : begins("line ");
  if (!hasPlace &&
      !begins("rule ", "no text matches: rule ", "the grammar needs more"))
    return "an error without a place: " + error;
  return faultOfMessage(error);
}

/// Walks through a grammar with the runtime's masks and beside them with a
/// matcher that has no masks.
class Walk {
public:
  Walk(const Automaton &automaton, Constraint &constraint, bool isSchema)
      : constraint(constraint), pushdown(automaton), isSchema(isSchema),
        at(pushdown.start()) {
    for (size_t id = 0; id < tokenizer().size(); ++id)
      tokenizer().decode(int32_t(id), tokens.emplace_back());
  }

  std::string run(std::string_view draws, bool &accepted) {
    const std::vector<int32_t> first = allowed();
    for (size_t i = 0; i < std::min(draws.size(), kMostTokens); ++i) {
      const std::vector<int32_t> ids = i ? allowed() : first;
      if (isOver || !fault.empty())
        break;
      accepted = true;
      const int32_t id = ids[uint8_t(draws[i]) % ids.size()];
      if (id <= kEnds[1])
        break;
      constraint.accept(id);
      at = after(id);
      answer += tokens[size_t(id)];
      if (pushdown.threadsOf(at).size() > kMostThreads)
        break;
    }
    if (!fault.empty() || first.empty())
      return fault;
    constraint.restart();
    return constraint.mayGoOn() && idsOf(constraint.allowed()) == first
               ? ""
               : "restart() is not the beginning";
  }

private:
  static std::vector<int32_t> idsOf(std::span<const uint64_t> mask) {
    std::vector<int32_t> ids;
    for (size_t id = 0; id < mask.size() * 64; ++id)
      if (mask[id / 64] >> (id % 64) & 1)
        ids.push_back(int32_t(id));
    return ids;
  }

  Position after(int32_t id) {
    Position next = at;
    for (char byte : tokens[size_t(id)])
      next = pushdown.step(next, uint8_t(byte));
    return next;
  }

  /// What the mask has at `at`, compared with the bytes of all tokens.
  std::vector<int32_t> allowed() {
    pushdown.renewWork();
    std::vector<int32_t> expected;
    for (size_t id = 0; id < tokens.size(); ++id) {
      const bool isEnd = std::ranges::count(kEnds, int32_t(id)) > 0;
      if (isEnd ? pushdown.mayEnd(at)
                : !tokens[id].empty() && after(int32_t(id)) != Pushdown::kDead)
        expected.push_back(int32_t(id));
    }
    bool goesOn = !expected.empty();
    for (int byte = 0; byte < 256 && !goesOn; ++byte)
      goesOn = pushdown.step(at, uint8_t(byte)) != Pushdown::kDead;
    const bool mayGoOn = constraint.mayGoOn();
    // Beyond the limit of work nothing is known.
    isOver = pushdown.isExhausted() || !mayGoOn;
    if (pushdown.isExhausted() ||
        constraint.failure().find("too many ways") != std::string::npos)
      return {};
    const std::string here = " after '" + answer + "'";
    if (!goesOn)
      fault = "nothing can follow" + here;
    else if (mayGoOn != !expected.empty())
      fault = "the runtime sees another end" + here;
    else if (!mayGoOn)
      fault = faultOfMessage(constraint.failure());
    else if (idsOf(constraint.allowed()) != expected)
      fault = "the mask is not what the bytes say" + here;
    else if (constraint.mayEnd() != pushdown.mayEnd(at))
      fault = "the answer may end and may not end" + here;
    else if (isSchema && pushdown.mayEnd(at) && !templates::parseJson(answer))
      fault = "no JSON:" + here;
    return expected;
  }

  Constraint &constraint;
  Pushdown pushdown;
  const bool isSchema;
  Position at;
  std::vector<std::string> tokens;
  std::string answer, fault;
  bool isOver = false;
};

} // namespace

GrammarVerdict verifyGrammar(std::string_view input) {
  const size_t nul = std::min(input.find('\0'), input.size());
  const std::string_view source = input.substr(0, nul);
  const bool isSchema = source.starts_with("{");
  GrammarVerdict verdict;
  auto grammar = isSchema ? parseJsonSchema(source) : parseGbnf(source);
  if (!grammar) {
    verdict.fault = faultOfError(grammar.error(), isSchema);
    return verdict;
  }
  auto automaton = Automaton::create(*grammar);
  if (!automaton) {
    verdict.fault = faultOfError(automaton.error(), isSchema);
    return verdict;
  }
  if (automaton->size() > kMostStates)
    return verdict;
  auto constraint = Constraint::create(*grammar, tokenizer(), kEnds, false);
  if (!constraint)
    verdict.fault = "a grammar is compiled once only: " + constraint.error();
  else
    verdict.fault = Walk(*automaton, **constraint, isSchema)
                        .run(input.substr(std::min(nul + 1, input.size())),
                             verdict.accepted);
  return verdict;
}

} // namespace corellama::test
