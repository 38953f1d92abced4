//===- Tokenizer.h - text to token ids and back ---------------------------===//
//
// Byte-level BPE or SentencePiece as TextData describes it. Of the former, text
// is split into words (PreTokenizer.h) and each word's bytes are merged pair by
// pair in the order of the merges (BPE.h); of the latter, whole texts are
// joined by scores (SentencePiece.h). Each id is a string of bytes
// (Vocabulary.h). The program uses only this file.
//
// Text is bytes. Tokens that the user defined are found in it first, wherever
// they stand: of those that begin leftmost, the longest; the text around them
// is encoded piece by piece. Control tokens are not: <|im_start|> is ordinary
// text unless the caller asks for it. A chat (runtime/Templates/Chat.h) finds
// those of its template itself.
//
// A Tokenizer does not change, but encode() uses its match memory: one thread
// at a time.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_TOKENIZER_H
#define CORELLAMA_RUNTIME_TOKENIZER_TOKENIZER_H

#include "runtime/Support/Result.h"
#include "runtime/Tokenizer/BPE.h"
#include "runtime/Tokenizer/PreTokenizer.h"
#include "runtime/Tokenizer/SentencePiece.h"
#include "runtime/Tokenizer/TextData.h"
#include "runtime/Tokenizer/TokenMatcher.h"
#include "runtime/Tokenizer/Vocabulary.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

struct EncodeSettings {
  /// Control tokens are recognised, as in a prompt that a template has written;
  /// never use it on text of other people.
  bool parseSpecial = false;
  /// The text goes on from another one. At the beginning and behind a control
  /// token SentencePiece adds a space.
  bool continues = false;
};

/// The longest text that programs and commands read: far above any context's,
/// so that an endless stream does not fill the memory.
inline constexpr size_t kMaxTextBytes = size_t(256) << 20;

/// What to say where encode() left bytes out.
std::string lostBytesNote(size_t bytes);

/// Token ids separated by commas, white space, or both. An error says which is
/// none; an id may be outside of any vocabulary.
Result<std::vector<int32_t>> parseIds(std::string_view text);

class Tokenizer {
public:
  /// What the texts of `data` are views of must outlive the tokenizer. An error
  /// is that there is no tokenizer, or an unknown pre-tokenizer.
  static Result<Tokenizer> create(TextData data);

  /// Appends the ids of `text` to `ids`, without BOS. Returns the number of
  /// bytes that were left out because the vocabulary has no token for them:
  /// trained vocabularies may lack bytes that are rare (control characters) or
  /// never valid in UTF-8, and Hugging Face's tokenizers leave them out as
  /// well.
  Result<size_t> encode(std::string_view text, std::vector<int32_t> &ids,
                        EncodeSettings settings = {});
  /// The same inside of frameOf(): what the model is given for a whole text.
  Result<size_t> encodeSequence(std::string_view text,
                                std::vector<int32_t> &ids,
                                bool parseSpecial = false);

  /// What stands in front of a whole text and behind it.
  struct Frame {
    std::optional<int32_t> bos, eos;
  };
  /// BOS and EOS where the checkpoint asks for them; one that the text itself
  /// begins or ends with (`parseSpecial`) is not doubled.
  Frame frameOf(std::span<const int32_t> ids) const;

  /// Appends the bytes of `id` to `text`; nothing for a control token or an id
  /// outside of the vocabulary.
  void decode(int32_t id, std::string &text) const;

  /// The marker that a text begins with, such as <|im_start|>: the longest of
  /// the control, unknown and user-defined tokens.
  std::optional<int32_t> markerAt(std::string_view text) const;
  bool isMarker(int32_t id) const;
  /// One that is found in any text, `parseSpecial` or not.
  bool isUserDefined(int32_t id) const {
    return vocabulary.type(id) == TokenType::userDefined;
  }
  /// A token as the vocabulary spells it; empty for an id outside of it.
  std::string_view textOf(int64_t id) const;

  /// The id that raw text starts with, if it does.
  std::optional<int32_t> bosToken() const {
    return addsBos ? bosId : std::nullopt;
  }
  /// Beginning and end of a sequence, as chat templates name them.
  std::optional<int32_t> bos() const { return bosId; }
  std::optional<int32_t> eos() const { return eosId; }
  /// The checkpoint's chat template.
  std::optional<std::string_view> chatTemplate() const { return source; }

  size_t size() const { return vocabulary.size(); }

private:
  Tokenizer() = default;
  void indexMarkers();
  Result<size_t> encodePiece(std::string_view text, std::vector<int32_t> &ids,
                             bool continues);

  Vocabulary vocabulary;
  /// One or the other: with pieces, BPE is empty.
  std::optional<SentencePiece> pieces;
  BPE bpe;
  PreTokenizer preTokenizer;
  std::optional<int32_t> bosId, eosId;
  bool addsBos = false, addsEos = false;
  std::optional<std::string_view> source;
  /// All markers, and those of byte-level BPE that every text is searched for.
  TokenMatcher markers, userDefined;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_TOKENIZER_H
