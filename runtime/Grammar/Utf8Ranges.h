//===- Utf8Ranges.h - ranges of code points as ranges of bytes ------------===//
//
// A range of code points -> sequences of byte ranges that together are its
// UTF-8 forms. Matching works on bytes, since a token may end inside of a
// character.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_GRAMMAR_UTF8RANGES_H
#define CORELLAMA_RUNTIME_GRAMMAR_UTF8RANGES_H

#include "runtime/Grammar/Grammar.h"

#include <array>
#include <cstdint>
#include <vector>

namespace corellama::runtime::grammar {

/// `size` ranges, one for each byte; the sequences are all combinations.
struct ByteSequence {
  struct Range {
    uint8_t first, last;
  };
  std::array<Range, 4> ranges;
  size_t size = 0;
};

/// Appends the sequences of a range up to kLastCodePoint, without surrogates.
/// No two of them have a byte string in common.
void appendByteSequences(CodeRange range, std::vector<ByteSequence> &sequences);

} // namespace corellama::runtime::grammar

#endif // CORELLAMA_RUNTIME_GRAMMAR_UTF8RANGES_H
