//===- NgramDrafts.cpp - ids that followed the same ids before ------------===//
//
// See NgramDrafts.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Drafts/NgramDrafts.h"

#include <algorithm>

using namespace corellama::runtime;

uint64_t NgramDrafts::hashBefore(size_t end, size_t length) const {
  uint64_t hash = 0;
  for (size_t i = end - length; i < end; ++i) {
    // One round of splitmix64 for each id.
    hash += uint64_t(uint32_t(ids[i])) + 0x9e3779b97f4a7c15;
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
    hash ^= hash >> 31;
  }
  return hash;
}

void NgramDrafts::append(int32_t id) {
  // Now it is known what follows the ids before it.
  const size_t end = ids.size();
  for (size_t n = kShortest; n <= std::min(kLongest, end); ++n)
    followers[n - kShortest][hashBefore(end, n)] = uint32_t(end);
  ids.push_back(id);
}

NgramDrafts::Proposal NgramDrafts::propose(size_t most) const {
  for (size_t n = std::min(kLongest, ids.size()); n >= kShortest; --n) {
    const auto &known = followers[n - kShortest];
    auto found = known.find(hashBefore(ids.size(), n));
    if (found == known.end())
      continue;
    Proposal proposal{{}, n};
    for (size_t from = found->second; proposal.ids.size() < most; ++from)
      proposal.ids.push_back(
          from < ids.size() ? ids[from] : proposal.ids[from - ids.size()]);
    return proposal;
  }
  return {};
}
