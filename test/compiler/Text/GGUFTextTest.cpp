//===- GGUFTextTest.cpp - a GGUF file's tokenizer -------------------------===//
//
// What becomes of the keys of a GGUF file: merges as ids, defaults, the ids
// that end an answer; and the reason where a program will read no text.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/GGUFText.h"
#include "runtime/Tokenizer/PreTokenizer.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace corellama;
using namespace corellama::test;
using runtime::TextData;
using runtime::TokenizerKind;
using runtime::TokenType;

namespace {
/// The file's bytes, and what was read of them.
struct Read {
  std::string bytes;
  TextData data;

  explicit Read(const GGUFBuilder &builder) : bytes(builder.build()) {
    auto gguf =
        checkpoint::GGUF::parse(llvm::arrayRefFromStringRef(bytes), "m");
    if (!gguf)
      ADD_FAILURE() << llvm::toString(gguf.takeError());
    else
      data = readText(*gguf);
  }
};
} // namespace

static GGUFBuilder bytePairs(const char *pre = "gpt-2") {
  GGUFBuilder builder;
  builder.text("tokenizer.ggml.model", "gpt2")
      .text("tokenizer.ggml.pre", pre)
      .texts("tokenizer.ggml.tokens",
             {"<|im_start|>", "<|im_end|>", "a", "b", "ab", "</s>", "a"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32,
                        {3, 3, 1, 1, 1, 1, 1})
      .texts("tokenizer.ggml.merges", {"a b"});
  return builder;
}

static GGUFBuilder pieces() {
  GGUFBuilder builder;
  builder.text("tokenizer.ggml.model", "llama")
      .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {2, 3, 3, 1})
      .numbers<float>("tokenizer.ggml.scores", kFloat32, {0, 0, 0, -1})
      .u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2);
  return builder;
}

static std::string whyNone(const GGUFBuilder &builder) {
  Read read(builder);
  EXPECT_EQ(read.data.kind, TokenizerKind::none);
  EXPECT_TRUE(read.data.tokens.empty());
  return read.data.whyNone;
}

TEST(GGUFText, MergesAreIdsOfTheLastOfEqualTexts) {
  Read read(bytePairs());
  ASSERT_EQ(read.data.whyNone, "");
  EXPECT_EQ(read.data.kind, TokenizerKind::byteLevel);
  EXPECT_EQ(read.data.preTokenizer, "gpt-2");
  EXPECT_EQ(read.data.tokens[4], "ab");
  EXPECT_EQ(read.data.types[0], TokenType::control);
  ASSERT_EQ(read.data.merges.size(), 1u);
  EXPECT_EQ(read.data.merges[0].left, 6);
  EXPECT_EQ(read.data.merges[0].right, 3);
  EXPECT_EQ(read.data.merges[0].result, 4);
  EXPECT_FALSE(read.data.chatTemplate);
  EXPECT_EQ(Read(bytePairs().remove("tokenizer.ggml.pre")).data.preTokenizer,
            "default");
  EXPECT_EQ(Read(bytePairs().text("tokenizer.chat_template", "{{ x }}"))
                .data.chatTemplate,
            "{{ x }}");
}

TEST(GGUFText, TypesAndMergesMayBeLeftOut) {
  Read read(bytePairs()
                .remove("tokenizer.ggml.token_type")
                .texts("tokenizer.ggml.merges", {}));
  ASSERT_EQ(read.data.whyNone, "");
  EXPECT_EQ(read.data.types, std::vector<TokenType>(7, TokenType::normal));
  EXPECT_TRUE(read.data.merges.empty());
}

TEST(GGUFText, SentencePieceHasScoresAndASpace) {
  Read read(pieces());
  ASSERT_EQ(read.data.whyNone, "");
  EXPECT_EQ(read.data.kind, TokenizerKind::sentencePiece);
  EXPECT_EQ(read.data.scores, (std::vector<float>{0, 0, 0, -1}));
  EXPECT_TRUE(read.data.addsSpace);
  EXPECT_TRUE(read.data.addsBos);
  EXPECT_EQ(read.data.bos, 1);
  EXPECT_EQ(read.data.eos, 2);
  EXPECT_FALSE(
      Read(pieces().flag("tokenizer.ggml.add_space_prefix", 0)).data.addsSpace);
  EXPECT_FALSE(
      Read(pieces().flag("tokenizer.ggml.add_bos_token", 0)).data.addsBos);
}

TEST(GGUFText, BosComesFirstAsTheFileOrTheNameSays) {
  auto adds = [](const char *pre, std::optional<bool> asked) {
    GGUFBuilder builder = bytePairs(pre);
    builder.u32("tokenizer.ggml.bos_token_id", 0);
    if (asked)
      builder.flag("tokenizer.ggml.add_bos_token", *asked);
    return Read(builder).data.addsBos;
  };
  EXPECT_TRUE(adds("gpt-2", true));
  EXPECT_FALSE(adds("gpt-2", false));
  EXPECT_FALSE(adds("gpt-2", std::nullopt));
  EXPECT_TRUE(adds("llama-bpe", std::nullopt));
  EXPECT_FALSE(adds("llama-bpe", false));
  EXPECT_FALSE(Read(bytePairs("llama-bpe")).data.addsBos) << "there is no BOS";
  EXPECT_TRUE(Read(bytePairs("llama-bpe")).data.wholeWords);
  EXPECT_FALSE(Read(bytePairs("gpt-2")).data.wholeWords);
}

TEST(GGUFText, EosComesLastOnlyWhereTheFileSaysSo) {
  EXPECT_FALSE(Read(pieces()).data.addsEos);
  EXPECT_FALSE(
      Read(pieces().flag("tokenizer.ggml.add_eos_token", 0)).data.addsEos);
  EXPECT_TRUE(
      Read(pieces().flag("tokenizer.ggml.add_eos_token", 1)).data.addsEos);
  EXPECT_EQ(Read(pieces()
                     .flag("tokenizer.ggml.add_eos_token", 1)
                     .remove("tokenizer.ggml.eos_token_id"))
                .data.whyNone,
            "tokenizer.ggml.eos_token_id: missing, expected an id since "
            "tokenizer.ggml.add_eos_token is true; convert the checkpoint "
            "again");
}

TEST(GGUFText, AnswersEndAtIdsAndAtKnownTexts) {
  GGUFBuilder builder = bytePairs();
  builder.u32("tokenizer.ggml.eos_token_id", 3)
      .u32("tokenizer.ggml.eot_token_id", 2)
      .u32("tokenizer.ggml.eom_token_id", 2);
  // <|im_end|>; </s> is a word of the text here.
  EXPECT_EQ(Read(builder).data.ends, (std::vector<int32_t>{1, 2, 3}));
  // Ids are known without a tokenizer.
  builder.text("tokenizer.ggml.model", "bert");
  EXPECT_EQ(Read(builder).data.ends, (std::vector<int32_t>{2, 3}));
}

TEST(GGUFText, SaysWhyAProgramReadsNoText) {
  const std::string convert = "; convert the checkpoint again";
  const std::string useIds = "; use token ids in place of text";
  const std::string kinds = ", expected 'gpt2' (byte-level BPE) or 'llama' "
                            "(SentencePiece)" +
                            useIds;
  EXPECT_EQ(whyNone(GGUFBuilder()), "tokenizer.ggml.model: missing" + kinds);
  EXPECT_EQ(whyNone(bytePairs().text("tokenizer.ggml.model", "bert")),
            "tokenizer.ggml.model: 'bert'" + kinds);
  EXPECT_EQ(whyNone(bytePairs("kimi-k2")),
            "tokenizer.ggml.pre: 'kimi-k2', expected one of " +
                runtime::PreTokenizer::names() + useIds);
  EXPECT_EQ(whyNone(bytePairs().remove("tokenizer.ggml.tokens")),
            "tokenizer.ggml.tokens: missing or empty, expected an array of "
            "strings" +
                useIds + ", or convert the checkpoint again");
  EXPECT_EQ(whyNone(bytePairs().numbers<int32_t>("tokenizer.ggml.token_type",
                                                 kInt32, {1})),
            "tokenizer.ggml.token_type: 1 integers, expected one for each of 7 "
            "tokens" +
                convert);
  EXPECT_EQ(whyNone(bytePairs().numbers<int32_t>(
                "tokenizer.ggml.token_type", kInt32, {1, 7, 1, 1, 1, 1, 1})),
            "tokenizer.ggml.token_type: token 1 has type 7, expected 1 to 6" +
                convert);

  for (const char *merge : {"ab", "", "a "})
    EXPECT_EQ(whyNone(bytePairs().texts("tokenizer.ggml.merges", {merge})),
              "tokenizer.ggml.merges: entry 0 '" + std::string(merge) +
                  "' is no pair, expected two tokens and a space between" +
                  convert);
  EXPECT_EQ(whyNone(bytePairs().texts("tokenizer.ggml.merges", {"a b", "b a"})),
            "tokenizer.ggml.merges: entry 1 'b a' merges or makes what is no "
            "token, expected all three in tokenizer.ggml.tokens" +
                convert);
  EXPECT_EQ(whyNone(bytePairs().remove("tokenizer.ggml.merges")),
            "tokenizer.ggml.merges: missing, expected an array of strings" +
                useIds + ", or convert the checkpoint again");

  EXPECT_EQ(whyNone(pieces().numbers<float>("tokenizer.ggml.scores", kFloat32,
                                            {0, 0, 0})),
            "tokenizer.ggml.scores: 3 float32 numbers, expected one for each "
            "of 4 tokens" +
                convert);
  EXPECT_EQ(whyNone(pieces().numbers<float>("tokenizer.ggml.scores", kFloat32,
                                            {0, 0, 0, NAN})),
            "tokenizer.ggml.scores: that of token 3 is no number" + convert);

  EXPECT_EQ(whyNone(bytePairs().u32("tokenizer.ggml.eos_token_id", 7)),
            "tokenizer.ggml.eos_token_id: 7, expected a token id below 7" +
                convert);
  EXPECT_EQ(whyNone(bytePairs().text("tokenizer.ggml.bos_token_id", "x")),
            "tokenizer.ggml.bos_token_id: no integer, expected a token id "
            "below 7" +
                convert);
  EXPECT_EQ(whyNone(bytePairs().flag("tokenizer.ggml.add_bos_token", 1)),
            "tokenizer.ggml.bos_token_id: missing, expected an id since "
            "tokenizer.ggml.add_bos_token is true" +
                convert);
}
