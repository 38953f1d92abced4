//===- BPE.h - merging the bytes of a word into tokens --------------------===//
//
// Byte-pair encoding of one word: of all neighbouring pairs that have a merge,
// the one of the lowest rank (the leftmost on a tie) is merged first, until
// none has one. A file apart from the Vocabulary, which says what tokens are;
// this chooses among them.
//
// A queue of pairs over a linked list takes n log n steps, so that a word of a
// million bytes (base64, a script without spaces) is no problem.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_BPE_H
#define CORELLAMA_RUNTIME_TOKENIZER_BPE_H

#include "runtime/Tokenizer/HashIndex.h"
#include "runtime/Tokenizer/TextData.h"
#include "runtime/Tokenizer/Vocabulary.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class BPE {
public:
  BPE() = default;

  /// The rule (T4) holds for merges and vocabulary; `wholeWords` as in
  /// TextData.
  BPE(std::vector<TextData::Merge> merges, const Vocabulary &vocabulary,
      bool wholeWords);

  /// Appends the ids of a word of less than 2^31 bytes. Returns the number of
  /// bytes that were left out because they have no token; the bytes around them
  /// become adjacent, as in Hugging Face's implementation.
  size_t encode(std::string_view word, const Vocabulary &vocabulary,
                std::vector<int32_t> &ids);

private:
  /// A token of the current word; `next` and `previous` are indices.
  struct Symbol {
    int32_t id;
    int32_t previous;
    int32_t next;
  };
  /// A pair that may be merged: the symbol at `position` and its successor,
  /// unless one of them has changed since.
  struct Pair {
    uint32_t rank;
    int32_t position;
    int32_t left;
    int32_t right;
    int32_t result;
  };
  static bool later(const Pair &a, const Pair &b);

  bool pairAt(int32_t position, Pair &pair) const;

  std::vector<TextData::Merge> merges; ///< by rank
  HashIndex ranks;                     ///< by pair
  bool wholeWords = false;

  // Kept between words so that encoding does not allocate for each.
  std::vector<Symbol> symbols;
  std::vector<Pair> queue;
  std::string text;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_BPE_H
