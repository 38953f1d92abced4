//===- TokenizerModel.h - small byte-level vocabularies for tests ---------===//
//
// A byte-level tokenizer of given merges, as TextData. It writes bytes as token
// texts by code of its own.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENIZERMODEL_H
#define CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENIZERMODEL_H

#include "runtime/Tokenizer/TextData.h"
#include "test/runtime/Tokenizer/TokenViews.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace corellama::runtime::test {

/// A byte-level tokenizer: control tokens <|im_start|> (0), <|im_end|> (1) and
/// <|endoftext|> (2), then one token for each byte but `missing`, then one for
/// each merge.
struct TokenizerModel {
  using Merges = std::vector<std::pair<std::string, std::string>>;

  std::string pre = "gpt-2";
  std::string missing;
  Merges merges;
  std::vector<std::string> tokens;
  std::vector<TokenType> types;

  TokenizerModel() : TokenizerModel(Merges()) {}
  explicit TokenizerModel(Merges merges, std::string missing = "")
      : missing(std::move(missing)), merges(std::move(merges)) {
    for (const char *control : {"<|im_start|>", "<|im_end|>", "<|endoftext|>"})
      add(control, TokenType::control);
    for (int byte = 0; byte < 256; ++byte) {
      char character = static_cast<char>(byte);
      if (this->missing.find(character) == std::string::npos)
        add(byteLevel(std::string(1, character)), TokenType::normal);
    }
    for (const auto &[left, right] : this->merges)
      if (id(left + right) < 0)
        add(byteLevel(left + right), TokenType::normal);
  }

  void add(const std::string &token, TokenType type) {
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

  /// Views of this model.
  TextData data() const {
    TextData data;
    data.kind = TokenizerKind::byteLevel;
    data.preTokenizer = pre;
    data.tokens = viewsOf({tokens.begin(), tokens.end()});
    data.types = types;
    for (const auto &[left, right] : merges)
      data.merges.push_back({id(left), id(right), id(left + right)});
    return data;
  }
};

} // namespace corellama::runtime::test

#endif // CORELLAMA_TEST_RUNTIME_TOKENIZER_TOKENIZERMODEL_H
