//===- DraftLengthTest.cpp - how many drafts are tried --------------------===//
//
// Costs and successes as a program would report them, and the choice that must
// come of them.
//
//===----------------------------------------------------------------------===//

#include "runtime/Drafts/DraftLength.h"
#include "gtest/gtest.h"

namespace corellama::runtime {
namespace {

constexpr size_t kMatched = 3;

/// A call of r rows costs 1 + `row` * (r - 1).
void measure(DraftLength &length, double row) {
  // Often enough for the average, which follows slowly.
  for (int i = 0; i < 60; ++i)
    for (size_t rows = 1; rows <= DraftLength::kMostRows; ++rows)
      length.ran(rows, 1 + row * double(rows - 1));
}

void judge(DraftLength &length, size_t compared, size_t right) {
  for (int i = 0; i < 60; ++i)
    length.judged(kMatched, compared, right);
}

TEST(DraftLength, NoDraftsAreNone) {
  EXPECT_EQ(DraftLength().choose(kMatched, 0), 0u);
}

TEST(DraftLength, DraftsThatAreRightFillACall) {
  DraftLength length;
  measure(length, 0.2);
  judge(length, 7, 7);
  EXPECT_EQ(length.choose(kMatched, 20), DraftLength::kMostRows - 1);
  EXPECT_EQ(length.choose(kMatched, 5), 5u);
  EXPECT_EQ(length.choose(kMatched, 1), 1u);
}

TEST(DraftLength, DraftsThatAreWrongAreLeftOut) {
  DraftLength length;
  measure(length, 0.2);
  judge(length, 7, 7);
  judge(length, 1, 0);
  EXPECT_EQ(length.choose(kMatched, 7), 0u);
}

TEST(DraftLength, NothingIsTriedBeforeAGuessWasRight) {
  for (size_t matched = NgramDrafts::kShortest;
       matched <= NgramDrafts::kLongest; ++matched) {
    DraftLength length;
    measure(length, 0.2);
    EXPECT_EQ(length.choose(matched, 7), 0u);
    length.judged(matched, 1, 1);
    length.judged(matched, 1, 1);
    EXPECT_GT(length.choose(matched, 7), 0u);
    // Matches of another length have a record of their own.
    EXPECT_EQ(length.choose(matched == NgramDrafts::kShortest
                                ? NgramDrafts::kLongest
                                : NgramDrafts::kShortest,
                            7),
              0u);
  }
}

TEST(DraftLength, WhatWasLeftOutIsTriedAgainWhenGuessesAreRight) {
  DraftLength length;
  measure(length, 0.2);
  judge(length, 1, 0);
  int guesses = 0;
  for (; length.choose(kMatched, 7) == 0; ++guesses) {
    ASSERT_LT(guesses, 100);
    length.judged(kMatched, 1, 1);
  }
  EXPECT_GT(guesses, 3);
}

TEST(DraftLength, ManyUncertainDraftsAreNotWorthALongCall) {
  DraftLength length;
  measure(length, 0.3);
  judge(length, 2, 1); // half of them
  EXPECT_EQ(length.choose(kMatched, 7), 1u);
}

TEST(DraftLength, RowsThatCostMoreThanACallAreNotWorthIt) {
  DraftLength length;
  measure(length, 1.1);
  judge(length, 7, 7);
  EXPECT_EQ(length.choose(kMatched, 7), 0u);
}

TEST(DraftLength, ASlowFirstCallDoesNotHideWhatLongerOnesCost) {
  DraftLength length;
  judge(length, 7, 7);
  length.ran(1, 10); // the first, with everything still to be read
  length.ran(2, 1.2);
  EXPECT_EQ(length.choose(kMatched, 7), 7u);
}

TEST(DraftLength, OneInterruptedCallIsForgotten) {
  DraftLength length;
  measure(length, 0.2);
  judge(length, 7, 7);
  length.ran(8, 1000);
  EXPECT_EQ(length.choose(kMatched, 7), 7u);
}

} // namespace
} // namespace corellama::runtime
