//===- PreTokenizer.h - text to the words that BPE works on ---------------===//
//
// Splits text into words by the regular expressions that the checkpoint names.
// A word is a piece of text that BPE encodes by itself; it may contain spaces.
// A new pre-tokenizer is a row of the table in the .cpp.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_PRETOKENIZER_H
#define CORELLAMA_RUNTIME_TOKENIZER_PRETOKENIZER_H

#include "runtime/Support/Result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class PreTokenizer {
public:
  PreTokenizer();
  PreTokenizer(PreTokenizer &&) noexcept;
  PreTokenizer &operator=(PreTokenizer &&) noexcept;
  ~PreTokenizer();

  /// What checkpoints of a name do beside it, where they do not say: TextData's
  /// fields of these names.
  struct Customs {
    bool wholeWords = false;
    bool addsBos = false;
  };
  /// Nothing for a name that create() does not accept.
  static std::optional<Customs> customsOf(std::string_view name);

  /// The pre-tokenizer of that name, one of llama.cpp's.
  static Result<PreTokenizer> create(std::string_view name);

  /// The names that create() accepts, separated by commas.
  static std::string names();

  /// Appends the words of `text`, which together are `text` exactly. Bytes
  /// that are no UTF-8 are words of their own, and the text between them is
  /// split as if it were a whole text.
  std::optional<Error> split(std::string_view text,
                             std::vector<std::string_view> &words);

private:
  struct Patterns;
  std::unique_ptr<Patterns> patterns;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_PRETOKENIZER_H
