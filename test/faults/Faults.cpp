//===- Faults.cpp - passes that break one thing each ----------------------===//
//
// tile -> tile: a fault in the code of one op, as a slip in its lowering would
// make it. What compares native code with the evaluator, or with a formula, has
// to notice each; the study shows which picture breaks.
//
//===----------------------------------------------------------------------===//

#include "test/faults/Faults.h"
#include "dialects/Tile/IR/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::test;

/// Changes each op of a type; those that a change makes are not visited.
template <typename OpT>
static unsigned
forEach(ModuleOp module,
        function_ref<bool(ImplicitLocOpBuilder &, OpT)> change) {
  SmallVector<OpT> ops;
  module.walk([&](OpT op) { ops.push_back(op); });
  unsigned changed = 0;
  for (OpT op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    b.setInsertionPointAfter(op);
    changed += change(b, op);
  }
  return changed;
}

/// The rows of an encoding of positions: the only float64 that becomes a tile
/// with the sign of a quadrant put in.
static bool isEncoding(arith::TruncFOp op) {
  auto bits = op.getIn().getDefiningOp<arith::BitcastOp>();
  return bits && bits.getIn().getDefiningOp<arith::XOrIOp>();
}

static unsigned swapSineAndCosine(ModuleOp module) {
  return forEach<tile::RopeRowOp>(
             module,
             [](ImplicitLocOpBuilder &, tile::RopeRowOp op) {
               op.setSine(!op.getSine());
               return true;
             }) +
         forEach<arith::TruncFOp>(
             module, [](ImplicitLocOpBuilder &b, arith::TruncFOp op) {
               if (!isEncoding(op))
                 return false;
               auto swapped =
                   tile::SwapPairsOp::create(b, op.getType(), op.getResult());
               op.getResult().replaceAllUsesExcept(swapped, swapped);
               return true;
             });
}

/// Of a norm: 1 / sqrt(mean + eps).
static unsigned dropEpsilon(ModuleOp module) {
  return forEach<math::SqrtOp>(
      module, [](ImplicitLocOpBuilder &, math::SqrtOp op) {
        auto sum = op.getOperand().getDefiningOp<arith::AddFOp>();
        if (!sum || !matchPattern(sum.getRhs(), m_Constant()))
          return false;
        op->setOperand(0, sum.getLhs());
        return true;
      });
}

/// An encoding's row is that of the next position, a rotation's that of the row
/// before: the first row has none before it and stays.
static unsigned shiftPositions(ModuleOp module) {
  return forEach<tile::PositionOp>(
             module,
             [](ImplicitLocOpBuilder &b, tile::PositionOp op) {
               // Attention asks for a position to know which keys it sees.
               if (llvm::none_of(op->getUsers(),
                                 llvm::IsaPred<arith::IndexCastUIOp>))
                 return false;
               Value one = arith::ConstantIndexOp::create(b, 1);
               auto next = arith::AddIOp::create(b, op.getResult(), one);
               op.getResult().replaceAllUsesExcept(next, next);
               return true;
             }) +
         forEach<tile::RopeRowOp>(module, [](ImplicitLocOpBuilder &b,
                                             tile::RopeRowOp op) {
           b.setInsertionPoint(op);
           Value one = arith::ConstantIndexOp::create(b, 1);
           Value zero = arith::ConstantIndexOp::create(b, 0);
           Value before = arith::SubIOp::create(b, op.getRow(), one);
           op.getRowMutable().assign(arith::MaxSIOp::create(b, before, zero));
           return true;
         });
}

/// Queries meet the keys of the next head of keys and values.
static unsigned shareWrongHead(ModuleOp module) {
  return forEach<tile::ScoreKeysOp>(module, [](ImplicitLocOpBuilder &b,
                                               tile::ScoreKeysOp op) {
    b.setInsertionPoint(op);
    int64_t heads = cast<llama::CacheType>(op.getCache().getType()).getHeads();
    Value one = arith::ConstantIndexOp::create(b, 1);
    Value count = arith::ConstantIndexOp::create(b, heads);
    Value next = arith::AddIOp::create(b, op.getHead(), one);
    op.getHeadMutable().assign(arith::RemUIOp::create(b, next, count));
    return heads > 1;
  });
}

/// Whether an element of a tile is in columns 2 and 3 of its head, as a mask.
static Value isSecondPair(ImplicitLocOpBuilder &b, VectorType type,
                          Value firstColumn, int64_t head) {
  auto words = VectorType::get(type.getShape(), b.getI32Type());
  SmallVector<int32_t> columns;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    columns.push_back(static_cast<int32_t>(i % type.getDimSize(1)));
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(words, llvm::APInt(32, value)));
  };
  Value first = vector::BroadcastOp::create(
      b, words,
      arith::IndexCastUIOp::create(b, b.getI32Type(), firstColumn).getResult());
  Value column = arith::AddIOp::create(
      b, first,
      arith::ConstantOp::create(
          b, DenseElementsAttr::get(words, ArrayRef<int32_t>(columns)))
          .getResult());
  column = arith::RemUIOp::create(b, column, constant(head));
  Value pair = arith::ShRUIOp::create(b, column, constant(1));
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, pair, constant(1));
}

/// Of the second pair: cos 2t = 1 - 2 sin^2 t, sin 2t = 2 sin t cos t.
static unsigned doubleFrequency(ModuleOp module) {
  auto both = [](ImplicitLocOpBuilder &b, Value sine, Value cosine,
                 bool wantsSine) -> Value {
    Value other = wantsSine ? cosine : sine;
    Value product = arith::MulFOp::create(b, sine, other);
    Value twice = arith::AddFOp::create(b, product, product);
    if (wantsSine)
      return twice;
    auto type = cast<VectorType>(sine.getType());
    Value one = arith::ConstantOp::create(
        b, DenseElementsAttr::get(type, llvm::APFloat(1.0f)));
    return arith::SubFOp::create(b, one, twice);
  };
  return forEach<tile::RopeRowOp>(
             module,
             [&](ImplicitLocOpBuilder &b, tile::RopeRowOp op) {
               auto type = cast<VectorType>(op.getType());
               auto row = [&](bool sine) -> Value {
                 return tile::RopeRowOp::create(b, type, op.getCtx(),
                                                op.getRow(), op.getFirst(),
                                                op.getHead(), sine);
               };
               Value sine = row(true), cosine = row(false);
               Value twice = both(b, sine, cosine, op.getSine());
               Value mask = isSecondPair(b, type, op.getFirst(), op.getHead());
               Value own = op.getSine() ? sine : cosine;
               op.getResult().replaceAllUsesWith(
                   arith::SelectOp::create(b, mask, twice, own).getResult());
               return true;
             }) +
         forEach<tile::StoreOp>(
             module, [&](ImplicitLocOpBuilder &b, tile::StoreOp op) {
               auto encoding = op.getValue().getDefiningOp<arith::TruncFOp>();
               if (!encoding || !isEncoding(encoding))
                 return false;
               b.setInsertionPoint(op);
               auto type = cast<VectorType>(encoding.getType());
               Value partner =
                   tile::SwapPairsOp::create(b, type, encoding.getResult());
               // Even columns are sines. The mask is of their pair, so only
               // the formula differs by parity.
               Value asSine = both(b, encoding, partner, true);
               Value asCosine = both(b, partner, encoding, false);
               SmallVector<bool> isEven;
               for (int64_t i = 0; i < type.getNumElements(); ++i)
                 isEven.push_back(i % 2 == 0);
               auto bits = VectorType::get(type.getShape(), b.getI1Type());
               Value even = arith::ConstantOp::create(
                   b, DenseElementsAttr::get(bits, isEven));
               Value twice = arith::SelectOp::create(b, even, asSine, asCosine);
               int64_t columns =
                   cast<MemRefType>(op.getTarget().getType()).getDimSize(1);
               Value mask = isSecondPair(b, type, op.getColumn(),
                                         std::max<int64_t>(columns, 4));
               op.getValueMutable().assign(
                   arith::SelectOp::create(b, mask, twice, encoding));
               return true;
             });
}

/// silu(up) * gate in place of silu(gate) * up.
static unsigned swapGateAndUp(ModuleOp module) {
  return forEach<arith::MulFOp>(module, [](ImplicitLocOpBuilder &b,
                                           arith::MulFOp op) {
    auto silu = op.getLhs().getDefiningOp<arith::DivFOp>();
    auto sum = silu ? silu.getRhs().getDefiningOp<arith::AddFOp>() : nullptr;
    auto exp = sum ? sum.getLhs().getDefiningOp<math::ExpOp>() : nullptr;
    auto negative =
        exp ? exp.getOperand().getDefiningOp<arith::NegFOp>() : nullptr;
    if (!negative || negative.getOperand() != silu.getLhs())
      return false;
    Value gate = silu.getLhs(), up = op.getRhs();
    Value e = math::ExpOp::create(b, arith::NegFOp::create(b, up));
    Value below = arith::AddFOp::create(b, e, sum.getRhs());
    Value bent = arith::DivFOp::create(b, up, below);
    auto swapped = arith::MulFOp::create(b, bent, gate);
    op.getResult().replaceAllUsesWith(swapped);
    return true;
  });
}

/// Twice the 0.044715 of GELU's x (a + b x^2).
static unsigned doubleCubic(ModuleOp module) {
  return forEach<math::FmaOp>(
      module, [](ImplicitLocOpBuilder &b, math::FmaOp op) {
        auto square = op.getA().getDefiningOp<arith::MulFOp>();
        if (!square || square.getLhs() != square.getRhs() ||
            !matchPattern(op.getB(), m_Constant()))
          return false;
        b.setInsertionPoint(op);
        op->setOperand(1, arith::AddFOp::create(b, op.getB(), op.getB()));
        return true;
      });
}

/// What a part of a layer gives, not added to what was there.
static unsigned leaveOutResidual(ModuleOp module) {
  return forEach<arith::AddFOp>(module,
                                [](ImplicitLocOpBuilder &, arith::AddFOp op) {
                                  Value read = op.getLhs(), made = op.getRhs();
                                  if (made.getDefiningOp<tile::LoadOp>())
                                    std::swap(read, made);
                                  if (!read.getDefiningOp<tile::LoadOp>() ||
                                      !made.getDefiningOp<tile::ContractOp>())
                                    return false;
                                  op.getResult().replaceAllUsesWith(made);
                                  return true;
                                });
}

static constexpr Fault kFaults[] = {
    {"swap-sine-cosine", "sine and cosine of rotations and encodings swapped",
     swapSineAndCosine},
    {"drop-epsilon", "norms without epsilon", dropEpsilon},
    {"shift-positions", "positions of rotations and encodings off by one",
     shiftPositions},
    {"share-wrong-head", "keys of the next head", shareWrongHead},
    {"double-frequency", "twice the frequency of the second pair",
     doubleFrequency},
    {"swap-gate-up", "gate and up of SwiGLU swapped", swapGateAndUp},
    {"double-cubic", "twice the cubic term of GELU", doubleCubic},
    {"leave-out-residual", "products not added to the residual",
     leaveOutResidual},
};

ArrayRef<Fault> test::allFaults() { return kFaults; }
