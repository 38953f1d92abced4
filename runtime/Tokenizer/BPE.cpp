//===- BPE.cpp - merging the bytes of a word into tokens ------------------===//
//
// The table of merges, keyed by pairs of ids, and the merge loop.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/BPE.h"

#include <algorithm>
#include <compare>
#include <optional>
#include <utility>

using namespace corellama::runtime;

static uint64_t keyOf(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 |
         static_cast<uint32_t>(right);
}
static uint64_t keyOf(const TextData::Merge &merge) {
  return keyOf(merge.left, merge.right);
}

/// Fibonacci hashing: the product's high half depends on all bits of the key.
static uint64_t hashOf(uint64_t key) { return key * 0x9E3779B97F4A7C15; }

// Of a pair that is repeated the index finds the later rank, as Hugging Face's
// map does.
BPE::BPE(std::vector<TextData::Merge> list, const Vocabulary &vocabulary,
         bool wholeWords)
    : merges(std::move(list)),
      ranks(
          static_cast<uint32_t>(merges.size()),
          [&](uint32_t rank) -> std::optional<uint64_t> {
            // Text must not become a control token, not even by merges; tokens
            // that the user defined are found before.
            if (!vocabulary.isSpelled(merges[rank].result))
              return std::nullopt;
            return hashOf(keyOf(merges[rank]));
          },
          [&](uint32_t a, uint32_t b) {
            return keyOf(merges[a]) <=> keyOf(merges[b]);
          }),
      wholeWords(wholeWords) {}

bool BPE::later(const Pair &a, const Pair &b) {
  return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
}

bool BPE::pairAt(int32_t position, Pair &pair) const {
  if (position < 0 || symbols[position].next < 0)
    return false;
  int32_t left = symbols[position].id;
  int32_t right = symbols[symbols[position].next].id;
  const uint64_t key = keyOf(left, right);
  std::optional<uint32_t> rank = ranks.find(
      hashOf(key), [&](uint32_t rank) { return keyOf(merges[rank]) <=> key; });
  if (!rank)
    return false;
  pair = {*rank, position, left, right, merges[*rank].result};
  return true;
}

size_t BPE::encode(std::string_view word, const Vocabulary &vocabulary,
                   std::vector<int32_t> &ids) {
  if (wholeWords) {
    text.clear();
    Vocabulary::appendByteLevel(word, text);
    std::optional<int32_t> id = vocabulary.find(text);
    if (id && vocabulary.isSpelled(*id)) {
      ids.push_back(*id);
      return 0;
    }
  }

  size_t lost = 0;
  symbols.clear();
  for (char byte : word) {
    std::optional<int32_t> id =
        vocabulary.byteToken(static_cast<uint8_t>(byte));
    if (!id) {
      ++lost;
      continue;
    }
    int32_t position = static_cast<int32_t>(symbols.size());
    symbols.push_back({*id, position - 1, position + 1});
  }
  if (symbols.empty())
    return lost;
  symbols.back().next = -1;

  queue.clear();
  Pair pair;
  for (size_t position = 0; position + 1 < symbols.size(); ++position)
    if (pairAt(static_cast<int32_t>(position), pair))
      queue.push_back(pair);
  std::make_heap(queue.begin(), queue.end(), later);

  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end(), later);
    Pair best = queue.back();
    queue.pop_back();
    Symbol &left = symbols[best.position];
    // After a merge the queue has stale entries of the merged symbols. (The
    // right symbol of a merge gets id -1, which no entry has.)
    if (left.id != best.left || left.next < 0 ||
        symbols[left.next].id != best.right)
      continue;
    Symbol &right = symbols[left.next];
    left.id = best.result;
    left.next = right.next;
    right.id = -1;
    if (left.next >= 0)
      symbols[left.next].previous = best.position;
    for (int32_t position : {left.previous, best.position}) {
      if (!pairAt(position, pair))
        continue;
      queue.push_back(pair);
      std::push_heap(queue.begin(), queue.end(), later);
    }
  }

  for (int32_t position = 0; position >= 0; position = symbols[position].next)
    ids.push_back(symbols[position].id);
  return lost;
}
