//===- TokenIndex.h - texts of tokens to ids ------------------------------===//
//
// The ids of a vocabulary by their texts. A file of its own because the readers
// of GGUF and of tokenizer.json look up what merges name, as the vocabulary of
// a program looks up what it joins.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_TOKENINDEX_H
#define CORELLAMA_RUNTIME_TOKENIZER_TOKENINDEX_H

#include "runtime/Tokenizer/HashIndex.h"
#include "runtime/Tokenizer/TokenTexts.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace corellama::runtime {

/// Keeps eight bytes a token; the texts are read where they are.
class TokenIndex {
public:
  TokenIndex() = default;
  /// Of fewer than 2^31 texts. Tokens without a text are left out: an empty
  /// text is no token of any word.
  explicit TokenIndex(const TokenTexts &texts)
      : index(
            static_cast<uint32_t>(texts.size()),
            [&](uint32_t id) -> std::optional<uint64_t> {
              const std::string_view text = texts[id];
              if (text.empty())
                return std::nullopt;
              return hashOf(text);
            },
            [&](uint32_t a, uint32_t b) { return texts[a] <=> texts[b]; }) {}

  /// The token with this text; the last one if several have it, as in Hugging
  /// Face's and llama.cpp's maps. `texts` are those that were indexed.
  std::optional<int32_t> find(const TokenTexts &texts,
                              std::string_view text) const {
    std::optional<uint32_t> id = index.find(
        hashOf(text), [&](uint32_t id) { return texts[id] <=> text; });
    return id ? std::optional(static_cast<int32_t>(*id)) : std::nullopt;
  }

private:
  static uint64_t hashOf(std::string_view text) {
    return std::hash<std::string_view>()(text);
  }

  HashIndex index;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_TOKENINDEX_H
