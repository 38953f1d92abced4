//===- Image.h - the data segment of a compiled program -------------------===//
//
// The image is what a program carries beside its code: weights in their
// layouts, what it knows of text (tokenizer, chat template) and the manifest.
// The compiler writes it behind the linked ELF file as a read-only,
// page-aligned segment; the runtime finds it by its magic among the program's
// segments and never copies it. `corellama inspect PROGRAM` reads the same
// header from the file.
//
//   ImageHeader | offsets table | frequencies | rings | manifest | text |
//   (padding) | weights
//
// All integers are little endian; all offsets are from the header's first byte
// and all of them are multiples of 64.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_ABI_IMAGE_H
#define CORELLAMA_RUNTIME_ABI_IMAGE_H

#include "runtime/ABI/DoubleDouble.h"

#include <cstdint>

namespace corellama::abi {

inline constexpr char kImageMagic[8] = {'C', 'L', 'I', 'M', 'A', 'G', 'E', '1'};

/// How a position turns a pair of a head.
struct PairRotation {
  /// Radians a position, from 0 to 1; 0 for a pair that does not turn.
  DoubleDouble frequency;
  /// What its sine and cosine are multiplied by: positive, below 2^16.
  double magnitude = 1;
};

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
  /// PairRotation for each pair of a head. Made by the compiler from
  /// `llama.rope`.
  ImageRange frequencies;
  /// JSON text, UTF-8, not terminated: what the program was made from and how.
  ImageRange manifest;
  /// See runtime/Tokenizer/TextData.h.
  ImageRange text;
  /// The weights.
  ImageRange weights;
  /// uint64_t for each layer: the positions of its cache, which is a ring, or 0
  /// where it holds the context; empty where all do. A ring of R positions
  /// keeps position p at place p mod R. R is a multiple of kCacheBlock and
  /// as large as the layer's window and a call of the most rows need: R >=
  /// window + rows - 1.
  ImageRange rings;

  // What the runtime has to know of the model.
  uint64_t layers;
  uint64_t vocabulary;
  /// Positions that the checkpoint was made for: the upper bound of -c.
  uint64_t context;
  uint64_t heads;
  uint64_t kvHeads;
  uint64_t headSize;
  /// Bytes of keys and of values for one position, all heads of a layer.
  uint64_t keyBytes;
  uint64_t valueBytes;
  /// Floats of a row of the RoPE table, see fillRopeRow.
  uint64_t ropeRow;
};

/// The ranges in the order of the image, and what each begins at a multiple of.
struct ImageSection {
  const char *name;
  ImageRange ImageHeader::*range;
  uint64_t alignment;
};
inline constexpr ImageSection kImageSections[] = {
    {"offsets", &ImageHeader::offsets, 64},
    {"frequencies", &ImageHeader::frequencies, 64},
    {"rings", &ImageHeader::rings, 64},
    {"manifest", &ImageHeader::manifest, 64},
    {"text", &ImageHeader::text, 64},
    {"weights", &ImageHeader::weights, 4096}, // a page
};

/// ropeRow of a head: a tile of 16 columns may begin anywhere in it, so each
/// half goes on for as many elements less one, and is rounded up to 16.
constexpr uint64_t ropeRowOf(uint64_t headSize) {
  return 2 * ((headSize + 15 + 15) / 16 * 16);
}

struct SineCosine {
  double sine;
  double cosine;
};

/// Where the region of a layer's cache ends that begins at `begin`, both in
/// positions of one head (Kernel.h: Context::regions): for each of `heads` it
/// has `ring` positions, or all of `capacity` (0). False beyond 64 bits.
inline bool endRegion(uint64_t begin, uint64_t ring, uint64_t capacity,
                      uint64_t heads, uint64_t &end) {
  uint64_t positions;
  return !__builtin_mul_overflow(ring ? ring : capacity, heads, &positions) &&
         !__builtin_add_overflow(begin, positions, &end);
}

/// One row of the RoPE table, of `ropeRow` floats: ropeRow / 2 cosines, element
/// e for column e modulo headSize, then as many sines with the sign that the
/// pair's rotation gives them: -sin for even e, +sin for odd e.
/// `rotationOf(pair)` is the SineCosine of the row's position times the pair's
/// frequency.
template <typename RotationOf>
void fillRopeRow(float *row, uint64_t ropeRow, uint64_t headSize,
                 RotationOf rotationOf) {
  const uint64_t half = ropeRow / 2;
  float *cosines = row, *sines = row + half;
  for (uint64_t column = 0; column < headSize; column += 2) {
    SineCosine rotation = rotationOf(column / 2);
    cosines[column] = cosines[column + 1] = static_cast<float>(rotation.cosine);
    sines[column] = static_cast<float>(-rotation.sine);
    sines[column + 1] = static_cast<float>(rotation.sine);
  }
  for (uint64_t column = headSize; column < half; ++column) {
    cosines[column] = cosines[column - headSize];
    sines[column] = sines[column - headSize];
  }
}

} // namespace corellama::abi

#endif // CORELLAMA_RUNTIME_ABI_IMAGE_H
