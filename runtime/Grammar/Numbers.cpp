//===- Numbers.cpp - numbers between bounds, digit by digit ---------------===//
//
// See Numbers.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Numbers.h"

#include <algorithm>
#include <string>

namespace corellama::runtime::grammar {

/// What a number without a bound has before its point.
static constexpr uint64_t kMostInteger = 999'999'999'999'999'999;
static constexpr uint64_t kMostWhole = 999'999'999'999'999;
/// Digits behind the point: where there are bounds, and where there are none.
static constexpr uint32_t kBoundedDigits = 6, kFreeDigits = 15;

static Expression digits(Grammar &grammar, char first, char last,
                         uint32_t least, uint32_t most) {
  return grammar.repeat(grammar.characters({{char32_t(first), char32_t(last)}}),
                        least, most);
}

/// Texts of equally many digits from `least` to `most`.
static Expression sameLength(Grammar &grammar, std::string_view least,
                             std::string_view most) {
  const auto size = uint32_t(least.size());
  if (least.find_first_not_of('0') == least.npos &&
      most.find_first_not_of('9') == most.npos)
    return digits(grammar, '0', '9', size, size);
  const std::string_view leastRest = least.substr(1), mostRest = most.substr(1);
  if (least[0] == most[0])
    return grammar.sequence({grammar.literal(least.substr(0, 1)),
                             sameLength(grammar, leastRest, mostRest)});
  std::vector<Expression> all = {grammar.sequence(
      {grammar.literal(least.substr(0, 1)),
       sameLength(grammar, leastRest, std::string(size - 1, '9'))})};
  if (least[0] + 1 < most[0])
    all.push_back(grammar.sequence(
        {digits(grammar, char(least[0] + 1), char(most[0] - 1), 1, 1),
         digits(grammar, '0', '9', size - 1, size - 1)}));
  all.push_back(grammar.sequence(
      {grammar.literal(most.substr(0, 1)),
       sameLength(grammar, std::string(size - 1, '0'), mostRest)}));
  return grammar.choice(all);
}

/// Texts of whole numbers from `least` to `most`, without leading zeros.
static Expression naturals(Grammar &grammar, uint64_t least, uint64_t most) {
  std::vector<Expression> all;
  if (least > most)
    return grammar.choice(all);
  if (least == 0) {
    all.push_back(grammar.literal("0"));
    least = 1;
  }
  uint32_t firstFull = 0, lastFull = 0; // lengths of which all numbers belong
  for (uint64_t low = 1, length = 1; low <= most; low *= 10, ++length) {
    const uint64_t high = low * 9 + (low - 1);
    if (least <= low && high <= most) {
      firstFull = firstFull ? firstFull : uint32_t(length);
      lastFull = uint32_t(length);
    } else if (std::max(least, low) <= std::min(most, high)) {
      all.push_back(sameLength(grammar, std::to_string(std::max(least, low)),
                               std::to_string(std::min(most, high))));
    }
    if (length == 19) // as the largest magnitude has; 10^20 would overflow
      break;
  }
  if (firstFull)
    all.push_back(grammar.sequence(
        {digits(grammar, '1', '9', 1, 1),
         digits(grammar, '0', '9', firstFull - 1, lastFull - 1)}));
  return grammar.choice(all);
}

/// Of the smallest int64, too.
static uint64_t magnitudeOf(int64_t value) {
  return value < 0 ? -uint64_t(value) : uint64_t(value);
}

Expression integersBetween(Grammar &grammar, std::optional<int64_t> least,
                           std::optional<int64_t> most) {
  // Where a bound needs 19 digits, the other side has as many.
  constexpr auto kMost = int64_t(kMostInteger);
  const int64_t low = least                       ? *least
                      : most.value_or(0) < -kMost ? INT64_MIN
                                                  : -kMost;
  const int64_t high = most                        ? *most
                       : least.value_or(0) > kMost ? INT64_MAX
                                                   : kMost;
  std::vector<Expression> all;
  if (low < 0 && low <= high)
    all.push_back(
        grammar.sequence({grammar.literal("-"),
                          naturals(grammar, high < 0 ? magnitudeOf(high) : 1,
                                   magnitudeOf(low))}));
  if (high >= 0)
    all.push_back(
        naturals(grammar, low > 0 ? uint64_t(low) : 0, uint64_t(high)));
  return grammar.choice(all);
}

namespace {
/// A bound of magnitudes, from 0.
struct End {
  uint64_t value = 0;
  bool isOut = false;
};
} // namespace

static Expression fraction(Grammar &grammar, Expression behindPoint) {
  return grammar.sequence({grammar.literal("."), behindPoint});
}

/// Decimal fractions from `least` to `most`, or as far as there are digits.
static Expression magnitudes(Grammar &grammar, End least,
                             std::optional<End> most) {
  const Expression any =
      fraction(grammar, digits(grammar, '0', '9', 1, kBoundedDigits));
  std::vector<Expression> all;
  const uint64_t firstWhole = least.value + least.isOut;
  // Below the last whole number any digits may follow the point.
  const uint64_t end = most ? most->value : kMostWhole + 1;
  if (firstWhole < end)
    all.push_back(grammar.sequence(
        {naturals(grammar, firstWhole, end - 1), grammar.optional(any)}));
  if (least.isOut && least.value < end) {
    // At most two zeros before a digit that is none, to keep it short.
    const Expression notZero = grammar.sequence(
        {digits(grammar, '0', '0', 0, 2), digits(grammar, '1', '9', 1, 1),
         digits(grammar, '0', '9', 0, kBoundedDigits - 3)});
    all.push_back(
        grammar.sequence({grammar.literal(std::to_string(least.value)),
                          fraction(grammar, notZero)}));
  }
  if (most && !most->isOut && most->value >= firstWhole)
    all.push_back(grammar.sequence(
        {grammar.literal(std::to_string(most->value)),
         grammar.optional(fraction(
             grammar, digits(grammar, '0', '0', 1, kBoundedDigits)))}));
  return grammar.choice(all);
}

Expression numbersBetween(Grammar &grammar, NumberBounds bounds) {
  const auto [least, most, isAboveLeast, isBelowMost] = bounds;
  if (!least && !most)
    return grammar.sequence(
        {grammar.optional(grammar.literal("-")),
         naturals(grammar, 0, kMostWhole),
         grammar.optional(
             fraction(grammar, digits(grammar, '0', '9', 1, kFreeDigits))),
         grammar.optional(grammar.sequence(
             {grammar.characters({{'e', 'e'}, {'E', 'E'}}),
              grammar.optional(grammar.characters({{'+', '+'}, {'-', '-'}})),
              digits(grammar, '0', '9', 1, 2)}))});
  std::vector<Expression> all;
  if (!least || *least < 0) {
    End from;
    if (most && *most <= 0)
      from = {magnitudeOf(*most), isBelowMost};
    std::optional<End> to;
    if (least)
      to = End{magnitudeOf(*least), isAboveLeast};
    all.push_back(grammar.sequence(
        {grammar.literal("-"), magnitudes(grammar, from, to)}));
  }
  if (!most || *most >= 0) {
    End from;
    if (least && *least >= 0)
      from = {magnitudeOf(*least), isAboveLeast};
    std::optional<End> to;
    if (most)
      to = End{magnitudeOf(*most), isBelowMost};
    all.push_back(magnitudes(grammar, from, to));
  }
  return grammar.choice(all);
}

} // namespace corellama::runtime::grammar
