//===- TensorTypeTest.cpp - the table of tensor types ---------------------===//
//
// The table against ggml's ids and block sizes, written down once more.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/TensorType.h"
#include "GGUFBuilder.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <vector>

using namespace corellama::checkpoint;
namespace test = corellama::test;

TEST(TensorType, SizesAreGGMLs) {
  for (uint32_t id :
       {test::F32, test::F16, test::Q4_0, test::Q4_1, test::Q5_0, test::Q5_1,
        test::Q8_0, test::Q2_K, test::Q3_K, test::Q4_K, test::Q5_K, test::Q6_K,
        test::IQ4_NL, test::IQ4_XS, test::BF16, test::MXFP4}) {
    std::optional<TensorType> type = toTensorType(id);
    ASSERT_TRUE(type) << id;
    EXPECT_EQ(static_cast<uint32_t>(*type), id);
    EXPECT_EQ(getFacts(*type).block, test::blockOf(id).first) << id;
    EXPECT_EQ(getFacts(*type).blockBytes, test::blockOf(id).second) << id;
  }
}

TEST(TensorType, OtherTypesAreKnownByNameOnly) {
  EXPECT_EQ(*typeName(9), "Q8_1");
  EXPECT_EQ(*typeName(40), "NVFP4");
  for (uint32_t id : {4, 5, 9, 15, 16, 19, 21, 22, 28, 31, 40})
    EXPECT_FALSE(toTensorType(id)) << id;
  EXPECT_FALSE(typeName(99));
  EXPECT_FALSE(typeName(uint64_t(1) << 32));
}

TEST(TensorType, EachIdAndNameOccursOnce) {
  std::vector<llvm::StringRef> names;
  for (uint64_t id = 0; id < 256; ++id)
    if (std::optional<llvm::StringRef> name = typeName(id))
      names.push_back(*name);
  EXPECT_EQ(names.size(), 42u); // ggml's 0 to 41, without a gap
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

constexpr auto kQ4_0 = static_cast<TensorType>(test::Q4_0);
constexpr auto kF16 = static_cast<TensorType>(test::F16);
constexpr auto kQ6_K = static_cast<TensorType>(test::Q6_K);

TEST(TensorType, ByteSizeCountsWholeBlocks) {
  EXPECT_EQ(byteSize(kQ4_0, 3, 64), 3u * 2 * 18);
  EXPECT_EQ(byteSize(kQ6_K, 1, 256), 210u);
  EXPECT_EQ(byteSize(kF16, 5, 7), 70u);
  EXPECT_EQ(byteSize(kQ4_0, 3, 65), std::nullopt);
}

TEST(TensorType, ByteSizeRefusesToOverflow) {
  EXPECT_EQ(byteSize(TensorType::F32, uint64_t(1) << 31, uint64_t(1) << 31),
            std::nullopt);
  EXPECT_EQ(byteSize(kF16, uint64_t(1) << 40, uint64_t(1) << 40), std::nullopt);
  EXPECT_EQ(byteSize(TensorType::F32, kMaxDimension, kMaxDimension),
            4 * kMaxDimension * kMaxDimension);
}

TEST(TensorType, NamesOfSupportedTypesAreOneSentence) {
  EXPECT_EQ(supportedTypeNames(),
            "F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K, Q3_K, Q4_K, Q5_K, "
            "Q6_K, IQ4_NL, IQ4_XS, BF16 or MXFP4");
}
