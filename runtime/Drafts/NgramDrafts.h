//===- NgramDrafts.h - ids that followed the same ids before --------------===//
//
// Guesses the next ids of a text from the text itself: it looks for the last
// place where the newest ids stood before, and proposes what followed there.
// That is prompt lookup decoding (Saxena, 2023; docs/drafts.md). A guess may be
// wrong; who asks for it checks it against the model. A file of its own because
// it knows ids and nothing of models.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_DRAFTS_NGRAMDRAFTS_H
#define CORELLAMA_RUNTIME_DRAFTS_NGRAMDRAFTS_H

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace corellama::runtime {

class NgramDrafts {
public:
  /// How many of the newest ids are looked for. A single id is no evidence;
  /// more than four rarely stand where four do not.
  static constexpr size_t kShortest = 2, kLongest = 4;

  struct Proposal {
    /// What followed the last time; empty: the newest ids are new. Where that
    /// reaches the end of the text, the text repeats a period, and the proposal
    /// continues it.
    std::vector<int32_t> ids;
    /// How many of the newest ids stood before them.
    size_t matched = 0;
  };

  /// The next id of the text.
  void append(int32_t id);

  /// `most` ids that may follow, or none.
  Proposal propose(size_t most) const;

private:
  /// A hash of the `length` ids that end before `end`.
  uint64_t hashBefore(size_t end, size_t length) const;

  std::vector<int32_t> ids;
  /// For each length, from hashes of ids to the index of what followed them
  /// last. Two sequences of one hash cost a wrong guess.
  std::array<std::unordered_map<uint64_t, uint32_t>, kLongest - kShortest + 1>
      followers;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_DRAFTS_NGRAMDRAFTS_H
