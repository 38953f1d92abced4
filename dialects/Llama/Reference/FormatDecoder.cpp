//===- FormatDecoder.cpp - from a weight's bytes to numbers ---------------===//
//
// One function a format, each beside the text it was written from.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/FormatDecoder.h"
#include "llvm/ADT/bit.h"
#include <cassert>
#include <cmath>
#include <limits>

using namespace llvm;
using namespace corellama::llama::reference;

namespace {
struct FormatInfo {
  Format format;
  StringLiteral name;
  int64_t columns;
  int64_t bytes;
};
} // namespace

// In the order of the enum.
static constexpr FormatInfo kFormats[] = {
    {Format::F32, "f32", 1, 4},       {Format::F16, "f16", 1, 2},
    {Format::BF16, "bf16", 1, 2},     {Format::Q8_0, "q8_0", 32, 34},
    {Format::Q4_0, "q4_0", 32, 18},   {Format::Q4_1, "q4_1", 32, 20},
    {Format::Q6_K, "q6_k", 256, 210},
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

static double decodeF32(const uint8_t *p) { return bit_cast<float>(read32(p)); }

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

static void decodeBlock(Format format, const uint8_t *block, double *out) {
  switch (format) {
  case Format::F32:
    *out = decodeF32(block);
    return;
  case Format::F16:
    *out = decodeF16(read16(block));
    return;
  case Format::BF16:
    *out = decodeBF16(read16(block));
    return;
  case Format::Q8_0:
    return decodeQ8_0(block, out);
  case Format::Q4_0:
    return decodeQ4_0(block, out);
  case Format::Q4_1:
    return decodeQ4_1(block, out);
  case Format::Q6_K:
    return decodeQ6_K(block, out);
  }
}

void corellama::llama::reference::decodeRow(Format format,
                                            ArrayRef<uint8_t> bytes,
                                            MutableArrayRef<double> out) {
  size_t columns = blockColumns(format), size = blockBytes(format);
  assert(out.size() % columns == 0 &&
         bytes.size() == out.size() / columns * size);
  for (size_t block = 0; block < out.size() / columns; ++block)
    decodeBlock(format, bytes.data() + block * size,
                out.data() + block * columns);
}
