//===- ElementwiseBody.cpp - elementwise ops of the graph on a tile -------===//
//
// schedule -> tile. The one table of what an elementwise op is on a tile, and
// the arithmetic of position encodings, which have no operand but the position.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "passes/Tile/KernelBody.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <numbers>

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using namespace corellama::tile;

/// What an elementwise op of the graph is on tiles: the one table of them.
Value KernelBody::elementwiseOn(Operation *op, ValueRange tiles,
                                const Position &at) {
  auto type = VectorType::get({at.m, at.n}, b.getF32Type());
  // x / (1 + exp(-t))
  auto gated = [&](Value x, Value t) -> Value {
    Value e = math::ExpOp::create(b, arith::NegFOp::create(b, t));
    return arith::DivFOp::create(
        b, x, arith::AddFOp::create(b, e, splat(1.0f, type)));
  };
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](AddOp) -> Value {
        return arith::AddFOp::create(b, tiles[0], tiles[1]);
      })
      .Case([&](MulOp) -> Value {
        return arith::MulFOp::create(b, tiles[0], tiles[1]);
      })
      .Case([&](ScaleOp scale) -> Value {
        auto by = static_cast<float>(scale.getBy().convertToDouble());
        return arith::MulFOp::create(b, tiles[0], splat(by, type));
      })
      .Case([&](BiasOp bias) -> Value {
        Value added = ColumnValuesOp::create(b, type, weight(bias.getWeight()),
                                             at.column);
        return arith::AddFOp::create(b, tiles[0], added);
      })
      .Case([&](SiluOp) { return gated(tiles[0], tiles[0]); })
      .Case([&](SwigluOp) -> Value {
        Value silu = gated(tiles[0], tiles[0]);
        return arith::MulFOp::create(b, silu, tiles[1]);
      })
      .Case([&](ReluOp) -> Value {
        // As the formula has it, NaN and -0 stay.
        Value zero = splat(0.0f, type);
        Value below =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, tiles[0], zero);
        return arith::SelectOp::create(b, below, zero, tiles[0]);
      })
      .Case([&](GeluOp) -> Value {
        // 2 u = x (2 sqrt(2 / pi) + 2 sqrt(2 / pi) 0.044715 x^2)
        constexpr double kLinear =
            2 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
        Value square = arith::MulFOp::create(b, tiles[0], tiles[0]);
        Value cubic = splat(static_cast<float>(kLinear * 0.044715), type);
        Value linear = splat(static_cast<float>(kLinear), type);
        Value factor = math::FmaOp::create(b, square, cubic, linear);
        return gated(tiles[0], arith::MulFOp::create(b, tiles[0], factor));
      })
      .Case([&](PositionEncodingOp encoding) {
        return encodePosition(encoding, at);
      })
      .Case([&](RopeOp rope) -> Value {
        int64_t head = rope.getHeadSize();
        Value cosine =
            RopeRowOp::create(b, type, context, at.row, at.column, head, false);
        Value sine =
            RopeRowOp::create(b, type, context, at.row, at.column, head, true);
        Value swapped = SwapPairsOp::create(b, type, tiles[0]);
        Value turned = arith::MulFOp::create(b, tiles[0], cosine);
        return math::FmaOp::create(b, swapped, sine, turned);
      })
      .Default([](Operation *other) {
        other->emitOpError()
            << "has no body on a tile; ElementwiseBody.cpp lists "
               "the elementwise ops that have one";
        return Value();
      });
}

//===----------------------------------------------------------------------===//
// Encodings of positions
//===----------------------------------------------------------------------===//

namespace {

/// Adding 1.5 * 2^52 rounds a float64 to an integer and leaves it in the low
/// bits.
constexpr double kRound = 0x1.8p52;
/// pi / 2 = high + low, with 106 bits.
constexpr double kHalfPiHigh = 0x1.921fb54442d18p+0;
constexpr double kHalfPiLow = 0x1.1a62633145c07p-54;

/// Arithmetic of float64 on the elements of a tile. Polynomials are Taylor's:
/// their arguments are reduced to |f| <= 1/2 and |r| <= pi / 4, where few terms
/// are enough.
struct Doubles {
  ImplicitLocOpBuilder &b;
  VectorType type; // m x n of f64
  VectorType bits; // m x n of i64

  Value constant(double value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, llvm::APFloat(value)));
  }
  Value constantBits(int64_t value) {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(bits, llvm::APInt(64, value)));
  }
  Value fma(Value x, Value y, Value z) {
    return math::FmaOp::create(b, x, y, z);
  }
  Value toBits(Value x) { return arith::BitcastOp::create(b, bits, x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, type, x); }

  /// sum_k coefficients[k] x^k
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = constant(coefficients.back());
    for (double coefficient : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, x, constant(coefficient));
    return sum;
  }

  /// 2^x, for -1022 < x < 1023.
  Value exp2(Value x) {
    Value round = constant(kRound);
    Value shifted = arith::AddFOp::create(b, x, round);
    Value whole = arith::SubFOp::create(b, shifted, round);
    Value f = arith::SubFOp::create(b, x, whole);
    // The first term that is left out, (ln 2 / 2)^14 / 14!, is below 2^-57.
    SmallVector<double> coefficients{1};
    for (int k = 1; k <= 13; ++k)
      coefficients.push_back(coefficients.back() * std::numbers::ln2 / k);
    Value power = polynomial(f, coefficients);
    Value exponent =
        arith::ShLIOp::create(b, toBits(shifted), constantBits(52));
    return fromBits(arith::AddIOp::create(b, toBits(power), exponent));
  }

  /// sin(t + quarters pi / 2), for |t| < 2^31.
  Value sine(Value t, Value quarters) {
    Value round = constant(kRound);
    Value shifted = fma(t, constant(2 / std::numbers::pi), round);
    Value turns = arith::SubFOp::create(b, shifted, round);
    Value negative = arith::NegFOp::create(b, turns);
    Value r = fma(negative, constant(kHalfPiHigh), t);
    r = fma(negative, constant(kHalfPiLow), r);
    Value square = arith::MulFOp::create(b, r, r);
    // The first terms that are left out, (pi / 4)^13 / 13! and
    // (pi / 4)^14 / 14!, are below 2^-36: the result is rounded to float32.
    SmallVector<double> sines{1}, cosines{1};
    for (int k = 1; k <= 5; ++k)
      sines.push_back(-sines.back() / (2.0 * k * (2 * k + 1)));
    for (int k = 1; k <= 6; ++k)
      cosines.push_back(-cosines.back() / (2.0 * k * (2 * k - 1)));
    Value sine = arith::MulFOp::create(b, r, polynomial(square, sines));
    Value cosine = polynomial(square, cosines);
    Value quadrant = arith::AddIOp::create(b, toBits(shifted), quarters);
    Value one = constantBits(1);
    Value isOdd = arith::CmpIOp::create(
        b, arith::CmpIPredicate::eq,
        arith::AndIOp::create(b, quadrant, one).getResult(), one);
    Value value = arith::SelectOp::create(b, isOdd, cosine, sine);
    // Bit 1 of the quadrant is the sign.
    Value half = arith::ShRUIOp::create(b, quadrant, one);
    Value sign = arith::ShLIOp::create(b, half, constantBits(63));
    return fromBits(arith::XOrIOp::create(b, toBits(value), sign));
  }
};

} // namespace

/// Angles in float64: where the runtime's table is of one rotation, these are
/// of any base and width, and a row is made once a call.
Value KernelBody::encodePosition(PositionEncodingOp op, const Position &at) {
  auto floats = VectorType::get({at.m, at.n}, b.getF32Type());
  auto words = VectorType::get({at.m, at.n}, b.getI32Type());
  Doubles d{b, VectorType::get({at.m, at.n}, b.getF64Type()),
            VectorType::get({at.m, at.n}, b.getI64Type())};
  auto word = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(words, llvm::APInt(32, value)));
  };
  // start + offset(row, column) of the tile
  auto numbers = [&](Value start,
                     function_ref<int64_t(int64_t, int64_t)> offset) -> Value {
    Value scalar = arith::IndexCastUIOp::create(b, b.getI32Type(), start);
    SmallVector<int32_t> offsets;
    for (int64_t i = 0; i < at.m; ++i)
      for (int64_t j = 0; j < at.n; ++j)
        offsets.push_back(static_cast<int32_t>(offset(i, j)));
    Value spread = vector::BroadcastOp::create(b, words, scalar);
    Value constant = arith::ConstantOp::create(
        b, DenseElementsAttr::get(words, ArrayRef<int32_t>(offsets)));
    return arith::AddIOp::create(b, spread, constant);
  };
  Value first = PositionOp::create(b, b.getIndexType(), context, at.row);
  Value position = numbers(first, [](int64_t i, int64_t) { return i; });
  Value column = numbers(at.column, [](int64_t, int64_t j) { return j; });

  if (op.getKind() == PositionKind::Binary) {
    // A tile may be wider than the 31 columns, and no shift than 31.
    Value shift = arith::MinUIOp::create(b, column, word(31));
    Value shifted = arith::ShRUIOp::create(b, position, shift);
    Value bit = arith::AndIOp::create(b, shifted, word(1));
    return arith::SIToFPOp::create(b, floats, bit);
  }
  Value parity = word(0);
  if (op.getKind() == PositionKind::Sinusoidal) {
    parity = arith::AndIOp::create(b, column, word(1));
    column = arith::SubIOp::create(b, column, parity);
  }
  int64_t columns = op.getType().getDimSize(1);
  double step = -std::log2(op.getBase()->convertToDouble()) /
                static_cast<double>(columns);
  Value number = arith::SIToFPOp::create(b, d.type, column);
  Value frequency = d.exp2(arith::MulFOp::create(b, number, d.constant(step)));
  Value angle;
  if (op.getAngles() == AngleType::F32) {
    Value narrow = arith::TruncFOp::create(b, floats, frequency);
    Value p = arith::SIToFPOp::create(b, floats, position);
    Value product = arith::MulFOp::create(b, p, narrow);
    angle = arith::ExtFOp::create(b, d.type, product);
  } else {
    Value p = arith::SIToFPOp::create(b, d.type, position);
    angle = arith::MulFOp::create(b, p, frequency);
  }
  Value quarters = arith::ExtUIOp::create(b, d.bits, parity);
  return arith::TruncFOp::create(b, floats, d.sine(angle, quarters));
}
