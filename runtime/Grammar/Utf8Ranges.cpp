//===- Utf8Ranges.cpp - ranges of code points as ranges of bytes ----------===//
//
// See Utf8Ranges.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Utf8Ranges.h"

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace corellama::runtime::grammar {

/// Of a range whose ends have equally many bytes. It is cut where bytes behind
/// the first that differs do not run over all their values; each level cuts
/// twice at most, so there are no more than seven pieces.
static void appendPieces(CodeRange range,
                         std::vector<ByteSequence> &sequences) {
  std::string first, last;
  appendUtf8(range.first, first);
  appendUtf8(range.last, last);
  for (size_t i = 1; i < first.size(); ++i) {
    const char32_t low = (char32_t(1) << (6 * i)) - 1;
    if ((range.first & ~low) == (range.last & ~low))
      continue;
    if ((range.first & low) != 0) {
      appendPieces({range.first, range.first | low}, sequences);
      return appendPieces({(range.first | low) + 1, range.last}, sequences);
    }
    if ((range.last & low) != low) {
      appendPieces({range.first, (range.last & ~low) - 1}, sequences);
      return appendPieces({range.last & ~low, range.last}, sequences);
    }
  }
  ByteSequence made;
  made.size = first.size();
  for (size_t i = 0; i < first.size(); ++i)
    made.ranges[i] = {uint8_t(first[i]), uint8_t(last[i])};
  sequences.push_back(made);
}

void appendByteSequences(CodeRange range,
                         std::vector<ByteSequence> &sequences) {
  // Of one length each; between the third and the fourth are the surrogates.
  constexpr CodeRange kLengths[] = {{0, 0x7F},
                                    {0x80, 0x7FF},
                                    {0x800, 0xD7FF},
                                    {0xE000, 0xFFFF},
                                    {0x10000, kLastCodePoint}};
  for (CodeRange length : kLengths) {
    const CodeRange part = {std::max(range.first, length.first),
                            std::min(range.last, length.last)};
    if (part.first <= part.last)
      appendPieces(part, sequences);
  }
}

} // namespace corellama::runtime::grammar
