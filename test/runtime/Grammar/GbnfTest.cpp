//===- GbnfTest.cpp - grammars in llama.cpp's notation --------------------===//
//
// The notation piece by piece, and each message whole.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Grammar/Matching.h"

#include <vector>

using namespace corellama::runtime::grammar;
using namespace corellama::runtime::grammar::test;

TEST(Gbnf, Notation) {
  const struct {
    const char *grammar;
    std::vector<const char *> whole, others;
  } cases[] = {
      {"root ::= \"a\\n\\t\\\"\\\\\\x41\\u00e9\\U0001F600é\"",
       {"a\n\t\"\\Aé😀é"},
       {"", "a", "b"}},
      {"root ::= [a-c\\]x-] [^a-c] .", {"aé\n", "]x😀", "-zz"}, {"dzz", "aaz"}},
      {"root ::= [-a] [^-]", {"-a", "aa"}, {"--", "ba"}},
      {"root ::= \"a\" | \"b\" |\n  \"c\" # and a comment\n",
       {"a", "c"},
       {"d"}},
      {"# first\n\nroot ::= (\n \"a\"\n # inside\n | \"b\" )+\n  ",
       {"a", "abba"},
       {"", "c"}},
      {"root ::= \"a\"? \"b\"* \"c\"+", {"c", "abbcc", "acc"}, {"ab", "aac"}},
      {"root ::= \"a\"{2} \"b\"{1,} \"c\"{ 0 , 2 }",
       {"aab", "aabbcc"},
       {"ab", "aabccc", "aa"}},
      {"root ::= \"a\"{0} \"b\"", {"b"}, {"ab"}},
      {"root ::= (\"a\"+)? x_1-Y\nx_1-Y ::= \"x\" |", {"", "a", "aax"}, {"xx"}},
      {"root ::= \"a\"\r\nb ::= \"b\"\r\n", {"a"}, {"b"}},
      {"root ::=\n  \"a\"", {"a"}, {"b"}},
      {"root ::= []\"a\" | \"b\"", {"b"}, {"a"}},
      {"root ::= [\\u4e00-\\u9fff]{1,3}",
       {"一", "鿿中"},
       {"", "a", "一一一一"}},
  };
  for (const auto &[grammar, whole, others] : cases) {
    Matching fit(grammar);
    for (const char *text : whole)
      EXPECT_EQ(fit(text), Fit::whole) << grammar << " <- " << text;
    for (const char *text : others)
      EXPECT_NE(fit(text), Fit::whole) << grammar << " <- " << text;
  }
}

TEST(Gbnf, Messages) {
  const struct {
    std::string grammar, message;
  } cases[] = {
      {"", "line 1, column 1: there is no rule 'root', with which an answer "
           "begins"},
      {"a ::= \"x\"\n", "line 2, column 1: there is no rule 'root', with which "
                        "an answer begins"},
      {"root = \"a\"", "line 1, column 6: expected '::=' after the rule's "
                       "name, found '='"},
      {"::= \"a\"", "line 1, column 1: expected the name of a rule, found ':'"},
      {"root ::= \"a",
       "line 1, column 10: a literal has no closing '\"' on its "
       "line"},
      {"root ::= [a\n]", "line 1, column 10: a class of characters has no "
                         "closing ']' on its line"},
      {"root ::= \"\\q\"",
       "line 1, column 11: expected an escape \\n, \\r, \\t, \\\\, \\\", \\[, "
       "\\], \\xHH, \\uHHHH or \\UHHHHHHHH"},
      {"root ::= \"\\x4\"",
       "line 1, column 11: expected 2 hexadecimal digits after \\x"},
      {"root ::= \"\\uD800\"",
       "line 1, column 11: no character has the code point '\\uD800'"},
      {"root ::= \"\\U00110000\"",
       "line 1, column 11: no character has the code point '\\U00110000'"},
      {"root ::= [z-a]", "line 1, column 11: the range 'z-a' ends before it "
                         "begins"},
      {"root ::= (\"a\"", "line 1, column 14: expected ')' at the end of a "
                          "group, found the end of the file"},
      {"root ::= \"a\")",
       "line 1, column 13: expected a part of rule 'root' or "
       "the end of the line, found ')'"},
      {"root ::= \"a\"\n  | \"b\"",
       "line 2, column 3: expected the name of a rule, found '|'"},
      {"root ::= \"a\"{x}", "line 1, column 14: expected a number of "
                            "repetitions, found 'x'"},
      {"root ::= \"a\"{1,2",
       "line 1, column 17: expected '}' after the numbers "
       "of repetitions, found the end of the file"},
      {"root ::= \"a\"{3,2}", "line 1, column 13: from 3 to 2 repetitions, "
                              "expected the smaller number first"},
      {"root ::= \"a\"{99999999999}", "line 1, column 14: more than 4294967294 "
                                      "repetitions; leave the end out"},
      {"root ::= a b\na ::= \"x\"",
       "line 1, column 12: rule 'b' is not defined; add `b ::= ...`"},
      {"root ::= \"a\"\nroot ::= \"b\"",
       "line 2, column 1: rule 'root' is defined twice, expected once; rename "
       "one of the two"},
      {"root ::= <think>",
       "line 1, column 10: references to tokens such as <think> are not "
       "supported; write the text as \"...\""},
      {"root ::= \"\xFF\"",
       "line 1, column 11: a byte that is no UTF-8; save the grammar as UTF-8"},
      {"root ::= " + std::string(200, '(') + "\"a\"" + std::string(200, ')'),
       "line 1, column 110: groups are nested more than 100 deep; make rules "
       "of "
       "the inner ones"},
      {"root ::= \"a\"" + std::string(20, '?'),
       "line 1, column 21: more than 8 repetitions of one part; leave some "
       "out"},
      {"root ::= a\na ::= \"x\" | a \"y\"",
       "rule 'a' is left-recursive: it can begin with 'a' itself; let it begin "
       "with something else, as in `list ::= item (\",\" item)*`"},
      {"root ::= \"x\"? e? b\nb ::= c \"x\" | \"b\"\nc ::= e b | \"c\"\n"
       "e ::= \"\" | \"e\"",
       "rule 'b' is left-recursive: it can begin with 'b' itself, through 'c'; "
       "let it begin with something else, as in `list ::= item (\",\" item)*`"},
      {"root ::= (\"\" root)+ \"a\" | \"b\"",
       "rule 'root' is left-recursive: it can begin with 'root' itself; let it "
       "begin with something else, as in `list ::= item (\",\" item)*`"},
      {"root ::= \"a\" root", "no text matches: rule 'root' never ends"},
      {"root ::= []", "no text matches: rule 'root' never ends"},
  };
  for (const auto &[grammar, message] : cases)
    EXPECT_EQ(errorOf(grammar), message) << grammar;
}

/// Sizes that would be read or compiled for hours, or not at all.
TEST(Gbnf, LargeGrammarsAreRefused) {
  std::string literal = "root ::= \"" + std::string(2 << 20, 'a') + "\"";
  EXPECT_EQ(errorOf(literal), "line 1, column 2097164: the grammar has more "
                              "than 1048576 parts; make it smaller");
  std::string rules = "root ::= \"a\"\n";
  for (int i = 0; i < 300000; ++i)
    rules += "r" + std::to_string(i) + " ::= \"a\" \"b\"\n";
  EXPECT_NE(errorOf(rules).find("parts; make it smaller"), std::string::npos);
  // Copies in copies: what may be empty is compiled twice at each level.
  std::string nested = "\"a\"?";
  for (int i = 0; i < 90; ++i)
    nested = "(" + nested + " \"b\"?)*";
  EXPECT_EQ(errorOf("root ::= " + nested),
            "the grammar needs more than 1048576 states; make it smaller");
}

/// What is compiled has the name of its rule, often.
TEST(Gbnf, LongNamesAreKeptInPart) {
  const std::string name(100000, 'n');
  auto grammar = parseGbnf("root ::= " + name + "\n" + name + " ::= \"a\"");
  ASSERT_TRUE(grammar) << grammar.error();
  for (Rule rule = 0; rule < grammar->ruleCount(); ++rule)
    EXPECT_LE(grammar->nameOf(rule).size(), 64u);
}

/// Chains of rules are no recursion of ours.
TEST(Gbnf, LongChainsOfRules) {
  std::string chain = "root ::= r0 \"!\"\n";
  for (int i = 0; i < 50000; ++i)
    chain += "r" + std::to_string(i) + " ::= r" + std::to_string(i + 1) +
             " | \"x\" r" + std::to_string(i + 1) + "\n";
  Matching fit(chain + "r50000 ::= \"a\"");
  EXPECT_EQ(fit("xxxa!"), Fit::whole);
}
