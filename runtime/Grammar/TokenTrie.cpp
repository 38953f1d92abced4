//===- TokenTrie.cpp - the bytes of tokens, shared prefixes once ----------===//
//
// See TokenTrie.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/TokenTrie.h"

#include <algorithm>
#include <numeric>

namespace corellama::runtime::grammar {

TokenTrie::TokenTrie(std::span<const Token> tokens, size_t shortest,
                     size_t most) {
  std::vector<uint32_t> path; // the nodes of the last token
  std::string_view last;
  auto leaveTo = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back())
      nodes[path.back()].end = uint32_t(nodes.size());
  };
  for (const Token &token : tokens) {
    if (token.bytes.size() < shortest || token.bytes.size() > most)
      continue;
    const size_t shared =
        size_t(std::mismatch(last.begin(), last.end(), token.bytes.begin(),
                             token.bytes.end())
                   .first -
               last.begin());
    leaveTo(shared);
    for (size_t i = shared; i < token.bytes.size(); ++i) {
      const uint32_t parent = path.empty() ? 0 : path.back();
      path.push_back(uint32_t(nodes.size()));
      nodes.push_back({0, uint32_t(ids.size()), parent, uint16_t(i + 1),
                       uint8_t(token.bytes[i])});
    }
    ids.push_back(token.id);
    last = token.bytes;
  }
  leaveTo(0);
  nodes.push_back({uint32_t(nodes.size()) + 1, uint32_t(ids.size()), 0, 0, 0});

  for (uint32_t at = 0; at < size(); ++at)
    ++firstOf[size_t(nodes[at].byte) + 1];
  std::partial_sum(firstOf.begin(), firstOf.end(), firstOf.begin());
  byByte.resize(size());
  auto next = firstOf;
  for (uint32_t at = 0; at < size(); ++at)
    byByte[next[nodes[at].byte]++] = at;
}

} // namespace corellama::runtime::grammar
