//===- RopeForms.cpp - llama.rope written out in three ways ---------------===//
//
// import -> import, in linalg, math, arith and complex. One builder of the
// forms and a pass for each: what differs between them is a function of ten
// lines, and stands side by side here to be read.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Study/Passes.h"
#include <cmath>

namespace corellama::study {
#define GEN_PASS_DEF_LLAMAROPETOMATRIX
#define GEN_PASS_DEF_LLAMAROPETOELEMENTWISE
#define GEN_PASS_DEF_LLAMAROPETOCOMPLEX
#include "passes/Study/Passes.h.inc"
} // namespace corellama::study

using namespace mlir;
using namespace corellama;
using namespace corellama::study;
using llama::RopeOp;

namespace {

/// Writes the forms of one op. Tensors of x and y are rows x heads x d.
class RopeForm {
public:
  RopeForm(ImplicitLocOpBuilder &b, RopeOp op, Type element, bool halves)
      : b(b), op(op), element(element), halves(halves),
        rows(op.getType().getDimSize(0)), heads(op.getHeads()),
        d(op.getHeadSize()) {
    auto split = RankedTensorType::get({rows, heads, d}, element);
    x = tensor::ExpandShapeOp::create(b, split, op.getX(), kHeads);
  }

  void toMatrix();
  void toElementwise();
  void toComplex();

private:
  using Values = SmallVector<Value, 2>;
  using Body = function_ref<Values(ValueRange indices, ValueRange inputs)>;

  static const SmallVector<ReassociationIndices, 2> kHeads;

  /// New tensors of one shape, element by element.
  Values fill(ArrayRef<int64_t> shape, ArrayRef<Type> elements, Body body,
              ValueRange inputs = {}, ArrayRef<AffineMap> maps = {});
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, value);
  }
  Value at(Value tensor, ValueRange indices) {
    return tensor::ExtractOp::create(b, tensor, indices);
  }
  AffineMap dims(ArrayRef<unsigned> which, unsigned of) {
    SmallVector<AffineExpr> results;
    for (unsigned dim : which)
      results.push_back(b.getAffineDimExpr(dim));
    return AffineMap::get(of, 0, results, b.getContext());
  }

  // A column of a head: the number of its pair, whether it is the pair's first,
  // and the column of the other.
  Value pairOf(Value column) {
    return halves ? arith::RemUIOp::create(b, column, index(d / 2)).getResult()
                  : arith::DivUIOp::create(b, column, index(2)).getResult();
  }
  Value isFirst(Value column) {
    if (halves)
      return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, column,
                                   index(d / 2));
    Value parity = arith::RemUIOp::create(b, column, index(2));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, parity, index(0));
  }
  Value partnerOf(Value column) {
    if (!halves)
      return arith::XOrIOp::create(b, column, index(1));
    Value next = arith::AddIOp::create(b, column, index(d / 2));
    return arith::RemUIOp::create(b, next, index(d));
  }

  /// cos t and sin t of row r and pair i: rows x d / 2, from float64 angles.
  Values angles();
  void finish(Value y) {
    auto type = RankedTensorType::get(op.getType().getShape(), element);
    Value joined = tensor::CollapseShapeOp::create(b, type, y, kHeads);
    op.getResult().replaceAllUsesWith(joined);
    op.erase();
  }

  ImplicitLocOpBuilder &b;
  RopeOp op;
  Type element;
  bool halves;
  int64_t rows, heads, d;
  Value x;
};

const SmallVector<ReassociationIndices, 2> RopeForm::kHeads{{0}, {1, 2}};

RopeForm::Values RopeForm::fill(ArrayRef<int64_t> shape,
                                ArrayRef<Type> elements, Body body,
                                ValueRange inputs, ArrayRef<AffineMap> given) {
  SmallVector<Value> outputs;
  SmallVector<Type> types;
  SmallVector<AffineMap> maps(given);
  for (Type type : elements) {
    outputs.push_back(tensor::EmptyOp::create(b, shape, type));
    types.push_back(outputs.back().getType());
    maps.push_back(b.getMultiDimIdentityMap(shape.size()));
  }
  SmallVector<utils::IteratorType> loops(shape.size(),
                                         utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, types, inputs, outputs, maps, loops,
      [&](OpBuilder &builder, Location, ValueRange arguments) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(builder.getInsertionBlock(),
                            builder.getInsertionPoint());
        SmallVector<Value> indices;
        for (size_t dim = 0; dim < shape.size(); ++dim)
          indices.push_back(linalg::IndexOp::create(b, dim));
        linalg::YieldOp::create(
            b, body(indices, arguments.take_front(inputs.size())));
      });
  return Values(generic.getResults());
}

RopeForm::Values RopeForm::angles() {
  SmallVector<double> frequencies;
  for (int64_t i = 0; i < d / 2; ++i)
    frequencies.push_back(
        std::pow(op.getBase().convertToDouble(),
                 -2.0 * static_cast<double>(i) / static_cast<double>(d)));
  auto type = RankedTensorType::get({d / 2}, b.getF64Type());
  Value frequency = arith::ConstantOp::create(
      b, DenseElementsAttr::get(type, ArrayRef(frequencies)));
  auto narrow = [&](Value value) -> Value {
    if (element.isF64())
      return value;
    return arith::TruncFOp::create(b, element, value);
  };
  return fill({rows, d / 2}, {element, element},
              [&](ValueRange, ValueRange in) -> Values {
                Value p = arith::SIToFPOp::create(b, b.getF64Type(), in[0]);
                Value t = arith::MulFOp::create(b, p, in[1]);
                Value cosine = math::CosOp::create(b, t);
                Value sine = math::SinOp::create(b, t);
                Value first = narrow(cosine);
                return {first, narrow(sine)};
              },
              {op.getPositions(), frequency}, {dims({0}, 2), dims({1}, 2)});
}

/// y[r, h, i] = sum_j R[r, i, j] x[r, h, j], R[r] being cos t, -sin t, sin t
/// and cos t at the places of each pair and zero elsewhere.
void RopeForm::toMatrix() {
  Values table = angles();
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(element));
  Values matrix =
      fill({rows, d, d}, {element}, [&](ValueRange at3, ValueRange) -> Values {
        Value i = at3[1], j = at3[2], pair = pairOf(i), other = pairOf(j);
        Value cosine = at(table[0], {at3[0], pair});
        Value sine = at(table[1], {at3[0], pair});
        Value negative = arith::NegFOp::create(b, sine);
        Value off = arith::SelectOp::create(b, isFirst(i), negative, sine);
        Value isSame = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, i, j);
        Value inPair =
            arith::CmpIOp::create(b, arith::CmpIPredicate::eq, pair, other);
        Value value = arith::SelectOp::create(b, isSame, cosine, off);
        return {arith::SelectOp::create(b, inPair, value, zero)};
      });
  Value empty =
      tensor::EmptyOp::create(b, ArrayRef<int64_t>{rows, heads, d}, element);
  Value zeros = linalg::FillOp::create(b, zero, empty).getResult(0);
  using utils::IteratorType;
  auto product = linalg::GenericOp::create(
      b, TypeRange{zeros.getType()}, ValueRange{matrix[0], x},
      ValueRange{zeros},
      ArrayRef{dims({0, 2, 3}, 4), dims({0, 1, 3}, 4), dims({0, 1, 2}, 4)},
      ArrayRef{IteratorType::parallel, IteratorType::parallel,
               IteratorType::parallel, IteratorType::reduction},
      [&](OpBuilder &builder, Location loc, ValueRange in) {
        Value term = arith::MulFOp::create(builder, loc, in[0], in[1]);
        Value sum = arith::AddFOp::create(builder, loc, in[2], term);
        linalg::YieldOp::create(builder, loc, sum);
      });
  finish(product.getResult(0));
}

/// y[r, h, k] = x[r, h, k] cos t + x[r, h, partner of k] (-sin t or sin t)
void RopeForm::toElementwise() {
  Values table = angles();
  Values wide = fill(
      {rows, d}, {element, element}, [&](ValueRange at2, ValueRange) -> Values {
        Value pair = pairOf(at2[1]);
        Value cosine = at(table[0], {at2[0], pair});
        Value sine = at(table[1], {at2[0], pair});
        Value negative = arith::NegFOp::create(b, sine);
        return {cosine,
                arith::SelectOp::create(b, isFirst(at2[1]), negative, sine)};
      });
  finish(fill({rows, heads, d}, {element},
              [&](ValueRange at3, ValueRange in) -> Values {
                Value partner = at(x, {at3[0], at3[1], partnerOf(at3[2])});
                Value own = arith::MulFOp::create(b, in[0], in[1]);
                Value other = arith::MulFOp::create(b, partner, in[2]);
                return {arith::AddFOp::create(b, own, other)};
              },
              {x, wide[0], wide[1]},
              {dims({0, 1, 2}, 3), dims({0, 2}, 3), dims({0, 2}, 3)})[0]);
}

/// y = x e^(i t), a pair being a complex number.
void RopeForm::toComplex() {
  Values table = angles();
  auto type = ComplexType::get(element);
  Values turn =
      fill({rows, d / 2}, {type},
           [&](ValueRange, ValueRange in) -> Values {
             return {complex::CreateOp::create(b, type, in[0], in[1])};
           },
           table, {dims({0, 1}, 2), dims({0, 1}, 2)});
  Values turned =
      fill({rows, heads, d / 2}, {type},
           [&](ValueRange at3, ValueRange in) -> Values {
             Value first =
                 halves
                     ? at3[2]
                     : arith::MulIOp::create(b, at3[2], index(2)).getResult();
             Value real = at(x, {at3[0], at3[1], first});
             Value imaginary = at(x, {at3[0], at3[1], partnerOf(first)});
             Value z = complex::CreateOp::create(b, type, real, imaginary);
             return {complex::MulOp::create(b, z, in[0])};
           },
           turn, {dims({0, 2}, 3)});
  finish(fill(
      {rows, heads, d}, {element}, [&](ValueRange at3, ValueRange) -> Values {
        Value z = at(turned[0], {at3[0], at3[1], pairOf(at3[2])});
        Value real = complex::ReOp::create(b, z);
        Value imaginary = complex::ImOp::create(b, z);
        return {arith::SelectOp::create(b, isFirst(at3[2]), real, imaginary)};
      })[0]);
}

//===----------------------------------------------------------------------===//
// The passes
//===----------------------------------------------------------------------===//

/// Rows of f64 in place of f32, in functions of nothing but rope.
LogicalResult widen(ModuleOp module) {
  Type f64 = Float64Type::get(module.getContext());
  auto wide = [&](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getElementType().isF32() ? tensor.clone(f64) : type;
  };
  for (auto function : module.getOps<func::FuncOp>()) {
    for (Operation &op : function.getOps())
      if (!isa<RopeOp, func::ReturnOp>(op))
        return op.emitOpError() << "cannot be in f64; only rope can";
    for (BlockArgument argument : function.getArguments())
      argument.setType(wide(argument.getType()));
    function.setType(FunctionType::get(
        module.getContext(),
        llvm::map_to_vector(function.getArgumentTypes(), wide),
        llvm::map_to_vector(function.getResultTypes(), wide)));
  }
  return success();
}

LogicalResult rewrite(ModuleOp module, StringRef type, StringRef pairs,
                      void (RopeForm::*form)()) {
  if (type != "f32" && type != "f64")
    return module.emitError()
           << "type is '" << type << "', expected f32 or f64";
  if (pairs != "adjacent" && pairs != "half")
    return module.emitError()
           << "pairs is '" << pairs << "', expected adjacent or half";
  SmallVector<RopeOp> ops;
  module.walk([&](RopeOp op) { ops.push_back(op); });
  for (RopeOp op : ops)
    if (op.getType().isDynamicDim(0))
      return op.emitOpError()
             << "is written out for a static number of rows, found "
             << op.getType();
  if (type == "f64" && failed(widen(module)))
    return failure();
  Builder types(module.getContext());
  Type element = type == "f64" ? types.getF64Type() : types.getF32Type();
  for (RopeOp op : ops) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    (RopeForm(b, op, element, pairs == "half").*form)();
  }
  return success();
}

struct RopeToMatrix : study::impl::LlamaRopeToMatrixBase<RopeToMatrix> {
  using LlamaRopeToMatrixBase::LlamaRopeToMatrixBase;
  void runOnOperation() override {
    if (failed(rewrite(getOperation(), type, pairs, &RopeForm::toMatrix)))
      signalPassFailure();
  }
};
struct RopeToElementwise
    : study::impl::LlamaRopeToElementwiseBase<RopeToElementwise> {
  using LlamaRopeToElementwiseBase::LlamaRopeToElementwiseBase;
  void runOnOperation() override {
    if (failed(rewrite(getOperation(), type, pairs, &RopeForm::toElementwise)))
      signalPassFailure();
  }
};
struct RopeToComplex : study::impl::LlamaRopeToComplexBase<RopeToComplex> {
  using LlamaRopeToComplexBase::LlamaRopeToComplexBase;
  void runOnOperation() override {
    if (failed(rewrite(getOperation(), type, pairs, &RopeForm::toComplex)))
      signalPassFailure();
  }
};

} // namespace
