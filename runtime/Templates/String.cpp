//===- String.cpp - text that knows where each byte comes from ------------===//
//
// See String.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/String.h"

#include "runtime/Templates/CaseTables.h"
#include "runtime/Templates/ClassTables.h"
#include "runtime/Tokenizer/Utf8.h"

#include <algorithm>
#include <cstring>

namespace corellama::runtime::templates {

bool String::isTemplate(size_t begin, size_t end) const {
  return std::string_view(origins)
             .substr(begin, end - begin)
             .find(static_cast<char>(Origin::Content)) ==
         std::string_view::npos;
}

void String::append(const String &other) {
  bytes += other.bytes;
  origins += other.origins;
}

void String::append(std::string_view text, Origin origin) {
  bytes += text;
  origins.append(text.size(), static_cast<char>(origin));
}

void String::append(const String &other, size_t begin, size_t end) {
  bytes.append(other.bytes, begin, end - begin);
  origins.append(other.origins, begin, end - begin);
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

size_t characterBytes(std::string_view text, size_t at) {
  return static_cast<uint8_t>(text[at]) < 0x80 ? 1 : headAt(text, at).bytes;
}

size_t String::length(size_t most) const {
  size_t count = 0;
  for (size_t at = 0; at < std::min(most, size());
       at += characterBytes(bytes, at))
    ++count;
  return count;
}

std::vector<String::Line> String::lines() const {
  std::vector<Line> all;
  for (size_t begin = 0, at = 0; begin < size();) {
    if (at == size()) {
      all.push_back({begin, at, at});
      break;
    }
    const Utf8Head head = headAt(bytes, at);
    const char32_t c = head.codePoint;
    size_t next = at + head.bytes;
    if ((c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 ||
        c == 0x2028 || c == 0x2029) {
      next += c == '\r' && next < size() && bytes[next] == '\n';
      all.push_back({begin, at, next});
      begin = next;
    }
    at = next;
  }
  return all;
}

std::vector<size_t> String::characters() const {
  std::vector<size_t> begins;
  for (size_t at = 0; at < bytes.size(); at += characterBytes(bytes, at))
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

static char32_t mapAscii(char32_t c, Case to) {
  bool changes =
      to == Case::Lower ? c >= 'A' && c <= 'Z' : c >= 'a' && c <= 'z';
  return changes ? c ^ 0x20 : c;
}

/// The characters that a character becomes.
static std::u32string mapCase(char32_t c, Case to) {
  if (c < 0x80)
    return {mapAscii(c, to)};
  // Sorted by case and character, without overlaps.
  auto special = std::lower_bound(
      std::begin(kSpecialCases), std::end(kSpecialCases), std::pair(to, c),
      [](const SpecialCase &one, const std::pair<Case, char32_t> &key) {
        return std::pair(one.to, one.character) < key;
      });
  if (special != std::end(kSpecialCases) && special->to == to &&
      special->character == c)
    return special->becomes;
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

/// The range of a sorted table that has the character; null: none.
template <size_t count>
static const CharacterRange *rangeOf(const CharacterRange (&table)[count],
                                     char32_t c) {
  auto behind = std::upper_bound(table, table + count, c,
                                 [](char32_t key, const CharacterRange &range) {
                                   return key < range.first;
                                 });
  return behind == table || c > behind[-1].last ? nullptr : behind - 1;
}

bool isPrintable(char32_t c) { return !rangeOf(kUnprintable, c); }
bool isAlpha(char32_t c) { return rangeOf(kLetters, c); }
bool isDigit(char32_t c) { return rangeOf(kDigits, c); }
bool isNumeric(char32_t c) { return rangeOf(kNumerics, c); }
std::optional<int> decimalOf(char32_t c) {
  const CharacterRange *range = rangeOf(kDecimals, c);
  return range ? std::optional<int>((c - range->first) % 10) : std::nullopt;
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
    if (static_cast<uint8_t>(one[0]) < 0x80) {
      const char c = static_cast<char>(mapAscii(one[0], caseOf(one[0])));
      mapped.append({&c, 1}, text.originAt(at[i]));
      continue;
    }
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
// Searches
//===----------------------------------------------------------------------===//

size_t findText(std::string_view text, std::string_view what, size_t from) {
  if (from > text.size() || what.size() > text.size() - from)
    return text.npos;
  if (what.empty())
    return from;
  const void *found =
      memmem(text.data() + from, text.size() - from, what.data(), what.size());
  return found ? static_cast<const char *>(found) - text.data() : text.npos;
}

size_t findLastText(std::string_view text, std::string_view what) {
  const std::string back(text.rbegin(), text.rend());
  const size_t found = findText(back, std::string(what.rbegin(), what.rend()));
  return found == back.npos ? found : text.size() - found - what.size();
}

size_t countText(std::string_view text, std::string_view what) {
  size_t count = 0;
  for (size_t at = findText(text, what); at != text.npos;
       at = findText(text, what, at + what.size()))
    ++count;
  return count;
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

String String::repeat(size_t times) const {
  String copies;
  if (empty() || times == 0)
    return copies;
  copies = *this;
  const size_t whole = size() * times;
  while (copies.size() < whole)
    copies.append(String(copies), 0,
                  std::min(copies.size(), whole - copies.size()));
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
      result.append(*this, from, at[i]);
      result.append(with);
      from = at[i];
    }
  } else {
    for (size_t i = 0; i < most; ++i) {
      size_t found = findText(bytes, what, from);
      if (found == bytes.npos)
        break;
      result.append(*this, from, found);
      result.append(with);
      from = found + what.size();
    }
  }
  result.append(*this, from, bytes.size());
  return result;
}

} // namespace corellama::runtime::templates
