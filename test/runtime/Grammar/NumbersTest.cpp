//===- NumbersTest.cpp - numbers between bounds, digit by digit -----------===//
//
// Texts of many numbers against many pairs of bounds, compared as numbers.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Numbers.h"

#include "test/runtime/Grammar/Matching.h"

#include <limits>

using namespace corellama::runtime::grammar;
using namespace corellama::runtime::grammar::test;

template <typename Make> static Matching matchingOf(Make make) {
  Grammar grammar;
  grammar.root = grammar.addRule("root");
  // The empty choice of empty bounds would be no grammar.
  grammar.define(grammar.root,
                 grammar.choice({grammar.literal("none"), make(grammar)}));
  return Matching(grammar);
}

static bool isWhole(Matching &fit, const std::string &text) {
  return fit(text) == Fit::whole;
}

TEST(Numbers, IntegersBetween) {
  const int64_t bounds[] = {-1234, -1000, -999, -100, -57,  -10, -9,
                            -1,    0,     1,    5,    9,    10,  19,
                            99,    100,   101,  777,  1000, 2000};
  for (int64_t least : bounds)
    for (int64_t most : bounds) {
      Matching fit = matchingOf([&](Grammar &grammar) {
        return integersBetween(grammar, least, most);
      });
      for (int64_t n = -2100; n <= 2100; n += 1 + (std::abs(n) > 120) * 6)
        ASSERT_EQ(isWhole(fit, std::to_string(n)), least <= n && n <= most)
            << n << " in " << least << " to " << most;
      EXPECT_FALSE(isWhole(fit, "007"));
      EXPECT_FALSE(isWhole(fit, "-0"));
      EXPECT_FALSE(isWhole(fit, ""));
    }
}

TEST(Numbers, IntegersWithoutABound) {
  constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();
  constexpr int64_t kHighest = std::numeric_limits<int64_t>::max();
  const struct {
    std::optional<int64_t> least, most;
    std::vector<const char *> in, out;
  } cases[] = {
      {{},
       {},
       {"0", "-7", "999999999999999999", "-999999999999999999"},
       {"1000000000000000000", "01", "+1"}},
      {0, {}, {"0", "12", "999999999999999999"}, {"-1"}},
      {{}, -5, {"-5", "-999999999999999999"}, {"-4", "0", "5"}},
      {kHighest - 1,
       {},
       {"9223372036854775806", "9223372036854775807"},
       {"9223372036854775805", "9223372036854775808"}},
      {{},
       kLowest + 1,
       {"-9223372036854775807", "-9223372036854775808"},
       {"-9223372036854775809", "-9223372036854775806", "1"}},
  };
  for (const auto &[least, most, in, out] : cases) {
    Matching fit = matchingOf([&](Grammar &grammar) {
      return integersBetween(grammar, least, most);
    });
    for (const char *text : in)
      EXPECT_TRUE(isWhole(fit, text)) << text;
    for (const char *text : out)
      EXPECT_FALSE(isWhole(fit, text)) << text;
  }
}

/// Everything that is accepted is inside, and all steps of a tenth inside are.
TEST(Numbers, NumbersBetween) {
  const std::optional<int64_t> bounds[] = {std::nullopt, -12, -1, 0, 1, 7, 30};
  for (auto least : bounds)
    for (auto most : bounds)
      for (int open = 0; open < 4; ++open) {
        NumberBounds given{least, most, least && (open & 1),
                           most && (open & 2)};
        Matching fit = matchingOf(
            [&](Grammar &grammar) { return numbersBetween(grammar, given); });
        for (int tenths = -400; tenths <= 400; ++tenths) {
          const bool isIn =
              (!least || (given.isAboveLeast ? tenths > 10 * *least
                                             : tenths >= 10 * *least)) &&
              (!most || (given.isBelowMost ? tenths < 10 * *most
                                           : tenths <= 10 * *most));
          const int size = std::abs(tenths);
          const std::string text = (tenths < 0 ? "-" : "") +
                                   std::to_string(size / 10) + "." +
                                   std::to_string(size % 10);
          ASSERT_EQ(isWhole(fit, text), isIn) << text << " open " << open;
          if (tenths % 10 == 0) {
            ASSERT_EQ(isWhole(fit, std::to_string(tenths / 10)), isIn)
                << tenths;
          }
        }
        EXPECT_FALSE(isWhole(fit, "1."));
        EXPECT_FALSE(isWhole(fit, ".5"));
        EXPECT_EQ(isWhole(fit, "-1.5e-7"), !least && !most);
      }
}
