//===- Utf8Test.cpp - character boundaries in any bytes -------------------===//
//
// The table of well-formed sequences against a plain decoder of its own, and
// the stream's promise: nothing lost, nothing cut.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Utf8.h"

#include <gtest/gtest.h>
#include <random>

using namespace corellama::runtime;

TEST(Utf8, ReadsEveryCodePoint) {
  for (char32_t code = 0; code <= 0x10FFFF; ++code) {
    if (code >= 0xD800 && code <= 0xDFFF)
      continue;
    std::string text;
    appendUtf8(code, text);
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    ASSERT_EQ(text.size(), length);
    Utf8Head head = readUtf8(text + "x");
    ASSERT_EQ(head.kind, Utf8Head::whole) << unsigned(code);
    ASSERT_EQ(head.bytes, length);
    ASSERT_EQ(unsigned(head.codePoint), unsigned(code));
    for (size_t cut = 1; cut < length; ++cut) {
      head = readUtf8(std::string_view(text).substr(0, cut));
      ASSERT_EQ(head.kind, Utf8Head::incomplete) << unsigned(code);
      ASSERT_EQ(head.bytes, cut);
    }
  }
}

/// All two-byte starts followed by two continuations, by the definition: the
/// value that the bits give, not overlong, no surrogate, within Unicode.
TEST(Utf8, RefusesAllElse) {
  for (unsigned first = 0x80; first < 0x100; ++first) {
    for (unsigned second = 0; second < 0x100; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second),
                            '\xBF', '\xBF'};
      size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
      char32_t code = (first & (0x7F >> length)) << 6 | (second & 0x3F);
      for (size_t i = 2; i < length; ++i)
        code = code << 6 | 0x3F;
      char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
      bool valid = first >= 0xC0 && first < 0xF8 && (second & 0xC0) == 0x80 &&
                   code >= least && code <= 0x10FFFF &&
                   !(code >= 0xD800 && code <= 0xDFFF);
      Utf8Head head = readUtf8({bytes, 4});
      EXPECT_EQ(head.kind == Utf8Head::whole, valid)
          << std::hex << first << " " << second;
      if (!valid) {
        EXPECT_EQ(head.bytes, 1u);
      }
    }
  }
}

TEST(Utf8, TakesTheMaximalSubpart) {
  // Unicode, chapter 3: "F1 80 80 E1 80 C2 ..." are subparts of 3, 2, 1 bytes.
  EXPECT_EQ(readUtf8("\xF1\x80\x80\xE1").bytes, 3u);
  EXPECT_EQ(readUtf8("\xE1\x80\xC2").bytes, 2u);
  EXPECT_EQ(readUtf8("\xC2\x41").bytes, 1u);
  EXPECT_EQ(readUtf8("\x80").kind, Utf8Head::invalid);
}

TEST(Utf8Stream, HoldsBackAnUnfinishedCharacter) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("a\xF0\x9F"), "a");
  EXPECT_EQ(stream.push("\x98"), "");
  EXPECT_EQ(stream.push("\x80z"), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(stream.push("\xE4"), "");
  EXPECT_EQ(stream.flush(), "\xE4");
  EXPECT_EQ(stream.flush(), "");
}

TEST(Utf8Stream, LetsInvalidBytesThrough) {
  Utf8Stream stream;
  EXPECT_EQ(stream.push("\xFF\x80"), "\xFF\x80");
  EXPECT_EQ(stream.push("\xE4"), "");
  EXPECT_EQ(stream.push("x"), "\xE4x");
  EXPECT_EQ(stream.push("\xED"), "");
  EXPECT_EQ(stream.push("\xA0"), "\xED\xA0") << "the start of a surrogate";
}

TEST(Utf8Stream, LosesNothingAndCutsNothing) {
  std::mt19937 random(1);
  const std::string alphabet[] = {
      "a",        "\xC3\xA9", "\xE4\xBD\xA0", "\xF0\x9F\x98\x80",
      "\xF0\x9F", "\xFF",     "\x80",         "\xC0"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (unsigned i = random() % 20; i > 0; --i)
      text += alphabet[random() % std::size(alphabet)];
    Utf8Stream stream;
    std::string out;
    std::vector<size_t> cuts;
    for (size_t at = 0; at < text.size();) {
      size_t length = 1 + random() % 3;
      out += stream.push(std::string_view(text).substr(at, length));
      cuts.push_back(out.size());
      at += length;
    }
    out += stream.flush();
    ASSERT_EQ(out, text);
    // No cut lies inside of a whole character.
    for (size_t at = 0; at < text.size();) {
      Utf8Head head = readUtf8(std::string_view(text).substr(at));
      for (size_t cut : cuts)
        ASSERT_FALSE(head.kind == Utf8Head::whole && cut > at &&
                     cut < at + head.bytes);
      at += head.bytes;
    }
  }
}
