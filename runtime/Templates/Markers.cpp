//===- Markers.cpp - markers of a template that messages can imitate ------===//
//
// See Markers.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Templates/Markers.h"

#include <algorithm>
#include <vector>

using namespace corellama::runtime;
using namespace corellama::runtime::templates;

using Markers = std::set<std::string, std::less<>>;

/// Formats have some ten; a template of thousands of different lines would take
/// the time of their product with the contents.
static constexpr size_t kMostMarkers = 256;

/// Bytes; no format's marker has more, and finding such lines takes time.
static constexpr size_t kLongestMarker = 1024;

static bool isLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

static void addMarker(std::string_view text, Markers &markers) {
  auto isSpace = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && isSpace(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && isSpace(text.back()))
    text.remove_suffix(1);
  const bool hasWord = std::any_of(text.begin(), text.end(), isLetterOrDigit);
  const bool hasSign = std::any_of(text.begin(), text.end(), [&](char c) {
    return !isLetterOrDigit(c) && !isSpace(c);
  });
  if (hasWord && hasSign && text.size() <= kLongestMarker &&
      markers.size() <= kMostMarkers)
    markers.emplace(text);
}

std::optional<int32_t>
corellama::runtime::templates::ownMarkerAt(const String &text, size_t at,
                                           const Tokenizer &tokenizer) {
  if (text.originAt(at) != Origin::Template)
    return std::nullopt;
  std::string_view rest = text.view().substr(at);
  std::optional<int32_t> id = tokenizer.markerAt(rest);
  if (!id)
    return id;
  // Within the longest one, only bytes in front of a message's.
  const size_t size = tokenizer.textOf(*id).size();
  size_t own = 1;
  while (own < size && text.originAt(at + own) == Origin::Template)
    ++own;
  return own == size ? id : tokenizer.markerAt(rest.substr(0, own));
}

void corellama::runtime::templates::addMarkers(const String &rendered,
                                               const Tokenizer &tokenizer,
                                               Markers &markers) {
  const std::string_view text = rendered.view();
  // A line begins behind a content, a control token or a line's end. `own` is
  // where the template's own bytes of the line begin: roles are content, and
  // "<|im_start|>" is a marker before any of them, as "USER:" is one with it.
  size_t line = 0, own = 0;
  auto end = [&](size_t at, size_t next) {
    addMarker(text.substr(line, at - line), markers);
    if (own > line)
      addMarker(text.substr(own, at - own), markers);
    line = own = next;
  };
  for (size_t at = 0; at < text.size();) {
    if (text.substr(at).starts_with(kContent)) {
      end(at, at + kContent.size());
      at = line;
    } else if (text[at] == '\n') {
      end(at, at + 1);
      at = line;
    } else if (rendered.originAt(at) == Origin::Content) {
      addMarker(text.substr(own, at - own), markers);
      own = ++at;
    } else if (auto id = ownMarkerAt(rendered, at, tokenizer);
               id && !tokenizer.isUserDefined(*id)) {
      end(at, at + tokenizer.textOf(*id).size());
      at = line;
    } else {
      ++at;
    }
  }
  end(text.size(), text.size());
}

bool corellama::runtime::templates::hasPlainSeparators(
    const String &rendered, const Tokenizer &tokenizer) {
  // What stands before the first content separates nothing.
  const size_t first = rendered.view().find(kContent);
  if (first == std::string_view::npos)
    return false;
  Markers markers;
  addMarkers(rendered.slice(first, rendered.size()), tokenizer, markers);
  return !markers.empty();
}

std::optional<Error>
corellama::runtime::templates::splitMarkers(Markers &markers) {
  std::vector<std::string> all(markers.begin(), markers.end());
  for (const std::string &whole : all)
    for (const std::string &part : all) {
      const size_t at = whole == part ? whole.npos : whole.find(part);
      if (at == whole.npos)
        continue;
      addMarker(std::string_view(whole).substr(0, at), markers);
      addMarker(std::string_view(whole).substr(at + part.size()), markers);
    }
  if (markers.size() > kMostMarkers)
    return Error{"the template writes more than " +
                 std::to_string(kMostMarkers) + " different lines itself"};
  return std::nullopt;
}
