//===- Methods.cpp - methods of texts, lists and dicts --------------------===//
//
// Python's, as far as chat templates use them; those that would change a value
// are refused.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Filters.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

static bool spaceAt(std::string_view text, size_t at) {
  const Utf8Head head = readUtf8(text.substr(at));
  return head.kind == Utf8Head::whole && isSpace(head.codePoint);
}

/// Parts of a text between separators, at most `most` + 1 of them.
static Value split(Interpreter &in, const String &text, const Arguments &given,
                   bool fromRight) {
  const Value *by = given.find(0, "sep");
  const Value *count = given.find(1, "maxsplit");
  int64_t most = count ? count->asInteger().value_or(-1) : -1;
  if (most < 0)
    most = INT64_MAX;
  std::string_view view = text.view();
  std::vector<std::pair<size_t, size_t>> parts;
  if (!in.charge(8 * view.size()))
    return {};
  if (!by || by->is(Kind::None)) {
    if (fromRight && most != INT64_MAX)
      return in.fail("rsplit() of words with maxsplit is not supported");
    // Words; behind the last one wanted, the rest is one part.
    size_t last = text.strip("", false, true).size(), at = 0;
    auto skip = [&](bool blank) {
      while (at < last && spaceAt(view, at) == blank)
        at += characterBytes(view, at);
      return at;
    };
    while (skip(true) < last) {
      const size_t begin = at;
      if (static_cast<int64_t>(parts.size()) == most) {
        parts.emplace_back(begin, view.size());
        break;
      }
      parts.emplace_back(begin, skip(false));
    }
  } else {
    if (!by->is(Kind::String) || by->string().empty())
      return in.fail("split() needs a separator that is no empty text");
    // From the right, it is the text read backwards.
    std::string_view separator = by->string().view();
    std::string back, separatorBack;
    if (fromRight) {
      back.assign(view.rbegin(), view.rend());
      separatorBack.assign(separator.rbegin(), separator.rend());
      view = back, separator = separatorBack;
    }
    size_t begin = 0;
    while (static_cast<int64_t>(parts.size()) < most) {
      size_t found = findText(view, separator, begin);
      if (found == view.npos || !in.charge(16))
        break;
      parts.emplace_back(begin, found);
      begin = found + separator.size();
    }
    parts.emplace_back(begin, view.size());
    if (fromRight) {
      std::reverse(parts.begin(), parts.end());
      for (auto &part : parts)
        part = {view.size() - part.second, view.size() - part.first};
    }
  }
  if (!in.charge(64 * parts.size()))
    return {};
  std::vector<Value> items;
  for (auto [begin, end] : parts)
    items.push_back(text.slice(begin, end));
  return makeList(std::move(items));
}

static Value splitlines(Interpreter &in, const String &text,
                        const Arguments &given) {
  const Value *keep = given.find(0, "keepends");
  const bool keeps = keep && keep->isTrue();
  std::vector<Value> lines;
  if (!in.charge(4 * text.size()))
    return {};
  for (const String::Line &line : text.lines())
    if (in.charge(64))
      lines.push_back(text.slice(line.begin, keeps ? line.next : line.end));
  return makeList(std::move(lines));
}

/// The part of a text that a method looks at, between the arguments 1 and 2, as
/// bytes; nothing where it begins behind the end.
static std::optional<std::pair<size_t, size_t>>
partOf(Interpreter &in, const String &text, const Arguments &given) {
  if (given.positional.size() < 2)
    return std::pair(size_t(0), text.size());
  if (!in.charge(4 * text.size()))
    return std::nullopt;
  const std::vector<size_t> at = text.characters();
  const auto size = static_cast<int64_t>(at.size()) - 1;
  int64_t bounds[2] = {0, size};
  for (size_t i = 0; i < 2 && i + 1 < given.positional.size(); ++i) {
    const Value &bound = given.positional[i + 1];
    if (bound.is(Kind::None))
      continue;
    if (!bound.asInteger()) {
      in.fail("slice indices must be integers or None, found " +
              std::string(bound.typeName()));
      return std::nullopt;
    }
    bounds[i] = *bound.asInteger();
    bounds[i] =
        bounds[i] < 0 ? std::max<int64_t>(bounds[i] + size, 0) : bounds[i];
  }
  bounds[1] = std::min(bounds[1], size);
  if (bounds[0] > bounds[1])
    return std::nullopt;
  return std::pair(at[bounds[0]], at[bounds[1]]);
}

/// Whether a text begins (or ends) with one of the texts given.
static Value hasEnd(Interpreter &in, const String &text, const Arguments &given,
                    bool atStart) {
  const Value *what = given.find(0, "");
  const auto part = partOf(in, text, given);
  if (!part)
    return false;
  const std::string_view view =
      text.view().substr(part->first, part->second - part->first);
  std::vector<Value> all =
      what->is(Kind::List) ? in.iterate(*what) : std::vector<Value>{*what};
  for (const Value &one : all) {
    if (!one.is(Kind::String))
      return in.fail(
          "startswith first arg must be str or a tuple of str, not " +
          std::string(one.typeName()));
    std::string_view end = one.string().view();
    if (!in.charge(std::min(end.size(), text.size())))
      return {};
    if (atStart ? view.starts_with(end) : view.ends_with(end))
      return true;
  }
  return false;
}

/// Python's "{}".format(...), of plain fields.
static Value formatText(Interpreter &in, const String &text,
                        const Arguments &given) {
  String result;
  std::string_view view = text.view();
  size_t next = 0;
  bool isNumbered = false;
  if (!in.charge(text.size()))
    return {};
  for (size_t at = 0; at < view.size();) {
    // Makes a few bytes, looks through names, or is charged for by textOf.
    if (!in.charge(64 + 4 * given.named.size()))
      return {};
    char c = view[at];
    if ((c == '{' || c == '}') && at + 1 < view.size() && view[at + 1] == c) {
      result.append(text.slice(at, at + 1));
      at += 2;
      continue;
    }
    if (c == '}')
      return in.fail("Single '}' encountered in format string");
    if (c != '{') {
      size_t end = std::min(view.find_first_of("{}", at), view.size());
      result.append(text.slice(at, end));
      at = end;
      continue;
    }
    size_t close = view.find('}', at);
    if (close == view.npos)
      return in.fail("Single '{' encountered in format string");
    std::string field(view.substr(at + 1, close - at - 1));
    at = close + 1;
    if (field.find_first_of(":!.[") != field.npos)
      return in.fail("format: '{" + field +
                     "}' is not supported; {}, {0} and {name} are");
    const Value *value = nullptr;
    const bool isNumber =
        field.find_first_not_of("0123456789") == field.npos && field.size() < 6;
    if (isNumber) {
      isNumbered |= !field.empty();
      if (isNumbered && (next > 0 || field.empty()))
        return in.fail("format: fields are numbered all, or none is");
      const size_t index = field.empty() ? next++ : std::stoul(field);
      if (index < given.positional.size())
        value = &given.positional[index];
    } else {
      value = given.find(std::string::npos, field);
    }
    if (!value)
      return in.fail("format: there is no argument for '{" + field + "}'");
    result.append(in.textOf(*value));
  }
  return result;
}

static Value stringMethod(Interpreter &in, const String &text,
                          const std::string &name, const Arguments &given) {
  const Value *first = given.find(0, "");
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    return filters::strip(in, text, given, name != "rstrip", name != "lstrip");
  }
  if (name == "split" || name == "rsplit")
    return split(in, text, given, name == "rsplit");
  if (name == "splitlines")
    return splitlines(in, text, given);
  if (name == "startswith" || name == "endswith")
    return hasEnd(in, text, given, name == "startswith");
  if (name == "upper" || name == "lower" || name == "replace")
    return in.filter(name, text, given);
  if (name == "capitalize" || name == "title")
    return in.charge(8 * text.size()) ? Value(text.capitalize(name == "title"))
                                      : Value();
  if (name == "format")
    return formatText(in, text, given);
  if (name == "join") {
    Arguments between;
    between.positional.push_back(text);
    for (const Value &item : in.iterate(*first))
      if (!item.is(Kind::String))
        return in.fail("join() needs texts, found " +
                       std::string(item.typeName()));
    return in.filter("join", *first, between);
  }
  if (name == "find" || name == "rfind" || name == "index" || name == "count") {
    if (!first->is(Kind::String))
      return in.fail(name + "() needs a text");
    // A search, what counts characters, and a copy to search backwards.
    const auto part = partOf(in, text, given);
    if (!in.charge(8 * text.size()))
      return {};
    const std::string_view what = first->string().view(),
                           view = part ? text.view().substr(part->first,
                                                            part->second -
                                                                part->first)
                                       : std::string_view();
    if (name == "count") {
      if (!part)
        return int64_t(0);
      return static_cast<int64_t>(what.empty()
                                      ? text.length(part->second) -
                                            text.length(part->first) + 1
                                      : countText(view, what));
    }
    const size_t at = !part             ? view.npos
                      : name == "rfind" ? findLastText(view, what)
                                        : findText(view, what);
    if (at == view.npos)
      return name == "index" ? in.fail("substring not found")
                             : Value(int64_t(-1));
    return static_cast<int64_t>(text.length(part->first + at));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    if (!first->is(Kind::String))
      return in.fail(name + "() needs a text");
    if (!in.charge(text.size()))
      return {};
    std::string_view what = first->string().view();
    if (name == "removeprefix" && text.view().starts_with(what))
      return text.slice(what.size(), text.size());
    if (name == "removesuffix" && text.view().ends_with(what))
      return text.slice(0, text.size() - what.size());
    return text;
  }
  if (!in.charge(16 * text.size()))
    return {};
  auto all = [&](auto isOne) {
    std::string_view view = text.view();
    for (size_t at = 0; at < view.size(); at += characterBytes(view, at)) {
      const Utf8Head head = readUtf8(view.substr(at));
      if (head.kind != Utf8Head::whole || !isOne(head.codePoint))
        return false;
    }
    return !view.empty();
  };
  auto isDecimal = [](char32_t c) { return decimalOf(c).has_value(); };
  if (name == "isdecimal")
    return all(isDecimal);
  if (name == "isdigit")
    return all(isDigit);
  if (name == "isnumeric")
    return all(isNumeric);
  if (name == "isspace")
    return all(isSpace);
  if (name == "isupper")
    return text.isUpper();
  if (name == "islower")
    return text.isLower();
  if (name == "isalpha")
    return all(isAlpha);
  // Digits and decimals are numeric.
  return all([](char32_t c) { return isAlpha(c) || isNumeric(c); });
}

static Value dictMethod(Interpreter &in, const std::shared_ptr<Dict> &dict,
                        const std::string &name, const Arguments &given) {
  if (name == "get") {
    const Value *key = given.find(0, "");
    if (!in.chargeKey(*key))
      return {};
    if (const Value *found = dict->find(*key))
      return *found;
    const Value *otherwise = given.find(1, "");
    return otherwise ? *otherwise : Value(None{});
  }
  if (name == "items")
    return makeList(in.iterate(in.filter("items", dict, {})),
                    List::Form::Items);
  if (!in.charge(128 * dict->pairs().size()))
    return {};
  if (name == "copy")
    return std::make_shared<Dict>(*dict);
  std::vector<Value> all;
  for (const auto &[key, value] : dict->pairs())
    all.push_back(name == "keys" ? key : value);
  return makeList(std::move(all),
                  name == "keys" ? List::Form::Keys : List::Form::Values);
}

static Value listMethod(Interpreter &in, const std::shared_ptr<List> &list,
                        const std::string &name, const Arguments &given) {
  const Value *what = given.find(0, "");
  if (name == "copy")
    return makeList(in.iterate(list));
  int64_t count = 0;
  for (size_t i = 0; i < list->items.size(); ++i) {
    if (!in.equal(list->items[i], *what))
      continue;
    if (name == "index")
      return static_cast<int64_t>(i);
    ++count;
  }
  return name == "index" ? in.fail("the value is not in the list")
                         : Value(count);
}

std::optional<Value> methodOf(const Value &object, const std::string &name) {
  struct Method {
    std::string_view name;
    Parameters parameters = {};
  };
  using Names = std::initializer_list<std::string_view>;
  using Methods = std::initializer_list<Method>;
  static constexpr Methods kOfString = {{"strip", {"_"}},
                                        {"lstrip", {"_"}},
                                        {"rstrip", {"_"}},
                                        {"split", {"sep maxsplit"}},
                                        {"rsplit", {"sep maxsplit"}},
                                        {"splitlines", {"keepends"}},
                                        {"startswith", {"_ _ _", 1}},
                                        {"endswith", {"_ _ _", 1}},
                                        {"upper"},
                                        {"lower"},
                                        {"capitalize"},
                                        {"title"},
                                        {"replace", {"_ _ count", 2}},
                                        {"format", {"*"}},
                                        {"join", {"_", 1}},
                                        {"find", {"_ _ _", 1}},
                                        {"rfind", {"_ _ _", 1}},
                                        {"index", {"_ _ _", 1}},
                                        {"count", {"_ _ _", 1}},
                                        {"isdigit"},
                                        {"isnumeric"},
                                        {"isdecimal"},
                                        {"isspace"},
                                        {"isupper"},
                                        {"islower"},
                                        {"isalpha"},
                                        {"isalnum"},
                                        {"removeprefix", {"_", 1}},
                                        {"removesuffix", {"_", 1}}};
  static constexpr Methods kOfDict = {
      {"get", {"_ _", 1}}, {"items"}, {"keys"}, {"values"}, {"copy"}};
  static constexpr Methods kOfList = {
      {"index", {"_", 1}}, {"count", {"_", 1}}, {"copy"}};
  // What would change a value that others hold: transformers' sandbox refuses.
  static constexpr Names kUnsafe = {"append", "extend",  "insert",    "pop",
                                    "remove", "clear",   "sort",      "reverse",
                                    "update", "popitem", "setdefault"};
  auto has = [&](Names names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  auto bind = [&](auto call) {
    auto method = std::make_shared<Callable>();
    method->name = name;
    method->call = std::move(call);
    method->level = object.extent().level + 1;
    return Value(std::move(method));
  };
  // The method of that name, its arguments checked.
  auto bindOneOf = [&](Methods methods, auto call) -> std::optional<Value> {
    for (const Method &method : methods)
      if (method.name == name)
        return bind([object, name, call, takes = method.parameters](
                        Interpreter &in, const Arguments &given) {
          return accepts(in, name, takes, given) ? call(in, object, name, given)
                                                 : Value();
        });
    return std::nullopt;
  };
  bool isContainer = object.is(Kind::List) || object.is(Kind::Dict);
  if (isContainer && has(kUnsafe) &&
      !(object.is(Kind::Dict) && object.dict()->find(name)))
    return bind([name](Interpreter &in, const Arguments &) {
      return in.fail("access to attribute '" + name +
                     "' is unsafe: a template changes no value");
    });
  using In = Interpreter &;
  using Name = const std::string &;
  if (object.is(Kind::String))
    return bindOneOf(kOfString, [](In in, const Value &value, Name name,
                                   const Arguments &given) {
      return stringMethod(in, value.string(), name, given);
    });
  if (object.is(Kind::Dict))
    return bindOneOf(kOfDict, [](In in, const Value &value, Name name,
                                 const Arguments &given) {
      return dictMethod(in, value.dict(), name, given);
    });
  if (object.is(Kind::List))
    return bindOneOf(kOfList, [](In in, const Value &value, Name name,
                                 const Arguments &given) {
      return listMethod(in, value.list(), name, given);
    });
  return std::nullopt;
}

} // namespace corellama::runtime::templates
