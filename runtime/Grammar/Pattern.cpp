//===- Pattern.cpp - regular expressions and characters of JSON strings ---===//
//
// See Pattern.h. The syntax is that of ECMA-262 as far as Python's `re` has the
// same.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Pattern.h"

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

namespace corellama::runtime::grammar {

/// Groups inside of each other.
static constexpr int kMostLevels = 50;

using Ranges = std::vector<CodeRange>;

//===----------------------------------------------------------------------===//
// Characters of JSON strings
//===----------------------------------------------------------------------===//

static Ranges intersection(const Ranges &a, const Ranges &b) {
  Ranges none = complementOf(a);
  const Ranges more = complementOf(b);
  none.insert(none.end(), more.begin(), more.end());
  return complementOf(std::move(none));
}

/// What RFC 8259 wants escaped.
static const CodeRange kEscaped[] = {{0, 0x1F}, {'"', '"'}, {'\\', '\\'}};

Expression jsonCharacters(Grammar &grammar, Ranges ranges) {
  const Ranges escaped(std::begin(kEscaped), std::end(kEscaped));
  std::vector<Expression> all;
  if (Ranges plain = intersection(ranges, complementOf(escaped));
      !plain.empty())
    all.push_back(grammar.characters(std::move(plain)));
  for (CodeRange range : intersection(ranges, escaped))
    for (char32_t c = range.first; c <= range.last; ++c) {
      constexpr std::u32string_view kMeant = U"\"\\\b\f\n\r\t";
      constexpr char kLetters[] = "\"\\bfnrt", kDigits[] = "0123456789abcdef";
      std::string text = "\\";
      if (size_t i = kMeant.find(c); i != kMeant.npos)
        text += kLetters[i];
      else
        ((text += "u00") += kDigits[c >> 4]) += kDigits[c & 15];
      all.push_back(grammar.literal(text));
    }
  return grammar.choice(all);
}

/// Surrogates only in pairs, each of which is one character.
Expression anyJsonCharacter(Grammar &grammar) {
  const Expression hex =
      grammar.characters({{'0', '9'}, {'a', 'f'}, {'A', 'F'}});
  const Expression d = grammar.characters({{'d', 'd'}, {'D', 'D'}});
  auto two = grammar.repeat(hex, 2, 2);
  const Expression unit = grammar.choice(
      {grammar.sequence(
           {grammar.characters(
                {{'0', '9'}, {'a', 'c'}, {'A', 'C'}, {'e', 'f'}, {'E', 'F'}}),
            grammar.repeat(hex, 3, 3)}),
       grammar.sequence({d, grammar.characters({{'0', '7'}}), two}),
       grammar.sequence(
           {d, grammar.characters({{'8', '9'}, {'a', 'b'}, {'A', 'B'}}), two,
            grammar.literal("\\u"), d,
            grammar.characters({{'c', 'f'}, {'C', 'F'}}), two})});
  return grammar.choice(
      {grammar.characters(
           complementOf({std::begin(kEscaped), std::end(kEscaped)})),
       grammar.sequence({grammar.literal("\\"),
                         grammar.choice({grammar.characters({{'"', '"'},
                                                             {'\\', '\\'},
                                                             {'/', '/'},
                                                             {'b', 'b'},
                                                             {'f', 'f'},
                                                             {'n', 'n'},
                                                             {'r', 'r'},
                                                             {'t', 't'}}),
                                         grammar.sequence({grammar.literal("u"),
                                                           unit})})})});
}

//===----------------------------------------------------------------------===//
// Regular expressions
//===----------------------------------------------------------------------===//

namespace {
class Reader {
public:
  Reader(Grammar &grammar, std::string_view text)
      : grammar(grammar), text(text) {}

  Result<Expression> pattern() {
    if (!take("^"))
      fail("has no '^' at its beginning; only patterns as ^...$ are supported");
    const Expression made = alternatives(0);
    if (!failure && text.substr(at) != "$")
      fail(at == text.size()
               ? "has no '$' at its end; only patterns as ^...$ are supported"
               : "is not understood from " + quoted(text.substr(at)) + " on");
    if (failure)
      return *failure;
    return made;
  }

private:
  /// A class like \d, in all dialects and in some: Unicode has more digits,
  /// letters and spaces, and Python takes U+001C to U+001F as spaces.
  struct Class {
    Ranges surely, maybe;
  };

  void fail(const std::string &what) {
    if (!failure)
      failure = Error{"the pattern " + what};
  }
  void notSupported(size_t from) {
    fail("has " + quoted(text.substr(from, std::max(at, from + 1) - from)) +
         ", which is not supported");
  }
  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool take(std::string_view word) {
    if (!text.substr(at).starts_with(word))
      return false;
    at += word.size();
    return true;
  }

  Expression alternatives(int level) {
    std::vector<Expression> all;
    do {
      std::vector<Expression> items;
      while (!failure && at < text.size() && peek() != '|' && peek() != ')' &&
             peek() != '$')
        items.push_back(repetition(atom(level)));
      all.push_back(items.empty() ? grammar.literal("")
                                  : grammar.sequence(items));
      if (level == 0 && peek() == '|')
        fail("has '|' outside of a group, where an anchor belongs to one side "
             "only; write ^(...|...)$");
    } while (!failure && take("|"));
    return grammar.choice(all);
  }

  Expression atom(int level) {
    const size_t from = at;
    if (take("(")) {
      if (peek() == '?' && !take("?:")) {
        at = std::min(at + 2, text.size());
        notSupported(from);
      }
      if (level == kMostLevels)
        fail("has groups nested more than " + std::to_string(kMostLevels) +
             " deep");
      const Expression inner = failure ? 0 : alternatives(level + 1);
      if (!failure && !take(")"))
        fail("has a group without ')'");
      return inner;
    }
    if (take("["))
      return jsonCharacters(grammar, characterClass());
    if (take("."))
      return jsonCharacters(
          grammar,
          complementOf({{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}));
    if (std::string_view("*+?{^").find(peek()) != std::string_view::npos) {
      ++at;
      notSupported(from);
      return 0;
    }
    return jsonCharacters(grammar, one().surely);
  }

  /// A character or an escape; of a class in `surely` and `maybe`.
  Class one() {
    const size_t from = at;
    if (take("\\"))
      return escape(from);
    const Utf8Head head = readUtf8(text.substr(at));
    at += head.bytes;
    if (head.kind != Utf8Head::whole)
      notSupported(from);
    return same(head.codePoint);
  }
  static Class same(char32_t c) { return {{{c, c}}, {{c, c}}}; }

  Class escape(size_t from) {
    const char c = peek();
    at += at < text.size();
    constexpr std::string_view kControls = "nrtfv", kMeant = "\n\r\t\f\v";
    if (size_t i = kControls.find(c); c && i != kControls.npos)
      return same(char32_t(kMeant[i]));
    const Ranges ascii = {{0, 0x7F}};
    auto negated = [&](const Class &all) {
      const Ranges others = intersection(ascii, complementOf(all.maybe));
      return Class{others, complementOf(all.surely)};
    };
    const Class digit = {{{'0', '9'}}, {{'0', '9'}}};
    const Ranges letters = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    const Class word = {letters, letters};
    const Class space = {{{'\t', '\r'}, {' ', ' '}},
                         {{'\t', '\r'}, {0x1C, ' '}}};
    hasClass = true;
    switch (c) {
    case 'd':
      return digit;
    case 'D':
      return negated(digit);
    case 'w':
      return word;
    case 'W':
      return negated(word);
    case 's':
      return space;
    case 'S':
      return negated(space);
    default:
      break;
    }
    hasClass = false;
    if (c == 'x' || c == 'u')
      return same(hexadecimal(from, c == 'x' ? 2 : 4));
    const bool isWord = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                        (c >= 'a' && c <= 'z') || uint8_t(c) >= 0x80 || !c;
    if (isWord)
      notSupported(from);
    return same(char32_t(uint8_t(c)));
  }

  char32_t hexadecimal(size_t from, int digits) {
    char32_t value = 0;
    for (; digits > 0; --digits, ++at) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const char c = peek();
      const size_t place =
          kDigits.find(char(c >= 'A' && c <= 'F' ? c + 32 : c));
      if (!c || place == kDigits.npos)
        break;
      value = value * 16 + char32_t(place);
    }
    if (digits > 0 || (value >= 0xD800 && value < 0xE000))
      notSupported(from);
    return value;
  }

  Ranges characterClass() {
    const size_t from = at - 1;
    const bool isNegated = take("^");
    bool hasClasses = false;
    Ranges surely, maybe;
    while (!failure && peek() != ']') {
      if (at >= text.size()) {
        fail("has a class of characters without ']'");
        return {};
      }
      if (peek() == '[') { // nested in some dialects
        ++at;
        notSupported(at - 1);
      }
      hasClass = false;
      Class item = failure ? Class() : one();
      const bool isClass = hasClass;
      hasClasses |= isClass;
      if (peek() == '-' && at + 1 < text.size() && text[at + 1] != ']') {
        ++at;
        hasClass = false;
        const Class last = one();
        if (isClass || hasClass ||
            (!failure && last.surely[0].last < item.surely[0].first)) {
          notSupported(from);
          return {};
        }
        if (!failure)
          item.surely[0].last = item.maybe[0].last = last.surely[0].last;
      }
      surely.insert(surely.end(), item.surely.begin(), item.surely.end());
      maybe.insert(maybe.end(), item.maybe.begin(), item.maybe.end());
    }
    if (failure)
      return {};
    ++at;
    if (surely.empty() && maybe.empty())
      notSupported(from);
    if (!isNegated)
      return surely;
    // Beyond ASCII dialects differ on what is in \d, \w and \s.
    return hasClasses
               ? intersection({{0, 0x7F}}, complementOf(std::move(maybe)))
               : complementOf(std::move(maybe));
  }

  Expression repetition(Expression item) {
    const size_t from = at;
    uint32_t least = 0, most = kUnbounded;
    if (take("?"))
      most = 1;
    else if (take("+"))
      least = 1;
    else if (take("{")) {
      const bool isFirst = number(least);
      most = least;
      if (take(",") && !number(most))
        most = kUnbounded;
      if (!isFirst || !take("}") || most < least)
        notSupported(from);
    } else if (!take("*"))
      return item;
    // Which match is found first makes no difference here.
    take("?");
    if (!failure && at < text.size() &&
        std::string_view("*+?{").find(peek()) != std::string_view::npos) {
      ++at;
      notSupported(from);
    }
    return failure ? 0 : grammar.repeat(item, least, most);
  }

  bool number(uint32_t &value) {
    uint64_t read = 0;
    const size_t from = at;
    for (; peek() >= '0' && peek() <= '9'; ++at)
      read = std::min<uint64_t>(read * 10 + uint64_t(peek() - '0'), kUnbounded);
    value = uint32_t(read);
    return at > from && read < kUnbounded;
  }

  Grammar &grammar;
  std::string_view text;
  size_t at = 0;
  /// Whether the last escape was a class.
  bool hasClass = false;
  std::optional<Error> failure;
};
} // namespace

Result<Expression> parsePattern(Grammar &grammar, std::string_view pattern) {
  return Reader(grammar, pattern).pattern();
}

} // namespace corellama::runtime::grammar
