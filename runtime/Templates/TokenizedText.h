//===- TokenizedText.h - a template's text and its ids --------------------===//
//
// The text that a chat template wrote, and the ids that it became. A
// conversation grows: its next text begins as the last one did, with the answer
// in it, so the ids of that beginning stay, and with them what a KV cache knows
// of them. The answer's ids are those that the model chose, which need not be
// those that its text would become.
//
// A control token is recognised only where all its bytes are the template's
// (String.h). Between control tokens a text is encoded whole, so ids are kept
// up to the end of a stretch between control tokens, or of a generated id.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TEMPLATES_TOKENIZEDTEXT_H
#define CORELLAMA_RUNTIME_TEMPLATES_TOKENIZEDTEXT_H

#include "runtime/Support/Result.h"
#include "runtime/Templates/String.h"
#include "runtime/Tokenizer/Tokenizer.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace corellama::runtime {

class TokenizedText {
public:
  const std::vector<int32_t> &ids() const { return all; }

  struct Change {
    /// How many of the ids were there before.
    size_t kept = 0;
    /// Bytes of the new text that have no token.
    size_t lostBytes = 0;
  };
  /// Becomes the text `next`: keeps the ids of the beginning that both share,
  /// and encodes the rest.
  Result<Change> become(templates::String next, Tokenizer &tokenizer);

  /// Forgets the ids that `next` does not begin with.
  void keepBeginningOf(const templates::String &next,
                       const Tokenizer &tokenizer);

  /// Appends an id that the model chose. Its bytes are content, and a control
  /// token has none.
  void append(int32_t id, const Tokenizer &tokenizer);

  /// Forgets all but the first `count` ids, and those of a stretch that would
  /// be cut.
  void truncate(size_t count);

private:
  Result<size_t> encodeFrom(size_t begin, Tokenizer &tokenizer);
  /// The ids that are new end at byte `end` of the text.
  void endStretch(size_t end, bool generated = false) {
    ends.resize(all.size(), end);
    isGenerated.resize(all.size(), generated);
  }

  templates::String text;
  std::vector<int32_t> all;
  /// Of each id, where the stretch of `text` ends that it was encoded in.
  std::vector<size_t> ends;
  std::vector<bool> isGenerated;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TEMPLATES_TOKENIZEDTEXT_H
