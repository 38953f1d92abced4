//===- Utf8RangesTest.cpp - ranges of code points as ranges of bytes ------===//
//
// Each code point of a range, and no other, has its UTF-8 form in exactly one
// of the sequences.
//
//===----------------------------------------------------------------------===//

#include "runtime/Grammar/Utf8Ranges.h"

#include "runtime/Tokenizer/Utf8.h"

#include "gtest/gtest.h"

#include <random>
#include <string>

using namespace corellama::runtime;
using namespace corellama::runtime::grammar;

static int sequencesWith(const std::string &bytes,
                         const std::vector<ByteSequence> &sequences) {
  int found = 0;
  for (const ByteSequence &sequence : sequences) {
    bool fits = sequence.size == bytes.size();
    for (size_t i = 0; fits && i < bytes.size(); ++i)
      fits = sequence.ranges[i].first <= uint8_t(bytes[i]) &&
             uint8_t(bytes[i]) <= sequence.ranges[i].last;
    found += fits;
  }
  return found;
}

TEST(Utf8Ranges, HaveEachCodePointOnce) {
  std::mt19937 random(3);
  const char32_t edges[] = {
      0,      0x7F,   0x80,    0x7FF,   0x800,   0xD7FF,  0xD800,   0xDFFF,
      0xE000, 0xFFFF, 0x10000, 0x3FFFF, 0x40000, 0xFFFFF, 0x100000, 0x10FFFF};
  auto any = [&]() -> char32_t {
    const char32_t edge = edges[random() % std::size(edges)];
    const char32_t more = random() % 3 ? random() % 70 : random() % 0x110000;
    return std::min<char32_t>(edge + more, kLastCodePoint);
  };
  for (int turn = 0; turn < 300; ++turn) {
    CodeRange range{any(), any()};
    if (range.last < range.first)
      std::swap(range.first, range.last);
    std::vector<ByteSequence> sequences;
    appendByteSequences(range, sequences);
    EXPECT_LE(sequences.size(), 24u);
    size_t count = 0;
    for (const ByteSequence &sequence : sequences) {
      size_t combinations = 1;
      for (size_t i = 0; i < sequence.size; ++i)
        combinations *=
            size_t(sequence.ranges[i].last - sequence.ranges[i].first + 1);
      count += combinations;
    }
    const size_t surrogates =
        std::max<int64_t>(0, std::min<int64_t>(range.last, 0xDFFF) -
                                 std::max<int64_t>(range.first, 0xD800) + 1);
    EXPECT_EQ(count, range.last - range.first + 1 - surrogates);
    for (int i = 0; i < 200; ++i) {
      const char32_t c = i == 0 ? range.first : i == 1 ? range.last : any();
      if (c >= 0xD800 && c < 0xE000)
        continue;
      std::string bytes;
      appendUtf8(c, bytes);
      EXPECT_EQ(sequencesWith(bytes, sequences),
                range.first <= c && c <= range.last)
          << std::hex << uint32_t(range.first) << " to " << uint32_t(range.last)
          << ", " << uint32_t(c);
    }
  }
}
