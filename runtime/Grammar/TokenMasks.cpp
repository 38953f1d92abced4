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
/// What is kept of masks, and of what they are made from; all of it is
/// forgotten beyond.
static constexpr size_t kMostMaskBytes = 16 << 20, kMostKeptBytes = 48 << 20;
/// What an entry of a map or a list of lists takes, besides what it points to.
static constexpr size_t kEntryBytes = 128;
/// Frames inside of each other that are left one by one, and groups of threads
/// of one mask that are asked about alone. Beyond, what goes on is asked about
/// with the real stack at once: groups could multiply with each level.
static constexpr int kMostLevels = 5, kMostGroups = 100;

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
  forget();
}

void TokenMasks::forget() {
  masks.clear();
  founds.clear();
  sourceNumbers.clear();
  times.clear();
  exitTimes.clear();
  sources.clear();
  for (uint32_t trie = 0; trie < tries.size(); ++trie)
    sources.push_back({trie, {}, {}});
  keptBytes = 0;
}

std::span<const uint64_t> TokenMasks::at(Position position) {
  auto known = masks.find(position);
  if (known != masks.end())
    return known->second;
  if (keptBytes > kMostKeptBytes)
    forget();
  if (masks.size() * (kEntryBytes + words * sizeof(uint64_t)) > kMostMaskBytes)
    masks.clear();
  mask.assign(words, 0);
  groupsLeft = kMostGroups;
  for (uint32_t trie = 0; trie < tries.size(); ++trie)
    if (tries[trie].size() > 0)
      addGroups(trie, position, kMostLevels);
  return masks.emplace(position, mask).first->second;
}

/// Adds the tokens of a source that go on at a position.
void TokenMasks::addGroups(uint32_t source, Position position, int levels) {
  // A copy, since more positions are made; threads of one frame are neighbours.
  auto all = pushdown.threadsOf(position);
  const std::vector<Thread> threads(all.begin(), all.end());
  size_t groups = 0;
  for (size_t i = 0; i < threads.size(); ++i)
    groups += i == 0 || threads[i].frame != threads[i - 1].frame;
  groupsLeft -= int(std::min<size_t>(groups, kMostGroups));
  if (levels == 0 || groupsLeft < 0) {
    addTokens(find(source, position), 0);
    return;
  }
  for (size_t first = 0, last; first < threads.size(); first = last) {
    for (last = first;
         last < threads.size() && threads[last].frame == threads[first].frame;)
      ++last;
    if (threads[first].frame != Pushdown::kBottom)
      addGroup(source, std::span(threads).subspan(first, last - first), levels);
  }
}

/// Adds the tokens of threads that have one frame. What several callers allow
/// is what one of them does, so repetitions among them are asked about alone.
void TokenMasks::addGroup(uint32_t source, std::span<const Thread> threads,
                          int levels) {
  auto below = pushdown.callersOf(threads[0].frame);
  const std::vector<Caller> callers(below.begin(), below.end());
  const bool isCounted =
      std::any_of(callers.begin(), callers.end(),
                  [](const Caller &caller) { return caller.count > 0; });
  std::vector<Thread> same(threads.begin(), threads.end());
  auto positionIn = [&](Frame frame) {
    for (Thread &thread : same)
      thread.frame = frame;
    return pushdown.positionOf(same);
  };
  if (isCounted && callers.size() > 1) {
    groupsLeft -= int(std::min<size_t>(callers.size(), kMostGroups));
    if (groupsLeft < 0) {
      addTokens(find(source, positionIn(threads[0].frame)), 0);
      return;
    }
    for (const Caller &caller : callers) {
      positionIn(pushdown.frameOf(caller));
      addGroup(source, same, levels);
    }
    return;
  }
  const uint32_t trie = sources[source].trie;
  if (!isCounted) {
    Found &found = find(source, positionIn(Pushdown::kUnknown));
    addTokens(found, 0);
    if (!found.exits.empty())
      addGroups(sourceOf(trie, found, 0, 0), pushdown.endOf(threads[0].frame),
                levels - 1);
    return;
  }
  const Caller caller = callers[0];
  const State &state = automaton[caller.state];
  Found &found =
      find(source, positionIn(pushdown.uncountedFrame(state.procedure)));
  const uint32_t most =
      state.most == kUnbounded ? kUnbounded : state.most - caller.count;
  const uint32_t least =
      caller.count < state.least ? state.least - caller.count : 0;
  // At less than `least` the repetition goes on, so what is taken by then may
  // stay, too.
  addTokens(found, most);
  const uint32_t mostExits =
      uint32_t(std::min<size_t>(most, found.exits.size() - 1));
  if (least < found.exits.size())
    addGroups(sourceOf(trie, found, least, mostExits), pushdown.behind(caller),
              levels - 1);
}

static void setBits(std::vector<uint64_t> &bits,
                    const std::vector<int32_t> &ids) {
  for (int32_t id : ids)
    bits[size_t(id) / 64] |= uint64_t(1) << (id % 64);
}

/// Adds the tokens that take as many times or fewer.
void TokenMasks::addTokens(Found &found, uint32_t mostTimes) {
  if (found.ids.empty())
    return;
  const size_t lists = std::min<size_t>(mostTimes, found.ids.size() - 1) + 1;
  size_t count = 0;
  for (size_t i = 0; i < lists; ++i)
    count += found.ids[i].size();
  auto setAll = [&](Bits &bits) {
    for (size_t i = 0; i < lists; ++i)
      setBits(bits, found.ids[i]);
  };
  // Few are set one by one.
  if (count <= words / 4) {
    setAll(mask);
    return;
  }
  found.upTo.resize(found.ids.size());
  Bits &bits = found.upTo[lists - 1];
  if (bits.empty()) {
    bits.resize(words);
    setAll(bits);
    keptBytes += words * sizeof(uint64_t);
  }
  for (size_t word = 0; word < words; ++word)
    mask[word] |= bits[word];
}

TokenMasks::Found &TokenMasks::find(uint32_t source, Position position) {
  auto [known, isNew] = founds.try_emplace({source, position});
  Found &found = known->second;
  if (!isNew)
    return found;
  found.number = uint32_t(founds.size());
  if (source < tries.size())
    walk(tries[source], 0, tries[source].size(), position, found);
  else
    walkBehind(sources[source], position, found);
  keptBytes += kEntryBytes * (1 + found.ids.size() + found.exits.size());
  for (const auto &ids : found.ids)
    keptBytes += ids.size() * sizeof(int32_t);
  for (const auto &exits : found.exits)
    keptBytes += exits.size() * sizeof(uint32_t);
  return found;
}

/// The exits of `least` to `most` times, each node once.
uint32_t TokenMasks::sourceOf(uint32_t trie, const Found &found, uint32_t least,
                              uint32_t most) {
  auto [known, isNew] = sourceNumbers.try_emplace({found.number, least, most},
                                                  uint32_t(sources.size()));
  if (!isNew)
    return known->second;
  std::vector<uint32_t> nodes;
  std::vector<bool> isIn(tries[trie].size());
  for (uint32_t count = least; count <= most; ++count)
    for (uint32_t node : found.exits[count])
      if (!isIn[node]) {
        isIn[node] = true;
        nodes.push_back(node);
      }
  keptBytes +=
      2 * kEntryBytes + isIn.size() / 8 + nodes.size() * sizeof(uint32_t);
  sources.push_back({trie, std::move(nodes), std::move(isIn)});
  return known->second;
}

/// Where a position takes few bytes, as behind a string, the nodes with these
/// are fewer than those of the source.
void TokenMasks::walkBehind(const Source &source, Position position,
                            Found &found) {
  const TokenTrie &trie = tries[source.trie];
  std::vector<uint8_t> bytes;
  size_t count = 0;
  for (int byte = 0; byte < 256; ++byte)
    if (pushdown.step(position, uint8_t(byte)) != Pushdown::kDead) {
      bytes.push_back(uint8_t(byte));
      count += trie.nodesOf(uint8_t(byte)).size();
    }
  if (count >= source.nodes.size()) {
    for (uint32_t node : source.nodes)
      walk(trie, node + 1, trie[node].end, position, found);
    return;
  }
  for (uint8_t byte : bytes)
    for (uint32_t node : trie.nodesOf(byte))
      if (trie[node].depth > 1 && source.isIn[trie[node].parent])
        walk(trie, node, trie[node].end, position, found);
}

/// Finds the tokens of nodes from `first` to before `last`, which are whole
/// subtrees under a node that `position` belongs to.
void TokenMasks::walk(const TokenTrie &trie, uint32_t first, uint32_t last,
                      Position position, Found &found) {
  if (first == last)
    return;
  auto listOf = [](auto &lists, uint32_t times) -> auto & {
    if (lists.size() <= times)
      lists.resize(times + 1);
    return lists[times];
  };
  path[trie[first].depth - 1] = position;
  for (uint32_t at = first; at < last;) {
    const TokenTrie::Node &node = trie[at];
    const Position next = pushdown.step(path[node.depth - 1], node.byte);
    if (next == Pushdown::kDead) {
      at = node.end;
      continue;
    }
    path[node.depth] = next;
    const Times taken = timesOf(next);
    if (auto here = trie.idsOf(at); !here.empty()) {
      auto &ids = listOf(found.ids, taken.fewest);
      ids.insert(ids.end(), here.begin(), here.end());
    }
    if (node.end > at + 1)
      for (uint32_t i = taken.first; i < taken.first + taken.count; ++i)
        listOf(found.exits, exitTimes[i]).push_back(at);
    ++at;
  }
}

TokenMasks::Times TokenMasks::timesOf(Position position) {
  if (times.size() <= position)
    times.resize(position + 1);
  Times &result = times[position];
  if (result.fewest == UINT32_MAX) {
    result.fewest = pushdown.timesOf(position);
    result.first = uint32_t(exitTimes.size());
    pushdown.appendExits(position, exitTimes);
    result.count = uint32_t(exitTimes.size()) - result.first;
  }
  return result;
}

} // namespace corellama::runtime::grammar
