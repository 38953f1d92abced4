//===- SentencePiece.h - text to pieces by score ----------------*- C++ -*-===//
//
// The tokenizer of Llama 2 and its relatives: SentencePiece's BPE model (Kudo
// and Richardson 2018). A text begins as its characters; of all neighbours that
// make a piece together, those whose piece has the highest score (the leftmost
// on a tie) are joined first, until none are left. Spaces are written as
// U+2581, one is put in front of a text, and a character that is no piece
// becomes tokens of its bytes.
//
// A file apart from BPE.h, whose merges are pairs with ranks, within words:
// here a merge is any two pieces that make a third, over the whole text.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_SENTENCEPIECE_H
#define CORELLAMA_RUNTIME_TOKENIZER_SENTENCEPIECE_H

#include "runtime/Tokenizer/TokenMatcher.h"
#include "runtime/Tokenizer/Vocabulary.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace corellama::runtime {

class SentencePiece {
public:
  SentencePiece() = default;

  /// The rule (T3) holds for scores and vocabulary.
  SentencePiece(std::vector<float> scores, bool addsSpace,
                const Vocabulary &vocabulary);

  /// Appends the ids of a text of less than 2^30 bytes, which gets a space in
  /// front unless it `continues` another one. Returns the number of bytes that
  /// have no token; where the vocabulary has an unknown token, it stands for
  /// each run of them.
  size_t encode(std::string_view text, const Vocabulary &vocabulary,
                std::vector<int32_t> &ids, bool continues = false);

private:
  /// A piece of `written` so far; `previous` and `next` are indices.
  struct Symbol {
    uint32_t begin, size;
    int32_t previous, next;
    /// The token that the user defined, which is found before anything is
    /// joined; else -1.
    int32_t whole;
  };
  /// Two neighbours that may be joined, unless one has changed since: then
  /// their sizes no longer add up to `size`.
  struct Pair {
    float score;
    int32_t left, right;
    uint32_t size;
  };
  static bool later(const Pair &a, const Pair &b);

  std::string_view pieceOf(const Symbol &symbol) const {
    return std::string_view(written).substr(symbol.begin, symbol.size);
  }
  void split();
  void offer(int32_t left, int32_t right, const Vocabulary &vocabulary);
  void join(const Vocabulary &vocabulary);
  size_t emit(std::string_view piece, const Vocabulary &vocabulary,
              std::vector<int32_t> &ids) const;

  std::vector<float> scores;
  bool addsSpace = true;
  std::optional<int32_t> unknown;
  /// Bytes of the longest piece: longer neighbours are not looked up.
  size_t longest = 0;
  /// As `written` spells them.
  TokenMatcher userDefined;

  // Kept between texts so that encoding does not allocate for each.
  std::string written;
  std::vector<Symbol> symbols;
  std::vector<Pair> queue;
  /// What unused pieces were joined from: they are taken apart in the end.
  std::unordered_map<std::string_view,
                     std::pair<std::string_view, std::string_view>>
      joinedFrom;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_SENTENCEPIECE_H
