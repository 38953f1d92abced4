//===- TokenIndex.h - texts of tokens to ids --------------------*- C++ -*-===//
//
// A table of hashes over a vocabulary's texts. A file of its own because the
// readers of GGUF and of tokenizer.json both look up what merges name, and a
// map that keeps the texts would take many times the bytes of a hostile file.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_TEXT_TOKENINDEX_H
#define CORELLAMA_COMPILER_TEXT_TOKENINDEX_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace corellama {

/// Keeps ids alone, in at most 11 bytes a token; the texts are read where they
/// are.
class TokenIndex {
public:
  /// Of tokens that outlive it; their number does not change any more.
  explicit TokenIndex(const std::vector<std::string_view> &tokens);

  std::optional<int32_t> find(llvm::StringRef text) const;
  /// Makes `id` that of its token's text; the id that it was, or nothing.
  std::optional<int32_t> put(int32_t id);

private:
  /// Where a text's id is, or would be.
  size_t slotOf(llvm::StringRef text) const;

  const std::vector<std::string_view> &tokens;
  std::vector<int32_t> slots; ///< ids or -1; their number is a power of two
};

} // namespace corellama

#endif // CORELLAMA_COMPILER_TEXT_TOKENINDEX_H
