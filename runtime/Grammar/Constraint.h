//===- Constraint.h - an answer that follows a grammar --------------------===//
//
// A grammar and a vocabulary: which ids may come next, and what an id that was
// chosen changes. Generation uses only this file.
//
// An end-of-generation token is allowed exactly where the grammar may end;
// other control tokens, and those without bytes, never are.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_CONSTRAINT_H
#define CORELLAMA_RUNTIME_GRAMMAR_CONSTRAINT_H

#include "runtime/Grammar/Automaton.h"
#include "runtime/Grammar/Grammar.h"
#include "runtime/Grammar/Pushdown.h"
#include "runtime/Grammar/TokenMasks.h"
#include "runtime/Support/Result.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class Constraint {
public:
  /// `ends` are the ids that end an answer, ascending. With `ignoreEnd` it ends
  /// only where nothing else can follow. An error says what is wrong with the
  /// grammar. Its parts refer to each other,
  /// so it stays where it is.
  static Result<std::unique_ptr<Constraint>>
  create(const grammar::Grammar &grammar, const Tokenizer &tokenizer,
         std::span<const int32_t> ends, bool ignoreEnd);

  /// Finds the ids that may come next. False: there are none, because the
  /// answer is complete or failure() says why.
  bool mayGoOn();
  /// Bit id % 64 of word id / 64, until the next call of mayGoOn(). Ids behind
  /// the last word are not allowed.
  std::span<const uint64_t> allowed() const { return mask; }

  /// The answer goes on with this id, which was allowed.
  void accept(int32_t id);
  /// Goes on with bytes; false where the grammar does not have them.
  bool accept(std::string_view bytes);

  /// Whether the answer may end here.
  bool mayEnd() const { return pushdown.mayEnd(position); }
  /// Empty: none.
  const std::string &failure() const { return error; }
  /// Back to the beginning.
  void restart();

private:
  Constraint(grammar::Automaton made, const Tokenizer &tokenizer,
             std::span<const int32_t> ends, bool ignoreEnd);
  bool isEnd(int32_t id) const;
  /// Where each id's bytes begin in `bytes`, and one more.
  std::vector<size_t> spellTokens(const Tokenizer &tokenizer);
  std::vector<std::string_view> tokenBytes() const;

  grammar::Automaton automaton;
  grammar::Pushdown pushdown;
  std::vector<int32_t> ends;
  std::string bytes;
  std::vector<size_t> starts;
  grammar::TokenMasks masks;
  grammar::Position position;
  const bool ignoreEnd;
  std::vector<uint64_t> mask;
  std::string error;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_GRAMMAR_CONSTRAINT_H
