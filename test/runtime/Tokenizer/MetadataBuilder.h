//===- MetadataBuilder.h - key-value sections for tests -------------------===//
//
// Writes the key-value section of a GGUF file in memory, value by value, so
// that each test states the metadata it is about. Shares nothing with the
// reader under test: the numbers of the types are written out again.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_TOKENIZER_METADATABUILDER_H
#define CORELLAMA_TEST_RUNTIME_TOKENIZER_METADATABUILDER_H

#include "runtime/Tokenizer/Metadata.h"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime::test {

class MetadataBuilder {
public:
  /// The bytes of a little-endian number.
  template <typename T> static std::string raw(T value) {
    std::string bytes(sizeof(T), '\0');
    std::memcpy(bytes.data(), &value, sizeof(T));
    return bytes;
  }
  static std::string text(std::string_view value) {
    return raw<uint64_t>(value.size()).append(value);
  }

  /// A pair whose value is given as bytes.
  MetadataBuilder &pair(std::string_view key, uint32_t type,
                        std::string_view value) {
    bytes += text(key) + raw(type);
    bytes += value;
    ++count;
    return *this;
  }
  MetadataBuilder &string(std::string_view key, std::string_view value) {
    return pair(key, 8, text(value));
  }
  MetadataBuilder &u32(std::string_view key, uint32_t value) {
    return pair(key, 4, raw(value));
  }
  MetadataBuilder &boolean(std::string_view key, bool value) {
    return pair(key, 7, raw<uint8_t>(value));
  }
  MetadataBuilder &strings(std::string_view key,
                           const std::vector<std::string> &values) {
    std::string array = raw<uint32_t>(8) + raw<uint64_t>(values.size());
    for (const std::string &value : values)
      array += text(value);
    return pair(key, 9, array);
  }
  MetadataBuilder &i32s(std::string_view key,
                        const std::vector<int32_t> &values) {
    return numbers(key, 5, values);
  }

  MetadataBuilder &f32s(std::string_view key,
                        const std::vector<float> &values) {
    return numbers(key, 6, values);
  }
  /// An array of numbers, whose type has the number `type`.
  template <typename T>
  MetadataBuilder &numbers(std::string_view key, uint32_t type,
                           const std::vector<T> &values) {
    std::string array = raw(type) + raw<uint64_t>(values.size());
    for (T value : values)
      array += raw(value);
    return pair(key, 9, array);
  }

  std::span<const uint8_t> span() const {
    return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
  }
  Result<Metadata> parse() const { return Metadata::parse(span(), count); }

  std::string bytes;
  uint64_t count = 0;
};

/// A byte-level tokenizer: control tokens <|im_start|> (0), <|im_end|> (1) and
/// <|endoftext|> (2), then one token for each byte but `missing`, then one for
/// each merge.
struct TokenizerModel {
  using Merges = std::vector<std::pair<std::string, std::string>>;

  std::string pre = "gpt-2";
  std::string missing;
  Merges merges;
  std::vector<std::string> tokens;
  std::vector<int32_t> types;

  TokenizerModel() : TokenizerModel(Merges()) {}
  explicit TokenizerModel(Merges merges, std::string missing = "")
      : missing(std::move(missing)), merges(std::move(merges)) {
    for (const char *control : {"<|im_start|>", "<|im_end|>", "<|endoftext|>"})
      add(control, 3);
    for (int byte = 0; byte < 256; ++byte) {
      char character = static_cast<char>(byte);
      if (this->missing.find(character) == std::string::npos)
        add(byteLevel(std::string(1, character)), 1);
    }
    for (const auto &[left, right] : this->merges)
      if (id(left + right) < 0)
        add(byteLevel(left + right), 1);
  }

  void add(const std::string &token, int32_t type) {
    tokens.push_back(token);
    types.push_back(type);
  }

  /// The id of the token of these bytes, or -1.
  int32_t id(const std::string &token) const {
    std::string written = byteLevel(token);
    for (size_t id = 0; id < tokens.size(); ++id)
      if (tokens[id] == written)
        return static_cast<int32_t>(id);
    return -1;
  }

  /// GPT-2's way of writing bytes, from its definition.
  static std::string byteLevel(const std::string &text) {
    std::string written;
    for (unsigned char byte : text) {
      auto plain = [](int b) {
        return (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) ||
               (b >= 0xAE && b <= 0xFF);
      };
      int character = byte;
      if (!plain(byte)) {
        character = 256;
        for (int before = 0; before < byte; ++before)
          character += !plain(before);
      }
      if (character < 0x80) {
        written += static_cast<char>(character);
      } else {
        written += static_cast<char>(0xC0 | character >> 6);
        written += static_cast<char>(0x80 | (character & 0x3F));
      }
    }
    return written;
  }

  MetadataBuilder metadata() const {
    MetadataBuilder builder;
    builder.string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", pre)
        .strings("tokenizer.ggml.tokens", tokens)
        .i32s("tokenizer.ggml.token_type", types);
    std::vector<std::string> lines;
    for (const auto &[left, right] : merges)
      lines.push_back(byteLevel(left) + " " + byteLevel(right));
    builder.strings("tokenizer.ggml.merges", lines);
    return builder;
  }
};

} // namespace corellama::runtime::test

#endif // CORELLAMA_TEST_RUNTIME_TOKENIZER_METADATABUILDER_H
