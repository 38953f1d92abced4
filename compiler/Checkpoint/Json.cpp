//===- Json.cpp - a JSON file of a checkpoint, in place -------------------===//
//
// See Json.h. The parser recurses, as deep as kMostLevels.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Json.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"
#include <limits>

using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

using Kind = JsonValue::Kind;

//===----------------------------------------------------------------------===//
// Parser
//===----------------------------------------------------------------------===//

/// Keeps its first error; each step returns whether there is none.
class JsonParser {
public:
  JsonParser(StringRef text, StringRef path) : path(path) {
    document.text = text;
  }

  Expected<JsonDocument> run() {
    const StringRef text = document.text;
    // A node's places have 32 bits.
    if (text.size() > std::numeric_limits<uint32_t>::max() / 2)
      return refuse(path, "file",
                    "has " + Twine(text.size()) + " bytes, expected at most " +
                        Twine(std::numeric_limits<uint32_t>::max() / 2) +
                        " of JSON; fetch the file again");
    size_t bad = 0;
    if (!llvm::json::isUTF8(text, &bad))
      return refuse(path, "byte " + Twine(bad),
                    "is no UTF-8, expected JSON; fetch the file again");
    if (value(0) && (skipSpaces(), at != text.size()))
      fail("is behind the value, expected the end of the file");
    if (!failure.empty())
      return refuse(path, "byte " + Twine(at),
                    failure + "; fetch the file again");
    return std::move(document);
  }

private:
  bool fail(const Twine &problem) {
    if (failure.empty())
      failure = problem.str();
    return false;
  }
  /// Says what is there.
  bool expected(StringRef what) {
    const StringRef rest = document.text.substr(at, 1);
    return fail(
        (rest.empty() ? "is the end of the file" : "is " + quoted(rest)) +
        ", expected " + what);
  }
  void skipSpaces() {
    at = std::min(document.text.find_first_not_of(" \t\n\r", at),
                  document.text.size());
  }
  bool take(char c) {
    skipSpaces();
    if (at == document.text.size() || document.text[at] != c)
      return false;
    ++at;
    return true;
  }
  uint32_t add(Kind kind, size_t begin, size_t length) {
    const auto index = static_cast<uint32_t>(document.nodes.size());
    document.nodes.push_back({static_cast<uint32_t>(begin),
                              static_cast<uint32_t>(length), index + 1, kind,
                              false});
    return index;
  }

  bool value(unsigned level);
  bool list(Kind kind, unsigned level);
  bool checkKeys(uint32_t object);
  bool string();
  bool escape(std::string &to);
  bool codeUnit(uint32_t &unit);
  bool number();

  StringRef path;
  JsonDocument document;
  size_t at = 0;
  std::string failure;
};

bool JsonParser::value(unsigned level) {
  skipSpaces();
  const StringRef rest = document.text.substr(at);
  if (rest.starts_with("{") || rest.starts_with("[")) {
    if (level == JsonDocument::kMostLevels)
      return fail("is inside of " + Twine(level) +
                  " lists and objects, expected fewer");
    return list(rest.front() == '{' ? Kind::Object : Kind::Array, level + 1);
  }
  if (rest.starts_with("\""))
    return string();
  for (auto [word, kind] : {std::pair("null", Kind::Null),
                            {"false", Kind::False},
                            {"true", Kind::True}})
    if (rest.starts_with(word)) {
      add(kind, at, StringRef(word).size());
      at += StringRef(word).size();
      return true;
    }
  return number();
}

bool JsonParser::list(Kind kind, unsigned level) {
  const uint32_t index = add(kind, at++, 0);
  const char close = kind == Kind::Object ? '}' : ']';
  uint32_t count = 0;
  if (!take(close)) {
    do {
      if (kind == Kind::Object) {
        skipSpaces();
        if (!document.text.substr(at).starts_with("\""))
          return expected("a key in quotes");
        if (!string())
          return false;
        if (!take(':'))
          return expected("':'");
      }
      if (!value(level))
        return false;
      ++count;
    } while (take(','));
    if (!take(close))
      return expected(kind == Kind::Object ? "',' or '}'" : "',' or ']'");
  }
  document.nodes[index].length = count;
  document.nodes[index].end = static_cast<uint32_t>(document.nodes.size());
  return kind == Kind::Array || checkKeys(index);
}

bool JsonParser::checkKeys(uint32_t object) {
  std::vector<StringRef> keys;
  for (const auto &[key, value] : JsonValue(document, object).members())
    keys.push_back(key);
  llvm::sort(keys);
  auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice == keys.end())
    return true;
  return fail("ends an object with the key " + quoted(*twice) +
              " twice, expected it once");
}

bool JsonParser::string() {
  const size_t begin = ++at;
  const StringRef text = document.text;
  std::string decoded;
  bool isDecoded = false;
  for (size_t from = begin;;) {
    at = std::min(text.find_if(
                      [](char c) {
                        return c == '"' || c == '\\' ||
                               static_cast<unsigned char>(c) < ' ';
                      },
                      at),
                  text.size());
    if (at == text.size() || static_cast<unsigned char>(text[at]) < ' ')
      return expected("the end of a string");
    if (text[at] == '"') {
      const uint32_t index = add(Kind::String, begin, at - begin);
      if (isDecoded) {
        decoded += text.slice(from, at);
        document.nodes[index].isDecoded = true;
        document.nodes[index].begin =
            static_cast<uint32_t>(document.decoded.size());
        document.decoded.push_back(std::move(decoded));
      }
      ++at;
      return true;
    }
    isDecoded = true;
    decoded += text.slice(from, at);
    ++at;
    if (!escape(decoded))
      return false;
    from = at;
  }
}

/// Behind the backslash.
bool JsonParser::escape(std::string &to) {
  constexpr StringRef letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
  const StringRef rest = document.text.substr(at);
  if (!rest.starts_with("u")) {
    const size_t which =
        rest.empty() ? StringRef::npos : letters.find(rest.front());
    if (which == StringRef::npos)
      return expected("an escape of JSON");
    to += meanings[which];
    ++at;
    return true;
  }
  ++at;
  uint32_t unit = 0, low = 0;
  if (!codeUnit(unit))
    return false;
  if (unit >= 0xD800 && unit < 0xE000) {
    // A character beyond 16 bits is two units, the high one first.
    if (unit >= 0xDC00 || !document.text.substr(at).starts_with("\\u"))
      return expected("both halves of a surrogate pair");
    at += 2;
    if (!codeUnit(low))
      return false;
    if (low < 0xDC00 || low >= 0xE000)
      return expected("the second half of a surrogate pair before it");
    unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
  }
  char bytes[4];
  char *end = bytes;
  llvm::ConvertCodePointToUTF8(unit, end);
  to.append(bytes, end);
  return true;
}

bool JsonParser::codeUnit(uint32_t &unit) {
  const StringRef digits = document.text.substr(at, 4);
  if (digits.size() < 4 || !llvm::all_of(digits, llvm::isHexDigit))
    return expected("four hexadecimal digits");
  digits.getAsInteger(16, unit);
  at += 4;
  return true;
}

bool JsonParser::number() {
  const size_t begin = at;
  const StringRef text = document.text;
  auto digits = [&] {
    const size_t first = at;
    while (at < text.size() && llvm::isDigit(text[at]))
      ++at;
    return at > first;
  };
  auto takeAny = [&](StringRef of) {
    const bool is = at < text.size() && of.contains(text[at]);
    at += is;
    return is;
  };
  takeAny("-");
  const bool isZero = takeAny("0");
  if (!isZero && !digits())
    return expected("a value of JSON");
  if (takeAny(".") && !digits())
    return expected("a digit");
  if (takeAny("eE") && (takeAny("+-"), !digits()))
    return expected("a digit");
  add(Kind::Number, begin, at - begin);
  return true;
}

Expected<JsonDocument> JsonDocument::parse(StringRef text, StringRef path) {
  return JsonParser(text, path).run();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Kind JsonValue::kind() const { return document->nodes[node].kind; }

std::optional<StringRef> JsonValue::asString() const {
  if (kind() != Kind::String)
    return std::nullopt;
  return document->textOf(document->nodes[node]);
}

std::optional<bool> JsonValue::asBool() const {
  if (kind() != Kind::True && kind() != Kind::False)
    return std::nullopt;
  return kind() == Kind::True;
}

std::optional<uint64_t> JsonValue::asUnsigned() const {
  uint64_t number = 0;
  if (kind() != Kind::Number ||
      document->textOf(document->nodes[node]).getAsInteger(10, number))
    return std::nullopt;
  return number;
}

std::optional<double> JsonValue::asNumber() const {
  double number = 0;
  // An overflow is infinity, which no reader of a number takes.
  if (kind() != Kind::Number ||
      document->textOf(document->nodes[node]).getAsDouble(number, true))
    return std::nullopt;
  return number;
}

std::vector<JsonValue> JsonValue::elements() const {
  std::vector<JsonValue> all;
  if (!isArray())
    return all;
  const auto &nodes = document->nodes;
  all.reserve(nodes[node].length);
  for (uint32_t i = node + 1; i < nodes[node].end; i = nodes[i].end)
    all.push_back({*document, i});
  return all;
}

std::vector<JsonValue::Member> JsonValue::members() const {
  std::vector<Member> all;
  if (!isObject())
    return all;
  const auto &nodes = document->nodes;
  all.reserve(nodes[node].length);
  for (uint32_t i = node + 1; i < nodes[node].end; i = nodes[i + 1].end)
    all.emplace_back(document->textOf(nodes[i]), JsonValue(*document, i + 1));
  return all;
}

std::optional<JsonValue> JsonValue::find(StringRef key) const {
  if (!isObject())
    return std::nullopt;
  const auto &nodes = document->nodes;
  for (uint32_t i = node + 1; i < nodes[node].end; i = nodes[i + 1].end)
    if (document->textOf(nodes[i]) == key)
      return JsonValue(*document, i + 1);
  return std::nullopt;
}

std::string JsonValue::describe() const {
  const JsonDocument::Node &own = document->nodes[node];
  switch (own.kind) {
  case Kind::Array:
    return "an array of " + std::to_string(own.length);
  case Kind::Object:
    return "an object of " + std::to_string(own.length) +
           (own.length == 1 ? " key" : " keys");
  case Kind::String:
    return quoted(document->textOf(own));
  default: // a word or a number, which has printable characters only
    return document->textOf(own).take_front(64).str();
  }
}

} // namespace corellama::checkpoint
