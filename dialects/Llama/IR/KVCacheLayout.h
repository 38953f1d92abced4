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

#include "runtime/ABI/Kernel.h"
#include <cstdint>

namespace corellama::llama {

/// In `rowmajor` each position of a head is padded to a multiple of this in the
/// cache, so that code reads whole vectors of a head of any size.
inline constexpr int64_t kCacheRowMultiple = 16;

/// Addresses of keys, or of values, in a region, whose `heads` heads are those
/// of all layers, `head` = layer x heads of a layer + head in it, or where
/// layers differ in their positions those of one; in elements, or in bytes
/// where elements are quants of a byte that share scales. A region is blocks of
/// abi::kCacheBlock positions, each of them all heads, a head's positions next
/// to each other. So a cache fills from its begin: a large page of memory is
/// not touched before what lies in front of it is full.
///
/// Example, 3 heads of 4 elements in groups of 16 positions (perPosition = 4,
/// group = 16): element 2 of position 256 + 17 of head 1 stands at
/// ((1 * 3 + 1) * 256 + 16) * 4 + 2 * 16 + 1 = 4193.
///
/// With scales (block = 32) a group is its blocks of elements; a block is the
/// scales of its positions, each an f16, then its quants: [group] scales, [32]
/// [group] quants. Example, one head of 64 in groups of 16 (perPosition = 68):
/// element 33 of position 17 of head 0 is the byte 16 * 68 + 34 * 16 + 2 * 16 +
/// 1 * 16 + 1 = 1681, its scale the two bytes at 16 * 68 + 34 * 16 + 2 * 1.
struct KVCacheStrides {
  /// Elements that one position of a head takes, padding included, or
  /// bytes; a group of positions takes `group` times as many.
  int64_t perPosition;
  /// Positions that are interleaved element by element, hence also the distance
  /// of two elements of one position. 1: a position's elements are contiguous.
  int64_t group;
  /// Elements of a head that share a scale; 0: there are no scales.
  int64_t block = 0;

  /// Positions of a block.
  static constexpr int64_t kBlock = abi::kCacheBlock;
  /// Bytes of a scale.
  static constexpr int64_t kScaleBytes = 2;
  /// Bytes of a position's blocks of `headSize` elements.
  static constexpr int64_t blockBytes(int64_t headSize, int64_t block) {
    return headSize / block * (block + kScaleBytes);
  }

  /// From a group's address to the scales of an element's block.
  template <typename Math, typename Index>
  Index scaleInGroup(Math &math, Index element) const {
    return math.mul(math.div(element, block), (block + kScaleBytes) * group);
  }
  /// From a group's address to an element of its first position.
  template <typename Math, typename Index>
  Index elementInGroup(Math &math, Index element) const {
    if (block == 0)
      return math.mul(element, group);
    Index scales = scaleInGroup(math, element);
    Index inBlock = math.mul(math.rem(element, block), group);
    return math.add(math.add(scales, kScaleBytes * group), inBlock);
  }

  /// Element 0 of position `first`, a multiple of `group`. `math` adds and
  /// multiplies numbers (Numbers) or values of IR (tile::IndexBuilder).
  template <typename Math, typename Index>
  Index groupAddress(Math &math, int64_t heads, Index head, Index first) const {
    Index inBlock = math.rem(first, kBlock);
    return math.add(blockAddress(math, heads, head, first),
                    math.mul(inBlock, perPosition));
  }

  /// Any element of any position.
  template <typename Math, typename Index>
  Index address(Math &math, int64_t heads, Index head, Index position,
                Index element) const {
    Index inGroup = elementInGroup(math, element);
    return place(math, heads, head, position, inGroup, 1);
  }
  /// The first byte of the scale of its block.
  template <typename Math, typename Index>
  Index scaleAddress(Math &math, int64_t heads, Index head, Index position,
                     Index element) const {
    Index inGroup = scaleInGroup(math, element);
    return place(math, heads, head, position, inGroup, kScaleBytes);
  }

  /// Arithmetic on numbers.
  struct Numbers {
    static int64_t add(int64_t x, int64_t y) { return x + y; }
    static int64_t mul(int64_t x, int64_t y) { return x * y; }
    static int64_t div(int64_t x, int64_t y) { return x / y; }
    static int64_t rem(int64_t x, int64_t y) { return x % y; }
  };

private:
  /// `inGroup` behind the group of a position, whose neighbour in the group is
  /// `step` further.
  template <typename Math, typename Index>
  Index place(Math &math, int64_t heads, Index head, Index position,
              Index inGroup, int64_t step) const {
    if (group == 1)
      return math.add(groupAddress(math, heads, head, position), inGroup);
    Index block = blockAddress(math, heads, head, position);
    Index groups = math.div(math.rem(position, kBlock), group);
    Index start = math.add(block, math.mul(groups, perPosition * group));
    Index lane = math.mul(math.rem(position, group), step);
    return math.add(start, math.add(inGroup, lane));
  }

  /// The first position of a head in the block of `position`.
  template <typename Math, typename Index>
  Index blockAddress(Math &math, int64_t heads, Index head,
                     Index position) const {
    Index block = math.div(position, kBlock);
    int64_t ofHead = kBlock * perPosition;
    return math.add(math.mul(block, heads * ofHead), math.mul(head, ofHead));
  }
};

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_KVCACHELAYOUT_H
