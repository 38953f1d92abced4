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
  return header;
}

TEST(KVCache, HasRoomForWholeBlocks) {
  auto cache = KVCache::reserve(model(24, 40), 257);
  ASSERT_TRUE(cache);
  EXPECT_EQ(cache->capacity(), 2 * corellama::abi::kCacheBlock);
  cache->keys()[512 * 24 - 1] = 1;
  cache->values()[512 * 40 - 1] = 1;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cache->keys()) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(cache->values()) % 64, 0u);
}

TEST(KVCache, SaysThatItDoesNotFit) {
  auto cache = KVCache::reserve(model(uint64_t(1) << 32, 1), 1 << 30);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error(),
            "the cache of keys would take 1073741824 x 4294967296 bytes, more "
            "than a process can address; give a smaller -c than 1073741824");
}

TEST(KVCache, RefusesPositionsThatOverflow) {
  auto cache = KVCache::reserve(model(1, 1), UINT64_MAX);
  ASSERT_FALSE(cache);
  EXPECT_EQ(cache.error(), "a context of 18446744073709551615 tokens is too "
                           "large; give a smaller -c");
}
