//===- LlamaFormats.h - what the bytes of a weight mean, as data ----------===//
//
// `FormatFacts`: a format's block, its fields, their places in the checkpoint
// and the formula that makes a number of them. Checkpoint, image and code
// generation work from these facts alone, so a format is a row of the table in
// LlamaFormats.cpp. LLVM Support only, no MLIR: the checkpoint reader takes its
// sizes from here.
//
// The formula of every format:
//
//   value = product(scales + bias) * (quant + bias) +- product(minima + bias)
//
// where a format with a table of quants has table[quant] for (quant + bias).
//
// Example, Q4_K (144 bytes for 256 columns): quants of 4 bits; scales of 6
// bits, one for 32 columns, times an f16 for all 256; minima likewise,
// subtracted. So value = d * scale * quant - dmin * minimum.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAFORMATS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <utility>

namespace corellama::llama {

/// What a field of a block is for. A format may have several planes of one
/// kind. Planes of quants hold the bits of one number, from the lowest up;
/// planes of scales or minima hold levels that are multiplied, the level that
/// covers the fewest columns first.
enum class PlaneKind { Quants, Scales, Minima };

/// How the bits of a field are read as a number.
/// `Exponent` is a byte e that means 2^(e - 128): the E8M0 of the OCP
/// Microscaling specification, halved, because ggml doubles the values of E2M1
/// to make them integers. All 256 are numbers: e = 0 and 1 are subnormal.
enum class FieldType { Unsigned, Signed, Exponent, F16, BF16, F32 };

/// One digit of the column, (column / columns) % count; each step of the digit
/// moves the field by `bits`.
struct Stride {
  int64_t columns, count, bits;
};

/// Contiguous bits of a field in the checkpoint's block: at bit `at` of the
/// block for column 0, moved by the strides for other columns.
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
  /// The field's places in the checkpoint, from the lowest bits up; the second
  /// piece has 0 bits where the field is contiguous.
  Piece pieces[2];
  /// Added to the field to make the number. Of quants only the first plane has
  /// a bias.
  int32_t bias = 0;
  /// Of the first plane of quants: what each value of its 4 bits means, in
  /// place of a bias. 16 of them, or none.
  llvm::ArrayRef<int8_t> table = {};

  /// Bits in the image, where no field crosses a byte: 6 become 8.
  unsigned imageBits() const;
  bool isFloat() const {
    return type == FieldType::F16 || type == FieldType::BF16 ||
           type == FieldType::F32;
  }
};

/// A place: a byte, and the field's lowest bit in it. Fields of 8 bits and more
/// start at bit 0 and are little endian.
struct BitPosition {
  uint64_t byte;
  unsigned bit;

  bool operator==(const BitPosition &) const = default;
};

/// Contiguous bits of a field at one place.
struct BitRange {
  BitPosition from;
  unsigned bits;
};

/// All facts of a format.
struct FormatFacts {
  llvm::StringLiteral name;
  /// ggml's number of the format (enum ggml_type), as in a checkpoint.
  uint32_t ggmlType;
  /// Columns that share a block, 1 for plain numbers, and the block's bytes in
  /// the checkpoint.
  int64_t block, blockBytes;
  llvm::ArrayRef<Plane> planes;
  /// Minima are subtracted, not added.
  bool subtractsMinima = false;

  /// The least and the greatest quant, with the bias or by the table; of
  /// formats whose quants are integers.
  std::pair<int32_t, int32_t> quantRange() const;
  bool has(PlaneKind kind) const { return !planesOf(kind).empty(); }
  /// Columns that one scale covers; 32 without scales. Sums over k are made in
  /// blocks of as many columns.
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
