//===- IndexBuilder.cpp - arithmetic on indices, as code is written -------===//
//
// See IndexBuilder.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/IndexBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using corellama::tile::IndexBuilder;
using corellama::tile::IndexOperand;

/// `Op` of both operands, made from left to right.
template <typename Op, typename... Arguments>
static Value make(IndexBuilder &k, ImplicitLocOpBuilder &b, IndexOperand x,
                  IndexOperand y, Arguments... arguments) {
  Value left = k.index(x);
  Value right = k.index(y);
  return Op::create(b, arguments..., left, right);
}

Value IndexBuilder::index(IndexOperand operand) {
  return operand.value ? operand.value
                       : arith::ConstantIndexOp::create(b, operand.number);
}
Value IndexBuilder::add(IndexOperand x, IndexOperand y) {
  return y.is(0) ? index(x) : make<arith::AddIOp>(*this, b, x, y);
}
Value IndexBuilder::sub(IndexOperand x, IndexOperand y) {
  return y.is(0) ? index(x) : make<arith::SubIOp>(*this, b, x, y);
}
Value IndexBuilder::mul(IndexOperand x, IndexOperand y) {
  return y.is(1) ? index(x) : make<arith::MulIOp>(*this, b, x, y);
}
Value IndexBuilder::div(IndexOperand x, IndexOperand y) {
  return y.is(1) ? index(x) : make<arith::DivUIOp>(*this, b, x, y);
}
Value IndexBuilder::rem(IndexOperand x, IndexOperand y) {
  return make<arith::RemUIOp>(*this, b, x, y);
}
Value IndexBuilder::minimum(IndexOperand x, IndexOperand y) {
  return make<arith::MinSIOp>(*this, b, x, y);
}
Value IndexBuilder::maximum(IndexOperand x, IndexOperand y) {
  return make<arith::MaxSIOp>(*this, b, x, y);
}
Value IndexBuilder::lessThan(IndexOperand x, IndexOperand y) {
  return make<arith::CmpIOp>(*this, b, x, y, arith::CmpIPredicate::slt);
}
Value IndexBuilder::placeIn(int64_t ring, IndexOperand position) {
  return ring != 0 ? rem(position, ring) : index(position);
}

SmallVector<Value>
IndexBuilder::fold(IndexOperand from, IndexOperand to, int64_t step,
                   ValueRange start,
                   function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value first = index(from);
  Value end = index(to);
  auto op = scf::ForOp::create(b, first, end, index(step), start);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.getBody());
  SmallVector<Value> next = body(op.getInductionVar(), op.getRegionIterArgs());
  // A loop that carries nothing has its terminator already.
  if (!start.empty())
    scf::YieldOp::create(b, next);
  return SmallVector<Value>(op.getResults());
}

void IndexBuilder::loop(IndexOperand from, IndexOperand to, int64_t step,
                        function_ref<void(Value)> body) {
  fold(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}
