//===- TextDataTest.cpp - the text section, sound and damaged -------------===//
//
// What the compiler's writer writes comes back field by field, and damaged
// bytes end in the stated error. The bytes are copied to a block of their exact
// size, so that a read outside is seen by a sanitizer; test/fuzz draws more.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/TextData.h"

#include "compiler/Text/TextSection.h"
#include "test/runtime/Tokenizer/TokenViews.h"
#include "gtest/gtest.h"

#include <cmath>
#include <functional>

using namespace corellama;
using namespace corellama::runtime;
using runtime::test::toVector;
using runtime::test::viewsOf;

static Result<TextData> parse(std::string_view bytes) {
  const std::vector<uint8_t> copy(bytes.begin(), bytes.end());
  Result<TextData> data = TextData::parse(copy);
  if (!data)
    return data;
  // The texts view the copy: keep none of them.
  data->tokens = viewsOf(std::vector<std::string_view>(data->tokens.size()));
  data->preTokenizer = "";
  data->chatTemplate.reset();
  return data;
}

/// Views of constants.
static TextData bytePairs() {
  TextData data;
  data.kind = TokenizerKind::byteLevel;
  data.preTokenizer = "gpt-2";
  data.wholeWords = true;
  data.tokens = viewsOf({"a", "", "b", "ab", "<s>"});
  data.types = {TokenType::normal, TokenType::unused, TokenType::normal,
                TokenType::normal, TokenType::control};
  data.merges = {{0, 2, 3}, {2, 2, 1}};
  data.bos = 4;
  data.addsBos = true;
  data.addsEos = true;
  data.ends = {1, 4};
  data.chatTemplate = "{{ x }}";
  return data;
}

static TextData pieces() {
  TextData data;
  data.kind = TokenizerKind::sentencePiece;
  data.tokens = viewsOf({"<unk>", "a"});
  data.types = {TokenType::unknown, TokenType::normal};
  data.scores = {0, -1.5F};
  data.addsSpace = true;
  data.eos = 1;
  return data;
}

static TextData none() {
  TextData data;
  data.whyNone = "a reason";
  data.ends = {7, 100000};
  return data;
}

TEST(TextData, ComesBackFieldByField) {
  for (const TextData &data : {bytePairs(), pieces(), none(), TextData()}) {
    const std::string bytes = writeTextSection(data);
    Result<TextData> back = TextData::parse(
        {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
    ASSERT_TRUE(back) << back.error();
    EXPECT_EQ(back->kind, data.kind);
    EXPECT_EQ(back->whyNone, data.whyNone);
    EXPECT_EQ(toVector(back->tokens), toVector(data.tokens));
    EXPECT_EQ(back->types, data.types);
    EXPECT_EQ(back->scores, data.scores);
    ASSERT_EQ(back->merges.size(), data.merges.size());
    for (size_t i = 0; i < data.merges.size(); ++i) {
      EXPECT_EQ(back->merges[i].left, data.merges[i].left);
      EXPECT_EQ(back->merges[i].right, data.merges[i].right);
      EXPECT_EQ(back->merges[i].result, data.merges[i].result);
    }
    EXPECT_EQ(back->preTokenizer, data.preTokenizer);
    EXPECT_EQ(back->wholeWords, data.wholeWords);
    EXPECT_EQ(back->addsSpace, data.addsSpace);
    EXPECT_EQ(back->bos, data.bos);
    EXPECT_EQ(back->eos, data.eos);
    EXPECT_EQ(back->addsBos, data.addsBos);
    EXPECT_EQ(back->addsEos, data.addsEos);
    EXPECT_EQ(back->ends, data.ends);
    EXPECT_EQ(back->chatTemplate, data.chatTemplate);
  }
}

TEST(TextData, RefusesTruncationAtEveryByte) {
  for (const TextData &data : {bytePairs(), pieces(), none()}) {
    const std::string bytes = writeTextSection(data);
    for (size_t length = 0; length < bytes.size(); ++length)
      EXPECT_EQ(parse(bytes.substr(0, length)).error(),
                "image: text: ends too early, at " + std::to_string(length) +
                    " bytes; the program is damaged, copy or compile it again");
    EXPECT_EQ(parse(bytes + "x").error(),
              "image: text: has more than it says, of " +
                  std::to_string(bytes.size() + 1) +
                  " bytes; the program is damaged, copy or compile it again");
  }
}

TEST(TextData, RefusesWhatBreaksARule) {
  struct Row {
    const char *rule;
    std::function<void(TextData &)> damage;
    bool isPieces;
    const char *message;
  };
  const Row rows[] = {
      {"T1",
       [](TextData &d) {
         d = none();
         d.tokens = viewsOf({"a"});
         d.types = {TokenType::normal};
       },
       false, "1 tokens for a tokenizer of kind 0"},
      {"T1",
       [](TextData &d) {
         d = TextData();
         d.kind = TokenizerKind::byteLevel;
       },
       false, "0 tokens for a tokenizer of kind 1"},
      {"T2", [](TextData &d) { d.types[3] = TokenType(0); }, false,
       "token 3 has type 0, expected 1 to 6"},
      {"T2", [](TextData &d) { d.types[1] = TokenType(7); }, true,
       "token 1 has type 7, expected 1 to 6"},
      {"T3", [](TextData &d) { d.scores[1] = NAN; }, true,
       "the score of token 1 is no number"},
      {"T4", [](TextData &d) { d.merges[1].left = 5; }, false,
       "merge 1 is 5, expected a token id below 5"},
      {"T4", [](TextData &d) { d.merges[0].right = -1; }, false,
       "merge 0 is -1, expected a token id below 5"},
      {"T4", [](TextData &d) { d.merges[0].result = 7; }, false,
       "merge 0 is 7, expected a token id below 5"},
      {"T5", [](TextData &d) { d.bos = 5; }, false,
       "bos is 5, expected a token id below 5"},
      {"T5", [](TextData &d) { d.eos = -2; }, true,
       "eos is -2, expected a token id below 2"},
      {"T6", [](TextData &d) { d.ends = {2, 5}; }, false,
       "end 1 is 5, expected a token id below 5"},
      {"T6", [](TextData &d) { d.ends = {2, 2}; }, false,
       "end 1 is 2, expected more than 2"},
  };
  for (const Row &row : rows) {
    TextData data = row.isPieces ? pieces() : bytePairs();
    row.damage(data);
    EXPECT_EQ(parse(writeTextSection(data)).error(),
              std::string("image: text: ") + row.message +
                  "; the program is damaged, copy or compile it again")
        << row.rule;
  }
  std::string kind = writeTextSection(pieces());
  kind[0] = 3;
  EXPECT_EQ(parse(kind).error(),
            "image: text: kind 3, expected 0 to 2; the "
            "program is damaged, copy or compile it again");
}

TEST(TextData, SurvivesEveryByteReplaced) {
  for (const TextData &data : {bytePairs(), pieces(), none()})
    for (size_t at = 0; at < writeTextSection(data).size(); ++at)
      for (uint8_t value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        std::string bytes = writeTextSection(data);
        bytes[at] = static_cast<char>(value);
        Result<TextData> read = parse(bytes);
        if (read)
          EXPECT_LE(read->tokens.size(), bytes.size());
        else
          EXPECT_TRUE(read.error().ends_with("copy or compile it again"));
      }
}
