//===- RowConverter.cpp - rows of numbers in another format ---------------===//
//
// See RowConverter.h. Each function rounds as the class of its format in
// gguf.quants does, which computes in float32 with numpy: no product may be
// contracted with a sum (CMakeLists.txt), every division is one, and a cast to
// a byte takes the low byte of the 32-bit integer that x86 makes. Loops are
// over arrays of one size, without branches, so that they become vectors.
//
//===----------------------------------------------------------------------===//

#include "compiler/Quantize/RowConverter.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#ifdef __FAST_MATH__
#error "rounding has to be exact: build without -ffast-math"
#endif

using namespace corellama;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::StringLiteral;

// Numbers of rows are copied as they are.
static_assert(llvm::endianness::native == llvm::endianness::little);

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

static uint32_t bitsOf(float x) { return std::bit_cast<uint32_t>(x); }
static float floatOf(uint32_t bits) { return std::bit_cast<float>(bits); }

/// An IEEE 754 binary16 as float32, exactly.
static float widenHalf(uint16_t half) {
  constexpr uint32_t kSmallestNormal = 113u << 23; // 2^-14
  uint32_t sign = uint32_t(half & 0x8000) << 16;
  uint32_t bits = uint32_t(half & 0x7fff) << 13;
  // The exponent's bias is 127, not 15; infinity and NaN have all bits set.
  uint32_t normal = bits + ((127 - 15) << 23);
  uint32_t special = bits + ((255 - 31) << 23);
  // A subnormal is its fraction in units of 2^-24: made beside 2^-14, from
  // which it is then taken.
  uint32_t subnormal =
      bitsOf(floatOf(bits + kSmallestNormal) - floatOf(kSmallestNormal));
  uint32_t size = half & 0x7c00 ? normal : subnormal;
  return floatOf(sign | ((half & 0x7c00) == 0x7c00 ? special : size));
}

/// A finite float32 as binary16, to nearest even; infinity beyond its range.
static uint16_t roundToHalf(float x) {
  uint32_t bits = bitsOf(x), size = bits & 0x7fffffff;
  // Half a unit of the last place, less one where the last place is even.
  uint32_t rounded = size + 0xfff + (size >> 13 & 1);
  uint32_t normal = (rounded - ((127 - 15) << 23)) >> 13;
  // Below 2^-14 the last place is 2^-24, that of a float32 of 0.5 to 1.
  uint32_t subnormal = bitsOf(floatOf(size) + 0.5f) - bitsOf(0.5f);
  uint32_t half = size < (113u << 23) ? subnormal : normal;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) |
                               std::min(half, uint32_t(0x7c00)));
}

/// The low byte of a number that is cut to 32 bits; what these do not hold, NaN
/// included, is 0x80000000 on x86, whose low byte is 0.
static uint8_t lowByte(float x) {
  bool fits = x >= -2147483648.0f && x < 2147483648.0f;
  return static_cast<uint8_t>(static_cast<int32_t>(fits ? x : 0.0f));
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

static void widenF32(const uint8_t *from, size_t count, float *to) {
  memcpy(to, from, count * sizeof(float));
}
static void widenF16(const uint8_t *from, size_t count, float *to) {
  for (size_t i = 0; i < count; ++i)
    to[i] = widenHalf(llvm::support::endian::read16le(from + 2 * i));
}
static void widenBF16(const uint8_t *from, size_t count, float *to) {
  for (size_t i = 0; i < count; ++i)
    to[i] =
        floatOf(uint32_t(llvm::support::endian::read16le(from + 2 * i)) << 16);
}

//===----------------------------------------------------------------------===//
// Targets
//===----------------------------------------------------------------------===//

static void put16(uint8_t *to, uint16_t value) {
  llvm::support::endian::write16le(to, value);
}

static void narrowToF32(const float *from, size_t count, uint8_t *to) {
  memcpy(to, from, count * sizeof(float));
}
static void narrowToF16(const float *from, size_t count, uint8_t *to) {
  for (size_t i = 0; i < count; ++i)
    put16(to + 2 * i, roundToHalf(from[i]));
}
/// To nearest even.
static void narrowToBF16(const float *from, size_t count, uint8_t *to) {
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = bitsOf(from[i]);
    put16(to + 2 * i,
          static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
  }
}

/// Columns of a block.
static constexpr size_t kBlock = 32;

/// 1 / d, or 0 where there is nothing to scale. Infinite for some subnormal d:
/// then every quant is what infinity and NaN are cast to, 0.
static float inverse(float d) { return d == 0 ? 0.0f : 1.0f / d; }

/// The largest size of a number, as its bits, which are in the order of sizes.
static uint32_t largestSize(const float *x) {
  int32_t largest = 0;
  for (size_t i = 0; i < kBlock; ++i)
    largest =
        std::max(largest, static_cast<int32_t>(bitsOf(x[i]) & 0x7fffffff));
  return static_cast<uint32_t>(largest);
}

/// Bytes j and j + 16 of `quants` in the nibbles of byte j.
static void putNibbles(const uint8_t *quants, uint8_t *to) {
  for (size_t j = 0; j < kBlock / 2; ++j)
    to[j] = static_cast<uint8_t>(quants[j] | quants[j + kBlock / 2] << 4);
}

static void narrowBlockQ8_0(const float *x, uint8_t *to) {
  float d = floatOf(largestSize(x)) / 127;
  float id = inverse(d);
  put16(to, roundToHalf(d));
  for (size_t i = 0; i < kBlock; ++i) {
    // Half away from zero.
    float scaled = x[i] * id;
    float size = std::fabs(scaled);
    size = size < 256 ? size : 0;
    auto whole = static_cast<int32_t>(size);
    whole += size - static_cast<float>(whole) >= 0.5f;
    to[2 + i] = static_cast<uint8_t>(scaled < 0 ? -whole : whole);
  }
}

static void narrowBlockQ4_0(const float *x, uint8_t *to) {
  // The first of the largest, with its sign.
  uint32_t size = largestSize(x);
  const float *largest = std::find_if(x, x + kBlock, [&](float number) {
    return (bitsOf(number) & 0x7fffffff) == size;
  });
  float d = *largest / -8;
  float id = inverse(d);
  put16(to, roundToHalf(d));
  uint8_t quants[kBlock];
  for (size_t i = 0; i < kBlock; ++i) {
    float scaled = x[i] * id;
    quants[i] = std::min<uint8_t>(lowByte(scaled + 8.5f), 15);
  }
  putNibbles(quants, to + 2);
}

/// The bits of a number as an integer in the order of numbers, and back.
static int32_t inOrder(int32_t bits) { return bits ^ (bits >> 31 & INT32_MAX); }

static void narrowBlockQ4_1(const float *x, uint8_t *to) {
  int32_t least = INT32_MAX, greatest = INT32_MIN;
  for (size_t i = 0; i < kBlock; ++i) {
    int32_t number = inOrder(static_cast<int32_t>(bitsOf(x[i])));
    least = std::min(least, number);
    greatest = std::max(greatest, number);
  }
  auto numberOf = [](int32_t place) {
    return floatOf(static_cast<uint32_t>(inOrder(place)));
  };
  float min = numberOf(least), max = numberOf(greatest);
  // Of zeros with different signs numpy takes the last one.
  if (min == 0)
    for (size_t i = 0; i < kBlock; ++i)
      min = x[i] == 0 ? x[i] : min;
  float d = (max - min) / 15;
  float id = inverse(d);
  put16(to, roundToHalf(d));
  put16(to + 2, roundToHalf(min));
  uint8_t quants[kBlock];
  for (size_t i = 0; i < kBlock; ++i) {
    float scaled = (x[i] - min) * id;
    quants[i] = std::min<uint8_t>(lowByte(scaled + 0.5f), 15);
  }
  putNibbles(quants, to + 4);
}

template <void (*narrowBlock)(const float *, uint8_t *), size_t bytes>
static void narrowBlocks(const float *from, size_t count, uint8_t *to) {
  for (size_t i = 0; i < count / kBlock; ++i)
    narrowBlock(from + i * kBlock, to + i * bytes);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

namespace {
struct Source {
  StringLiteral format;
  void (*widen)(const uint8_t *, size_t, float *);
};
struct Target {
  StringLiteral format;
  void (*narrow)(const float *, size_t, uint8_t *);
};
} // namespace

static constexpr Source kSources[] = {
    {"f32", widenF32}, {"f16", widenF16}, {"bf16", widenBF16}};
static constexpr Target kTargets[] = {
    {"f32", narrowToF32},
    {"f16", narrowToF16},
    {"bf16", narrowToBF16},
    {"q8_0", narrowBlocks<narrowBlockQ8_0, 34>},
    {"q4_0", narrowBlocks<narrowBlockQ4_0, 18>},
    {"q4_1", narrowBlocks<narrowBlockQ4_1, 20>}};

template <typename Row, size_t size>
static const Row *find(const Row (&table)[size],
                       const llama::FormatFacts &format) {
  const Row *row = llvm::find_if(
      table, [&](const Row &r) { return r.format == format.name; });
  return row == std::end(table) ? nullptr : row;
}

bool quantize::isSource(const llama::FormatFacts &format) {
  return find(kSources, format);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

quantize::RowConverter::RowConverter(const llama::FormatFacts &from,
                                     const llama::FormatFacts &to)
    : sourceBytes(from.blockBytes), targetBlock(to.block),
      targetBytes(to.blockBytes) {
  const Source *source = find(kSources, from);
  const Target *target = find(kTargets, to);
  if (!source || !target)
    llvm_unreachable("the caller asks isSource, and kFormats has a row each");
  widen = source->widen;
  narrow = target->narrow;
}

std::optional<quantize::NotFinite>
quantize::RowConverter::convert(ArrayRef<uint8_t> row,
                                MutableArrayRef<uint8_t> out) const {
  // Numbers that stay in the first-level cache.
  constexpr size_t kChunk = 1024;
  static_assert(kChunk % kBlock == 0);
  float numbers[kChunk];
  const size_t columns = row.size() / sourceBytes;
  assert(columns % targetBlock == 0 &&
         out.size() == columns / targetBlock * targetBytes);
  for (size_t first = 0; first < columns; first += kChunk) {
    size_t count = std::min(kChunk, columns - first);
    widen(row.data() + first * sourceBytes, count, numbers);
    constexpr uint32_t kExponent = 0x7f800000;
    bool isFinite = true;
    for (size_t i = 0; i < count; ++i)
      isFinite &= (bitsOf(numbers[i]) & kExponent) != kExponent;
    if (!isFinite) {
      const float *bad = std::find_if(
          numbers, numbers + count, [](float x) { return !std::isfinite(x); });
      return NotFinite{first + static_cast<uint64_t>(bad - numbers),
                       std::isnan(*bad)};
    }
    narrow(numbers, count, out.data() + first / targetBlock * targetBytes);
  }
  return std::nullopt;
}
