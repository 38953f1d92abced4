//===- KVCacheLayout.h - the address of an element of the cache -----------===//
//
// The one formula for the address of a key or value: C++ computes it on numbers
// (sizes of an image, tests), code generation emits it as arithmetic on values
// (where a loop runs over the elements of a group, the group's address).
// A header of its own because both instantiate the same template.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H
#define CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H

#include <cstdint>

namespace corellama::llama {

/// In `rowmajor` each position of a head is padded to a multiple of this in the
/// cache, so that code reads whole vectors of a head of any size.
inline constexpr int64_t kCacheRowMultiple = 16;

/// Addresses of keys, or of values, in elements from the first one of layer 0.
/// Each head of each layer, `head` = layer x heads + head in the layer, has a
/// region of `capacity` positions; `capacity` is a multiple of `group`.
///
/// Example, heads of 4 elements in groups of 16 positions (perPosition = 4,
/// group = 16), capacity 32: element 2 of position 17 of head 1 stands at
/// (1 * 32 + 16) * 4 + 2 * 16 + 1 = 225.
struct KVCacheStrides {
  /// Elements that one position takes in its region, padding included; a group
  /// of positions takes `group` times as many.
  int64_t perPosition;
  /// Positions that are interleaved element by element, hence also the distance
  /// of two elements of one position. 1: a position's elements are contiguous.
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
    // Not by groupAddress: the terms that do not depend on the position stay
    // apart, so that a loop over positions need not compute them again.
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
