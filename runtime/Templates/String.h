//===- String.h - text that knows where each byte comes from --------------===//
//
// The strings of a template: bytes of UTF-8, each marked as the template's own
// or as content (a message, a tool, a role). Whatever a template does with a
// string keeps the marks, so that in the end a control token is recognised only
// where all its bytes come from the template. Positions are bytes; what Python
// counts in characters is converted here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_STRING_H
#define CORELLAMA_RUNTIME_TEMPLATES_STRING_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime::templates {

enum class Origin : char { Content, Template };

class String {
public:
  String() = default;
  String(std::string_view text, Origin origin)
      : bytes(text), origins(text.size(), static_cast<char>(origin)) {}

  std::string_view view() const { return bytes; }
  size_t size() const { return bytes.size(); }
  bool empty() const { return bytes.empty(); }
  Origin originAt(size_t byte) const {
    return static_cast<Origin>(origins[byte]);
  }
  /// Whether all bytes of a range are the template's.
  bool isTemplate(size_t begin, size_t end) const;

  void append(const String &other);
  void append(std::string_view text, Origin origin);
  /// Bytes `begin` to `end` of another text.
  void append(const String &other, size_t begin, size_t end);
  /// Bytes `begin` to `end`.
  String slice(size_t begin, size_t end) const;
  String operator+(const String &other) const;
  bool operator==(const String &other) const { return bytes == other.bytes; }
  /// Bytes of UTF-8 are in the order of code points.
  bool operator<(const String &other) const { return bytes < other.bytes; }

  /// Where each character begins, and behind the last one the size. A byte that
  /// is no UTF-8 is a character of its own.
  std::vector<size_t> characters() const;
  /// In characters; that of the first `bytes` bytes.
  size_t length(size_t bytes = std::string::npos) const;

  /// Without characters of `set` at the ends; an empty set means white space,
  /// as Python's str.strip has it.
  String strip(std::string_view set, bool left, bool right) const;
  /// Each character through Unicode's full case mapping; its marks go with it.
  String upper() const;
  String lower() const;
  /// Python's: something has case, and all that has is upper or lower.
  bool isUpper() const { return upper() == *this && !(lower() == *this); }
  bool isLower() const { return lower() == *this && !(upper() == *this); }
  /// Python's str.splitlines: the bytes where lines begin and end, each with
  /// the end of its line's break.
  struct Line {
    size_t begin, end, next;
  };
  std::vector<Line> lines() const;
  /// The first character (each that follows a non-letter, with `words`) in
  /// title case, the others in lower case.
  String capitalize(bool words) const;
  /// `times` copies side by side.
  String repeat(size_t times) const;
  /// Each occurrence of `what`, the first `most` of them.
  String replace(std::string_view what, const String &with, size_t most) const;

private:
  std::string bytes, origins;
};

/// The first place of a text in another one from `from` on, and the last one;
/// npos: none. In linear time, which std::string's searches are not.
size_t findText(std::string_view text, std::string_view what, size_t from = 0);
size_t findLastText(std::string_view text, std::string_view what);
/// How often it is there, without overlaps; `what` is not empty.
size_t countText(std::string_view text, std::string_view what);
/// Bytes of the character at byte `at`; 1 where that is no UTF-8.
size_t characterBytes(std::string_view text, size_t at);

/// What a character is as a number: Python's isdecimal, isdigit and isnumeric
/// are each true for more. The value of a decimal digit.
bool isDigit(char32_t character);
bool isNumeric(char32_t character);
std::optional<int> decimalOf(char32_t character);
/// Python's str.isalpha.
bool isAlpha(char32_t character);
/// Python's str.isspace.
bool isSpace(char32_t character);
/// Python's str.isprintable: what repr writes as it is.
bool isPrintable(char32_t character);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_STRING_H
