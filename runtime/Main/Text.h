//===- Text.h - between the user's text and the model's ids ---------------===//
//
// The program's use of text: the prompt's ids from the options, bytes from
// generated ids, and the ids that end an answer, all by the image's text
// section. A checkpoint whose tokenizer is not supported still runs, on ids.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_TEXT_H
#define CORELLAMA_RUNTIME_MAIN_TEXT_H

#include "runtime/Grammar/Constraint.h"
#include "runtime/Main/Options.h"
#include "runtime/Templates/Chat.h"
#include "runtime/Tokenizer/Tokenizer.h"
#include "runtime/Weights/MappedImage.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

/// The largest grammar or schema; real ones have some kilobytes.
inline constexpr size_t kMaxGrammarBytes = size_t(4) << 20;

struct Prompt {
  std::vector<int32_t> ids;
  /// Bytes of the text that the vocabulary has no token for.
  size_t bytesLeftOut = 0;
  /// The chat template marks turns by plain text.
  bool hasPlainMarkers = false;
  /// What the user should know of the chat's format; empty: nothing.
  std::string formatNote;
};

/// What to say where Prompt::hasPlainMarkers.
inline constexpr const char *kPlainMarkersNote =
    "this model's chat template marks turns by plain text, so a message can "
    "imitate them; --refuse-markers refuses such messages";

class Text {
public:
  /// The image must outlive it.
  static Result<Text> create(const MappedImage &image);

  /// Reads the prompt from the place that the options name.
  Result<Prompt> promptIds(const Options &options);
  /// The ids of raw text, between BOS and EOS if the model's texts have them;
  /// only if canDecode(). With `parseSpecial` control tokens are recognised.
  Result<Prompt> textIds(std::string_view text, bool parseSpecial = false);
  bool beginsWithBos() const { return tokenizer && tokenizer->bosToken(); }

  /// How conversations become text, by the template that the options name or
  /// else the checkpoint's; an error if it has none. This must stay in place.
  Result<ChatFormat> chatFormat(const Options &options) const;
  /// Only if canDecode().
  Tokenizer &tokens() { return *tokenizer; }

  bool canDecode() const { return bool(tokenizer); }
  /// Why canDecode() is false.
  const std::string &whyNot() const { return tokenizer.error(); }
  /// Appends the bytes of `id`; only if canDecode().
  void decode(int32_t id, std::string &bytes) const {
    tokenizer->decode(id, bytes);
  }

  /// What --grammar or --json-schema asks for; null without them.
  Result<std::unique_ptr<Constraint>> constraint(const Options &options) const;

  /// Whether an answer ends at this id, and all such ids.
  bool endsAnswer(int32_t id) const;
  std::span<const int32_t> endIds() const { return ends; }

private:
  Text(std::vector<int32_t> ends, Result<Tokenizer> tokenizer)
      : ends(std::move(ends)), tokenizer(std::move(tokenizer)) {}
  Error readsNoText() const;

  /// Ascending; known without a tokenizer, too.
  std::vector<int32_t> ends;
  Result<Tokenizer> tokenizer;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_TEXT_H
