//===- LlamaLayouts.cpp - where each layout keeps each field --------------===//
//
// `byteSize` and `locate` of every layout: the definition against which
// packing, reading back and the loads of code generation are tested.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::llama;

/// The product of all, or failure where it overflows.
static FailureOr<uint64_t> product(std::initializer_list<uint64_t> factors) {
  uint64_t all = 1;
  for (uint64_t factor : factors) {
    std::optional<uint64_t> next = llvm::checkedMulUnsigned(all, factor);
    if (!next)
      return failure();
    all = *next;
  }
  return all;
}

static int64_t blocksOf(FormatInterface format, int64_t columns) {
  return llvm::divideCeil(columns, format.getBlock());
}

//===----------------------------------------------------------------------===//
// rowmajor: the checkpoint's own bytes
//===----------------------------------------------------------------------===//

LogicalResult RowMajorAttr::accepts(FormatInterface, int64_t, int64_t,
                                    std::string &) const {
  return success();
}

FailureOr<uint64_t> RowMajorAttr::byteSize(FormatInterface format, int64_t rows,
                                           int64_t columns) const {
  return product({uint64_t(rows), uint64_t(blocksOf(format, columns)),
                  uint64_t(format.getBlockBytes())});
}

BitPosition RowMajorAttr::locate(FormatInterface format, int64_t,
                                 int64_t columns, unsigned plane, int64_t row,
                                 int64_t column) const {
  uint64_t block = row * blocksOf(format, columns) + column / format.getBlock();
  BitPosition inside = format.locateInBlock(plane, column % format.getBlock());
  return {block * format.getBlockBytes() + inside.byte, inside.bit};
}

//===----------------------------------------------------------------------===//
// interleaved16: groups of 16 rows interleaved
//===----------------------------------------------------------------------===//

static constexpr int64_t kGroup = 16;

/// Bytes of one block of columns of a group of 16 rows. Plain numbers have no
/// blocks: there it is `k` columns.
static int64_t groupBlockBytes(FormatInterface format, int64_t k) {
  if (format.getBlock() == 1)
    return kGroup * k * format.getBlockBytes();
  int64_t bits = 0;
  for (const Plane &plane : format.getPlanes())
    bits += kGroup * format.getBlock() / plane.per * plane.bits;
  return bits / 8;
}

static int64_t groupBlockColumns(FormatInterface format, int64_t k) {
  return format.getBlock() == 1 ? k : format.getBlock();
}

LogicalResult Interleaved16Attr::accepts(FormatInterface format, int64_t,
                                         int64_t, std::string &why) const {
  int64_t wanted = 4;
  if (isa<F32Attr, F16Attr>(format))
    wanted = 1;
  else if (isa<BF16Attr>(format))
    wanted = 2;
  if (getK() == wanted)
    return success();
  why = ("interleaved16 has k = " + Twine(wanted) + " for " + format.getName() +
         ", found k = " + Twine(getK()))
            .str();
  return failure();
}

FailureOr<uint64_t> Interleaved16Attr::byteSize(FormatInterface format,
                                                int64_t rows,
                                                int64_t columns) const {
  uint64_t groups = llvm::divideCeil(rows, kGroup);
  uint64_t blocks =
      llvm::divideCeil(columns, groupBlockColumns(format, getK()));
  return product({groups, blocks, uint64_t(groupBlockBytes(format, getK()))});
}

/// A byte of a 64-byte vector: row r of the group, byte j of its 32-bit lane.
static uint64_t inVector(uint64_t vector, uint64_t row, uint64_t j) {
  return 64 * vector + 4 * row + j;
}

/// Place of a field inside one block of a group; `row` and `column` are those
/// inside the block.
static BitPosition locateInGroupBlock(FormatInterface format, unsigned plane,
                                      uint64_t row, uint64_t column) {
  if (isa<Q8_0Attr>(format)) {
    if (plane == 1)
      return {2 * row, 0};
    return {32 + inVector(column / 4, row, column % 4), 0};
  }
  if (isa<Q4_0Attr, Q4_1Attr>(format)) {
    bool hasMinimum = format.hasMinimum();
    if (plane == 1)
      return {2 * row, 0};
    if (plane == 2)
      return {32 + 2 * row, 0};
    uint64_t quants = hasMinimum ? 64 : 32, low = column % 16;
    return {quants + inVector(low / 4, row, low % 4), column < 16 ? 0u : 4u};
  }
  // Q6_K: d, scales, then for each 32 columns four vectors of low bits and two
  // of high bits.
  constexpr uint64_t kScales = 32, kQuants = kScales + 256,
                     kPairBytes = uint64_t{6} * 64;
  if (plane == 3)
    return {2 * row, 0};
  if (plane == 2)
    return {kScales + 16 * (column / 16) + row, 0};
  uint64_t pair = kQuants + kPairBytes * (column / 32), c = column % 32;
  if (plane == 0)
    return {pair + inVector(c % 16 / 4, row, c % 4), c < 16 ? 0u : 4u};
  return {pair + 256 + inVector(c / 16, row, c % 4),
          static_cast<unsigned>(2 * (c % 16 / 4))};
}

BitPosition Interleaved16Attr::locate(FormatInterface format, int64_t,
                                      int64_t columns, unsigned plane,
                                      int64_t row, int64_t column) const {
  int64_t blockColumns = groupBlockColumns(format, getK());
  uint64_t blockBytes = groupBlockBytes(format, getK());
  uint64_t blocks = llvm::divideCeil(columns, blockColumns);
  uint64_t base = (row / kGroup * blocks + column / blockColumns) * blockBytes;
  uint64_t r = row % kGroup, c = column % blockColumns;
  if (format.getBlock() == 1)
    return {base + (r * getK() + c) * format.getBlockBytes(), 0};
  BitPosition inside = locateInGroupBlock(format, plane, r, c);
  return {base + inside.byte, inside.bit};
}

//===----------------------------------------------------------------------===//
// rowmajor_split: a region a plane
//===----------------------------------------------------------------------===//

/// Bytes of one row of a plane, padded to 16.
static uint64_t planeRowBytes(const Plane &plane, int64_t columns) {
  uint64_t fields = llvm::divideCeil(columns, plane.per);
  return llvm::alignTo(llvm::divideCeil(fields * plane.bits, 8), 16);
}

LogicalResult RowMajorSplitAttr::accepts(FormatInterface, int64_t, int64_t,
                                         std::string &) const {
  return success();
}

FailureOr<uint64_t> RowMajorSplitAttr::byteSize(FormatInterface format,
                                                int64_t rows,
                                                int64_t columns) const {
  uint64_t row = 0;
  for (const Plane &plane : format.getPlanes())
    row += planeRowBytes(plane, columns);
  return product({uint64_t(rows), row});
}

BitPosition RowMajorSplitAttr::locate(FormatInterface format, int64_t rows,
                                      int64_t columns, unsigned plane,
                                      int64_t row, int64_t column) const {
  ArrayRef<Plane> planes = format.getPlanes();
  uint64_t region = 0;
  for (unsigned p = 0; p < plane; ++p)
    region += rows * planeRowBytes(planes[p], columns);
  region += row * planeRowBytes(planes[plane], columns);
  // One load brings columns side by side.
  if (isa<Q6_KAttr>(format) && plane < 2) {
    uint64_t block = column / 32, half = column % 32 / 16, c = column % 16;
    if (plane == 0)
      return {region + 16 * block + c, static_cast<unsigned>(4 * half)};
    return {region + 8 * block + 4 * half + c % 4,
            static_cast<unsigned>(2 * (c / 4))};
  }
  // Fields of a plane in the order of the checkpoint's block: those of one
  // block, less what the planes before it take there.
  int64_t block = column / format.getBlock(), c = column % format.getBlock();
  uint64_t first = UINT64_MAX;
  for (int64_t i = 0; i < format.getBlock(); i += planes[plane].per)
    first = std::min(first, format.locateInBlock(plane, i).byte);
  BitPosition inside = format.locateInBlock(plane, c);
  uint64_t blockBytes = llvm::divideCeil(
      format.getBlock() / planes[plane].per * planes[plane].bits, 8);
  return {region + block * blockBytes + inside.byte - first, inside.bit};
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

static FailureOr<uint64_t> cacheBytes(KVCacheStrides strides, CacheType type,
                                      uint64_t capacity) {
  // Elements are of whole bytes: CacheType's verifier.
  return product({uint64_t(type.getLayers()), uint64_t(type.getHeads()),
                  capacity, uint64_t(strides.perPosition),
                  type.getElementType().getIntOrFloatBitWidth() / 8});
}

KVCacheStrides RowMajorAttr::getStrides(int64_t headSize) const {
  return {int64_t(llvm::alignTo(headSize, kCacheRowMultiple)), /*group=*/1};
}

FailureOr<uint64_t> RowMajorAttr::getCacheBytes(const CacheType &type,
                                                uint64_t capacity) const {
  return cacheBytes(getStrides(type.getHeadSize()), type, capacity);
}

KVCacheStrides KeysInterleaved16Attr::getStrides(int64_t headSize) const {
  return {headSize, /*group=*/16};
}

FailureOr<uint64_t>
KeysInterleaved16Attr::getCacheBytes(const CacheType &type,
                                     uint64_t capacity) const {
  return cacheBytes(getStrides(type.getHeadSize()), type, capacity);
}
