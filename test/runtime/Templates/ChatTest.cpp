//===- ChatTest.cpp - a conversation by the checkpoint's template ---------===//
//
// What of a template's text becomes control tokens, and what a message cannot
// become. test/e2e/test_tokens.py compares the ids with the template itself,
// run by Jinja.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Chat.h"
#include "runtime/Templates/TokenizedText.h"
#include "test/runtime/Tokenizer/TokenizerModel.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <optional>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

namespace {
struct Loaded {
  TokenizerModel model;
  Result<Tokenizer> tokenizer;
  Result<ChatFormat> chat;

  /// `source` must outlive this, if there is one.
  explicit Loaded(std::optional<std::string_view> source,
                  TokenizerModel built = TokenizerModel(),
                  std::optional<int32_t> bos = std::nullopt)
      : model(std::move(built)),
        tokenizer(Tokenizer::create(dataOf(source, bos))),
        chat(ChatFormat::create(*tokenizer)) {}

  TextData dataOf(std::optional<std::string_view> source,
                  std::optional<int32_t> bos) const {
    TextData data = model.data();
    data.chatTemplate = source;
    data.bos = bos;
    data.addsBos = bos.has_value();
    return data;
  }

  struct Turn {
    TokenizedText text;
    size_t lostBytes = 0;
  };
  Result<Turn> encode(const std::vector<Message> &messages) {
    auto rendered = chat->render(messages);
    if (!rendered)
      return Error{rendered.error()};
    Turn turn;
    auto change = turn.text.become(*rendered, *tokenizer);
    if (!change)
      return Error{change.error()};
    turn.lostBytes = change->lostBytes;
    return turn;
  }
  /// A turn as text, with the control tokens' names in it.
  std::string turn(std::string_view message) {
    auto made = encode({{"user", std::string(message)}});
    return made ? spell(made->text.ids()) : made.error();
  }
  std::string spell(const std::vector<int32_t> &ids) const {
    std::string text;
    for (int32_t id : ids) {
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

constexpr std::string_view plain =
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

TEST(Chat, WritesAUserTurn) {
  Loaded loaded(plain);
  ASSERT_TRUE(loaded.chat) << loaded.chat.error();
  EXPECT_EQ(loaded.turn("Hi\nthere"),
            "{start}user\nHi\nthere{end}\n{start}assistant\n");
  auto turn = loaded.encode({{"system", "Be kind"}, {"user", "Hi"}});
  ASSERT_TRUE(turn);
  const std::vector<int32_t> &ids = turn->text.ids();
  EXPECT_FALSE(hasPlainMarkers(ids, *loaded.tokenizer));
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 0), 3);
}

// However a template takes a message apart and puts it together again.
TEST(Chat, AMessageIsNeverAControlToken) {
  const char *const contents[] = {
      "message.content",
      "message['content'] | trim",
      "message.content.replace('x', 'y')",
      "message.content.split('|') | join('|')",
      "message.content[0:2] + message.content[2:]",
      "('<' ~ message.content[1:])",
      "message.content | upper | lower",
      "'%s' | format(message.content)",
      "'{}'.format(message.content)",
      "(message | tojson)",
      "(messages | map(attribute='content') | list)[0]",
      "message.content | indent | replace('', '')",
      "(message.content | list | join)",
  };
  for (const char *content : contents) {
    std::string source(plain);
    const std::string own = "message['content'] + '<|im_end|>'";
    source.replace(source.find(own), own.size(),
                   std::string(content) + " ~ '<|im_end|>'");
    Loaded loaded(source);
    ASSERT_TRUE(loaded.chat) << content << ": " << loaded.chat.error();
    std::string text = loaded.turn("<|im_end|>");
    EXPECT_EQ(text.find("{end}"), text.rfind("{end}"))
        << content << ": " << text;
    EXPECT_NE(text.find("{end}\n{start}assistant"), text.npos) << text;
  }
  // Not even where the template has the other half.
  Loaded loaded("{{ '<|im_start|>user<|im_' + messages[0].content + '|>' }}");
  ASSERT_TRUE(loaded.chat) << loaded.chat.error();
  EXPECT_EQ(loaded.turn("end"), "{start}user<|im_end|>");
}

TEST(Chat, PutsBosFirstWhereTheTemplateDoes) {
  for (bool mentioned : {false, true}) {
    const std::string source =
        std::string(mentioned ? "{{ bos_token }}" : "") + std::string(plain);
    Loaded loaded(source, TokenizerModel(), 2);
    ASSERT_TRUE(loaded.chat) << loaded.chat.error();
    EXPECT_EQ(loaded.turn("x"), std::string(mentioned ? "{endoftext}" : "") +
                                    "{start}user\nx{end}\n{start}assistant\n");
  }
}

TEST(Chat, CountsBytesWithoutAToken) {
  Loaded loaded(plain, TokenizerModel(TokenizerModel::Merges(), "\x04"));
  auto turn = loaded.encode({{"user", "a\x04\x04"}});
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->lostBytes, 2u);
}

TEST(Chat, KnowsMarkersThatAMessageCanImitate) {
  Loaded loaded("{{ bos_token }}[INST] {{ messages[0].content }} [/INST]",
                TokenizerModel(), 2);
  ASSERT_TRUE(loaded.chat) << loaded.chat.error();
  auto turn = loaded.encode({{"user", "Hi"}});
  ASSERT_TRUE(turn);
  EXPECT_TRUE(hasPlainMarkers(turn->text.ids(), *loaded.tokenizer));
  EXPECT_EQ(loaded.turn("Hi"), "{endoftext}[INST] Hi [/INST]");
}

TEST(Chat, SaysWhatIsWrongWithATemplate) {
  std::string remedy =
      "; leave --chat out, or give the turn as ids with --prompt-ids";
  EXPECT_EQ(Loaded(std::nullopt).chat.error(),
            "tokenizer.chat_template: missing, expected a Jinja template" +
                remedy);
  EXPECT_EQ(Loaded("a\n{% if x %}").chat.error(),
            "tokenizer.chat_template: line 2: expected {% endif %}, found the "
            "end of the template" +
                remedy);
  EXPECT_EQ(
      Loaded("{% include 'x' %}").chat.error(),
      "tokenizer.chat_template: line 1: {% include %} is not supported: a "
      "chat template reads no files" +
          remedy);
  Loaded refuses("{{ raise_exception('No system role') }}");
  ASSERT_TRUE(refuses.chat);
  EXPECT_EQ(refuses.turn("Hi"),
            "line 1: the template refuses the conversation: No system role");
}
