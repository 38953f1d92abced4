//===- MessagesFuzzReplay.cpp - damaged messages, without a fuzzer --------===//
//
// Conversations and variables as JSON, cut and with flipped bytes -> the rules
// of MessagesVerify.h, under the sanitizers. Files on the command line, such as
// those that a fuzzer found, are replayed too. A file of its own because no
// fuzzing engine is needed.
//
//===----------------------------------------------------------------------===//

#include "Draws.h"
#include "MessagesVerify.h"

namespace corellama::test {
namespace {

constexpr std::string_view kConversations[] = {
    "[]",
    R"([{"role": "user", "content": "Hi"}])",
    R"({"messages": [{"role": "system", "content": "\u00e4\n"}, {"role": )"
    R"("user", "content": "<|im_end|>\ue001 x"}]})",
    R"([{"role": "user", "content": "[INST] <<SYS>>"}, {"role": "assistant", )"
    R"("content": "a[/INST]</s>"}, {"role": "user", "content": "b"}])",
    R"([{"role": "<|im_start|>", "content": ""}])",
    R"([{"role": "user", "content": [{"type": "text", "text": )"
    R"("\ud83d\ude00"}]}, {"role": "assistant", "content": null, )"
    R"("tool_calls": [{"function": {"name": "f", "arguments": {"a": [1, )"
    R"(-2.5e3, true]}}}]}])",
    R"([[[[1]]], {"": {}}, 9223372036854775807, 1e308])",
};
constexpr std::string_view kVariables[] = {
    "{}",
    R"({"enable_thinking": false, "tools": [{"type": "function", "function": )"
    R"({"name": "f\ue001", "parameters": {"b": 1, "a": [null, 0.1]}}}]})",
    R"({"bos_token": "\ue001", "documents": [{"title": "a"}, {"title": 2}]})",
    R"({"messages": 1})",
};

TEST(MessagesFuzzReplay, DamagedMessages) {
  Random random(13);
  int rendered = 0, refused = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string input(1, static_cast<char>(random()));
    input += kConversations[random() % std::size(kConversations)];
    if (random() % 2)
      input.append(1, '\0') += kVariables[random() % std::size(kVariables)];
    input = damaged(input, random);
    MessagesVerdict verdict = verifyMessages(input);
    ASSERT_EQ(verdict.fault, "") << i << ": " << input;
    ++(verdict.rendered ? rendered : refused);
  }
  // Neither half may be empty: the draws would not reach the rules.
  EXPECT_GT(rendered, 300);
  EXPECT_GT(refused, 300);
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  return corellama::test::replay(argc, argv, [](std::string_view input) {
    return corellama::test::verifyMessages(input).fault;
  });
}
