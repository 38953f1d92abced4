//===- TokenTrie.h - the bytes of tokens, shared prefixes once ------------===//
//
// Tokens sorted by their bytes as a tree in one array: a node for each
// different prefix, in the order of a depth-first walk, each with the place
// behind its subtree. So asking a grammar about all tokens looks at each prefix
// once and skips what cannot match. Nodes can be found by their last bytes,
// too.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_TOKENTRIE_H
#define CORELLAMA_RUNTIME_GRAMMAR_TOKENTRIE_H

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace corellama::runtime::grammar {

class TokenTrie {
public:
  struct Node {
    /// The first node that does not begin with this one's bytes.
    uint32_t end;
    /// The place in the ids of the first of those with exactly its bytes.
    uint32_t ids;
    /// The node without its last byte; none at depth 1.
    uint32_t parent;
    /// Its bytes up to here, at least 1, and the last of them.
    uint16_t depth;
    uint8_t byte;
  };
  struct Token {
    std::string_view bytes;
    int32_t id;
  };
  /// Longer tokens are left out; the longest of known vocabularies have some
  /// hundred bytes.
  static constexpr size_t kMostBytes = 1024;

  TokenTrie() = default;
  /// Of sorted tokens; those from `shortest` to `longest` bytes take part.
  TokenTrie(std::span<const Token> tokens, size_t shortest, size_t longest);

  uint32_t size() const { return uint32_t(nodes.size()) - 1; }
  const Node &operator[](uint32_t at) const { return nodes[at]; }
  std::span<const int32_t> idsOf(uint32_t at) const {
    return std::span(ids).subspan(nodes[at].ids,
                                  nodes[at + 1].ids - nodes[at].ids);
  }
  /// The nodes whose last byte it is, ascending.
  std::span<const uint32_t> nodesOf(uint8_t byte) const {
    return std::span(byByte).subspan(firstOf[byte],
                                     firstOf[size_t(byte) + 1] - firstOf[byte]);
  }

private:
  /// One more at the end.
  std::vector<Node> nodes;
  std::vector<int32_t> ids;
  std::array<uint32_t, 257> firstOf = {};
  std::vector<uint32_t> byByte;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_TOKENTRIE_H
