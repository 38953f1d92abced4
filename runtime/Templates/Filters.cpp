//===- Filters.cpp - value|filter -----------------------------------------===//
//
// Jinja's filters of lists and dicts, and the table of all filters.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Filters.h"

#include <algorithm>
#include <list>

namespace corellama::runtime::templates {

using Kind = Value::Kind;
using namespace filters;

static Value useDefault(Interpreter &, const Value &value,
                        const Arguments &given) {
  const Value *otherwise = given.find(0, "default_value");
  bool isMissing = value.is(Kind::Undefined) ||
                   (flagOf(given, 1, "boolean", false) && !value.isTrue());
  if (!isMissing)
    return value;
  return otherwise ? *otherwise : makeString("", Origin::Template);
}
/// The attribute "a.b.0" of a value, as map, join and sort take it.
static Value pathOf(Interpreter &in, Value value, const Value &path) {
  if (path.asInteger())
    return in.item(value, path);
  String text = in.textOf(path);
  std::string_view rest = text.view();
  // A part is a text that is made, and looked up.
  while (in.charge(128)) {
    size_t dot = rest.find('.');
    std::string part(rest.substr(0, dot));
    bool isNumber = !part.empty() &&
                    part.find_first_not_of("0123456789") == part.npos &&
                    part.size() < 10;
    value = isNumber ? in.item(value, int64_t(std::stoi(part)))
                     : in.item(value, makeString(part));
    if (dot == rest.npos)
      break;
    rest.remove_prefix(dot + 1);
  }
  return value;
}
static Value join(Interpreter &in, const Value &value, const Arguments &given) {
  String between = textOf(in, given, 0, "d", ""), result;
  const Value *attribute = given.find(1, "attribute");
  bool isFirst = true;
  for (const Value &item : in.iterate(value)) {
    if (!in.charge(between.size()))
      return {};
    if (!isFirst)
      result.append(between);
    isFirst = false;
    result.append(in.textOf(attribute ? pathOf(in, item, *attribute) : item));
  }
  return result;
}
static Value toList(Interpreter &in, const Value &value, const Arguments &) {
  return makeList(in.iterate(value));
}
static Value first(Interpreter &in, const Value &value, const Arguments &) {
  std::vector<Value> items = in.iterate(value);
  return items.empty() ? Value(Undefined{"the first item"}) : items.front();
}
static Value last(Interpreter &in, const Value &value, const Arguments &) {
  std::vector<Value> items = in.iterate(value);
  return items.empty() ? Value(Undefined{"the last item"}) : items.back();
}
static Value reverse(Interpreter &in, const Value &value, const Arguments &) {
  std::vector<Value> items = in.iterate(value);
  std::reverse(items.begin(), items.end());
  if (!value.is(Kind::String))
    return makeList(std::move(items), List::Form::Generator);
  String text;
  for (const Value &item : items)
    text.append(item.string());
  return text;
}
static Value items(Interpreter &in, const Value &value, const Arguments &) {
  std::vector<Value> pairs;
  if (value.is(Kind::Undefined))
    return makeList({}, List::Form::Generator);
  if (!value.is(Kind::Dict))
    return in.fail("Can only get item pairs from a mapping.");
  if (!in.charge(128 * value.dict()->pairs().size()))
    return {};
  for (const auto &[key, own] : value.dict()->pairs())
    pairs.push_back(makeList({key, own}, List::Form::Tuple));
  return makeList(std::move(pairs), List::Form::Generator);
}

/// What a value is sorted or compared by: without case, unless asked.
static Value keyFor(Interpreter &in, const Value &value, const Value *attribute,
                    bool isCaseSensitive) {
  Value key = attribute ? pathOf(in, value, *attribute) : value;
  if (!isCaseSensitive && key.is(Kind::String)) {
    return in.charge(8 * key.string().size()) ? Value(key.string().lower())
                                              : Value();
  }
  return key;
}
/// A stable sort. By merging, since the order may fail in the middle and NaN
/// has none, which std::sort does not survive.
static std::list<size_t> sorted(Interpreter &in, const std::vector<Value> &keys,
                                bool isReverse) {
  std::list<size_t> order;
  if (!in.charge(32 * keys.size()))
    return order;
  for (size_t i = 0; i < keys.size(); ++i)
    order.push_back(i);
  order.sort([&](size_t a, size_t b) {
    int sign = in.failed() || !in.charge(0) ? 0 : in.compare(keys[a], keys[b]);
    return isReverse ? sign > 0 : sign < 0;
  });
  return order;
}
static Value sort(Interpreter &in, const Value &value, const Arguments &given) {
  std::vector<Value> all = in.iterate(value), keys, result;
  const Value *attribute = given.find(2, "attribute");
  for (const Value &item : all)
    keys.push_back(
        keyFor(in, item, attribute, flagOf(given, 1, "case_sensitive", false)));
  for (size_t i : sorted(in, keys, flagOf(given, 0, "reverse", false)))
    result.push_back(all[i]);
  return makeList(std::move(result));
}
static Value dictsort(Interpreter &in, const Value &value,
                      const Arguments &given) {
  if (!value.is(Kind::Dict))
    return value.is(Kind::Undefined) ? in.failUndefined(value)
                                     : in.fail("dictsort needs a mapping");
  bool byValue = textOf(in, given, 1, "by", "key").view() == "value";
  std::vector<Value> keys, result;
  const auto &pairs = value.dict()->pairs();
  if (!in.charge(128 * pairs.size()))
    return {};
  for (const auto &[key, own] : pairs)
    keys.push_back(keyFor(in, byValue ? own : key, nullptr,
                          flagOf(given, 0, "case_sensitive", false)));
  for (size_t i : sorted(in, keys, flagOf(given, 2, "reverse", false)))
    result.push_back(
        makeList({pairs[i].first, pairs[i].second}, List::Form::Tuple));
  return makeList(std::move(result));
}
static Value unique(Interpreter &in, const Value &value,
                    const Arguments &given) {
  std::vector<Value> result;
  Dict seen;
  const Value *attribute = given.find(1, "attribute");
  for (const Value &item : in.iterate(value)) {
    Value key =
        keyFor(in, item, attribute, flagOf(given, 0, "case_sensitive", false));
    if (!in.chargeKey(key))
      return {};
    if (seen.find(key))
      continue;
    if (!seen.set(key, true))
      return in.fail("unhashable type: '" + std::string(key.typeName()) + "'");
    result.push_back(item);
  }
  return makeList(std::move(result), List::Form::Generator);
}
static Value extreme(Interpreter &in, const Value &value,
                     const Arguments &given, int sign) {
  std::vector<Value> all = in.iterate(value);
  if (all.empty())
    return Undefined{"No aggregated item, sequence was empty."};
  const Value *attribute = given.find(1, "attribute");
  bool isCaseSensitive = flagOf(given, 0, "case_sensitive", false);
  size_t best = 0;
  for (size_t i = 1; i < all.size() && in.charge(0); ++i)
    if (sign * in.compare(keyFor(in, all[i], attribute, isCaseSensitive),
                          keyFor(in, all[best], attribute, isCaseSensitive)) >
        0)
      best = i;
  return all[best];
}
static Value largest(Interpreter &in, const Value &v, const Arguments &given) {
  return extreme(in, v, given, 1);
}
static Value smallest(Interpreter &in, const Value &v, const Arguments &given) {
  return extreme(in, v, given, -1);
}
static Value sum(Interpreter &in, const Value &value, const Arguments &given) {
  const Value *attribute = given.find(0, "attribute");
  const Value *start = given.find(1, "start");
  double real = start && start->isNumber() ? start->number() : 0;
  int64_t integer = start ? start->asInteger().value_or(0) : 0;
  bool isFloat = start && start->is(Kind::Float);
  for (const Value &item : in.iterate(value)) {
    Value number = attribute ? pathOf(in, item, *attribute) : item;
    if (!number.isNumber())
      return in.fail("sum needs numbers");
    isFloat |= number.is(Kind::Float);
    real += number.number();
    if (!number.is(Kind::Float) &&
        __builtin_add_overflow(integer, number.integer(), &integer))
      return in.fail("an integer does not fit 64 bits");
  }
  return isFloat ? Value(real) : Value(integer);
}

/// The rest of the arguments, from `from` on.
static Arguments restOf(const Arguments &given, size_t from) {
  Arguments rest;
  for (size_t i = from; i < given.positional.size(); ++i)
    rest.positional.push_back(given.positional[i]);
  return rest;
}
static Value map(Interpreter &in, const Value &value, const Arguments &given) {
  std::vector<Value> result;
  const Value *attribute = nullptr, *otherwise = nullptr;
  for (const auto &[name, own] : given.named) {
    attribute = name == "attribute" ? &own : attribute;
    otherwise = name == "default" ? &own : otherwise;
  }
  if (!attribute && given.positional.empty())
    return in.fail("map requires a filter argument");
  if (!value.isTrue()) // none, too
    return makeList({}, List::Form::Generator);
  Arguments rest = restOf(given, 1);
  rest.named = given.named;
  const std::string name(
      attribute ? std::string()
                : std::string(in.textOf(given.positional[0]).view()));
  for (const Value &item : in.iterate(value)) {
    Value mapped;
    if (attribute) {
      mapped = pathOf(in, item, *attribute);
      if (mapped.is(Kind::Undefined) && otherwise)
        mapped = *otherwise;
    } else {
      mapped = in.filter(name, item, rest);
    }
    result.push_back(std::move(mapped));
    if (in.failed())
      return {};
  }
  return makeList(std::move(result), List::Form::Generator);
}
/// Items for which a test holds, of themselves or of an attribute.
static Value choose(Interpreter &in, const Value &value, const Arguments &given,
                    bool ofAttribute, bool wanted) {
  std::vector<Value> result;
  size_t at = ofAttribute;
  if (ofAttribute && given.positional.empty())
    return in.fail("selectattr requires an attribute");
  std::string name = given.positional.size() > at
                         ? std::string(in.textOf(given.positional[at]).view())
                         : std::string();
  Arguments rest = restOf(given, at + 1);
  if (!value.isTrue()) // none, too
    return makeList({}, List::Form::Generator);
  for (const Value &item : in.iterate(value)) {
    Value of = ofAttribute ? pathOf(in, item, given.positional[0]) : item;
    bool holds = name.empty() ? of.isTrue() : in.test(name, of, rest);
    if (in.failed())
      return {};
    if (holds == wanted)
      result.push_back(item);
  }
  return makeList(std::move(result), List::Form::Generator);
}
static Value select(Interpreter &in, const Value &v, const Arguments &given) {
  return choose(in, v, given, false, true);
}
static Value reject(Interpreter &in, const Value &v, const Arguments &given) {
  return choose(in, v, given, false, false);
}
static Value selectattr(Interpreter &in, const Value &v,
                        const Arguments &given) {
  return choose(in, v, given, true, true);
}
static Value rejectattr(Interpreter &in, const Value &v,
                        const Arguments &given) {
  return choose(in, v, given, true, false);
}
static Value batch(Interpreter &in, const Value &value,
                   const Arguments &given) {
  const Value *count = given.find(0, "linecount");
  int64_t size = count ? count->asInteger().value_or(0) : 0;
  if (size < 1)
    return in.fail("batch needs a positive number");
  std::vector<Value> result, line;
  for (Value &item : in.iterate(value)) {
    if (!in.charge(128))
      return {};
    if (line.size() == static_cast<size_t>(size))
      result.push_back(makeList(std::exchange(line, {})));
    line.push_back(std::move(item));
  }
  if (!line.empty()) {
    if (const Value *fill = given.find(1, "fill_with");
        fill && size < 100000 && in.charge(64 * size))
      line.resize(size, *fill);
    result.push_back(makeList(std::move(line)));
  }
  return makeList(std::move(result), List::Form::Generator);
}

const Builtin *findFilter(std::string_view name) {
  static constexpr Builtin kFilters[] = {
      {"abs", absolute},
      {"batch", batch, {"linecount fill_with", 1}},
      {"capitalize", capitalize},
      {"count", length},
      {"d", useDefault, {"default_value boolean"}},
      {"default", useDefault, {"default_value boolean"}},
      {"dictsort", dictsort, {"case_sensitive by reverse"}},
      {"e", escape},
      {"escape", escape},
      {"first", first},
      {"float", toFloat, {"default"}},
      {"format", percent, {"*"}},
      {"indent", indent, {"width first blank"}},
      {"int", toInt, {"default base"}},
      {"items", items},
      {"join", join, {"d attribute"}},
      {"last", last},
      {"length", length},
      {"list", toList},
      {"lower", toLower},
      {"map", map, {"*"}},
      {"max", largest, {"case_sensitive attribute"}},
      {"min", smallest, {"case_sensitive attribute"}},
      {"reject", reject, {"*"}},
      {"rejectattr", rejectattr, {"*"}},
      {"replace", replace, {"old new count", 2}},
      {"reverse", reverse},
      {"round", roundNumber, {"precision method"}},
      {"safe", safe},
      {"select", select, {"*"}},
      {"selectattr", selectattr, {"*"}},
      {"sort", sort, {"reverse case_sensitive attribute"}},
      {"string", toString},
      {"sum", sum, {"attribute start"}},
      {"title", title},
      {"tojson", tojson, {"ensure_ascii indent separators sort_keys"}},
      {"trim", trim, {"chars"}},
      {"unique", unique, {"case_sensitive attribute"}},
      {"upper", toUpper}};
  for (const Builtin &filter : kFilters)
    if (filter.name == name)
      return &filter;
  return nullptr;
}

} // namespace corellama::runtime::templates
