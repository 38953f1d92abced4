//===- DraftLength.cpp - how many drafted ids are worth a call ------------===//
//
// See DraftLength.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Drafts/DraftLength.h"

#include <algorithm>

using namespace corellama::runtime;

/// The rows of calls that are tried: what programs have forms for.
static constexpr size_t kRows[] = {2, 4, 8};
/// Until a call of so many rows was timed: each row adds this part of a call of
/// one. Weights are read once a call, so it is the arithmetic of a row; 8 rows
/// cost 2.6 calls of one where arithmetic is the bound (docs/performance.md).
static constexpr double kCostOfRow = 0.23;
/// A new time's weight in the average, which follows a context that grows and a
/// machine that others use; one that was interrupted counts as this many times
/// the average at most, because what seems too slow is not tried again.
static constexpr double kNewTime = 0.2, kSlowest = 2;
/// What is believed before anything was compared, as a number of comparisons
/// and how many of them were right: too few for a try, because a comparison
/// costs nothing. Longer matches are better evidence.
static constexpr double kPriorCompared = 4;
static constexpr double kPriorRight[] = {0.4, 0.6, 0.8};
/// How much of a record a comparison leaves.
static constexpr double kKept = 0.95;
/// What a call of several rows must gain to be tried: as much as its predicted
/// time may be wrong.
static constexpr double kLeastGain = 1.05;

DraftLength::DraftLength() {
  for (size_t i = 0; i < records.size(); ++i)
    records[i] = {kPriorCompared, kPriorRight[i]};
}

size_t DraftLength::choose(size_t matched, size_t available) const {
  if (available == 0)
    return 0;
  const double rate = records[matched - NgramDrafts::kShortest].rate();
  size_t best = 0;
  double bestIds = kLeastGain / secondsOf(1); // a second
  for (size_t rows : kRows) {
    const size_t drafts = std::min(rows - 1, available);
    // 1 + rate + rate^2 + ...: a draft counts if all before it were right.
    double ids = 1, right = 1;
    for (size_t i = 0; i < drafts; ++i)
      ids += right *= rate;
    if (ids / secondsOf(drafts + 1) > bestIds) {
      bestIds = ids / secondsOf(drafts + 1);
      best = drafts;
    }
    if (drafts == available)
      break;
  }
  return best;
}

double DraftLength::secondsOf(size_t rows) const {
  // What was measured long ago may have been slow: no call takes longer than
  // one of more rows, and predictions begin at the best of the measurements.
  double measured = 0, one = 0;
  auto keepLeast = [](double &least, double time) {
    least = least > 0 ? std::min(least, time) : time;
  };
  for (size_t r = 1; r <= kMostRows; ++r) {
    if (seconds[r] == 0)
      continue;
    keepLeast(one, seconds[r] / (1 + kCostOfRow * double(r - 1)));
    if (r >= rows)
      keepLeast(measured, seconds[r]);
  }
  if (seconds[rows] > 0)
    return measured;
  return (one > 0 ? one : 1) * (1 + kCostOfRow * double(rows - 1));
}

void DraftLength::ran(size_t rows, double time) {
  double &known = seconds[rows];
  if (known == 0) {
    known = time;
    return;
  }
  known += kNewTime * (std::min(time, kSlowest * known) - known);
}

void DraftLength::judged(size_t matched, size_t compared, size_t right) {
  Record &record = records[matched - NgramDrafts::kShortest];
  for (size_t i = 0; i < compared; ++i) {
    record.compared = kKept * record.compared + 1;
    record.right = kKept * record.right + (i < right ? 1 : 0);
  }
}
