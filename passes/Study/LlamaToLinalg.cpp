//===- LlamaToLinalg.cpp - ops of the graph as linalg on tensors ----------===//
//
// import -> linalg.generic: a second, plain meaning of each op that the study
// runs, three of RoPE. Nothing is fast, or shared with the path of programs.
// One file, because of one notation: loops over tensors as indices and a
// formula.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Study/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>
#include <numbers>

namespace corellama::study {
#define GEN_PASS_DEF_LLAMATOLINALG
#define GEN_PASS_DEF_LLAMAROPETOMATRIX
#define GEN_PASS_DEF_LLAMAROPETOELEMENTWISE
#define GEN_PASS_DEF_LLAMAROPETOCOMPLEX
#include "passes/Study/Passes.h.inc"
} // namespace corellama::study

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

namespace {

//===----------------------------------------------------------------------===//
// Formulas and loops
//===----------------------------------------------------------------------===//

/// A number in a formula, with the operators of `arith`.
struct Number {
  ImplicitLocOpBuilder *b;
  Value value;

  operator Value() const { return value; }
  template <typename OpT, typename... More> Number by(More... more) const {
    return {b, OpT::create(*b, value, more...)};
  }
  /// A constant of this number's type.
  Number like(double constant) const {
    auto attribute = b->getFloatAttr(value.getType(), constant);
    return {b, arith::ConstantOp::create(*b, attribute)};
  }
  /// In a type of floating point; integers have a sign.
  Number to(Type type) const {
    return {b, convertScalarToDtype(*b, b->getLoc(), value, type, false)};
  }
  Number choose(Number yes, Number no) const {
    return by<arith::SelectOp>(yes.value, no.value);
  }
  Number operator-() const { return by<arith::NegFOp>(); }
  Number operator+(Number y) const { return by<arith::AddFOp>(y.value); }
  Number operator-(Number y) const { return by<arith::SubFOp>(y.value); }
  Number operator*(Number y) const { return by<arith::MulFOp>(y.value); }
  Number operator/(Number y) const { return by<arith::DivFOp>(y.value); }
  Number operator+(double y) const { return *this + like(y); }
  Number operator*(double y) const { return *this * like(y); }
  Number operator/(double y) const { return *this / like(y); }
};
using Numbers = ArrayRef<Number>;

Number exp(Number x) { return x.by<math::ExpOp>(); }
Number sqrt(Number x) { return x.by<math::SqrtOp>(); }
Number maximum(Number x, Number y) { return x.by<arith::MaximumFOp>(y.value); }
// The last number is what was gathered so far.
Value addTo(Numbers in) { return in[1] + in[0]; }
Value addSquare(Numbers in) { return in[1] + in[0] * in[0]; }
Value addProduct(Numbers in) { return in[2] + in[0] * in[1]; }
Value same(Numbers in) { return in[0]; }

ArrayRef<int64_t> shapeOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getShape();
}
/// {0}, {1, 2, ...}
SmallVector<ReassociationIndices> columnsOf(size_t rank) {
  return {{0}, llvm::to_vector<2>(llvm::seq<int64_t>(1, rank))};
}

struct LoopOptions {
  /// Of indices that no tensor has.
  ArrayRef<std::pair<char, int64_t>> extents = {};
  Type element = {}; ///< of the result; null: the writer's `real`
  double start = 0;  ///< of what is gathered
};

/// Writes before an op, in numbers of type `real`.
struct LinalgWriter {
  /// Loops as Einstein wrote them: with "rk,nk->rn" r and n go over the
  /// elements of the result and k, which it lacks, is gathered over: the
  /// formula has a number of each tensor and then the one gathered so far. A
  /// digit is a fixed index.
  Value loop(StringRef indices, ValueRange tensors,
             function_ref<Value(Numbers)> formula,
             const LoopOptions &options = {}) {
    auto [reads, result] = indices.split("->");
    SmallVector<StringRef> lists;
    reads.split(lists, ',');
    lists.push_back(result);
    // The result's loops first, as its dimensions are.
    std::string loops = result.str();
    llvm::SmallDenseMap<char, int64_t> extents(options.extents.begin(),
                                               options.extents.end());
    for (auto [list, tensor] : llvm::zip(lists, tensors))
      for (auto [i, extent] : llvm::zip_equal(list, shapeOf(tensor)))
        if (!llvm::isDigit(i) && extents.try_emplace(i, extent).second &&
            !StringRef(loops).contains(i))
          loops += i;
    auto maps = llvm::map_to_vector(lists, [&](StringRef list) {
      auto at = llvm::map_to_vector(list, [&](char i) {
        return llvm::isDigit(i) ? b.getAffineConstantExpr(i - '0')
                                : b.getAffineDimExpr(loops.find(i));
      });
      return AffineMap::get(loops.size(), 0, at, b.getContext());
    });
    auto shape =
        llvm::map_to_vector(result, [&](char i) { return extents.lookup(i); });
    Type element = options.element ? options.element : real;
    Value output = tensor::EmptyOp::create(b, shape, element);
    using utils::IteratorType;
    SmallVector<IteratorType> kinds(shape.size(), IteratorType::parallel);
    if (loops.size() > shape.size()) {
      kinds.resize(loops.size(), IteratorType::reduction);
      auto start = b.getFloatAttr(element, options.start);
      Value first = arith::ConstantOp::create(b, start);
      output = linalg::FillOp::create(b, first, output).getResult(0);
    }
    auto body = [&](OpBuilder &inner, Location, ValueRange arguments) {
      OpBuilder::InsertionGuard guard(b);
      b.restoreInsertionPoint(inner.saveInsertionPoint());
      auto numbers = llvm::map_to_vector(
          arguments, [&](Value value) { return Number{&b, value}; });
      linalg::YieldOp::create(b, formula(numbers));
    };
    return linalg::GenericOp::create(b, output.getType(), tensors, output, maps,
                                     kinds, body)
        .getResult(0);
  }

  // In a formula, of the result's dimensions:
  Value index(unsigned i) { return linalg::IndexOp::create(b, i); }
  Number isSame(Value i, Value j) {
    return {&b, arith::CmpIOp::create(b, arith::CmpIPredicate::eq, i, j)};
  }
  Number isFirst(unsigned i) {
    return isSame(index(i), arith::ConstantIndexOp::create(b, 0));
  }
  /// base^(-i / n) in float64, i being along dimension 1.
  Number frequency(const APFloat &base, int64_t n) {
    Number i{&b, arith::IndexCastOp::create(b, b.getI64Type(), index(1))};
    Number power = i.to(b.getF64Type()) / static_cast<double>(-n);
    return power.like(base.convertToDouble()).by<math::PowFOp>(power.value);
  }

  /// Rows of columns as rows of more dimensions, and back.
  Value split(Value x, ArrayRef<int64_t> columns) {
    SmallVector<int64_t> shape{shapeOf(x)[0]};
    llvm::append_range(shape, columns);
    Type type = cast<RankedTensorType>(x.getType()).clone(shape);
    return tensor::ExpandShapeOp::create(b, type, x, columnsOf(shape.size()));
  }
  Value join(Value x) {
    return tensor::CollapseShapeOp::create(b, x, columnsOf(shapeOf(x).size()));
  }

  ImplicitLocOpBuilder b;
  Type real;
};

//===----------------------------------------------------------------------===//
// The ops, RoPE in three forms
//===----------------------------------------------------------------------===//

/// A turn of x, which is rows x heads x pairs x 2, by an angle t for each row
/// and pair. Indices: r of rows, h of heads, p of pairs, c of the two numbers
/// of a pair; q and e are another pair and number.
struct Turn {
  LinalgWriter &w;
  Value x, cosines, sines;

  /// y[r, h, p, c] = sum of R[r, p, c, q, e] x[r, h, q, e]: R[r] is cos t,
  /// -sin t, sin t and cos t within a pair, and zero elsewhere.
  Value toMatrix() {
    int64_t pairs = shapeOf(x)[2];
    auto place = [&](Numbers in) {
      Number sine = w.isFirst(2).choose(-in[1], in[1]);
      Number within = w.isSame(w.index(2), w.index(4)).choose(in[0], sine);
      return w.isSame(w.index(1), w.index(3)).choose(within, sine.like(0));
    };
    Value matrix = w.loop("rp,rp->rpcqe", {cosines, sines}, place,
                          {.extents = {{'c', 2}, {'q', pairs}, {'e', 2}}});
    return w.loop("rpcqe,rhqe->rhpc", {matrix, x}, addProduct);
  }

  /// y = x cos t + (the other number of its pair) (-sin t or sin t)
  Value toElementwise() {
    auto turned = [&](Numbers in) {
      Number other = w.isFirst(3).choose(in[2], in[1]);
      Number sine = w.isFirst(3).choose(-in[4], in[4]);
      return in[0] * in[3] + other * sine;
    };
    return w.loop("rhpc,rhp0,rhp1,rp,rp->rhpc", {x, x, x, cosines, sines},
                  turned);
  }

  /// y = x e^(i t), a pair being a complex number.
  Value toComplex() {
    auto type = ComplexType::get(w.real);
    auto number = [&](Numbers in) -> Value {
      return complex::CreateOp::create(w.b, type, in[0], in[1]);
    };
    auto product = [&](Numbers in) -> Value {
      return complex::MulOp::create(w.b, number(in), in[2].value);
    };
    auto part = [&](Numbers in) {
      Number re = in[0].by<complex::ReOp>(), im = in[0].by<complex::ImOp>();
      return w.isFirst(3).choose(re, im);
    };
    Value z = w.loop("rp,rp->rp", {cosines, sines}, number, {.element = type});
    z = w.loop("rhp0,rhp1,rp->rhp", {x, x, z}, product, {.element = type});
    return w.loop("rhp->rhpc", z, part, {.extents = {{'c', 2}}});
  }
};
using Form = Value (Turn::*)();

/// `halves`: number c of pair p is in column c d / 2 + p of a head, not in
/// 2 p + c. Then it is moved there, turned, and moved back.
FailureOr<Value> write(RopeOp op, LinalgWriter &w, Form form, bool halves) {
  if (op.getRotation())
    return op.emitOpError()
           << "is written out for plain angles, found " << op.getRotationAttr();
  int64_t heads = op.getHeads(), pairs = op.getHeadSize() / 2;
  Type f64 = w.b.getF64Type();
  auto angle = [&](Numbers in) {
    return in[0].to(f64) * w.frequency(op.getBase(), pairs);
  };
  auto cosine = [&](Numbers in) { return in[0].by<math::CosOp>().to(w.real); };
  auto sine = [&](Numbers in) { return in[0].by<math::SinOp>().to(w.real); };
  Value t = w.loop("r->rp", op.getPositions(), angle,
                   {.extents = {{'p', pairs}}, .element = f64});
  Value x = w.split(op.getX(), {heads, halves ? 2 : pairs, halves ? pairs : 2});
  Turn turn{w, halves ? w.loop("rhcp->rhpc", x, same) : x,
            w.loop("rp->rp", t, cosine), w.loop("rp->rp", t, sine)};
  Value y = (turn.*form)();
  return w.join(halves ? w.loop("rhpc->rhcp", y, same) : y);
}

/// x / sqrt(mean of x^2 + eps) * w, a row being a head
Value write(RmsNormOp op, LinalgWriter &w) {
  int64_t heads = op.getHeads().value_or(1), d = shapeOf(op.getX())[1] / heads;
  double eps = op.getEps().convertToDouble();
  auto normed = [&](Numbers in) {
    return in[0] / sqrt(in[1] / static_cast<double>(d) + eps) * in[2];
  };
  Value x = w.split(op.getX(), {heads, d});
  Value squares = w.loop("rhi->rh", x, addSquare), weight = op->getOperand(1);
  return w.join(w.loop("rhi,rh,i->rhi", {x, squares, weight}, normed));
}

/// (x - mean) / sqrt(variance + eps) * w + b
Value write(LayerNormOp op, LinalgWriter &w) {
  auto n = static_cast<double>(shapeOf(op.getX())[1]);
  double eps = op.getEps().convertToDouble();
  bool inOnePass = op.getPasses() == VariancePasses::OnePass;
  bool isBiased = op->getNumOperands() == 3;
  auto addDeviation = [&](Numbers in) {
    Number deviation = in[0] - in[1] / n;
    return in[2] + deviation * deviation;
  };
  auto normed = [&](Numbers in) {
    Number mean = in[0] / n, variance = in[1] / n;
    if (inOnePass)
      variance = maximum(variance - mean * mean, mean.like(0));
    Number y = (in[2] - mean) / sqrt(variance + eps) * in[3];
    return isBiased ? y + in[4] : y;
  };
  Value x = op.getX(), sum = w.loop("ri->r", x, addTo);
  Value squares = inOnePass ? w.loop("ri->r", x, addSquare)
                            : w.loop("ri,r->r", {x, sum}, addDeviation);
  SmallVector<Value> read{sum, squares};
  llvm::append_range(read, op->getOperands());
  return w.loop(isBiased ? "r,r,ri,i,i->ri" : "r,r,ri,i->ri", read, normed);
}

/// Bits of a position, or sines and cosines of its product with a frequency
Value write(PositionEncodingOp op, LinalgWriter &w) {
  int64_t columns = op.getType().getDimSize(1);
  Type i32 = w.b.getI32Type(), f64 = w.b.getF64Type();
  auto bit = [&](Numbers in) {
    Value place = arith::IndexCastOp::create(w.b, i32, w.index(1));
    Value one = arith::ConstantIntOp::create(w.b, i32, 1);
    return in[0].by<arith::ShRUIOp>(place).by<arith::AndIOp>(one).to(w.real);
  };
  if (op.getKind() == PositionKind::Binary)
    return w.loop("r->ri", op.getPositions(), bit,
                  {.extents = {{'i', columns}}});
  // Columns are groups of one sine, or of a sine and a cosine.
  int64_t size = op.getKind() == PositionKind::Sinusoidal ? 2 : 1,
          groups = columns / size;
  Type angle = op.getAngles() == AngleType::F32 ? w.b.getF32Type() : f64;
  auto wave = [&](Numbers in) {
    Number frequency = w.frequency(*op.getBase(), groups).to(angle);
    Number t = (in[0].to(angle) * frequency).to(f64);
    Number sine = t.by<math::SinOp>(), cosine = t.by<math::CosOp>();
    return w.isFirst(2).choose(sine, cosine).to(w.real);
  };
  return w.join(w.loop("r->rpc", op.getPositions(), wave,
                       {.extents = {{'p', groups}, {'c', size}}}));
}

/// By cache and layer what was appended: keys and values, rows x heads x head
/// size, and the rows' positions.
using Caches = llvm::DenseMap<std::pair<Value, Value>, std::array<Value, 3>>;

FailureOr<Value> write(KVAppendOp op, LinalgWriter &w, Caches &caches) {
  CacheType cache = op.getCache().getType();
  if (isa<Q8_0Type>(cache.getKeyType()) || isa<Q8_0Type>(cache.getValueType()))
    return op.emitOpError() << "has no form in linalg for blocks of q8_0";
  auto stored = [&](Value rows, Type element) {
    auto round = [&](Numbers in) { return in[0].to(element).to(w.real); };
    Value x = w.split(rows, {cache.getHeads(), cache.getHeadSize()});
    return w.loop("rhi->rhi", x, round);
  };
  std::array<Value, 3> now{stored(op.getKeys(), cache.getKeyType()),
                           stored(op.getValues(), cache.getValueType()),
                           op.getPositions()};
  if (!caches.try_emplace({op.getCache(), op.getLayer()}, now).second)
    return op.emitOpError("has no form in linalg behind another append");
  return Value();
}

/// Over the rows that the function has appended: there are no others. Indices:
/// n of heads of the cache, g of heads that share one, p of its positions.
FailureOr<Value> write(AttentionOp op, LinalgWriter &w, Caches &caches) {
  auto found = caches.find({op.getCache(), op.getLayer()});
  if (found == caches.end() || op.getWindow() || op.getScale())
    return op.emitOpError("has no form in linalg without an append before it, "
                          "or with a window or a scale");
  auto [keys, values, positions] = found->second;
  CacheType cache = op.getCache().getType();
  int64_t heads = cache.getHeads(), d = cache.getHeadSize();
  int64_t group = static_cast<int64_t>(op.getHeads()) / heads;
  auto score = [&](Numbers in) {
    constexpr auto kNotBefore = arith::CmpIPredicate::sge;
    Number isSeen{&w.b, arith::CmpIOp::create(w.b, kNotBefore, in[1], in[2])};
    Number scaled = in[0] / std::sqrt(static_cast<double>(d));
    return isSeen.choose(scaled, scaled.like(-HUGE_VAL));
  };
  auto larger = [](Numbers in) { return maximum(in[1], in[0]); };
  auto share = [](Numbers in) { return exp(in[0] - in[1]); };
  auto quotient = [](Numbers in) { return in[0] / in[1]; };
  Value q = w.split(op.getQuery(), {heads, group, d});
  Value scores = w.loop("rngi,pni->rngp", {q, keys}, addProduct);
  scores =
      w.loop("rngp,r,p->rngp", {scores, op.getPositions(), positions}, score);
  Value top = w.loop("rngp->rng", scores, larger, {.start = -HUGE_VAL});
  Value shares = w.loop("rngp,rng->rngp", {scores, top}, share);
  Value sum = w.loop("rngp->rng", shares, addTo);
  Value gathered = w.loop("rngp,pni->rngi", {shares, values}, addProduct);
  return w.join(w.loop("rngi,rng->rngi", {gathered, sum}, quotient));
}

FailureOr<Value> write(Operation *op, LinalgWriter &w, Caches &caches) {
  auto loop = [&](StringRef indices, function_ref<Value(Numbers)> formula) {
    return FailureOr<Value>(w.loop(indices, op->getOperands(), formula));
  };
  auto silu = [](Numbers in) { return in[0] / (exp(-in[0]) + 1); };
  auto gated = [&](Numbers in) { return silu(in) * in[1]; };
  auto relu = [](Numbers in) { return maximum(in[0], in[0].like(0)); };
  // x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
  auto gelu = [](Numbers in) {
    constexpr double kRoot = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
    Number u = (in[0] + in[0] * in[0] * in[0] * 0.044715) * kRoot;
    return in[0] / 2 * (u.by<math::TanhOp>() + 1);
  };
  auto sum = [](Numbers in) { return in[0] + in[1]; };
  return llvm::TypeSwitch<Operation *, FailureOr<Value>>(op)
      .Case<RmsNormOp, LayerNormOp, PositionEncodingOp>(
          [&](auto o) { return write(o, w); })
      .Case<KVAppendOp, AttentionOp>(
          [&](auto o) { return write(o, w, caches); })
      .Case([&](RopeOp o) { return write(o, w, &Turn::toElementwise, false); })
      .Case([&](LinearOp) { return loop("rk,nk->rn", addProduct); })
      .Case([&](AddOp) { return loop("ri,ri->ri", sum); })
      .Case([&](SiluOp) { return loop("ri->ri", silu); })
      .Case([&](SwigluOp) { return loop("ri,ri->ri", gated); })
      .Case([&](ReluOp) { return loop("ri->ri", relu); })
      .Case([&](GeluOp) { return loop("ri->ri", gelu); })
      .Default([](Operation *other) {
        return other->emitOpError() << "has no form in linalg";
      });
}

//===----------------------------------------------------------------------===//
// The passes
//===----------------------------------------------------------------------===//

/// Puts what `write` makes (null for an op without a result) in the place of
/// all ops of the graph or, with `onlyRope`, of llama.rope, in f32 or f64 as
/// `type` says, to which rows of a function's arguments change.
LogicalResult
replace(ModuleOp module, StringRef type, bool onlyRope,
        function_ref<FailureOr<Value>(Operation *, LinalgWriter &)> write) {
  Builder types(module.getContext());
  if (type != "f32" && type != "f64")
    return module.emitError()
           << "type is '" << type << "', expected f32 or f64";
  Type real = type == "f64" ? types.getF64Type() : types.getF32Type();
  for (auto function : module.getOps<func::FuncOp>()) {
    if (function.isExternal())
      continue;
    for (BlockArgument argument : function.getArguments()) {
      auto tensor = dyn_cast<RankedTensorType>(argument.getType());
      auto weight = dyn_cast<WeightType>(argument.getType());
      if (tensor && tensor.getElementType().isF32())
        argument.setType(tensor.clone(real));
      if (weight && !onlyRope)
        argument.setType(RankedTensorType::get(weight.getShape(), real));
    }
    for (Operation &op : llvm::make_early_inc_range(function.getOps())) {
      if (onlyRope ? !isa<RopeOp>(op) : !isa<LlamaDialect>(op.getDialect()))
        continue;
      for (Type operand : op.getOperandTypes())
        if (auto tensor = dyn_cast<RankedTensorType>(operand);
            tensor && !tensor.hasStaticShape())
          return op.emitOpError()
                 << "is written out for a static number of rows, found "
                 << tensor;
      LinalgWriter writer{ImplicitLocOpBuilder(op.getLoc(), &op), real};
      FailureOr<Value> result = write(&op, writer);
      if (failed(result))
        return failure();
      if (*result)
        op.getResult(0).replaceAllUsesWith(*result);
      op.erase();
    }
    function.front().eraseArguments([&](BlockArgument argument) {
      return !onlyRope && isa<CacheType>(argument.getType()) &&
             argument.use_empty();
    });
    function.setType(types.getFunctionType(
        function.front().getArgumentTypes(),
        function.back().getTerminator()->getOperandTypes()));
  }
  return success();
}

template <template <typename> typename Base, Form form>
struct RopePass : Base<RopePass<Base, form>> {
  using Base<RopePass>::Base;

  void runOnOperation() override {
    ModuleOp module = this->getOperation();
    StringRef pairs = this->pairs;
    auto turn = [&](Operation *op, LinalgWriter &writer) {
      return write(cast<RopeOp>(op), writer, form, pairs == "half");
    };
    if (pairs != "adjacent" && pairs != "half")
      module.emitError() << "pairs is '" << pairs
                         << "', expected adjacent or half";
    else if (succeeded(replace(module, this->type, /*onlyRope=*/true, turn)))
      return;
    this->signalPassFailure();
  }
};
using namespace study::impl;
template struct RopePass<LlamaRopeToMatrixBase, &Turn::toMatrix>;
template struct RopePass<LlamaRopeToElementwiseBase, &Turn::toElementwise>;
template struct RopePass<LlamaRopeToComplexBase, &Turn::toComplex>;

struct LlamaToLinalg : LlamaToLinalgBase<LlamaToLinalg> {
  using LlamaToLinalgBase::LlamaToLinalgBase;

  void runOnOperation() override {
    Caches caches;
    auto linalg = [&](Operation *op, LinalgWriter &writer) {
      return write(op, writer, caches);
    };
    if (failed(replace(getOperation(), type, /*onlyRope=*/false, linalg)))
      signalPassFailure();
  }
};

} // namespace
