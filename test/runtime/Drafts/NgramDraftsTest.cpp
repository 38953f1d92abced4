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

std::vector<int32_t> idsOf(const NgramDrafts::Proposal &proposal) {
  return {proposal.ids.begin(), proposal.ids.end()};
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
  EXPECT_EQ(idsOf(proposal), (Ids{30, 40, 50}));
  EXPECT_EQ(proposal.matched, 2u);
  EXPECT_EQ(idsOf(drafts.propose(1)), (Ids{30}));
  EXPECT_TRUE(drafts.propose(0).ids.empty());
}

TEST(NgramDrafts, TheLongestMatchDecides) {
  // "3 4" was last followed by 60, "2 3 4" by 50.
  NgramDrafts drafts = textOf({2, 3, 4, 50, 9, 3, 4, 60, 8, 2, 3, 4});
  auto proposal = drafts.propose(1);
  EXPECT_EQ(idsOf(proposal), (Ids{50}));
  EXPECT_EQ(proposal.matched, 3u);
}

TEST(NgramDrafts, TheLastOfEqualMatchesDecides) {
  EXPECT_EQ(idsOf(textOf({1, 2, 3, 1, 2, 4, 1, 2}).propose(1)), (Ids{4}));
}

TEST(NgramDrafts, NoMatchIsLongerThanItsLongest) {
  NgramDrafts drafts = textOf({0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4});
  auto proposal = drafts.propose(8);
  EXPECT_EQ(proposal.matched, NgramDrafts::kLongest);
  // To the end of what is known, the newest ids included.
  EXPECT_EQ(idsOf(proposal), (Ids{5, 6, 0, 1, 2, 3, 4}));
}

TEST(NgramDrafts, ARunProposesItself) {
  EXPECT_EQ(idsOf(textOf({5, 5, 5}).propose(4)), (Ids{5}));
  EXPECT_EQ(idsOf(textOf({1, 2, 1, 2, 1, 2}).propose(4)), (Ids{1, 2}));
}

} // namespace
} // namespace corellama::runtime
