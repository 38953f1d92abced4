//===- PreTokenizerTest.cpp - text to words -------------------------------===//
//
// What each pre-tokenizer does where they differ. The expected words are those
// of Hugging Face's tokenizers with the expressions of the checkpoints'
// tokenizer.json (test/e2e/test_tokens.py compares many more texts, by ids).
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/PreTokenizer.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;

using Words = std::vector<std::string_view>;

static Words split(std::string_view pre, std::string_view text) {
  Result<PreTokenizer> preTokenizer = PreTokenizer::create(pre);
  EXPECT_TRUE(preTokenizer);
  Words words;
  std::optional<Error> error = preTokenizer->split(text, words);
  EXPECT_FALSE(error);
  return words;
}

TEST(PreTokenizer, CutsNumbersAsItsNameSays) {
  EXPECT_EQ(split("gpt-2", "a 12345"), (Words{"a", " 12345"}));
  EXPECT_EQ(split("smollm", "a 12345"),
            (Words{"a", " ", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(split("llama-bpe", "a 12345"), (Words{"a", " ", "123", "45"}));
  EXPECT_EQ(split("qwen2", "a 12345"),
            (Words{"a", " ", "1", "2", "3", "4", "5"}));
  EXPECT_EQ(split("default", "a 12345"), (Words{"a", " ", "123", "45"}));
}

TEST(PreTokenizer, CutsContractions) {
  EXPECT_EQ(split("gpt-2", "I'll I'LL"), (Words{"I", "'ll", " I", "'", "LL"}));
  EXPECT_EQ(split("llama-bpe", "I'll I'LL"), (Words{"I", "'ll", " I", "'LL"}));
  // Without regard to case, s is also U+017F.
  EXPECT_EQ(split("llama-bpe", "it'\u017F1"), (Words{"it", "'\u017F", "1"}));
}

TEST(PreTokenizer, CutsCamelCaseForTekkenOnly) {
  EXPECT_EQ(split("tekken", "camelCaseWord HTTPServer"),
            (Words{"camel", "Case", "Word", " HTTPServer"}));
  EXPECT_EQ(split("qwen2", "camelCaseWord HTTPServer"),
            (Words{"camelCaseWord", " HTTPServer"}));
}

TEST(PreTokenizer, CutsTheSuffixOfACasedWordWithIt) {
  EXPECT_EQ(split("gpt-4o", "theyRe'LL 1234"),
            (Words{"they", "Re'LL", " ", "123", "4"}));
}

TEST(PreTokenizer, CutsByScriptForDeepSeek) {
  for (const char *pre : {"deepseek-llm", "deepseek-coder"}) {
    EXPECT_EQ(split(pre, "a\n\nb \u4E2D\u6587 12"),
              (Words{"a", "\n", "\n", "b", " ", "\u4E2D\u6587", " ", "1", "2"}))
        << pre;
    // Digits between U+0800 and U+4E00 are cut out of their run.
    EXPECT_EQ(split(pre, "\u0915\u0967"), (Words{"\u0915", "\u0967"})) << pre;
  }
  EXPECT_EQ(split("deepseek-llm", "\u0430\U0001D41A  "),
            (Words{"\u0430", "\U0001D41A", "  "}))
      << "bold a is not among its letters";
  EXPECT_EQ(split("deepseek-v3", "=then 1234\u4E2D"),
            (Words{"=then", " ", "123", "4", "\u4E2D"}));
}

TEST(PreTokenizer, CutsWhiteSpace) {
  EXPECT_EQ(split("gpt-2", "a   b \n"), (Words{"a", "  ", " b", " \n"}));
  EXPECT_EQ(split("llama-bpe", "a \n\n b"), (Words{"a", " \n\n", " b"}));
  // Digits end a text for what stands before them.
  EXPECT_EQ(split("smollm", "a  1"), (Words{"a", "  ", "1"}));
  EXPECT_EQ(split("gpt-2", "a  1"), (Words{"a", " ", " 1"}));
  // White space in Unicode but not in ASCII, and the reverse of a common error.
  EXPECT_EQ(split("gpt-2", "\u3000\u0085!"), (Words{"\u3000", "\u0085", "!"}));
  EXPECT_EQ(split("gpt-2", "!\u180E!"), (Words{"!\u180E!"}));
  EXPECT_EQ(split("gpt-2", "!\x1C!"), (Words{"!\x1C!"}));
}

TEST(PreTokenizer, KeepsInvalidBytesApart) {
  EXPECT_EQ(split("gpt-2", "ab\xFF"
                           "cd"),
            (Words{"ab", "\xFF", "cd"}));
  EXPECT_EQ(split("gpt-2", "a\xE4\xBD"), (Words{"a", "\xE4\xBD"}));
  EXPECT_EQ(split("gpt-2", "\xED\xA0\x80"), (Words{"\xED", "\xA0", "\x80"}));
  EXPECT_EQ(split("gpt-2", std::string_view("a\0b", 3)),
            (Words{"a", std::string_view("\0", 1), "b"}));
  EXPECT_EQ(split("gpt-2", ""), Words());
}

/// A million bytes that invite backtracking: each must be linear, and none may
/// run into the limit.
TEST(PreTokenizer, HasNoSlowTexts) {
  std::string spaces(1'000'000, ' ');
  std::string letters(1'000'000, 'A');
  std::string lines, quotes;
  for (int i = 0; i < 500'000; ++i) {
    lines += " \n";
    quotes += "'S";
  }
  // A digit behind white space, which DeepSeek cuts only at the end.
  std::string digit = spaces + "1";
  for (const char *pre :
       {"smollm", "gpt-2", "llama-bpe", "qwen2", "tekken", "default", "qwen35",
        "seed-coder", "minicpm5", "gpt-4o", "falcon", "deepseek-llm",
        "deepseek-coder", "deepseek-v3", "viking"}) {
    for (const std::string *text :
         {&spaces, &letters, &lines, &quotes, &digit}) {
      std::string input = *text + "x";
      size_t total = 0;
      for (std::string_view word : split(pre, input))
        total += word.size();
      EXPECT_EQ(total, input.size()) << pre;
    }
  }
}

TEST(PreTokenizer, RefusesAnUnknownName) {
  Result<PreTokenizer> preTokenizer = PreTokenizer::create("kimi-k2");
  ASSERT_FALSE(preTokenizer);
  EXPECT_EQ(preTokenizer.error(), "pre-tokenizer: 'kimi-k2', expected one of " +
                                      PreTokenizer::names() +
                                      "; use token ids in place of text");
  EXPECT_TRUE(PreTokenizer::names().starts_with("default, gpt-2, phi-2, "));
}

/// Every row of the table compiles.
TEST(PreTokenizer, KnowsItsOwnNames) {
  std::string names = PreTokenizer::names() + ", ";
  for (size_t at = 0, end; (end = names.find(", ", at)) != names.npos;
       at = end + 2) {
    std::string name = names.substr(at, end - at);
    EXPECT_TRUE(PreTokenizer::create(name)) << name;
    EXPECT_EQ(split(name, "word"), Words{"word"}) << name;
  }
}
