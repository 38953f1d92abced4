//===- Vocabulary.h - the tokens of a checkpoint --------------------------===//
//
// Token texts, their types, and the two directions between them and ids. The
// texts of a byte-level vocabulary are not the bytes
// themselves: each byte is written as one printable character (a space as the
// letter U+0120, for instance), GPT-2's way of keeping tokens readable.
// SentencePiece writes a space as U+2581, and bytes that are in no other token
// as <0x00> to <0xFF>. Only this file maps texts to bytes.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_VOCABULARY_H
#define CORELLAMA_RUNTIME_TOKENIZER_VOCABULARY_H

#include "runtime/Tokenizer/TextData.h"
#include "runtime/Tokenizer/TokenIndex.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class Vocabulary {
public:
  /// How SentencePiece writes a space: U+2581.
  static constexpr std::string_view kSpace = "\xE2\x96\x81";

  Vocabulary() = default;

  /// The rules (T1) and (T2) hold for tokens and types.
  Vocabulary(TokenizerKind kind, TokenTexts tokens,
             std::vector<TokenType> types);

  size_t size() const { return texts.size(); }
  bool contains(int64_t id) const {
    return id >= 0 && static_cast<uint64_t>(id) < texts.size();
  }

  std::string_view text(int32_t id) const { return texts[id]; }
  TokenType type(int32_t id) const { return types[id]; }

  /// Whether encoding text may give this id; control tokens are not allowed.
  bool isText(int32_t id) const {
    return types[id] != TokenType::control && types[id] != TokenType::unknown;
  }
  /// Whether its text stands in texts: not for a byte.
  bool isPiece(int32_t id) const {
    return isText(id) && types[id] != TokenType::byte;
  }

  /// Whether its text is written in the vocabulary's spelling. Texts of other
  /// tokens (control, user-defined) are the text itself.
  bool isSpelled(int32_t id) const {
    return types[id] == TokenType::normal || types[id] == TokenType::unused ||
           types[id] == TokenType::byte;
  }

  /// The token with this text; see TokenIndex.
  std::optional<int32_t> find(std::string_view text) const {
    return index.find(texts, text);
  }

  /// The token of a single byte, or none.
  std::optional<int32_t> byteToken(uint8_t byte) const {
    int32_t id = byteTokens[byte];
    return id < 0 ? std::nullopt : std::optional<int32_t>(id);
  }

  /// Appends the bytes that `id` stands for.
  void appendBytes(int32_t id, std::string &bytes) const;

  /// Appends bytes in the form that token texts have.
  static void appendByteLevel(std::string_view bytes, std::string &text);

private:
  void appendPiece(int32_t id, std::string &bytes) const;
  std::optional<uint8_t> byteOf(int32_t id) const;

  TokenizerKind kind = TokenizerKind::none;
  TokenTexts texts;
  std::vector<TokenType> types;
  TokenIndex index;
  std::array<int32_t, 256> byteTokens = {};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_VOCABULARY_H
