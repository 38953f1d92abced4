//===- SchemaFacts.cpp - what a JSON schema says, without its grammar -----===//
//
// See SchemaFacts.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/SchemaFacts.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace corellama::runtime::grammar {

using templates::Dict;
using templates::Value;
using Kind = Value::Kind;

/// References behind each other, and alternatives that are compared in pairs.
static constexpr int kMostReferences = 16;
static constexpr size_t kMostAlternatives = 100;
/// Alternatives inside of each other whose types are looked at; references may
/// lead back.
static constexpr int kMostLevels = 64;
/// Comparisons of two small values in a document, some 100 ms; a look at a
/// schema is as many as kLook. Beyond, nothing is known.
static constexpr size_t kMostWork = 20'000'000, kLook = 32;
/// Bytes of a text that are read in the time of a comparison.
static constexpr size_t kBytesAtOnce = 16;

/// They say nothing about what is valid, or are reached by references only.
static constexpr std::string_view kAnnotations[] = {
    "title", "description", "default",  "examples",  "$schema",   "$comment",
    "$defs", "definitions", "readOnly", "writeOnly", "deprecated"};
/// They stand alone, but for those of the second row with 'type'.
static constexpr std::string_view kAlone[] = {"$ref", "allOf"};
static constexpr std::string_view kAloneOrTyped[] = {"enum", "const", "anyOf",
                                                     "oneOf"};
static constexpr std::string_view kOfTypes[] = {
    "properties", "required",         "additionalProperties",
    "items",      "prefixItems",      "minItems",
    "maxItems",   "minLength",        "maxLength",
    "pattern",    "format",           "minimum",
    "maximum",    "exclusiveMinimum", "exclusiveMaximum"};

static bool isOneOf(std::string_view name,
                    std::span<const std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Types typesOfValue(const Value &value) {
  switch (value.kind()) {
  case Kind::None:
    return kNull;
  case Kind::Bool:
    return kBoolean;
  case Kind::Int:
    return kInteger;
  case Kind::Float:
    return templates::floorOf(value.real()) == value.real() ? kInteger
                                                            : kFraction;
  case Kind::String:
    return kString;
  case Kind::Dict:
    return kObject;
  default:
    return kArray;
  }
}

std::optional<int64_t> wholeNumber(const Value &value) {
  if (value.is(Kind::Int))
    return value.integer();
  // Doubles below 2^63 are whole numbers of 64 bits where they are whole.
  constexpr double kEnd = 9223372036854775808.0;
  if (value.is(Kind::Float) && value.real() > -kEnd && value.real() < kEnd &&
      templates::floorOf(value.real()) == value.real())
    return int64_t(value.real());
  return std::nullopt;
}

const char *patternOfFormat(std::string_view format) {
#define DATE                                                                   \
  "[1-9][0-9]{3}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|"            \
  "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
#define TIME                                                                   \
  "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?"               \
  "(?:Z|[+\\-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
  constexpr std::pair<std::string_view, const char *> kFormats[] = {
      {"date", "^" DATE "$"},
      {"time", "^" TIME "$"},
      {"date-time", "^" DATE "T" TIME "$"},
      {"uuid", "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-"
               "[0-9a-f]{12}$"}};
#undef DATE
#undef TIME
  for (auto [name, pattern] : kFormats)
    if (name == format)
      return pattern;
  return nullptr;
}

std::string escaped(std::string_view name) {
  std::string result;
  for (char c : name)
    if (c == '~')
      result += "~0";
    else if (c == '/')
      result += "~1";
    else
      result += c;
  return result;
}

const Value *SchemaFacts::find(std::string_view place) const {
  if (!place.starts_with("#"))
    return nullptr;
  place.remove_prefix(1);
  const Value *at = &document;
  while (at && !place.empty()) {
    if (place[0] != '/')
      return nullptr;
    place.remove_prefix(1);
    const std::string_view part = place.substr(0, place.find('/'));
    place.remove_prefix(part.size());
    std::string name;
    for (size_t i = 0; i < part.size(); ++i) {
      const bool isEscape = part[i] == '~' && i + 1 < part.size();
      name += !isEscape ? part[i] : part[i + 1] == '1' ? '/' : '~';
      i += isEscape;
    }
    size_t index = 0;
    auto read = std::from_chars(name.data(), name.data() + name.size(), index);
    if (at->is(Kind::Dict))
      at = at->dict()->find(std::string_view(name));
    else if (at->is(Kind::List) && read.ec == std::errc() &&
             read.ptr == name.data() + name.size() &&
             index < at->list()->items.size())
      at = &at->list()->items[index];
    else
      return nullptr;
  }
  return at;
}

std::optional<std::string> SchemaFacts::placeOf(const Value &reference) const {
  if (!reference.is(Kind::String) || !find(reference.string().view()))
    return std::nullopt;
  return std::string(reference.string().view());
}

std::optional<Error>
SchemaFacts::checkKeywords(const Dict &keywords,
                           const std::string &place) const {
  // The keyword that says all, if there is one.
  std::string alone;
  for (const auto &[key, value] : keywords.pairs())
    if (const auto name = key.string().view();
        alone.empty() &&
        (isOneOf(name, kAlone) || isOneOf(name, kAloneOrTyped)))
      alone = name;
  for (const auto &[key, value] : keywords.pairs()) {
    const auto name = key.string().view();
    // Inside, `$id` would change what references mean.
    if (isOneOf(name, kAnnotations) || (name == "$id" && place == "#"))
      continue;
    const bool isKnown = name == "type" || isOneOf(name, kOfTypes) ||
                         isOneOf(name, kAlone) || isOneOf(name, kAloneOrTyped);
    if (!isKnown)
      return Error{place + ": the keyword " + quoted(name) +
                   " is not supported; leave it out"};
    if (!alone.empty() && name != alone &&
        !(name == "type" && isOneOf(alone, kAloneOrTyped)))
      return Error{place + ": the keyword " + quoted(name) + " beside " +
                   quoted(alone) + " is not supported; " +
                   (alone == "$ref" ? "write it into what is referred to"
                    : alone == "enum" || alone == "const"
                        ? "leave it out, and values that it excludes"
                        : "write it into each of the alternatives")};
  }
  return std::nullopt;
}

std::optional<Types> SchemaFacts::typesNamed(const Value &type) const {
  if (type.is(Kind::List)) {
    Types all = 0;
    for (const Value &one : type.list()->items) {
      const auto named = one.is(Kind::String) ? typesNamed(one) : std::nullopt;
      if (!named)
        return std::nullopt;
      all |= *named;
    }
    return all ? std::optional(all) : std::nullopt;
  }
  constexpr std::pair<std::string_view, Types> kNames[] = {
      {"null", kNull},       {"boolean", kBoolean},
      {"integer", kInteger}, {"number", kInteger | kFraction},
      {"string", kString},   {"object", kObject},
      {"array", kArray}};
  if (type.is(Kind::String))
    for (auto [name, types] : kNames)
      if (type.string().view() == name)
        return types;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Schemas that exclude each other
//===----------------------------------------------------------------------===//

/// The value of a keyword, of a schema that has keywords.
static const Value *keywordOf(const Value &schema, std::string_view name) {
  return schema.is(Kind::Dict) ? schema.dict()->find(name) : nullptr;
}

bool SchemaFacts::mayWork(size_t amount) {
  work += amount;
  return work <= kMostWork;
}

const Value &SchemaFacts::resolved(const Value &schema) {
  const Value *at = &schema;
  for (int i = 0; i < kMostReferences; ++i) {
    const Value *reference = keywordOf(*at, "$ref");
    const auto place = reference ? placeOf(*reference) : std::nullopt;
    if (!place || !mayWork(kLook + place->size() / kBytesAtOnce))
      break;
    at = find(*place);
  }
  return *at;
}

/// What the schema's values may be, at most; all types where it is not known.
Types SchemaFacts::typesOf(const Value &schema, int level) {
  if (level == kMostLevels || !mayWork(kLook))
    return kAllTypes;
  const Value &here = resolved(schema);
  if (here.is(Kind::Bool))
    return here.boolean() ? kAllTypes : 0;
  Types types = kAllTypes;
  if (const Value *type = keywordOf(here, "type"))
    types = typesNamed(*type).value_or(kAllTypes);
  Types possible = 0;
  bool isKnown = false;
  auto add = [&](const Value *values, auto typesOfOne) {
    if (!values || !values->is(Kind::List))
      return;
    isKnown = true;
    for (const Value &one : values->list()->items)
      possible |= typesOfOne(one);
  };
  if (const Value *value = keywordOf(here, "const")) {
    isKnown = true;
    possible = typesOfValue(*value);
  }
  add(keywordOf(here, "enum"), typesOfValue);
  for (const char *keyword : {"anyOf", "oneOf", "allOf"})
    add(keywordOf(here, keyword),
        [&](const Value &one) { return typesOf(one, level + 1); });
  return isKnown ? types & possible : types;
}

/// The values of `const` or `enum`; empty: others are possible.
static std::span<const Value> valuesOf(const Value &schema) {
  if (const Value *value = keywordOf(schema, "const"))
    return {value, 1};
  const Value *values = keywordOf(schema, "enum");
  if (!values || !values->is(Kind::List))
    return {};
  return values->list()->items;
}

/// How long comparing it may take.
static size_t weightOf(const Value &value) {
  size_t weight = 1;
  if (value.is(Kind::String))
    weight += value.string().view().size() / kBytesAtOnce;
  if (value.is(Kind::List))
    for (const Value &item : value.list()->items)
      weight += weightOf(item);
  if (value.is(Kind::Dict))
    for (const auto &[key, item] : value.dict()->pairs())
      weight += weightOf(key) + weightOf(item);
  return weight;
}

bool SchemaFacts::haveNoneInCommon(std::span<const Value> a,
                                   std::span<const Value> b) {
  if (a.empty() || b.empty())
    return false;
  size_t weight = 0;
  for (const Value &one : a)
    weight += weightOf(one);
  if (!mayWork(weight * (b.size() + 1)))
    return false;
  return std::none_of(a.begin(), a.end(), [&](const Value &one) {
    return std::any_of(b.begin(), b.end(),
                       [&](const Value &other) { return one.equals(other); });
  });
}

static bool demands(const Value &schema, const Value &name) {
  const Value *required = keywordOf(schema, "required");
  return required && required->is(Kind::List) &&
         std::any_of(required->list()->items.begin(),
                     required->list()->items.end(),
                     [&](const Value &one) { return one.equals(name); });
}

/// By their types, their values, or the values of a property that one of them
/// requires.
bool SchemaFacts::areApart(const Value &first, const Value &second) {
  const Value &one = resolved(first), &other = resolved(second);
  const Types common = typesOf(one, 0) & typesOf(other, 0);
  if (common == 0 || haveNoneInCommon(valuesOf(one), valuesOf(other)))
    return true;
  const Value *properties = keywordOf(one, "properties");
  const Value *others = keywordOf(other, "properties");
  if (common != kObject || !properties || !others ||
      !properties->is(Kind::Dict) || !others->is(Kind::Dict))
    return false;
  for (const auto &[name, schema] : properties->dict()->pairs())
    if (const Value *same = others->dict()->find(name);
        same && (demands(one, name) || demands(other, name)) &&
        haveNoneInCommon(valuesOf(resolved(schema)), valuesOf(resolved(*same))))
      return true;
  return false;
}

std::optional<Error> SchemaFacts::checkApart(const std::vector<Value> &schemas,
                                             const std::string &place) {
  if (schemas.size() > kMostAlternatives)
    return Error{place + ": " + std::to_string(schemas.size()) +
                 " alternatives, expected at most " +
                 std::to_string(kMostAlternatives) + "; use 'anyOf'"};
  for (size_t i = 0; i < schemas.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (!areApart(schemas[k], schemas[i]))
        return Error{place + ": a value may fit " + std::to_string(k) +
                     " and " + std::to_string(i) +
                     "; use 'anyOf', or give them a required property with "
                     "'const' that differs"};
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

Result<NumberBounds> SchemaFacts::boundsOf(const Dict &keywords,
                                           const std::string &place,
                                           bool hasFractions) const {
  NumberBounds bounds;
  for (bool isLower : {true, false})
    for (bool isExclusive : {false, true}) {
      const char *name = isLower ? isExclusive ? "exclusiveMinimum" : "minimum"
                         : isExclusive ? "exclusiveMaximum"
                                       : "maximum";
      const Value *value = keywords.find(name);
      if (!value)
        continue;
      const std::string here = place + "/" + name;
      if (!value->is(Kind::Int) && !value->is(Kind::Float))
        return Error{here + ": expected a number"};
      auto whole = wholeNumber(*value);
      if (hasFractions &&
          (!whole || *whole < -kMostNumberBound || *whole > kMostNumberBound))
        return Error{here + ": bounds of numbers other than whole ones from "
                            "-999999999 to 999999999 are not supported; give "
                            "one of these, or 'type': 'integer'"};
      bool isOut = isExclusive;
      if (!whole) {
        // The next whole number inside.
        const double below = templates::floorOf(value->real());
        whole = wholeNumber(Value(isLower ? below + 1 : below));
        isOut = false;
      }
      if (!whole || *whole == INT64_MIN || *whole == INT64_MAX)
        return Error{here + ": expected a number of less than 64 bits"};
      if (isOut && !hasFractions) {
        *whole += isLower ? 1 : -1;
        isOut = false;
      }
      auto &bound = isLower ? bounds.least : bounds.most;
      bool &out = isLower ? bounds.isAboveLeast : bounds.isBelowMost;
      // The narrower of two bounds.
      if (!bound || (isLower ? *whole > *bound : *whole < *bound))
        out = isOut;
      else if (*whole == *bound)
        out |= isOut;
      else
        continue;
      bound = whole;
    }
  return bounds;
}

} // namespace corellama::runtime::grammar
