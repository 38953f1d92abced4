//===- DraftLength.h - how many drafted ids are worth a call --------------===//
//
// A call of r rows checks r - 1 drafts and gives one id more than it accepts.
// How many drafts pay depends on what such a call costs beside one of a single
// row, and on how often guesses were right. Both are measured while the program
// runs, guesses also where no call checked them. They decide how long an answer
// takes, never what it says (docs/drafts.md).
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_DRAFTS_DRAFTLENGTH_H
#define CORELLAMA_RUNTIME_DRAFTS_DRAFTLENGTH_H

#include "runtime/Drafts/NgramDrafts.h"

#include <array>
#include <cstddef>

namespace corellama::runtime {

class DraftLength {
public:
  /// The most rows of a call: of more, few would be accepted.
  static constexpr size_t kMostRows = 8;

  DraftLength();

  /// How many of `available` drafts to check in one call, at most kMostRows
  /// - 1. `matched` is NgramDrafts' Proposal::matched.
  size_t choose(size_t matched, size_t available) const;

  /// A call of `rows` rows, kMostRows at most, and its logits took so long.
  void ran(size_t rows, double seconds);
  /// Of a guess `compared` ids were compared with those that came, and the
  /// first `right` were the same.
  void judged(size_t matched, size_t compared, size_t right);

private:
  /// Guesses that were compared with the model's ids, and those that were
  /// right. Older ones count less.
  struct Record {
    double compared, right;
    double rate() const { return right / compared; }
  };
  /// What a call of so many rows takes, measured or predicted.
  double secondsOf(size_t rows) const;

  /// 0: not measured.
  std::array<double, kMostRows + 1> seconds{};
  std::array<Record, NgramDrafts::kLongest - NgramDrafts::kShortest + 1>
      records;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_DRAFTS_DRAFTLENGTH_H
