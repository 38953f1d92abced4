//===- WarpContract.cpp - products, a warp a few rows of the weight -------===//
//
// tile -> vector: the loop over k of a product of one row. The lanes of a warp
// go along k, each 16 bytes of every row of the warp at a time, so that a warp
// reads 512 bytes side by side. A chunk's columns are one chain of fma from +0;
// scaled, it is added to the lane's sum; at the end the 32 lanes are added by a
// tree. That is the order `lanes = 32` of the op, and the bits follow from it.
//
//===----------------------------------------------------------------------===//

#include "passes/GPU/GPUKernel.h"
#include "passes/GPU/WeightChunks.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama;
using corellama::gpu::ChunkFormat;
using corellama::gpu::Fragment;
using corellama::gpu::GPUKernel;
using corellama::gpu::Spread;

/// Loads of 16 bytes that a lane has on their way. An SM of an H100 needs about
/// 30 KB in flight for full bandwidth: with eight a lane one block of 8 warps
/// has 32 KB.
static constexpr int64_t kLoadsInFlight = 8;
/// Columns of x that a lane goes through between loads, at most. Nibbles would
/// have 128 and their x would fill 128 registers, which LLVM keeps from one
/// product to the next: then one block fits an SM, and memory idles in its
/// prologue. With 64 they load four times 16 bytes at once, and three blocks
/// fit.
static constexpr int64_t kColumnsAtOnce = 64;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

uint64_t GPUKernel::planeOffset(const Weight &weight, unsigned plane,
                                int64_t row) {
  auto layout = cast<llama::LayoutInterface>(
      Attribute(llama::RowMajorSplitAttr::get(b.getContext())));
  return layout
      .locate(weight.type.getFormat(), weight.type.getRows(),
              weight.type.getColumns(), plane, row, 0)
      .byte;
}

int64_t GPUKernel::planeStride(const Weight &weight, unsigned plane) {
  return planeOffset(weight, plane, 1) - planeOffset(weight, plane, 0);
}

Value GPUKernel::planeOf(const Weight &weight, unsigned plane, Type element) {
  return view(weight.pointer, add(weight.at, planeOffset(weight, plane, 0)),
              global({ShapedType::kDynamic}, element));
}

Value GPUKernel::loadScale(const Weight &weight, unsigned plane, Value row,
                           Value block) {
  Value memory = planeOf(weight, plane, b.getF16Type());
  Value at = add(mul(row, planeStride(weight, plane) / 2), block);
  return arith::ExtFOp::create(b, b.getF32Type(), load(memory, {at}));
}

Value GPUKernel::decodeValue(const Weight &weight, Value row, Value column) {
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat *chunks = ChunkFormat::get(format);
  Type storage = chunks->storage(b.getContext());
  Value first =
      mul(row, planeStride(weight, 0) * 8 / storage.getIntOrFloatBitWidth());
  Value value = chunks->quant(b, planeOf(weight, 0, storage), first, column);
  if (!format.hasScale())
    return value;
  Value number = div(column, format.getScaleBlock());
  value = arith::MulFOp::create(b, loadScale(weight, 1, row, number), value);
  if (!format.hasMinimum())
    return value;
  return arith::AddFOp::create(b, value, loadScale(weight, 2, row, number));
}

//===----------------------------------------------------------------------===//
// The product
//===----------------------------------------------------------------------===//

Value GPUKernel::writeWarpContract(tile::ContractOp op) {
  std::optional<Fragment> fragment = fragmentOf(op, op.getType());
  if (!fragment)
    return {};
  auto weightIt = weights.find(op.getWeight());
  if (weightIt == weights.end()) {
    op.emitOpError() << "reads a weight from memory on a GPU, found "
                     << op.getWeight().getType();
    return {};
  }
  const Weight weight = weightIt->second;
  llama::FormatInterface format = weight.type.getFormat();
  const ChunkFormat *format16 = ChunkFormat::get(format);
  const int64_t width = format16->columns();
  llama::OrderAttr order = op.getOrder();
  llama::ScaleMode scale =
      format.hasScale() ? llama::ScaleMode::Outer : llama::ScaleMode::None;
  if (fragment->spread != Spread::WarpColumns || order.getLanes() != kWarp ||
      order.getBlock() != width || order.getScale() != scale) {
    op.emitOpError() << "is a sum over 32 lanes in blocks of " << width
                     << " columns for " << format.getName()
                     << " weights on a GPU, found " << order;
    return {};
  }
  const Rows x = rows.find(op.getRows())->second;
  if (!cast<MemRefType>(x.memory.getType()).getElementType().isF32()) {
    op.emitOpError() << "multiplies rows of f32 outside of tensor "
                        "cores, found "
                     << op.getRows().getType();
    return {};
  }
  if (x.buffer >= 0)
    barriers.read(x.buffer);

  int64_t columns = weight.type.getColumns(), count = fragment->perRow;
  int64_t total = llvm::divideCeil(columns, width);
  Value row = lookup(op.getRow());

  // The warp's rows of the weight. Those past its last are not stored; a row
  // that is there is read in their place.
  Vec<Value> weightRows, starts;
  bool passes = weight.type.getRows() % fragment->columns != 0;
  for (int64_t i = 0; i < count; ++i) {
    Value number = add(lookup(op.getFirst()), columnOf(*fragment, i));
    if (passes)
      number = minimum(number, index(weight.type.getRows() - 1));
    weightRows.push_back(number);
    starts.push_back(mul(number, planeStride(weight, 0)));
  }

  // Chunks lane + `from` + 32 u for all u < rounds.
  auto batch = [&](Value from, int64_t rounds, ValueRange carried) {
    Vec<Value> sums(carried);
    SmallVector<Vec<Value>> words(rounds), scales(rounds), minima(rounds);
    Vec<Value> firstChunk;
    for (int64_t u = 0; u < rounds; ++u) {
      Value chunk = add(add(from, u * kWarp), lane);
      for (int64_t i = 0; i < count; ++i)
        words[u].push_back(LoadWeightOp::create(
            b, weight.memory, add(starts[i], mul(chunk, kChunkBytes))));
      if (!format.hasScale())
        continue;
      Value block = div(chunk, format.getScaleBlock() / width);
      for (int64_t i = 0; i < count; ++i) {
        scales[u].push_back(loadScale(weight, 1, weightRows[i], block));
        if (format.hasMinimum())
          minima[u].push_back(loadScale(weight, 2, weightRows[i], block));
      }
    }
    for (int64_t u = 0; u < rounds; ++u) {
      Vec<Value> chain(count, constant(0.0f));
      // What minima are multiplied by: the sum of x over the block, which is a
      // chunk of formats that have them. Made here, from what is in registers
      // for all rows of the warp, and not once for the block.
      Value sumOfX = format.hasMinimum() ? constant(0.0f) : Value();
      for (int64_t group = 0; group < width / 4; ++group) {
        Vec<Value> four =
            loadColumns(x, row, add(from, u * kWarp), width, group);
        for (int64_t i = 0; i < count; ++i)
          for (auto [q, value] :
               llvm::zip(format16->quants(b, words[u][i], group), four))
            chain[i] = fma(q, value, chain[i]);
        if (sumOfX)
          for (Value value : four)
            sumOfX = arith::AddFOp::create(b, sumOfX, value);
      }
      for (int64_t i = 0; i < count; ++i) {
        sums[i] = format.hasScale()
                      ? fma(chain[i], scales[u][i], sums[i])
                      : arith::AddFOp::create(b, sums[i], chain[i]).getResult();
        if (sumOfX)
          sums[i] = fma(minima[u][i], sumOfX, sums[i]);
      }
    }
    return sums;
  };

  // Rows that stay in global memory are many, in a loop around this one. Loads
  // of one round are enough there, because a warp has the next row's to wait
  // for as well; and of a loop that is unrolled whole LLVM would carry the
  // converted weights from row to row, in more registers than there are.
  int64_t unroll = x.buffer < 0 ? 1
                                : std::clamp<int64_t>(kLoadsInFlight / count, 1,
                                                      kColumnsAtOnce / width);
  int64_t full = total / kWarp, whole = full / unroll * unroll;
  Vec<Value> sums(count, constant(0.0f));
  if (whole)
    sums = ownLoop(index(0), index(whole * kWarp), unroll * kWarp, sums,
                   [&](Value from, ValueRange carried) {
                     return batch(from, unroll, carried);
                   });
  if (full != whole)
    sums = batch(index(whole * kWarp), full - whole, sums);
  if (total % kWarp)
    sums = guardedValues(lessThan(lane, index(total % kWarp)), sums,
                         [&] { return batch(index(full * kWarp), 1, sums); });
  for (Value &sum : sums)
    sum = reduceWarp(sum, /*isMaximum=*/false);
  return fromElements(sums);
}

/// Columns 4 * group to 4 * group + 3 of chunk `from` + lane; from is a
/// multiple of 32 chunks. Zero past the row's last.
SmallVector<Value> GPUKernel::loadColumns(const Rows &x, Value row, Value from,
                                          int64_t width, int64_t group) {
  Vec<Value> four;
  int64_t groups = width / 4;
  auto split = [&](Value vector) {
    for (int64_t i = 0; i < 4; ++i)
      four.push_back(element(vector, i));
    return four;
  };
  if (x.swizzled) {
    // The permutation repeats after 64 groups: with chunks of two groups and
    // more it is the lane's own, and the loop only adds to it.
    Value own = add(mul(lane, groups), group), more = mul(from, groups);
    Value place =
        groups > 1 ? add(swizzle(own), more) : swizzle(add(own, more));
    return split(loadVector(x.memory, {row, mul(place, 4)}, 4, 16));
  }
  Value column = add(mul(add(from, lane), width), 4 * group);
  Vec<Value> zero(4, constant(0.0f));
  if (x.columns % 4 == 0) {
    Value inside = x.columns % width == 0 || x.buffer >= 0
                       ? Value()
                       : lessThan(column, index(x.columns));
    return guardedValues(inside, zero, [&] {
      return split(loadVector(x.memory, {row, column}, 4, 16));
    });
  }
  for (int64_t i = 0; i < 4; ++i) {
    Value at = add(column, i);
    Value inside = x.buffer >= 0 ? Value() : lessThan(at, index(x.columns));
    four.push_back(guardedValues(
        inside, ValueRange(zero).take_front(1),
        [&]() -> Vec<Value> { return {load(x.memory, {row, at})}; })[0]);
  }
  return four;
}
