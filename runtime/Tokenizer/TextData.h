//===- TextData.h - all that a program knows of text ----------------------===//
//
// What a tokenizer and chats are made of, whatever container it came from: the
// compiler fills this struct (compiler/Text) and writes it into the image, the
// program reads it from there. A file of its own because it is the interface
// between the two, and the only description of these bytes.
//
// The section, all numbers little endian and 4 bytes:
//
//   kind, flags, bos, eos                 ids, -1: none
//   whyNone, preTokenizer, chatTemplate   strings: length, bytes
//   count of ends, the ends
//   count of tokens, their texts as strings, their types (1 byte each)
//   their scores                          float32; SentencePiece only
//   count of merges, three ids each       byte-level BPE only
//
// Its version is the image's. The texts are not copied: they are read where
// they are. Every read is checked against the bytes that remain.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_TEXTDATA_H
#define CORELLAMA_RUNTIME_TOKENIZER_TEXTDATA_H

#include "runtime/Support/Result.h"
#include "runtime/Tokenizer/TokenTexts.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

enum class TokenizerKind : uint32_t {
  none = 0, ///< the program takes and gives ids only
  byteLevel = 1,
  sentencePiece = 2,
};

/// The numbers are those of SentencePiece's pieces and of
/// `tokenizer.ggml.token_type`.
enum class TokenType : uint8_t {
  normal = 1,
  unknown = 2,
  control = 3,
  userDefined = 4,
  unused = 5,
  byte = 6,
};

struct TextData {
  /// Two neighbours and what they become.
  struct Merge {
    int32_t left, right, result;
  };

  TokenizerKind kind = TokenizerKind::none;
  /// For people: why the checkpoint's tokenizer is none; empty otherwise.
  std::string whyNone;

  /// (T1) In order of id, fewer than 2^31; none if there is no tokenizer.
  TokenTexts tokens;
  /// (T2) One for each token.
  std::vector<TokenType> types;
  /// (T3) Of SentencePiece one for each token, no NaN among them; else none.
  std::vector<float> scores;
  /// (T4) Of byte-level BPE, in order of rank, made of tokens; else none.
  std::vector<Merge> merges;
  /// Of byte-level BPE, see PreTokenizer.h.
  std::string_view preTokenizer;
  /// Of byte-level BPE: a word that is a token becomes that token, without
  /// merges (Hugging Face's `ignore_merges`).
  bool wholeWords = false;
  /// Of SentencePiece: a text begins with a space.
  bool addsSpace = false;

  /// (T5) Beginning and end of a sequence; tokens, if there is a tokenizer.
  std::optional<int32_t> bos, eos;
  /// Raw text begins with BOS, and ends with EOS.
  bool addsBos = false, addsEos = false;
  /// (T6) Where an answer ends: end of sequence or of turn. Ascending, each
  /// once; tokens, if there is a tokenizer.
  std::vector<int32_t> ends;

  /// A Jinja template; see runtime/Templates.
  std::optional<std::string_view> chatTemplate;

  /// Bits of `flags` in the section.
  enum : uint32_t {
    kWholeWords = 1,
    kAddsSpace = 2,
    kAddsBos = 4,
    kHasChatTemplate = 8,
    kAddsEos = 16,
  };

  /// Reads a section, which must outlive the result.
  static Result<TextData> parse(std::span<const uint8_t> section);
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_TEXTDATA_H
