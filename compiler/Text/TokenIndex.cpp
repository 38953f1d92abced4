//===- TokenIndex.cpp - texts of tokens to ids ----------------------------===//
//
// See TokenIndex.h: open addressing, the next slot after a collision.
//
//===----------------------------------------------------------------------===//

#include "compiler/Text/TokenIndex.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"
#include <utility>

using namespace corellama;
using llvm::StringRef;

TokenIndex::TokenIndex(const std::vector<std::string_view> &tokens)
    : tokens(tokens),
      // At most three of four are taken.
      slots(llvm::PowerOf2Ceil(tokens.size() + tokens.size() / 3 + 1), -1) {}

size_t TokenIndex::slotOf(StringRef text) const {
  const size_t mask = slots.size() - 1;
  size_t slot = llvm::xxh3_64bits(text) & mask;
  while (slots[slot] >= 0 && StringRef(tokens[size_t(slots[slot])]) != text)
    slot = (slot + 1) & mask;
  return slot;
}

std::optional<int32_t> TokenIndex::find(StringRef text) const {
  const int32_t id = slots[slotOf(text)];
  return id < 0 ? std::nullopt : std::optional(id);
}

std::optional<int32_t> TokenIndex::put(int32_t id) {
  int32_t &slot = slots[slotOf(tokens[size_t(id)])];
  const int32_t before = std::exchange(slot, id);
  return before < 0 ? std::nullopt : std::optional(before);
}
