//===- TokenizedTextTest.cpp - which ids stay when a text grows -----------===//
//
// The ids of a conversation's next text: what is kept of the last one, and what
// the rest becomes. test/e2e/test_conversation.py does it with whole models.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/TokenizedText.h"
#include "test/runtime/Tokenizer/TokenViews.h"
#include "test/runtime/Tokenizer/TokenizerModel.h"
#include "gtest/gtest.h"

#include <algorithm>

using namespace corellama::runtime;
using namespace corellama::runtime::test;
using templates::Origin;
using templates::String;

namespace {
/// Bytes are tokens, and so is "lo". {} are control tokens 0 and 1.
class Tokenized : public testing::Test {
protected:
  Tokenized()
      : model({{"l", "o"}}), tokenizer(Tokenizer::create(model.data())) {}

  /// Texts of the template, in <> those of a message.
  static String make(std::string_view text) {
    String made;
    Origin origin = Origin::Template;
    for (char character : text)
      if (character == '<' || character == '>')
        origin = character == '<' ? Origin::Content : Origin::Template;
      else if (character == '{' || character == '}')
        made.append(character == '{' ? "<|im_start|>" : "<|im_end|>", origin);
      else
        made.append({&character, 1}, origin);
    return made;
  }
  /// How many ids are kept.
  size_t become(std::string_view text) {
    auto change = tokenized.become(make(text), *tokenizer);
    EXPECT_TRUE(change);
    return change ? change->kept : 0;
  }
  void answer(std::string_view text) {
    for (char character : text)
      tokenized.append(character == '}' ? 1 : model.id({character}),
                       *tokenizer);
  }
  /// The ids' texts, separated by |.
  std::string ids() const {
    std::string text;
    for (int32_t id : tokenized.ids()) {
      text += text.empty() ? "" : "|";
      if (id < 2)
        text += id == 0 ? '{' : '}';
      else
        tokenizer->decode(id, text);
    }
    return text;
  }

  TokenizerModel model;
  Result<Tokenizer> tokenizer;
  TokenizedText tokenized;
};
} // namespace

TEST_F(Tokenized, OnlyTheTemplatesMarkersAreControlTokens) {
  EXPECT_EQ(become("{a<}lo>}"), 0u);
  EXPECT_EQ(ids(), "{|a|<|||i|m|_|e|n|d|||>|lo|}");
}

// A message that goes on with what a longer control token has.
TEST_F(Tokenized, AMessageDoesNotSwitchOffAMarker) {
  TextData data = model.data();
  std::vector<std::string_view> texts = toVector(data.tokens);
  texts.push_back("<|im_end|>x");
  data.tokens = viewsOf(std::move(texts));
  data.types.push_back(TokenType::control);
  const int32_t longer = static_cast<int32_t>(data.tokens.size()) - 1;
  auto other = Tokenizer::create(std::move(data));
  ASSERT_TRUE(other) << other.error();
  const int32_t x = model.id("x");
  TokenizedText text;
  ASSERT_TRUE(text.become(make("<x>}<x>"), *other));
  EXPECT_EQ(text.ids(), (std::vector<int32_t>{x, 1, x}));
  ASSERT_TRUE(text.become(make("<x>}x"), *other));
  EXPECT_EQ(text.ids(), (std::vector<int32_t>{x, longer}));
}

TEST_F(Tokenized, AnAnswerKeepsItsIds) {
  become("{a<hi>}{b");
  answer("lo");
  EXPECT_EQ(ids(), "{|a|h|i|}|{|b|l|o") << "as the model chose them";
  EXPECT_EQ(become("{a<hi>}{b<lo>}{a<lo>}{b"), 9u);
  EXPECT_EQ(ids(), "{|a|h|i|}|{|b|l|o|}|{|a|lo|}|{|b");
}

TEST_F(Tokenized, TheLastIdNeedNotBeThere) {
  become("{b");
  answer("abc");
  EXPECT_EQ(become("{b<abcd>}"), 5u);
  EXPECT_EQ(ids(), "{|b|a|b|c|d|}");
}

// "l" and "o" would stay two tokens.
TEST_F(Tokenized, AStretchOfAPromptIsEncodedWhole) {
  become("{a<hal>}{b");
  EXPECT_EQ(become("{a<halo>}{b"), 1u);
  EXPECT_EQ(ids(), "{|a|h|a|lo|}|{|b");
}

TEST_F(Tokenized, WhatATemplateTrimsGoes) {
  become("{b");
  answer("ab  ");
  EXPECT_EQ(become("{b<ab>}"), 4u);
  EXPECT_EQ(ids(), "{|b|a|b|}");
  // In front of the answer, all of it goes.
  become("{b");
  answer(" ab");
  EXPECT_EQ(become("{b<ab>}"), 2u);
}

// Llama 2's template writes the space that the model has chosen.
TEST_F(Tokenized, ASpaceMayBecomeTheTemplates) {
  become("{b");
  answer(" ab");
  EXPECT_EQ(become("{b <ab>}"), 5u);
  EXPECT_EQ(ids(), "{|b| |a|b|}");
}

TEST_F(Tokenized, AMarkerMayNotChangeSides) {
  become("{a<}>}");
  EXPECT_EQ(become("{a}}"), 1u);
  EXPECT_EQ(ids(), "{|a|}|}");
  EXPECT_EQ(become("{a<}>}"), 1u);
  become("{b");
  answer("<|im_end|>");
  EXPECT_EQ(become("{b}}"), 2u) << "an answer that spells a marker";
  EXPECT_EQ(ids(), "{|b|}|}");
}

TEST_F(Tokenized, AControlTokenInAnAnswerHasNoText) {
  become("{b");
  answer("a}b");
  EXPECT_EQ(become("{b<ab>}"), 5u);
  EXPECT_EQ(ids(), "{|b|a|}|b|}");
}

TEST_F(Tokenized, WhatIsEncodedBeginsWithACharacter) {
  become("{b");
  // Two of the three bytes of U+20AC.
  answer("x\xE2\x82");
  EXPECT_EQ(become("{b<x\xE2\x82\xAC>}"), 3u);
  EXPECT_EQ(tokenized.ids().size(), 7u);
}

TEST_F(Tokenized, TruncateCutsNoStretch) {
  become("{a<hi>}{b");
  tokenized.truncate(3);
  EXPECT_EQ(ids(), "{");
  EXPECT_EQ(become("{a<hi>}{b"), 1u);
  EXPECT_EQ(ids(), "{|a|h|i|}|{|b");
  tokenized.truncate(99);
  EXPECT_EQ(tokenized.ids().size(), 7u);
  tokenized.truncate(0);
  EXPECT_EQ(ids(), "");
}

TEST_F(Tokenized, KeepBeginningOf) {
  become("{a<hi>}{b");
  answer("lo");
  tokenized.keepBeginningOf(make("{a<hi>}"), *tokenizer);
  EXPECT_EQ(ids(), "{|a|h|i|}");
  tokenized.keepBeginningOf(String(), *tokenizer);
  EXPECT_EQ(ids(), "");
}

TEST_F(Tokenized, SentencePieceAddsItsSpaceOnlyBehindMarkers) {
  TextData data;
  data.kind = TokenizerKind::sentencePiece;
  data.tokens =
      viewsOf({"<unk>", "<s>", "</s>", "\xE2\x96\x81", "a", "b", "c"});
  data.types.assign(data.tokens.size(), TokenType::normal);
  data.types[0] = TokenType::unknown;
  data.types[1] = data.types[2] = TokenType::control;
  data.scores.assign(data.tokens.size(), 0);
  data.addsSpace = true;
  auto sentencePiece = Tokenizer::create(std::move(data));
  ASSERT_TRUE(sentencePiece) << sentencePiece.error();

  TokenizedText text;
  auto first = text.become(String("<s>ab", Origin::Template), *sentencePiece);
  ASSERT_TRUE(first);
  EXPECT_EQ(text.ids(), (std::vector<int32_t>{1, 3, 4, 5}));
  text.append(6, *sentencePiece);
  auto next =
      text.become(String("<s>abca</s>b", Origin::Template), *sentencePiece);
  ASSERT_TRUE(next);
  EXPECT_EQ(next->kept, 5u);
  EXPECT_EQ(text.ids(), (std::vector<int32_t>{1, 3, 4, 5, 6, 4, 2, 3, 5}))
      << "a goes on behind c, b stands behind </s>";
}
