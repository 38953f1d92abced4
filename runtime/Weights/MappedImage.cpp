//===- MappedImage.cpp - find the image, check its header -----------------===//
//
// See MappedImage.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Weights/MappedImage.h"

#include "runtime/ABI/Kernel.h"

#include <cstring>
#include <link.h>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <utility>

namespace corellama::runtime {

static Error damaged(std::string_view place, std::string what) {
  return Error{"image: " + std::string(place) + ": " + std::move(what) +
               "; the program is damaged, copy or compile it again"};
}

/// Nothing if the range is aligned, after the header and inside the image.
static std::optional<Error> checkRange(std::string_view place,
                                       const abi::ImageRange &range,
                                       uint64_t alignment,
                                       uint64_t imageBytes) {
  if (range.offset % alignment != 0 || range.offset < sizeof(abi::ImageHeader))
    return damaged(place, "starts at byte " + std::to_string(range.offset) +
                              ", expected a multiple of " +
                              std::to_string(alignment) + " behind the header");
  if (range.offset > imageBytes || range.bytes > imageBytes - range.offset)
    return damaged(place, std::to_string(range.bytes) + " bytes at byte " +
                              std::to_string(range.offset) +
                              " are more than the image has (" +
                              std::to_string(imageBytes) + ")");
  return std::nullopt;
}

/// A number of the header and its bounds.
struct Bound {
  const char *place;
  uint64_t value;
  uint64_t lowest;
  uint64_t highest;
};

static std::optional<Error> checkModel(const abi::ImageHeader &header) {
  // Ids and positions are int32. The other bounds are far above any model and
  // keep products of two of them inside 64 bits.
  constexpr uint64_t kInt32 = INT32_MAX;
  constexpr uint64_t kLarge = uint64_t(1) << 32;
  const Bound bounds[] = {
      {"layers", header.layers, 1, kInt32},
      {"vocabulary", header.vocabulary, 1, kInt32},
      {"context", header.context, 1, kInt32},
      {"heads", header.heads, 1, kInt32},
      {"kvHeads", header.kvHeads, 1, header.heads},
      {"headSize", header.headSize, 2, 1 << 16},
      {"keyBytes", header.keyBytes, 1, kLarge},
      {"valueBytes", header.valueBytes, 1, kLarge},
      {"ropeRow", header.ropeRow, 2 * header.headSize, 1 << 20},
  };
  for (const Bound &bound : bounds)
    if (bound.value < bound.lowest || bound.value > bound.highest)
      return damaged(bound.place, "is " + std::to_string(bound.value) +
                                      ", expected " +
                                      std::to_string(bound.lowest) + " to " +
                                      std::to_string(bound.highest));
  for (auto [place, value] :
       {std::pair{"headSize", header.headSize}, {"ropeRow", header.ropeRow}})
    if (value % 2 != 0)
      return damaged(place, "is " + std::to_string(value) +
                                ", expected an even number");
  return std::nullopt;
}

Result<MappedImage> openImage(std::span<const uint8_t> bytes) {
  if (bytes.size() < sizeof(abi::ImageHeader))
    return damaged("header", "has " + std::to_string(bytes.size()) +
                                 " bytes, expected " +
                                 std::to_string(sizeof(abi::ImageHeader)));
  const auto &header =
      *reinterpret_cast<const abi::ImageHeader *>(bytes.data());
  if (memcmp(header.magic, abi::kImageMagic, sizeof(header.magic)) != 0)
    return damaged("header", "does not start with CLIMAGE1");
  if (header.version != abi::kVersion)
    return damaged("header", "is of version " + std::to_string(header.version) +
                                 ", this runtime knows version " +
                                 std::to_string(abi::kVersion));
  if (header.headerBytes != sizeof(abi::ImageHeader))
    return damaged("header", "says it has " +
                                 std::to_string(header.headerBytes) +
                                 " bytes, expected " +
                                 std::to_string(sizeof(abi::ImageHeader)));
  if (header.bytes > bytes.size())
    return damaged("header", "says the image has " +
                                 std::to_string(header.bytes) +
                                 " bytes, its segment has " +
                                 std::to_string(bytes.size()));

  for (const auto &[place, range, alignment] : abi::kImageSections)
    if (auto error = checkRange(place, header.*range, alignment, header.bytes))
      return *error;
  if (auto error = checkModel(header))
    return *error;

  MappedImage image;
  image.header = &header;
  if (header.offsets.bytes % sizeof(uint64_t) != 0)
    return damaged("offsets", "has " + std::to_string(header.offsets.bytes) +
                                  " bytes, expected a multiple of 8");
  image.offsets = {
      reinterpret_cast<const uint64_t *>(bytes.data() + header.offsets.offset),
      header.offsets.bytes / sizeof(uint64_t)};
  for (size_t entry = 0; entry < image.offsets.size(); ++entry)
    if (image.offsets[entry] >= header.weights.bytes)
      return damaged("offsets", "entry " + std::to_string(entry) + " is " +
                                    std::to_string(image.offsets[entry]) +
                                    ", the weights have " +
                                    std::to_string(header.weights.bytes) +
                                    " bytes");
  if (header.rings.bytes != 0 &&
      header.rings.bytes != header.layers * sizeof(uint64_t))
    return damaged("rings", "has " + std::to_string(header.rings.bytes) +
                                " bytes, expected none or 8 for each of " +
                                std::to_string(header.layers) + " layers");
  image.rings = {
      reinterpret_cast<const uint64_t *>(bytes.data() + header.rings.offset),
      header.rings.bytes / sizeof(uint64_t)};
  for (size_t layer = 0; layer < image.rings.size(); ++layer)
    if (image.rings[layer] > INT32_MAX ||
        image.rings[layer] % abi::kCacheBlock != 0)
      return damaged("rings", "entry " + std::to_string(layer) + " is " +
                                  std::to_string(image.rings[layer]) +
                                  ", expected a multiple of " +
                                  std::to_string(abi::kCacheBlock));
  const uint64_t pairs = header.headSize / 2;
  if (header.frequencies.bytes != pairs * sizeof(abi::PairRotation))
    return damaged("frequencies",
                   "has " + std::to_string(header.frequencies.bytes) +
                       " bytes, expected " +
                       std::to_string(pairs * sizeof(abi::PairRotation)));
  image.frequencies = {reinterpret_cast<const abi::PairRotation *>(
                           bytes.data() + header.frequencies.offset),
                       pairs};
  // With frequencies up to 1 all angles are in the range of RopeAngles.h; the
  // low double is below the last place of the high one.
  for (size_t pair = 0; pair < pairs; ++pair) {
    const auto &[frequency, magnitude] = image.frequencies[pair];
    auto [high, low] = frequency;
    if (!(high >= 0 && high <= 1 && low >= -0x1p-52 * high &&
          low <= 0x1p-52 * high))
      return damaged("frequencies", "entry " + std::to_string(pair) +
                                        " is not a number from 0 to 1");
    if (!(magnitude > 0 && magnitude < 0x1p16))
      return damaged("frequencies", "entry " + std::to_string(pair) +
                                        " has no magnitude from 0 to 65536");
  }
  image.manifest = {
      reinterpret_cast<const char *>(bytes.data() + header.manifest.offset),
      header.manifest.bytes};
  image.text = bytes.subspan(header.text.offset, header.text.bytes);
  image.weights = bytes.data() + header.weights.offset;
  return image;
}

/// Visits only the first object of the list, the program itself.
static int visitProgram(dl_phdr_info *info, size_t, void *result) {
  auto &found = *static_cast<std::span<const uint8_t> *>(result);
  for (size_t i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    // p_filesz: the bytes from the file; zeros follow them.
    if (segment.p_type != PT_LOAD || segment.p_flags != PF_R ||
        segment.p_filesz < sizeof(abi::kImageMagic))
      continue;
    auto *start =
        reinterpret_cast<const uint8_t *>(info->dlpi_addr + segment.p_vaddr);
    if (memcmp(start, abi::kImageMagic, sizeof(abi::kImageMagic)) == 0)
      found = {start, segment.p_filesz};
  }
  return 1;
}

Result<MappedImage> findImage() {
  std::span<const uint8_t> bytes;
  dl_iterate_phdr(visitProgram, &bytes);
  if (bytes.empty())
    return Error{"the program has no image: it carries no weights; compile it "
                 "with `corellama compile`"};
  // A truncated file is mapped as if it were whole, and the first read behind
  // its end stops the program with an error line (Signals.h). Reading the last
  // byte here makes that happen before an answer begins.
  static_cast<void>(*static_cast<const volatile uint8_t *>(&bytes.back()));
  // What is not in memory yet is read in pages of 2 MiB where the file system
  // can (AttachImage.cpp); otherwise nothing changes.
  madvise(const_cast<uint8_t *>(bytes.data()), bytes.size(), MADV_HUGEPAGE);
  return openImage(bytes);
}

} // namespace corellama::runtime
