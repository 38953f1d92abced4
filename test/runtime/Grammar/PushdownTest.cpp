//===- PushdownTest.cpp - what a text may be so far, byte by byte ---------===//
//
// Grammars that are ambiguous, deep, counted or full of empty texts, and the
// bounds on the work that they make.
//
//===----------------------------------------------------------------------===//

#include "test/runtime/Grammar/Matching.h"

using namespace corellama::runtime::grammar;
using namespace corellama::runtime::grammar::test;

/// A number of runs that doubles with each byte would never end.
TEST(Pushdown, AmbiguityIsNotExponential) {
  Matching fit("root ::= s\ns ::= \"a\" s \"b\" | \"a\" s \"c\" | \"a\"");
  std::string text(2000, 'a');
  EXPECT_EQ(fit(text), Fit::prefix);
  for (int i = 0; i < 1999; ++i)
    text += "bc"[i % 3 == 0];
  EXPECT_EQ(fit(text), Fit::whole);
  EXPECT_EQ(fit(text + "b"), Fit::none);

  Matching pairs("root ::= \"a\" root root | \"a\"");
  EXPECT_EQ(pairs(std::string(301, 'a')), Fit::whole);
  EXPECT_EQ(pairs(std::string(300, 'a')), Fit::prefix);
}

/// All begin without a byte, in two ways each: 2^40 stacks of procedures.
TEST(Pushdown, CallsAreNotExponential) {
  std::string grammar = "root ::= r0\n";
  for (int i = 0; i < 40; ++i) {
    const std::string next = "r" + std::to_string(i + 1);
    grammar += "r" + std::to_string(i) + " ::= " + next + " \"x\" | " + next +
               " \"y\" (root root root root)?\n";
  }
  Matching fit(grammar + "r40 ::= \"a\"");
  std::string end;
  for (int i = 0; i < 40; ++i)
    end += "xy"[i % 2];
  EXPECT_EQ(fit("a" + end), Fit::whole);
  EXPECT_EQ(fit("a" + end.substr(1)), Fit::prefix);
}

TEST(Pushdown, EmptyTextsEnd) {
  Matching fit("root ::= ((a* b?)* (\"\" | c{0,5})+ ){0,1000000} \"!\"\n"
               "a ::= \"\" | \"x\"\nb ::= a a a\nc ::= a? b*");
  EXPECT_EQ(fit("!"), Fit::whole);
  EXPECT_EQ(fit("xxxx!"), Fit::whole);
  EXPECT_EQ(fit("y"), Fit::none);

  Matching empty("root ::= e{3} e* (e | e)+\ne ::= \"\"");
  EXPECT_EQ(empty(""), Fit::whole);
  EXPECT_EQ(empty("a"), Fit::none);
}

/// An alternative that never ends is none: no text leads into it.
TEST(Pushdown, DeadEndsAreLeftOut) {
  Matching fit("root ::= \"a\" (x | \"b\") | \"c\" x*\nx ::= \"x\" x");
  EXPECT_EQ(fit("ax"), Fit::none);
  EXPECT_EQ(fit("ab"), Fit::whole);
  EXPECT_EQ(fit("c"), Fit::whole);
  EXPECT_EQ(fit("cx"), Fit::none);
}

TEST(Pushdown, Counts) {
  Matching million("root ::= [a-f]{2,1000000}");
  EXPECT_LT(million.automaton->size(), 20u);
  EXPECT_EQ(million("f"), Fit::prefix);
  EXPECT_EQ(million("ff"), Fit::whole);

  for (const char *count : {"7", "100", "300"}) {
    const size_t n = std::stoul(count);
    const std::string grammar = "root ::= [ab]{" + std::string(count) + "," +
                                std::to_string(n + 2) + "} \"!\"";
    Matching fit(grammar);
    for (size_t length : {n - 1, n, n + 2, n + 3})
      EXPECT_EQ(fit(std::string(length, 'b') + "!"),
                length >= n && length <= n + 2 ? Fit::whole : Fit::none)
          << grammar << length;
  }
  // An item of one or two bytes: many counts at once.
  Matching either("root ::= (\"a\" | \"aa\"){100,200}");
  EXPECT_EQ(either(std::string(99, 'a')), Fit::prefix);
  EXPECT_EQ(either(std::string(100, 'a')), Fit::whole);
  EXPECT_EQ(either(std::string(400, 'a')), Fit::whole);
  EXPECT_EQ(either(std::string(401, 'a')), Fit::none);
  // No upper end: the position is the same from the least count on.
  Matching endless("root ::= [ab]{100,}");
  EXPECT_EQ(endless(std::string(99, 'a')), Fit::prefix);
  EXPECT_EQ(endless(std::string(5000, 'a')), Fit::whole);
  Position at = endless.pushdown->start();
  for (int i = 0; i < 100; ++i)
    at = endless.pushdown->step(at, 'a');
  EXPECT_EQ(endless.pushdown->step(at, 'a'), at);
}

TEST(Pushdown, CharactersOfSeveralBytes) {
  Matching fit("root ::= [é-ÿ\\U0001F600-\\U0001F64F]+");
  EXPECT_EQ(fit("é😀"), Fit::whole);
  EXPECT_EQ(fit("\xC3"), Fit::prefix);
  EXPECT_EQ(fit("\xC3\xA8"), Fit::none); // è
  EXPECT_EQ(fit("\xF0\x9F\x98"), Fit::prefix);
  EXPECT_EQ(fit("\xF0\x9F\x97"), Fit::none);
}

/// Recursion at the end of a rule needs no stack, and in the middle of it takes
/// memory that is given back.
TEST(Pushdown, DepthAndMemory) {
  Matching list("root ::= item root | item\nitem ::= [a-z] \" \"");
  Position at = list.pushdown->start();
  for (int i = 0; i < 1000; ++i)
    at = list.pushdown->step(list.pushdown->step(at, 'x'), ' ');
  EXPECT_LT(at, 20u);

  Matching deep("root ::= \"(\" root \")\" | \"[\" root \"]\" | \"x\"");
  Pushdown &pushdown = *deep.pushdown;
  at = pushdown.start();
  const int depth = 300000;
  auto step = [&](char byte) {
    pushdown.renewWork();
    at = pushdown.step(at, uint8_t(byte));
    if (pushdown.isLarge())
      at = pushdown.collect(at);
  };
  for (int i = 0; i < depth; ++i)
    step("(["[i % 3 == 0]);
  step('x');
  for (int i = depth; i-- > 0;) {
    ASSERT_NE(at, Pushdown::kDead);
    step(")]"[i % 3 == 0]);
  }
  EXPECT_TRUE(pushdown.mayEnd(at));
  EXPECT_FALSE(pushdown.isExhausted());
}

/// Cubic in the text where it is as ambiguous as can be; the bound ends it.
TEST(Pushdown, WorkIsBounded) {
  Matching worst("root ::= s{0,1000000}\n"
                 "s ::= \"a\" s s s s \"\" | \"a\" | \"a\" (s s \"\"){0,2} | "
                 "(\"a\" s? \"\"){0,1000000} \"a\"");
  Pushdown &pushdown = *worst.pushdown;
  Position at = pushdown.start();
  for (int i = 0; i < 100000 && !pushdown.isExhausted(); ++i)
    at = pushdown.step(at, 'a');
  EXPECT_TRUE(pushdown.isExhausted());
}
