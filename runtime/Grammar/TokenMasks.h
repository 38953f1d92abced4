//===- TokenMasks.h - which tokens may follow a position ------------------===//
//
// For a position of a Pushdown, the tokens whose bytes it can take. Most of the
// answer depends on little of the position: inside of a string all tokens
// without a quotation mark are allowed wherever the string stands. So threads
// of one frame are asked about alone, with an unknown frame in place of theirs
// (XGrammar calls these tokens context-independent). This gives the tokens that
// stay inside of the frame, and the prefixes that leave it; what continues
// these is asked about in the same way from where the frame has been left. All
// answers are kept, so a string five levels deep costs what the first one has
// left to do.
//
// Nor does an answer depend on how often a repetition may still go on: the
// frame in place of a repetition's allows any count, and tokens and prefixes
// are kept by the times that they take. Those that a count excludes are left
// out when a mask is made. Tokens are in three tries by their lengths, so that
// the few long ones do not make all prefixes depend on what is far from a
// limit.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H
#define CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H

#include "runtime/Grammar/Pushdown.h"
#include "runtime/Grammar/TokenTrie.h"

#include <array>
#include <cstdint>
#include <deque>
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
  using Bits = std::vector<uint64_t>;
  /// Nodes of a trie, of which what continues them is asked about; in the first
  /// sources, one for each trie, all that is in it.
  struct Source {
    uint32_t trie;
    std::vector<uint32_t> nodes;
    /// By node.
    std::vector<bool> isIn;
  };
  /// What a source has at a position, by the times that are over of an
  /// uncounted frame (Pushdown.h): tokens by the fewest, and the nodes of
  /// prefixes that leave the frame and go on by all of them.
  struct Found {
    uint32_t number;
    std::vector<std::vector<int32_t>> ids;
    std::vector<std::vector<uint32_t>> exits;
    /// The tokens of as many times or fewer, made where a mask needs them.
    std::vector<Bits> upTo;
  };
  /// As Pushdown has it for a position; `count` exits from `first`.
  struct Times {
    uint32_t fewest = UINT32_MAX;
    uint32_t first = 0, count = 0;
  };

  void addGroups(uint32_t source, Position position, int levels);
  void addGroup(uint32_t source, std::span<const Thread> threads, int levels);
  void addTokens(Found &found, uint32_t mostTimes);
  Found &find(uint32_t source, Position position);
  uint32_t sourceOf(uint32_t trie, const Found &found, uint32_t least,
                    uint32_t most);
  void walkBehind(const Source &source, Position position, Found &found);
  void walk(const TokenTrie &trie, uint32_t first, uint32_t last,
            Position position, Found &found);
  Times timesOf(Position position);

  const Automaton &automaton;
  Pushdown &pushdown;
  const size_t words;
  std::array<TokenTrie, 3> tries;
  std::unordered_map<Position, Bits> masks;
  std::deque<Source> sources;
  /// By source and position.
  std::map<std::pair<uint32_t, Position>, Found> founds;
  /// By a Found's number, and the least and most times of its exits.
  std::map<std::array<uint32_t, 3>, uint32_t> sourceNumbers;
  /// By position; and all exits.
  std::vector<Times> times;
  std::vector<uint32_t> exitTimes;
  /// Of all but the masks.
  size_t keptBytes = 0;
  /// While a mask is made.
  Bits mask;
  int groupsLeft = 0;
  std::vector<Position> path;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_TOKENMASKS_H
