//===- MappedImage.h - the image, where the kernel has mapped it ----------===//
//
// Finds the program's image (runtime/ABI/Image.h) in its own memory and checks
// every number of its header before anything uses it. The image is a segment of
// the program, so the kernel has mapped it at start: nothing is opened, read or
// copied, and it works where /proc is not mounted.
//
// The runtime passes the weights' address to generated code and never reads a
// weight itself.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_WEIGHTS_MAPPEDIMAGE_H
#define CORELLAMA_RUNTIME_WEIGHTS_MAPPEDIMAGE_H

#include "runtime/ABI/Image.h"
#include "runtime/Support/Result.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace corellama::runtime {

/// Views into the image, all inside of it.
struct MappedImage {
  const abi::ImageHeader *header;
  /// Byte offsets into the weights, all below header->weights.bytes.
  std::span<const uint64_t> offsets;
  /// One for each pair of a head, its frequency from 0 to 1.
  std::span<const abi::PairRotation> frequencies;
  /// One for each layer, or none: multiples of abi::kCacheBlock.
  std::span<const uint64_t> rings;
  std::string_view manifest;
  std::span<const uint8_t> text;
  const uint8_t *weights;
};

/// Checks the image that starts at the first of `bytes` (page-aligned) and may
/// be shorter than `bytes`.
Result<MappedImage> openImage(std::span<const uint8_t> bytes);

/// The image of the running program.
Result<MappedImage> findImage();

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_WEIGHTS_MAPPEDIMAGE_H
