//===- Utf8.h - finding characters in bytes that may be no text -----------===//
//
// Where a UTF-8 sequence starts and ends, for bytes of any origin: the
// pre-tokenizer needs valid text, and output must not be split inside a
// character.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_UTF8_H
#define CORELLAMA_RUNTIME_TOKENIZER_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace corellama::runtime {

/// The kind of a string's first bytes.
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
  /// The code point, only for `whole`.
  char32_t codePoint;
};

/// Follows Unicode's table of well-formed sequences: no overlong forms, no
/// surrogates, nothing above U+10FFFF. `text` is not empty.
Utf8Head readUtf8(std::string_view text);

/// Appends the UTF-8 form of a valid code point.
void appendUtf8(char32_t codePoint, std::string &text);

/// The text, with U+FFFD for what is no character in it.
std::string validUtf8(std::string_view text);

/// Lets bytes through in pieces that never end inside a character. Bytes that
/// cannot be part of a character pass unchanged, so all pieces together with
/// flush() are exactly the input.
class Utf8Stream {
public:
  /// Takes the next bytes; returns those that may be printed now. The view is
  /// valid until the next call.
  std::string_view push(std::string_view bytes);
  /// The bytes still held back: an unfinished character at the end.
  std::string_view flush();

private:
  /// The first `ready` bytes were returned by the last call.
  std::string buffer;
  size_t ready = 0;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_UTF8_H
