//===- TokenMatcherTest.cpp - the longest token at a place ----------------===//
//
// Drawn sets of texts over two letters, so that many share beginnings, against
// a search through all of them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/TokenMatcher.h"

#include "gtest/gtest.h"

#include <random>

using namespace corellama::runtime;
using Entry = TokenMatcher::Entry;

TEST(TokenMatcher, FindsWhatASearchThroughAllFinds) {
  std::mt19937 random(11);
  auto word = [&](unsigned most) {
    std::string text;
    for (unsigned size = random() % (most + 1); size > 0; --size)
      text += "a\xFF"[random() % 2];
    return text;
  };
  for (int round = 0; round < 300; ++round) {
    std::vector<Entry> entries;
    for (unsigned count = random() % 20; count > 0; --count)
      entries.push_back({word(6), static_cast<int32_t>(random() % 50)});
    const TokenMatcher matcher(entries);
    for (int i = 0; i < 50; ++i) {
      const std::string text = "a" + word(8);
      const Entry *expected = nullptr;
      for (const Entry &entry : entries)
        if (!entry.text.empty() && text.starts_with(entry.text) &&
            (!expected || std::pair(entry.text.size(), entry.id) >
                              std::pair(expected->text.size(), expected->id)))
          expected = &entry;
      const Entry *found = matcher.longestAt(text);
      ASSERT_EQ(found != nullptr, expected != nullptr);
      if (found) {
        EXPECT_EQ(found->text, expected->text);
        EXPECT_EQ(found->id, expected->id);
      }
    }
  }
}

TEST(TokenMatcher, OfNoneFindsNone) {
  EXPECT_EQ(TokenMatcher().longestAt("a"), nullptr);
  EXPECT_EQ(TokenMatcher({{"", 3}}).longestAt("a"), nullptr);
}
