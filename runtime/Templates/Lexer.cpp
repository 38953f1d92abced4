//===- Lexer.cpp - the tokens of a Jinja template -------------------------===//
//
// See Lexer.h; the rules of white space are those of Jinja 3.1's lexer.py.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Lexer.h"

#include "runtime/Templates/String.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <charconv>

namespace corellama::runtime::templates {

using Kind = Token::Kind;

/// All line ends become \n, and the last one goes (keep_trailing_newline).
static std::string normalised(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      text += source[i];
      continue;
    }
    text += '\n';
    if (i + 1 < source.size() && source[i + 1] == '\n')
      ++i;
  }
  if (!text.empty() && text.back() == '\n')
    text.pop_back();
  return text;
}

static std::string_view stripRight(std::string_view text) {
  String all(text, Origin::Template);
  return text.substr(0, all.strip("", false, true).size());
}

static bool isNameByte(char c, bool isFirst) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (!isFirst && c >= '0' && c <= '9') || (c & 0x80);
}
static bool isDigit(char c) { return c >= '0' && c <= '9'; }

namespace {
class Lexer {
public:
  explicit Lexer(std::string_view source) : text(normalised(source)) {}

  Result<std::vector<Token>> run() {
    while (!failure && at < text.size())
      readText();
    if (failure)
      return *failure;
    add(Kind::End, "");
    return std::move(tokens);
  }

private:
  void fail(std::string_view what) {
    if (!failure)
      failure =
          Error{"line " + std::to_string(line) + ": " + std::string(what)};
  }
  void add(Kind kind, std::string_view word) {
    Token token{kind, std::string(word), 0, 0, line};
    tokens.push_back(std::move(token));
  }
  char peek(size_t ahead = 0) const {
    return at + ahead < text.size() ? text[at + ahead] : '\0';
  }
  std::string_view rest() const { return std::string_view(text).substr(at); }
  void advance(size_t bytes) {
    line += std::count(text.begin() + at, text.begin() + at + bytes, '\n');
    at += bytes;
  }

  /// Text up to the next tag, and the tag.
  void readText() {
    size_t tag = at;
    while (true) {
      tag = text.find('{', tag);
      if (tag == text.npos || tag + 1 >= text.size()) {
        add(Kind::Data, rest());
        at = text.size();
        return;
      }
      char next = text[tag + 1];
      if (next == '%' || next == '{' || next == '#')
        break;
      ++tag;
    }
    std::string_view before = rest().substr(0, tag - at);
    char kind = text[tag + 1];
    char sign = tag + 2 < text.size() ? text[tag + 2] : '\0';
    bool hasSign = sign == '-' || sign == '+';
    std::string_view kept = before;
    if (sign == '-') {
      kept = stripRight(before);
    } else if (sign != '+' && kind != '{') {
      // lstrip_blocks: spaces between the start of a line and the tag.
      size_t start = before.rfind('\n') + 1;
      bool isAtLine = start > 0 || startsLine;
      if (isAtLine && start < before.size() &&
          String(before.substr(start), Origin::Template)
              .strip("", true, false)
              .empty())
        kept = before.substr(0, start);
    }
    if (!kept.empty())
      add(Kind::Data, kept);
    advance(before.size());
    size_t open = 2 + hasSign;
    if (kind == '#') {
      readComment(open);
    } else if (kind == '%' && isRaw(open)) {
      readRaw();
    } else {
      add(kind == '%' ? Kind::BlockBegin : Kind::VariableBegin, "");
      advance(open);
      readTag(kind);
    }
  }

  /// Behind the end of a tag: white space that goes with it.
  void endTag(std::string_view close, bool trimsLine) {
    char sign = peek();
    bool hasSign = sign == '-' || sign == '+';
    size_t from = at;
    advance(hasSign + close.size());
    if (sign == '-')
      skipSpace();
    else if (sign != '+' && trimsLine && peek() == '\n')
      advance(1);
    startsLine = at > from && text[at - 1] == '\n';
  }
  void skipSpace() {
    while (at < text.size()) {
      Utf8Head head = readUtf8(rest());
      if (head.kind != Utf8Head::whole || !isSpace(head.codePoint))
        return;
      advance(head.bytes);
    }
  }

  void readComment(size_t open) {
    size_t end = text.find("#}", at + open);
    if (end == text.npos)
      return fail("a comment without its #}");
    bool hasSign = text[end - 1] == '-' || text[end - 1] == '+';
    if (hasSign && end - 1 >= at + open)
      --end;
    advance(end - at);
    endTag("#}", true);
  }

  bool isBlock(size_t from, std::string_view word, size_t &length) const {
    size_t i = from;
    while (i < text.size() &&
           (text[i] == ' ' || text[i] == '\t' || text[i] == '\n'))
      ++i;
    if (std::string_view(text).substr(i, word.size()) != word)
      return false;
    i += word.size();
    while (i < text.size() &&
           (text[i] == ' ' || text[i] == '\t' || text[i] == '\n'))
      ++i;
    length = i;
    return std::string_view(text).substr(i, 2) == "%}" ||
           std::string_view(text).substr(i, 3) == "-%}" ||
           std::string_view(text).substr(i, 3) == "+%}";
  }
  bool isRaw(size_t open) const {
    size_t length;
    return isBlock(at + open, "raw", length);
  }
  void readRaw() {
    size_t begin;
    isBlock(at + 2 + (peek(2) == '-' || peek(2) == '+'), "raw", begin);
    advance(begin - at);
    endTag("%}", true);
    size_t end = at, close = 0;
    while (true) {
      end = text.find("{%", end);
      if (end == text.npos)
        return fail("{% raw %} without {% endraw %}");
      size_t open = end + 2 + (text[end + 2] == '-' || text[end + 2] == '+');
      if (isBlock(open, "endraw", close))
        break;
      ++end;
    }
    std::string_view inside = rest().substr(0, end - at);
    if (text[end + 2] == '-')
      inside = stripRight(inside);
    add(Kind::Data, inside);
    advance(close - at);
    endTag("%}", true);
  }

  /// The words of a tag.
  void readTag(char kind) {
    std::string_view close = kind == '%' ? "%}" : "}}";
    std::string brackets;
    while (!failure) {
      skipSpace();
      if (at >= text.size())
        return fail("a tag without its " + std::string(close));
      bool hasSign = peek() == '-' || peek() == '+';
      if (brackets.empty() && rest().substr(hasSign).starts_with(close) &&
          (peek() != '+' || kind == '%')) {
        add(kind == '%' ? Kind::BlockEnd : Kind::VariableEnd, "");
        endTag(close, kind == '%');
        return;
      }
      char c = peek();
      if (isNameByte(c, true))
        readName();
      else if (isDigit(c))
        readNumber();
      else if (c == '"' || c == '\'')
        readString(c);
      else
        readOperator(brackets);
    }
  }

  void readName() {
    size_t end = at;
    while (end < text.size() && isNameByte(text[end], false))
      ++end;
    add(Kind::Name, rest().substr(0, end - at));
    advance(end - at);
  }

  void readNumber() {
    size_t end = at;
    while (end < text.size() && (isDigit(text[end]) || text[end] == '_'))
      ++end;
    bool isFloat = false;
    if (end + 1 < text.size() && text[end] == '.' && isDigit(text[end + 1])) {
      isFloat = true;
      for (++end;
           end < text.size() && (isDigit(text[end]) || text[end] == '_');)
        ++end;
    }
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
      size_t digits = end + 1;
      if (digits < text.size() && (text[digits] == '+' || text[digits] == '-'))
        ++digits;
      if (digits < text.size() && isDigit(text[digits])) {
        isFloat = true;
        for (end = digits; end < text.size() && isDigit(text[end]);)
          ++end;
      }
    }
    std::string word(rest().substr(0, end - at));
    std::erase(word, '_');
    add(isFloat ? Kind::Float : Kind::Integer, word);
    Token &token = tokens.back();
    const char *last = word.data() + word.size();
    auto read = isFloat ? std::from_chars(word.data(), last, token.real)
                        : std::from_chars(word.data(), last, token.integer);
    if (read.ec != std::errc())
      fail("the number " + word + " does not fit 64 bits");
    advance(end - at);
  }

  void readString(char quote) {
    std::string value;
    size_t i = at + 1;
    for (; i < text.size() && text[i] != quote; ++i) {
      if (text[i] != '\\' || i + 1 >= text.size()) {
        value += text[i];
        continue;
      }
      i = readEscape(i + 1, value);
    }
    if (i >= text.size())
      return fail("a string without its closing quote");
    add(Kind::String, value);
    advance(i + 1 - at);
  }

  /// An escape of Python from byte `i` on; the last byte of it.
  size_t readEscape(size_t i, std::string &value) {
    constexpr std::string_view kEscapes = "abfnrtv\\'\"";
    constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\'\"";
    char c = text[i];
    if (size_t k = kEscapes.find(c); k != kEscapes.npos) {
      value += kMeant[k];
      return i;
    }
    if (c == '\n')
      return i;
    auto number = [&](size_t from, size_t digits, int base) -> size_t {
      uint32_t code = 0;
      const char *first = text.data() + from;
      const char *most = text.data() + std::min(text.size(), from + digits);
      auto read = std::from_chars(first, most, code, base);
      size_t count = read.ptr - first;
      if (count == 0 || (base == 16 && count != digits) || code > 0x10FFFF ||
          (code >= 0xD800 && code < 0xE000)) {
        fail("no escape of a string");
        return from;
      }
      appendUtf8(code, value);
      return from + count - 1;
    };
    if (c == 'x')
      return number(i + 1, 2, 16);
    if (c == 'u')
      return number(i + 1, 4, 16);
    if (c == 'U')
      return number(i + 1, 8, 16);
    if (c >= '0' && c <= '7')
      return number(i, 3, 8);
    if (c == 'N')
      fail("\\N{...} is not supported; write the character, or \\uNNNN");
    value += '\\';
    value += c;
    return i;
  }

  void readOperator(std::string &brackets) {
    static constexpr std::string_view kOperators[] = {
        "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "<",
        ">",  "=",  "(",  ")",  "[",  "]",  "{", "}", ".", ",", ":", "|", ";"};
    for (std::string_view word : kOperators) {
      if (!rest().starts_with(word))
        continue;
      if (word == "(" || word == "[" || word == "{")
        brackets += word[0] == '(' ? ')' : word[0] == '[' ? ']' : '}';
      if (word == ")" || word == "]" || word == "}") {
        if (brackets.empty() || brackets.back() != word[0])
          return fail("unexpected '" + std::string(word) + "'");
        brackets.pop_back();
      }
      add(Kind::Operator, word);
      advance(word.size());
      return;
    }
    fail("unexpected " + quoted(rest().substr(0, 1)));
  }

  const std::string text;
  size_t at = 0, line = 1;
  /// Whether nothing but the start or a line end is before `at`.
  bool startsLine = true;
  std::vector<Token> tokens;
  std::optional<Error> failure;
};
} // namespace

Result<std::vector<Token>> tokenize(std::string_view source) {
  return Lexer(source).run();
}

} // namespace corellama::runtime::templates
