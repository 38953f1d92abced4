//===- TokenizerTest.cpp - text to ids and back ---------------------------===//
//
// The tokenizer as the program sees it, on vocabularies made here: round trips,
// special tokens, and the messages for checkpoints that it cannot take.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Tokenizer.h"

#include "test/runtime/Tokenizer/MetadataBuilder.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

static Result<Tokenizer> create(const MetadataBuilder &builder) {
  Result<Metadata> metadata = builder.parse();
  EXPECT_TRUE(metadata) << metadata.error();
  return Tokenizer::create(*metadata);
}

static std::string error(const MetadataBuilder &builder) {
  Result<Tokenizer> tokenizer = create(builder);
  EXPECT_FALSE(tokenizer);
  return tokenizer ? std::string() : tokenizer.error();
}

TEST(Tokenizer, GivesTextBack) {
  TokenizerModel model(
      TokenizerModel::Merges{{"h", "e"}, {" ", "w"}, {"\xC3", "\xA9"}});
  MetadataBuilder builder = model.metadata();
  Result<Tokenizer> tokenizer = create(builder);
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
  model.add("\u0120\u00E9", 4); // as it is: a letter that is no space
  model.add("\u0120\u20AC", 1); // holds a character that stands for no byte
  model.add("\u0120x", 1);
  MetadataBuilder builder = model.metadata();
  Result<Tokenizer> tokenizer = create(builder);
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

TEST(Tokenizer, KnowsWhatEndsGeneration) {
  TokenizerModel model;
  int32_t word = static_cast<int32_t>(model.tokens.size());
  model.add("</s>", 1);
  MetadataBuilder builder = model.metadata();
  builder.u32("tokenizer.ggml.eos_token_id", 20)
      .u32("tokenizer.ggml.eot_token_id", 30);
  Result<Tokenizer> tokenizer = create(builder);
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  EXPECT_TRUE(tokenizer->endsGeneration(20));
  EXPECT_TRUE(tokenizer->endsGeneration(30));
  EXPECT_TRUE(tokenizer->endsGeneration(1)) << "<|im_end|>";
  EXPECT_TRUE(tokenizer->endsGeneration(2)) << "<|endoftext|>";
  EXPECT_FALSE(tokenizer->endsGeneration(0)) << "<|im_start|>";
  EXPECT_FALSE(tokenizer->endsGeneration(word)) << "a word of the text";
  EXPECT_EQ(tokenizer->markerAt("<|im_start|>user"), 0);
  EXPECT_FALSE(tokenizer->markerAt("<|none|>"));
}

TEST(Tokenizer, FindsTokensOfTheUserLeftmostThenLongest) {
  TokenizerModel model(TokenizerModel::Merges{{"b", "c"}, {"\xF5", "x"}});
  auto first = static_cast<int32_t>(model.tokens.size());
  for (const char *text : {"ab", "abc", "cd", "  ", "\u00F5"})
    model.add(text, 4);
  MetadataBuilder builder = model.metadata();
  Result<Tokenizer> tokenizer = create(builder);
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
  model.add("<|im_start|>x", 4);
  MetadataBuilder builder = model.metadata();
  builder.u32("tokenizer.ggml.bos_token_id", 2)
      .boolean("tokenizer.ggml.add_bos_token", true);
  Result<Tokenizer> tokenizer = create(builder);
  ASSERT_TRUE(tokenizer) << tokenizer.error();
  using Ids = std::vector<int32_t>;
  Ids ids;
  EXPECT_TRUE(tokenizer->encode("a<|im_start|><|im_start|>x<|im_end|", ids,
                                /*parseSpecial=*/true));
  Ids expected = {model.id("a"), 0, user};
  for (char byte : std::string("<|im_end|"))
    expected.push_back(model.id(std::string(1, byte)));
  EXPECT_EQ(ids, expected);
  auto withBos = [&](const char *text, bool parse) {
    Ids ids = {7};
    EXPECT_TRUE(tokenizer->encodeWithBos(text, ids, parse));
    return ids;
  };
  EXPECT_EQ(withBos("", false), (Ids{7, 2}));
  EXPECT_EQ(withBos("a", true), (Ids{7, 2, model.id("a")}));
  EXPECT_EQ(withBos("<|endoftext|>a", true), (Ids{7, 2, model.id("a")}));
  EXPECT_EQ(withBos("<|endoftext|>", false).size(), 15u);
}

TEST(Tokenizer, AddsBosAsTheMetadataSay) {
  auto bos = [](const char *pre, std::optional<bool> add) {
    TokenizerModel model;
    model.pre = pre;
    MetadataBuilder builder = model.metadata();
    builder.u32("tokenizer.ggml.bos_token_id", 2);
    if (add)
      builder.boolean("tokenizer.ggml.add_bos_token", *add);
    Result<Tokenizer> tokenizer = create(builder);
    EXPECT_TRUE(tokenizer);
    return tokenizer->bosToken();
  };
  EXPECT_EQ(bos("gpt-2", true), 2);
  EXPECT_EQ(bos("gpt-2", false), std::nullopt);
  EXPECT_EQ(bos("gpt-2", std::nullopt), std::nullopt);
  EXPECT_EQ(bos("llama-bpe", std::nullopt), 2);
  EXPECT_EQ(bos("llama-bpe", false), std::nullopt);
}

TEST(Tokenizer, SaysWhatItCannotTake) {
  EXPECT_EQ(error(MetadataBuilder()),
            "tokenizer.ggml.model: missing, expected 'gpt2' (byte-level BPE) "
            "or 'llama' (SentencePiece); use token ids in place of text");
  EXPECT_EQ(error(MetadataBuilder().string("tokenizer.ggml.model", "bert")),
            "tokenizer.ggml.model: 'bert', expected 'gpt2' (byte-level BPE) or "
            "'llama' (SentencePiece); use token ids in place of text");

  MetadataBuilder gpt2;
  gpt2.string("tokenizer.ggml.model", "gpt2")
      .string("tokenizer.ggml.pre", "gpt-2");
  EXPECT_EQ(error(gpt2),
            "tokenizer.ggml.tokens: missing or empty, expected an array of "
            "strings; use token ids in place of text, or convert the "
            "checkpoint again");
  MetadataBuilder types = gpt2;
  types.strings("tokenizer.ggml.tokens", {"a", "b"})
      .i32s("tokenizer.ggml.token_type", {1});
  EXPECT_EQ(error(types),
            "tokenizer.ggml.token_type: 1 integers, expected one for each of 2 "
            "tokens; convert the checkpoint again");
  MetadataBuilder type = gpt2;
  type.strings("tokenizer.ggml.tokens", {"a", "b"})
      .i32s("tokenizer.ggml.token_type", {1, 7});
  EXPECT_EQ(error(type), "tokenizer.ggml.token_type: token 1 has type 7, "
                         "expected 1 to 6; convert the checkpoint again");

  MetadataBuilder eos = TokenizerModel().metadata();
  eos.u32("tokenizer.ggml.eos_token_id", 259);
  EXPECT_EQ(error(eos), "tokenizer.ggml.eos_token_id: 259, expected a token id "
                        "below 259; convert the checkpoint again");
  MetadataBuilder text = TokenizerModel().metadata();
  text.string("tokenizer.ggml.bos_token_id", "x");
  EXPECT_EQ(error(text),
            "tokenizer.ggml.bos_token_id: no integer, expected a token id "
            "below 259; convert the checkpoint again");
  MetadataBuilder noBos = TokenizerModel().metadata();
  noBos.boolean("tokenizer.ggml.add_bos_token", true);
  EXPECT_EQ(error(noBos),
            "tokenizer.ggml.bos_token_id: missing, expected an id since "
            "tokenizer.ggml.add_bos_token is true; convert the checkpoint "
            "again");
}
