//===- TokenMatcher.cpp - tokens that text is searched for ----------------===//
//
// See TokenMatcher.h. The texts are sorted, so those that share a beginning
// stand together and each byte of the text narrows them down.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/TokenMatcher.h"

#include <algorithm>
#include <utility>

using namespace corellama::runtime;

TokenMatcher::TokenMatcher(std::vector<Entry> all) : entries(std::move(all)) {
  std::erase_if(entries, [](const Entry &entry) { return entry.text.empty(); });
  // std::string compares bytes as unsigned.
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return a.text != b.text ? a.text < b.text : a.id < b.id;
  });
  for (const Entry &entry : entries)
    ++begins[static_cast<uint8_t>(entry.text[0]) + 1];
  for (size_t byte = 1; byte < begins.size(); ++byte)
    begins[byte] += begins[byte - 1];
}

const TokenMatcher::Entry *
TokenMatcher::longestAt(std::string_view text) const {
  const auto first = static_cast<uint8_t>(text[0]);
  auto low = entries.begin() + begins[first];
  auto high = entries.begin() + begins[first + 1];
  const Entry *longest = nullptr;
  for (size_t depth = 1; low != high; ++depth) {
    // The shortest texts come first.
    for (; low != high && low->text.size() == depth; ++low)
      longest = &*low;
    if (depth == text.size())
      break;
    const auto byte = static_cast<uint8_t>(text[depth]);
    low = std::partition_point(low, high, [&](const Entry &entry) {
      return static_cast<uint8_t>(entry.text[depth]) < byte;
    });
    high = std::partition_point(low, high, [&](const Entry &entry) {
      return static_cast<uint8_t>(entry.text[depth]) == byte;
    });
  }
  return longest;
}
