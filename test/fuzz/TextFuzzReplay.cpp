//===- TextFuzzReplay.cpp - damaged tokenizers, without a fuzzer ----------===//
//
// Small tokenizers as a text section, a tokenizer.model and a GGUF file, cut at
// every byte and with every byte replaced -> the rules of TextVerify.h, under
// the sanitizers. Files on the command line, such as those that a fuzzer found,
// are replayed too. A file of its own because no fuzzing engine is needed.
//
//===----------------------------------------------------------------------===//

#include "TextVerify.h"
#include "compiler/Text/TextSection.h"
#include "test/compiler/Checkpoint/GGUFBuilder.h"
#include "test/compiler/Text/ModelProto.h"
#include "test/runtime/Tokenizer/TokenViews.h"
#include "gtest/gtest.h"
#include <fstream>
#include <iterator>
#include <vector>

namespace corellama::test {
namespace {

std::vector<std::string> seeds() {
  using runtime::TokenType;
  runtime::TextData pairs;
  pairs.kind = runtime::TokenizerKind::byteLevel;
  pairs.preTokenizer = "gpt-2";
  pairs.tokens = runtime::test::viewsOf({"a", "b", "ab", "<s>", "a "});
  pairs.types = {TokenType::normal, TokenType::normal, TokenType::normal,
                 TokenType::control, TokenType::userDefined};
  pairs.merges = {{0, 1, 2}};
  pairs.bos = 3;
  pairs.ends = {3};
  pairs.chatTemplate = "{{ x }}";
  runtime::TextData none;
  none.whyNone = "a reason";
  none.ends = {1, 2};

  ModelProto model;
  model.piece("<unk>", 0, 2).piece("<s>", 0, 3).piece("</s>", 0, 3);
  model.piece("a", -1).piece("\u2581", -2).piece("\u2581a", -0.5);
  model.piece("<0x41>", 0, 6).piece("b ", 0, 4).piece("aa", -3, 5);

  GGUFBuilder gguf;
  gguf.text("tokenizer.ggml.model", "llama")
      .texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "a", "aa"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {2, 3, 3, 1, 1})
      .numbers<float>("tokenizer.ggml.scores", kFloat32, {0, 0, 0, -1, -2})
      .u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2);
  GGUFBuilder pairsFile;
  pairsFile.text("tokenizer.ggml.model", "gpt2")
      .texts("tokenizer.ggml.tokens", {"a", "b", "ab", "<|im_end|>"})
      .numbers<int32_t>("tokenizer.ggml.token_type", kInt32, {1, 1, 1, 3})
      .texts("tokenizer.ggml.merges", {"a b"})
      .text("tokenizer.chat_template", "{{ x }}");
  return {writeTextSection(pairs), writeTextSection(none), model.file(),
          gguf.build(), pairsFile.build()};
}

TEST(TextFuzzReplay, SoundOnesAreAccepted) {
  size_t accepted = 0;
  for (const std::string &seed : seeds()) {
    TextVerdict verdict = verifyText(seed);
    EXPECT_EQ(verdict.fault, "");
    accepted += verdict.accepted;
  }
  EXPECT_EQ(accepted, 4u);
}

TEST(TextFuzzReplay, CutsAtEveryByte) {
  for (const std::string &seed : seeds())
    for (size_t size = 0; size < seed.size(); ++size)
      ASSERT_EQ(verifyText(std::string(seed, 0, size)).fault, "") << size;
}

TEST(TextFuzzReplay, EveryByteReplaced) {
  for (const std::string &seed : seeds())
    for (size_t at = 0; at < seed.size(); ++at)
      for (int value : {0x00, 0x01, 0x02, 0x08, 0x7F, 0x80, 0xFF}) {
        std::string damaged = seed;
        damaged[at] = static_cast<char>(value);
        ASSERT_EQ(verifyText(damaged).fault, "") << at << " is " << value;
      }
}

std::vector<std::string> files;

TEST(TextFuzzReplay, FilesOfTheCommandLine) {
  for (const std::string &path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(verifyText(bytes).fault, "") << path;
  }
}

} // namespace
} // namespace corellama::test

int main(int argc, char **argv) {
  testing::InitGoogleTest(&argc, argv);
  corellama::test::files.assign(argv + 1, argv + argc);
  return RUN_ALL_TESTS();
}
