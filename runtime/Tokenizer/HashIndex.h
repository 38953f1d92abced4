//===- HashIndex.h - numbers by what they stand for -----------------------===//
//
// A table of hashes over keys that lie elsewhere: it has their numbers alone,
// in eight bytes each. A file of its own because texts of tokens and pairs of
// merges are both looked up by it, and both come from files of strangers.
//
// Numbers of one bucket lie beside each other. A hash spreads keys of people
// over buckets of one or two; who chooses keys can put all of them into one
// bucket, which is sorted for that, so that a look-up is a binary search then.
// (Open addressing would take a step for each of them, and their square to fill
// the table.)
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_HASHINDEX_H
#define CORELLAMA_RUNTIME_TOKENIZER_HASHINDEX_H

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace corellama::runtime {

class HashIndex {
public:
  HashIndex() = default;

  /// Of numbers below `count`: `hashOf(number)` is the 64-bit hash of its key,
  /// or nothing for a number that is left out; `compare(a, b)` orders the keys
  /// of two numbers.
  template <typename HashOf, typename Compare>
  HashIndex(uint32_t count, HashOf hashOf, Compare compare) {
    // One bucket for each number. A bucket's end is found by counting, and
    // becomes its beginning as it is filled from the back. A key is read once
    // for that: it may lie in a file that changes meanwhile.
    begins.resize(size_t(count) + 1);
    std::vector<uint32_t> buckets(count, count);
    for (uint32_t number = 0; number < count; ++number)
      if (std::optional<uint64_t> hash = hashOf(number))
        ++begins[buckets[number] = bucketOf(*hash)];
    uint32_t end = 0;
    for (uint32_t &begin : begins)
      begin = end += begin;
    numbers.resize(end);
    for (uint32_t number = count; number-- > 0;)
      if (buckets[number] != count)
        numbers[--begins[buckets[number]]] = number;
    auto before = [&](uint32_t a, uint32_t b) {
      const std::weak_ordering order = compare(a, b);
      return order == 0 ? a < b : order < 0;
    };
    for (size_t bucket = 0; bucket < count; ++bucket)
      if (std::span<uint32_t> all = numbersOf(bucket);
          all.size() > kMostScanned) {
        // Heaps stay inside of it even where the order changes meanwhile.
        std::make_heap(all.begin(), all.end(), before);
        std::sort_heap(all.begin(), all.end(), before);
      }
  }

  /// The number of a key with that hash, the highest if several have it.
  /// `compare(number)` is the order of the number's key and the one that is
  /// looked for.
  template <typename Compare>
  std::optional<uint32_t> find(uint64_t hash, Compare compare) const {
    if (numbers.empty())
      return std::nullopt;
    std::span<const uint32_t> all = numbersOf(bucketOf(hash));
    if (all.size() > kMostScanned)
      // Behind the last that is not larger.
      all = all.first(size_t(
          std::partition_point(all.begin(), all.end(),
                               [&](uint32_t n) { return compare(n) <= 0; }) -
          all.begin()));
    else
      while (!all.empty() && compare(all.back()) != 0)
        all = all.first(all.size() - 1);
    if (all.empty() || compare(all.back()) != 0)
      return std::nullopt;
    return all.back();
  }

private:
  /// Buckets of so many numbers are read from the back to the front, in the
  /// order of the numbers. Of a million keys that were not chosen the fullest
  /// bucket has about nine.
  static constexpr size_t kMostScanned = 12;

  uint32_t bucketOf(uint64_t hash) const {
    return uint32_t((hash >> 32) * (begins.size() - 1) >> 32);
  }
  std::span<uint32_t> numbersOf(size_t bucket) {
    return std::span(numbers).subspan(begins[bucket],
                                      begins[bucket + 1] - begins[bucket]);
  }
  std::span<const uint32_t> numbersOf(size_t bucket) const {
    return const_cast<HashIndex *>(this)->numbersOf(bucket);
  }

  std::vector<uint32_t> begins; ///< of each bucket, and the end of the last
  std::vector<uint32_t> numbers;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_HASHINDEX_H
