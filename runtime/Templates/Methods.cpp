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

/// Whether a text begins (or ends) with one of the texts given.
static Value hasEnd(Interpreter &in, const String &text, const Arguments &given,
                    bool atStart) {
  const Value *what = given.find(0, "prefix");
  if (!what)
    return in.fail("startswith() and endswith() need a text");
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
    if (atStart ? text.view().starts_with(end) : text.view().ends_with(end))
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
    if (field.empty())
      value =
          next < given.positional.size() ? &given.positional[next] : nullptr,
      ++next;
    else if (field.find_first_not_of("0123456789") == field.npos &&
             field.size() < 6)
      value = given.find(std::stoul(field), "\n");
    else
      value = given.find(std::string::npos, field);
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
    if (!first)
      return in.fail("join() needs a list");
    for (const Value &item : in.iterate(*first))
      if (!item.is(Kind::String))
        return in.fail("join() needs texts, found " +
                       std::string(item.typeName()));
    return in.filter("join", *first, between);
  }
  if (name == "find" || name == "rfind" || name == "index" || name == "count") {
    if (!first || !first->is(Kind::String))
      return in.fail(name + "() needs a text");
    // A search, what counts characters, and a copy to search backwards.
    if (!in.charge(8 * text.size()))
      return {};
    std::string_view what = first->string().view(), view = text.view();
    if (name == "count") {
      return static_cast<int64_t>(what.empty() ? text.length() + 1
                                               : countText(view, what));
    }
    size_t at =
        name == "rfind" ? findLastText(view, what) : findText(view, what);
    if (at == view.npos)
      return name == "index" ? in.fail("substring not found")
                             : Value(int64_t(-1));
    return static_cast<int64_t>(text.length(at));
  }
  if (name == "removeprefix" || name == "removesuffix") {
    if (!first || !first->is(Kind::String))
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
    const Value *key = given.find(0, "key");
    if (!key)
      return in.fail("get() needs a key");
    if (!in.chargeKey(*key))
      return {};
    if (const Value *found = dict->find(*key))
      return *found;
    const Value *otherwise = given.find(1, "default");
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
  if (!what)
    return in.fail(name + "() needs a value");
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
  using Names = std::initializer_list<std::string_view>;
  static constexpr Names kOfString = {
      "strip",      "lstrip",     "rstrip",       "split",       "rsplit",
      "splitlines", "startswith", "endswith",     "upper",       "lower",
      "capitalize", "title",      "replace",      "format",      "join",
      "find",       "rfind",      "index",        "count",       "isdigit",
      "isnumeric",  "isdecimal",  "isspace",      "isupper",     "islower",
      "isalpha",    "isalnum",    "removeprefix", "removesuffix"};
  static constexpr Names kOfDict = {"get", "items", "keys", "values", "copy"};
  static constexpr Names kOfList = {"index", "count", "copy"};
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
  bool isContainer = object.is(Kind::List) || object.is(Kind::Dict);
  if (isContainer && has(kUnsafe) &&
      !(object.is(Kind::Dict) && object.dict()->find(name)))
    return bind([name](Interpreter &in, const Arguments &) {
      return in.fail("access to attribute '" + name +
                     "' is unsafe: a template changes no value");
    });
  if (object.is(Kind::String) && has(kOfString))
    return bind([object, name](Interpreter &in, const Arguments &given) {
      return stringMethod(in, object.string(), name, given);
    });
  if (object.is(Kind::Dict) && has(kOfDict))
    return bind([object, name](Interpreter &in, const Arguments &given) {
      return dictMethod(in, object.dict(), name, given);
    });
  if (object.is(Kind::List) && has(kOfList))
    return bind([object, name](Interpreter &in, const Arguments &given) {
      return listMethod(in, object.list(), name, given);
    });
  return std::nullopt;
}

} // namespace corellama::runtime::templates
