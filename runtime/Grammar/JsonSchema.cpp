//===- JsonSchema.cpp - a JSON schema as a grammar of its values ----------===//
//
// See JsonSchema.h. A schema becomes a choice of what each of its types may be.
// References become rules, which are made one after the other, so that a chain
// of them is no recursion here. The first error sticks.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/JsonSchema.h"

#include "runtime/Grammar/Numbers.h"
#include "runtime/Grammar/Pattern.h"
#include "runtime/Grammar/SchemaFacts.h"
#include "runtime/Templates/Json.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <string>

namespace corellama::runtime::grammar {

using templates::Dict;
using templates::Value;

/// Spaces behind a line's end: pretty-printed JSON ten levels deep.
static constexpr uint32_t kMostIndent = 20;
/// Characters of a property's name that other names have to differ from.
static constexpr size_t kMostNameLength = 200;
/// Bytes of a place: it is written for each schema, so that long names around
/// many schemas would take time and memory by their product.
static constexpr size_t kMostPlace = 4096;

namespace {
class Reader {
public:
  explicit Reader(const Value &document) : facts(document) {}

  Result<Grammar> grammar() {
    // Between tokens behind , : { [ and before } ].
    space = result.rule(
        "white space",
        result.choice(
            {result.literal(""), result.literal(" "),
             result.sequence(
                 {result.literal("\n"),
                  result.repeat(result.characters({{' ', ' '}, {'\t', '\t'}}),
                                0, kMostIndent)})}));
    string = result.rule(
        "string",
        inQuotes(result.repeat(anyJsonCharacter(result), 0, kUnbounded)));
    result.root = ruleOf("#");
    for (size_t i = 0; i < waiting.size() && !failure; ++i) {
      const auto [rule, place] = waiting[i];
      const Value *schema = facts.find(place);
      result.define(rule, schemaAt(*schema, place, kAllTypes));
      if (result.isTooLarge())
        fail(place, "the schema needs a grammar of more than " +
                        std::to_string(kMostParts) + " parts; make it smaller");
    }
    if (failure)
      return *failure;
    return std::move(result);
  }

private:
  Expression fail(const std::string &place, std::string_view what) {
    if (!failure)
      failure = Error{place + ": " + std::string(what)};
    return 0;
  }
  Expression notWhole(const std::string &place, std::string_view keyword,
                      std::string_view expected) {
    return fail(place + "/" + std::string(keyword),
                "expected " + std::string(expected));
  }

  Expression inQuotes(Expression inner) {
    return result.sequence({result.literal("\""), inner, result.literal("\"")});
  }
  static std::string json(const Value &value) {
    templates::JsonStyle style;
    style.itemSeparator = ",";
    style.keySeparator = ":";
    auto text = templates::writeJson(value, style);
    return text ? std::string(text->view()) : std::string();
  }

  /// The rule of the schema at a place that exists.
  Rule ruleOf(const std::string &place) {
    auto [found, isNew] = rules.try_emplace(place);
    if (isNew) {
      found->second = result.addRule(place);
      waiting.push_back({found->second, place});
    }
    return found->second;
  }

  Expression schemaAt(const Value &schema, const std::string &place,
                      Types types) {
    if (failure || result.isTooLarge())
      return 0;
    if (place.size() > kMostPlace)
      return fail(place, "a place of more than " + std::to_string(kMostPlace) +
                             " bytes is not supported; shorten the names that "
                             "lead here");
    if (schema.is(Value::Kind::Bool))
      return schema.boolean() ? ofTypes(noKeywords, place, types)
                              : result.choice({});
    if (!schema.is(Value::Kind::Dict))
      return fail(place, "expected a schema: an object, true or false");
    const Dict &keywords = *schema.dict();
    if (auto error = facts.checkKeywords(keywords, place)) {
      failure = *error;
      return 0;
    }
    if (keywords.find("type")) {
      const auto own = facts.typesNamed(*keywords.find("type"));
      if (!own)
        return notWhole(place, "type",
                        "null, boolean, integer, number, string, object or "
                        "array, or a list of these");
      types = types & *own;
    }
    if (const Value *reference = keywords.find("$ref"))
      return referenced(*reference, place, types);
    if (const Value *values = keywords.find("enum")) {
      if (!values->is(Value::Kind::List) || values->list()->items.empty())
        return notWhole(place, "enum", "a list with a value or more");
      return oneOfValues(values->list()->items, types);
    }
    if (const Value *value = keywords.find("const"))
      return oneOfValues({value, 1}, types);
    for (const char *keyword : {"anyOf", "oneOf", "allOf"})
      if (const Value *schemas = keywords.find(keyword))
        return alternatives(*schemas, keyword, place, types);
    return ofTypes(keywords, place, types);
  }

  Expression referenced(const Value &reference, const std::string &place,
                        Types types) {
    const auto to = facts.placeOf(reference);
    if (!to)
      return notWhole(place, "$ref",
                      "a place in this document that exists, as #/$defs/name");
    if (types == kAllTypes)
      return result.reference(ruleOf(*to));
    // Narrowed from outside: written out, which a recursion cannot be.
    if (++narrowed > kMostNarrowed)
      return fail(place, "'type' around a '$ref' that leads back here is not "
                         "supported; leave 'type' out");
    const Expression made = schemaAt(*facts.find(*to), *to, types);
    --narrowed;
    return made;
  }

  Expression oneOfValues(std::span<const Value> values, Types types) {
    std::vector<Expression> all;
    for (const Value &value : values)
      if (types & typesOfValue(value))
        all.push_back(result.literal(json(value)));
    return result.choice(all);
  }

  Expression alternatives(const Value &schemas, const std::string &keyword,
                          const std::string &place, Types types) {
    if (!schemas.is(Value::Kind::List) || schemas.list()->items.empty())
      return notWhole(place, keyword, "a list with a schema or more");
    const std::vector<Value> &items = schemas.list()->items;
    const std::string inner = place + "/" + keyword;
    if (keyword == "allOf" && items.size() > 1)
      return fail(inner, "several schemas that hold together are not "
                         "supported; write them as one");
    if (keyword == "oneOf")
      if (auto error = facts.checkApart(items, inner)) {
        failure = *error;
        return 0;
      }
    std::vector<Expression> all;
    for (size_t i = 0; i < items.size() && !failure; ++i)
      all.push_back(schemaAt(items[i], inner + "/" + std::to_string(i), types));
    return result.choice(all);
  }

  //===--------------------------------------------------------------------===//
  // Types
  //===--------------------------------------------------------------------===//

  Expression ofTypes(const Dict &keywords, const std::string &place,
                     Types types) {
    // What may be anything is one rule for all places.
    if (types == kAllTypes && keywords.pairs().empty() && any)
      return *any;
    if (types == kAllTypes && keywords.pairs().empty()) {
      const Rule rule = result.addRule("any value");
      any = result.reference(rule);
      result.define(rule, eachType(keywords, place, types));
      return *any;
    }
    return eachType(keywords, place, types);
  }

  Expression eachType(const Dict &keywords, const std::string &place,
                      Types types) {
    std::vector<Expression> all;
    if (types & kObject)
      all.push_back(objectOf(keywords, place));
    if (types & kArray)
      all.push_back(arrayOf(keywords, place));
    if (types & kString)
      all.push_back(stringOf(keywords, place));
    if (types & (kInteger | kFraction))
      all.push_back(numberOf(keywords, place, types & kFraction));
    if (types & kBoolean) {
      all.push_back(result.literal("true"));
      all.push_back(result.literal("false"));
    }
    if (types & kNull)
      all.push_back(result.literal("null"));
    return result.choice(all);
  }

  /// A keyword's number of items or characters; `otherwise` where it is
  /// missing.
  uint32_t countAt(const Dict &keywords, const std::string &place,
                   const char *keyword, uint32_t otherwise) {
    const Value *value = keywords.find(keyword);
    if (!value)
      return otherwise;
    const auto number = wholeNumber(*value);
    if (!number || *number < 0 || *number >= int64_t(kUnbounded)) {
      notWhole(place, keyword, "a whole number from 0 to 4294967294");
      return otherwise;
    }
    return uint32_t(*number);
  }

  Expression stringOf(const Dict &keywords, const std::string &place) {
    const Value *pattern = keywords.find("pattern");
    const Value *format = keywords.find("format");
    const bool hasLength =
        keywords.find("minLength") || keywords.find("maxLength");
    if (pattern && format)
      return fail(place, "'pattern' and 'format' together are not supported; "
                         "leave one of them out");
    if ((pattern || format) && hasLength)
      return fail(place, "'minLength' or 'maxLength' with 'pattern' or "
                         "'format' is not supported; write the length into "
                         "the pattern, as ^[a-z]{1,8}$");
    if (format) {
      const char *meant = format->is(Value::Kind::String)
                              ? patternOfFormat(format->string().view())
                              : nullptr;
      if (!meant)
        return notWhole(place, "format",
                        "date, time, date-time or uuid, found " +
                            quoted(json(*format)));
      return inQuotes(*parsePattern(result, meant));
    }
    if (pattern) {
      if (!pattern->is(Value::Kind::String))
        return notWhole(place, "pattern", "a regular expression");
      auto made = parsePattern(result, pattern->string().view());
      return made ? inQuotes(*made) : fail(place + "/pattern", made.error());
    }
    if (!hasLength)
      return string;
    const uint32_t least = countAt(keywords, place, "minLength", 0);
    const uint32_t most = countAt(keywords, place, "maxLength", kUnbounded);
    if (most < least)
      return result.choice({});
    return inQuotes(result.repeat(anyJsonCharacter(result), least, most));
  }

  Expression numberOf(const Dict &keywords, const std::string &place,
                      bool hasFractions) {
    auto bounds = facts.boundsOf(keywords, place, hasFractions);
    if (!bounds) {
      failure = Error{bounds.error()};
      return 0;
    }
    return hasFractions ? numbersBetween(result, *bounds)
                        : integersBetween(result, bounds->least, bounds->most);
  }

  //===--------------------------------------------------------------------===//
  // Arrays and objects
  //===--------------------------------------------------------------------===//

  Expression comma() { return result.sequence({result.literal(","), space}); }

  Expression arrayOf(const Dict &keywords, const std::string &place) {
    const Value *first = keywords.find("prefixItems");
    if (first && !first->is(Value::Kind::List))
      return notWhole(place, "prefixItems", "a list of schemas");
    const std::vector<Value> none;
    const std::vector<Value> &firstItems = first ? first->list()->items : none;
    const uint32_t least = countAt(keywords, place, "minItems", 0);
    const uint32_t most = countAt(keywords, place, "maxItems", kUnbounded);
    const auto known = uint32_t(firstItems.size());
    if (most < least)
      return result.choice({});

    // What may follow from an item on, from the last one to the first: `rest`
    // without that item, and nothing where no schema says what it is.
    Expression rest = result.literal("");
    bool hasItems = std::min(known, most) > 0;
    const Value *items = keywords.find("items");
    if (most > known && (items || known == 0 || least > known)) {
      const Expression item =
          items ? schemaAt(*items, place + "/items", kAllTypes)
                : schemaAt(Value(true), place, kAllTypes);
      // The first of all has no comma before it.
      const uint32_t before = std::max(known, 1u);
      rest = result.repeat(result.sequence({comma(), item}),
                           std::max(least, before) - before,
                           most == kUnbounded ? kUnbounded : most - before);
      if (known == 0)
        rest = result.sequence({item, rest});
      hasItems = true;
    }
    for (uint32_t i = std::min(known, most); i-- > 0 && !failure;) {
      const Expression item =
          schemaAt(firstItems[i], place + "/prefixItems/" + std::to_string(i),
                   kAllTypes);
      rest = result.rule(
          place,
          result.sequence({i ? comma() : result.literal(""), item, rest}));
      if (i > 0 && i >= least)
        rest = result.optional(rest);
    }
    return enclosed("[", "]", hasItems ? std::optional(rest) : std::nullopt,
                    least == 0);
  }

  /// An array or an object, and white space inside of it.
  Expression enclosed(const char *open, const char *close,
                      std::optional<Expression> inner, bool mayBeEmpty) {
    Expression all =
        inner ? result.sequence({*inner, space}) : result.literal("");
    if (inner && mayBeEmpty)
      all = result.optional(all);
    return result.sequence(
        {result.literal(open), space, all, result.literal(close)});
  }

  struct Member {
    std::string name;
    Expression pair;
    bool isRequired;
  };

  Expression pairOf(Expression key, Expression value) {
    return result.sequence({key, result.literal(":"), space, value});
  }

  Expression objectOf(const Dict &keywords, const std::string &place) {
    std::vector<Member> members;
    const Value *additional = keywords.find("additionalProperties");
    if (!readMembers(keywords, place, additional, members))
      return 0;
    // Without a word about others they are valid, but only an object of which
    // nothing is known has them.
    const bool hasOthers =
        additional
            ? !(additional->is(Value::Kind::Bool) && !additional->boolean())
            : members.empty() && !keywords.find("properties");
    Expression rest = result.literal(""), other = 0;
    if (hasOthers) {
      const Expression value =
          additional ? schemaAt(*additional, place + "/additionalProperties",
                                kAllTypes)
                     : schemaAt(Value(true), place, kAllTypes);
      other = pairOf(otherName(members, place), value);
      rest = result.repeat(result.sequence({comma(), other}), 0, kUnbounded);
    }
    // `rest` is what may follow a member, `starts` how the members may begin.
    std::vector<Expression> starts;
    if (hasOthers)
      starts.push_back(result.sequence({other, rest}));
    bool mayBeEmpty = true;
    for (size_t i = members.size(); i-- > 0 && !failure;) {
      const Member &member = members[i];
      const Expression start = result.sequence({member.pair, rest});
      if (member.isRequired) {
        starts.clear();
        mayBeEmpty = false;
      }
      starts.push_back(start);
      Expression next = result.sequence({comma(), member.pair});
      if (!member.isRequired)
        next = result.optional(next);
      rest = result.rule(place, result.sequence({next, rest}));
    }
    return enclosed("{", "}",
                    starts.empty() ? std::nullopt
                                   : std::optional(result.choice(starts)),
                    mayBeEmpty);
  }

  bool readMembers(const Dict &keywords, const std::string &place,
                   const Value *additional, std::vector<Member> &members) {
    std::vector<std::string> required; // in the order of the schema
    if (const Value *names = keywords.find("required")) {
      if (!names->is(Value::Kind::List))
        return notWhole(place, "required", "a list of names"), false;
      for (const Value &name : names->list()->items) {
        if (!name.is(Value::Kind::String))
          return notWhole(place, "required", "a list of names"), false;
        required.emplace_back(name.string().view());
      }
    }
    std::set<std::string> missing(required.begin(), required.end());
    auto add = [&](const std::string &name, const Value &schema,
                   const std::string &where) {
      const Expression key = result.literal(json(templates::makeString(name)));
      members.push_back(
          {name,
           result.rule(where, pairOf(key, schemaAt(schema, where, kAllTypes))),
           missing.erase(name) > 0});
    };
    const Value *properties = keywords.find("properties");
    if (properties && !properties->is(Value::Kind::Dict))
      return notWhole(place, "properties", "an object of schemas"), false;
    if (properties)
      for (const auto &[name, schema] : properties->dict()->pairs()) {
        const std::string key(name.string().view());
        add(key, schema, place + "/properties/" + escaped(key));
      }
    // Required, but no property: as an additional one.
    for (const std::string &name : required)
      if (missing.contains(name))
        add(name, additional ? *additional : Value(true),
            place + "/additionalProperties");
    return !failure;
  }

  /// A name that is none of the members', in quotes. Without escapes, which
  /// could spell one of them.
  Expression otherName(const std::vector<Member> &members,
                       const std::string &place) {
    if (members.empty())
      return string;
    std::vector<std::u32string> names;
    for (const Member &member : members) {
      std::u32string name;
      for (std::string_view rest = member.name; !rest.empty();) {
        const Utf8Head head = readUtf8(rest);
        name += head.codePoint;
        rest.remove_prefix(head.bytes);
      }
      if (name.size() > kMostNameLength)
        return fail(place, "a property's name has more than " +
                               std::to_string(kMostNameLength) +
                               " characters, beside 'additionalProperties'; "
                               "set additionalProperties to false");
      names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return inQuotes(otherThan(names, 0));
  }

  /// What may follow `depth` characters that all of these sorted names share,
  /// so that none of them comes.
  Expression otherThan(std::span<const std::u32string> names, size_t depth) {
    std::vector<CodeRange> taken = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};
    std::vector<Expression> all;
    const bool isName = names[0].size() == depth;
    if (!isName)
      all.push_back(result.literal(""));
    const Expression tail =
        result.repeat(result.characters(complementOf(taken)), 0, kUnbounded);
    for (size_t first = isName, last; first < names.size(); first = last) {
      const char32_t next = names[first][depth];
      for (last = first; last < names.size() && names[last][depth] == next;)
        ++last;
      std::string bytes;
      appendUtf8(next, bytes);
      if (next >= 0x20 && next != '"' && next != '\\')
        all.push_back(result.sequence(
            {result.literal(bytes),
             otherThan(names.subspan(first, last - first), depth + 1)}));
      taken.push_back({next, next});
    }
    all.push_back(
        result.sequence({result.characters(complementOf(taken)), tail}));
    return result.choice(all);
  }

  /// References around which 'type' is given, inside of each other.
  static constexpr int kMostNarrowed = 16;

  SchemaFacts facts;
  const Dict noKeywords = {};
  Grammar result;
  Expression space = 0, string = 0;
  std::optional<Expression> any;
  std::map<std::string, Rule> rules;
  std::vector<std::pair<Rule, std::string>> waiting;
  int narrowed = 0;
  std::optional<Error> failure;
};
} // namespace

/// A place has the schema's names, whatever they are. What is wrong stands
/// behind it, so a long place loses its middle.
static Error oneLine(std::string_view error) {
  constexpr size_t mostPlace = 200, mostRest = 300; // bytes
  if (error.size() <= mostPlace + mostRest)
    return Error{printable(error, error.size())};
  return Error{printable(error, mostPlace) +
               printable(error.substr(error.size() - mostRest), mostRest)};
}

Result<Grammar> parseJsonSchema(std::string_view text) {
  for (std::string_view rest = text; !rest.empty();) {
    const Utf8Head head = readUtf8(rest);
    if (head.kind != Utf8Head::whole)
      return Error{"byte " + std::to_string(text.size() - rest.size()) +
                   " is no UTF-8; save the schema as UTF-8"};
    rest.remove_prefix(head.bytes);
  }
  auto document = templates::parseJson(text);
  if (!document)
    return Error{document.error()};
  auto grammar = Reader(*document).grammar();
  if (!grammar)
    return oneLine(grammar.error());
  return grammar;
}

} // namespace corellama::runtime::grammar
