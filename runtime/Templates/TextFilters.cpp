//===- TextFilters.cpp - filters of texts and numbers ---------------------===//
//
// See Filters.h. Where Jinja and Python differ from what one expects (tojson of
// transformers does not escape HTML, for example), they decide.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Filters.h"
#include "runtime/Templates/Json.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

String filters::textOf(Interpreter &in, const Arguments &given, size_t index,
                       std::string_view name, std::string_view otherwise) {
  const Value *value = given.find(index, name);
  return value && !value->is(Kind::None) ? in.textOf(*value)
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
  String text = in.textOf(value);
  return in.charge(8 * text.size()) ? Value(text.upper()) : Value();
}
Value filters::toLower(Interpreter &in, const Value &value, const Arguments &) {
  String text = in.textOf(value);
  return in.charge(8 * text.size()) ? Value(text.lower()) : Value();
}
Value filters::capitalize(Interpreter &in, const Value &value,
                          const Arguments &) {
  String text = in.textOf(value);
  return in.charge(8 * text.size()) ? Value(text.capitalize(false)) : Value();
}
/// Jinja's title: a letter behind white space or one of -({[< is upper, and all
/// others are lower.
Value filters::title(Interpreter &in, const Value &value, const Arguments &) {
  String text = in.textOf(value), result;
  if (!in.charge(64 * text.size()))
    return {};
  std::vector<size_t> at = text.characters();
  size_t from = 0;
  auto flush = [&](size_t to) {
    if (to > from) {
      result.append(text.slice(at[from], at[from + 1]).upper());
      result.append(text.slice(at[from + 1], at[to]).lower());
    }
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
Value filters::strip(Interpreter &in, const String &text,
                     const Arguments &given, bool left, bool right) {
  const Value *set = given.find(0, "chars");
  if (!set || set->is(Kind::None))
    return in.charge(4 * text.size()) ? Value(text.strip("", left, right))
                                      : Value();
  if (!set->is(Kind::String))
    return in.fail("strip arg must be None or str");
  // An empty set is not white space.
  const String &all = set->string();
  if (all.empty() || !in.charge((4 + 2 * all.size()) * text.size()))
    return text;
  return text.strip(all.view(), left, right);
}
Value filters::trim(Interpreter &in, const Value &value,
                    const Arguments &given) {
  String text = in.textOf(value);
  return strip(in, text, given, true, true);
}
Value filters::toString(Interpreter &in, const Value &value,
                        const Arguments &) {
  return in.textOf(value);
}
Value filters::replace(Interpreter &in, const Value &value,
                       const Arguments &given) {
  String text = in.textOf(value), what = textOf(in, given, 0, "old", ""),
         with = textOf(in, given, 1, "new", "");
  const Value *most = given.find(2, "count");
  size_t count = most && most->asInteger() && *most->asInteger() >= 0
                     ? *most->asInteger()
                     : std::string::npos;
  if (!in.charge(8 * text.size()))
    return {};
  // Exactly as many bytes as it becomes.
  size_t places =
      what.empty() ? text.size() + 1 : countText(text.view(), what.view());
  if (!in.charge(std::min(places, count) * (16 + with.size())))
    return {};
  return text.replace(what.view(), with, count);
}
/// What a line is indented by: a text, or so many spaces.
static std::optional<String> paddingOf(Interpreter &in, const Value &width) {
  if (width.is(Kind::String))
    return width.string();
  constexpr int64_t most = 1000; // a line of any screen
  const std::optional<int64_t> spaces = width.asInteger();
  if (!spaces || *spaces > most) {
    in.fail("an indent is a text or a number of spaces up to " +
            std::to_string(most));
    return std::nullopt;
  }
  return String(
      std::string(static_cast<size_t>(std::max<int64_t>(*spaces, 0)), ' '),
      Origin::Template);
}
Value filters::indent(Interpreter &in, const Value &value,
                      const Arguments &given) {
  String text = in.textOf(value);
  const Value *width = given.find(0, "width");
  std::optional<String> pad =
      width ? paddingOf(in, *width) : String("    ", Origin::Template);
  if (!pad)
    return {};
  bool first = flagOf(given, 1, "first", false),
       blank = flagOf(given, 2, "blank", false);
  String result;
  size_t begin = 0, lines = 0;
  std::string_view view = text.view();
  while (begin <= view.size()) {
    size_t end = std::min(view.find('\n', begin), view.size());
    if (!in.charge(end - begin + pad->size()))
      return {};
    if (lines)
      result.append("\n", begin ? text.originAt(begin - 1) : Origin::Template);
    if ((lines || first) && (blank || end > begin || (!lines && first)))
      result.append(*pad);
    result.append(text.slice(begin, end));
    begin = end + 1;
    ++lines;
  }
  return result;
}
Value filters::safe(Interpreter &in, const Value &value, const Arguments &) {
  return value.is(Kind::String) ? value : Value(in.textOf(value));
}
Value filters::escape(Interpreter &in, const Value &value, const Arguments &) {
  String text = in.textOf(value);
  // Five searches, and as many bytes as there may be.
  if (!in.charge(24 * text.size()))
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
  String text = in.textOf(value), result;
  std::string_view view = text.view();
  size_t from = 0, next = 0;
  if (!given.named.empty() && !given.positional.empty())
    return in.fail(
        "can't handle positional and keyword arguments at the same time");
  if (!in.charge(text.size()))
    return {};
  for (size_t at = view.find('%'); at != view.npos; at = view.find('%', from)) {
    // Makes a few bytes, or is charged for by textOf.
    if (!in.charge(64))
      return {};
    result.append(text.slice(from, at));
    std::string_view rest = view.substr(at + 1);
    const Value *named = nullptr;
    if (rest.starts_with('(') && !given.named.empty()) {
      const std::string_view name = rest.substr(1, rest.find(')') - 1);
      rest.remove_prefix(std::min(name.size() + 2, rest.size()));
      if (named = in.charge(4 * given.named.size())
                      ? given.find(std::string::npos, name)
                      : nullptr;
          !named)
        return in.fail("format: there is no argument " + quoted(name));
    }
    char kind = rest.empty() ? '\0' : rest[0];
    from = view.size() - rest.size() + 1;
    if (kind == '%') {
      result.append(text.slice(at, at + 1));
      continue;
    }
    if (!named && next >= given.positional.size())
      return in.fail("not enough arguments for format string");
    const Value &argument = named ? *named : given.positional[next++];
    if (kind == 'd' && !fitsInteger(argument))
      return in.fail("format: %d takes numbers of 64 bits");
    if (kind == 's')
      result.append(in.textOf(argument));
    else if (kind == 'd' && argument.isNumber())
      result.append(std::to_string(argument.is(Kind::Float)
                                       ? static_cast<int64_t>(argument.real())
                                       : argument.integer()),
                    Origin::Content);
    else
      return in.fail("format: %" + std::string(1, kind) +
                     " is not supported; %s, %d and %% are");
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
    std::optional<String> pad = paddingOf(in, *indent);
    if (!pad)
      return {};
    style.indent = pad->view();
    style.itemSeparator = ",";
  }
  if (const Value *separators = given.find(2, "separators");
      separators && separators->is(Kind::List) &&
      separators->list()->items.size() == 2) {
    style.itemSeparator = in.textOf(separators->list()->items[0]).view();
    style.keySeparator = in.textOf(separators->list()->items[1]).view();
  }
  style.sortKeys = flagOf(given, 3, "sort_keys", false);
  const Extent extent = value.extent();
  const size_t perItem = style.itemSeparator.size() +
                         style.keySeparator.size() +
                         (style.indent ? style.indent->size() : 0) *
                             (static_cast<size_t>(extent.level) + 1);
  if (!in.charge(8 * (extent.weight + kItemWeight)) ||
      !in.charge((extent.weight / kItemWeight + 1) * perItem))
    return {};
  auto text = writeJson(value, style);
  if (!text)
    return in.fail(text.error());
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
    in.charge(2 * value.string().size());
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
/// A text as Python's int() and float() read it: without white space around it,
/// with ASCII digits for all of Unicode's, and without the underscores between
/// digits. Nothing where an underscore is elsewhere.
static std::optional<std::string> plainNumber(const String &text) {
  std::string plain;
  const String stripped = text.strip("", true, true);
  std::string_view rest = stripped.view();
  auto isDigit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
  };
  bool isBetween = false;
  while (!rest.empty()) {
    if (rest[0] == '_') {
      if (plain.empty() || !isDigit(plain.back()) || isBetween)
        return std::nullopt;
      isBetween = true;
      rest.remove_prefix(1);
      continue;
    }
    const Utf8Head head = readUtf8(rest);
    const size_t bytes = head.kind == Utf8Head::whole ? head.bytes : 1;
    if (auto digit = head.kind == Utf8Head::whole ? decimalOf(head.codePoint)
                                                  : std::nullopt)
      plain += static_cast<char>('0' + *digit);
    else
      plain += rest.substr(0, bytes);
    if (std::exchange(isBetween, false) && !isDigit(plain.back()))
      return std::nullopt;
    rest.remove_prefix(bytes);
  }
  if (isBetween)
    return std::nullopt;
  return plain;
}
/// A text as a number, if all of it is one.
static std::optional<double> numberIn(const Value &value) {
  if (value.isNumber())
    return value.number();
  if (!value.is(Kind::String))
    return std::nullopt;
  std::optional<std::string> text = plainNumber(value.string());
  if (!text)
    return std::nullopt;
  std::string_view digits = *text;
  if (digits.starts_with('+') && !digits.starts_with("+-"))
    digits.remove_prefix(1);
  double number = 0;
  auto read =
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ptr != digits.data() + digits.size())
    return std::nullopt;
  if (read.ec == std::errc::result_out_of_range) {
    // Too large, or too small: from_chars leaves the number as it is.
    const size_t exponent = digits.find_first_of("eE");
    const bool isSmall =
        exponent != digits.npos
            ? digits.find('-', exponent) != digits.npos
            : digits.find_first_of("123456789") > digits.find('.');
    number = isSmall ? 0 : HUGE_VAL;
    return digits[0] == '-' ? -number : number;
  }
  return read.ec == std::errc() ? std::optional(number) : std::nullopt;
}
/// Python's int(text, base). Nothing where it is no integer, an error where it
/// does not fit 64 bits.
static Result<std::optional<int64_t>> integerIn(const String &text, int base) {
  std::optional<std::string> plain = plainNumber(text);
  if (!plain)
    return std::optional<int64_t>();
  std::string_view digits = *plain;
  const bool isNegative = digits.starts_with('-');
  if (isNegative || digits.starts_with('+'))
    digits.remove_prefix(1);
  if (digits.size() > 1 && digits[0] == '0') {
    const char sign = static_cast<char>(digits[1] | 0x20);
    const int named = sign == 'x' ? 16 : sign == 'o' ? 8 : sign == 'b' ? 2 : 0;
    if (named && (base == named || base == 0)) {
      digits.remove_prefix(2);
      base = named;
    } else if (base == 0 && digits.find_first_not_of('0') != digits.npos) {
      return std::optional<int64_t>(); // no leading zeros
    }
  }
  uint64_t size = 0;
  auto read = std::from_chars(digits.data(), digits.data() + digits.size(),
                              size, base ? base : 10);
  if (digits.empty() || read.ptr != digits.data() + digits.size() ||
      read.ec == std::errc::invalid_argument)
    return std::optional<int64_t>();
  if (read.ec != std::errc() || size > uint64_t(INT64_MAX) + isNegative)
    return Error{"an integer does not fit 64 bits"};
  return std::optional(static_cast<int64_t>(isNegative ? -size : size));
}
Value filters::toInt(Interpreter &in, const Value &value,
                     const Arguments &given) {
  const Value *otherwise = given.find(0, "default");
  if (value.is(Kind::Undefined))
    return in.failUndefined(value);
  if (std::optional<int64_t> integer = value.asInteger())
    return *integer;
  if (value.is(Kind::String)) {
    const Value *base = given.find(1, "base");
    const int64_t of = base ? base->asInteger().value_or(-1) : 10;
    if (of != 0 && (of < 2 || of > 36))
      return in.fail("int: the base is 0 or 2 to 36");
    if (!in.charge(16 * value.string().size()))
      return {};
    auto read = integerIn(value.string(), static_cast<int>(of));
    if (!read)
      return in.fail(read.error());
    if (*read)
      return **read;
  }
  std::optional<double> number = numberIn(value);
  if (number && std::isinf(*number) && value.is(Kind::Float))
    return in.fail("cannot convert float infinity to integer");
  if (!number || !std::isfinite(*number))
    return otherwise ? *otherwise : Value(int64_t(0));
  if (std::fabs(*number) >= 0x1p63)
    return in.fail("an integer does not fit 64 bits");
  return static_cast<int64_t>(*number);
}
Value filters::toFloat(Interpreter &in, const Value &value,
                       const Arguments &given) {
  const Value *otherwise = given.find(0, "default");
  if (value.is(Kind::Undefined))
    return in.failUndefined(value);
  if (value.is(Kind::String) && !in.charge(16 * value.string().size()))
    return {};
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
/// Python's round() of an integer: to a multiple of 10^-digits, ties to even.
static int64_t roundInteger(int64_t number, int64_t digits) {
  int64_t unit = 1;
  for (; digits < 0; ++digits)
    if (__builtin_mul_overflow(unit, 10, &unit))
      return 0;
  int64_t rest = number % unit, whole = number / unit;
  const int sign = number < 0 ? -1 : 1;
  rest *= sign;
  if (rest > unit - rest || (rest == unit - rest && whole % 2 != 0))
    whole += sign;
  return whole * unit;
}
Value filters::roundNumber(Interpreter &in, const Value &value,
                           const Arguments &given) {
  if (!value.isNumber())
    return in.fail("round needs a number");
  const Value *precision = given.find(0, "precision");
  const int64_t digits =
      precision
          ? std::clamp<int64_t>(precision->asInteger().value_or(0), -300, 300)
          : 0;
  const String how = textOf(in, given, 1, "method", "common");
  if (how.view() == "common") {
    if (std::optional<int64_t> integer = value.asInteger())
      return digits < 0 ? roundInteger(*integer, digits) : *integer;
    if (digits < 0)
      return in.fail("round: of a float, a negative precision is not "
                     "supported");
    // The nearest decimal number to what the double is exactly.
    char text[700]; // 309 digits, a point and 300 more
    const auto written =
        std::to_chars(text, text + sizeof(text), value.real(),
                      std::chars_format::fixed, static_cast<int>(digits));
    double rounded = 0;
    std::from_chars(text, written.ptr, rounded);
    return rounded;
  }
  if (how.view() != "ceil" && how.view() != "floor")
    return in.fail("round: the method is common, ceil or floor");
  const double scale = powerOf(10, digits), scaled = value.number() * scale,
               below = floorOf(scaled);
  return (below + (how.view() == "ceil" && scaled > below)) / scale;
}

} // namespace corellama::runtime::templates
