//===- PreTokenizer.h - text to the words that BPE works on ---------------===//
//
// Cuts text into words by the regular expressions that the checkpoint's
// `tokenizer.ggml.pre` stands for. A name of its own for each set of
// expressions, all in one table in the .cpp: a further pre-tokenizer is a row.
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

  /// By the value of `tokenizer.ggml.pre`.
  static Result<PreTokenizer> create(std::string_view name);

  /// The names that create() takes, separated by commas.
  static std::string names();

  /// Appends the words of `text`, which together are `text` exactly. Bytes
  /// that are no UTF-8 are words of their own, and the text between them is
  /// cut as if it stood alone.
  std::optional<Error> split(std::string_view text,
                             std::vector<std::string_view> &words);

  /// What else the name stands for: whether a word that is a token is taken
  /// whole, and whether BOS comes first where the metadata do not say.
  bool wholeWords() const;
  bool addsBos() const;

private:
  struct Patterns;
  std::unique_ptr<Patterns> patterns;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_PRETOKENIZER_H
