//===- Numbers.h - numbers between bounds, digit by digit -----------------===//
//
// The decimal texts of numbers between two bounds as expressions. A file of its
// own since it is arithmetic on digits and knows no schema.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_NUMBERS_H
#define CORELLAMA_RUNTIME_GRAMMAR_NUMBERS_H

#include "runtime/Grammar/Grammar.h"

#include <cstdint>
#include <optional>

namespace corellama::runtime::grammar {

/// Without a bound, integers have at most 18 digits, which 64 bits hold. Where
/// no integer lies between the bounds nothing matches.
Expression integersBetween(Grammar &grammar, std::optional<int64_t> least,
                           std::optional<int64_t> most);

struct NumberBounds {
  std::optional<int64_t> least, most;
  /// The bounds themselves are left out.
  bool isAboveLeast = false, isBelowMost = false;
};
/// The largest bound of numbersBetween. Numbers have six digits behind the
/// point there, so that none of them is rounded to a bound in float64, which
/// holds 15.
inline constexpr int64_t kMostNumberBound = 999'999'999;

/// Decimal fractions. Only without bounds do they have exponents, of two
/// digits.
Expression numbersBetween(Grammar &grammar, NumberBounds bounds);

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_NUMBERS_H
