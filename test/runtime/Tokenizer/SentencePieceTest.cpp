//===- SentencePieceTest.cpp - pieces by score ----------------------------===//
//
// Tests runtime/Tokenizer/SentencePiece.h through the tokenizer, on
// vocabularies made here; test/e2e/test_sentencepiece.py compares it with
// another implementation.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"
#include "test/runtime/Tokenizer/TokenViews.h"

#include "gtest/gtest.h"

using namespace corellama::runtime;

namespace {
/// A vocabulary of pieces: <unk> (0), <s> (1), </s> (2), what a test adds.
struct Pieces {
  std::vector<std::string> texts = {"<unk>", "<s>", "</s>"};
  std::vector<TokenType> types = {TokenType::unknown, TokenType::control,
                                  TokenType::control};
  std::vector<float> scores = {0, 0, 0};
  bool space = true;

  int32_t add(const std::string &text, float score,
              TokenType type = TokenType::normal) {
    texts.push_back(text);
    scores.push_back(score);
    types.push_back(type);
    return int32_t(texts.size()) - 1;
  }
  /// <0x00> to <0xFF>; returns the first one's id.
  int32_t addBytes() {
    for (int byte = 0; byte < 256; ++byte) {
      char text[7];
      snprintf(text, sizeof(text), "<0x%02X>", byte);
      add(text, 0, TokenType::byte);
    }
    return int32_t(texts.size()) - 256;
  }
  TextData data() const {
    TextData data;
    data.kind = TokenizerKind::sentencePiece;
    data.tokens = test::viewsOf({texts.begin(), texts.end()});
    data.types = types;
    data.scores = scores;
    data.addsSpace = space;
    return data;
  }
};

using Ids = std::vector<int32_t>;

struct Encoded {
  Ids ids;
  size_t lost = 0;
  std::string back;
};

Encoded encode(const Pieces &pieces, std::string_view text) {
  Result<Tokenizer> tokenizer = Tokenizer::create(pieces.data());
  EXPECT_TRUE(tokenizer) << tokenizer.error();
  Encoded result;
  Result<size_t> lost = tokenizer->encode(text, result.ids);
  EXPECT_TRUE(lost) << lost.error();
  result.lost = *lost;
  for (int32_t id : result.ids)
    tokenizer->decode(id, result.back);
  return result;
}
} // namespace

TEST(SentencePiece, JoinsByScoreThenFromTheLeft) {
  Pieces pieces;
  pieces.space = false;
  const int32_t a = pieces.add("a", -9), b = pieces.add("b", -9),
                c = pieces.add("c", -9), ab = pieces.add("ab", -2),
                bc = pieces.add("bc", -1), aa = pieces.add("aa", -3),
                aaaa = pieces.add("aaaa", -4);
  EXPECT_EQ(encode(pieces, "abc").ids, (Ids{a, bc}));
  EXPECT_EQ(encode(pieces, "abab").ids, (Ids{ab, ab}));
  EXPECT_EQ(encode(pieces, "aaa").ids, (Ids{aa, a}));
  EXPECT_EQ(encode(pieces, "aaaaa").ids, (Ids{aaaa, a}));
  EXPECT_EQ(encode(pieces, "cb").ids, (Ids{c, b}));
  EXPECT_EQ(encode(pieces, "").ids, Ids{});
}

TEST(SentencePiece, ASpaceIsAPieceAndStandsInFront) {
  Pieces pieces;
  const int32_t space = pieces.add("\u2581", -9), x = pieces.add("x", -9),
                word = pieces.add("\u2581x", -1);
  EXPECT_EQ(encode(pieces, "x x").ids, (Ids{word, word}));
  EXPECT_EQ(encode(pieces, "x x").back, " x x");
  EXPECT_EQ(encode(pieces, "x  ").ids, (Ids{word, space, space}));
  // U+2581 in a text is what a space becomes.
  EXPECT_EQ(encode(pieces, "x\u2581x").ids, (Ids{word, word}));
  pieces.space = false;
  EXPECT_EQ(encode(pieces, "x x").ids, (Ids{x, word}));
}

TEST(SentencePiece, WhatIsNoPieceBecomesBytes) {
  Pieces pieces;
  pieces.space = false;
  const int32_t first = pieces.addBytes(), a = pieces.add("a", -1);
  const std::string text = "a\u00E9\xFF"
                           "a\xF0\x9F";
  const Encoded result = encode(pieces, text);
  EXPECT_EQ(result.ids, (Ids{a, first + 0xC3, first + 0xA9, first + 0xFF, a,
                             first + 0xF0, first + 0x9F}));
  EXPECT_EQ(result.back, text);
  EXPECT_EQ(result.lost, 0u);
  // The text of a byte's token is a text like any other.
  EXPECT_EQ(encode(pieces, "<0x41>").back, "<0x41>");
  EXPECT_EQ(encode(pieces, "<0x41>").ids.size(), 6u);
}

TEST(SentencePiece, WithoutBytesARunIsUnknown) {
  Pieces pieces;
  pieces.space = false;
  const int32_t a = pieces.add("a", -1);
  const Encoded result = encode(pieces, "ab\u00E9ab");
  EXPECT_EQ(result.ids, (Ids{a, 0, a, 0}));
  EXPECT_EQ(result.lost, 4u);
  EXPECT_EQ(result.back, "aa");
  // A space is one byte, and the one in front is not of the text.
  pieces.space = true;
  EXPECT_EQ(encode(pieces, "a a").ids, (Ids{0, a, 0, a}));
  EXPECT_EQ(encode(pieces, "a a").lost, 1u);
  Result<Tokenizer> tokenizer = Tokenizer::create(pieces.data());
  Ids ids;
  EXPECT_EQ(*tokenizer->encode(" a", ids, {.continues = true}), 1u);
}

TEST(SentencePiece, TokensOfTheUserComeFirstAndControlTokensNever) {
  Pieces pieces;
  pieces.addBytes();
  pieces.add("a", -1);
  pieces.add("\u2581a", -1);
  const int32_t mark = pieces.add("<mark>", 0, TokenType::userDefined),
                longer = pieces.add("<mark>>", 0, TokenType::userDefined);
  EXPECT_EQ(encode(pieces, "a<mark>a").ids[1], mark);
  EXPECT_EQ(encode(pieces, "a<mark>>").ids[1], longer);
  EXPECT_EQ(encode(pieces, "a<mark>").back, " a<mark>");
  for (int32_t id : encode(pieces, "</s><s><unk>").ids)
    EXPECT_GT(id, 2);
}

TEST(SentencePiece, UnusedPiecesAreTakenApart) {
  Pieces pieces;
  pieces.space = false;
  const int32_t a = pieces.add("a", -9), b = pieces.add("b", -9),
                c = pieces.add("c", -9);
  pieces.add("ab", -1, TokenType::unused);
  const int32_t abc = pieces.add("abc", -2);
  EXPECT_EQ(encode(pieces, "ab").ids, (Ids{a, b}));
  EXPECT_EQ(encode(pieces, "abc").ids, Ids{abc});
  EXPECT_EQ(encode(pieces, "cab").ids, (Ids{c, a, b}));
}

TEST(SentencePiece, LongTextsTakeNLogN) {
  Pieces pieces;
  std::string run;
  for (int size = 1; size <= 16; size *= 2)
    pieces.add(run.assign(size_t(size), 'a'), float(-size));
  pieces.space = false;
  const std::string text(1 << 20, 'a');
  const Encoded result = encode(pieces, text);
  EXPECT_EQ(result.ids.size(), text.size() / 16);
  EXPECT_EQ(result.back, text);
}

/// Behind a control token stands a space again, behind one of the user's none.
TEST(SentencePiece, ControlTokensOnRequest) {
  Pieces pieces;
  const int32_t x = pieces.add("x", -9), word = pieces.add("\u2581x", -1),
                mark = pieces.add("<s>>", 0, TokenType::userDefined);
  Result<Tokenizer> tokenizer = Tokenizer::create(pieces.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  Ids ids;
  EXPECT_TRUE(tokenizer->encode("x<s>x<s>>x</s>", ids, {.parseSpecial = true}));
  EXPECT_EQ(ids, (Ids{word, 1, word, mark, x, 2}));
}

/// A converter writes the space of such a token as a space.
TEST(SentencePiece, TokensOfTheUserWithSpaces) {
  Pieces pieces;
  pieces.space = false;
  const int32_t x = pieces.add("x", -9),
                two = pieces.add("  ", 0, TokenType::userDefined);
  EXPECT_EQ(encode(pieces, "x  x").ids, (Ids{x, two, x}));
  EXPECT_EQ(encode(pieces, "x  x").back, "x  x");
}
