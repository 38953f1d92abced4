//===- KVCacheLayout.h - the address of an element of the cache -----------===//
//
// The formula by which keys and values are found, once for all who need it: C++
// works it out in numbers (sizes of an image, tests), code generation writes it
// as arithmetic on values. A header of its own because both go through the same
// template.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H
#define CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H

#include <cstdint>

namespace corellama::llama {

/// Elements that a row of `rowmajor` is padded to in the cache, so that code
/// reads whole vectors of a head of any size.
inline constexpr int64_t kCacheRowMultiple = 16;

/// Where keys or values stand, in elements from the first of all layers. A head
/// of a layer, number `head` = layer x heads + its own, has a region of
/// `capacity` positions, a multiple of `group`.
///
/// Example, heads of 4 elements in groups of 16 positions (perPosition = 4,
/// group = 16), capacity 32: element 2 of position 17 of head 1 stands at
/// (1 * 32 + 16) * 4 + 2 * 16 + 1 = 225.
struct KVCacheStrides {
  /// Elements that a position takes of a region, padding included: the distance
  /// of whole groups, for each of their positions.
  int64_t perPosition;
  /// Positions that stand side by side, element by element: also the distance
  /// of two elements of a position. 1: a position's elements are side by side.
  int64_t group;

  /// Element 0 of position `first`, a multiple of `group`. `math` adds and
  /// multiplies numbers (Numbers) or values of IR (tile::IndexBuilder).
  template <typename Math, typename Index>
  Index groupAddress(Math &math, Index head, Index capacity,
                     Index first) const {
    return math.mul(math.add(math.mul(head, capacity), first), perPosition);
  }

  /// Any element of any position.
  template <typename Math, typename Index>
  Index address(Math &math, Index head, Index capacity, Index position,
                Index element) const {
    if (group == 1)
      return math.add(groupAddress(math, head, capacity, position), element);
    // Not by groupAddress: what does not depend on the position is a term of
    // its own, which a loop over positions keeps.
    Index region = math.mul(math.mul(head, capacity), perPosition);
    Index start = math.mul(math.div(position, group), perPosition * group);
    Index lane = math.rem(position, group);
    Index inGroup = math.add(math.mul(element, group), lane);
    return math.add(math.add(region, start), inGroup);
  }

  /// Arithmetic on numbers.
  struct Numbers {
    static int64_t add(int64_t x, int64_t y) { return x + y; }
    static int64_t mul(int64_t x, int64_t y) { return x * y; }
    static int64_t div(int64_t x, int64_t y) { return x / y; }
    static int64_t rem(int64_t x, int64_t y) { return x % y; }
  };
};

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H
