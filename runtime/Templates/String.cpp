//===- String.cpp - text that knows where each byte comes from ------------===//
//
// See String.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/String.h"

#include "runtime/Templates/CaseTables.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>

namespace corellama::runtime::templates {

bool String::isTemplate(size_t begin, size_t end) const {
  return origins.find(static_cast<char>(Origin::Content), begin) >= end;
}

void String::append(const String &other) {
  bytes += other.bytes;
  origins += other.origins;
}

void String::append(std::string_view text, Origin origin) {
  bytes += text;
  origins.append(text.size(), static_cast<char>(origin));
}

String String::slice(size_t begin, size_t end) const {
  String part;
  part.bytes = bytes.substr(begin, end - begin);
  part.origins = origins.substr(begin, end - begin);
  return part;
}

String String::operator+(const String &other) const {
  String sum = *this;
  sum.append(other);
  return sum;
}

/// The character at a byte, and how many bytes it has.
static Utf8Head headAt(std::string_view text, size_t at) {
  Utf8Head head = readUtf8(text.substr(at));
  if (head.kind != Utf8Head::whole)
    return {Utf8Head::invalid, 1, 0xFFFD};
  return head;
}

std::vector<size_t> String::characters() const {
  std::vector<size_t> begins;
  for (size_t at = 0; at < bytes.size(); at += headAt(bytes, at).bytes)
    begins.push_back(at);
  begins.push_back(bytes.size());
  return begins;
}

bool isSpace(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

String String::strip(std::string_view set, bool left, bool right) const {
  std::vector<size_t> at = characters();
  auto goes = [&](size_t i) {
    std::string_view one = view().substr(at[i], at[i + 1] - at[i]);
    if (set.empty())
      return isSpace(headAt(bytes, at[i]).codePoint);
    for (size_t k = 0; k < set.size(); k += headAt(set, k).bytes)
      if (set.substr(k, headAt(set, k).bytes) == one)
        return true;
    return false;
  };
  size_t first = 0, last = at.size() - 1;
  while (left && first < last && goes(first))
    ++first;
  while (right && last > first && goes(last - 1))
    --last;
  return slice(at[first], at[last]);
}

//===----------------------------------------------------------------------===//
// Case
//===----------------------------------------------------------------------===//

/// The characters that a character becomes.
static std::u32string mapCase(char32_t c, Case to) {
  if (c < 0x80) {
    bool changes =
        to == Case::Lower ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
    return {changes ? c ^ 0x20 : c};
  }
  for (const SpecialCase &special : kSpecialCases)
    if (special.character == c && special.to == to)
      return special.becomes;
  // Sorted by case and character, without overlaps.
  auto behind = std::upper_bound(
      std::begin(kCaseRanges), std::end(kCaseRanges), std::pair(to, c),
      [](const std::pair<Case, char32_t> &key, const CaseRange &range) {
        return key < std::pair(range.to, range.first);
      });
  if (behind != std::begin(kCaseRanges)) {
    const CaseRange &range = *std::prev(behind);
    if (range.to == to && c <= range.last &&
        (c - range.first) % range.every == 0)
      return {static_cast<char32_t>(static_cast<int32_t>(c) + range.by)};
  }
  return {c};
}

bool isPrintable(char32_t c) {
  auto behind =
      std::upper_bound(std::begin(kUnprintable), std::end(kUnprintable), c,
                       [](char32_t key, const UnprintableRange &range) {
                         return key < range.first;
                       });
  return behind == std::begin(kUnprintable) || c > std::prev(behind)->last;
}

/// Whether upper and lower case of a character differ.
static bool isCased(char32_t c) {
  return mapCase(c, Case::Upper) != std::u32string{c} ||
         mapCase(c, Case::Lower) != std::u32string{c};
}

/// Python's rule for a capital sigma: at the end of a word it has a form of its
/// own. Characters that have no case and are ignored (apostrophes, marks) are
/// not looked through; that is the difference.
static char32_t sigmaAt(std::string_view text, size_t begin, size_t end) {
  bool isBehindCased = false, isBeforeCased = false;
  if (begin > 0) {
    size_t previous = begin - 1;
    while (previous > 0 && (text[previous] & 0xC0) == 0x80)
      --previous;
    isBehindCased = isCased(headAt(text, previous).codePoint);
  }
  if (end < text.size())
    isBeforeCased = isCased(headAt(text, end).codePoint);
  return isBehindCased && !isBeforeCased ? 0x3C2 : 0x3C3;
}

/// Each character in the case that `caseAt` gives for it.
template <typename CaseOf>
static String mapAll(const String &text, CaseOf caseOf) {
  String mapped;
  std::vector<size_t> at = text.characters();
  for (size_t i = 0; i + 1 < at.size(); ++i) {
    std::string_view one = text.view().substr(at[i], at[i + 1] - at[i]);
    Utf8Head head = headAt(text.view(), at[i]);
    if (head.kind == Utf8Head::invalid) {
      mapped.append(one, text.originAt(at[i]));
      continue;
    }
    Case to = caseOf(head.codePoint);
    std::string out;
    if (head.codePoint == 0x3A3 && to == Case::Lower)
      appendUtf8(sigmaAt(text.view(), at[i], at[i + 1]), out);
    else
      for (char32_t c : mapCase(head.codePoint, to))
        appendUtf8(c, out);
    Origin origin =
        text.isTemplate(at[i], at[i + 1]) ? Origin::Template : Origin::Content;
    mapped.append(out, origin);
  }
  return mapped;
}

String String::upper() const {
  return mapAll(*this, [](char32_t) { return Case::Upper; });
}
String String::lower() const {
  return mapAll(*this, [](char32_t) { return Case::Lower; });
}

String String::capitalize(bool words) const {
  bool isFirst = true;
  return mapAll(*this, [&](char32_t c) {
    Case to = isFirst ? Case::Title : Case::Lower;
    isFirst = words && !isCased(c);
    return to;
  });
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

String String::repeat(size_t times) const {
  String copies;
  for (size_t i = 0; i < times; ++i)
    copies.append(*this);
  return copies;
}

String String::replace(std::string_view what, const String &with,
                       size_t most) const {
  String result;
  size_t from = 0;
  if (what.empty()) {
    // Python puts it between all characters, in front and behind.
    std::vector<size_t> at = characters();
    for (size_t i = 0; i < at.size() && i < most; ++i) {
      result.append(slice(from, at[i]));
      result.append(with);
      from = at[i];
    }
  } else {
    for (size_t i = 0; i < most; ++i) {
      size_t found = bytes.find(what, from);
      if (found == bytes.npos)
        break;
      result.append(slice(from, found));
      result.append(with);
      from = found + what.size();
    }
  }
  result.append(slice(from, bytes.size()));
  return result;
}

} // namespace corellama::runtime::templates
