//===- Automaton.h - a grammar as states over bytes -----------------------===//
//
// Grammar -> a pushdown automaton: states with edges by ranges of bytes, and
// states that call a procedure and go on when it has ended. A rule is a
// procedure, and so is the body of a repetition that is counted; small rules
// without recursion are part of their callers.
//
// Three properties make matching simple (Pushdown.h), and are made here:
// no procedure matches the empty text (where a rule does, its callers may also
// go past it), no procedure reaches a call of itself before a byte (left
// recursion is an error), and from every state the end can be reached. So
// nothing happens twice without a byte between, and whatever has matched so far
// can be completed.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_AUTOMATON_H
#define CORELLAMA_RUNTIME_GRAMMAR_AUTOMATON_H

#include "runtime/Grammar/Grammar.h"
#include "runtime/Support/Result.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace corellama::runtime::grammar {

using StateId = uint32_t;
using Procedure = uint32_t;

struct ByteEdge {
  uint8_t first, last;
  StateId next;
};

struct State {
  enum Kind : uint8_t {
    /// Goes on by an edge that has the next byte.
    Bytes,
    /// Is all of its targets.
    Branch,
    /// Runs `procedure`, then is `next`.
    Call,
    /// Runs `procedure` from `least` to `most` times, at least once.
    Repeat,
    /// A procedure ends.
    End,
    /// The answer is complete.
    Accept,
    /// What is below on the stack is not known (TokenMasks.h).
    Exit,
  };
  Kind kind;
  /// Edges or targets.
  uint32_t first = 0, count = 0;
  StateId next = 0;
  Procedure procedure = 0;
  uint32_t least = 0, most = 0;
};

class Automaton {
public:
  /// These states are in every automaton.
  static constexpr StateId kEnd = 0, kAccept = 1, kExit = 2;
  /// No state: nothing matches.
  static constexpr StateId kNone = UINT32_MAX;

  /// An error names the rule that is left-recursive, or says that no text
  /// matches or that the grammar is too large.
  static Result<Automaton> create(const Grammar &grammar);

  const State &operator[](StateId id) const { return states[id]; }
  const ByteEdge *edgesOf(const State &state) const {
    return edges.data() + state.first;
  }
  const StateId *targetsOf(const State &state) const {
    return targets.data() + state.first;
  }
  size_t size() const { return states.size(); }

  StateId start() const { return first; }
  size_t procedureCount() const { return starts.size(); }
  /// kNone where only the empty text would match.
  StateId startOf(Procedure procedure) const { return starts[procedure]; }
  /// A procedure's rank is above that of those that reach a call of it without
  /// a byte.
  uint32_t rankOf(Procedure procedure) const { return ranks[procedure]; }
  Procedure procedureOfRank(uint32_t rank) const { return byRank[rank]; }

  /// Bytes of one class have the same edges everywhere.
  uint8_t classOf(uint8_t byte) const { return classes[byte]; }
  size_t classCount() const { return classCounts; }

private:
  friend class Compiler;
  std::optional<Error> rankProcedures(const std::vector<std::string> &names);
  void classifyBytes();

  StateId first = 0;
  std::vector<State> states;
  std::vector<ByteEdge> edges;
  std::vector<StateId> targets;
  std::vector<StateId> starts;
  std::vector<uint32_t> ranks;
  std::vector<Procedure> byRank;
  std::array<uint8_t, 256> classes = {};
  size_t classCounts = 0;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_AUTOMATON_H
