//===- Image.h - the data segment of a compiled program -------------------===//
//
// The image is what a program carries beside its code: weights in their
// layouts, the checkpoint's metadata (from which the tokenizer is read) and the
// manifest. The compiler writes it behind the linked ELF file as a read-only,
// page-aligned segment; the runtime finds it by its magic among the program's
// segments and never copies it. `corellama inspect PROGRAM` reads the same
// header from the file.
//
//   ImageHeader | offsets table | manifest | metadata | (padding) | weights
//
// All integers are little endian; all offsets are from the header's first byte
// and all of them are multiples of 64.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_ABI_IMAGE_H
#define CORELLAMA_RUNTIME_ABI_IMAGE_H

#include <cstdint>

namespace corellama::abi {

inline constexpr char kImageMagic[8] = {'C', 'L', 'I', 'M', 'A', 'G', 'E', '1'};

struct ImageRange {
  uint64_t offset;
  uint64_t bytes;
};

struct ImageHeader {
  char magic[8];
  uint32_t version; // abi::kVersion
  uint32_t headerBytes;
  /// Bytes of the whole image.
  uint64_t bytes;
  /// uint64_t for each weight and layer: byte offset in `weights`.
  ImageRange offsets;
  /// JSON text, UTF-8, not terminated: what the program was made from and how.
  ImageRange manifest;
  /// The key-value section of the GGUF file as it stands there, and how many
  /// pairs it holds. Empty where the checkpoint has no tokenizer.
  ImageRange metadata;
  uint64_t metadataCount;
  /// The weights; the offset is a multiple of 4096.
  ImageRange weights;

  // What the runtime has to know of the model.
  uint64_t layers;
  uint64_t vocabulary;
  /// Positions that the checkpoint was made for: the upper bound of -c.
  uint64_t context;
  uint64_t heads;
  uint64_t kvHeads;
  uint64_t headSize;
  /// Bytes of keys and of values for one position, all layers and heads.
  uint64_t keyBytes;
  uint64_t valueBytes;
  /// RoPE: angle(p, i) = p * base^(-2i / headSize) for pair i of a head. A row
  /// of the table has ropeRow floats: ropeRow / 2 cosines, element e for
  /// column e modulo headSize, then as many sines with the sign that the pair's
  /// rotation gives them: -sin for even e, +sin for odd e.
  uint64_t ropeRow;
  double ropeBase;
};

/// ropeRow of a head: a tile of 16 columns may begin anywhere in it, so each
/// half goes on for as many elements less one, and is rounded up to 16.
constexpr uint64_t ropeRowOf(uint64_t headSize) {
  return 2 * ((headSize + 15 + 15) / 16 * 16);
}

} // namespace corellama::abi

#endif // CORELLAMA_RUNTIME_ABI_IMAGE_H
