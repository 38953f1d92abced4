//===- LlamaFormats.cpp - the facts of each format ------------------------===//
//
// One row a format, written from ggml's block struct (`ggml-common.h`), which
// is quoted above the row. No number is decoded here: passes/ emits the loads,
// the evaluator decodes with code of its own.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaFormats.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace corellama::llama;
using enum PlaneKind;
using enum FieldType;

/// The first bit of a byte.
static constexpr int64_t bitOf(int64_t byte) { return 8 * byte; }
/// A plain number, or a field in one piece; consecutive ones are adjacent.
static constexpr Plane whole(PlaneKind kind, FieldType type, unsigned bits,
                             int64_t per, int64_t byte, int64_t count = 1) {
  return {kind, type, bits, per, {{bits, bitOf(byte), {{per, count, bits}}}}};
}
/// One f16 for all `per` columns of a block.
static constexpr Plane half(PlaneKind kind, int64_t byte, int64_t per) {
  return whole(kind, F16, 16, per, byte);
}
/// Quants of `bits` bits; `at` gives their places.
static constexpr Plane quants(unsigned bits, Piece at, int32_t bias = 0) {
  return {Quants, Unsigned, bits, 1, {at}, bias};
}

// Blocks of 32 columns: byte j has column j in its low and column j + 16 in its
// high nibble.
static constexpr Piece nibblesOf32(int64_t byte) {
  return {4, bitOf(byte), {{1, 16, 8}, {16, 2, 4}}};
}
// Superblocks: 32 bytes hold 64 columns, byte j column j low, j + 32 high.
static constexpr Piece nibblesOf64(int64_t byte) {
  return {4, bitOf(byte), {{1, 32, 8}, {32, 2, 4}, {64, 4, 256}}};
}
// 2-bit quants: 32 bytes hold 128 columns; byte j has columns j, j + 32, j + 64
// and j + 96.
static constexpr Piece pairsOf128(int64_t byte) {
  return {2, bitOf(byte), {{1, 32, 8}, {32, 4, 2}, {128, 2, 256}}};
}
// 1-bit fields: 32 bytes hold all 256 columns; bit i of byte j is of column
// 32 i + j.
static constexpr Piece bitsOf256(int64_t byte) {
  return {1, bitOf(byte), {{1, 32, 8}, {32, 8, 1}}};
}

//===----------------------------------------------------------------------===//
// Plain numbers
//===----------------------------------------------------------------------===//

static constexpr Plane kF32[] = {whole(Quants, F32, 32, 1, 0)};
static constexpr Plane kF16[] = {whole(Quants, F16, 16, 1, 0)};
static constexpr Plane kBF16[] = {whole(Quants, BF16, 16, 1, 0)};

//===----------------------------------------------------------------------===//
// Blocks of 32
//===----------------------------------------------------------------------===//

// block_q8_0: f16 d; int8 q[32]
static constexpr Plane kQ8_0[] = {whole(Quants, Signed, 8, 1, 2, 32),
                                  half(Scales, 0, 32)};

// block_q4_0: f16 d; nibbles q[16]
static constexpr Plane kQ4_0[] = {quants(4, nibblesOf32(2), -8),
                                  half(Scales, 0, 32)};

// block_q4_1: f16 d; f16 m; nibbles q[16]
static constexpr Plane kQ4_1[] = {quants(4, nibblesOf32(4)),
                                  half(Scales, 0, 32), half(Minima, 2, 32)};

// The fifth bits of Q5_0 and Q5_1: one bit a column, in order.
static constexpr Piece fifthBits(int64_t byte) {
  return {1, bitOf(byte), {{1, 32, 1}}};
}

// block_q5_0: f16 d; uint8 qh[4]; nibbles q[16]
static constexpr Plane kQ5_0[] = {quants(4, nibblesOf32(6), -16),
                                  quants(1, fifthBits(2)), half(Scales, 0, 32)};

// block_q5_1: f16 d; f16 m; uint8 qh[4]; nibbles q[16]
static constexpr Plane kQ5_1[] = {quants(4, nibblesOf32(8)),
                                  quants(1, fifthBits(4)), half(Scales, 0, 32),
                                  half(Minima, 2, 32)};

// The values of IQ4_NL and IQ4_XS (`kvalues_iq4nl`), and those of E2M1,
// doubled (`kvalues_mxfp4`).
static constexpr int8_t kNonLinear[16] = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
static constexpr int8_t kE2M1[16] = {0, 1,  2,  3,  4,  6,  8,  12,
                                     0, -1, -2, -3, -4, -6, -8, -12};
/// 4-bit quants that are indices of a table.
static constexpr Plane indices(Piece at, llvm::ArrayRef<int8_t> table) {
  return {Quants, Unsigned, 4, 1, {at}, /*bias=*/0, table};
}

// block_iq4_nl: f16 d; nibbles q[16]
static constexpr Plane kIQ4_NL[] = {indices(nibblesOf32(2), kNonLinear),
                                    half(Scales, 0, 32)};

// block_mxfp4: uint8 e; nibbles q[16]
static constexpr Plane kMXFP4[] = {indices(nibblesOf32(1), kE2M1),
                                   whole(Scales, Exponent, 8, 32, 0)};

//===----------------------------------------------------------------------===//
// Superblocks of 256
//===----------------------------------------------------------------------===//

// block_q2_K: uint8 scales[16], each a scale low and a minimum high; uint8
// q[64]; f16 d; f16 dmin
static constexpr Plane kQ2_K[] = {
    quants(2, pairsOf128(16)),
    {Scales, Unsigned, 4, 16, {{4, 0, {{16, 16, 8}}}}},
    half(Scales, 80, 256),
    {Minima, Unsigned, 4, 16, {{4, 4, {{16, 16, 8}}}}},
    half(Minima, 82, 256)};

// block_q3_K: uint8 hmask[32]; uint8 q[64]; uint8 scales[12]; f16 d. Of scale s
// the low four bits are in byte s mod 8 (low nibble for s < 8), the upper two
// in byte 8 + s mod 4 from bit 2 (s / 4).
static constexpr Plane kQ3_K[] = {quants(2, pairsOf128(32), -4),
                                  quants(1, bitsOf256(0)),
                                  {Scales,
                                   Unsigned,
                                   6,
                                   16,
                                   {{4, bitOf(96), {{16, 8, 8}, {128, 2, 4}}},
                                    {2, bitOf(104), {{16, 4, 8}, {64, 4, 2}}}},
                                   -32},
                                  half(Scales, 108, 256)};

// Q4_K and Q5_K pack eight scales and eight minima of 6 bits in twelve bytes.
// For s < 4 scale s is the low six bits of byte s, minimum s those of byte
// 4 + s. For s = 4 + t the low four bits are in byte 8 + t (the scale's in the
// low nibble, the minimum's in the high one); the upper two are the top two
// bits of byte t (scale) and of byte 4 + t (minimum).
static constexpr Plane sixBits(PlaneKind kind, int64_t bytes) {
  bool isScale = kind == Scales;
  int64_t first = bitOf(bytes) + (isScale ? 0 : 32);
  return {kind,
          Unsigned,
          6,
          32,
          {{4, first, {{32, 4, 8}, {128, 2, isScale ? 64 : 36}}},
           {2, first + 4, {{32, 4, 8}, {128, 2, 2}}}}};
}

// block_q4_K: f16 d; f16 dmin; uint8 scales[12]; uint8 q[128]
static constexpr Plane kQ4_K[] = {quants(4, nibblesOf64(16)),
                                  sixBits(Scales, 4), half(Scales, 0, 256),
                                  sixBits(Minima, 4), half(Minima, 2, 256)};

// block_q5_K: f16 d; f16 dmin; uint8 scales[12]; uint8 qh[32]; uint8 q[128]
static constexpr Plane kQ5_K[] = {
    quants(4, nibblesOf64(48)), quants(1, bitsOf256(16)), sixBits(Scales, 4),
    half(Scales, 0, 256),       sixBits(Minima, 4),       half(Minima, 2, 256)};

// block_q6_K: uint8 ql[128], qh[64]; int8 scales[16]; f16 d. Each half of 128
// columns has 64 bytes of ql; byte j of them holds columns j and j + 64.
static constexpr Plane kQ6_K[] = {
    quants(4, {4, 0, {{1, 64, 8}, {64, 2, 4}, {128, 2, 512}}}, -32),
    quants(2, pairsOf128(128)), whole(Scales, Signed, 8, 16, 192, 16),
    half(Scales, 208, 256)};

// block_iq4_xs: f16 d; uint16 scales_h; uint8 scales_l[4]; uint8 q[128]. Scale
// s has its low four bits in nibble s of scales_l, its high two from bit 2 s of
// scales_h; 32 columns are 16 bytes as in IQ4_NL.
static constexpr Plane kIQ4_XS[] = {
    indices({4, bitOf(8), {{1, 16, 8}, {16, 2, 4}, {32, 8, 128}}}, kNonLinear),
    {Scales,
     Unsigned,
     6,
     32,
     {{4, bitOf(4), {{32, 8, 4}}}, {2, bitOf(2), {{32, 8, 2}}}},
     -32},
    half(Scales, 0, 256)};

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr FormatFacts kFormats[] = {
    {"f32", 0, 1, 4, kF32},
    {"f16", 1, 1, 2, kF16},
    {"q4_0", 2, 32, 18, kQ4_0},
    {"q4_1", 3, 32, 20, kQ4_1},
    {"q5_0", 6, 32, 22, kQ5_0},
    {"q5_1", 7, 32, 24, kQ5_1},
    {"q8_0", 8, 32, 34, kQ8_0},
    {"q2_k", 10, 256, 84, kQ2_K, /*subtractsMinima=*/true},
    {"q3_k", 11, 256, 110, kQ3_K},
    {"q4_k", 12, 256, 144, kQ4_K, /*subtractsMinima=*/true},
    {"q5_k", 13, 256, 176, kQ5_K, /*subtractsMinima=*/true},
    {"q6_k", 14, 256, 210, kQ6_K},
    {"iq4_nl", 20, 32, 18, kIQ4_NL},
    {"iq4_xs", 23, 256, 136, kIQ4_XS},
    {"bf16", 30, 1, 2, kBF16},
    {"mxfp4", 39, 32, 17, kMXFP4},
};

llvm::ArrayRef<FormatFacts> corellama::llama::allFormats() { return kFormats; }

const FormatFacts *corellama::llama::findFormat(llvm::StringRef name) {
  const auto *found = llvm::find_if(
      kFormats, [&](const FormatFacts &facts) { return facts.name == name; });
  return found == std::end(kFormats) ? nullptr : found;
}

const FormatFacts *corellama::llama::findFormat(uint64_t ggmlType) {
  const auto *found = llvm::find_if(kFormats, [&](const FormatFacts &facts) {
    return facts.ggmlType == ggmlType;
  });
  return found == std::end(kFormats) ? nullptr : found;
}

unsigned Plane::imageBits() const { return llvm::PowerOf2Ceil(bits); }

int64_t FormatFacts::scaleBlock() const {
  // Unquantised weights are summed in blocks over k as well: on a trained model
  // the error is about half that of one accumulator over all of k.
  constexpr int64_t kPlainSumBlock = 32;
  llvm::SmallVector<unsigned, 2> levels = planesOf(Scales);
  return levels.empty() ? kPlainSumBlock : planes[levels.front()].per;
}

std::pair<int32_t, int32_t> FormatFacts::quantRange() const {
  const Plane &first = planes.front();
  if (!first.table.empty()) {
    auto [least, greatest] =
        std::minmax_element(first.table.begin(), first.table.end());
    return {*least, *greatest};
  }
  unsigned bits = 0;
  for (unsigned plane : planesOf(Quants))
    bits += planes[plane].bits;
  int32_t count = int32_t(1) << bits;
  int32_t least = first.type == Signed ? -count / 2 : first.bias;
  return {least, least + count - 1};
}

llvm::SmallVector<unsigned, 2> FormatFacts::planesOf(PlaneKind kind) const {
  llvm::SmallVector<unsigned, 2> found;
  for (auto [number, plane] : llvm::enumerate(planes))
    if (plane.kind == kind)
      found.push_back(number);
  return found;
}

llvm::SmallVector<BitRange, 2> FormatFacts::locate(unsigned plane,
                                                   int64_t column) const {
  llvm::SmallVector<BitRange, 2> ranges;
  for (const Piece &piece : planes[plane].pieces) {
    if (piece.bits == 0)
      break;
    uint64_t at = piece.at;
    for (const Stride &stride : piece.strides)
      if (stride.count > 1)
        at += column / stride.columns % stride.count * stride.bits;
    ranges.push_back({{at / 8, static_cast<unsigned>(at % 8)}, piece.bits});
  }
  return ranges;
}
