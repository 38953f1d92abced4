//===- ChatTest.cpp - a user's turn by the checkpoint's template ----------===//
//
// Which templates are taken for ChatML, where their default system message is
// found, and the ids of a turn. test/e2e/test_tokens.py compares the ids with
// the template itself, run by Jinja.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Chat.h"

#include "test/runtime/Tokenizer/MetadataBuilder.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

namespace {
struct Loaded {
  MetadataBuilder builder;
  Result<Metadata> metadata;
  Result<Tokenizer> tokenizer;
  Result<ChatFormat> chat;

  explicit Loaded(MetadataBuilder built)
      : builder(std::move(built)), metadata(builder.parse()),
        tokenizer(Tokenizer::create(*metadata)),
        chat(ChatFormat::create(*metadata, *tokenizer)) {}

  /// A turn as text, with the control tokens' names in it.
  std::string turn(std::string_view message) {
    Result<std::vector<int32_t>> ids = chat->userTurn(message, *tokenizer);
    EXPECT_TRUE(ids);
    std::string text;
    for (int32_t id : *ids) {
      const char *names[] = {"{start}", "{end}", "{endoftext}"};
      if (id < 3)
        text += names[id];
      else
        tokenizer->decode(id, text);
    }
    return text;
  }
};
} // namespace

static MetadataBuilder withTemplate(std::string_view source,
                                    TokenizerModel model = TokenizerModel()) {
  MetadataBuilder builder = model.metadata();
  builder.string("tokenizer.chat_template", source);
  return builder;
}

constexpr std::string_view plain =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(Chat, WritesAUserTurn) {
  Loaded loaded(withTemplate(plain));
  ASSERT_TRUE(loaded.chat) << loaded.chat.error();
  EXPECT_FALSE(loaded.chat->systemMessage());
  EXPECT_EQ(loaded.turn("Hi\nthere"),
            "{start}user\nHi\nthere{end}\n{start}assistant\n");
  EXPECT_EQ(loaded.turn("<|im_end|>"),
            "{start}user\n<|im_end|>{end}\n{start}assistant\n")
      << "and it is text, not the token";
}

TEST(Chat, TakesTheSystemMessageOutOfTheTemplate) {
  struct Row {
    const char *name;
    std::string source;
    std::optional<std::string> system;
  };
  const Row rows[] = {
      {"a literal with a real newline",
       "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe "
       "kind<|im_end|>\n' }}{% endif %}",
       "Be kind"},
      {"a literal with escapes, after one put together",
       "{%- if messages[0].role == 'system' %}{{- '<|im_start|>system\\n' + "
       "messages[0].content + '<|im_end|>\\n' }}{%- else %}{{- "
       "\"<|im_start|>system\\nIt\\'s \\\"so\\\"\\t\\\\<|im_end|>\\n\" }}"
       "{%- endif %}",
       "It's \"so\"\t\\"},
      {"text outside of tags",
       "{% if not system %}<|im_start|>system\nA { brace<|im_end|>\n"
       "{% endif %}",
       "A { brace"},
      {"a comment with an apostrophe",
       "{# it's <|im_start|>system\nno<|im_end|> #}{{ '<|im_start|>system\n"
       "yes<|im_end|>' }}",
       "yes"},
      {"an empty one", "{{ '<|im_start|>system\n<|im_end|>\n' }}", ""},
      {"the user's own only",
       "{{ '<|im_start|>system\n' + content + '<|im_end|>\n' }}", std::nullopt},
      {"cut inside of a literal", "{{ '<|im_end|><|im_start|>system\n",
       std::nullopt},
  };
  for (const Row &row : rows) {
    Loaded loaded(withTemplate(row.source + std::string(plain)));
    ASSERT_TRUE(loaded.chat) << row.name;
    EXPECT_EQ(loaded.chat->systemMessage(), row.system) << row.name;
  }
  Loaded loaded(withTemplate(rows[0].source + std::string(plain)));
  EXPECT_EQ(loaded.turn("Hi"),
            "{start}system\nBe kind{end}\n{start}user\nHi{end}\n"
            "{start}assistant\n");
}

TEST(Chat, PutsBosFirstWhereTheTemplateDoes) {
  for (bool mentioned : {false, true}) {
    MetadataBuilder builder = withTemplate(
        std::string(mentioned ? "{{ bos_token }}" : "") + std::string(plain));
    builder.u32("tokenizer.ggml.bos_token_id", 2)
        .boolean("tokenizer.ggml.add_bos_token", true);
    Loaded loaded(std::move(builder));
    ASSERT_TRUE(loaded.chat) << loaded.chat.error();
    EXPECT_EQ(loaded.turn("x"), std::string(mentioned ? "{endoftext}" : "") +
                                    "{start}user\nx{end}\n{start}assistant\n");
  }
}

TEST(Chat, CountsBytesWithoutAToken) {
  Loaded loaded(
      withTemplate(plain, TokenizerModel(TokenizerModel::Merges(), "\x04")));
  size_t lost = 0;
  ASSERT_TRUE(loaded.chat->userTurn("a\x04\x04", *loaded.tokenizer, &lost));
  EXPECT_EQ(lost, 2u);
}

TEST(Chat, SaysWhichTemplatesItKnows) {
  std::string remedy =
      "; leave --chat out, or give the turn as ids with --prompt-ids";
  EXPECT_EQ(Loaded(TokenizerModel().metadata()).chat.error(),
            "tokenizer.chat_template: missing, expected ChatML, the only "
            "template known" +
                remedy);
  EXPECT_EQ(Loaded(withTemplate("[INST] {{ x }} [/INST]")).chat.error(),
            "tokenizer.chat_template: no <|im_start|> and <|im_end|> in it, "
            "expected ChatML, the only template known" +
                remedy);
  TokenizerModel model;
  model.tokens[0] = "<|start|>";
  EXPECT_EQ(Loaded(withTemplate(plain, model)).chat.error(),
            "tokenizer.chat_template: uses <|im_start|> and <|im_end|>, "
            "expected both in tokenizer.ggml.tokens" +
                remedy);
}
