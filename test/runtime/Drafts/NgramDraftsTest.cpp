//===- NgramDraftsTest.cpp - which ids are proposed -----------------------===//
//
// Small texts of ids, and what must follow.
//
//===----------------------------------------------------------------------===//

#include "runtime/Drafts/NgramDrafts.h"
#include "gtest/gtest.h"
#include <vector>

namespace corellama::runtime {
namespace {

NgramDrafts textOf(const std::vector<int32_t> &ids) {
  NgramDrafts drafts;
  for (int32_t id : ids)
    drafts.append(id);
  return drafts;
}

using Ids = std::vector<int32_t>;

TEST(NgramDrafts, NothingFollowsWhatIsNew) {
  EXPECT_TRUE(NgramDrafts().propose(8).ids.empty());
  EXPECT_TRUE(textOf({1}).propose(8).ids.empty());
  EXPECT_TRUE(textOf({1, 2, 3, 4, 5}).propose(8).ids.empty());
  // One id of two is no match.
  EXPECT_TRUE(textOf({1, 2, 3, 2}).propose(8).ids.empty());
}

TEST(NgramDrafts, WhatFollowedTheSameIdsFollowsAgain) {
  NgramDrafts drafts = textOf({7, 1, 2, 30, 40, 50, 9, 1, 2});
  auto proposal = drafts.propose(3);
  EXPECT_EQ(proposal.ids, (Ids{30, 40, 50}));
  EXPECT_EQ(proposal.matched, 2u);
  EXPECT_EQ(drafts.propose(1).ids, (Ids{30}));
  EXPECT_TRUE(drafts.propose(0).ids.empty());
}

TEST(NgramDrafts, TheLongestMatchDecides) {
  // "3 4" was last followed by 60, "2 3 4" by 50.
  NgramDrafts drafts = textOf({2, 3, 4, 50, 9, 3, 4, 60, 8, 2, 3, 4});
  auto proposal = drafts.propose(1);
  EXPECT_EQ(proposal.ids, (Ids{50}));
  EXPECT_EQ(proposal.matched, 3u);
}

TEST(NgramDrafts, TheLastOfEqualMatchesDecides) {
  EXPECT_EQ(textOf({1, 2, 3, 1, 2, 4, 1, 2}).propose(1).ids, (Ids{4}));
}

TEST(NgramDrafts, NoMatchIsLongerThanItsLongest) {
  NgramDrafts drafts = textOf({0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4});
  auto proposal = drafts.propose(8);
  EXPECT_EQ(proposal.matched, NgramDrafts::kLongest);
  // Behind the end of what is known it begins again.
  EXPECT_EQ(proposal.ids, (Ids{5, 6, 0, 1, 2, 3, 4, 5}));
}

TEST(NgramDrafts, APeriodIsContinued) {
  EXPECT_EQ(textOf({5, 5, 5}).propose(4).ids, (Ids{5, 5, 5, 5}));
  EXPECT_EQ(textOf({1, 2, 1, 2, 1, 2}).propose(5).ids, (Ids{1, 2, 1, 2, 1}));
}

} // namespace
} // namespace corellama::runtime
