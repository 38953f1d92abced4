//===- WeightLoads.cpp - where a weight's numbers are on a GPU ------------===//
//
// tile -> vector: addresses of the planes of a weight in `rowmajor_split`, its
// scales and minima, and single values. Apart from the units, because products
// and tile.decode read the same planes.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/WeightChunks.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::CUDAKernel;
using corellama::cuda::PlaneRow;

uint64_t CUDAKernel::planeOffset(const Weight &weight, unsigned plane,
                                 int64_t row) {
  auto layout = cast<llama::LayoutInterface>(
      Attribute(llama::RowMajorSplitAttr::get(b.getContext())));
  return layout
      .locate(weight.type.getFormat(), weight.type.getRows(),
              weight.type.getColumns(), plane, row, 0)
      .byte;
}

int64_t CUDAKernel::planeStride(const Weight &weight, unsigned plane) {
  return planeOffset(weight, plane, 1) - planeOffset(weight, plane, 0);
}

Value CUDAKernel::planeOf(const Weight &weight, unsigned plane, Type element) {
  return view(weight.pointer, add(weight.at, planeOffset(weight, plane, 0)),
              global({ShapedType::kDynamic}, element));
}

static unsigned planeOfKind(llama::FormatInterface format,
                            llama::PlaneKind kind) {
  ArrayRef<llama::Plane> planes = format.getPlanes();
  const auto *found = llvm::find_if(
      planes, [&](const llama::Plane &plane) { return plane.kind == kind; });
  return static_cast<unsigned>(found - planes.begin());
}

/// Number `at` of a row of a plane that has numbers of type `element`.
Value CUDAKernel::loadOfPlane(const Weight &weight, unsigned plane,
                              Type element, Value row, Value at) {
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  return load(planeOf(weight, plane, element),
              {add(mul(row, planeStride(weight, plane) / bytes), at)});
}

Value CUDAKernel::loadScale(const Weight &weight, Value row, Value block) {
  llama::FormatInterface format = weight.type.getFormat();
  Type f16 = b.getF16Type(), f32 = b.getF32Type();
  unsigned plane = planeOfKind(format, llama::PlaneKind::Scales);
  unsigned superPlane = planeOfKind(format, llama::PlaneKind::SuperScales);
  if (superPlane == format.getPlanes().size())
    return arith::ExtFOp::create(b, f32,
                                 loadOfPlane(weight, plane, f16, row, block));
  // A signed byte times a half: 7 and 11 bits, so float32 has the product.
  Value scale = loadOfPlane(weight, plane, b.getI8Type(), row, block);
  int64_t blocks = format.getPlanes()[superPlane].per / format.getScaleBlock();
  Value factor = loadOfPlane(weight, superPlane, f16, row, div(block, blocks));
  return arith::MulFOp::create(b, arith::SIToFPOp::create(b, f32, scale),
                               arith::ExtFOp::create(b, f32, factor));
}

Value CUDAKernel::loadMinimum(const Weight &weight, Value row, Value block) {
  unsigned plane =
      planeOfKind(weight.type.getFormat(), llama::PlaneKind::Minima);
  return arith::ExtFOp::create(
      b, b.getF32Type(),
      loadOfPlane(weight, plane, b.getF16Type(), row, block));
}

Value CUDAKernel::decodeValue(const Weight &weight, Value row, Value column) {
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat *chunks = ChunkFormat::get(format);
  Type storage = chunks->storage(b.getContext());
  SmallVector<PlaneRow> planes;
  for (unsigned plane = 0; plane < (chunks->highChunks() ? 2u : 1u); ++plane)
    planes.push_back({planeOf(weight, plane, storage),
                      mul(row, planeStride(weight, plane) * 8 /
                                   storage.getIntOrFloatBitWidth())});
  Value value = chunks->quant(b, planes, column);
  if (!format.hasScale())
    return value;
  Value number = div(column, format.getScaleBlock());
  value = arith::MulFOp::create(b, loadScale(weight, row, number), value);
  if (!format.hasMinimum())
    return value;
  return arith::AddFOp::create(b, value, loadMinimum(weight, row, number));
}
