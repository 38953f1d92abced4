//===- LayerNormBody.cpp - layer_norm on rows and tiles -------------------===//
//
// schedule -> tile. The moments of a row, and rows that are normalised: staged
// for a product where a call has few of them, tile by tile in a kernel of their
// own. A file of its own because the model's own norm is written without it.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/KernelBody.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// Mean and 1 / sqrt(variance + eps) of a row.
KernelBody::Moments KernelBody::momentsOf(LayerNormOp norm, Value memory,
                                          Value row) {
  auto type = VectorType::get({1}, b.getF32Type());
  int64_t columns = cast<MemRefType>(memory.getType()).getDimSize(1);
  Value share = splat(1.0f / static_cast<float>(columns), type);
  auto meanOf = [&](Value sum) -> Value {
    return arith::MulFOp::create(b, sum, share);
  };
  // The sum over the row of what `term` makes of an element.
  auto sumOf = [&](function_ref<Value(Value)> term) -> Value {
    auto sum = SumOp::create(b, type, memory, row, norm.getOrderAttr());
    OpBuilder::InsertionGuard guard(b);
    Block *body =
        b.createBlock(&sum.getBody(), {}, {b.getF32Type()}, {b.getLoc()});
    tile::YieldOp::create(b, term(body->getArgument(0)));
    return sum;
  };

  Value mean, variance;
  if (norm.getPasses() == VariancePasses::TwoPass) {
    mean = meanOf(sumOf([](Value x) { return x; }));
    Value scalar = vector::ExtractOp::create(b, mean, 0);
    variance = meanOf(sumOf([&](Value x) -> Value {
      Value deviation = arith::SubFOp::create(b, x, scalar);
      return arith::MulFOp::create(b, deviation, deviation);
    }));
  } else {
    // Both sums from one reading, each in the order that tile.sum has: elements
    // past the row's last are loaded as zeros, which add nothing to either.
    auto lanes =
        VectorType::get({1, norm.getOrderAttr().getLanes()}, b.getF32Type());
    Value zero = splat(0.0f, lanes);
    SmallVector<Value> sums =
        fold(0, columns, lanes.getDimSize(1), {zero, zero},
             [&](Value column, ValueRange carried) -> SmallVector<Value> {
               Value x = tile::LoadOp::create(b, lanes, memory, row, column,
                                              Value(), Value());
               Value square = arith::MulFOp::create(b, x, x);
               Value sum = arith::AddFOp::create(b, carried[0], x);
               return {sum, arith::AddFOp::create(b, carried[1], square)};
             });
    mean = meanOf(ReduceLanesOp::create(b, type, "add", sums[0]));
    Value squares = meanOf(ReduceLanesOp::create(b, type, "add", sums[1]));
    Value difference = arith::SubFOp::create(
        b, squares, arith::MulFOp::create(b, mean, mean).getResult());
    Value none = splat(0.0f, type);
    Value below =
        arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, difference, none);
    variance = arith::SelectOp::create(b, below, none, difference);
  }
  auto eps = static_cast<float>(norm.getEps().convertToDouble());
  Value biased = arith::AddFOp::create(b, variance, splat(eps, type));
  Value root = math::SqrtOp::create(b, biased);
  return {mean, arith::DivFOp::create(b, splat(1.0f, type), root)};
}

/// In a row-wise kernel: the moments of the row that is being written.
LogicalResult KernelBody::prepareMoments(LayerNormOp norm, Value row) {
  auto read = norm.getX().getDefiningOp<BufferReadOp>();
  if (!read)
    return norm.emitOpError() << "normalises a value that is not in a buffer";
  Value memory = bufferMemory(read);
  moments[norm] = momentsOf(norm, memory, rowIn(read, row));
  return success();
}

Value KernelBody::normedTile(LayerNormOp norm, const Position &at) {
  auto known = moments.find(norm);
  if (known == moments.end()) {
    norm.emitOpError()
        << "is needed tile by tile in a kernel that is not row-wise";
    return {};
  }
  auto type = VectorType::get({at.m, at.n}, b.getF32Type());
  Value x = tileOf(norm.getX(), at);
  if (!x)
    return {};
  Value mean = BroadcastRowsOp::create(b, type, known->second.mean);
  Value inverse = BroadcastRowsOp::create(b, type, known->second.inverse);
  Value centred = arith::SubFOp::create(b, x, mean);
  Value scaled = arith::MulFOp::create(b, centred, inverse);
  Value gain =
      ColumnValuesOp::create(b, type, weight(norm.getWeight()), at.column);
  Value normed = arith::MulFOp::create(b, scaled, gain);
  if (!norm.getBias())
    return normed;
  Value bias =
      ColumnValuesOp::create(b, type, weight(norm.getBias()), at.column);
  return arith::AddFOp::create(b, normed, bias);
}

/// All rows of a call, normalised for a product; null where they cannot be.
Value KernelBody::stageNormed(LayerNormOp norm, Type element) {
  auto read = norm.getX().getDefiningOp<BufferReadOp>();
  FailureOr<int64_t> count = stagedRows(norm, read);
  if (failed(count))
    return {};
  Value memory = bufferMemory(read);
  Value first = rowIn(read);
  SmallVector<Value> means, inverses;
  for (int64_t i = 0; i < *count; ++i) {
    Moments row = momentsOf(norm, memory, add(first, i));
    means.push_back(vector::ExtractOp::create(b, row.mean, 0));
    inverses.push_back(vector::ExtractOp::create(b, row.inverse, 0));
  }
  auto perRow = VectorType::get({*count}, b.getF32Type());
  Value mean = vector::FromElementsOp::create(b, perRow, means);
  Value inverse = vector::FromElementsOp::create(b, perRow, inverses);
  SmallVector<Value, 2> columns{weight(norm.getWeight())};
  if (norm.getBias())
    columns.push_back(weight(norm.getBias()));
  auto stage =
      StageOp::create(b,
                      RowsType::get(b.getContext(), *count,
                                    norm.getType().getDimSize(1), element),
                      memory, first, 1, ValueRange{mean, inverse}, columns);
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types(3 + columns.size(), b.getF32Type());
  Block *body = b.createBlock(&stage.getBody(), {}, types,
                              SmallVector<Location>(types.size(), b.getLoc()));
  Value centred =
      arith::SubFOp::create(b, body->getArgument(0), body->getArgument(1));
  Value scaled = arith::MulFOp::create(b, centred, body->getArgument(2));
  Value normed = arith::MulFOp::create(b, scaled, body->getArgument(3));
  if (norm.getBias())
    normed = arith::AddFOp::create(b, normed, body->getArgument(4));
  tile::YieldOp::create(b, normed);
  return stage;
}
