//===- RoundedRows.cpp - rows of q8b32 in memory, read by units -----------===//
//
// See RoundedRows.h.
//
//===----------------------------------------------------------------------===//

#include "passes/CPU/Units/RoundedRows.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/CPU/GroupLoads.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::cpu;
using Q8B32 = llama::Q8B32Type;

static_assert(kColumnBlock == Q8B32::kBlock);

/// Columns of a row of a weight that stand side by side.
static constexpr int64_t kFour = 4;

Value RoundedRows::field(Value row, Value block, int64_t byte, Type type) {
  Value at = b.add(b.mul(block, Q8B32::kRecordBytes), byte);
  return vector::ExtractOp::create(b, b.loadBytes(memory, {row, at}, 1, type),
                                   0);
}

Value RoundedRows::scale(Value row, Value block) {
  return field(row, block, Q8B32::kScaleByte, b.getF32Type());
}

Value RoundedRows::sumTimes(int32_t factor, Value row, Value block,
                            int64_t from, int64_t count, int64_t lanes) {
  assert((count == Q8B32::kBlock || count == Q8B32::kHalf) &&
         "a scale is for a block of x or half of it");
  auto type = b.vectorOf(b.getI32Type(), lanes);
  auto sumAt = [&](int64_t byte) -> Value {
    return b.splat(field(row, block, byte, b.getI32Type()), lanes);
  };
  Value sum = sumAt(count == Q8B32::kHalf && from != 0 ? Q8B32::kLastHalfSumByte
                                                       : Q8B32::kSumByte);
  if (count == Q8B32::kHalf && from == 0)
    sum = arith::SubIOp::create(b, sum, sumAt(Q8B32::kLastHalfSumByte));
  // The sum is times a power of two, so a shift loses nothing.
  int32_t rest = Q8B32::kSumFactor, shift = 0;
  for (; factor % rest != 0; rest /= 2)
    ++shift;
  if (shift != 0)
    sum = arith::ShRSIOp::create(b, sum, b.constant(type, shift));
  if (factor != rest)
    sum = arith::MulIOp::create(b, sum, b.constant(type, factor / rest));
  return sum;
}

Value RoundedRows::scaledSum(Value row, Value block, int64_t from,
                             int64_t count, Value scale) {
  if (count == Q8B32::kBlock)
    return field(row, block, Q8B32::kScaledSumByte, b.getF32Type());
  Value sum = vector::ExtractOp::create(
      b, sumTimes(1, row, block, from, count, /*lanes=*/1), 0);
  return arith::MulFOp::create(b, scale,
                               arith::SIToFPOp::create(b, b.getF32Type(), sum));
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

SmallVector<Type> BytePanel::getTypes(tile::PanelType panel) {
  llama::FormatInterface format = panel.getFormat();
  int64_t columns = panel.getColumns();
  Builder builder(panel.getContext());
  SmallVector<Type> types(
      2 + format.hasMinimum(),
      MemRefType::get({columns / format.getScaleBlock(), kLanes},
                      builder.getF32Type()));
  types[kBytes] =
      MemRefType::get({columns / kFour, kFour * kLanes}, builder.getI8Type());
  return types;
}

void BytePanel::decode(VectorBuilder &b, tile::PanelOp op,
                       tile::PanelOp::Adaptor in, ValueRange panel,
                       TargetAttr target, int32_t zero) {
  auto type = cast<llama::WeightType>(op.getWeight().getType());
  llama::FormatInterface format = type.getFormat();
  const llama::Plane &quants = format.getFacts().planes.front();
  const int64_t scaleBlock = format.getScaleBlock();
  GroupLoads loads(b, in.getWeight(), type, hasTables(target), in.getFirst());
  b.loop(0, type.getColumns() / kColumnBlock, 1, [&](Value block) {
    Value first = b.index(0);
    Value row = b.mul(block, kColumnBlock / kFour);
    for (int64_t c = 0; c < kColumnBlock; c += kFour) {
      Value bytes = loads.bytes(block, c);
      if (!quants.table.empty())
        bytes = b.lookUp(quants.table, zero, bytes);
      else if (quants.bias != zero)
        bytes = arith::AddIOp::create(
            b, bytes, b.constant(bytes.getType(), quants.bias - zero));
      b.storeLanes(bytes, panel[kBytes], {b.add(row, c / kFour), first});
    }
    Value number = b.mul(block, kColumnBlock / scaleBlock);
    for (int64_t c = 0; c < kColumnBlock; c += scaleBlock) {
      Value at = b.add(number, c / scaleBlock);
      b.storeLanes(loads.scale(block, c), panel[kScales], {at, first});
      if (format.hasMinimum())
        b.storeLanes(loads.minimum(block, c), panel[kMinima], {at, first});
    }
  });
}
