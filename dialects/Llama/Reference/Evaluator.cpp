//===- Evaluator.cpp - runs llama functions and steps in float64 ----------===//
//
// A walk over the ops of a block, in order: operands are looked up, a function
// of Formulas.h computes, the result is checked against its type and kept. What
// an op reads from outside (weights, buffers, inputs) comes from the Evaluator.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/Evaluator.h"
#include "dialects/Llama/Reference/Formulas.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/ScopedPrinter.h"
#include <cmath>

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;

using Results = Expected<std::vector<Datum>>;

/// The calls that may be under way at once. A step calls a function, a function
/// at most a few helpers; more means a recursion.
static constexpr unsigned kMaxDepth = 64;

/// Rounds a row as a cache with such elements does when it is stored.
static void roundAppended(llvm::MutableArrayRef<double> row, Type element,
                          Mode mode) {
  if (mode == Mode::Ideal)
    return;
  if (isa<Q8_0Type>(element))
    return roundToQ8_0(row);
  Number number = element.isF16()    ? Number::F16
                  : element.isBF16() ? Number::BF16
                                     : Number::F32;
  for (double &x : row)
    x = roundTo(number, x);
}

/// What attention and attention_part say in their attributes.
template <typename Attention> static AttentionShape shapeOf(Attention op) {
  AttentionShape shape{static_cast<int64_t>(op.getHeads()),
                       1 / std::sqrt(static_cast<double>(
                               op.getCache().getType().getHeadSize()))};
  if (op.getScale())
    shape.scale = op.getScale()->convertToDouble();
  if (op.getWindow())
    shape.window = static_cast<int64_t>(*op.getWindow());
  return shape;
}

//===----------------------------------------------------------------------===//
// One function or step in execution
//===----------------------------------------------------------------------===//

static Results one(Datum value) {
  std::vector<Datum> results;
  results.push_back(std::move(value));
  return results;
}

template <typename T> static Results one(Expected<T> value) {
  if (!value)
    return value.takeError();
  return one(Datum(std::move(*value)));
}

static Results none(Error error) {
  if (error)
    return error;
  return std::vector<Datum>();
}

class Evaluator::Frame {
public:
  Frame(Evaluator &evaluator, StringRef symbol)
      : evaluator(evaluator), symbol(symbol) {}

  /// Runs a block; the values of its terminator.
  Results runBlock(Block &block, std::vector<Datum> arguments);

private:
  Results run(Operation *op);
  Error keep(Value value, Datum datum);
  Error observe(AttentionOp op);
  Error checkRows(Operation *op);
  Error fail(Operation *op, const Twine &message) {
    return createStringError("@" + symbol + ": " +
                             op->getName().getStringRef() + ": " + message);
  }

  const Tensor &tensor(Value value) {
    return std::get<Tensor>(values.at(value));
  }
  const IntTensor &integers(Value value) {
    return std::get<IntTensor>(values.at(value));
  }
  int64_t integer(Value value) { return std::get<int64_t>(values.at(value)); }
  const WeightData &weight(Value value) {
    return std::get<WeightData>(values.at(value));
  }
  Cache &cache(Value value) { return *std::get<CacheRef>(values.at(value)); }
  std::vector<Datum> list(OperandRange operands) {
    std::vector<Datum> result;
    for (Value operand : operands)
      result.push_back(values.at(operand));
    return result;
  }

  // The graph.
  Results evaluate(EmbedOp op) {
    return one(embed(integers(op.getIds()), weight(op.getWeight())));
  }
  Results evaluate(RmsNormOp op) {
    return one(rmsNorm(tensor(op.getX()), weight(op.getWeight()),
                       op.getEps().convertToDouble(),
                       op.getHeads().value_or(1)));
  }
  Results evaluate(LinearOp op) {
    return one(linear(tensor(op.getX()), weight(op.getWeight())));
  }
  Results evaluate(RopeOp op) {
    return one(
        rope(tensor(op.getX()), integers(op.getPositions()),
             toRotation(op.getBase(), op.getRotationAttr(), op.getHeadSize()),
             op.getHeads()));
  }
  Results evaluate(KVAppendOp op) {
    CacheType type = op.getCache().getType();
    auto rounder = [&](Type element) {
      return [this, element](llvm::MutableArrayRef<double> row) {
        roundAppended(row, element, evaluator.mode);
      };
    };
    return none(kvAppend(cache(op.getCache()), integer(op.getLayer()),
                         tensor(op.getKeys()), tensor(op.getValues()),
                         integers(op.getPositions()),
                         rounder(type.getKeyType()),
                         rounder(type.getValueType()), type.getRing()));
  }
  Results evaluate(AttentionOp op) {
    if (Error error = observe(op))
      return error;
    // Blocks of keys only affect rounding, and nothing is rounded here.
    return one(attention(tensor(op.getQuery()), cache(op.getCache()),
                         integer(op.getLayer()), integers(op.getPositions()),
                         shapeOf(op)));
  }
  Results evaluate(AttentionPartOp op) {
    return one(attentionPart(
        tensor(op.getQuery()), cache(op.getCache()), integer(op.getLayer()),
        integers(op.getPositions()), shapeOf(op), op.getKeys()));
  }
  Results evaluate(AttentionMergeOp op) {
    return one(attentionMerge(tensor(op.getParts())));
  }
  Results evaluate(SwigluOp op) {
    return one(swiglu(tensor(op.getGate()), tensor(op.getUp())));
  }
  Results evaluate(PositionEncodingOp op) {
    const IntTensor &positions = integers(op.getPositions());
    int64_t columns = op.getType().getDimSize(1);
    if (op.getKind() == PositionKind::Binary)
      return one(encodeBinary(positions, columns));
    bool isRounded =
        op.getAngles() == AngleType::F32 && evaluator.mode != Mode::Ideal;
    return one(encodeSines(positions, columns, op.getBase()->convertToDouble(),
                           op.getKind() == PositionKind::Sinusoidal,
                           isRounded ? Number::F32 : Number::Exact));
  }
  Results evaluate(LayerNormOp op) {
    return one(layerNorm(tensor(op.getX()), weight(op.getWeight()),
                         op.getBias() ? &weight(op.getBias()) : nullptr,
                         op.getEps().convertToDouble(),
                         op.getPasses() == VariancePasses::OnePass));
  }
  Results evaluate(ReluOp op) { return one(relu(tensor(op.getX()))); }
  Results evaluate(GeluOp op) { return one(gelu(tensor(op.getX()))); }
  Results evaluate(SiluOp op) { return one(silu(tensor(op.getX()))); }
  Results evaluate(MulOp op) {
    return one(mul(tensor(op.getLhs()), tensor(op.getRhs())));
  }
  Results evaluate(AddOp op) {
    return one(add(tensor(op.getLhs()), tensor(op.getRhs())));
  }
  Results evaluate(ScaleOp op) {
    return one(scale(tensor(op.getX()), op.getBy().convertToDouble()));
  }
  Results evaluate(BiasOp op) {
    return one(bias(tensor(op.getX()), weight(op.getWeight())));
  }
  Results evaluate(QuantizeOp op);

  // Kernels, buffers, steps.
  Results evaluate(WeightRefOp op);
  Results evaluate(KernelOp op) {
    return runBlock(op.getBody().front(), list(op.getInputs()));
  }
  Results evaluate(InputOp op);
  Results evaluate(BufferReadOp op);
  Results evaluate(BufferWriteOp op);
  Results evaluate(DispatchOp op);
  Results evaluate(BarrierOp) { return std::vector<Datum>(); }

  // Other dialects.
  Results evaluate(func::CallOp op) {
    return evaluator.call(op.getCallee(), list(op.getOperands()));
  }
  Results evaluate(scf::ForOp op);
  Results evaluateByFolding(Operation *op);

  Evaluator &evaluator;
  StringRef symbol;
  /// What the function's one index is, of which most functions have the layer.
  std::optional<int64_t> layer;
  llvm::DenseMap<Value, Datum> values;
};

Error Evaluator::Frame::keep(Value value, Datum datum) {
  Datum &kept = values[value] = std::move(datum);
  if (!evaluator.observer)
    return Error::success();
  return evaluator.observer->value(symbol, layer, value, kept);
}

/// Before the op: what it reads has been appended.
Error Evaluator::Frame::observe(AttentionOp op) {
  if (!evaluator.observer)
    return Error::success();
  auto probabilities = attentionProbabilities(
      tensor(op.getQuery()), cache(op.getCache()), integer(op.getLayer()),
      integers(op.getPositions()), shapeOf(op));
  if (!probabilities)
    return probabilities.takeError();
  return evaluator.observer->probabilities(symbol, layer, op.getResult(),
                                           *probabilities);
}

static bool isInteger(const Datum &value) {
  return std::holds_alternative<int64_t>(value);
}

Results Evaluator::Frame::runBlock(Block &block, std::vector<Datum> arguments) {
  if (isa<func::FuncOp>(block.getParentOp()) &&
      llvm::count_if(arguments, isInteger) == 1)
    layer = std::get<int64_t>(*llvm::find_if(arguments, isInteger));
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments(), arguments))
    if (Error error = keep(argument, std::move(value)))
      return error;
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      return list(op.getOperands());
    Results results = run(&op);
    if (!results) {
      // An op with a region has passed on a message that names the inner op's
      // place.
      if (op.getNumRegions() != 0 || isa<DispatchOp, func::CallOp>(op))
        return results.takeError();
      return fail(&op, llvm::toString(results.takeError()));
    }
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *results)) {
      if (Error error = checkType(value, result.getType()))
        return fail(&op, "the result: " + llvm::toString(std::move(error)));
      if (Error error = keep(result, std::move(value)))
        return fail(&op, llvm::toString(std::move(error)));
    }
  }
  return std::vector<Datum>();
}

Results Evaluator::Frame::run(Operation *op) {
  if (Error error = checkRows(op))
    return error;
  return llvm::TypeSwitch<Operation *, Results>(op)
      .Case<EmbedOp, RmsNormOp, LinearOp, RopeOp, KVAppendOp, AttentionOp,
            AttentionPartOp, AttentionMergeOp, SwigluOp, SiluOp, MulOp, AddOp,
            ScaleOp, BiasOp, PositionEncodingOp, LayerNormOp, ReluOp, GeluOp,
            QuantizeOp, WeightRefOp, KernelOp, InputOp, BufferReadOp,
            BufferWriteOp, DispatchOp, BarrierOp, func::CallOp, scf::ForOp>(
          [&](auto typed) { return evaluate(typed); })
      .Default([&](Operation *other) { return evaluateByFolding(other); });
}

/// Dynamic extents are known only now: operands of an op of the graph agree in
/// their rows, those of an elementwise op in their whole shape.
Error Evaluator::Frame::checkRows(Operation *op) {
  if (!isa<LlamaDialect>(op->getDialect()) || op->getNumRegions() != 0)
    return Error::success();
  std::optional<Shape> first;
  for (Value operand : op->getOperands()) {
    const Datum &value = values.at(operand);
    Shape shape;
    if (auto *floats = std::get_if<Tensor>(&value))
      shape = floats->shape;
    else if (auto *integers = std::get_if<IntTensor>(&value))
      shape = integers->shape;
    else
      continue;
    if (shape.empty())
      return createStringError(
          "operands have rows, found a tensor without extents");
    if (!op->hasTrait<OpTrait::SameOperandsAndResultType>())
      shape.truncate(1);
    if (first && *first != shape)
      return formatError("operands of {0} and {1} do not go together{2}",
                         formatShape(*first), formatShape(shape),
                         shape.size() == 1 ? " (rows)" : "");
    first = shape;
  }
  return Error::success();
}

Results Evaluator::Frame::evaluate(QuantizeOp op) {
  const Tensor &x = tensor(op.getX());
  if (evaluator.mode == Mode::Ideal)
    return one(Datum(x));
  Type element = op.getType().getElementType();
  if (isa<Q8B32Type>(element))
    return one(quantizeRows(x, roundToQ8B32));
  if (isa<X24B32Type>(element))
    return one(quantizeRows(x, roundToX24B32));
  return one(quantize(x, element.isF16() ? Number::F16 : Number::BF16));
}

//===----------------------------------------------------------------------===//
// Weights, inputs, buffers, dispatches
//===----------------------------------------------------------------------===//

Results Evaluator::Frame::evaluate(WeightRefOp op) {
  std::optional<int64_t> layer;
  if (op.getLayer())
    layer = integer(op.getLayer());
  std::string name = llvm::to_string(op.getWeight());
  auto declared = evaluator.symbols.lookupNearestSymbolFrom<WeightOp>(
      op, op.getWeightAttr());
  if (!declared)
    return createStringError(name + " is not a declared weight");
  if (layer && (*layer < 0 || *layer >= declared.getCount()))
    return formatError("layer {0} of {1}, which has {2}", *layer, name,
                       declared.getCount());
  if (declared.getFormat(layer.value_or(0)) != op.getType().getFormat())
    return formatError("{0} is {1} in layer {2}, not {3}", name,
                       declared.getFormat(layer.value_or(0)).getName(),
                       layer.value_or(0), op.getType().getFormat().getName());
  if (!evaluator.weights)
    return createStringError(name + " is needed, but no weights were given");
  Expected<WeightData> data = evaluator.weights->get(op.getWeight(), layer);
  if (!data)
    return data.takeError();
  if (Error error = checkWeight(*data))
    return createStringError(name + ": " + llvm::toString(std::move(error)));
  return one(Datum(std::move(*data)));
}

Results Evaluator::Frame::evaluate(InputOp op) {
  if (!evaluator.inputs)
    return formatError("no step is running that provides '{0}'",
                       stringifyInput(op.getName()));
  switch (op.getName()) {
  case Input::Ids:
    return one(Datum(evaluator.inputs->ids));
  case Input::Positions:
    return one(Datum(evaluator.inputs->positions));
  case Input::Cache:
    return one(Datum(evaluator.inputs->cache));
  case Input::Wanted:
    return one(Datum(evaluator.inputs->wanted));
  }
  llvm_unreachable("all inputs are above");
}

Results Evaluator::Frame::evaluate(BufferReadOp op) {
  const Tensor *buffer = evaluator.getBuffer(op.getBuffer());
  if (!buffer)
    return formatError(
        "buffer @{0} has no value: nothing wrote it, or a buffer that lies "
        "over it was written since",
        op.getBuffer());
  if (!op.getRows())
    return one(Datum(*buffer));
  const IntTensor &rows = integers(op.getRows());
  Tensor result;
  result.shape = buffer->shape;
  result.shape.front() = rows.values.size();
  for (int64_t row : rows.values) {
    if (row < 0 || row >= buffer->rows())
      return formatError("row {0} of buffer @{1}, which holds {2}", row,
                         op.getBuffer(), buffer->rows());
    size_t size = buffer->values.size() / buffer->rows();
    llvm::append_range(result.values,
                       ArrayRef(buffer->values).slice(row * size, size));
  }
  return one(Datum(std::move(result)));
}

Results Evaluator::Frame::evaluate(BufferWriteOp op) {
  auto buffer = evaluator.symbols.lookupNearestSymbolFrom<BufferOp>(
      op, op.getBufferAttr());
  if (!buffer)
    return formatError("@{0} is not a declared buffer", op.getBuffer());
  auto *value = std::get_if<Tensor>(&values.at(op.getValue()));
  if (!value)
    return createStringError("buffers hold tensors of floating point numbers");
  ArrayRef<int64_t> capacity =
      cast<RankedTensorType>(buffer.getType()).getShape();
  if (value->shape.size() != capacity.size() ||
      llvm::any_of(llvm::zip(value->shape, capacity), [](auto pair) {
        return std::get<0>(pair) > std::get<1>(pair);
      }))
    return formatError("buffer @{0} holds at most {1}, found {2}",
                       op.getBuffer(), formatShape(capacity),
                       formatShape(value->shape));
  // Buffers share bytes where their values do not live at once; a value whose
  // bytes were overwritten is dropped.
  if (buffer.getAt())
    for (auto other : evaluator.module.getOps<BufferOp>())
      if (other != buffer && other.getAt() &&
          *other.getAt() < *buffer.getAt() + buffer.getBytes() &&
          *buffer.getAt() < *other.getAt() + other.getBytes())
        evaluator.buffers.erase(other.getSymName());
  evaluator.setBuffer(op.getBuffer(), *value);
  evaluator.lastBufferWritten = op.getBuffer();
  return std::vector<Datum>();
}

Results Evaluator::Frame::evaluate(DispatchOp op) {
  int64_t index = 0;
  std::vector<Datum> arguments;
  if (op.getLayer()) {
    int64_t layer = integer(op.getLayer());
    arguments.push_back(layer);
    if (auto of = op.getOf()) {
      if (layer < 0 || layer >= static_cast<int64_t>(of->size()))
        return fail(op,
                    formatv("layer {0} of a table of {1}", layer, of->size()));
      index = (*of)[layer];
    }
  }
  auto callee = cast<FlatSymbolRefAttr>(op.getCallees()[index]);
  return evaluator.call(callee.getValue(), std::move(arguments));
}

//===----------------------------------------------------------------------===//
// scf and arith
//===----------------------------------------------------------------------===//

Results Evaluator::Frame::evaluate(scf::ForOp op) {
  int64_t step = integer(op.getStep());
  if (step <= 0)
    return fail(op, formatv("goes by {0}, a step is positive", step));
  std::vector<Datum> carried = list(op.getInitArgs());
  int64_t upper = integer(op.getUpperBound());
  for (int64_t i = integer(op.getLowerBound()); i < upper;) {
    std::vector<Datum> arguments;
    arguments.push_back(i);
    llvm::move(carried, std::back_inserter(arguments));
    Results results = runBlock(*op.getBody(), std::move(arguments));
    if (!results)
      return results;
    carried = std::move(*results);
    if (__builtin_add_overflow(i, step, &i))
      break;
  }
  return carried;
}

/// The value of a constant.
static Results fromConstant(Attribute constant) {
  if (auto integer = dyn_cast<IntegerAttr>(constant))
    return one(Datum(integer.getValue().getSExtValue()));
  auto elements = dyn_cast<DenseElementsAttr>(constant);
  if (!elements)
    return createStringError("constants are integers or dense tensors here");
  Shape shape(elements.getType().getShape());
  if (Expected<int64_t> count = countElements(shape); !count)
    return count.takeError();
  if (elements.getElementType().isInteger()) {
    IntTensor result{shape, {}};
    for (const APInt &value : elements.getValues<APInt>())
      result.values.push_back(value.getSExtValue());
    return one(Datum(std::move(result)));
  }
  if (!isa<FloatType>(elements.getElementType()))
    return createStringError("constants are integers or dense tensors here");
  Tensor result{shape, {}};
  for (const APFloat &value : elements.getValues<APFloat>())
    result.values.push_back(value.convertToDouble());
  return one(Datum(std::move(result)));
}

/// Constants, and arithmetic on indices and scalar integers: what the op folds
/// to when its operands are known.
Results Evaluator::Frame::evaluateByFolding(Operation *op) {
  SmallVector<Attribute> known;
  for (Value operand : op->getOperands()) {
    Type type = operand.getType();
    auto *integer = std::get_if<int64_t>(&values.at(operand));
    unsigned width =
        integer && !type.isIndex() ? type.getIntOrFloatBitWidth() : 64;
    known.push_back(
        integer ? IntegerAttr::get(
                      type,
                      APInt(64, *integer, /*isSigned=*/true).sextOrTrunc(width))
                : Attribute());
  }
  SmallVector<OpFoldResult> folded;
  if (failed(op->fold(known, folded)) || folded.size() != 1) {
    bool byZero = isa<arith::ArithDialect>(op->getDialect()) &&
                  known.size() == 2 && matchPattern(known[1], m_Zero());
    return createStringError(
        byZero ? "divides by zero"
               : "is not an op that the evaluator knows; it runs the phases "
                 "from import to schedule");
  }
  if (auto value = dyn_cast<Value>(folded.front()))
    return one(values.at(value));
  return fromConstant(cast<Attribute>(folded.front()));
}

//===----------------------------------------------------------------------===//
// Evaluator
//===----------------------------------------------------------------------===//

Evaluator::Evaluator(ModuleOp module, WeightSource *weights, Mode mode)
    : module(module), weights(weights), mode(mode) {}

Results Evaluator::call(StringRef name, std::vector<Datum> arguments) {
  auto function = symbols.lookupNearestSymbolFrom<func::FuncOp>(
      module, StringAttr::get(module.getContext(), name));
  if (!function)
    return createStringError("@" + name + ": is not a function of this module");
  if (!function.getBody().hasOneBlock())
    return createStringError(
        "@" + name + ": has " +
        (function.isExternal() ? "no body" : "several blocks") +
        ", the evaluator runs functions of one");
  if (arguments.size() != function.getNumArguments())
    return formatError("@{0}: takes {1} arguments, found {2}", name,
                       function.getNumArguments(), arguments.size());
  for (auto [i, argument] : llvm::enumerate(arguments)) {
    if (Error error = checkType(argument, function.getArgument(i).getType()))
      return formatError("@{0}: argument {1}: {2}", name, i,
                         llvm::toString(std::move(error)));
    if (auto *weight = std::get_if<WeightData>(&argument))
      if (Error error = checkWeight(*weight))
        return formatError("@{0}: argument {1}: {2}", name, i,
                           llvm::toString(std::move(error)));
  }
  if (depth == kMaxDepth)
    return formatError("@{0}: calls are nested deeper than {1}", name,
                       kMaxDepth);
  ++depth;
  Results results =
      Frame(*this, name)
          .runBlock(function.getBody().front(), std::move(arguments));
  --depth;
  return results;
}

Error Evaluator::runStep(StringRef name, const StepInputs &values) {
  auto step = symbols.lookupNearestSymbolFrom<StepOp>(
      module, StringAttr::get(module.getContext(), name));
  if (!step)
    return createStringError("@" + name + ": is not a step of this module");
  inputs = values;
  Results results = Frame(*this, name).runBlock(step.getBody().front(), {});
  inputs.reset();
  return results ? Error::success() : results.takeError();
}

void Evaluator::setBuffer(StringRef buffer, Tensor value) {
  buffers[buffer] = std::move(value);
}

const Tensor *Evaluator::getBuffer(StringRef buffer) const {
  auto it = buffers.find(buffer);
  return it == buffers.end() ? nullptr : &it->second;
}
