//===- TokenizerTest.cpp - text to ids and back ---------------------------===//
//
// The tokenizer as the program sees it, on vocabularies made here: round trips,
// special tokens, and the messages for checkpoints that it cannot take.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"

#include "test/runtime/Tokenizer/TokenizerModel.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

TEST(Tokenizer, GivesTextBack) {
  TokenizerModel model(
      TokenizerModel::Merges{{"h", "e"}, {" ", "w"}, {"\xC3", "\xA9"}});
  Result<Tokenizer> tokenizer = Tokenizer::create(model.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  EXPECT_EQ(tokenizer->size(), model.tokens.size());
  std::string every;
  for (int byte = 0; byte < 256; ++byte)
    every += static_cast<char>(byte);
  for (const std::string &text :
       {std::string("hello w\xC3\xA9"), std::string("\xF0\x9F\x98\x80\xF0\x9F"),
        std::string("<|im_start|>user"), every, std::string()}) {
    std::vector<int32_t> ids = {7};
    Result<size_t> lost = tokenizer->encode(text, ids);
    ASSERT_TRUE(lost) << lost.error();
    EXPECT_EQ(*lost, 0u);
    EXPECT_EQ(ids[0], 7) << "ids are appended";
    std::string back;
    for (size_t i = 1; i < ids.size(); ++i) {
      EXPECT_GE(ids[i], 3) << "text became a control token";
      tokenizer->decode(ids[i], back);
    }
    EXPECT_EQ(back, text);
  }
}

TEST(Tokenizer, DecodesByTheTypeOfAToken) {
  TokenizerModel model;
  int32_t first = static_cast<int32_t>(model.tokens.size());
  model.add("\u0120\u00E9",
            TokenType::userDefined); // as it is: a letter that is no space
  model.add("\u0120\u20AC",
            TokenType::normal); // holds a character that stands for no byte
  model.add("\u0120x", TokenType::normal);
  Result<Tokenizer> tokenizer = Tokenizer::create(model.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  auto decode = [&](int32_t id) {
    std::string text;
    tokenizer->decode(id, text);
    return text;
  };
  EXPECT_EQ(decode(first), "\u0120\u00E9");
  EXPECT_EQ(decode(first + 1), "\u0120\u20AC");
  EXPECT_EQ(decode(first + 2), " x");
  EXPECT_EQ(decode(0), "") << "a control token is no text";
  EXPECT_EQ(decode(-1), "");
  EXPECT_EQ(decode(first + 3), "");
}

TEST(Tokenizer, FindsTheMarkerOfATemplate) {
  TokenizerModel model;
  Result<Tokenizer> tokenizer = Tokenizer::create(model.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  EXPECT_EQ(tokenizer->markerAt("<|im_start|>user"), 0);
  EXPECT_FALSE(tokenizer->markerAt("<|none|>"));
  EXPECT_FALSE(tokenizer->markerAt("a"));
}

TEST(Tokenizer, FindsTokensOfTheUserLeftmostThenLongest) {
  TokenizerModel model(TokenizerModel::Merges{{"b", "c"}, {"\xF5", "x"}});
  auto first = static_cast<int32_t>(model.tokens.size());
  for (const char *text : {"ab", "abc", "cd", "  ", "\u00F5"})
    model.add(text, TokenType::userDefined);
  Result<Tokenizer> tokenizer = Tokenizer::create(model.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  auto ids = [&](std::string_view text) {
    std::vector<int32_t> ids;
    EXPECT_TRUE(tokenizer->encode(text, ids));
    return ids;
  };
  using Ids = std::vector<int32_t>;
  EXPECT_EQ(ids("xabcd"), (Ids{model.id("x"), first + 1, model.id("d")}));
  EXPECT_EQ(ids("abd"), (Ids{first, model.id("d")}));
  EXPECT_EQ(ids("bcd"), (Ids{model.id("b"), first + 2}));
  EXPECT_EQ(ids("   a"), (Ids{first + 3, model.id(" "), model.id("a")}));
  // U+00F5 is how byte F5 is written, but this token is the character.
  EXPECT_EQ(ids("\u00F5"), Ids{first + 4});
  std::vector<int32_t> lost;
  EXPECT_EQ(*tokenizer->encode("\xF5", lost), 1u);
}

TEST(Tokenizer, FindsControlTokensOnlyIfAsked) {
  TokenizerModel model;
  auto user = static_cast<int32_t>(model.tokens.size());
  model.add("<|im_start|>x", TokenType::userDefined);
  Result<Tokenizer> tokenizer = Tokenizer::create(model.data());
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  using Ids = std::vector<int32_t>;
  Ids ids;
  EXPECT_TRUE(tokenizer->encode("a<|im_start|><|im_start|>x<|im_end|", ids,
                                {.parseSpecial = true}));
  Ids expected = {model.id("a"), 0, user};
  for (char byte : std::string("<|im_end|"))
    expected.push_back(model.id(std::string(1, byte)));
  EXPECT_EQ(ids, expected);
}

TEST(Tokenizer, PutsASequenceBetweenItsTokens) {
  TokenizerModel model;
  const int32_t a = model.id("a");
  TextData data = model.data();
  data.bos = 2;
  data.eos = 1;
  using Ids = std::vector<int32_t>;
  auto encode = [&](const char *text, bool parse) {
    Result<Tokenizer> tokenizer = Tokenizer::create(data);
    Ids ids = {7};
    EXPECT_TRUE(tokenizer && tokenizer->encodeSequence(text, ids, parse));
    return ids;
  };
  EXPECT_EQ(encode("a", true), (Ids{7, a}));
  data.addsBos = true;
  EXPECT_EQ(encode("", false), (Ids{7, 2}));
  EXPECT_EQ(encode("a", true), (Ids{7, 2, a}));
  EXPECT_EQ(encode("<|endoftext|>a", true), (Ids{7, 2, a}));
  EXPECT_EQ(encode("<|endoftext|>", false).size(), 15u);
  data.addsEos = true;
  EXPECT_EQ(encode("", false), (Ids{7, 2, 1}));
  EXPECT_EQ(encode("a", false), (Ids{7, 2, a, 1}));
  EXPECT_EQ(encode("a<|im_end|>", true), (Ids{7, 2, a, 1}));
  EXPECT_EQ(encode("<|im_end|>a", true), (Ids{7, 2, 1, a, 1}));
  data.addsBos = false;
  EXPECT_EQ(encode("a", true), (Ids{7, a, 1}));
}

TEST(Tokenizer, SaysWhatItCannotTake) {
  TextData none;
  none.whyNone = "the reason";
  EXPECT_EQ(Tokenizer::create(none).error(), "the reason");
  TokenizerModel model;
  model.pre = "none";
  EXPECT_EQ(Tokenizer::create(model.data()).error(),
            "pre-tokenizer: 'none', expected one of " + PreTokenizer::names() +
                "; use token ids in place of text");
}
