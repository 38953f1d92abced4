//===- LlamaFormats.cpp - the facts of each format ------------------------===//
//
// Block, planes and places of each format, from ggml's block structs (ggml's
// `ggml-common.h`). No number is decoded here: what emits loads is in passes/,
// the evaluator decodes with code of its own.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"

using namespace corellama::llama;

using PlaneList = llvm::ArrayRef<Plane>;

//===----------------------------------------------------------------------===//
// Plain numbers
//===----------------------------------------------------------------------===//

static constexpr Plane kF32Planes[] = {{PlaneKind::Quants, 32, 1}};
static constexpr Plane kHalfPlanes[] = {{PlaneKind::Quants, 16, 1}};

// Sums over k of plain numbers are made in blocks of 32 as well: on a trained
// model their error is about half that of one accumulator over all of k.
static constexpr int64_t kPlainSumBlock = 32;

#define PLAIN_FORMAT(ATTR, NAME, BYTES, PLANES)                                \
  llvm::StringRef ATTR::getName() const { return NAME; }                       \
  int64_t ATTR::getBlock() const { return 1; }                                 \
  int64_t ATTR::getBlockBytes() const { return BYTES; }                        \
  PlaneList ATTR::getPlanes() const { return PLANES; }                         \
  int64_t ATTR::getScaleBlock() const { return kPlainSumBlock; }               \
  bool ATTR::hasScale() const { return false; }                                \
  bool ATTR::hasMinimum() const { return false; }                              \
  BitPosition ATTR::locateInBlock(unsigned, int64_t) const { return {0, 0}; }

PLAIN_FORMAT(F32Attr, "f32", 4, kF32Planes)
PLAIN_FORMAT(F16Attr, "f16", 2, kHalfPlanes)
PLAIN_FORMAT(BF16Attr, "bf16", 2, kHalfPlanes)

//===----------------------------------------------------------------------===//
// Q8_0: f16 scale, 32 x i8
//===----------------------------------------------------------------------===//

static constexpr Plane kQ8_0Planes[] = {{PlaneKind::Quants, 8, 1},
                                        {PlaneKind::Scales, 16, 32}};

llvm::StringRef Q8_0Attr::getName() const { return "q8_0"; }
int64_t Q8_0Attr::getBlock() const { return 32; }
int64_t Q8_0Attr::getBlockBytes() const { return 34; }
PlaneList Q8_0Attr::getPlanes() const { return kQ8_0Planes; }
int64_t Q8_0Attr::getScaleBlock() const { return 32; }
bool Q8_0Attr::hasScale() const { return true; }
bool Q8_0Attr::hasMinimum() const { return false; }
BitPosition Q8_0Attr::locateInBlock(unsigned plane, int64_t column) const {
  if (plane == 0)
    return {static_cast<uint64_t>(2 + column), 0};
  return {0, 0};
}

//===----------------------------------------------------------------------===//
// Q4_0: f16 scale, 32 nibbles. Q4_1: f16 scale, f16 minimum, 32 nibbles
//===----------------------------------------------------------------------===//

/// Byte j has column j in its low and column j + 16 in its high nibble.
static BitPosition locateNibble(uint64_t quants, int64_t column) {
  return {quants + static_cast<uint64_t>(column % 16), column < 16 ? 0u : 4u};
}

static constexpr Plane kQ4_0Planes[] = {{PlaneKind::Quants, 4, 1},
                                        {PlaneKind::Scales, 16, 32}};

llvm::StringRef Q4_0Attr::getName() const { return "q4_0"; }
int64_t Q4_0Attr::getBlock() const { return 32; }
int64_t Q4_0Attr::getBlockBytes() const { return 18; }
PlaneList Q4_0Attr::getPlanes() const { return kQ4_0Planes; }
int64_t Q4_0Attr::getScaleBlock() const { return 32; }
bool Q4_0Attr::hasScale() const { return true; }
bool Q4_0Attr::hasMinimum() const { return false; }
BitPosition Q4_0Attr::locateInBlock(unsigned plane, int64_t column) const {
  if (plane == 0)
    return locateNibble(2, column);
  return {0, 0};
}

static constexpr Plane kQ4_1Planes[] = {{PlaneKind::Quants, 4, 1},
                                        {PlaneKind::Scales, 16, 32},
                                        {PlaneKind::Minima, 16, 32}};

llvm::StringRef Q4_1Attr::getName() const { return "q4_1"; }
int64_t Q4_1Attr::getBlock() const { return 32; }
int64_t Q4_1Attr::getBlockBytes() const { return 20; }
PlaneList Q4_1Attr::getPlanes() const { return kQ4_1Planes; }
int64_t Q4_1Attr::getScaleBlock() const { return 32; }
bool Q4_1Attr::hasScale() const { return true; }
bool Q4_1Attr::hasMinimum() const { return true; }
BitPosition Q4_1Attr::locateInBlock(unsigned plane, int64_t column) const {
  if (plane == 0)
    return locateNibble(4, column);
  return {plane == 1 ? 0u : 2u, 0};
}

//===----------------------------------------------------------------------===//
// Q6_K: ql[128], qh[64], 16 x i8 scales, f16 d
//===----------------------------------------------------------------------===//

static constexpr Plane kQ6_KPlanes[] = {{PlaneKind::Quants, 4, 1},
                                        {PlaneKind::HighBits, 2, 1},
                                        {PlaneKind::Scales, 8, 16},
                                        {PlaneKind::SuperScales, 16, 256}};

llvm::StringRef Q6_KAttr::getName() const { return "q6_k"; }
int64_t Q6_KAttr::getBlock() const { return 256; }
int64_t Q6_KAttr::getBlockBytes() const { return 210; }
PlaneList Q6_KAttr::getPlanes() const { return kQ6_KPlanes; }
int64_t Q6_KAttr::getScaleBlock() const { return 16; }
bool Q6_KAttr::hasScale() const { return true; }
bool Q6_KAttr::hasMinimum() const { return false; }
BitPosition Q6_KAttr::locateInBlock(unsigned plane, int64_t column) const {
  // column = 128 half + 32 quarter + i
  uint64_t half = column / 128, quarter = column / 32 % 4, i = column % 32;
  switch (plane) {
  case 0:
    return {64 * half + 32 * (quarter % 2) + i, quarter < 2 ? 0u : 4u};
  case 1:
    return {128 + 32 * half + i, static_cast<unsigned>(2 * quarter)};
  case 2:
    return {192 + static_cast<uint64_t>(column / 16), 0};
  default:
    return {208, 0};
  }
}
