//===- Json.cpp - a JSON file of a checkpoint, in place -------------------===//
//
// See Json.h. The parser recurses, as deep as kMostLevels. What follows it
// reads a text that was JSON when it was parsed: a mapped file can be written
// to since then, so that no byte is read without its place being checked.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/Json.h"
#include "compiler/Checkpoint/Refusal.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/JSON.h"
#include <algorithm>
#include <compare>
#include <deque>
#include <limits>
#include <string_view>
#include <type_traits>

using llvm::Expected;
using llvm::StringRef;
using llvm::Twine;

namespace corellama::checkpoint {

using Kind = JsonValue::Kind;

//===----------------------------------------------------------------------===//
// Strings
//===----------------------------------------------------------------------===//

/// Letters behind a backslash and what they mean; 'u' has digits behind it.
static constexpr StringRef kLetters = "\"\\/bfnrt",
                           kMeanings = "\"\\/\b\f\n\r\t";

namespace {
/// The bytes that a string means, one after the other. Of what is no JSON any
/// more any bytes, no more than it has.
class DecodedBytes {
public:
  explicit DecodedBytes(StringRef raw) : raw(raw) {}

  /// -1 at the end.
  int next() {
    while (used == count) {
      if (raw.empty())
        return -1;
      const char first = raw.front();
      raw = raw.drop_front();
      if (first != '\\' || raw.empty())
        return static_cast<unsigned char>(first);
      decode();
    }
    return static_cast<unsigned char>(character[used++]);
  }

private:
  /// Behind the backslash.
  void decode() {
    const char letter = raw.front();
    raw = raw.drop_front();
    char *end = character;
    if (letter != 'u') {
      const size_t which = kLetters.find(letter);
      *end++ = which == StringRef::npos ? letter : kMeanings[which];
    } else {
      uint32_t unit = codeUnit();
      // A character beyond 16 bits is two units, the high one first.
      if (unit >= 0xD800 && unit < 0xDC00 && raw.consume_front("\\u"))
        unit = 0x10000 + ((unit - 0xD800) << 10) + (codeUnit() & 0x3FF);
      llvm::ConvertCodePointToUTF8(unit, end);
    }
    used = 0;
    count = static_cast<size_t>(end - character);
  }
  uint32_t codeUnit() {
    uint32_t unit = 0;
    if (raw.take_front(4).getAsInteger(16, unit))
      unit = 0;
    raw = raw.substr(4);
    return unit;
  }

  StringRef raw;
  char character[4] = {};
  size_t used = 0, count = 0;
};
} // namespace

static bool hasEscapes(StringRef raw) { return raw.contains('\\'); }

static void decodeTo(StringRef raw, std::string &decoded) {
  decoded.clear();
  decoded.reserve(raw.size());
  DecodedBytes bytes(raw);
  for (int byte; (byte = bytes.next()) >= 0;)
    decoded += static_cast<char>(byte);
}

/// The order of what two strings mean, without a copy of either.
static std::strong_ordering compareDecoded(StringRef a, StringRef b) {
  DecodedBytes left(a), right(b);
  while (true) {
    const int one = left.next(), other = right.next();
    if (one != other || one < 0)
      return one <=> other;
  }
}

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
    // Places have 32 bits.
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
    // They were found in the order of their ends.
    llvm::sort(document.ends, [](auto a, auto b) { return a.begin < b.begin; });
    return std::move(document);
  }

private:
  /// A string by its place in the file, with its escapes.
  struct Key {
    uint32_t place;
    uint32_t length : 31; // of a file of less than 2^31 bytes
    uint32_t hasEscapes : 1;
  };

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
  bool value(unsigned level);
  bool list(bool isObject, unsigned level);
  bool checkKeys(size_t first);
  bool string();
  bool escape();
  bool codeUnit(uint32_t &unit);
  bool number();

  StringRef path;
  JsonDocument document;
  size_t at = 0;
  /// Of all objects that are open. A deque, which grows without a copy.
  std::deque<Key> keys;
  Key lastString = {};
  std::string failure;
};

bool JsonParser::value(unsigned level) {
  skipSpaces();
  const StringRef rest = document.text.substr(at);
  if (rest.starts_with("{") || rest.starts_with("[")) {
    if (level == JsonDocument::kMostLevels)
      return fail("is inside of " + Twine(level) +
                  " lists and objects, expected fewer");
    return list(rest.front() == '{', level + 1);
  }
  if (rest.starts_with("\""))
    return string();
  for (StringRef word : {"null", "false", "true"})
    if (rest.starts_with(word)) {
      at += word.size();
      return true;
    }
  return number();
}

bool JsonParser::list(bool isObject, unsigned level) {
  const size_t begin = at++, firstKey = keys.size();
  const char close = isObject ? '}' : ']';
  if (!take(close)) {
    do {
      if (isObject) {
        skipSpaces();
        if (!document.text.substr(at).starts_with("\""))
          return expected("a key in quotes");
        if (!string())
          return false;
        keys.push_back(lastString);
        if (!take(':'))
          return expected("':'");
      }
      if (!value(level))
        return false;
    } while (take(','));
    if (!take(close))
      return expected(isObject ? "',' or '}'" : "',' or ']'");
  }
  if (at - begin >= JsonDocument::kLong)
    document.ends.push_back(
        {static_cast<uint32_t>(begin), static_cast<uint32_t>(at)});
  return checkKeys(firstKey);
}

/// Of the object that ends, whose keys are those from `first` on.
bool JsonParser::checkKeys(size_t first) {
  auto rawOf = [&](Key key) {
    return document.text.substr(key.place, key.length);
  };
  auto compare = [&](Key a, Key b) -> std::strong_ordering {
    if (a.hasEscapes || b.hasEscapes)
      return compareDecoded(rawOf(a), rawOf(b));
    return std::string_view(rawOf(a)) <=> std::string_view(rawOf(b));
  };
  auto own =
      std::ranges::subrange(keys.begin() + std::ptrdiff_t(first), keys.end());
  std::ranges::sort(own, [&](Key a, Key b) { return compare(a, b) < 0; });
  auto twice = std::ranges::adjacent_find(
      own, [&](Key a, Key b) { return compare(a, b) == 0; });
  if (twice != own.end()) {
    std::string text;
    decodeTo(rawOf(*twice), text);
    return fail("ends an object with the key " + quoted(text) +
                " twice, expected it once");
  }
  keys.resize(first);
  return true;
}

bool JsonParser::string() {
  const size_t begin = ++at;
  const StringRef text = document.text;
  bool hasEscapes = false;
  while (true) {
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
      lastString = {static_cast<uint32_t>(begin),
                    static_cast<uint32_t>(at - begin) & INT32_MAX, hasEscapes};
      ++at;
      return true;
    }
    hasEscapes = true;
    ++at;
    if (!escape())
      return false;
  }
}

/// Behind the backslash.
bool JsonParser::escape() {
  const StringRef rest = document.text.substr(at);
  if (!rest.starts_with("u")) {
    if (rest.empty() || !kLetters.contains(rest.front()))
      return expected("an escape of JSON");
    ++at;
    return true;
  }
  ++at;
  uint32_t unit = 0, low = 0;
  if (!codeUnit(unit))
    return false;
  if (unit < 0xD800 || unit >= 0xE000)
    return true;
  if (unit >= 0xDC00 || !document.text.substr(at).starts_with("\\u"))
    return expected("both halves of a surrogate pair");
  at += 2;
  if (!codeUnit(low))
    return false;
  return (low >= 0xDC00 && low < 0xE000) ||
         expected("the second half of a surrogate pair before it");
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
  return true;
}

Expected<JsonDocument> JsonDocument::parse(StringRef text, StringRef path) {
  return JsonParser(text, path).run();
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

char JsonDocument::byteAt(uint32_t at) const {
  return at < text.size() ? text[at] : '\0';
}

uint32_t JsonDocument::skipSpaces(uint32_t at) const {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t' ||
                              text[at] == '\n' || text[at] == '\r'))
    ++at;
  return at;
}

uint32_t JsonDocument::skipString(uint32_t at) const {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    at += text[at] == '\\';
  return at + 1;
}

uint32_t JsonDocument::skip(uint32_t at) const {
  const char first = byteAt(at);
  if (first == '"')
    return skipString(at);
  if (first != '[' && first != '{')
    return at + static_cast<uint32_t>(wordAt(at).size());
  unsigned levels = 0;
  for (uint32_t next = at; next - at < kLong && next < text.size();) {
    const char c = text[next];
    if (c == '"') {
      next = skipString(next);
      continue;
    }
    ++next;
    levels += c == '[' || c == '{';
    if ((c == ']' || c == '}') && --levels == 0)
      return next;
  }
  auto span = std::ranges::lower_bound(ends, at, {}, &Span::begin);
  if (span == ends.end() || span->begin != at)
    return static_cast<uint32_t>(text.size());
  return span->end;
}

StringRef JsonDocument::rawStringAt(uint32_t at) const {
  return text.slice(at + 1, skipString(at) - 1);
}

StringRef JsonDocument::stringAt(uint32_t at) const {
  const StringRef raw = rawStringAt(at);
  if (!hasEscapes(raw))
    return raw;
  auto [string, isNew] = decoded.try_emplace(at);
  if (isNew)
    decodeTo(raw, string->second);
  return string->second;
}

StringRef JsonDocument::wordAt(uint32_t at) const {
  return text.substr(at).take_until([](char c) {
    return c == ',' || c == ']' || c == '}' || c == ' ' || c == '\t' ||
           c == '\n' || c == '\r';
  });
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Kind JsonValue::kind() const {
  switch (document->byteAt(begin)) {
  case '{':
    return Kind::Object;
  case '[':
    return Kind::Array;
  case '"':
    return Kind::String;
  case 'n':
    return Kind::Null;
  case 'f':
    return Kind::False;
  case 't':
    return Kind::True;
  default:
    return Kind::Number;
  }
}

std::optional<StringRef> JsonValue::asString() const {
  if (kind() != Kind::String)
    return std::nullopt;
  return document->stringAt(begin);
}

std::optional<StringRef> JsonValue::rawString() const {
  if (kind() != Kind::String)
    return std::nullopt;
  return document->rawStringAt(begin);
}

std::optional<StringRef> JsonValue::readString(std::string &decoded) const {
  std::optional<StringRef> raw = rawString();
  if (!raw || !hasEscapes(*raw))
    return raw;
  decodeTo(*raw, decoded);
  return decoded;
}

std::optional<StringRef>
JsonValue::keepString(llvm::BumpPtrAllocator &decoded) const {
  std::string text;
  std::optional<StringRef> read = readString(text);
  return read && read->data() == text.data() ? read->copy(decoded) : read;
}

bool JsonValue::isString(StringRef text) const {
  std::optional<StringRef> raw = rawString();
  if (!raw || !hasEscapes(*raw))
    return raw == text;
  DecodedBytes bytes(*raw);
  return llvm::all_of(text,
                      [&](char c) {
                        return bytes.next() == static_cast<unsigned char>(c);
                      }) &&
         bytes.next() < 0;
}

StringRef JsonValue::file() const { return document->text; }

std::optional<bool> JsonValue::asBool() const {
  if (kind() != Kind::True && kind() != Kind::False)
    return std::nullopt;
  return kind() == Kind::True;
}

std::optional<uint64_t> JsonValue::asUnsigned() const {
  uint64_t number = 0;
  if (kind() != Kind::Number ||
      document->wordAt(begin).getAsInteger(10, number))
    return std::nullopt;
  return number;
}

std::optional<double> JsonValue::asNumber() const {
  double number = 0;
  // An overflow is infinity, which no reader of a number takes.
  if (kind() != Kind::Number ||
      document->wordAt(begin).getAsDouble(number, true))
    return std::nullopt;
  return number;
}

template <> JsonValue JsonValue::Iterator<JsonValue>::operator*() const {
  return {*document, at};
}

template <>
JsonValue::Member JsonValue::Iterator<JsonValue::Member>::operator*() const {
  const uint32_t colon = document->skipSpaces(document->skipString(at));
  return {JsonValue(*document, at),
          JsonValue(*document, document->skipSpaces(colon + 1))};
}

template <typename T>
JsonValue::Iterator<T> &JsonValue::Iterator<T>::operator++() {
  uint32_t value = at;
  if constexpr (std::is_same_v<T, Member>)
    value = (**this).second.begin;
  const uint32_t comma = document->skipSpaces(document->skip(value));
  at = document->byteAt(comma) == ',' ? document->skipSpaces(comma + 1) : kEnd;
  return *this;
}

template <typename T>
llvm::iterator_range<JsonValue::Iterator<T>> JsonValue::list(Kind kind) const {
  uint32_t at = Iterator<T>::kEnd;
  if (this->kind() == kind) {
    const uint32_t first = document->skipSpaces(begin + 1);
    const char next = document->byteAt(first);
    if (next != ']' && next != '}')
      at = first;
  }
  return {Iterator<T>(document, at), Iterator<T>(document, Iterator<T>::kEnd)};
}

template class JsonValue::Iterator<JsonValue>;
template class JsonValue::Iterator<JsonValue::Member>;
template llvm::iterator_range<JsonValue::Iterator<JsonValue>>
    JsonValue::list(Kind) const;
template llvm::iterator_range<JsonValue::Iterator<JsonValue::Member>>
    JsonValue::list(Kind) const;

std::vector<JsonValue> JsonValue::first(size_t most) const {
  std::vector<JsonValue> all;
  for (JsonValue element : elements()) {
    if (all.size() == most)
      break;
    all.push_back(element);
  }
  return all;
}

size_t JsonValue::count() const {
  auto sizeOf = [](auto range) {
    return static_cast<size_t>(std::distance(range.begin(), range.end()));
  };
  return isArray() ? sizeOf(elements()) : sizeOf(members());
}

std::optional<JsonValue> JsonValue::find(StringRef key) const {
  for (const auto &[name, value] : members())
    if (name.isString(key))
      return value;
  return std::nullopt;
}

std::string JsonValue::describe() const {
  switch (kind()) {
  case Kind::Array:
    return "an array of " + std::to_string(count());
  case Kind::Object: {
    const size_t keys = count();
    return "an object of " + std::to_string(keys) +
           (keys == 1 ? " key" : " keys");
  }
  case Kind::String: {
    std::string text;
    return quoted(readString(text).value_or(""));
  }
  default: // a word or a number, which has printable characters only
    return document->wordAt(begin).take_front(64).str();
  }
}

} // namespace corellama::checkpoint
