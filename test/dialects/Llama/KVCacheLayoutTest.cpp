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
#include <algorithm>

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
  mlir::Type f16() { return mlir::Float16Type::get(&context); }
  mlir::Type q8_0() { return Q8_0Type::get(&context); }
  static int64_t address(KVCacheStrides strides, int64_t heads, int64_t head,
                         int64_t position, int64_t element) {
    KVCacheStrides::Numbers math;
    return strides.address(math, heads, head, position, element);
  }

  mlir::MLIRContext context;
};

TEST_F(KVCacheLayoutTest, EachElementHasAPlaceOfItsOwn) {
  const int64_t layers = 2, heads = 3, capacity = 2 * KVCacheStrides::kBlock;
  for (KVCacheLayoutInterface layout : {rows(), interleaved()})
    for (int64_t headSize : {2, 16, 20}) {
      CacheType type = cacheOf(layers, heads, headSize);
      uint64_t elements = *layout.getCacheBytes(type, f16(), capacity) / 2;
      std::vector<bool> used(elements);
      for (int64_t head = 0; head < layers * heads; ++head)
        for (int64_t position = 0; position < capacity; ++position)
          for (int64_t element = 0; element < headSize; ++element) {
            uint64_t at = address(layout.getStrides(headSize, f16()),
                                  layers * heads, head, position, element);
            ASSERT_LT(at, elements);
            ASSERT_FALSE(used[at]);
            used[at] = true;
          }
    }
}

TEST_F(KVCacheLayoutTest, QuantsAndScalesFillTheBytes) {
  const int64_t heads = 3, capacity = 2 * KVCacheStrides::kBlock, headSize = 96;
  for (KVCacheLayoutInterface layout : {rows(), interleaved()}) {
    KVCacheStrides strides = layout.getStrides(headSize, q8_0());
    // 34 bytes for 32 elements, and nothing is padded.
    std::vector<int> uses(
        *layout.getCacheBytes(cacheOf(1, heads, headSize), q8_0(), capacity));
    EXPECT_EQ(uses.size(), size_t(heads * capacity * headSize / 32 * 34));
    KVCacheStrides::Numbers math;
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t position = 0; position < capacity; ++position)
        for (int64_t element = 0; element < headSize; ++element) {
          ++uses.at(address(strides, heads, head, position, element));
          if (element % 32 != 0)
            continue;
          int64_t scale =
              strides.scaleAddress(math, heads, head, position, element);
          ++uses.at(scale);
          ++uses.at(scale + 1);
        }
    EXPECT_EQ(std::count(uses.begin(), uses.end(), 1), int64_t(uses.size()));
  }
  // The example of KVCacheLayout.h.
  KVCacheStrides strides = interleaved().getStrides(64, q8_0());
  KVCacheStrides::Numbers math;
  EXPECT_EQ(address(strides, 1, 0, 17, 33), 1681);
  EXPECT_EQ(strides.scaleAddress(math, 1, int64_t(0), int64_t(17), int64_t(33)),
            16 * 68 + 34 * 16 + 2);
}

TEST_F(KVCacheLayoutTest, RowsArePaddedTo16) {
  // Head 2 of 6, position 5, element 3, in rows of 20 padded to 32.
  EXPECT_EQ(address(rows().getStrides(20, f16()), 6, 2, 5, 3),
            (2 * 256 + 5) * 32 + 3);
  EXPECT_EQ(*rows().getCacheBytes(cacheOf(2, 3, 20), f16(), 48),
            2u * 3 * 48 * 32 * 2);
}

TEST_F(KVCacheLayoutTest, InterleavedKeysAreGroupsOf16Positions) {
  // The example of KVCacheLayout.h; [group][element][position in it].
  EXPECT_EQ(address(interleaved().getStrides(4, f16()), 3, 1, 256 + 17, 2),
            4193);
  EXPECT_EQ(address(interleaved().getStrides(20, f16()), 6, 2, 37, 3),
            2 * 256 * 20 + (37 / 16) * 20 * 16 + 3 * 16 + 37 % 16);
  EXPECT_EQ(*interleaved().getCacheBytes(cacheOf(2, 3, 20), f16(), 48),
            2u * 3 * 48 * 20 * 2);
}

TEST_F(KVCacheLayoutTest, ABlockHasAllHeadsOf256Positions) {
  for (KVCacheLayoutInterface layout : {rows(), interleaved()}) {
    KVCacheStrides strides = layout.getStrides(16, f16());
    EXPECT_EQ(address(strides, 6, 5, 255, 15), 6 * 256 * 16 - 1);
    EXPECT_EQ(address(strides, 6, 0, 256, 0), 6 * 256 * 16);
  }
}

TEST_F(KVCacheLayoutTest, BytesThatOverflowAreFailure) {
  CacheType type = cacheOf(INT32_MAX, INT32_MAX, INT32_MAX);
  EXPECT_TRUE(mlir::failed(rows().getCacheBytes(type, f16(), 256)));
  EXPECT_TRUE(mlir::failed(interleaved().getCacheBytes(type, f16(), 256)));
}

} // namespace
