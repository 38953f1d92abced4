//===- WeightChunks.cpp - how a thread reads a format ---------------------===//
//
// Conversions may cost about one instruction of the integer unit a number: an
// SM of an H100 that reads at full bandwidth sees 12 weights of 8 bits or 22 of
// 4 bits a clock, of an H200 31, and does 64 integer instructions, but converts
// only 16 integers to float. So quants are brought into the low bits of bytes
// four at a time, and a permutation makes the bits of a float of each byte.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/WeightChunks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/IndexBuilder.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::ChunkWords;
using corellama::cuda::PlaneRow;
using llama::FieldType;

using Values = SmallVector<Value>;

static Value i32(ImplicitLocOpBuilder &b, uint32_t value) {
  return arith::ConstantOp::create(
      b, b.getI32IntegerAttr(static_cast<int32_t>(value)));
}
static Value asFloat(ImplicitLocOpBuilder &b, Value word) {
  return arith::BitcastOp::create(b, b.getF32Type(), word);
}
static Value f32(ImplicitLocOpBuilder &b, float value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
}

/// Byte `byte` of a word as a float, less `zero`, the quant that means 0. In
/// place of the low byte of the float 2^23 it makes the float 2^23 + number,
/// exactly, so that subtracting 2^23 converts the number without a conversion
/// instruction. One permutation takes the byte out and puts it in: a shift, a
/// mask and an or would be three instructions, because ptxas joins none of
/// them.
static Value floatOfByte(ImplicitLocOpBuilder &b, Value word, unsigned byte,
                         uint32_t zero) {
  constexpr uint32_t kMagic = 0x4B000000;
  constexpr float kTwo23 = 8388608.0f;
  // Bytes 1, 2 and 3 of kMagic, whose bytes are numbers 4 to 7.
  constexpr uint32_t kUpper = 0x7650;
  word = cuda::PermuteBytesOp::create(b, word, i32(b, kMagic),
                                      i32(b, kUpper | byte));
  Value number = asFloat(b, word);
  return arith::SubFOp::create(b, number,
                               f32(b, kTwo23 + static_cast<float>(zero)));
}

/// Two permutations find n mod 8 in each half of the table, a third one takes
/// the half that the top bit of n says: 1.5 instructions a number, where the 8
/// nibbles of a word are looked up.
Value cuda::lookUpNibbles(ImplicitLocOpBuilder &b,
                          const llama::FormatFacts &facts, Value nibbles) {
  ArrayRef<int8_t> table = facts.planes.front().table;
  int32_t least = facts.quantRange().first;
  Values words;
  for (size_t first = 0; first < table.size(); first += 4) {
    uint32_t word = 0;
    for (size_t i = 0; i < 4; ++i)
      word |= static_cast<uint32_t>(table[first + i] - least) << (8 * i);
    words.push_back(i32(b, word));
  }
  Value places = arith::AndIOp::create(b, nibbles, i32(b, 0x7777));
  Value low = PermuteBytesOp::create(b, words[0], words[1], places);
  Value high = PermuteBytesOp::create(b, words[2], words[3], places);
  // Byte i of the lower half is number i of eight, of the upper half i + 4.
  Value top = arith::AndIOp::create(b, nibbles, i32(b, 0x8888));
  Value which = arith::OrIOp::create(
      b, arith::ShRUIOp::create(b, top, i32(b, 1)), i32(b, 0x3210));
  return PermuteBytesOp::create(b, low, high, which);
}

Value cuda::floatOfSigned(ImplicitLocOpBuilder &b, Value byte) {
  // byte + 128 is the byte with its sign bit flipped.
  return floatOfByte(b, arith::XOrIOp::create(b, byte, i32(b, 0x80)), 0, 128);
}

Value cuda::decodeExponent(ImplicitLocOpBuilder &b, Value e) {
  // The exponent field is e - 1; of 0 and 1 the number is subnormal.
  Value normal = arith::ShLIOp::create(
      b, arith::SubIOp::create(b, e, i32(b, 1)), i32(b, 23));
  Value subnormal = arith::ShLIOp::create(
      b, arith::AddIOp::create(b, e, i32(b, 1)), i32(b, 21));
  Value isNormal =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ugt, e, i32(b, 1));
  return asFloat(b, arith::SelectOp::create(b, isNormal, normal, subnormal));
}

ChunkFormat::ChunkFormat(llama::FormatInterface format)
    : facts(format.getFacts()) {
  // Probed on a weight of one row, long enough for a chunk of high bits: all
  // rows of all weights are laid out alike.
  auto type = llama::WeightType::get(format.getContext(), {1, 1 << 16}, format);
  auto layout = cast<llama::LayoutInterface>(
      Attribute(llama::RowMajorSplitAttr::get(format.getContext())));
  for (unsigned plane : facts.planesOf(llama::PlaneKind::Quants)) {
    places.push_back(FieldPlace::probe(layout, type, plane));
    places.back().base = 0;
  }
}

Type ChunkFormat::storage(MLIRContext *context) const {
  switch (first().type) {
  case FieldType::F32:
    return Float32Type::get(context);
  case FieldType::F16:
    return Float16Type::get(context);
  case FieldType::BF16:
    return BFloat16Type::get(context);
  default:
    return IntegerType::get(context, 8);
  }
}

int64_t ChunkFormat::highBytes() const {
  return places.size() > 1 ? columns() * facts.planes[1].bits / 8 : 0;
}

//===----------------------------------------------------------------------===//
// Four columns of a chunk
//===----------------------------------------------------------------------===//

static Value shiftBetween(ImplicitLocOpBuilder &b, Value word, int64_t from,
                          int64_t to) {
  if (from == to)
    return word;
  if (from < to)
    return arith::ShLIOp::create(b, word, i32(b, to - from));
  return arith::ShRUIOp::create(b, word, i32(b, from - to));
}
uint32_t ChunkFormat::zero() const {
  return static_cast<uint32_t>(-facts.quantRange().first);
}

Value ChunkFormat::bytes(ImplicitLocOpBuilder &b, const ChunkWords &words,
                         int64_t group) const {
  if (first().type == FieldType::Signed) {
    Value word = vector::ExtractOp::create(b, words.quants, group);
    return arith::XOrIOp::create(b, word, i32(b, 0x80808080));
  }
  // Four columns are in the four bytes of an i32, at the same bit of each.
  int64_t at = places[0].at(4 * group), from = at % 8;
  unsigned bits = first().bits;
  Value word = vector::ExtractOp::create(b, words.quants, at / 32);
  auto inEachByte = [&](unsigned byte) { return i32(b, 0x01010101u * byte); };
  word = shiftBetween(b, word, from, 0);
  word = arith::AndIOp::create(b, word, inEachByte((1u << bits) - 1));
  if (places.size() > 1) {
    unsigned highBits = facts.planes[1].bits;
    int64_t highAt = places[1].at(4 * group);
    Value high = vector::ExtractOp::create(b, words.high, highAt / 32);
    high = shiftBetween(b, high, highAt % 8, bits);
    high = arith::AndIOp::create(b, high,
                                 inEachByte(((1u << highBits) - 1) << bits));
    word = arith::OrIOp::create(b, word, high);
  }
  return word;
}

Values ChunkFormat::quants(ImplicitLocOpBuilder &b, const ChunkWords &words,
                           int64_t group) const {
  Values found;
  switch (first().type) {
  case FieldType::F32:
    for (int64_t i = 0; i < 4; ++i)
      found.push_back(asFloat(
          b, vector::ExtractOp::create(b, words.quants, i).getResult()));
    return found;
  case FieldType::F16: {
    Value halves = vector::BitCastOp::create(
        b, VectorType::get({8}, b.getF16Type()), words.quants);
    for (int64_t i = 0; i < 4; ++i)
      found.push_back(arith::ExtFOp::create(
          b, b.getF32Type(),
          vector::ExtractOp::create(b, halves, 4 * group + i).getResult()));
    return found;
  }
  case FieldType::BF16:
    // The upper half of a float: shifted or masked into place.
    for (int64_t i = 0; i < 2; ++i) {
      Value pair = vector::ExtractOp::create(b, words.quants, 2 * group + i);
      found.push_back(
          asFloat(b, arith::ShLIOp::create(b, pair, i32(b, 16)).getResult()));
      found.push_back(asFloat(
          b, arith::AndIOp::create(b, pair, i32(b, 0xFFFF0000)).getResult()));
    }
    return found;
  case FieldType::Signed:
  case FieldType::Exponent: // of scales
  case FieldType::Unsigned:
    break;
  }
  if (first().table.empty()) {
    Value word = bytes(b, words, group);
    for (unsigned i = 0; i < 4; ++i)
      found.push_back(floatOfByte(b, word, i, zero()));
    return found;
  }
  // The nibbles of two bytes at a time; LLVM makes the look-ups once for this
  // group and the one in the other nibbles.
  int64_t at = places[0].at(4 * group), from = at % 8;
  Value word = vector::ExtractOp::create(b, words.quants, at / 32);
  for (unsigned i = 0; i < 4; ++i) {
    Value two =
        i < 2 ? word : arith::ShRUIOp::create(b, word, i32(b, 16)).getResult();
    found.push_back(floatOfByte(b, lookUpNibbles(b, facts, two),
                                2 * (i % 2) + static_cast<unsigned>(from / 4),
                                zero()));
  }
  return found;
}

/// The f16 with the bits 0x6400 + n is 1024 + n, exactly, for n below 1024. So
/// bits are put into its low byte, and an addition for two of them takes 1024
/// away, together with what the quants' bits are above the quants.
std::pair<Value, Value> ChunkFormat::pairs(ImplicitLocOpBuilder &b,
                                           const ChunkWords &words,
                                           int64_t group) const {
  constexpr double kMagic = 1024;
  auto type = VectorType::get({2}, b.getF16Type());
  auto both = [&](double value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(
               type, b.getF16FloatAttr(static_cast<float>(value)).getValue()));
  };
  auto halves = [&](Value bits) -> Value {
    Value one = vector::BroadcastOp::create(
        b, VectorType::get({1}, b.getI32Type()), bits);
    return vector::BitCastOp::create(b, type, one);
  };
  double least = facts.quantRange().first;
  Values made;
  if (first().bits == 4 && places.size() == 1) {
    // Nibbles of bytes 0 and 2, then 1 and 3, where they are: those in the
    // upper half are 16 q, and a multiplication is a part of the addition.
    int64_t at = places[0].at(4 * group), from = at % 8;
    Value word = vector::ExtractOp::create(b, words.quants, at / 32);
    for (int64_t odd = 0; odd < 2; ++odd) {
      Value bits = shiftBetween(b, word, 8 * odd, 0);
      bits = arith::AndIOp::create(b, bits, i32(b, 0x000F000Fu << from));
      bits = arith::OrIOp::create(b, bits, i32(b, 0x64006400));
      if (from == 0)
        made.push_back(
            arith::AddFOp::create(b, halves(bits), both(least - kMagic)));
      else
        made.push_back(math::FmaOp::create(b, halves(bits), both(1.0 / 16),
                                           both(least - kMagic / 16)));
    }
    return {made[0], made[1]};
  }
  Value word = bytes(b, words, group);
  for (uint32_t which : {0x4240, 0x4341}) {
    Value bits =
        PermuteBytesOp::create(b, word, i32(b, 0x64646464), i32(b, which));
    made.push_back(
        arith::AddFOp::create(b, halves(bits), both(least - kMagic)));
  }
  return {made[0], made[1]};
}

//===----------------------------------------------------------------------===//
// Sixteen columns of a row
//===----------------------------------------------------------------------===//

/// Where columns 16 apart are in one word the piece has both.
int64_t ChunkFormat::pieceColumns(unsigned plane) const {
  constexpr int64_t kHalf = 16;
  const FieldPlace &place = places[plane];
  return place.at(kHalf) / 32 == place.at(0) / 32 ? 2 * kHalf : kHalf;
}

/// Bytes 0 and 1, then 2 and 3, of a word of quants plus `zero` become two
/// pairs of f16, as in `pairs`.
Values ChunkFormat::sixteen(ImplicitLocOpBuilder &b, ArrayRef<Value> pieces,
                            Value half) const {
  constexpr uint32_t kMagic = 0x64646464;
  constexpr double kMagicValue = 1024;
  constexpr int64_t kGroups = 4, kHalf = 16;
  const bool isTable = !first().table.empty();
  auto type = VectorType::get({2}, b.getF16Type());
  auto away = static_cast<float>(facts.quantRange().first - kMagicValue);
  Value zeroed = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, b.getF16FloatAttr(away).getValue()));
  half = arith::IndexCastOp::create(b, b.getI32Type(), half);
  // Brings the half of a piece to where the first one is.
  auto shifted = [&](unsigned plane, int64_t number) {
    Value word = pieces[plane];
    if (isa<VectorType>(word.getType()))
      word = vector::ExtractOp::create(b, word, number);
    if (pieceColumns(plane) == kHalf || isTable)
      return word;
    auto apart = static_cast<uint32_t>(places[plane].at(kHalf));
    return arith::ShRUIOp::create(b, word,
                                  arith::MulIOp::create(b, half, i32(b, apart)))
        .getResult();
  };
  auto pairOf = [&](Value word, Value which) -> Value {
    Value bits = PermuteBytesOp::create(b, word, i32(b, kMagic), which);
    Value one = vector::BroadcastOp::create(
        b, VectorType::get({1}, b.getI32Type()), bits);
    return arith::AddFOp::create(b, vector::BitCastOp::create(b, type, one),
                                 zeroed);
  };
  auto fourOf = [&](Value low, Value high) -> Value {
    return vector::ShuffleOp::create(b, low, high,
                                     ArrayRef<int64_t>{0, 1, 2, 3});
  };
  Values groups;
  for (int64_t group = 0; group < kGroups; ++group) {
    if (isTable) {
      // Of two bytes at a time a look-up gives the nibbles of both halves.
      Value word = shifted(0, places[0].at(4 * group) / 32);
      Value which = arith::AddIOp::create(
          b, i32(b, 0x4240), arith::MulIOp::create(b, half, i32(b, 0x0101)));
      Value low = pairOf(lookUpNibbles(b, facts, word), which);
      word = arith::ShRUIOp::create(b, word, i32(b, 16));
      groups.push_back(
          fourOf(low, pairOf(lookUpNibbles(b, facts, word), which)));
      continue;
    }
    Value word;
    unsigned width = 0;
    for (unsigned plane = 0; plane < places.size(); ++plane) {
      unsigned bits = facts.planes[plane].bits;
      int64_t at = places[plane].at(4 * group);
      Value field = shifted(plane, at / 32);
      if (bits < 8) {
        field = shiftBetween(b, field, at % 8, width);
        field = arith::AndIOp::create(
            b, field, i32(b, 0x01010101u * (((1u << bits) - 1) << width)));
      } else if (first().type == FieldType::Signed) {
        field = arith::XOrIOp::create(b, field, i32(b, 0x80808080));
      }
      word = word ? arith::OrIOp::create(b, word, field).getResult() : field;
      width += bits;
    }
    groups.push_back(
        fourOf(pairOf(word, i32(b, 0x4140)), pairOf(word, i32(b, 0x4342))));
  }
  return groups;
}

//===----------------------------------------------------------------------===//
// One value
//===----------------------------------------------------------------------===//

/// The field of a column: the byte it is in as i32, shifted and masked.
static Value fieldOf(ImplicitLocOpBuilder &b, const PlaneRow &row,
                     const FieldPlace &place, unsigned bits, Value column) {
  tile::IndexBuilder math(b);
  Value at = row.first, shift = math.index(0);
  for (const llama::Stride &stride : place.strides) {
    Value digit = math.div(column, stride.columns);
    if (stride.count != 0)
      digit = math.rem(digit, stride.count);
    if (stride.bits % 8 == 0)
      at = math.add(at, math.mul(digit, stride.bits / 8));
    else
      shift = math.add(shift, math.mul(digit, stride.bits));
  }
  Value byte = memref::LoadOp::create(b, row.memory, ValueRange{at});
  Value word = arith::ExtUIOp::create(b, b.getI32Type(), byte);
  Value by = arith::IndexCastOp::create(b, b.getI32Type(), shift);
  word = arith::ShRUIOp::create(b, word, by);
  return arith::AndIOp::create(b, word, i32(b, (1u << bits) - 1));
}

Value ChunkFormat::quant(ImplicitLocOpBuilder &b, ArrayRef<PlaneRow> planes,
                         Value column) const {
  if (first().type != FieldType::Unsigned) {
    Value at = arith::AddIOp::create(b, planes[0].first, column);
    Value x = memref::LoadOp::create(b, planes[0].memory, ValueRange{at});
    if (x.getType().isF32())
      return x;
    if (isa<FloatType>(x.getType()))
      return arith::ExtFOp::create(b, b.getF32Type(), x);
    return arith::SIToFPOp::create(b, b.getF32Type(), x);
  }
  Value word;
  unsigned width = 0;
  for (auto [number, place] : llvm::enumerate(places)) {
    unsigned bits = facts.planes[number].bits;
    Value field = shiftBetween(
        b, fieldOf(b, planes[number], place, bits, column), 0, width);
    word = word ? arith::OrIOp::create(b, word, field).getResult() : field;
    width += bits;
  }
  if (!first().table.empty())
    word = lookUpNibbles(b, facts, word);
  return floatOfByte(b, word, 0, zero());
}
