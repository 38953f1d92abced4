//===- BPETest.cpp - merges, against the plain algorithm ------------------===//
//
// The queue and its linked list against the definition (search the whole word
// for the best pair, merge it, again), on vocabularies where merges overlap;
// and what happens to bytes without a token.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/BPE.h"

#include "test/runtime/Tokenizer/TokenizerModel.h"

#include <gtest/gtest.h>
#include <random>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

namespace {
struct Loaded {
  Vocabulary vocabulary;
  BPE bpe;

  explicit Loaded(const TokenizerModel &model, bool wholeWords = false)
      : Loaded(model.data(), wholeWords) {}
  Loaded(const TextData &data, bool wholeWords)
      : vocabulary(data.kind, data.tokens, data.types),
        bpe(data.merges, vocabulary, wholeWords) {}

  std::vector<int32_t> encode(std::string_view word, size_t lost = 0) {
    std::vector<int32_t> ids;
    EXPECT_EQ(bpe.encode(word, vocabulary, ids), lost);
    return ids;
  }
};
} // namespace

/// The definition, on strings.
static std::vector<std::string> merge(const TokenizerModel &model,
                                      const std::string &word) {
  std::vector<std::string> parts;
  for (char byte : word)
    parts.emplace_back(1, byte);
  while (true) {
    size_t best = model.merges.size(), at = 0;
    for (size_t i = 0; i + 1 < parts.size(); ++i)
      for (size_t rank = 0; rank < best; ++rank)
        if (model.merges[rank].first == parts[i] &&
            model.merges[rank].second == parts[i + 1]) {
          best = rank;
          at = i;
        }
    if (best == model.merges.size())
      return parts;
    parts[at] += parts[at + 1];
    parts.erase(parts.begin() + at + 1);
  }
}

TEST(BPE, FollowsTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    // Merges of what is there, over a small alphabet: many ways to the same
    // text, long runs, ties.
    std::vector<std::string> known = {"a", "b", "c", " "};
    TokenizerModel::Merges merges;
    while (merges.size() < 25) {
      std::string left = known[random() % known.size()];
      std::string right = known[random() % known.size()];
      std::pair<std::string, std::string> pair(left, right);
      if (std::find(merges.begin(), merges.end(), pair) != merges.end())
        continue;
      merges.push_back(pair);
      known.push_back(left + right);
    }
    TokenizerModel model(merges);
    Loaded loaded(model);
    for (int text = 0; text < 60; ++text) {
      std::string word;
      for (unsigned i = random() % 40; i > 0; --i)
        word += "abc "[random() % 4];
      std::vector<std::string> found;
      for (int32_t id : loaded.encode(word)) {
        found.emplace_back();
        loaded.vocabulary.appendBytes(id, found.back());
      }
      ASSERT_EQ(found, merge(model, word)) << "'" << word << "'";
    }
  }
}

TEST(BPE, EncodesLongWordsInReasonableTime) {
  TokenizerModel::Merges merges;
  for (std::string text = "a"; text.size() < 256; text += text)
    merges.push_back({text, text});
  TokenizerModel model(merges);
  Loaded loaded(model);
  // The plain algorithm would take 10^12 steps.
  std::vector<int32_t> ids =
      loaded.encode(std::string(size_t(256) * 4000, 'a'));
  EXPECT_EQ(ids.size(), 4000u);
  EXPECT_EQ(ids[0], model.id(std::string(256, 'a')));
}

TEST(BPE, LeavesOutBytesWithoutAToken) {
  TokenizerModel model(TokenizerModel::Merges{{"!", "!"}}, "\x04\xFF");
  Loaded loaded(model);
  EXPECT_EQ(loaded.encode("!\x04!", 1), std::vector<int32_t>{model.id("!!")});
  EXPECT_EQ(loaded.encode("\xFF\xFF", 2), std::vector<int32_t>());
  EXPECT_EQ(loaded.encode(""), std::vector<int32_t>());
}

TEST(BPE, TakesWordsWholeOnlyWhereAsked) {
  TokenizerModel model(TokenizerModel::Merges{{"a", "b"}});
  model.add("abc", TokenType::normal);
  EXPECT_EQ(Loaded(model, true).encode("abc"),
            std::vector<int32_t>{model.id("abc")});
  EXPECT_EQ(Loaded(model, false).encode("abc"),
            (std::vector<int32_t>{model.id("ab"), model.id("c")}));
}

TEST(BPE, MakesNoControlToken) {
  TokenizerModel model(TokenizerModel::Merges{{"<", "x"}});
  model.types[model.id("<x")] = TokenType::control;
  std::vector<int32_t> apart = {model.id("<"), model.id("x")};
  EXPECT_EQ(Loaded(model, false).encode("<x"), apart);
  EXPECT_EQ(Loaded(model, true).encode("<x"), apart);
}

TEST(BPE, TakesTheLaterRankOfARepeatedMerge) {
  TokenizerModel model(
      TokenizerModel::Merges{{"a", "b"}, {"b", "c"}, {"a", "b"}});
  EXPECT_EQ(Loaded(model).encode("abc"),
            (std::vector<int32_t>{model.id("a"), model.id("bc")}));
}
