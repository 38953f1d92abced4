//===- Gbnf.cpp - grammars in llama.cpp's notation ------------------------===//
//
// See Gbnf.h. A parser by recursive descent, one method for each level of the
// notation. The first error sticks: `failure` ends all loops.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Gbnf.h"

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <map>
#include <string>

namespace corellama::runtime::grammar {

/// Groups inside of each other; compiling recurses over them.
static constexpr int kMostLevels = 100;
/// Of one part, as in x+?; each is a level, too.
static constexpr int kMostOperators = 8;

namespace {
class Parser {
public:
  explicit Parser(std::string_view text) : text(text) {}

  Result<Grammar> grammar() {
    skipSpace(true);
    while (!failure && at < text.size())
      rule();
    if (!failure)
      checkRules();
    if (failure)
      return *failure;
    return std::move(result);
  }

private:
  struct Name {
    Rule rule;
    /// Where it is referred to first, for a rule that nobody defines.
    size_t use;
  };

  void failAt(size_t where, std::string_view what) {
    if (failure)
      return;
    const std::string_view before = text.substr(0, where);
    const size_t line =
        1 + size_t(std::count(before.begin(), before.end(), '\n'));
    // npos + 1 is 0: the first line has no end before it.
    const size_t column = where - (before.rfind('\n') + 1) + 1;
    failure = Error{"line " + std::to_string(line) + ", column " +
                    std::to_string(column) + ": " + std::string(what)};
  }
  void expected(std::string_view what) {
    std::string found = at < text.size() ? quoted(text.substr(at, lengthHere()))
                                         : "the end of the file";
    if (peek() == '\n')
      found = "the end of the line";
    failAt(at, "expected " + std::string(what) + ", found " + found);
  }
  size_t lengthHere() const { return readUtf8(text.substr(at)).bytes; }

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool take(std::string_view word) {
    if (!text.substr(at).starts_with(word))
      return false;
    at += word.size();
    return true;
  }
  void skipSpace(bool lines) {
    while (at < text.size()) {
      if (text[at] == '#')
        at = std::min(text.find('\n', at), text.size());
      else if (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' ||
               (lines && text[at] == '\n'))
        ++at;
      else
        return;
    }
  }

  static bool isWord(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
  }
  std::string_view takeName() {
    const size_t from = at;
    while (at < text.size() && isWord(text[at]))
      ++at;
    return text.substr(from, at - from);
  }
  Rule ruleOf(std::string_view name, size_t where) {
    auto found = names.find(name);
    if (found == names.end())
      found = names.emplace(name, Name{result.addRule(name), where}).first;
    return found->second.rule;
  }

  void rule() {
    const size_t from = at;
    const std::string_view name = takeName();
    if (name.empty())
      return expected("the name of a rule");
    skipSpace(false);
    if (!take("::="))
      return expected("'::=' after the rule's name");
    skipSpace(true);
    const Expression body = alternatives(0);
    if (failure)
      return;
    const Rule made = ruleOf(name, from);
    if (result.bodyOf(made) && !result.isTooLarge())
      return failAt(from, "rule " + quoted(name) +
                              " is defined twice, expected once; rename one "
                              "of the two");
    result.define(made, body);
    if (at < text.size() && peek() != '\n')
      return expected("a part of rule " + quoted(name) +
                      " or the end of the line");
    skipSpace(true);
  }

  Expression alternatives(int level) {
    std::vector<Expression> all;
    do {
      all.push_back(sequence(level));
      // A line may end before the next alternative only inside a group.
      if (peek() != '|')
        break;
      ++at;
      skipSpace(true);
    } while (!failure);
    return result.choice(all);
  }

  Expression sequence(int level) {
    std::vector<Expression> all;
    while (!failure && startsPart()) {
      if (result.isTooLarge())
        failAt(at, "the grammar has more than " + std::to_string(kMostParts) +
                       " parts; make it smaller");
      const Expression one = part(level);
      skipSpace(level > 0);
      all.push_back(repetitions(one, level > 0));
    }
    return all.empty() ? result.literal("") : result.sequence(all);
  }

  bool startsPart() const {
    const char c = peek();
    return c == '"' || c == '[' || c == '.' || c == '(' || c == '<' ||
           c == '!' || isWord(c);
  }

  Expression part(int level) {
    const size_t from = at;
    if (take("\""))
      return literal();
    if (take("["))
      return characters();
    if (take("."))
      return result.characters({{0, kLastCodePoint}});
    if (take("(")) {
      if (level == kMostLevels)
        failAt(from, "groups are nested more than " +
                         std::to_string(kMostLevels) +
                         " deep; make rules of the inner ones");
      skipSpace(true);
      const Expression inner = failure ? 0 : alternatives(level + 1);
      if (!failure && !take(")"))
        expected("')' at the end of a group");
      return inner;
    }
    if (peek() == '<' || peek() == '!') {
      failAt(from, "references to tokens such as <think> are not supported; "
                   "write the text as \"...\"");
      return 0;
    }
    return result.reference(ruleOf(takeName(), from));
  }

  /// The operators behind a part; several apply one after the other.
  Expression repetitions(Expression item, bool inGroup) {
    for (int operators = 0; !failure; ++operators) {
      uint32_t least = 0, most = kUnbounded;
      const size_t from = at;
      if (take("?"))
        most = 1;
      else if (take("+"))
        least = 1;
      else if (take("{"))
        counts(from, least, most);
      else if (!take("*"))
        break;
      if (operators == kMostOperators)
        failAt(from, "more than " + std::to_string(kMostOperators) +
                         " repetitions of one part; leave some out");
      item = result.repeat(item, least, most);
      skipSpace(inGroup);
    }
    return item;
  }

  void counts(size_t from, uint32_t &least, uint32_t &most) {
    skipSpace(false);
    if (!number(least))
      return expected("a number of repetitions");
    skipSpace(false);
    most = least;
    if (take(",")) {
      skipSpace(false);
      if (!number(most))
        most = kUnbounded;
      skipSpace(false);
    }
    if (!failure && !take("}"))
      return expected("'}' after the numbers of repetitions");
    if (most < least)
      failAt(from, "from " + std::to_string(least) + " to " +
                       std::to_string(most) +
                       " repetitions, expected the smaller number first");
  }

  bool number(uint32_t &value) {
    const size_t from = at;
    uint64_t read = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at)
      read = std::min<uint64_t>(read * 10 + uint64_t(peek() - '0'), kUnbounded);
    if (read >= kUnbounded)
      failAt(from, "more than 4294967294 repetitions; leave the end out");
    value = uint32_t(read);
    return at > from;
  }

  Expression literal() {
    const size_t from = at - 1;
    std::string bytes;
    while (!failure && !take("\"")) {
      if (at >= text.size() || peek() == '\n') {
        failAt(from, "a literal has no closing '\"' on its line");
        break;
      }
      appendUtf8(character(), bytes);
    }
    return result.literal(bytes);
  }

  Expression characters() {
    const size_t from = at - 1;
    const bool isNegated = take("^");
    std::vector<CodeRange> ranges;
    while (!failure && !take("]")) {
      if (at >= text.size() || peek() == '\n') {
        failAt(from, "a class of characters has no closing ']' on its line");
        break;
      }
      const size_t start = at;
      CodeRange range{character(), 0};
      range.last = range.first;
      if (peek() == '-' && at + 1 < text.size() && text[at + 1] != ']') {
        ++at;
        range.last = character();
        if (range.last < range.first)
          failAt(start, "the range " + quoted(text.substr(start, at - start)) +
                            " ends before it begins");
      }
      ranges.push_back(range);
    }
    return result.characters(isNegated ? complementOf(std::move(ranges))
                                       : std::move(ranges));
  }

  /// One character of a literal or a class, escaped or as it is.
  char32_t character() {
    const size_t from = at;
    if (take("\\"))
      return escaped(from);
    if (at >= text.size()) {
      expected("a character");
      return 0;
    }
    const Utf8Head head = readUtf8(text.substr(at));
    if (head.kind != Utf8Head::whole) {
      failAt(at, "a byte that is no UTF-8; save the grammar as UTF-8");
      return 0;
    }
    at += head.bytes;
    return head.codePoint;
  }

  char32_t escaped(size_t from) {
    constexpr std::string_view kEscapes = "tnr\\\"[]", kMeant = "\t\n\r\\\"[]";
    const char c = peek();
    if (size_t i = kEscapes.find(c); c && i != kEscapes.npos) {
      ++at;
      return static_cast<unsigned char>(kMeant[i]);
    }
    const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (!digits) {
      failAt(from, "expected an escape \\n, \\r, \\t, \\\\, \\\", \\[, \\], "
                   "\\xHH, \\uHHHH or \\UHHHHHHHH");
      return 0;
    }
    ++at;
    uint64_t value = 0;
    for (size_t i = 0; i < digits; ++i, ++at) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const char digit = peek();
      const size_t place =
          kDigits.find(char(digit >= 'A' && digit <= 'F' ? digit + 32 : digit));
      if (!digit || place == kDigits.npos) {
        failAt(from, std::string("expected ") + std::to_string(digits) +
                         " hexadecimal digits after \\" + c);
        return 0;
      }
      value = value * 16 + place;
    }
    if (value > kLastCodePoint || (value >= 0xD800 && value < 0xE000)) {
      failAt(from, "no character has the code point " +
                       quoted(text.substr(from, at - from)));
      return 0;
    }
    return char32_t(value);
  }

  void checkRules() {
    for (const auto &[name, known] : names)
      if (!result.bodyOf(known.rule))
        return failAt(known.use,
                      "rule " + quoted(name) + " is not defined; add `" +
                          std::string(name.substr(0, 60)) + " ::= ...`");
    auto root = names.find("root");
    if (root == names.end())
      return failAt(text.size(),
                    "there is no rule 'root', with which an answer begins");
    result.root = root->second.rule;
    if (result.isTooLarge())
      failAt(text.size(), "the grammar has more than " +
                              std::to_string(kMostParts) +
                              " parts; make it smaller");
  }

  std::string_view text;
  size_t at = 0;
  Grammar result;
  std::map<std::string_view, Name> names;
  std::optional<Error> failure;
};
} // namespace

Result<Grammar> parseGbnf(std::string_view text) {
  return Parser(text).grammar();
}

} // namespace corellama::runtime::grammar
