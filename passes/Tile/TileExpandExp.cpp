//===- TileExpandExp.cpp - math.exp as one polynomial ---------------------===//
//
// tile -> tile. A pass of its own because both targets share it and because the
// bits of attention and SwiGLU depend on it: decode, prefill, scalar merges and
// vectors all use the very same arithmetic.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/TypeUtilities.h"
#include "passes/Tile/Passes.h"
#include "llvm/ADT/bit.h"

namespace corellama::tile {
#define GEN_PASS_DEF_TILEEXPANDEXP
#include "passes/Tile/Passes.h.inc"
} // namespace corellama::tile

using namespace mlir;

namespace {

/// Coefficients of 2^f on [-0.5, 0.5], constant term first.
constexpr uint32_t kPolynomial[] = {0x3F800000, 0x3F317218, 0x3E75FDED,
                                    0x3D63576A, 0x3C1D96DE, 0x3AAFA2B5,
                                    0x3920E99A};
/// Below this e^x is under the smallest normal number: the result is +0.
constexpr float kUnderflow = -87.33f;
/// e^88 is the largest power whose exponent arithmetic cannot overflow.
constexpr float kLargest = 88.0f;
/// Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
constexpr float kRound = 12582912.0f;
/// log2(e) = high + low.
constexpr uint32_t kLog2eHigh = 0x3FB8AA3B;
constexpr float kLog2eLow = 1.925963033500e-8f;

struct Expansion {
  ImplicitLocOpBuilder &b;
  Type type; // f32 or a vector of it
  Type intType;

  Value constant(float value) {
    FloatAttr scalar = b.getF32FloatAttr(value);
    if (auto vector = dyn_cast<VectorType>(type))
      return arith::ConstantOp::create(
          b, DenseElementsAttr::get(vector, scalar.getValue()));
    return arith::ConstantOp::create(b, scalar);
  }
  Value constantInt(int32_t value) {
    IntegerAttr scalar = b.getI32IntegerAttr(value);
    if (auto vector = dyn_cast<VectorType>(intType))
      return arith::ConstantOp::create(
          b, DenseElementsAttr::get(vector, scalar.getValue()));
    return arith::ConstantOp::create(b, scalar);
  }
  Value bits(uint32_t pattern) {
    return constant(llvm::bit_cast<float>(pattern));
  }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }

  Value exp(Value x) {
    Value lowest = constant(kUnderflow);
    // select, not maximumf: one compare that both clamps and flushes, and no
    // care for signed zeros.
    Value tiny = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, lowest);
    Value huge = constant(kLargest);
    Value large = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, huge);
    Value low = arith::SelectOp::create(b, tiny, lowest, x);
    Value clamped = arith::SelectOp::create(b, large, huge, low);
    Value round = constant(kRound);
    Value shifted = fma(clamped, bits(kLog2eHigh), round);
    Value n = arith::SubFOp::create(b, shifted, round);
    Value negative = arith::NegFOp::create(b, n);
    Value rough = fma(clamped, bits(kLog2eHigh), negative);
    Value f = fma(clamped, constant(kLog2eLow), rough);
    Value p = bits(kPolynomial[6]);
    for (int i = 5; i >= 0; --i)
      p = fma(p, f, bits(kPolynomial[i]));
    Value whole = arith::BitcastOp::create(b, intType, shifted);
    Value exponent = arith::ShLIOp::create(b, whole, constantInt(23));
    Value power = arith::AddIOp::create(
        b, arith::BitcastOp::create(b, intType, p), exponent);
    Value result = arith::BitcastOp::create(b, type, power);
    return arith::SelectOp::create(b, tiny, constant(0.0f), result);
  }
};

struct TileExpandExp : corellama::tile::impl::TileExpandExpBase<TileExpandExp> {
  void runOnOperation() override {
    SmallVector<math::ExpOp> ops;
    getOperation()->walk([&](math::ExpOp op) { ops.push_back(op); });
    for (math::ExpOp op : ops) {
      Type type = op.getType(), element = getElementTypeOrSelf(type);
      if (!element.isF32()) {
        op.emitOpError() << "is expanded in f32 only, found " << type;
        return signalPassFailure();
      }
      ImplicitLocOpBuilder b(op.getLoc(), op);
      Type intType = b.getI32Type();
      if (auto vector = dyn_cast<VectorType>(type))
        intType = VectorType::get(vector.getShape(), intType);
      op.replaceAllUsesWith(Expansion{b, type, intType}.exp(op.getOperand()));
      op.erase();
    }
  }
};

} // namespace
