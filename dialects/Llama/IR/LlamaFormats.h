//===- LlamaFormats.h - what the bytes of a weight mean, as data ----------===//
//
// `FormatFacts`: a format's block, its fields, where the checkpoint keeps them
// and the formula that makes a number of them. Checkpoint, image and code
// generation work from these facts alone, so a format is a row of the table in
// LlamaFormats.cpp. LLVM Support only, no MLIR: the checkpoint reader takes its
// sizes from here.
//
// The formula of every format:
//
//   value = product(scales + bias) * (quant + bias) +- product(minima + bias)
//
// Example, Q4_K (144 bytes for 256 columns): quants of 4 bits; scales of 6
// bits, one for 32 columns, times an f16 for all 256; minima likewise, taken
// away. So value = d * scale * quant - dmin * minimum.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace corellama::llama {

/// What a field of a block is for. Several planes of one kind are: of quants,
/// the bits of one number from the lowest up; of scales and minima, levels that
/// are multiplied, the one that covers the fewest columns first.
enum class PlaneKind { Quants, Scales, Minima };

/// How the bits of a field are read as a number.
enum class FieldType { Unsigned, Signed, F16, BF16, F32 };

/// A digit of the column: (column / columns) % count moves a place by `bits`.
struct Stride {
  int64_t columns, count, bits;
};

/// Bits of a field that stand side by side in the checkpoint's block: at bit
/// `at` of the block for column 0, moved by the strides for the others.
struct Piece {
  unsigned bits;
  int64_t at;
  Stride strides[3];
};

/// One field of `bits` bits for each `per` columns of a row.
struct Plane {
  PlaneKind kind;
  FieldType type;
  unsigned bits;
  int64_t per;
  /// Where the checkpoint has it, from the lowest bits up; the second piece has
  /// 0 bits where the field is in one.
  Piece pieces[2];
  /// Added to the field to make the number; of quants, the first plane's.
  int32_t bias = 0;

  /// Bits in the image, where no field crosses a byte: 6 become 8.
  unsigned imageBits() const;
  bool isFloat() const {
    return type != FieldType::Unsigned && type != FieldType::Signed;
  }
};

/// A place: a byte, and the field's lowest bit in it. Fields of 8 bits and more
/// start at bit 0 and are little endian.
struct BitPosition {
  uint64_t byte;
  unsigned bit;

  bool operator==(const BitPosition &) const = default;
};

/// Bits at a place, which are part of a field.
struct BitRange {
  BitPosition from;
  unsigned bits;
};

/// All there is to know of a format.
struct FormatFacts {
  llvm::StringLiteral name;
  /// ggml's number of it (enum ggml_type), as in a checkpoint.
  uint32_t ggmlType;
  /// Columns that share a block, 1 for plain numbers, and the block's bytes in
  /// the checkpoint.
  int64_t block, blockBytes;
  llvm::ArrayRef<Plane> planes;
  /// Minima are taken away, not added.
  bool subtractsMinima = false;

  bool has(PlaneKind kind) const { return !planesOf(kind).empty(); }
  /// Columns that one scale covers; 32 without scales. Sums over k are made in
  /// such blocks.
  int64_t scaleBlock() const;
  /// The planes of a kind, by number, in their order.
  llvm::SmallVector<unsigned, 2> planesOf(PlaneKind kind) const;
  /// Where the checkpoint keeps the field of `plane` that covers column
  /// `column` (0 <= column < block), from its lowest bits up.
  llvm::SmallVector<BitRange, 2> locate(unsigned plane, int64_t column) const;
};

/// Every format that can be compiled.
llvm::ArrayRef<FormatFacts> allFormats();
/// The format of a name ("q4_0") or of a number of ggml's, or null.
const FormatFacts *findFormat(llvm::StringRef name);
const FormatFacts *findFormat(uint64_t ggmlType);

} // namespace corellama::llama

#endif // CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H
