//===- Json.cpp - values of a template from JSON, and as JSON -------------===//
//
// See Json.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Json.h"

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace corellama::runtime::templates {

using Kind = Value::Kind;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
class Reader {
public:
  explicit Reader(std::string_view text) : text(text) {}

  Result<Value> document() {
    Value value = read(0);
    skipSpace();
    if (!failure && at != text.size())
      fail("expected the end");
    if (failure)
      return *failure;
    return value;
  }

private:
  Value fail(std::string_view what) {
    if (!failure)
      failure = Error{"byte " + std::to_string(at) +
                      " of the JSON: " + std::string(what)};
    return {};
  }
  void skipSpace() {
    while (at < text.size() &&
           std::string_view(" \t\r\n").find(text[at]) != std::string_view::npos)
      ++at;
  }
  bool take(char c) {
    skipSpace();
    if (at >= text.size() || text[at] != c)
      return false;
    ++at;
    return true;
  }
  bool takeWord(std::string_view word) {
    if (text.substr(at, word.size()) != word)
      return false;
    at += word.size();
    return true;
  }

  Value read(int level) {
    skipSpace();
    if (level > kMostLevels)
      return fail("arrays and objects are nested too deeply");
    if (at >= text.size())
      return fail("expected a value, found the end");
    char c = text[at];
    if (c == '{')
      return readObject(level);
    if (c == '[')
      return readArray(level);
    if (c == '"')
      return makeString(readString());
    if (takeWord("true"))
      return true;
    if (takeWord("false"))
      return false;
    if (takeWord("null"))
      return None{};
    return readNumber();
  }

  Value readObject(int level) {
    ++at;
    auto object = std::make_shared<Dict>();
    if (take('}'))
      return object;
    while (!failure) {
      skipSpace();
      if (at >= text.size() || text[at] != '"')
        return fail("expected a key in double quotes");
      std::string key = readString();
      if (!take(':'))
        return fail("expected ':'");
      object->set(makeString(key), read(level + 1));
      if (take('}'))
        return object;
      if (!take(','))
        return fail("expected ',' or '}'");
    }
    return {};
  }

  Value readArray(int level) {
    ++at;
    std::vector<Value> items;
    if (take(']'))
      return makeList({});
    while (!failure) {
      items.push_back(read(level + 1));
      if (take(']'))
        return makeList(std::move(items));
      if (!take(','))
        return fail("expected ',' or ']'");
    }
    return {};
  }

  Value readNumber() {
    size_t end = at;
    while (end < text.size() &&
           std::string_view("+-.0123456789eE").find(text[end]) !=
               std::string_view::npos)
      ++end;
    std::string word(text.substr(at, end - at));
    const char *first = word.c_str(), *last = first + word.size();
    bool isInteger = word.find_first_of(".eE") == word.npos;
    int64_t integer = 0;
    double real = 0;
    auto read = isInteger ? std::from_chars(first, last, integer)
                          : std::from_chars(first, last, real);
    if (word.empty() || word[0] == '+' || read.ec != std::errc() ||
        read.ptr != last)
      return fail("expected a value, found " + quoted(text.substr(at, 20)));
    at = end;
    return isInteger ? Value(integer) : Value(real);
  }

  /// Four digits of an escape.
  std::optional<char32_t> readUnit() {
    uint32_t unit = 0;
    std::string_view digits = text.substr(std::min(at, text.size()), 4);
    auto read =
        std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() < 4 || read.ptr != digits.data() + 4)
      return std::nullopt;
    at += 4;
    return unit;
  }

  std::string readString() {
    std::string result;
    ++at;
    while (at < text.size() && text[at] != '"') {
      if (static_cast<unsigned char>(text[at]) < 0x20) {
        fail("a control character in a string");
        return result;
      }
      if (text[at] != '\\') {
        result += text[at++];
        continue;
      }
      ++at;
      constexpr std::string_view kEscapes = "\"\\/bfnrt",
                                 kMeant = "\"\\/\b\f\n\r\t";
      char c = at < text.size() ? text[at++] : '\0';
      if (size_t i = kEscapes.find(c); i != kEscapes.npos) {
        result += kMeant[i];
        continue;
      }
      std::optional<char32_t> unit = c == 'u' ? readUnit() : std::nullopt;
      if (unit && *unit >= 0xD800 && *unit < 0xDC00 && takeWord("\\u")) {
        std::optional<char32_t> low = readUnit();
        unit = low && *low >= 0xDC00 && *low < 0xE000
                   ? std::optional(0x10000 + ((*unit - 0xD800) << 10) +
                                   (*low - 0xDC00))
                   : std::nullopt;
      }
      if (!unit || (*unit >= 0xD800 && *unit < 0xE000)) {
        fail("no escape of JSON");
        return result;
      }
      appendUtf8(*unit, result);
    }
    if (at >= text.size())
      fail("a string without its closing quote");
    ++at;
    return result;
  }

  std::string_view text;
  size_t at = 0;
  std::optional<Error> failure;
};

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

class Writer {
public:
  explicit Writer(const JsonStyle &style) : style(style) {}

  Result<String> document(const Value &value) {
    write(value, 0);
    if (failure)
      return *failure;
    return std::move(out);
  }

private:
  void put(std::string_view text) { out.append(text, Origin::Content); }

  void newLine(int level) {
    if (!style.indent)
      return;
    put("\n");
    for (int i = 0; i < level; ++i)
      put(*style.indent);
  }
  /// The separator of items ends in a space only where all is one line.
  void separate(int level) {
    put(style.itemSeparator);
    newLine(level);
  }

  void write(const Value &value, int level) {
    if (level > kMostLevels && !failure)
      failure = Error{"tojson: lists and dicts are nested too deeply"};
    if (failure)
      return;
    switch (value.kind()) {
    case Kind::None:
      return put("null");
    case Kind::Bool:
      return put(value.boolean() ? "true" : "false");
    case Kind::Int:
      return put(std::to_string(value.integer()));
    case Kind::Float:
      return put(floatOf(value.real()));
    case Kind::String:
      return writeString(value.string());
    case Kind::List: {
      if (!value.list()->isPlain())
        break;
      const std::vector<Value> &items = value.list()->items;
      put("[");
      for (size_t i = 0; i < items.size(); ++i) {
        i ? separate(level + 1) : newLine(level + 1);
        write(items[i], level + 1);
      }
      if (!items.empty())
        newLine(level);
      return put("]");
    }
    case Kind::Dict:
      return writeDict(*value.dict(), level);
    default:
      break;
    }
    failure = Error{"tojson: Object of type " + std::string(value.typeName()) +
                    " is not JSON serializable"};
  }

  static std::string floatOf(double value) {
    if (std::isnan(value))
      return "NaN";
    if (std::isinf(value))
      return value < 0 ? "-Infinity" : "Infinity";
    return formatFloat(value);
  }

  void writeDict(const Dict &dict, int level) {
    using Pair = std::pair<Value, Value>;
    std::vector<std::pair<std::string, const Pair *>> order;
    for (const Pair &pair : dict.pairs())
      order.emplace_back(
          style.sortKeys ? pair.first.str().view() : std::string_view(), &pair);
    if (style.sortKeys)
      std::sort(order.begin(), order.end()); // equal ones as they stand
    put("{");
    bool isFirst = true;
    for (const auto &[name, pair] : order) {
      isFirst ? newLine(level + 1) : separate(level + 1);
      isFirst = false;
      const Value &key = pair->first;
      if (key.is(Kind::String)) {
        writeString(key.string());
      } else {
        put("\"");
        write(key, kMostLevels); // a number, a boolean or null
        put("\"");
      }
      put(style.keySeparator);
      write(pair->second, level + 1);
    }
    if (!order.empty())
      newLine(level);
    put("}");
  }

  void writeString(const String &text) {
    put("\"");
    std::string_view view = text.view();
    size_t from = 0;
    for (size_t at = 0; at < view.size();) {
      Utf8Head head = readUtf8(view.substr(at));
      size_t bytes = head.kind == Utf8Head::whole ? head.bytes : 1;
      std::string escaped = escapeOf(
          head.kind == Utf8Head::whole ? head.codePoint : char32_t(0xFFFD));
      if (!escaped.empty()) {
        out.append(text, from, at);
        out.append(escaped, text.originAt(at));
        from = at + bytes;
      }
      at += bytes;
    }
    out.append(text, from, view.size());
    put("\"");
  }

  /// How json.dumps writes a character; empty: as it is.
  std::string escapeOf(char32_t c) const {
    constexpr std::u32string_view kMeant = U"\"\\\b\f\n\r\t";
    if (size_t i = kMeant.find(c); i != kMeant.npos)
      return std::string("\\") + "\"\\bfnrt"[i];
    if (c >= 0x20 && (c < 0x7F || !style.ensureAscii))
      return {};
    auto unit = [](uint32_t value) {
      constexpr char digits[] = "0123456789abcdef";
      std::string text = "\\u";
      for (int shift = 12; shift >= 0; shift -= 4)
        text += digits[value >> shift & 15];
      return text;
    };
    if (c < 0x10000)
      return unit(c);
    return unit(0xD800 + ((c - 0x10000) >> 10)) + unit(0xDC00 + (c & 0x3FF));
  }

  const JsonStyle &style;
  String out;
  std::optional<Error> failure;
};
} // namespace

Result<Value> parseJson(std::string_view text) {
  return Reader(text).document();
}

Result<String> writeJson(const Value &value, const JsonStyle &style) {
  return Writer(style).document(value);
}

} // namespace corellama::runtime::templates
