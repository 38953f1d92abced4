//===- Methods.cpp - methods of texts, lists and dicts --------------------===//
//
// Python's, as far as chat templates use them; those that would change a value
// are refused.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Builtins.h"

#include <algorithm>
#include <cctype>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

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
  if (!in.charge(2 * view.size()))
    return {};
  if (!by || by->is(Kind::None)) {
    // Words, in characters.
    std::vector<size_t> at = text.characters();
    auto isBlank = [&](size_t i) {
      return text.slice(at[i], at[i + 1]).strip("", true, true).empty();
    };
    size_t i = 0, n = at.size() - 1;
    if (fromRight && most != INT64_MAX)
      return in.fail("rsplit() of words with maxsplit is not supported");
    while (true) {
      while (i < n && isBlank(i))
        ++i;
      if (i == n)
        break;
      size_t begin = i;
      if (static_cast<int64_t>(parts.size()) == most) {
        String rest = text.slice(at[begin], at[n]).strip("", false, true);
        parts.emplace_back(at[begin], at[begin] + rest.size());
        break;
      }
      while (i < n && !isBlank(i))
        ++i;
      parts.emplace_back(at[begin], at[i]);
    }
  } else {
    if (!by->is(Kind::String) || by->string().empty())
      return in.fail("split() needs a separator that is no empty text");
    std::string_view separator = by->string().view();
    size_t begin = 0, end = view.size();
    while (static_cast<int64_t>(parts.size()) < most) {
      size_t found = fromRight
                         ? (end < separator.size()
                                ? view.npos
                                : view.rfind(separator, end - separator.size()))
                         : view.find(separator, begin);
      if (found == view.npos)
        break;
      if (fromRight) {
        parts.emplace_back(found + separator.size(), end);
        end = found;
      } else {
        parts.emplace_back(begin, found);
        begin = found + separator.size();
      }
    }
    parts.emplace_back(begin, end);
    if (fromRight)
      std::reverse(parts.begin(), parts.end());
  }
  std::vector<Value> items;
  for (auto [begin, end] : parts)
    items.push_back(text.slice(begin, end));
  in.charge(64 * items.size());
  return makeList(std::move(items));
}

static Value splitlines(Interpreter &in, const String &text,
                        const Arguments &given) {
  const Value *keep = given.find(0, "keepends");
  std::vector<Value> lines;
  std::string_view view = text.view();
  for (size_t begin = 0; begin < view.size() && in.charge(64);) {
    size_t end = std::min(view.find_first_of("\r\n", begin), view.size());
    size_t next = end + (end < view.size()) +
                  (end + 1 < view.size() && view.substr(end, 2) == "\r\n");
    lines.push_back(text.slice(begin, keep && keep->isTrue() ? next : end));
    begin = next;
  }
  return makeList(std::move(lines));
}

/// Whether a text begins (or ends) with one of the texts given.
static Value hasEnd(Interpreter &in, const String &text, const Arguments &given,
                    bool atStart) {
  const Value *what = given.find(0, "prefix");
  if (!what)
    return in.fail("startswith() and endswith() need a text");
  std::vector<Value> all =
      what->is(Kind::List) ? what->list()->items : std::vector<Value>{*what};
  for (const Value &one : all) {
    if (!one.is(Kind::String))
      return in.fail(
          "startswith first arg must be str or a tuple of str, not " +
          std::string(one.typeName()));
    std::string_view end = one.string().view();
    if (atStart ? text.view().starts_with(end) : text.view().ends_with(end))
      return true;
  }
  return false;
}

/// How many characters are in front of a byte.
static int64_t charactersBefore(const String &text, size_t byte) {
  return static_cast<int64_t>(text.slice(0, byte).length());
}

/// Python's "{}".format(...), of plain fields.
static Value formatText(Interpreter &in, const String &text,
                        const Arguments &given) {
  String result;
  std::string_view view = text.view();
  size_t next = 0;
  for (size_t at = 0; at < view.size();) {
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
    result.append(value->str());
    if (!in.charge(result.size()))
      return {};
  }
  return result;
}

static Value stringMethod(Interpreter &in, const String &text,
                          const std::string &name, const Arguments &given) {
  const Value *first = given.find(0, "");
  if (name == "strip" || name == "lstrip" || name == "rstrip") {
    String set = first && !first->is(Kind::None) ? first->str() : String();
    if (!in.charge(text.size() * (1 + set.size())))
      return {};
    if (first && !first->is(Kind::None) && set.empty())
      return text; // an empty set is not white space
    return text.strip(set.view(), name != "rstrip", name != "lstrip");
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
    return in.charge(64 * text.size()) ? Value(text.capitalize(name == "title"))
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
    in.charge(text.size());
    std::string_view what = first->string().view(), view = text.view();
    if (name == "count") {
      int64_t count = 0;
      if (what.empty())
        return static_cast<int64_t>(text.length()) + 1;
      for (size_t at = view.find(what); at != view.npos;
           at = view.find(what, at + what.size()))
        ++count;
      return count;
    }
    size_t at = name == "rfind" ? view.rfind(what) : view.find(what);
    if (at == view.npos)
      return name == "index" ? in.fail("substring not found")
                             : Value(int64_t(-1));
    return charactersBefore(text, at);
  }
  if (name == "removeprefix" || name == "removesuffix") {
    if (!first || !first->is(Kind::String))
      return in.fail(name + "() needs a text");
    std::string_view what = first->string().view();
    if (name == "removeprefix" && text.view().starts_with(what))
      return text.slice(what.size(), text.size());
    if (name == "removesuffix" && text.view().ends_with(what))
      return text.slice(0, text.size() - what.size());
    return text;
  }
  // is...: of ASCII exactly, of other characters by their case.
  auto all = [&](auto isOne) {
    if (text.empty())
      return false;
    for (char c : text.view())
      if (!isOne(static_cast<unsigned char>(c)))
        return false;
    return true;
  };
  if (name == "isdigit" || name == "isnumeric" || name == "isdecimal")
    return all([](int c) { return c >= '0' && c <= '9'; });
  if (name == "isspace")
    return !text.empty() && text.strip("", true, true).empty();
  if (name == "isupper")
    return text.isUpper();
  if (name == "islower")
    return text.isLower();
  if (name == "isalpha")
    return all([](int c) { return c >= 0x80 || std::isalpha(c); });
  return all([](int c) { return c >= 0x80 || std::isalnum(c); });
}

static Value dictMethod(Interpreter &in, const std::shared_ptr<Dict> &dict,
                        const std::string &name, const Arguments &given) {
  if (name == "get") {
    const Value *key = given.find(0, "key");
    if (!key)
      return in.fail("get() needs a key");
    if (const Value *found = dict->find(*key))
      return *found;
    const Value *otherwise = given.find(1, "default");
    return otherwise ? *otherwise : Value(None{});
  }
  if (name == "items")
    return makeList(in.iterate(in.filter("items", dict, {})), List::Form::View);
  if (name == "copy")
    return std::make_shared<Dict>(*dict);
  std::vector<Value> all;
  for (const auto &[key, value] : dict->pairs())
    all.push_back(name == "keys" ? key : value);
  in.charge(64 * all.size());
  return makeList(std::move(all), List::Form::View);
}

static Value listMethod(Interpreter &in, const std::shared_ptr<List> &list,
                        const std::string &name, const Arguments &given) {
  const Value *what = given.find(0, "");
  if (name == "copy")
    return makeList(list->items);
  if (!what)
    return in.fail(name + "() needs a value");
  int64_t count = 0;
  for (size_t i = 0; i < list->items.size(); ++i) {
    if (!list->items[i].equals(*what))
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
    method->level = object.level() + 1;
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
