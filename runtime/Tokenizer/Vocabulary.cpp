//===- Vocabulary.cpp - the tokens of a checkpoint ------------------------===//
//
// Token texts -> look-ups, and the mapping between bytes and
// the printable characters that stand for them in token texts.
//
//===----------------------------------------------------------------------===//

#include "runtime/Tokenizer/Vocabulary.h"

#include "runtime/Tokenizer/Utf8.h"

#include <charconv>
#include <utility>

using namespace corellama::runtime;

namespace {
/// GPT-2's bytes_to_unicode: bytes that are printable in Latin-1 stand for
/// themselves, the other 68 for U+0100, U+0101, ... in order.
struct ByteLevel {
  static constexpr char32_t shifted = 0x100;
  static constexpr size_t characters = shifted + 68;

  std::array<char32_t, 256> characterOf = {};
  std::array<int16_t, characters> byteOf = {};

  static constexpr bool printable(unsigned byte) {
    return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
           byte >= 0xAE;
  }

  constexpr ByteLevel() {
    byteOf.fill(-1);
    char32_t next = shifted;
    for (unsigned byte = 0; byte < 256; ++byte) {
      characterOf[byte] = printable(byte) ? byte : next++;
      byteOf[characterOf[byte]] = static_cast<int16_t>(byte);
    }
  }
};
constexpr ByteLevel byteLevel;
} // namespace

/// The byte that SentencePiece's token <0x00> to <0xFF> stands for.
std::optional<uint8_t> Vocabulary::byteOf(int32_t id) const {
  const std::string_view text = texts[id];
  uint8_t byte = 0;
  if (types[id] != TokenType::byte || text.size() != 6 ||
      !text.starts_with("<0x") || text.back() != '>')
    return std::nullopt;
  const char *end = text.data() + 5;
  auto parsed = std::from_chars(text.data() + 3, end, byte, 16);
  return parsed.ec == std::errc() && parsed.ptr == end
             ? std::optional<uint8_t>(byte)
             : std::nullopt;
}

Vocabulary::Vocabulary(TokenizerKind kind, TokenTexts tokens,
                       std::vector<TokenType> tokenTypes)
    : kind(kind), texts(std::move(tokens)), types(std::move(tokenTypes)),
      index(texts) {
  if (kind == TokenizerKind::sentencePiece) {
    byteTokens.fill(-1);
    for (size_t id = 0; id < texts.size(); ++id)
      if (std::optional<uint8_t> byte = byteOf(static_cast<int32_t>(id)))
        byteTokens[*byte] = static_cast<int32_t>(id);
    return;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    char character = static_cast<char>(byte);
    std::string text;
    appendByteLevel({&character, 1}, text);
    std::optional<int32_t> id = find(text);
    byteTokens[byte] = id && isSpelled(*id) ? *id : -1;
  }
}

void Vocabulary::appendByteLevel(std::string_view bytes, std::string &text) {
  for (char byte : bytes)
    appendUtf8(byteLevel.characterOf[static_cast<uint8_t>(byte)], text);
}

/// SentencePiece's texts: U+2581 is a space wherever it stands.
void Vocabulary::appendPiece(int32_t id, std::string &bytes) const {
  std::string_view text = texts[id];
  if (std::optional<uint8_t> byte = byteOf(id)) {
    bytes += static_cast<char>(*byte);
    return;
  }
  for (size_t space; (space = text.find(kSpace)) != text.npos;
       text.remove_prefix(space + kSpace.size()))
    bytes.append(text.substr(0, space)) += ' ';
  bytes += text;
}

void Vocabulary::appendBytes(int32_t id, std::string &bytes) const {
  if (kind == TokenizerKind::sentencePiece)
    return appendPiece(id, bytes);
  std::string_view text = texts[id];
  bool written = isSpelled(id);
  // Nor is a token mapped, as in Hugging Face's decoder, that has a character
  // which stands for no byte.
  size_t start = bytes.size();
  for (std::string_view rest = text; written && !rest.empty();) {
    Utf8Head head = readUtf8(rest);
    written = head.kind == Utf8Head::whole &&
              head.codePoint < ByteLevel::characters &&
              byteLevel.byteOf[head.codePoint] >= 0;
    if (written)
      bytes += static_cast<char>(byteLevel.byteOf[head.codePoint]);
    rest.remove_prefix(head.bytes);
  }
  if (!written) {
    bytes.resize(start);
    bytes += text;
  }
}
