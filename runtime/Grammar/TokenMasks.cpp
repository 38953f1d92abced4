//===- TokenMasks.cpp - which tokens may follow a position ----------------===//
//
// See TokenMasks.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/TokenMasks.h"

#include <algorithm>

namespace corellama::runtime::grammar {

/// Bytes of the longest tokens of the first two tries: of 128,000 tokens three
/// quarters have at most 8 bytes, and all but one in fifty at most 16.
static constexpr size_t kShort = 8, kMedium = 16;
/// What is kept of masks; all of it is forgotten beyond.
static constexpr size_t kMostKeptBytes = 64 << 20;
/// What an entry of a map takes, besides what it points to.
static constexpr size_t kEntryBytes = 128;
/// Repetitions inside of each other whose counts are looked at.
static constexpr int kMostLevels = 4;

TokenMasks::TokenMasks(const Automaton &automaton, Pushdown &pushdown,
                       std::span<const std::string_view> tokens)
    : automaton(automaton), pushdown(pushdown),
      words((tokens.size() + 63) / 64), path(TokenTrie::kMostBytes + 1) {
  // Sorted by their first bytes as a number, then whole: most comparisons need
  // no look at the text.
  struct Key {
    uint64_t head;
    TokenTrie::Token token;
  };
  std::vector<Key> keys;
  keys.reserve(tokens.size());
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].empty() || tokens[id].size() > TokenTrie::kMostBytes)
      continue;
    uint64_t head = 0;
    for (size_t i = 0; i < 8; ++i)
      head = head << 8 | (i < tokens[id].size() ? uint8_t(tokens[id][i]) : 0);
    keys.push_back({head, {tokens[id], int32_t(id)}});
  }
  std::sort(keys.begin(), keys.end(), [](const Key &a, const Key &b) {
    if (a.head != b.head)
      return a.head < b.head;
    const int order = a.token.bytes.compare(b.token.bytes);
    return order != 0 ? order < 0 : a.token.id < b.token.id;
  });
  std::vector<TokenTrie::Token> sorted;
  sorted.reserve(keys.size());
  for (const Key &key : keys)
    sorted.push_back(key.token);
  tries = {TokenTrie(sorted, 1, kShort), TokenTrie(sorted, kShort + 1, kMedium),
           TokenTrie(sorted, kMedium + 1, TokenTrie::kMostBytes)};
}

void TokenMasks::forget() {
  masks.clear();
  insides.clear();
  outsides.clear();
  keptBytes = 0;
}

std::span<const uint64_t> TokenMasks::at(Position position) {
  auto found = masks.find(position);
  if (found != masks.end())
    return found->second;
  if (keptBytes > kMostKeptBytes)
    forget();
  mask.assign(words, 0);
  // A copy, since more positions are made; threads of one frame are neighbours.
  auto all = pushdown.threadsOf(position);
  const std::vector<Thread> threads(all.begin(), all.end());
  for (size_t first = 0, last; first < threads.size(); first = last) {
    for (last = first;
         last < threads.size() && threads[last].frame == threads[first].frame;)
      ++last;
    if (threads[first].frame != Pushdown::kBottom)
      addGroup(std::span(threads).subspan(first, last - first));
  }
  keptBytes += kEntryBytes + words * sizeof(uint64_t);
  return masks.emplace(position, mask).first->second;
}

static void setBits(std::vector<uint64_t> &bits,
                    const std::vector<int32_t> &ids) {
  for (int32_t id : ids)
    bits[size_t(id) / 64] |= uint64_t(1) << (id % 64);
}

/// Adds the tokens of threads that have one frame.
void TokenMasks::addGroup(std::span<const Thread> threads) {
  for (uint32_t trie = 0; trie < tries.size(); ++trie) {
    Frame base = Pushdown::kBottom;
    const Frame general =
        generalFrame(threads[0].frame, tries[trie].height(), kMostLevels, base);
    std::vector<Thread> same(threads.begin(), threads.end());
    for (Thread &thread : same)
      thread.frame = general;
    const Position position = pushdown.positionOf(std::move(same));
    const Inside &inside = insideOf(trie, position);
    for (size_t word = 0; word < inside.bits.size(); ++word)
      mask[word] |= inside.bits[word];
    setBits(mask, inside.ids);
    if (!inside.exits.empty())
      setBits(mask,
              outsideOf(trie, position, inside.exits, pushdown.endOf(base)));
  }
}

/// A frame that stands for all that differ from `frame` in what no token of
/// `height` bytes can tell: what is below `base`, which it replaces by the
/// unknown one, and counts far from their limits.
Frame TokenMasks::generalFrame(Frame frame, size_t height, int levels,
                               Frame &base) {
  auto callers = pushdown.callersOf(frame);
  if (levels == 0 || callers.size() != 1 || callers[0].count == 0) {
    base = frame;
    return pushdown.unknownFrame();
  }
  const Caller caller = callers[0];
  const Frame below = generalFrame(caller.below, height, levels - 1, base);
  return pushdown.frameOf({caller.state, generalCount(caller, height), below});
}

/// Each time takes a byte at least, so `height` bytes end no more than as many.
uint32_t TokenMasks::generalCount(Caller caller, size_t height) const {
  const State &state = automaton[caller.state];
  if (caller.count < state.least)
    return state.least - caller.count >= height ? 1 : caller.count;
  if (state.most != kUnbounded && state.most - caller.count >= height)
    return state.most - uint32_t(height);
  return caller.count;
}

const TokenMasks::Inside &TokenMasks::insideOf(uint32_t trie,
                                               Position position) {
  auto [found, isNew] = insides.try_emplace({trie, position});
  Inside &inside = found->second;
  if (!isNew)
    return inside;
  walk(tries[trie], 0, tries[trie].size(), position, inside.ids, &inside.exits);
  if (inside.ids.size() > words) {
    inside.bits.resize(words);
    setBits(inside.bits, inside.ids);
    inside.ids = {};
  }
  keptBytes += kEntryBytes + inside.bits.size() * sizeof(uint64_t) +
               inside.ids.size() * sizeof(int32_t) +
               inside.exits.size() * sizeof(uint32_t);
  return inside;
}

/// The tokens that leave the frame and go on at `after`.
const std::vector<int32_t> &
TokenMasks::outsideOf(uint32_t trie, Position inside,
                      const std::vector<uint32_t> &exits, Position after) {
  auto [found, isNew] = outsides.try_emplace({trie, inside, after});
  if (!isNew)
    return found->second;
  for (uint32_t exit : exits)
    walk(tries[trie], exit + 1, tries[trie][exit].end, after, found->second,
         nullptr);
  keptBytes += kEntryBytes + found->second.size() * sizeof(int32_t);
  return found->second;
}

/// Appends the ids of nodes from `first` to before `last`, which are whole
/// subtrees under a node that `position` belongs to.
void TokenMasks::walk(const TokenTrie &trie, uint32_t first, uint32_t last,
                      Position position, std::vector<int32_t> &ids,
                      std::vector<uint32_t> *exits) {
  if (first == last)
    return;
  path[trie[first].depth - 1] = position;
  for (uint32_t at = first; at < last;) {
    const TokenTrie::Node &node = trie[at];
    const Position next = pushdown.step(path[node.depth - 1], node.byte);
    if (next == Pushdown::kDead) {
      at = node.end;
      continue;
    }
    path[node.depth] = next;
    auto here = trie.idsOf(at);
    ids.insert(ids.end(), here.begin(), here.end());
    if (exits && node.end > at + 1 && pushdown.hasExit(next))
      exits->push_back(at);
    ++at;
  }
}

} // namespace corellama::runtime::grammar
