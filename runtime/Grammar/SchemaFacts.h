//===- SchemaFacts.h - what a JSON schema says, without its grammar -------===//
//
// Questions about a schema that JsonSchema.cpp asks before it makes a grammar:
// which keywords it has and whether they go together, where a reference leads,
// which types and values are possible, whether two schemas exclude each other.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_SCHEMAFACTS_H
#define CORELLAMA_RUNTIME_GRAMMAR_SCHEMAFACTS_H

#include "runtime/Grammar/Numbers.h"
#include "runtime/Support/Result.h"
#include "runtime/Templates/Value.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime::grammar {

/// A set of types. JSON schema's `number` is both whole numbers and fractions.
using Types = uint8_t;
inline constexpr Types kNull = 1, kBoolean = 2, kInteger = 4, kFraction = 8,
                       kString = 16, kObject = 32, kArray = 64, kAllTypes = 127;

/// 1.0 is an integer, too.
Types typesOfValue(const templates::Value &value);
/// The integer that a number is, if it is one of 64 bits.
std::optional<int64_t> wholeNumber(const templates::Value &value);
/// What a string of a `format` looks like; null for those not supported. Years
/// have four digits from 1000 on, and February has 28 days.
const char *patternOfFormat(std::string_view format);
/// A name as a part of a place (RFC 6901).
std::string escaped(std::string_view name);

class SchemaFacts {
public:
  /// The document must outlive it.
  explicit SchemaFacts(const templates::Value &document) : document(document) {}

  /// What is at a place such as #/$defs/name; null where nothing is.
  const templates::Value *find(std::string_view place) const;
  /// The place that a `$ref` names, if it is one that exists.
  std::optional<std::string> placeOf(const templates::Value &reference) const;

  /// An error for a keyword that is not supported, alone or beside others.
  std::optional<Error> checkKeywords(const templates::Dict &keywords,
                                     const std::string &place) const;
  /// What `type` says; none where it is malformed.
  std::optional<Types> typesNamed(const templates::Value &type) const;
  /// An error if two of these schemas are not seen to exclude each other.
  std::optional<Error> checkApart(const std::vector<templates::Value> &schemas,
                                  const std::string &place);
  /// minimum and the like; an error names the one that is not supported.
  Result<NumberBounds> boundsOf(const templates::Dict &keywords,
                                const std::string &place,
                                bool hasFractions) const;

private:
  /// Counts work on alternatives; false if it is too much for one document.
  bool mayWork(size_t amount);
  const templates::Value &resolved(const templates::Value &schema);
  Types typesOf(const templates::Value &schema, int level);
  bool haveNoneInCommon(std::span<const templates::Value> a,
                        std::span<const templates::Value> b);
  bool areApart(const templates::Value &one, const templates::Value &other);

  const templates::Value &document;
  size_t work = 0;
};

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_SCHEMAFACTS_H
