//===- CUDAAttributes.cpp - the facts of a GPU's strategies and units -----===//
//
// What each unit reads, sums and needs, and what a strategy says of its tile.
//
//===----------------------------------------------------------------------===//

#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cuda;

#define GET_ATTRDEF_CLASSES
#include "dialects/CUDA/IR/CUDAAttributes.cpp.inc"

void CUDADialect::registerAttributes() {
#ifndef __clang_analyzer__ // it reports a pointer that MLIR owns as a leak
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/CUDA/IR/CUDAAttributes.cpp.inc"
      >();
#endif
}

//===----------------------------------------------------------------------===//
// Strategy
//===----------------------------------------------------------------------===//

LogicalResult StrategyAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                   llama::ContractionUnitInterface unit,
                                   int64_t threads, int64_t m, int64_t n,
                                   int64_t k, int64_t stages) {
  if (!isa<CUDADialect>(unit.getDialect()))
    return emitError() << "the unit of a GPU's strategy is one of #cuda, found "
                       << unit;
  // CUDA's limit; whole warps, and a tree adds a power of two of values.
  if (threads < 32 || threads > 1024 || !llvm::isPowerOf2_64(threads))
    return emitError() << "a block of a GPU has a power of two of threads, 32 "
                          "to 1024, found "
                       << threads;
  if (m < 1 || n < 0 || k < 0 || stages < 1)
    return emitError() << "a tile of a GPU is of 1 row and 0 columns at least, "
                          "in 1 stage of depth 0 at least";
  return success();
}

/// A tile is spread over threads: each thread holds its own elements only, so
/// 16 groups fit for any number of rows; of tensor cores a tile of n columns,
/// so that a block's sums are not all there beside those of the blocks before.
int64_t StrategyAttr::getValueGroups(int64_t) const {
  return isa<MmaAttr>(getUnit()) ? getN() / 16 : 16;
}

//===----------------------------------------------------------------------===//
// Units
//===----------------------------------------------------------------------===//

static llama::ScaleMode scaleOf(llama::FormatInterface format) {
  return format.hasScale() ? llama::ScaleMode::Outer : llama::ScaleMode::None;
}

Type SimtAttr::getRowsType() const { return Float32Type::get(getContext()); }

Attribute SimtAttr::getOrder(llama::FormatInterface format) const {
  int64_t columns = kChunkBytes * 8 / format.getPlanes().front().bits;
  return llama::ReductionOrderAttr::get(getContext(), *this, columns,
                                        scaleOf(format), kWarp);
}

Type MmaSplitAttr::getRowsType() const {
  return Float32Type::get(getContext());
}

/// Integers of up to 8 bits fit an f16. Tables are left out because a look-up
/// costs what the tensor cores save, more scales because their sums take more
/// registers than there are. Minima multiply the sum of a block of 32 columns.
Attribute MmaSplitAttr::getOrder(llama::FormatInterface format) const {
  const llama::FormatFacts &facts = format.getFacts();
  const llama::Plane &first = facts.planes.front();
  if (!format.hasScale() || !first.table.empty() || first.isFloat())
    return {};
  int64_t columns = kChunkBytes * 8 / first.bits, block = facts.scaleBlock();
  if (columns > 2 * block ||
      (format.hasMinimum() && (block != kMmaBlock || columns != block)))
    return {};
  return llama::ReductionOrderAttr::get(getContext(), *this, columns,
                                        scaleOf(format), kWarp);
}

LogicalResult MmaAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                              Type rows) {
  if (rows && !rows.isBF16())
    return emitError() << "tensor cores read rows of f16, which is not "
                          "written, or of bf16, found "
                       << rows;
  return success();
}

Type MmaAttr::getRowsType() const {
  return getRows() ? getRows() : Float16Type::get(getContext());
}

/// Integers of up to 8 bits fit the eleven of an f16. A block of 16 columns is
/// one cuda.mma, one of 32 a stage.
Attribute MmaAttr::getOrder(llama::FormatInterface format) const {
  const llama::FormatFacts &facts = format.getFacts();
  llama::FieldType type = facts.planes.front().type,
                   plain = getRows() ? llama::FieldType::BF16
                                     : llama::FieldType::F16;
  const int64_t block = facts.scaleBlock();
  if (format.hasScale()
          ? getRows() || (block != kMmaBlock && block != kMmaDepth)
          : type != plain)
    return {};
  return llama::ReductionOrderAttr::get(getContext(), *this, block,
                                        scaleOf(format), /*lanes=*/0);
}
