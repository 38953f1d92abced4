//===- Markers.h - markers of a template that messages can imitate --------===//
//
// Some templates mark turns by plain text (Llama 2's [INST]). Which text that
// is, is found for any template by what it writes around contents: a
// conversation whose contents are all one character that occurs nowhere else is
// rendered, and what stands between those characters is the template's. Lines
// of it without control tokens are markers.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_MARKERS_H
#define CORELLAMA_RUNTIME_TEMPLATES_MARKERS_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/String.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace corellama::runtime::templates {

/// Stands for a content: U+E000, which Unicode leaves to private use.
inline constexpr std::string_view kContent = "\xEE\x80\x80";

/// The control token at byte `at` of a text: the longest one whose bytes are
/// all the template's. What a message says behind it does not matter.
std::optional<int32_t> ownMarkerAt(const String &text, size_t at,
                                   const Tokenizer &tokenizer);

/// Adds the markers of a rendered conversation of such contents. User-defined
/// tokens count as text: they are found in what a message says, too. A marker
/// has a letter or a digit, and something that is neither: words alone, such as
/// the `user` between Llama 3's control tokens, occur in any text.
void addMarkers(const String &rendered, const Tokenizer &tokenizer,
                std::set<std::string, std::less<>> &markers);

/// Whether the template writes such a marker between two contents, or behind
/// the last one: a message that has it in it looks like two.
bool hasPlainSeparators(const String &rendered, const Tokenizer &tokenizer);

/// Where a marker has another one in it ("[INST] <<SYS>>"), what is left of it
/// is a marker, too. An error where there are more than any format has.
std::optional<Error> splitMarkers(std::set<std::string, std::less<>> &markers);

} // namespace corellama::runtime::templates

#endif // CORELLAMA_RUNTIME_TEMPLATES_MARKERS_H
