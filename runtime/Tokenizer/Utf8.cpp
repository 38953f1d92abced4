//===- Utf8.cpp - finding characters in bytes that may be no text ---------===//
//
// Table 3-7 of the Unicode standard (well-formed UTF-8 byte sequences) and the
// stream that splits output by it.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>

using namespace corellama::runtime;

Utf8Head corellama::runtime::readUtf8(std::string_view text) {
  uint8_t lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80)
    return {Utf8Head::whole, 1, lead};

  // The second byte's range depends on the first, to exclude overlong forms
  // (E0, F0), surrogates (ED) and code points above U+10FFFF (F4).
  size_t length = 0;
  uint8_t low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0)
      low = 0xA0;
    else if (lead == 0xED)
      high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0)
      low = 0x90;
    else if (lead == 0xF4)
      high = 0x8F;
  } else {
    return {Utf8Head::invalid, 1, 0};
  }

  char32_t codePoint = lead & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size())
      return {Utf8Head::incomplete, i, 0};
    uint8_t byte = static_cast<uint8_t>(text[i]);
    if (byte < low || byte > high)
      return {Utf8Head::invalid, i, 0};
    codePoint = codePoint << 6 | (byte & 0x3F);
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8Head::whole, length, codePoint};
}

void corellama::runtime::appendUtf8(char32_t codePoint, std::string &text) {
  auto continuation = [&](unsigned shift) {
    text += static_cast<char>(0x80 | (codePoint >> shift & 0x3F));
  };
  if (codePoint < 0x80) {
    text += static_cast<char>(codePoint);
  } else if (codePoint < 0x800) {
    text += static_cast<char>(0xC0 | codePoint >> 6);
    continuation(0);
  } else if (codePoint < 0x10000) {
    text += static_cast<char>(0xE0 | codePoint >> 12);
    continuation(6);
    continuation(0);
  } else {
    text += static_cast<char>(0xF0 | codePoint >> 18);
    continuation(12);
    continuation(6);
    continuation(0);
  }
}

std::string corellama::runtime::validUtf8(std::string_view text) {
  std::string valid;
  while (!text.empty()) {
    const Utf8Head head = readUtf8(text);
    if (head.kind == Utf8Head::whole)
      valid += text.substr(0, head.bytes);
    else
      appendUtf8(0xFFFD, valid);
    text.remove_prefix(head.bytes);
  }
  return valid;
}

std::string_view Utf8Stream::push(std::string_view bytes) {
  buffer.erase(0, ready);
  buffer += bytes;
  ready = buffer.size();
  // An unfinished character is at most three bytes long and starts with a lead
  // byte, which can only be a start; so only the last bytes are checked.
  size_t most = std::min<size_t>(3, buffer.size());
  for (size_t back = 1; back <= most; ++back) {
    size_t start = buffer.size() - back;
    if ((static_cast<uint8_t>(buffer[start]) & 0xC0) == 0x80)
      continue;
    Utf8Head head = readUtf8(std::string_view(buffer).substr(start));
    if (head.kind == Utf8Head::incomplete)
      ready = start;
    break;
  }
  return std::string_view(buffer).substr(0, ready);
}

std::string_view Utf8Stream::flush() {
  buffer.erase(0, ready);
  ready = buffer.size();
  return buffer;
}
