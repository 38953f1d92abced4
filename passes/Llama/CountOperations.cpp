//===- CountOperations.cpp - what a function computes and moves -----------===//
//
// import -> import with an attribute a function. Each op of the graph has its
// numbers by its formula, each linalg op by its body and the extents of its
// loops; both count the same things, so that forms of an op can be compared.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Complex/IR/Complex.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/Llama/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <utility>

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMACOUNTOPERATIONS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;

namespace {

struct Counts {
  int64_t multiply = 0, add = 0, divide = 0, exp = 0, sqrt = 0,
          trigonometric = 0, read = 0, written = 0;

  Counts &operator+=(const Counts &other);
  Counts operator*(int64_t times) const;
};

constexpr std::pair<llvm::StringLiteral, int64_t Counts::*> kFields[] = {
    {"multiply", &Counts::multiply}, {"add", &Counts::add},
    {"divide", &Counts::divide},     {"exp", &Counts::exp},
    {"sqrt", &Counts::sqrt},         {"trigonometric", &Counts::trigonometric},
    {"bytes_read", &Counts::read},   {"bytes_written", &Counts::written}};

Counts &Counts::operator+=(const Counts &other) {
  for (auto [name, field] : kFields)
    this->*field += other.*field;
  return *this;
}
Counts Counts::operator*(int64_t times) const {
  Counts all = *this;
  for (auto [name, field] : kFields)
    all.*field *= times;
  return all;
}

/// Of one call.
class Counter {
public:
  Counter(int64_t rows, int64_t position) : rows(rows), position(position) {}

  /// Nothing for what is no op of the graph or of linalg and computes nothing.
  FailureOr<Counts> count(Operation *op) const;

private:
  int64_t rowsOf(Value value) const {
    int64_t extent = cast<RankedTensorType>(value.getType()).getDimSize(0);
    return ShapedType::isDynamic(extent) ? rows : extent;
  }
  static int64_t columnsOf(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape().back();
  }
  int64_t elementsOf(Value value) const {
    return rowsOf(value) * columnsOf(value);
  }
  int64_t bytesOf(Value value) const;
  Counts attention(AttentionOp op) const;
  FailureOr<Counts> generic(linalg::GenericOp op) const;
  FailureOr<Counts> computed(Operation *op) const;

  int64_t rows, position;
};

int64_t bytesOfElement(Type type) {
  if (auto complex = dyn_cast<ComplexType>(type))
    return 2 * bytesOfElement(complex.getElementType());
  return static_cast<int64_t>(type.getIntOrFloatBitWidth()) / 8;
}

/// Of so many elements of keys and as many of values; a block of q8_0 has a
/// scale of two bytes.
int64_t bytesInCache(CacheType cache, int64_t elements) {
  int64_t bytes = 0;
  for (Type type : {cache.getKeyType(), cache.getValueType()})
    bytes += isa<Q8_0Type>(type)
                 ? elements / Q8_0Type::kBlock * (Q8_0Type::kBlock + 2)
                 : elements * bytesOfElement(type);
  return bytes;
}

/// Of a tensor, or of a weight in its format.
int64_t Counter::bytesOf(Value value) const {
  if (auto weight = dyn_cast<WeightType>(value.getType())) {
    int64_t elements = 1;
    for (int64_t extent : weight.getShape())
      elements *= extent;
    FormatInterface format = weight.getFormat();
    return elements / format.getBlock() * format.getBlockBytes();
  }
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return 0;
  int64_t elements = rowsOf(value);
  for (int64_t extent : type.getShape().drop_front())
    elements *= extent;
  if (auto record = dyn_cast<RowRecordInterface>(type.getElementType()))
    return elements / columnsOf(value) * record.getRowBytes(columnsOf(value));
  return elements * bytesOfElement(type.getElementType());
}

/// A row at position p sees p + 1 keys; a head of keys and values is read once
/// for all rows and all heads that share it.
Counts Counter::attention(AttentionOp op) const {
  CacheType cache = op.getCache().getType();
  int64_t heads = op.getHeads(), d = cache.getHeadSize();
  int64_t n = rowsOf(op.getQuery());
  int64_t window = op.getWindow().value_or(position + n);
  // Rows that see all keys up to their own; the others see a window.
  int64_t whole = std::clamp<int64_t>(window - position, 0, n);
  int64_t pairs = whole * position + whole * (whole + 1) / 2 +
                  (n - whole) * window; // of a row and a key
  // Scores, their scale, sums of weights, weighted values; y = o / s.
  Counts one{.multiply = 2 * d + 1, .add = 2 * d + 1, .exp = 1};
  Counts all = one * (heads * pairs);
  all.divide = heads * n * d;
  int64_t keys = std::min(position + n, window + n - 1); // of all rows
  all.read = bytesInCache(cache, keys * cache.getHeads() * d);
  return all;
}

/// The body, once an iteration; each tensor once, also those that it extracts
/// elements of.
FailureOr<Counts> Counter::generic(linalg::GenericOp op) const {
  int64_t iterations = 1;
  for (int64_t extent : op.getStaticLoopRanges()) {
    if (ShapedType::isDynamic(extent))
      return op.emitOpError() << "has loops of dynamic extents";
    iterations *= extent;
  }
  Counts body, moved;
  llvm::SetVector<Value> read(op.getInputs().begin(), op.getInputs().end());
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (auto extract = dyn_cast<tensor::ExtractOp>(inner))
      read.insert(extract.getTensor());
    llvm::TypeSwitch<Operation *>(&inner)
        .Case<arith::MulFOp>([&](auto) { ++body.multiply; })
        .Case<arith::AddFOp, arith::SubFOp>([&](auto) { ++body.add; })
        .Case<math::FmaOp>([&](auto) { ++body.multiply, ++body.add; })
        .Case<arith::DivFOp>([&](auto) { ++body.divide; })
        .Case<math::ExpOp>([&](auto) { ++body.exp; })
        .Case<math::SqrtOp>([&](auto) { ++body.sqrt; })
        .Case<math::SinOp, math::CosOp>([&](auto) { ++body.trigonometric; })
        // (a + bi)(c + di) = (ac - bd) + (ad + bc)i
        .Case<complex::MulOp>([&](auto) {
          body.multiply += 4;
          body.add += 2;
        })
        .Default([](Operation *) {});
  }
  for (Value value : read)
    moved.read += bytesOf(value);
  for (Value result : op.getResults())
    moved.written += bytesOf(result);
  moved += body * iterations;
  return moved;
}

/// What an op of the graph computes; what it reads and writes is its operands
/// and results.
FailureOr<Counts> Counter::computed(Operation *op) const {
  auto each = [&](Counts element, Counts row = {}) {
    Counts all = element * elementsOf(op->getResult(0));
    all += row * rowsOf(op->getResult(0));
    return all;
  };
  return llvm::TypeSwitch<Operation *, FailureOr<Counts>>(op)
      .Case<EmbedOp, KVAppendOp, QuantizeOp, ReluOp>(
          [](auto) { return Counts(); })
      .Case([&](LinearOp o) {
        return each(Counts{.multiply = 1, .add = 1} * columnsOf(o.getX()));
      })
      .Case([&](AttentionOp o) { return attention(o); })
      // Squares and their sum, two factors; mean, epsilon, root, inverse.
      .Case([&](RmsNormOp) {
        return each({.multiply = 3, .add = 1},
                    {.multiply = 1, .add = 1, .divide = 1, .sqrt = 1});
      })
      // Two sums, of which one is of squares; less the mean, two factors, and
      // in two passes less the mean once more. Two means, epsilon, root,
      // inverse; in one pass m^2 and less it.
      .Case([&](LayerNormOp o) {
        int64_t two = o.getPasses() == VariancePasses::TwoPass ? 1 : 0;
        int64_t bias = o.getBias() ? 1 : 0;
        return each(
            {.multiply = 3, .add = 3 + bias + two},
            {.multiply = 3 - two, .add = 2 - two, .divide = 1, .sqrt = 1});
      })
      // The element-wise form; cosines and sines are a table's.
      .Case([&](RopeOp) { return each({.multiply = 2, .add = 1}); })
      .Case([&](PositionEncodingOp o) {
        if (o.getKind() == PositionKind::Binary)
          return Counts();
        return each({.multiply = 1, .trigonometric = 1});
      })
      .Case([&](AddOp) { return each({.add = 1}); })
      .Case([&](MulOp) { return each({.multiply = 1}); })
      .Case([&](SiluOp) { return each({.add = 1, .divide = 1, .exp = 1}); })
      .Case([&](SwigluOp) {
        return each({.multiply = 1, .add = 1, .divide = 1, .exp = 1});
      })
      // x^2, x^2 c + b, x times that, and as silu.
      .Case([&](GeluOp) {
        return each({.multiply = 3, .add = 2, .divide = 1, .exp = 1});
      })
      .Default([](Operation *other) -> FailureOr<Counts> {
        return other->emitOpError() << "has no count of its operations";
      });
}

FailureOr<Counts> Counter::count(Operation *op) const {
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return this->generic(generic);
  if (auto fill = dyn_cast<linalg::FillOp>(op))
    return Counts{.written = bytesOf(fill.getResult(0))};
  if (!isa<LlamaDialect>(op->getDialect()) || isa<WeightRefOp>(op))
    return Counts();
  FailureOr<Counts> all = computed(op);
  if (failed(all))
    return failure();
  for (Value operand : op->getOperands()) {
    auto embed = dyn_cast<EmbedOp>(op);
    // An embedding reads the rows that it gives.
    if (embed && operand == embed.getWeight())
      all->read += bytesOf(operand) / embed.getWeight().getType().getRows() *
                   rowsOf(embed.getResult());
    else
      all->read += bytesOf(operand);
  }
  for (Value result : op->getResults())
    all->written += bytesOf(result);
  if (auto append = dyn_cast<KVAppendOp>(op))
    all->written +=
        bytesInCache(append.getCache().getType(), elementsOf(append.getKeys()));
  return all;
}

struct CountOperations
    : llama::impl::LlamaCountOperationsBase<CountOperations> {
  using LlamaCountOperationsBase::LlamaCountOperationsBase;

  void runOnOperation() override {
    // More of either is no model's, and numbers of operations stay in 64 bits.
    constexpr int64_t kMost = 1 << 24;
    if (rows < 1 || rows > kMost || position < 0 || position > kMost) {
      getOperation().emitError()
          << "rows are 1 to " << kMost << ", a position 0 to " << kMost;
      return signalPassFailure();
    }
    Counter counter(rows, position);
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      Counts sum;
      for (Operation &op : function.getOps()) {
        FailureOr<Counts> one = counter.count(&op);
        if (failed(one))
          return signalPassFailure();
        sum += *one;
      }
      Builder b(&getContext());
      SmallVector<NamedAttribute> entries;
      for (auto [name, field] : kFields)
        entries.push_back(
            b.getNamedAttr(name, b.getI64IntegerAttr(sum.*field)));
      function->setAttr("llama.operations", b.getDictionaryAttr(entries));
    }
  }
};

} // namespace
