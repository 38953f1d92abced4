//===- TokenizedText.cpp - a template's text and its ids ------------------===//
//
// See TokenizedText.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/TokenizedText.h"

#include "runtime/Templates/Markers.h"

#include <algorithm>

namespace corellama::runtime {

using templates::Origin;
using templates::String;

namespace {
/// A control token in a text; `end` is 0 where there is none.
struct Marker {
  size_t begin = std::string::npos, end = 0;
  int32_t id = -1;

  bool operator==(const Marker &) const = default;
};
} // namespace

/// The control token of the template's own at byte `at`.
static Marker markerAt(const String &text, size_t at,
                       const Tokenizer &tokenizer) {
  if (auto id = templates::ownMarkerAt(text, at, tokenizer))
    return {at, at + tokenizer.textOf(*id).size(), *id};
  return {};
}

/// The first one from there on.
static Marker nextMarker(const String &text, size_t at,
                         const Tokenizer &tokenizer) {
  for (; at < text.size(); ++at)
    if (Marker marker = markerAt(text, at, tokenizer); marker.end)
      return marker;
  return {};
}

/// Bytes that both texts begin with, up to a control token that is one in only
/// one of them. Other marks may differ: the space in front of an answer may
/// have been the model's and become the template's.
static size_t commonPrefix(const String &a, const String &b,
                           const Tokenizer &tokenizer) {
  const size_t common =
      std::ranges::mismatch(a.view(), b.view()).in1 - a.view().begin();
  for (size_t at = 0;;) {
    const Marker inA = nextMarker(a, at, tokenizer);
    const Marker inB = nextMarker(b, at, tokenizer);
    if (const size_t first = std::min(inA.begin, inB.begin); first >= common)
      return common;
    else if (inA != inB)
      return first;
    at = inA.end;
  }
}

Result<TokenizedText::Change> TokenizedText::become(String next,
                                                    Tokenizer &tokenizer) {
  keepBeginningOf(next, tokenizer);
  text = std::move(next);
  Change change;
  change.kept = all.size();
  if (auto error = encodeFrom(ends.empty() ? 0 : ends.back(), tokenizer)
                       .moveTo(change.lostBytes))
    return *error;
  return change;
}

void TokenizedText::keepBeginningOf(const String &next,
                                    const Tokenizer &tokenizer) {
  const size_t common = commonPrefix(text, next, tokenizer);
  size_t count = std::ranges::upper_bound(ends, common) - ends.begin();
  // What follows is encoded. It begins with a character (an answer may have
  // ended inside of one), and does not go on with a stretch of a prompt.
  auto mayEnd = [&](size_t count) {
    const size_t end = ends[count - 1];
    if (end == next.size())
      return true;
    if ((static_cast<uint8_t>(next.view()[end]) & 0xC0) == 0x80)
      return false;
    return isGenerated[count - 1] || tokenizer.isMarker(all[count - 1]) ||
           (count < all.size() && isGenerated[count]) ||
           markerAt(next, end, tokenizer).end;
  };
  while (count > 0 && !mayEnd(count))
    --count;
  truncate(count);
}

void TokenizedText::append(int32_t id, const Tokenizer &tokenizer) {
  std::string bytes;
  tokenizer.decode(id, bytes);
  text.append(bytes, Origin::Content);
  all.push_back(id);
  endStretch(text.size(), /*generated=*/true);
}

void TokenizedText::truncate(size_t count) {
  if (count >= all.size())
    return;
  while (count > 0 && ends[count - 1] == ends[count])
    --count;
  all.resize(count);
  ends.resize(count);
  isGenerated.resize(count);
}

Result<size_t> TokenizedText::encodeFrom(size_t begin, Tokenizer &tokenizer) {
  size_t lost = 0, from = begin;
  std::optional<Error> error;
  auto flush = [&](size_t to) {
    if (to == from || error)
      return;
    const bool continues = !all.empty() && !tokenizer.isMarker(all.back());
    auto result = tokenizer.encode(text.view().substr(from, to - from), all,
                                   {.continues = continues});
    if (!result)
      error = Error{result.error()};
    else
      lost += *result;
    endStretch(to);
  };
  while (from < text.size() && !error) {
    const Marker marker = nextMarker(text, from, tokenizer);
    flush(std::min(marker.begin, text.size()));
    from = text.size();
    if (marker.end) {
      all.push_back(marker.id);
      endStretch(marker.end);
      from = marker.end;
    }
  }
  if (error)
    return *error;
  return lost;
}

} // namespace corellama::runtime
