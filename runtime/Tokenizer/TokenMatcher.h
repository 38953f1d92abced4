//===- TokenMatcher.h - tokens that text is searched for ------------------===//
//
// Which of a set of tokens a text begins with. Most tokens are found by merges;
// this is for those that are cut out of a text before: what the user defined,
// and control tokens where a caller wants them. A file of its own because both
// kinds of tokenizer and chat templates need it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_TOKENIZER_TOKENMATCHER_H
#define CORELLAMA_RUNTIME_TOKENIZER_TOKENMATCHER_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

class TokenMatcher {
public:
  /// A token and the bytes that it is found by.
  struct Entry {
    std::string text;
    int32_t id;
  };

  TokenMatcher() = default;
  /// Entries without text are never found. Of equal texts the highest id is.
  explicit TokenMatcher(std::vector<Entry> entries);

  /// The entry with the longest text that `text` begins with, or null; valid
  /// while the matcher lives. Takes a binary search for each byte that some
  /// entry shares with `text`.
  const Entry *longestAt(std::string_view text) const;

private:
  /// By text, then by id.
  std::vector<Entry> entries;
  /// Where the texts that begin with a byte begin, and where the last ends.
  std::array<uint32_t, 257> begins = {};
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_TOKENIZER_TOKENMATCHER_H
