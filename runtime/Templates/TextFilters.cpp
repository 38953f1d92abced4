//===- TextFilters.cpp - filters of texts and numbers ---------------------===//
//
// See Filters.h. Where Jinja and Python differ from what one expects (tojson of
// transformers does not escape HTML, for example), they decide.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Filters.h"
#include "runtime/Templates/Json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

String filters::textOf(const Arguments &given, size_t index,
                       std::string_view name, std::string_view otherwise) {
  const Value *value = given.find(index, name);
  return value && !value->is(Kind::None) ? value->str()
                                         : String(otherwise, Origin::Template);
}
bool filters::flagOf(const Arguments &given, size_t index,
                     std::string_view name, bool otherwise) {
  const Value *value = given.find(index, name);
  return value ? value->isTrue() : otherwise;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

Value filters::toUpper(Interpreter &in, const Value &value, const Arguments &) {
  String text = value.str();
  return in.charge(64 * text.size()) ? Value(text.upper()) : Value();
}
Value filters::toLower(Interpreter &in, const Value &value, const Arguments &) {
  String text = value.str();
  return in.charge(64 * text.size()) ? Value(text.lower()) : Value();
}
Value filters::capitalize(Interpreter &in, const Value &value,
                          const Arguments &) {
  String text = value.str();
  return in.charge(64 * text.size()) ? Value(text.capitalize(false)) : Value();
}
/// Jinja's title: a letter behind white space or one of -({[< is upper.
Value filters::title(Interpreter &in, const Value &value, const Arguments &) {
  String text = value.str(), result;
  if (!in.charge(64 * text.size()))
    return {};
  std::vector<size_t> at = text.characters();
  size_t from = 0;
  auto flush = [&](size_t to) {
    if (to > from)
      result.append(text.slice(at[from], at[to]).capitalize(false));
    from = to;
  };
  for (size_t i = 0; i + 1 < at.size(); ++i) {
    String one = text.slice(at[i], at[i + 1]);
    bool isSpace = one.strip("", true, true).empty();
    if (!isSpace &&
        std::string_view("-({[<").find(one.view()) == std::string_view::npos)
      continue;
    flush(i);
    result.append(one);
    from = i + 1;
  }
  flush(at.size() - 1);
  return result;
}
Value filters::trim(Interpreter &in, const Value &value,
                    const Arguments &given) {
  String text = value.str();
  const Value *set = given.find(0, "chars");
  if (!in.charge(text.size()))
    return {};
  return text.strip(set ? set->str().view() : std::string_view(), true, true);
}
Value filters::toString(Interpreter &in, const Value &value,
                        const Arguments &) {
  String text = value.str();
  in.charge(text.size());
  return text;
}
Value filters::replace(Interpreter &in, const Value &value,
                       const Arguments &given) {
  String text = value.str(), what = textOf(given, 0, "old", ""),
         with = textOf(given, 1, "new", "");
  const Value *most = given.find(2, "count");
  size_t count = most && most->asInteger() && *most->asInteger() >= 0
                     ? *most->asInteger()
                     : std::string::npos;
  // As many bytes as it may become at most.
  size_t places = what.empty() ? text.size() + 1
                               : text.size() / std::max<size_t>(1, what.size());
  if (!in.charge(text.size() + std::min(places, count) * with.size()))
    return {};
  return text.replace(what.view(), with, count);
}
Value filters::indent(Interpreter &in, const Value &value,
                      const Arguments &given) {
  String text = value.str();
  const Value *width = given.find(0, "width");
  String pad =
      width && width->is(Kind::String)
          ? width->string()
          : String(
                std::string(
                    static_cast<size_t>(std::clamp<int64_t>(
                        width && width->asInteger() ? *width->asInteger() : 4,
                        0, 1000)),
                    ' '),
                Origin::Template);
  bool first = flagOf(given, 1, "first", false),
       blank = flagOf(given, 2, "blank", false);
  String result;
  size_t begin = 0, lines = 0;
  std::string_view view = text.view();
  while (begin <= view.size()) {
    size_t end = std::min(view.find('\n', begin), view.size());
    if (!in.charge(end - begin + pad.size()))
      return {};
    if (lines)
      result.append("\n", begin ? text.originAt(begin - 1) : Origin::Template);
    if ((lines || first) && (blank || end > begin || (!lines && first)))
      result.append(pad);
    result.append(text.slice(begin, end));
    begin = end + 1;
    ++lines;
  }
  return result;
}
Value filters::safe(Interpreter &, const Value &value, const Arguments &) {
  return value.is(Kind::String) ? value : Value(value.str());
}
Value filters::escape(Interpreter &in, const Value &value, const Arguments &) {
  String text = value.str();
  if (!in.charge(6 * text.size()))
    return {};
  constexpr std::pair<std::string_view, std::string_view> kPairs[] = {
      {"&", "&amp;"},
      {"<", "&lt;"},
      {">", "&gt;"},
      {"'", "&#39;"},
      {"\"", "&#34;"}};
  for (auto [what, with] : kPairs)
    text = text.replace(what, String(with, Origin::Content), std::string::npos);
  return text;
}
/// Whether a number has an integer of 64 bits, without its fraction.
static bool fitsInteger(const Value &number) {
  return !number.is(Kind::Float) || std::fabs(number.real()) < 0x1p63;
}
/// Python's text % values, for %s, %d and %%.
Value filters::percent(Interpreter &in, const Value &value,
                       const Arguments &given) {
  String text = value.str(), result;
  std::string_view view = text.view();
  size_t from = 0, next = 0;
  for (size_t at = view.find('%'); at != view.npos; at = view.find('%', from)) {
    result.append(text.slice(from, at));
    char kind = at + 1 < view.size() ? view[at + 1] : '\0';
    from = at + 2;
    if (kind == '%') {
      result.append(text.slice(at, at + 1));
      continue;
    }
    if (next >= given.positional.size())
      return in.fail("not enough arguments for format string");
    const Value &argument = given.positional[next++];
    if (kind == 'd' && !fitsInteger(argument))
      return in.fail("format: %d takes numbers of 64 bits");
    if (kind == 's')
      result.append(argument.str());
    else if (kind == 'd' && argument.isNumber())
      result.append(std::to_string(argument.is(Kind::Float)
                                       ? static_cast<int64_t>(argument.real())
                                       : argument.integer()),
                    Origin::Content);
    else
      return in.fail("format: %" + std::string(1, kind) +
                     " is not supported; %s, %d and %% are");
    if (!in.charge(result.size()))
      return {};
  }
  if (next < given.positional.size())
    return in.fail("not all arguments converted during string formatting");
  result.append(text.slice(std::min(from, view.size()), view.size()));
  return result;
}
Value filters::tojson(Interpreter &in, const Value &value,
                      const Arguments &given) {
  JsonStyle style;
  style.ensureAscii = flagOf(given, 0, "ensure_ascii", false);
  if (const Value *indent = given.find(1, "indent");
      indent && !indent->is(Kind::None)) {
    style.indent =
        indent->is(Kind::String)
            ? std::string(indent->string().view())
            : std::string(static_cast<size_t>(std::clamp<int64_t>(
                              indent->asInteger().value_or(0), 0, 64)),
                          ' ');
    style.itemSeparator = ",";
  }
  if (const Value *separators = given.find(2, "separators");
      separators && separators->is(Kind::List) &&
      separators->list()->items.size() == 2) {
    style.itemSeparator = separators->list()->items[0].str().view();
    style.keySeparator = separators->list()->items[1].str().view();
  }
  style.sortKeys = flagOf(given, 3, "sort_keys", false);
  auto text = writeJson(value, style);
  if (!text)
    return in.fail(text.error());
  in.charge(text->size());
  return std::move(*text);
}

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

Value filters::length(Interpreter &in, const Value &value, const Arguments &) {
  switch (value.kind()) {
  case Kind::Undefined:
    return int64_t(0);
  case Kind::String:
    in.charge(value.string().size());
    return static_cast<int64_t>(value.string().length());
  case Kind::List:
    if (value.list()->form == List::Form::Generator)
      return in.fail("object of type 'generator' has no len()");
    return static_cast<int64_t>(value.list()->items.size());
  case Kind::Dict:
    return static_cast<int64_t>(value.dict()->pairs().size());
  default:
    return in.fail("object of type '" + std::string(value.typeName()) +
                   "' has no len()");
  }
}
/// A text as a number, if all of it is one.
static std::optional<double> numberIn(const Value &value) {
  if (value.isNumber())
    return value.number();
  if (!value.is(Kind::String))
    return std::nullopt;
  std::string text(value.string().strip("", true, true).view());
  std::string_view digits = text;
  if (digits.starts_with('+'))
    digits.remove_prefix(1);
  double number = 0;
  auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ec != std::errc() ||
      read.ptr != digits.data() + digits.size())
    return std::nullopt;
  return number;
}
Value filters::toInt(Interpreter &, const Value &value,
                     const Arguments &given) {
  const Value *otherwise = given.find(0, "default");
  if (std::optional<int64_t> integer = value.asInteger())
    return *integer;
  std::optional<double> number = numberIn(value);
  if (number && std::fabs(*number) < 0x1p63)
    return static_cast<int64_t>(*number);
  return otherwise ? *otherwise : Value(int64_t(0));
}
Value filters::toFloat(Interpreter &, const Value &value,
                       const Arguments &given) {
  const Value *otherwise = given.find(0, "default");
  if (std::optional<double> number = numberIn(value))
    return *number;
  return otherwise ? *otherwise : Value(0.0);
}
Value filters::absolute(Interpreter &in, const Value &value,
                        const Arguments &) {
  if (value.is(Kind::Float))
    return std::fabs(value.real());
  if (std::optional<int64_t> integer = value.asInteger())
    return *integer < 0 ? in.integers("-", 0, *integer) : Value(*integer);
  return in.fail("bad operand type for abs(): '" +
                 std::string(value.typeName()) + "'");
}
Value filters::roundNumber(Interpreter &in, const Value &value,
                           const Arguments &given) {
  if (!value.isNumber())
    return in.fail("round needs a number");
  const Value *digits = given.find(0, "precision");
  double scale =
      powerOf(10, digits ? std::clamp<int64_t>(digits->asInteger().value_or(0),
                                               -300, 300)
                         : 0);
  std::string how(textOf(given, 1, "method", "common").view());
  double scaled = value.number() * scale, below = floorOf(scaled);
  double rest = scaled - below;
  bool isUp = how == "ceil"    ? rest > 0
              : how == "floor" ? false
              : rest == 0.5    ? floorOf(below / 2) * 2 != below // to even
                               : rest > 0.5;
  scaled = below + isUp;
  return scaled / scale;
}

} // namespace corellama::runtime::templates
