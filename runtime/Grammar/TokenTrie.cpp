//===- TokenTrie.cpp - the bytes of tokens, shared prefixes once ----------===//
//
// See TokenTrie.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/TokenTrie.h"

#include <algorithm>

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
    longest = std::max(longest, token.bytes.size());
    const size_t shared =
        size_t(std::mismatch(last.begin(), last.end(), token.bytes.begin(),
                             token.bytes.end())
                   .first -
               last.begin());
    leaveTo(shared);
    for (size_t i = shared; i < token.bytes.size(); ++i) {
      path.push_back(uint32_t(nodes.size()));
      nodes.push_back(
          {0, uint32_t(ids.size()), uint16_t(i + 1), uint8_t(token.bytes[i])});
    }
    ids.push_back(token.id);
    last = token.bytes;
  }
  leaveTo(0);
  nodes.push_back({uint32_t(nodes.size()) + 1, uint32_t(ids.size()), 0, 0});
}

} // namespace corellama::runtime::grammar
