//===- WeightLoads.cpp - where a weight's numbers are on a GPU ------------===//
//
// tile -> vector: addresses of the planes of a weight in `rowmajor_split`, its
// scales and minima, single values, and chunks of a lane. A file apart from the
// units, because products and tile.decode read the same planes.
//
//===----------------------------------------------------------------------===//

#include "passes/CUDA/CUDAKernel.h"
#include "passes/CUDA/WeightChunks.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::cuda::ChunkFormat;
using corellama::cuda::ChunkWords;
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

/// Number `at` of a row of a plane that has numbers of type `element`.
Value CUDAKernel::loadOfPlane(const Weight &weight, unsigned plane,
                              Type element, Value row, Value at) {
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  Value memory = planeOf(weight, plane, element);
  return load(memory, {add(mul(row, planeStride(weight, plane) / bytes), at)});
}

/// Scale blocks that share a number of the plane.
static int64_t blocksOf(llama::FormatInterface format,
                        const llama::Plane &plane) {
  return plane.per / format.getScaleBlock();
}

SmallVector<Value> CUDAKernel::loadLevels(const Weight &weight,
                                          llama::PlaneKind kind, Value row,
                                          Value block) {
  llama::FormatInterface format = weight.type.getFormat();
  Vec<Value> fields;
  for (unsigned plane : format.getFacts().planesOf(kind)) {
    const llama::Plane &field = format.getPlanes()[plane];
    int64_t numbers = blocksOf(format, field);
    // Fields narrower than a byte share one.
    if (field.imageBits() < 8)
      numbers *= 8 / field.imageBits();
    Type type = field.isFloat() ? Type(b.getF16Type()) : b.getI8Type();
    fields.push_back(loadOfPlane(weight, plane, type, row,
                                 numbers == 1 ? block : div(block, numbers)));
  }
  return fields;
}

/// A byte has 8 significant bits and an f16 has 11, so the product is exact in
/// float32.
Value CUDAKernel::decodeLevels(const Weight &weight, llama::PlaneKind kind,
                               ValueRange fields, Value block) {
  llama::FormatInterface format = weight.type.getFormat();
  Type f32 = b.getF32Type(), word = b.getI32Type();
  Value product;
  for (auto [plane, loaded] :
       llvm::zip_equal(format.getFacts().planesOf(kind), fields)) {
    const llama::Plane &field = format.getPlanes()[plane];
    Value level;
    if (field.isFloat()) {
      level = arith::ExtFOp::create(b, f32, loaded);
    } else if (field.type == llama::FieldType::Signed) {
      level = cuda::floatOfSigned(b, arith::ExtUIOp::create(b, word, loaded));
    } else if (field.type == llama::FieldType::Exponent) {
      level = cuda::decodeExponent(b, arith::ExtUIOp::create(b, word, loaded));
    } else {
      int64_t bits = field.imageBits(), shared = 8 / bits;
      Value number = arith::ExtUIOp::create(b, word, loaded);
      if (shared > 1) {
        int64_t blocks = blocksOf(format, field);
        Value at = blocks == 1 ? block : div(block, blocks);
        Value by =
            arith::IndexCastOp::create(b, word, mul(rem(at, shared), bits));
        number = arith::AndIOp::create(b, arith::ShRUIOp::create(b, number, by),
                                       i32((1u << bits) - 1));
      }
      if (field.bias)
        number = arith::AddIOp::create(b, number,
                                       i32(static_cast<uint32_t>(field.bias)));
      level = arith::SIToFPOp::create(b, f32, number);
    }
    product =
        product ? arith::MulFOp::create(b, product, level).getResult() : level;
  }
  if (kind == llama::PlaneKind::Minima && format.getFacts().subtractsMinima)
    product = arith::NegFOp::create(b, product);
  return product;
}

Value CUDAKernel::loadScale(const Weight &weight, Value row, Value block) {
  constexpr auto kind = llama::PlaneKind::Scales;
  return decodeLevels(weight, kind, loadLevels(weight, kind, row, block),
                      block);
}

Value CUDAKernel::loadMinimum(const Weight &weight, Value row, Value block) {
  constexpr auto kind = llama::PlaneKind::Minima;
  return decodeLevels(weight, kind, loadLevels(weight, kind, row, block),
                      block);
}

Value CUDAKernel::decodeValue(const Weight &weight, Value row, Value column) {
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat chunks(format);
  Type storage = chunks.storage(b.getContext());
  SmallVector<PlaneRow> planes;
  for (unsigned plane = 0; plane < (chunks.highBytes() ? 2u : 1u); ++plane)
    planes.push_back({planeOf(weight, plane, storage),
                      mul(row, planeStride(weight, plane) * 8 /
                                   storage.getIntOrFloatBitWidth())});
  Value value = chunks.quant(b, planes, column);
  if (!format.hasScale())
    return value;
  Value number = div(column, format.getScaleBlock());
  value = arith::MulFOp::create(b, loadScale(weight, row, number), value);
  if (!format.hasMinimum())
    return value;
  return arith::AddFOp::create(b, value, loadMinimum(weight, row, number));
}

//===----------------------------------------------------------------------===//
// Chunks of a lane
//===----------------------------------------------------------------------===//

int64_t CUDAKernel::chainsOf(llama::FormatInterface format) {
  int64_t columns = ChunkFormat(format).columns();
  return format.hasScale()
             ? std::max<int64_t>(1, columns / format.getScaleBlock())
             : 1;
}

CUDAKernel::WeightRows CUDAKernel::rowsOfWeight(const Weight &weight,
                                                ArrayRef<Value> numbers,
                                                int64_t tile) {
  WeightRows found;
  found.weight = weight;
  for (Value number : numbers) {
    if (weight.type.getRows() % tile != 0)
      number = minimum(number, weight.type.getRows() - 1);
    found.numbers.push_back(number);
    found.starts.push_back(mul(number, planeStride(weight, 0)));
  }
  return found;
}

CUDAKernel::LoadedChunks CUDAKernel::loadChunks(const WeightRows &from,
                                                Value chunk) {
  const Weight &weight = from.weight;
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat chunks(format);
  const int64_t chains = chainsOf(format);
  LoadedChunks loaded;
  for (auto [start, number] : llvm::zip_equal(from.starts, from.numbers)) {
    ChunkWords words;
    words.quants = LoadWeightOp::create(b, weight.memory,
                                        add(start, mul(chunk, kChunkBytes)));
    if (int64_t bytes = chunks.highBytes()) {
      Type own = b.getIntegerType(8 * bytes);
      words.high = vector::BroadcastOp::create(
          b, VectorType::get({1}, own),
          loadOfPlane(weight, 1, own, number, chunk));
      words.high = vector::BitCastOp::create(
          b, VectorType::get({bytes / 4}, b.getI32Type()), words.high);
    }
    loaded.words.push_back(words);
  }
  if (!format.hasScale())
    return loaded;
  for (int64_t c = 0; c < chains; ++c) {
    Value block = chains == 1
                      ? div(chunk, format.getScaleBlock() / chunks.columns())
                      : add(mul(chunk, chains), c);
    for (Value number : from.numbers) {
      loaded.scales.push_back(loadScale(weight, number, block));
      if (format.hasMinimum())
        loaded.minima.push_back(loadMinimum(weight, number, block));
    }
  }
  return loaded;
}
