//===- MappedImageTest.cpp - good images and every kind of damage ---------===//
//
// Tests runtime/Weights/MappedImage.h on images in memory.
//
//===----------------------------------------------------------------------===//

#include "runtime/Weights/MappedImage.h"

#include "runtime/ABI/Kernel.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

using namespace corellama::runtime;

namespace {
/// Page aligned, as the kernel maps it.
struct alignas(4096) Image {
  uint8_t bytes[3 * 4096];

  corellama::abi::ImageHeader &header() {
    return *reinterpret_cast<corellama::abi::ImageHeader *>(bytes);
  }
  uint64_t &offset(size_t entry) {
    return reinterpret_cast<uint64_t *>(bytes + 256)[entry];
  }
  corellama::abi::PairRotation &rotation(size_t pair) {
    return reinterpret_cast<corellama::abi::PairRotation *>(bytes + 512)[pair];
  }

  Image() {
    memset(bytes, 0, sizeof(bytes));
    corellama::abi::ImageHeader &h = header();
    memcpy(h.magic, corellama::abi::kImageMagic, sizeof(h.magic));
    h.version = corellama::abi::kVersion;
    h.headerBytes = sizeof(corellama::abi::ImageHeader);
    h.bytes = sizeof(bytes);
    h.offsets = {256, 3 * sizeof(uint64_t)};
    h.manifest = {320, 2};
    h.text = {384, 100};
    h.weights = {8192, 4096};
    h.layers = 2;
    h.vocabulary = 300;
    h.context = 64;
    h.heads = 4;
    h.kvHeads = 2;
    h.headSize = 8;
    h.keyBytes = 64;
    h.valueBytes = 64;
    h.ropeRow = 46;
    h.rings = {512, 0};
    h.frequencies = {512, 4 * sizeof(corellama::abi::PairRotation)};
    for (int pair = 0; pair < 4; ++pair)
      rotation(pair) = {{1.0 / (1 + pair), 0}};
    offset(0) = 0;
    offset(1) = 64;
    offset(2) = 4095;
    memcpy(bytes + 320, "{}", 2);
    bytes[8192] = 7;
  }
};
static_assert(sizeof(corellama::abi::ImageHeader) <= 256);
} // namespace

TEST(MappedImage, ViewsAreWhereTheHeaderSays) {
  Image image;
  auto opened = openImage(image.bytes);
  ASSERT_TRUE(opened) << opened.error();
  EXPECT_EQ(opened->header, &image.header());
  EXPECT_EQ(opened->offsets.size(), 3u);
  EXPECT_EQ(opened->offsets[2], 4095u);
  EXPECT_EQ(opened->frequencies.size(), 4u);
  EXPECT_EQ(opened->frequencies[3].frequency.high, 0.25);
  EXPECT_EQ(opened->manifest, "{}");
  EXPECT_EQ(opened->text.data(), image.bytes + 384);
  EXPECT_EQ(opened->text.size(), 100u);
  EXPECT_EQ(opened->weights[0], 7);
}

TEST(MappedImage, MayBeFollowedByOtherBytes) {
  Image image;
  image.header().bytes = 8192;
  image.header().weights = {4096, 4096};
  EXPECT_TRUE(openImage(image.bytes));
}

TEST(MappedImage, DamageIsNamed) {
  const std::string_view advice = "; the program is damaged, copy or compile "
                                  "it again";
  const struct {
    std::function<void(Image &)> damage;
    std::string message;
  } cases[] = {
      {[](Image &i) { i.header().magic[0] = 'X'; },
       "image: header: does not start with CLIMAGE1"},
      {[](Image &i) { i.header().version = 1; },
       "image: header: is of version 1, this runtime knows version " +
           std::to_string(corellama::abi::kVersion)},
      {[](Image &i) { i.header().headerBytes = 1; },
       "image: header: says it has 1 bytes, expected " +
           std::to_string(sizeof(corellama::abi::ImageHeader))},
      {[](Image &i) { i.header().bytes = 12289; },
       "image: header: says the image has 12289 bytes, its segment has 12288"},
      {[](Image &i) { i.header().bytes = 12287; },
       "image: weights: 4096 bytes at byte 8192 are more than the image has "
       "(12287)"},
      {[](Image &i) { i.header().offsets.offset = 0; },
       "image: offsets: starts at byte 0, expected a multiple of 64 behind the "
       "header"},
      {[](Image &i) { i.header().offsets.bytes = 20; },
       "image: offsets: has 20 bytes, expected a multiple of 8"},
      {[](Image &i) { i.header().manifest.offset = 321; },
       "image: manifest: starts at byte 321, expected a multiple of 64 behind "
       "the header"},
      {[](Image &i) { i.header().text.bytes = UINT64_MAX; },
       "image: text: 18446744073709551615 bytes at byte 384 are more than "
       "the image has (12288)"},
      {[](Image &i) { i.header().text.offset = UINT64_MAX - 63; },
       "image: text: 100 bytes at byte 18446744073709551552 are more than "
       "the image has (12288)"},
      {[](Image &i) { i.header().weights.offset = 8256; },
       "image: weights: starts at byte 8256, expected a multiple of 4096 "
       "behind the header"},
      {[](Image &i) { i.offset(2) = 4096; },
       "image: offsets: entry 2 is 4096, the weights have 4096 bytes"},
      {[](Image &i) { i.header().layers = 0; },
       "image: layers: is 0, expected 1 to 2147483647"},
      {[](Image &i) { i.header().vocabulary = uint64_t(1) << 31; },
       "image: vocabulary: is 2147483648, expected 1 to 2147483647"},
      {[](Image &i) { i.header().context = 0; },
       "image: context: is 0, expected 1 to 2147483647"},
      {[](Image &i) { i.header().heads = 0; },
       "image: heads: is 0, expected 1 to 2147483647"},
      {[](Image &i) { i.header().kvHeads = 5; },
       "image: kvHeads: is 5, expected 1 to 4"},
      {[](Image &i) { i.header().headSize = 7; },
       "image: headSize: is 7, expected an even number"},
      {[](Image &i) { i.header().rings = {512, 8}; },
       "image: rings: has 8 bytes, expected none or 8 for each of 2 layers"},
      {[](Image &i) { i.header().rings = {256, 16}; },
       "image: rings: entry 1 is 64, expected a multiple of 256"},
      {[](Image &i) { i.header().keyBytes = 0; },
       "image: keyBytes: is 0, expected 1 to 4294967296"},
      {[](Image &i) { i.header().valueBytes = UINT64_MAX; },
       "image: valueBytes: is 18446744073709551615, expected 1 to 4294967296"},
      {[](Image &i) { i.header().ropeRow = 14; },
       "image: ropeRow: is 14, expected 16 to 1048576"},
      {[](Image &i) { i.header().ropeRow = 47; },
       "image: ropeRow: is 47, expected an even number"},
      {[](Image &i) { i.header().frequencies.offset = 128; },
       "image: frequencies: starts at byte 128, expected a multiple of 64 "
       "behind the header"},
      {[](Image &i) { i.header().frequencies.offset = 12288; },
       "image: frequencies: 96 bytes at byte 12288 are more than the image has "
       "(12288)"},
      {[](Image &i) { i.header().frequencies.bytes = 72; },
       "image: frequencies: has 72 bytes, expected 96"},
      {[](Image &i) { i.header().headSize = 16; },
       "image: frequencies: has 96 bytes, expected 192"},
      {[](Image &i) { i.rotation(1).magnitude = 0; },
       "image: frequencies: entry 1 has no magnitude from 0 to 65536"},
      {[](Image &i) {
         i.rotation(2).magnitude = std::numeric_limits<double>::quiet_NaN();
       },
       "image: frequencies: entry 2 has no magnitude from 0 to 65536"},
      {[](Image &i) { i.rotation(1).frequency.high = 1.5; },
       "image: frequencies: entry 1 is not a number from 0 to 1"},
      {[](Image &i) { i.rotation(0).frequency.high = -1; },
       "image: frequencies: entry 0 is not a number from 0 to 1"},
      {[](Image &i) {
         i.rotation(3).frequency.high =
             std::numeric_limits<double>::quiet_NaN();
       },
       "image: frequencies: entry 3 is not a number from 0 to 1"},
      {[](Image &i) { i.rotation(2).frequency.low = 1e-3; },
       "image: frequencies: entry 2 is not a number from 0 to 1"},
      {[](Image &i) {
         i.rotation(2).frequency.low = std::numeric_limits<double>::infinity();
       },
       "image: frequencies: entry 2 is not a number from 0 to 1"},
  };
  for (const auto &[damage, message] : cases) {
    Image image;
    damage(image);
    auto opened = openImage(image.bytes);
    ASSERT_FALSE(opened) << message;
    EXPECT_EQ(opened.error(), message + std::string(advice));
  }
}

TEST(MappedImage, EveryFieldAtItsExtremesIsRefusedOrInRange) {
  for (size_t field = 0; field < sizeof(corellama::abi::ImageHeader);
       field += 8)
    for (uint64_t value : {uint64_t(0), uint64_t(1), UINT64_MAX,
                           uint64_t(1) << 63, uint64_t(INT64_MAX)}) {
      Image image;
      memcpy(image.bytes + field, &value, sizeof(value));
      auto opened = openImage(image.bytes);
      if (!opened)
        continue;
      auto inside = [&](const void *at, uint64_t bytes) {
        auto *start = static_cast<const uint8_t *>(at);
        return start >= image.bytes &&
               start + bytes <= image.bytes + sizeof(image.bytes);
      };
      EXPECT_TRUE(inside(opened->offsets.data(), opened->offsets.size_bytes()));
      EXPECT_TRUE(
          inside(opened->frequencies.data(), opened->frequencies.size_bytes()));
      EXPECT_TRUE(inside(opened->manifest.data(), opened->manifest.size()));
      EXPECT_TRUE(inside(opened->text.data(), opened->text.size()));
      EXPECT_TRUE(inside(opened->weights, opened->header->weights.bytes));
    }
}

TEST(MappedImage, AnySegmentTooShortIsRefused) {
  Image image;
  for (size_t bytes = 0; bytes < sizeof(image.bytes); ++bytes)
    ASSERT_FALSE(openImage({image.bytes, bytes})) << bytes;
}

TEST(MappedImage, AProgramWithoutOneSaysSo) {
  auto found = findImage();
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error(), "the program has no image: it carries no weights; "
                           "compile it with `corellama compile`");
}
