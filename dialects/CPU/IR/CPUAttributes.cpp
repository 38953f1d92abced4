//===- CPUAttributes.cpp - strategies and units of a CPU ------------------===//
//
// The facts of each unit, and what a strategy answers of its tile.
//
//===----------------------------------------------------------------------===//

#include "dialects/CPU/IR/CPUDialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;

#define GET_ATTRDEF_CLASSES
#include "dialects/CPU/IR/CPUAttributes.cpp.inc"

void CPUDialect::registerAttributes() {
#ifndef __clang_analyzer__ // It takes a pointer that MLIR keeps for a leak.
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/CPU/IR/CPUAttributes.cpp.inc"
      >();
#endif
}

//===----------------------------------------------------------------------===//
// Target and strategy
//===----------------------------------------------------------------------===//

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringRef name, StringRef,
                                 int64_t vectorBits) {
  if (llvm::is_contained({128, 256, 512}, vectorBits))
    return success();
  return emitError() << "'" << name << "' has vectors of " << vectorBits
                     << " bits, expected 128, 256 or 512";
}

/// What is fetched ahead has to stay in a first-level cache until it is read.
static constexpr int64_t kMostPrefetched = 16384;

LogicalResult StrategyAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   llama::ContractionUnitInterface unit,
                                   int64_t m, int64_t n, int64_t sums,
                                   int64_t prefetch) {
  if (!isa<CPUDialect>(unit.getDialect()))
    return emitError() << "the unit of a CPU's strategy is one of #cpu, found "
                       << unit;
  if (m < 1 || n < 1 || sums < 1)
    return emitError() << "a tile of a CPU is of 1 row, 1 column and 1 sum at "
                          "least, found "
                       << m << " x " << n << ", " << sums << " sums";
  if (prefetch < 0 || prefetch > kMostPrefetched)
    return emitError() << "a weight is fetched 0 to " << kMostPrefetched
                       << " bytes ahead, found " << prefetch;
  return success();
}

/// All rows of the tile are in one core's registers.
int64_t StrategyAttr::getValueGroups(int64_t rows) const {
  return std::max<int64_t>(1, getSums() / rows);
}

Attribute StrategyAttr::getPlain() const {
  return get(getContext(), getUnit(), /*m=*/1, /*n=*/llama::kInterleavedRows,
             /*sums=*/1, /*prefetch=*/0);
}

/// Whether a step of the loops over k has one scale or several.
static bool hasShortScaleBlocks(llama::FormatInterface format) {
  return kColumnBlock % format.getScaleBlock() == 0;
}

//===----------------------------------------------------------------------===//
// #cpu.fma
//===----------------------------------------------------------------------===//

Type FmaAttr::getRowsType() const { return Float32Type::get(getContext()); }

Attribute FmaAttr::getOrder(llama::FormatInterface format) const {
  if (!hasShortScaleBlocks(format))
    return {};
  return llama::ReductionOrderAttr::get(
      getContext(), *this, format.getScaleBlock(),
      format.hasScale() ? llama::ScaleMode::Outer : llama::ScaleMode::None,
      /*lanes=*/0);
}

ArrayRef<StringLiteral> FmaAttr::getFeatures() const {
  static constexpr StringLiteral kFeatures[] = {"avx2", "fma"};
  return kFeatures;
}

/// Converting is as much work as multiplying, so it is done once a call.
bool FmaAttr::usesPanels(llama::FormatInterface, int64_t, int64_t,
                         llama::TargetInterface) const {
  return true;
}

/// A core would make the sums again for each group of weight rows.
bool FmaAttr::needsBlockSums(llama::FormatInterface format) const {
  return format.hasMinimum();
}

//===----------------------------------------------------------------------===//
// #cpu.dot_u8s8
//===----------------------------------------------------------------------===//

LogicalResult DotU8S8Attr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t digits) {
  if (digits != 1 && digits != 3)
    return emitError() << "reads rows of one digit (q8b32) or three (x24b32), "
                          "found digits = "
                       << digits;
  return success();
}

Type DotU8S8Attr::getRowsType() const {
  if (getDigits() == 1)
    return llama::Q8B32Type::get(getContext());
  return llama::X24B32Type::get(getContext());
}

Attribute DotU8S8Attr::getOrder(llama::FormatInterface format) const {
  if (!format.hasScale() || !hasShortScaleBlocks(format))
    return {};
  return llama::ReductionOrderAttr::get(getContext(), *this,
                                        format.getScaleBlock(),
                                        llama::ScaleMode::Outer, /*lanes=*/0);
}

/// What every form of its code needs; the forms' own features decide between
/// them.
ArrayRef<StringLiteral> DotU8S8Attr::getFeatures() const {
  static constexpr StringLiteral kFeatures[] = {"avx2", "fma"};
  return kFeatures;
}

bool cpu::hasByteDot(llama::TargetInterface target) {
  return llama::hasFeature(target, "avxvnni") ||
         (llama::hasFeature(target, "avx512vnni") &&
          llama::hasFeature(target, "avx512vl"));
}

bool cpu::addsBytePairs(const llama::FormatFacts &facts) {
  auto [least, greatest] = facts.quantRange();
  return (greatest - least) * 2 * 127 <= INT16_MAX;
}

/// Matrices read bytes from memory, row by row. Vectors unpack quants in
/// registers: in one plane they are bytes after a shift and a mask, 8
/// instructions of 116 in a block of 32 columns by 8 rows of x (512 bits);
/// those in several are put together by some 40. Tiles of several groups are
/// for CPUs on which these 8 would take time of the products. Without vpdpbusd,
/// quants of 8 bits are multiplied as two halves of 4; three digits of x leave
/// no registers for the sums of both.
bool DotU8S8Attr::usesPanels(llama::FormatInterface format, int64_t m,
                             int64_t n, llama::TargetInterface target) const {
  const llama::FormatFacts &facts = format.getFacts();
  return m % kMatrixRows == 0 || n > llama::kInterleavedRows ||
         facts.planesOf(llama::PlaneKind::Quants).size() > 1 ||
         (getDigits() == 1 && !addsBytePairs(facts) && !hasByteDot(target));
}

//===----------------------------------------------------------------------===//
// #cpu.dot_bf16
//===----------------------------------------------------------------------===//

Type DotBF16Attr::getRowsType() const {
  return BFloat16Type::get(getContext());
}

/// Other numbers would have to be rounded, and weights never are.
Attribute DotBF16Attr::getOrder(llama::FormatInterface format) const {
  if (!isa<llama::BF16Attr>(format))
    return {};
  return llama::ReductionOrderAttr::get(getContext(), *this, /*block=*/2,
                                        llama::ScaleMode::None, /*lanes=*/0);
}

ArrayRef<StringLiteral> DotBF16Attr::getFeatures() const {
  static constexpr StringLiteral kFeatures[] = {"avx512bf16"};
  return kFeatures;
}

//===----------------------------------------------------------------------===//
// #cpu.amx_bf16
//===----------------------------------------------------------------------===//

Type AMXBF16Attr::getRowsType() const {
  return BFloat16Type::get(getContext());
}

/// As #cpu.dot_bf16.
Attribute AMXBF16Attr::getOrder(llama::FormatInterface format) const {
  if (!isa<llama::BF16Attr>(format))
    return {};
  return llama::ReductionOrderAttr::get(getContext(), *this, kColumnBlock,
                                        llama::ScaleMode::None, /*lanes=*/0);
}

/// Those of matrices, and of the vectors that compute few rows.
ArrayRef<StringLiteral> AMXBF16Attr::getFeatures() const {
  static constexpr StringLiteral kFeatures[] = {"amx-tile", "amx-bf16",
                                                "avx512bf16"};
  return kFeatures;
}
