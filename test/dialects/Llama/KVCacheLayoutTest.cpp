//===- KVCacheLayoutTest.cpp - where keys and values stand ----------------===//
//
// Tests the layouts of the cache (KVCacheLayoutInterface): each element has a
// place of its own inside the bytes that are reserved, and the places are those
// that the description of each layout draws.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/IR/Builders.h"
#include "gtest/gtest.h"

using namespace corellama::llama;

namespace {

struct KVCacheLayoutTest : testing::Test {
  KVCacheLayoutTest() { context.loadDialect<LlamaDialect>(); }

  KVCacheLayoutInterface rows() { return RowMajorAttr::get(&context); }
  KVCacheLayoutInterface interleaved() {
    return KeysInterleaved16Attr::get(&context);
  }
  CacheType cacheOf(int64_t layers, int64_t heads, int64_t headSize) {
    return CacheType::get(&context, {layers, heads, headSize},
                          mlir::Float16Type::get(&context));
  }
  static int64_t address(KVCacheStrides strides, int64_t head, int64_t capacity,
                         int64_t position, int64_t element) {
    KVCacheStrides::Numbers math;
    return strides.address(math, head, capacity, position, element);
  }

  mlir::MLIRContext context;
};

TEST_F(KVCacheLayoutTest, EachElementHasAPlaceOfItsOwn) {
  const int64_t layers = 2, heads = 3, capacity = 48;
  for (KVCacheLayoutInterface layout : {rows(), interleaved()})
    for (int64_t headSize : {2, 16, 20}) {
      CacheType type = cacheOf(layers, heads, headSize);
      uint64_t elements = *layout.getCacheBytes(type, capacity) / 2;
      std::vector<bool> used(elements);
      for (int64_t head = 0; head < layers * heads; ++head)
        for (int64_t position = 0; position < capacity; ++position)
          for (int64_t element = 0; element < headSize; ++element) {
            uint64_t at = address(layout.getStrides(headSize), head, capacity,
                                  position, element);
            ASSERT_LT(at, elements);
            ASSERT_FALSE(used[at]);
            used[at] = true;
          }
    }
}

TEST_F(KVCacheLayoutTest, RowsArePaddedTo16) {
  // Head 2, position 5 of 48, element 3, in rows of 20 padded to 32.
  EXPECT_EQ(address(rows().getStrides(20), 2, 48, 5, 3), (2 * 48 + 5) * 32 + 3);
  EXPECT_EQ(*rows().getCacheBytes(cacheOf(2, 3, 20), 48), 2u * 3 * 48 * 32 * 2);
}

TEST_F(KVCacheLayoutTest, InterleavedKeysAreGroupsOf16Positions) {
  // The example of KVCacheLayout.h; [group][element][position in it].
  EXPECT_EQ(address(interleaved().getStrides(4), 1, 32, 17, 2), 225);
  EXPECT_EQ(address(interleaved().getStrides(20), 2, 48, 37, 3),
            2 * 48 * 20 + (37 / 16) * 20 * 16 + 3 * 16 + 37 % 16);
  EXPECT_EQ(*interleaved().getCacheBytes(cacheOf(2, 3, 20), 48),
            2u * 3 * 48 * 20 * 2);
}

TEST_F(KVCacheLayoutTest, BytesThatOverflowAreFailure) {
  CacheType type = cacheOf(INT32_MAX, INT32_MAX, INT32_MAX);
  EXPECT_TRUE(mlir::failed(rows().getCacheBytes(type, 256)));
  EXPECT_TRUE(mlir::failed(interleaved().getCacheBytes(type, 256)));
}

} // namespace
