//===- ConstraintTest.cpp - an answer that follows a grammar --------------===//
//
// Where answers end, and what of a vocabulary is never allowed.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Constraint.h"

#include "runtime/Grammar/Gbnf.h"
#include "test/runtime/Tokenizer/TokenizerModel.h"

#include "gtest/gtest.h"

#include <algorithm>

using namespace corellama::runtime;
using namespace corellama::runtime::test;

namespace {
class ConstraintTest : public testing::Test {
protected:
  /// The tokens that may follow a text, spelled, or "(end)", joined by spaces;
  /// what else mayGoOn() says.
  std::string allowedAfter(const std::string &text, const char *grammar,
                           bool ignoreEnd = false) {
    auto tokenizer = Tokenizer::create(model.data());
    EXPECT_TRUE(tokenizer) << tokenizer.error();
    auto rules = grammar::parseGbnf(grammar);
    EXPECT_TRUE(rules) << rules.error();
    auto constraint = Constraint::create(*rules, *tokenizer, ends, ignoreEnd);
    EXPECT_TRUE(constraint) << constraint.error();
    EXPECT_TRUE((*constraint)->accept(text));
    if (!(*constraint)->mayGoOn())
      return "none: " + (*constraint)->failure();
    std::string all;
    auto mask = (*constraint)->allowed();
    for (size_t id = 0; id < tokenizer->size(); ++id)
      if (mask[id / 64] >> (id % 64) & 1) {
        all += all.empty() ? "" : " ";
        if (std::ranges::count(ends, int32_t(id)))
          all += "(end)";
        else
          tokenizer->decode(int32_t(id), all);
      }
    return all;
  }

  TokenizerModel model{TokenizerModel::Merges{{"a", "b"}, {"c", "d"}}};
  /// The second is none of the vocabulary.
  std::vector<int32_t> ends = {2, 100000};
};
} // namespace

TEST_F(ConstraintTest, EndsWhereTheGrammarMayEnd) {
  EXPECT_EQ(allowedAfter("", "root ::= \"ab\"?"), "(end) a ab");
  EXPECT_EQ(allowedAfter("a", "root ::= \"ab\"?"), "b");
  EXPECT_EQ(allowedAfter("ab", "root ::= \"ab\"?"), "(end)");
}

TEST_F(ConstraintTest, IgnoringTheEndItComesLast) {
  EXPECT_EQ(allowedAfter("", "root ::= \"ab\"?", true), "a ab");
  EXPECT_EQ(allowedAfter("ab", "root ::= \"ab\"?", true), "(end)");
}

/// Neither control tokens nor those of no bytes, whatever the grammar says.
TEST_F(ConstraintTest, ControlTokensAreNoText) {
  model.add("", TokenType::normal);
  model.add("<|user|>", TokenType::userDefined); // defined by the user: text
  EXPECT_EQ(allowedAfter("", "root ::= \"<|im_start|>\" | \"<|user|>\""),
            "< <|user|>");
}

TEST_F(ConstraintTest, NothingCanFollow) {
  ends.clear();
  EXPECT_EQ(allowedAfter("ab", "root ::= \"ab\"?"), "none: ");
  model = TokenizerModel({}, "b");
  EXPECT_EQ(allowedAfter("a", "root ::= \"ab\""),
            "none: no token of this vocabulary continues the text as the "
            "grammar asks");
}
