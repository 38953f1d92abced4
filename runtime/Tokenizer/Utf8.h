//===- Utf8.h - finding characters in bytes that may be no text -----------===//
//
// Where a UTF-8 sequence starts and ends, for bytes that come from anywhere:
// the pre-tokenizer needs valid text, and what is printed must never be cut
// inside a character.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_UTF8_H
#define CORELLAMA_RUNTIME_TOKENIZER_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace corellama::runtime {

/// What the first bytes of a string are.
struct Utf8Head {
  enum Kind {
    /// A whole character of `bytes` bytes.
    whole,
    /// The string ends inside what may become a character.
    incomplete,
    /// No character starts with these `bytes` bytes (Unicode's "maximal
    /// subpart": what one replacement character stands for).
    invalid,
  };
  Kind kind;
  size_t bytes;
  /// Only for `whole`.
  char32_t codePoint;
};

/// Follows Unicode's table of well-formed sequences: no overlong forms, no
/// surrogates, nothing above U+10FFFF. `text` is not empty.
Utf8Head readUtf8(std::string_view text);

/// Appends the UTF-8 form of a valid code point.
void appendUtf8(char32_t codePoint, std::string &text);

/// Lets bytes through in pieces that never end inside a character. Bytes that
/// can be no character pass unchanged, so all pieces together with flush() are
/// exactly what was put in.
class Utf8Stream {
public:
  /// Takes the next bytes; gives those that may be printed now. The view holds
  /// until the next call.
  std::string_view push(std::string_view bytes);
  /// What is still held back: an unfinished character at the end.
  std::string_view flush();

private:
  /// `ready` bytes were given out by the last call.
  std::string buffer;
  size_t ready = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_UTF8_H
