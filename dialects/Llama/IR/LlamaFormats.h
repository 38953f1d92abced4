//===- LlamaFormats.h - the vocabulary of formats and layouts -------------===//
//
// The plain types that the interfaces of formats, layouts and strategies speak
// in. No op, no pass: checkpoint, image and code generation share them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace corellama::llama {

/// What a field of a block is for.
enum class PlaneKind {
  /// The number itself (F32, F16, BF16) or the quantised one.
  Quants,
  /// The upper bits of quants that are kept apart from the lower ones (Q6_K).
  HighBits,
  /// The factor of a quant.
  Scales,
  /// The factor of the scales (Q6_K's d).
  SuperScales,
  /// What is added to scale * quant.
  Minima,
};

/// One field of `bits` bits for each `per` columns of a row.
struct Plane {
  PlaneKind kind;
  unsigned bits;
  int64_t per;
};

/// A place: a byte, and the field's lowest bit in it. Fields of 8 bits and more
/// start at bit 0 and are little endian.
struct BitPosition {
  uint64_t byte;
  unsigned bit;

  bool operator==(const BitPosition &) const = default;
};

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H
