//===- HashIndexTest.cpp - look-ups of strangers' keys --------------------===//
//
// What is found is compared with std::map. Then keys whose hashes were chosen:
// the steps of a table of n and of each look-up are counted.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/HashIndex.h"

#include "runtime/Tokenizer/TokenIndex.h"
#include "test/runtime/Tokenizer/TokenViews.h"
#include "gtest/gtest.h"

#include <bit>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

namespace {
using Hash = uint64_t (*)(uint32_t key);

/// Of keys by number, some of them twice; multiples of 7 are left out.
struct Keys {
  std::vector<uint32_t> keys;
  Hash hash;
  mutable uint64_t steps = 0;

  HashIndex index() const {
    return HashIndex(
        static_cast<uint32_t>(keys.size()),
        [&](uint32_t n) {
          return keys[n] % 7 == 0 ? std::nullopt
                                  : std::optional<uint64_t>(hash(keys[n]));
        },
        [&](uint32_t a, uint32_t b) {
          ++steps;
          return keys[a] <=> keys[b];
        });
  }
  std::optional<uint32_t> find(const HashIndex &index, uint32_t key) const {
    return index.find(hash(key), [&](uint32_t n) {
      ++steps;
      return keys[n] <=> key;
    });
  }
};

uint64_t spread(uint32_t key) { return (key + 1) * 0x9E3779B97F4A7C15; }
uint64_t oneOfThree(uint32_t key) { return uint64_t(key % 3) << 62; }
uint64_t same(uint32_t) { return ~uint64_t(0); }
} // namespace

TEST(HashIndex, FindsTheHighestNumberOfAKey) {
  std::mt19937 random(1);
  for (uint32_t count : {0, 1, 2, 12, 13, 14, 1000})
    for (Hash hash : {spread, oneOfThree, same}) {
      Keys keys{{}, hash};
      std::map<uint32_t, uint32_t> expected;
      for (uint32_t n = 0; n < count; ++n) {
        keys.keys.push_back(static_cast<uint32_t>(random() % (count + 1)));
        if (keys.keys.back() % 7 != 0)
          expected[keys.keys.back()] = n;
      }
      const HashIndex index = keys.index();
      for (uint32_t key = 0; key < count + 3; ++key) {
        auto found = expected.find(key);
        EXPECT_EQ(keys.find(index, key), found == expected.end()
                                             ? std::nullopt
                                             : std::optional(found->second))
            << count << " keys, " << key;
      }
    }
}

TEST(HashIndex, ChosenKeysCostNoSquare) {
  constexpr uint32_t kCount = 100000;
  for (Hash hash : {oneOfThree, same}) {
    Keys keys{{}, hash};
    for (uint32_t n = 0; n < kCount; ++n)
      keys.keys.push_back((n * 7919) % kCount); // each once
    const HashIndex index = keys.index();
    constexpr uint64_t kLevels = std::bit_width(kCount);
    // A sort of n takes about n log2 n steps; open addressing n^2 / 2.
    EXPECT_LT(keys.steps, 3 * kLevels * kCount);
    keys.steps = 0;
    for (uint32_t key = 0; key < kCount; ++key)
      keys.find(index, key);
    EXPECT_LE(keys.steps, (kLevels + 2) * kCount);
  }
}

// In a file that changes while it is read. Its writes are checked in builds
// with sanitizers.
TEST(HashIndex, StaysInsideWhereKeysChange) {
  std::mt19937_64 random(2);
  for (uint32_t count : {1, 4, 13, 500})
    for (uint64_t mask : {~uint64_t(0), uint64_t(0)}) { // all buckets, one
      uint32_t asked = 0;
      const HashIndex index(
          count,
          [&](uint32_t) {
            ++asked;
            return std::optional(random() & mask);
          },
          [&](uint32_t, uint32_t) { return random() % 3 <=> uint64_t(1); });
      EXPECT_EQ(asked, count) << "each is read once";
      for (int round = 0; round < 100; ++round)
        EXPECT_LT(
            index
                .find(random() & mask,
                      [&](uint32_t) { return random() % 3 <=> uint64_t(1); })
                .value_or(0),
            count);
    }
}

TEST(TokenIndex, FindsTextsByTheirLastIds) {
  const TokenTexts texts = viewsOf({"a", "", "b", "a", "ab"});
  const TokenIndex index(texts);
  EXPECT_EQ(index.find(texts, "a"), 3);
  EXPECT_EQ(index.find(texts, "ab"), 4);
  EXPECT_EQ(index.find(texts, "abc"), std::nullopt);
  EXPECT_EQ(index.find(texts, ""), std::nullopt) << "it is no token of a word";
  EXPECT_EQ(TokenIndex().find({}, "a"), std::nullopt);
}
