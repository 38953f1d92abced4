//===- RoundedRows.cpp - rows of records in memory, read by units ---------===//
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
using Record = llama::RowRecordInterface;

static_assert(kColumnBlock == Record::kBlock);

/// Columns of a row of a weight that stand side by side.
static constexpr int64_t kFour = 4;

Value RoundedRows::field(Value row, Value block, tile::IndexOperand byte,
                         Type type) {
  Value at = b.add(b.mul(block, record.getRecordBytes()), byte);
  return vector::ExtractOp::create(b, b.loadBytes(memory, {row, at}, 1, type),
                                   0);
}

Value RoundedRows::sumTimes(int32_t factor, int64_t digit, Value row,
                            Value block, int64_t from, int64_t count,
                            int64_t lanes) {
  assert((count == Record::kBlock || count == Record::kHalf) &&
         "a scale is for a block of x or half of it");
  auto type = b.vectorOf(b.getI32Type(), lanes);
  auto sumAt = [&](int64_t byte) -> Value {
    return b.splat(field(row, block, byte, b.getI32Type()), lanes);
  };
  const int64_t all = record.getSumByte(digit),
                lastHalf = record.getLastHalfSumByte(digit);
  Value sum = sumAt(count == Record::kHalf && from != 0 ? lastHalf : all);
  if (count == Record::kHalf && from == 0)
    sum = arith::SubIOp::create(b, sum, sumAt(lastHalf));
  // The sum is times a power of two, so a shift loses nothing.
  int32_t rest = Record::kSumFactor, shift = 0;
  for (; factor % rest != 0; rest /= 2)
    ++shift;
  if (shift != 0)
    sum = arith::ShRSIOp::create(b, sum, b.constant(type, shift));
  if (factor != rest)
    sum = arith::MulIOp::create(b, sum, b.constant(type, factor / rest));
  return sum;
}

/// The sum of a row's integers times the block's scale: what a minimum is
/// multiplied by.
Value RoundedRows::scaledSum(Value row, Value block, int64_t from,
                             int64_t count, Value scale) {
  if (count == Record::kBlock)
    return field(row, block, record.getScaledSumByte(), b.getF32Type());
  Values sums;
  for (int64_t i = 0; i < digits(); ++i)
    sums.push_back(sumTimes(1, i, row, block, from, count, /*lanes=*/1));
  Value sum = vector::ExtractOp::create(b, sumDigits(b, sums, record), 0);
  return arith::MulFOp::create(b, scale,
                               arith::SIToFPOp::create(b, b.getF32Type(), sum));
}

Value RoundedRows::accumulate(ValueRange sums, Value scale, Value minimum,
                              Value row, Value block, int64_t from,
                              int64_t count, Value product) {
  auto type = cast<VectorType>(product.getType());
  const int64_t lanes = type.getDimSize(0);
  Value d = field(row, block, record.getScaleByte(), b.getF32Type());
  // The lowest digits first: their sum is small beside what is added to it.
  Value isum;
  for (int64_t i = digits() - 1; i >= 0; --i) {
    Value sum = arith::SIToFPOp::create(b, type, sums[i]);
    const auto place = static_cast<float>(record.getPlaceValue(i));
    isum = isum ? b.fma(sum, b.splat(b.constant(place), lanes), isum) : sum;
  }
  Value factor = arith::MulFOp::create(b, scale, b.splat(d, lanes));
  product = b.fma(isum, factor, product);
  if (!minimum)
    return product;
  Value sum = scaledSum(row, block, from, count, d);
  return b.fma(minimum, b.splat(sum, lanes), product);
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

SmallVector<Type> BytePanel::getTypes(tile::PanelType panel) const {
  llama::FormatInterface format = panel.getFormat();
  int64_t columns = panel.getColumns();
  Builder builder(panel.getContext());
  SmallVector<Type> types(
      2 + format.hasMinimum(),
      MemRefType::get({columns / format.getScaleBlock(), panel.getRows()},
                      builder.getF32Type()));
  types[kBytes] =
      MemRefType::get({columns / kFour, firstByte(panel, isHalved ? 2 : 1)},
                      builder.getI8Type());
  return types;
}

void BytePanel::decode(VectorBuilder &b, tile::PanelOp op,
                       tile::PanelOp::Adaptor in, ValueRange panel,
                       TargetAttr target) const {
  auto type = cast<llama::WeightType>(op.getWeight().getType());
  llama::FormatInterface format = type.getFormat();
  const llama::Plane &quants = format.getFacts().planes.front();
  const int64_t scaleBlock = format.getScaleBlock();
  std::vector<GroupLoads> groups;
  for (int64_t row = 0; row < op.getType().getRows(); row += kLanes)
    groups.emplace_back(b, in.getWeight(), type, hasTables(target),
                        b.add(in.getFirst(), row));
  auto decodeGroup = [&](GroupLoads &loads, Value block, int64_t group) {
    Value first = b.index(group);
    Value row = b.mul(block, kColumnBlock / kFour);
    auto store = [&](Value bytes, int64_t column, int64_t half) {
      int64_t byte = firstByte(op.getType(), half) + kFour * group;
      b.storeLanes(bytes, panel[kBytes],
                   {b.add(row, column / kFour), b.index(byte)});
    };
    for (int64_t c = 0; c < kColumnBlock; c += kFour) {
      Value bytes = loads.bytes(block, c);
      if (!quants.table.empty())
        bytes = target.getVectorBits() >= 512
                    ? b.lookUp(quants.table, zero, bytes)
                    : b.lookUpHalves(quants.table, zero, bytes);
      else if (quants.bias != zero)
        bytes = arith::AddIOp::create(
            b, bytes, b.constant(bytes.getType(), quants.bias - zero));
      if (!isHalved) {
        store(bytes, c, 0);
        continue;
      }
      auto constant = [&](int64_t value) {
        return b.constant(bytes.getType(), value);
      };
      store(arith::AndIOp::create(b, bytes, constant(15)), c, 0);
      store(arith::ShRUIOp::create(b, bytes, constant(4)), c, 1);
    }
    Value number = b.mul(block, kColumnBlock / scaleBlock);
    for (int64_t c = 0; c < kColumnBlock; c += scaleBlock) {
      Value at = b.add(number, c / scaleBlock);
      b.storeLanes(loads.scale(block, c), panel[kScales], {at, first});
      if (format.hasMinimum())
        b.storeLanes(loads.minimum(block, c), panel[kMinima], {at, first});
    }
  };
  b.loop(0, type.getColumns() / kColumnBlock, 1, [&](Value block) {
    for (auto [i, loads] : llvm::enumerate(groups))
      decodeGroup(loads, block, int64_t(i) * kLanes);
  });
}
