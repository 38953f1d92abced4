//===- IndexBuilder.cpp - arithmetic on indices, as code is written -------===//
//
// See IndexBuilder.h.
//
//===----------------------------------------------------------------------===//

#include "passes/Tile/IndexBuilder.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using corellama::tile::IndexBuilder;

Value IndexBuilder::index(int64_t value) {
  return arith::ConstantIndexOp::create(b, value);
}
Value IndexBuilder::add(Value x, Value y) {
  return arith::AddIOp::create(b, x, y);
}
Value IndexBuilder::add(Value x, int64_t y) { return y ? add(x, index(y)) : x; }
Value IndexBuilder::sub(Value x, Value y) {
  return arith::SubIOp::create(b, x, y);
}
Value IndexBuilder::mul(Value x, Value y) {
  return arith::MulIOp::create(b, x, y);
}
Value IndexBuilder::mul(Value x, int64_t y) {
  return y == 1 ? x : mul(x, index(y));
}
Value IndexBuilder::div(Value x, int64_t y) {
  return y == 1 ? x : arith::DivUIOp::create(b, x, index(y)).getResult();
}
Value IndexBuilder::rem(Value x, int64_t y) {
  return arith::RemUIOp::create(b, x, index(y));
}
Value IndexBuilder::minimum(Value x, Value y) {
  return arith::MinSIOp::create(b, x, y);
}
Value IndexBuilder::maximum(Value x, Value y) {
  return arith::MaxSIOp::create(b, x, y);
}
Value IndexBuilder::lessThan(Value x, Value y) {
  return arith::CmpIOp::create(b, arith::CmpIPredicate::slt, x, y);
}
