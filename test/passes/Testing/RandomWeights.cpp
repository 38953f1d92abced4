//===- RandomWeights.cpp - bytes of weights for tests of kernels ----------===//
//
// See RandomWeights.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/RandomWeights.h"
#include <algorithm>
#include <cstring>

using namespace corellama;
using namespace corellama::llama::reference;

namespace {

uint32_t below(std::mt19937 &random, uint32_t limit) {
  return std::uniform_int_distribution<uint32_t>(0, limit - 1)(random);
}

/// A binary16 whose exponent field is first to last; one in 16 is subnormal.
uint16_t randomHalf(std::mt19937 &random, uint32_t first, uint32_t last) {
  uint32_t exponent =
      below(random, 16) ? first + below(random, last - first + 1) : 0;
  return static_cast<uint16_t>(below(random, 2) << 15 | exponent << 10 |
                               below(random, 1024));
}

void putHalf(uint8_t *at, uint16_t half) {
  std::memcpy(at, &half, sizeof(half));
}

void randomBlock(Format format, uint8_t *block, std::mt19937 &random) {
  // Quants first: whatever the bytes are.
  for (int64_t i = 0; i < blockBytes(format); ++i)
    block[i] = static_cast<uint8_t>(below(random, 256));
  switch (format) {
  case Format::F32: {
    float value = std::uniform_real_distribution<float>(-0.5f, 0.5f)(random);
    std::memcpy(block, &value, sizeof(value));
    return;
  }
  case Format::F16:
    return putHalf(block, randomHalf(random, 8, 13));
  case Format::BF16:
    // Exponents of 2^-7 to 2^-2, or a subnormal.
    return putHalf(block,
                   static_cast<uint16_t>(
                       below(random, 2) << 15 |
                       (below(random, 16) ? 120 + below(random, 6) : 0) << 7 |
                       below(random, 128)));
  case Format::Q8_0:
    return putHalf(block, randomHalf(random, 4, 7));
  case Format::Q4_0:
    return putHalf(block, randomHalf(random, 8, 11));
  case Format::Q4_1:
    putHalf(block, randomHalf(random, 8, 11));
    return putHalf(block + 2, randomHalf(random, 8, 13));
  case Format::Q5_0:
    return putHalf(block, randomHalf(random, 7, 10));
  case Format::Q5_1:
    putHalf(block, randomHalf(random, 7, 10));
    return putHalf(block + 2, randomHalf(random, 8, 13));
  case Format::Q2_K:
    putHalf(block + 80, randomHalf(random, 5, 8));
    return putHalf(block + 82, randomHalf(random, 5, 8));
  case Format::Q3_K:
    return putHalf(block + 108, randomHalf(random, 4, 7));
  case Format::Q4_K:
  case Format::Q5_K:
    putHalf(block, randomHalf(random, 1, 4));
    return putHalf(block + 2, randomHalf(random, 4, 7));
  case Format::Q6_K:
    return putHalf(block + 208, randomHalf(random, 1, 3));
  case Format::IQ4_NL:
    return putHalf(block, randomHalf(random, 4, 7));
  case Format::IQ4_XS:
    return putHalf(block, randomHalf(random, 1, 3));
  case Format::MXFP4:
    // 2^-8 to 2^-5; one in 16 is subnormal.
    block[0] = static_cast<uint8_t>(below(random, 16) ? 120 + below(random, 4)
                                                      : below(random, 2));
    return;
  }
}

/// Of quants of four bits, two to a byte, those that are `from` become `to`.
void replaceNibbles(llvm::MutableArrayRef<uint8_t> bytes, uint8_t from,
                    uint8_t to) {
  for (uint8_t &byte : bytes) {
    if ((byte & 15) == from)
      byte = static_cast<uint8_t>((byte & 0xF0) | to);
    if (byte >> 4 == from)
      byte = static_cast<uint8_t>((byte & 15) | to << 4);
  }
}

void integerBlock(Format format, uint8_t *block, std::mt19937 &random) {
  int64_t size = blockBytes(format);
  for (int64_t i = 0; i < size; ++i)
    block[i] = static_cast<uint8_t>(below(random, 256));
  uint32_t sign = below(random, 2);
  // 1, 2, -1 or -2.
  auto scale =
      static_cast<uint16_t>(sign << 15 | (below(random, 2) ? 0x4000 : 0x3C00));
  float value = (sign ? -1.0f : 1.0f) * static_cast<float>(1 + block[0] % 128);
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  switch (format) {
  case Format::F32:
    std::memcpy(block, &value, sizeof(value));
    return;
  case Format::F16:
    // 2^-15 is the exponent 0 of a half and 112 of a float; ten bits of its 23
    // are enough.
    return putHalf(block,
                   static_cast<uint16_t>(
                       sign << 15 | ((bits & 0x7FFFFFFF) >> 13) - (112 << 10)));
  case Format::BF16:
    // Seven bits and the one in front of them: nothing is partitioned off.
    return putHalf(block, static_cast<uint16_t>(bits >> 16));
  case Format::Q8_0:
    putHalf(block, scale);
    std::replace(block + 2, block + size, 0, 1);
    return;
  case Format::Q4_0:
    putHalf(block, scale);
    return replaceNibbles({block + 2, block + size}, /*from=*/8, /*to=*/9);
  case Format::Q4_1:
    putHalf(block, scale);
    // 31, more than 15 times the scale.
    return putHalf(block + 2,
                   static_cast<uint16_t>(below(random, 2) << 15 | 0x4FC0));
  case Format::Q6_K:
    // Of these some would mean 32, from which 32 is taken.
    replaceNibbles({block, block + 128}, /*from=*/0, /*to=*/1);
    for (uint8_t *at = block + 192; at != block + 208; ++at)
      *at = static_cast<uint8_t>((1 + *at % 2) * (*at & 2 ? 1 : -1));
    return putHalf(block + 208, scale);
  case Format::Q5_0:
    putHalf(block, scale);
    // Of these some would mean 16, from which 16 is taken.
    return replaceNibbles({block + 6, block + size}, /*from=*/0, /*to=*/1);
  case Format::Q5_1:
    putHalf(block, scale);
    // 63, more than 31 times the scale.
    return putHalf(block + 2,
                   static_cast<uint16_t>(below(random, 2) << 15 | 0x53E0));
  case Format::Q2_K:
    // Scales 1 and 2 and minimum 13, more than 3 times both.
    for (uint8_t *at = block; at != block + 16; ++at)
      *at = static_cast<uint8_t>(0xD0 | (1 + *at % 2));
    putHalf(block + 80, scale);
    return putHalf(block + 82, 0x3C00);
  case Format::Q3_K:
    // Odd quants less 4, odd scales less 32.
    for (uint8_t *at = block + 32; at != block + 96; ++at)
      *at |= 0x55;
    for (uint8_t *at = block + 96; at != block + 104; ++at)
      *at |= 0x11;
    return putHalf(block + 108, scale);
  case Format::Q4_K:
  case Format::Q5_K:
    // Scales of 1; minima of 31 and, past the fourth, 15; dmin is 5, so that
    // both are more than 31 times d.
    std::fill(block + 4, block + 8, 1);
    std::fill(block + 8, block + 12, 31);
    std::fill(block + 12, block + 16, 0xF1);
    putHalf(block, scale);
    return putHalf(block + 2, 0x4500);
  case Format::IQ4_NL:
    return putHalf(block, scale);
  case Format::IQ4_XS:
    // 33 and 34, from which 32 is taken.
    std::fill(block + 2, block + 4, 0xAA);
    for (uint8_t *at = block + 4; at != block + 8; ++at)
      *at = *at & 1 ? 0x12 : 0x21;
    return putHalf(block, scale);
  case Format::MXFP4:
    block[0] = static_cast<uint8_t>(128 + below(random, 2));
    replaceNibbles({block + 1, block + size}, /*from=*/0, /*to=*/1);
    return replaceNibbles({block + 1, block + size}, /*from=*/8, /*to=*/9);
  }
}

std::vector<uint8_t>
makeWeight(Format format, int64_t rows, int64_t columns, std::mt19937 &random,
           void (*makeBlock)(Format, uint8_t *, std::mt19937 &)) {
  int64_t blocks = rows * columns / blockColumns(format);
  std::vector<uint8_t> bytes(blocks * blockBytes(format));
  for (int64_t block = 0; block < blocks; ++block)
    makeBlock(format, bytes.data() + block * blockBytes(format), random);
  return bytes;
}

} // namespace

std::vector<uint8_t> test::randomWeight(Format format, int64_t rows,
                                        int64_t columns, std::mt19937 &random) {
  return makeWeight(format, rows, columns, random, randomBlock);
}

std::vector<uint8_t> test::integerWeight(Format format, int64_t rows,
                                         int64_t columns,
                                         std::mt19937 &random) {
  return makeWeight(format, rows, columns, random, integerBlock);
}

std::vector<double> test::decodeWeight(Format format,
                                       llvm::ArrayRef<uint8_t> bytes,
                                       int64_t rows, int64_t columns) {
  std::vector<double> values(rows * columns);
  decodeRow(format, bytes, values);
  return values;
}

std::vector<uint8_t> test::toF32Bytes(llvm::ArrayRef<double> values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(float));
  for (size_t i = 0; i < values.size(); ++i) {
    float value = static_cast<float>(values[i]);
    std::memcpy(bytes.data() + i * sizeof(float), &value, sizeof(float));
  }
  return bytes;
}
