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

LogicalResult RowMajorAttr::accepts(FormatInterface format, int64_t, int64_t,
                                    std::string &why) const {
  for (const Plane &plane : format.getPlanes())
    if (plane.pieces[1].bits != 0) {
      why = ("rowmajor has fields in one piece, a checkpoint's " +
             format.getName() + " has some in two")
                .str();
      return failure();
    }
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
  BitPosition inside =
      format.getFacts().locate(plane, column % format.getBlock()).front().from;
  return {block * format.getBlockBytes() + inside.byte, inside.bit};
}

//===----------------------------------------------------------------------===//
// The index of a field among the fields of its plane
//===----------------------------------------------------------------------===//

/// The index of the quant of `column` among those of one row. Nibbles that
/// share a byte are 16 columns apart, as in the checkpoint's blocks of 32, so
/// that whole bytes are copied. Narrower quants that share a byte are 4 columns
/// apart, so that four neighbouring columns are in four neighbouring bytes.
/// Either way 32 columns of b bits are 4 b bytes.
static BitPosition locateQuant(const Plane &plane, uint64_t column) {
  if (plane.bits >= 8)
    return {column * plane.bits / 8, 0};
  uint64_t apart = plane.bits == 4 ? 16 : 4, shared = 8 / plane.bits;
  return {column / (apart * shared) * apart + column % apart,
          static_cast<unsigned>(column / apart % shared * plane.bits)};
}

/// The place of number `index` of a row of scales or minima whose bytes are
/// `step` apart; fields narrower than a byte share it with their neighbours.
static BitPosition locateScale(const Plane &plane, uint64_t index,
                               uint64_t step) {
  uint64_t bits = plane.imageBits();
  if (bits >= 8)
    return {index * step * (bits / 8), 0};
  return {index * bits / 8 * step, static_cast<unsigned>(index * bits % 8)};
}

//===----------------------------------------------------------------------===//
// interleaved16: groups of 16 rows interleaved
//===----------------------------------------------------------------------===//

static constexpr int64_t kGroup = kInterleavedRows;

/// Columns of a row that are contiguous: as many as fill a lane of 32 bits. One
/// of F16, because one instruction converts 16 contiguous f16.
static int64_t columnsOfLane(FormatInterface format) {
  const Plane &first = format.getPlanes().front();
  return first.type == FieldType::F16 ? 1 : 32 / std::max(first.bits, 8u);
}

Interleaved16Attr Interleaved16Attr::getFor(FormatInterface format) {
  return get(format.getContext(), columnsOfLane(format));
}

/// Bytes of one block of columns of a group of 16 rows. Plain numbers have no
/// blocks: for them it is the bytes of `k` columns.
static int64_t groupBlockBytes(FormatInterface format, int64_t k) {
  if (format.getBlock() == 1)
    return kGroup * k * format.getBlockBytes();
  int64_t bits = 0;
  for (const Plane &plane : format.getPlanes())
    bits += kGroup * format.getBlock() / plane.per * plane.imageBits();
  return bits / 8;
}

static int64_t groupBlockColumns(FormatInterface format, int64_t k) {
  return format.getBlock() == 1 ? k : format.getBlock();
}

LogicalResult Interleaved16Attr::accepts(FormatInterface format, int64_t,
                                         int64_t, std::string &why) const {
  int64_t wanted = columnsOfLane(format);
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

/// Place of a field inside one block of a group; `row` and `column` are those
/// inside the block. Scales and minima come first, those that cover the most
/// columns in front; then, for each 32 columns, the planes of quants, 64 bytes
/// for each bit of their width.
static BitPosition locateInGroupBlock(FormatInterface format, unsigned plane,
                                      uint64_t row, uint64_t column) {
  constexpr uint64_t kColumns = 32, kVector = kGroup * 4;
  ArrayRef<Plane> planes = format.getPlanes();
  const Plane &self = planes[plane];
  bool isQuant = self.kind == PlaneKind::Quants;
  uint64_t scalesBefore = 0, bitsBefore = 0, allBits = 0;
  for (auto [number, other] : llvm::enumerate(planes)) {
    bool isBefore = number < plane;
    if (other.kind == PlaneKind::Quants) {
      allBits += other.bits;
      bitsBefore += isBefore ? other.bits : 0;
    } else if (isQuant || other.per > self.per ||
               (other.per == self.per && isBefore)) {
      scalesBefore +=
          kGroup * format.getBlock() / other.per * other.imageBits() / 8;
    }
  }
  if (!isQuant) {
    uint64_t bytes = std::max(1u, self.imageBits() / 8);
    BitPosition inside = locateScale(self, column / self.per, kGroup);
    return {scalesBefore + inside.byte + bytes * row, inside.bit};
  }
  BitPosition inside = locateQuant(self, column % kColumns);
  return {scalesBefore +
              kVector *
                  (column / kColumns * allBits + bitsBefore + inside.byte / 4) +
              4 * row + inside.byte % 4,
          inside.bit};
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
// rowmajor_split: each plane in a region of its own
//===----------------------------------------------------------------------===//

/// Bytes of one row of a plane, padded to 16.
static uint64_t planeRowBytes(const Plane &plane, int64_t columns) {
  uint64_t fields = llvm::divideCeil(columns, plane.per);
  return llvm::alignTo(llvm::divideCeil(fields * plane.imageBits(), 8), 16);
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
  const Plane &self = planes[plane];
  BitPosition inside = self.kind == PlaneKind::Quants
                           ? locateQuant(self, column)
                           : locateScale(self, column / self.per, 1);
  return {region + inside.byte, inside.bit};
}

//===----------------------------------------------------------------------===//
// The cache
//===----------------------------------------------------------------------===//

/// In groups of `group` positions, `padded` elements each where none share a
/// scale.
static KVCacheStrides stridesOf(int64_t headSize, int64_t padded, int64_t group,
                                Type element) {
  constexpr int64_t kBlock = Q8_0Type::kBlock;
  if (isa<Q8_0Type>(element))
    return {KVCacheStrides::blockBytes(headSize, kBlock), group, kBlock};
  return {padded, group};
}

KVCacheStrides RowMajorAttr::getStrides(int64_t headSize, Type element) const {
  return stridesOf(headSize, llvm::alignTo(headSize, kCacheRowMultiple),
                   /*group=*/1, element);
}

KVCacheStrides KeysInterleaved16Attr::getStrides(int64_t headSize,
                                                 Type element) const {
  return stridesOf(headSize, headSize, /*group=*/16, element);
}

FailureOr<uint64_t>
KVCacheLayoutInterface::getCacheBytes(const CacheType &type, Type element,
                                      uint64_t capacity) const {
  KVCacheStrides strides = getStrides(type.getHeadSize(), element);
  // Strides with scales are in bytes.
  uint64_t unit = strides.block == 0 ? element.getIntOrFloatBitWidth() / 8 : 1;
  return product({uint64_t(type.getLayers()), uint64_t(type.getHeads()),
                  capacity, uint64_t(strides.perPosition), unit});
}
