//===- TokenMasksTest.cpp - which tokens may follow a position ------------===//
//
// Masks at many positions against each token's bytes taken one by one: what the
// caches, unknown frames and counts that stand for others must not change.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/TokenMasks.h"

#include "test/runtime/Grammar/Matching.h"

#include <random>

using namespace corellama::runtime::grammar;
using namespace corellama::runtime::grammar::test;

/// Tokens up to 40 bytes of few letters, some of them twice.
static std::vector<std::string> someTokens(const std::string &letters) {
  std::mt19937 random(1);
  std::vector<std::string> tokens = {"", ""};
  for (char letter : letters)
    tokens.emplace_back(1, letter);
  for (int i = 0; i < 600; ++i) {
    std::string token;
    const size_t length = 1 + random() % (random() % 8 ? 6 : 40);
    // Runs of one letter, as text has them.
    while (token.size() < length)
      token.append(1 + random() % 9, letters[random() % letters.size()]);
    tokens.push_back(token.substr(0, length));
  }
  // As long as the longest of each trie, where counts have to be exact.
  for (size_t length : {2, 7, 8, 9, 15, 16, 17, 39, 40})
    for (char last : letters)
      for (char first : {'a', 'b'})
        tokens.push_back(std::string(length - 1, first) + last);
  tokens.emplace_back(1200, 'a'); // longer than kMostBytes
  return tokens;
}

static void compare(const char *grammar, const std::string &letters) {
  Matching fit(grammar);
  Pushdown &pushdown = *fit.pushdown;
  const std::vector<std::string> tokens = someTokens(letters);
  const std::vector<std::string_view> views(tokens.begin(), tokens.end());
  TokenMasks masks(*fit.automaton, pushdown, views);
  std::mt19937 random(2);
  for (int walk = 0; walk < 4; ++walk) {
    Position at = pushdown.start();
    std::string text;
    for (int i = 0; i < 100; ++i) {
      pushdown.renewWork();
      auto mask = masks.at(at);
      ASSERT_FALSE(pushdown.isExhausted()) << grammar;
      std::vector<size_t> allowed;
      for (size_t id = 0; id < tokens.size(); ++id) {
        Position after =
            tokens[id].size() > TokenTrie::kMostBytes || tokens[id].empty()
                ? Pushdown::kDead
                : at;
        for (char byte : tokens[id])
          after = pushdown.step(after, uint8_t(byte));
        ASSERT_EQ(mask[id / 64] >> (id % 64) & 1, after != Pushdown::kDead)
            << grammar << ", after '" << text << "', token '" << tokens[id]
            << "'";
        if (after != Pushdown::kDead)
          allowed.push_back(id);
      }
      if (allowed.empty())
        break;
      // Mostly short ones, so that limits are met at all distances.
      size_t id = allowed[random() % allowed.size()];
      for (int again = 0; again < 3 && tokens[id].size() > 3; ++again)
        id = allowed[random() % allowed.size()];
      for (char byte : tokens[id])
        at = pushdown.step(at, uint8_t(byte));
      text += tokens[id];
      if (i % 40 == 39) { // as a long answer does
        at = pushdown.collect(at);
        masks.forget();
      }
    }
  }
}

TEST(TokenMasks, AreWhatBytesSay) {
  // Counts near and far from both limits, with tokens of all lengths.
  compare("root ::= [ab]{60,100} \"c\"", "abc");
  compare("root ::= ([ab]{3,50} \"c\"){2,70} \"d\"", "abcd");
  compare("root ::= [ab]{90,} \"c\"", "abc");
  compare("root ::= (\"ab\" | \"a\" | \"bcc\"){10,80} \"d\"+", "abcd");
  // Counts of which one repetition is called by several.
  compare("root ::= (x | \"a\" x | x \"b\" root)+\nx ::= [abc]{70,90}", "abc");
  // Equal bodies with several counts, one after and inside of the other.
  compare("root ::= ([ab]{70} \"c\" | [ab]{0,90} \"d\"){3,} [ab]{65,}", "abcd");
  compare(
      "root ::= (([ab]{2,70} \"c\"){2,70} \"d\"){2,70} ([ab]{80} | [abc]{66})",
      "abcd");
  // Many counts at once, and a repetition that is called at its own end.
  compare("root ::= ([ab]{0,80} \"b\"){0,70} \"c\"", "abc");
  compare("root ::= x{66,70}\nx ::= \"a\" | \"b\" y | \"c\" x{66,90}\n"
          "y ::= \"a\" y | \"b\" | x",
          "abc");
  // More frames than are left one by one.
  compare("root ::= a{0,70} \"1\"\na ::= b{0,70} \"2\"\nb ::= c{0,70} \"3\"\n"
          "c ::= d{0,70} \"4\"\nd ::= e{0,70} \"5\"\ne ::= f{0,70} \"6\"\n"
          "f ::= [7]{0,70} \"8\"",
          "12345678");
  // Frames below that differ.
  compare("root ::= \"a\" root \"b\" | \"a\" root \"c\" | \"[\" root \"]\" | "
          "\"\\\"\" [^\"]* \"\\\"\"",
          "abc[]\"");
  // What leaves several frames at once.
  compare("root ::= \"a\" x \"d\"\nx ::= \"b\" y | y? \"cc\"\n"
          "y ::= \"a\" x? \"b\"{1,3} | [a-c] y",
          "abcd");
}
