//===- KVCacheTest.cpp - the cache's size and what is refused -------------===//
//
// Tests runtime/KVCache/KVCache.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/KVCache/KVCache.h"

#include "runtime/ABI/Kernel.h"

#include <gtest/gtest.h>

using namespace corellama::runtime;

static corellama::abi::ImageHeader model(uint64_t keyBytes,
                                         uint64_t valueBytes) {
  corellama::abi::ImageHeader header{};
  header.keyBytes = keyBytes;
  header.valueBytes = valueBytes;
  header.layers = 1;
  header.kvHeads = 2;
  return header;
}

TEST(KVCache, HasRoomForWholeBlocks) {
  auto cache = KVCache::reserve(model(24, 40), {}, 257);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->capacity(), 2 * corellama::abi::kCacheBlock);
  cache->keys()[512 * 24 - 1] = 1;
  cache->values()[512 * 40 - 1] = 1;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cache->keys()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cache->values()) % 64, 0u);
}

TEST(KVCache, SaysThatItDoesNotFit) {
  auto cache = KVCache::reserve(model(uint64_t(1) << 32, 1), {}, 1 << 30);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error(),
            "the cache of keys would take 1073741824 x 4294967296 bytes, more "
            "than a process can address; give a smaller -c than 1073741824");
}

TEST(KVCache, RefusesPositionsThatOverflow) {
  auto cache = KVCache::reserve(model(1, 1), {}, UINT64_MAX);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error(), "a context of 18446744073709551615 tokens is too "
                           "large; give a smaller -c");
}

// Layers of the context, of a ring, of the context: two heads each.
TEST(KVCache, HasARegionForEachLayer) {
  const uint64_t rings[] = {0, 256, 0};
  corellama::abi::ImageHeader three = model(24, 40);
  three.layers = 3;
  auto cache = KVCache::reserve(three, rings, 1000);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->capacity(), 1024u);
  ASSERT_EQ(cache->regions().size(), 3u);
  EXPECT_EQ(cache->regions()[0], 0u);
  EXPECT_EQ(cache->regions()[1], 2 * 1024u);
  EXPECT_EQ(cache->regions()[2], 2 * (1024u + 256));
  cache->keys()[(2 * 1024 + 256) * 24 - 1] = 1;
  cache->values()[(2 * 1024 + 256) * 40 - 1] = 1;
}

TEST(KVCache, RefusesRegionsThatOverflow) {
  const uint64_t rings[] = {0, 0, 0, 0, 256};
  corellama::abi::ImageHeader five = model(1, 1);
  five.kvHeads = uint64_t(1) << 62;
  auto cache = KVCache::reserve(five, rings, 1);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error(),
            "a context of 1 tokens is too large; give a smaller -c");
}

TEST(KVCache, GoesBackToAnyPositionWithoutRings) {
  auto cache = KVCache::reserve(model(1, 1), {}, 1000);
  ASSERT_TRUE(cache);
  cache->reach(900);
  EXPECT_EQ(cache->truncate(17, /*mostRows=*/8), 17u);
}

// A ring of 256 that has room for a window and 8 rows.
TEST(KVCache, GoesBackAsFarAsARingHolds) {
  const uint64_t rings[] = {256};
  auto cache = KVCache::reserve(model(1, 1), rings, 1000);
  ASSERT_TRUE(cache);
  // Nothing has been replaced.
  cache->reach(256);
  EXPECT_EQ(cache->truncate(1, 8), 1u);
  // Position 0 was replaced, and what a row at 249 sees may begin with it.
  cache->reach(257);
  EXPECT_EQ(cache->truncate(249, 8), 249u);
  // What was replaced stays so when fewer positions count.
  cache->reach(250);
  EXPECT_EQ(cache->truncate(249, 8), 249u);
  EXPECT_EQ(cache->truncate(248, 8), 0u);
  // From an empty cache on all is as in the beginning.
  cache->reach(250);
  EXPECT_EQ(cache->truncate(3, 8), 3u);
  EXPECT_EQ(cache->truncate(0, 8), 0u);
}
