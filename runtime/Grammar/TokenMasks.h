//===- TokenMasks.h - which tokens may follow a position ------------------===//
//
// For a position of a Pushdown, the tokens whose bytes it can take. Most of the
// answer depends on little of the position: inside of a string all tokens
// without a quotation mark are allowed wherever the string stands. So threads
// of one frame are asked about alone, with an unknown frame in place of theirs
// (XGrammar calls these tokens context-independent). This gives the tokens that
// stay inside of the frame, and the prefixes that leave it; only what continues
// these is asked about with the real stack. Both answers are kept, so that a
// string five levels deep costs what the first one has left to do.
//
// Counts of repetitions are part of a position, too. In an unknown frame a
// count that no token can bring to a limit is replaced by one that stands for
// all of these; tokens are in three tries by their lengths, so that the few
// long ones do not decide what is far from a limit.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H
#define CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H

#include "runtime/Grammar/Pushdown.h"
#include "runtime/Grammar/TokenTrie.h"

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace corellama::runtime::grammar {

class TokenMasks {
public:
  /// `tokens` are the bytes of each id, empty for those that are never allowed.
  /// Automaton and pushdown must outlive it.
  TokenMasks(const Automaton &automaton, Pushdown &pushdown,
             std::span<const std::string_view> tokens);

  /// Bit id % 64 of word id / 64 for each token that may follow; valid until
  /// the next call.
  std::span<const uint64_t> at(Position position);

  /// Numbers of positions and frames mean nothing any more.
  void forget();

private:
  /// The tokens that stay inside of an unknown frame, as bits where there are
  /// many, and the nodes of prefixes that leave it and go on.
  struct Inside {
    std::vector<uint64_t> bits;
    std::vector<int32_t> ids;
    std::vector<uint32_t> exits;
  };

  void addGroup(std::span<const Thread> threads);
  const Inside &insideOf(uint32_t trie, Position position);
  const std::vector<int32_t> &outsideOf(uint32_t trie, Position inside,
                                        const std::vector<uint32_t> &exits,
                                        Position after);
  Frame generalFrame(Frame frame, size_t height, int levels, Frame &base);
  uint32_t generalCount(Caller caller, size_t height) const;
  void walk(const TokenTrie &trie, uint32_t first, uint32_t last,
            Position position, std::vector<int32_t> &ids,
            std::vector<uint32_t> *exits);

  const Automaton &automaton;
  Pushdown &pushdown;
  const size_t words;
  std::array<TokenTrie, 3> tries;
  std::unordered_map<Position, std::vector<uint64_t>> masks;
  /// By trie and position; by these and the position after the frame.
  std::map<std::pair<uint32_t, Position>, Inside> insides;
  std::map<std::array<uint32_t, 3>, std::vector<int32_t>> outsides;
  size_t keptBytes = 0;
  /// While a mask is made.
  std::vector<uint64_t> mask;
  std::vector<Position> path;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H
