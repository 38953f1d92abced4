//===- FormatDecoder.cpp - from a weight's bytes to numbers ---------------===//
//
// One function a format, each below the format's text that it was written from.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/FormatDecoder.h"
#include "llvm/ADT/bit.h"
#include <cassert>
#include <cmath>
#include <limits>

using namespace llvm;
using namespace corellama::llama::reference;

//===----------------------------------------------------------------------===//
// Plain numbers, little endian
//===----------------------------------------------------------------------===//

static uint16_t read16(const uint8_t *p) {
  return static_cast<uint16_t>(p[0] | p[1] << 8);
}
static uint32_t read32(const uint8_t *p) {
  return read16(p) | static_cast<uint32_t>(read16(p + 2)) << 16;
}

// A sign, five bits of exponent with bias 15, ten of fraction. Exponent 0 means
// no leading one, 31 infinity or NaN.
double corellama::llama::reference::decodeF16(uint16_t bits) {
  double sign = bits & 0x8000 ? -1.0 : 1.0;
  int exponent = bits >> 10 & 31;
  int fraction = bits & 1023;
  if (exponent == 31)
    return fraction ? std::numeric_limits<double>::quiet_NaN()
                    : sign * std::numeric_limits<double>::infinity();
  if (exponent == 0)
    return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

// The upper half of a float32, whose lower half is zero.
double corellama::llama::reference::decodeBF16(uint16_t bits) {
  return bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

static void decodeOneF32(const uint8_t *block, double *out) {
  *out = bit_cast<float>(read32(block));
}
static void decodeOneF16(const uint8_t *block, double *out) {
  *out = decodeF16(read16(block));
}
static void decodeOneBF16(const uint8_t *block, double *out) {
  *out = decodeBF16(read16(block));
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

// A signed byte in two's complement.
static int signedByte(uint8_t byte) { return byte < 128 ? byte : byte - 256; }

// block_q8_0: f16 d; int8 q[32]. value = d * q.
static void decodeQ8_0(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  for (int column = 0; column < 32; ++column)
    out[column] = d * signedByte(block[2 + column]);
}

// The 4-bit quant of a column in 16 bytes: byte j has column j in its low and
// column j + 16 in its high nibble.
static int nibble(const uint8_t *quants, int column) {
  return column < 16 ? quants[column] & 15 : quants[column - 16] >> 4;
}

// block_q4_0: f16 d; uint8 q[16]. value = d * (q - 8).
static void decodeQ4_0(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  for (int column = 0; column < 32; ++column)
    out[column] = d * (nibble(block + 2, column) - 8);
}

// block_q4_1: f16 d; f16 m; uint8 q[16]. value = d * q + m.
static void decodeQ4_1(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  double m = decodeF16(read16(block + 2));
  for (int column = 0; column < 32; ++column)
    out[column] = d * nibble(block + 4, column) + m;
}

// block_q6_K: uint8 ql[128]; uint8 qh[64]; int8 scales[16]; f16 d.
// A half of 128 columns takes 64 bytes of ql, 32 of qh and 8 scales. In it, its
// quarter g of 32 columns has the low four bits of column i in byte
// 32 * (g mod 2) + i (low nibble for g = 0, 1, high for g = 2, 3), the high two
// in byte i, bits 2g and 2g + 1; a scale covers 16 columns.
// value = d * scale * (q - 32).
static void decodeQ6_K(const uint8_t *block, double *out) {
  const uint8_t *ql = block, *qh = block + 128, *scales = block + 192;
  double d = decodeF16(read16(block + 208));
  for (int half = 0; half < 2; ++half)
    for (int g = 0; g < 4; ++g)
      for (int i = 0; i < 32; ++i) {
        int byte = ql[64 * half + 32 * (g % 2) + i];
        int low = g < 2 ? byte & 15 : byte >> 4;
        int high = qh[32 * half + i] >> (2 * g) & 3;
        int scale = signedByte(scales[8 * half + 2 * g + i / 16]);
        out[128 * half + 32 * g + i] = d * scale * ((high << 4 | low) - 32);
      }
}

// The 5-bit quant of a column: nibbles as above, and bit `column` of the four
// bytes before them, read as one little-endian number.
static int fiveBits(const uint8_t *high, const uint8_t *low, int column) {
  return nibble(low, column) | static_cast<int>(read32(high) >> column & 1)
                                   << 4;
}

// block_q5_0: f16 d; uint8 qh[4]; uint8 qs[16]. value = d * (q - 16).
static void decodeQ5_0(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  for (int column = 0; column < 32; ++column)
    out[column] = d * (fiveBits(block + 2, block + 6, column) - 16);
}

// block_q5_1: f16 d; f16 m; uint8 qh[4]; uint8 qs[16]. value = d * q + m.
static void decodeQ5_1(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  double m = decodeF16(read16(block + 2));
  for (int column = 0; column < 32; ++column)
    out[column] = d * fiveBits(block + 4, block + 8, column) + m;
}

// block_q2_K: uint8 scales[16]; uint8 qs[64]; f16 d; f16 dmin. Two halves of
// 128 columns with 32 bytes of qs; the pair of bits g of byte i is column 32 g
// + i. A byte of scales is for 16 columns: scale low, minimum high. value = d *
// scale * q - dmin * minimum.
static void decodeQ2_K(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block + 80));
  double dmin = decodeF16(read16(block + 82));
  const uint8_t *scale = block, *qs = block + 16;
  for (int half = 0; half < 2; ++half, qs += 32)
    for (int g = 0; g < 4; ++g)
      for (int i = 0; i < 32; ++i) {
        int both = scale[8 * half + 2 * g + i / 16];
        *out++ = d * (both & 15) * (qs[i] >> (2 * g) & 3) - dmin * (both >> 4);
      }
}

// block_q3_K: uint8 hmask[32]; uint8 qs[64]; uint8 scales[12]; f16 d. qs as in
// Q2_K. Bit 4 half + g of hmask[i] is the third bit of the quant; 4 is
// subtracted from every quant. The scales are four rows of four: the low
// nibbles of bytes 0 to 7, then their high nibbles; bytes 8 to 11 have the two
// bits above, row 0 lowest. 32 is subtracted from each scale. value = d *
// (scale - 32) * (q - 4).
static void decodeQ3_K(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block + 108));
  const uint8_t *hmask = block, *packed = block + 96;
  int scales[16];
  for (int j = 0; j < 4; ++j) {
    scales[j] = (packed[j] & 15) | (packed[8 + j] & 3) << 4;
    scales[4 + j] = (packed[4 + j] & 15) | (packed[8 + j] >> 2 & 3) << 4;
    scales[8 + j] = packed[j] >> 4 | (packed[8 + j] >> 4 & 3) << 4;
    scales[12 + j] = packed[4 + j] >> 4 | packed[8 + j] >> 6 << 4;
  }
  const uint8_t *qs = block + 32;
  for (int half = 0; half < 2; ++half, qs += 32)
    for (int g = 0; g < 4; ++g)
      for (int i = 0; i < 32; ++i) {
        int q = qs[i] >> (2 * g) & 3;
        if (hmask[i] & 1 << (4 * half + g))
          q += 4;
        int scale = scales[8 * half + 2 * g + i / 16] - 32;
        *out++ = d * scale * (q - 4);
      }
}

// The 6-bit scale and minimum number j of 8 in 12 bytes, as get_scale_min_k4 of
// ggml reads them.
static void scaleAndMinimum(const uint8_t *bytes, int j, int &scale,
                            int &minimum) {
  if (j < 4) {
    scale = bytes[j] & 63;
    minimum = bytes[j + 4] & 63;
    return;
  }
  scale = (bytes[j + 4] & 15) | bytes[j - 4] >> 6 << 4;
  minimum = bytes[j + 4] >> 4 | bytes[j] >> 6 << 4;
}

// block_q4_K: f16 d; f16 dmin; uint8 scales[12]; uint8 qs[128]. 32 bytes of qs
// are 64 columns, the low nibbles first.
// value = d * scale * q - dmin * minimum.
static void decodeQ4_K(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block)), dmin = decodeF16(read16(block + 2));
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scaleAndMinimum(block + 4, j, scale, minimum);
    for (int i = 0; i < 32; ++i) {
      int byte = block[16 + 32 * (j / 2) + i];
      *out++ = d * scale * (j % 2 ? byte >> 4 : byte & 15) - dmin * minimum;
    }
  }
}

// block_q5_K: f16 d; f16 dmin; uint8 scales[12]; uint8 qh[32]; uint8 qs[128].
// As Q4_K; bit j of qh[i] adds 16 to column i of sub-block j.
static void decodeQ5_K(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block)), dmin = decodeF16(read16(block + 2));
  for (int j = 0; j < 8; ++j) {
    int scale, minimum;
    scaleAndMinimum(block + 4, j, scale, minimum);
    for (int i = 0; i < 32; ++i) {
      int byte = block[48 + 32 * (j / 2) + i];
      int q = j % 2 ? byte >> 4 : byte & 15;
      if (block[16 + i] & 1 << j)
        q += 16;
      *out++ = d * scale * q - dmin * minimum;
    }
  }
}

// The 16 numbers that a quant of IQ4_NL or IQ4_XS selects.
static const int kIQ4Numbers[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                    1,    13,   25,  38,  53,  69,  89,  113};

// block_iq4_nl: f16 d; uint8 qs[16]. value = d * number of q.
static void decodeIQ4_NL(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  for (int column = 0; column < 32; ++column)
    out[column] = d * kIQ4Numbers[nibble(block + 2, column)];
}

// block_iq4_xs: f16 d; uint16 scales_h; uint8 scales_l[4]; uint8 qs[128]. Eight
// sub-blocks of 32 columns and 16 bytes of qs. Scale j: four bits of byte j / 2
// of scales_l, the low ones for even j, below bits 2 j and 2 j + 1 of scales_h.
// value = d * (scale - 32) * number of q.
static void decodeIQ4_XS(const uint8_t *block, double *out) {
  double d = decodeF16(read16(block));
  int high = read16(block + 2);
  for (int j = 0; j < 8; ++j) {
    int byte = block[4 + j / 2];
    int scale = (j % 2 ? byte >> 4 : byte & 15) | (high >> (2 * j) & 3) << 4;
    for (int i = 0; i < 32; ++i)
      *out++ = d * (scale - 32) * kIQ4Numbers[nibble(block + 8 + 16 * j, i)];
  }
}

// A sign, two bits of exponent with bias 1, one of fraction; exponent 0 means
// no leading one.
static double decodeE2M1(int bits) {
  int exponent = bits >> 1 & 3, fraction = bits & 1;
  double size = exponent ? std::ldexp(2 + fraction, exponent - 2)
                         : std::ldexp(fraction, -1);
  return bits & 8 ? -size : size;
}

// block_mxfp4: uint8 e; uint8 qs[16]. value = 2^(e - 127) * E2M1 of q. The zero
// with a sign is as good as the other one: ggml's table of integers has one.
static void decodeMXFP4(const uint8_t *block, double *out) {
  for (int column = 0; column < 32; ++column)
    out[column] = std::ldexp(decodeE2M1(nibble(block + 1, column)),
                             static_cast<int>(block[0]) - 127) +
                  0.0;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {
struct FormatInfo {
  Format format;
  StringLiteral name;
  int64_t columns;
  int64_t bytes;
  void (*decode)(const uint8_t *block, double *out);
};
} // namespace

// In the order of the enum.
static constexpr FormatInfo kFormats[] = {
    {Format::F32, "f32", 1, 4, decodeOneF32},
    {Format::F16, "f16", 1, 2, decodeOneF16},
    {Format::BF16, "bf16", 1, 2, decodeOneBF16},
    {Format::Q8_0, "q8_0", 32, 34, decodeQ8_0},
    {Format::Q4_0, "q4_0", 32, 18, decodeQ4_0},
    {Format::Q4_1, "q4_1", 32, 20, decodeQ4_1},
    {Format::Q6_K, "q6_k", 256, 210, decodeQ6_K},
    {Format::Q5_0, "q5_0", 32, 22, decodeQ5_0},
    {Format::Q5_1, "q5_1", 32, 24, decodeQ5_1},
    {Format::Q2_K, "q2_k", 256, 84, decodeQ2_K},
    {Format::Q3_K, "q3_k", 256, 110, decodeQ3_K},
    {Format::Q4_K, "q4_k", 256, 144, decodeQ4_K},
    {Format::Q5_K, "q5_k", 256, 176, decodeQ5_K},
    {Format::IQ4_NL, "iq4_nl", 32, 18, decodeIQ4_NL},
    {Format::IQ4_XS, "iq4_xs", 256, 136, decodeIQ4_XS},
    {Format::MXFP4, "mxfp4", 32, 17, decodeMXFP4},
};

static const FormatInfo &infoOf(Format format) {
  return kFormats[static_cast<unsigned>(format)];
}

StringRef corellama::llama::reference::formatName(Format format) {
  return infoOf(format).name;
}
int64_t corellama::llama::reference::blockColumns(Format format) {
  return infoOf(format).columns;
}
int64_t corellama::llama::reference::blockBytes(Format format) {
  return infoOf(format).bytes;
}

std::optional<Format> corellama::llama::reference::parseFormat(StringRef name) {
  for (const FormatInfo &info : kFormats)
    if (info.name == name)
      return info.format;
  return std::nullopt;
}

void corellama::llama::reference::decodeRow(Format format,
                                            ArrayRef<uint8_t> bytes,
                                            MutableArrayRef<double> out) {
  size_t columns = blockColumns(format), size = blockBytes(format);
  assert(out.size() % columns == 0 &&
         bytes.size() == out.size() / columns * size);
  for (size_t block = 0; block < out.size() / columns; ++block)
    infoOf(format).decode(bytes.data() + block * size,
                          out.data() + block * columns);
}
