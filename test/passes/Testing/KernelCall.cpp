//===- KernelCall.cpp - one kernel, called and judged ---------------------===//
//
// See KernelCall.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/Testing/KernelCall.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "test/passes/Testing/BufferPlaces.h"
#include "test/passes/Testing/RowBlock.h"
#include "llvm/Support/FormatVariadic.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <utility>

namespace corellama::test {

using namespace llama::reference;
using llama::BufferReadOp;
using llama::BufferWriteOp;

std::vector<float *> bufferElements(TestModel &model, KernelContext &context,
                                    llvm::StringRef name,
                                    llvm::ArrayRef<int64_t> shape) {
  BufferPlaces places = bufferPlaces(model, name, shape);
  assert(places.number == Number::F32);
  std::vector<float *> elements;
  for (size_t byte : places.bytes)
    elements.push_back(
        reinterpret_cast<float *>(context.workspace.data() + byte));
  return elements;
}

static double uniform(std::mt19937 &random) {
  return std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
}

std::vector<std::pair<std::string, int64_t>> kernelsOf(TestModel &model,
                                                       llvm::StringRef name) {
  std::vector<std::pair<std::string, int64_t>> found;
  auto add = [&](llama::DispatchOp run, int64_t layer) {
    int64_t which = run.getOf() ? (*run.getOf())[layer] : 0;
    found.emplace_back(
        mlir::cast<mlir::FlatSymbolRefAttr>(run.getCallees()[which])
            .getValue()
            .str(),
        layer);
  };
  auto step = model.schedule->lookupSymbol<llama::StepOp>(name);
  for (mlir::Operation &op : step.getBody().front()) {
    if (auto run = mlir::dyn_cast<llama::DispatchOp>(op))
      add(run, 0);
    if (auto loop = mlir::dyn_cast<mlir::scf::ForOp>(op))
      for (int64_t layer = *mlir::getConstantIntValue(loop.getLowerBound());
           layer < *mlir::getConstantIntValue(loop.getUpperBound()); ++layer)
        for (auto run : loop.getBody()->getOps<llama::DispatchOp>())
          add(run, layer);
  }
  return found;
}

//===----------------------------------------------------------------------===//
// One call
//===----------------------------------------------------------------------===//

std::string KernelCall::describe() const {
  return kernel + " layer " + std::to_string(layer) + ", " +
         std::to_string(rows) + " rows from position " +
         std::to_string(position);
}

CheckedCall::CheckedCall(TestModel &model, const KernelCall &call,
                         std::mt19937 &random)
    : model(model), call(call), context(model.makeContext()),
      kernel(model.schedule->lookupSymbol<mlir::func::FuncOp>(call.kernel)),
      exact(*model.schedule, &model.weights, Mode::AsSpecified),
      positive(*model.magnitudeSchedule, &model.magnitudes, Mode::Ideal) {
  setInputs(random);
  setBuffers(random);
  auto copy = [](const AlignedBytes &bytes) {
    return std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size());
  };
  before = {copy(context.workspace), copy(context.keys), copy(context.values)};
}

/// The keys of a block of attention, in a kernel that makes or merges them.
static int64_t keysOfBlock(mlir::func::FuncOp kernel) {
  int64_t keys = 0;
  kernel.walk([&](mlir::Operation *op) {
    if (auto attribute = op->getAttrOfType<mlir::IntegerAttr>("keys"))
      keys = attribute.getInt();
  });
  return keys;
}

Shape CheckedCall::shapeOf(mlir::Type type) {
  Shape shape(mlir::cast<mlir::RankedTensorType>(type).getShape());
  int64_t keys = call.position + call.rows;
  if (mlir::ShapedType::isDynamic(shape[0]))
    shape[0] = call.rows;
  if (shape.size() == 4)
    shape[2] = llvm::divideCeil(keys, keysOfBlock(kernel));
  return shape;
}

static bool isRecord(mlir::Type tensor) {
  return mlir::isa<llama::RowRecordInterface>(
      mlir::cast<mlir::RankedTensorType>(tensor).getElementType());
}

/// The share of a sum's magnitude by which it may differ as a product reads
/// rows that the kernel itself rounds. Where a value is near the middle of two
/// numbers the evaluator may take the other, which moves a sum by a weight
/// times a step. For all columns at once that is three steps of a block's
/// largest value, as the mean of a block is a third of it: a 32nd with q8b32,
/// whose step is a 127th, and 2^-20 with x24b32, whose step is up to 2^-21.9;
/// with bf16, of 8 bits, a 128th. That is a coarse net; the fine one is that
/// decode has the bits of prefill, which rounds in kernels of its own.
static double roundingShare(mlir::func::FuncOp kernel) {
  double share = 0;
  for (auto op : kernel.getOps<llama::QuantizeOp>()) {
    if (llvm::none_of(op->getUsers(), llvm::IsaPred<llama::LinearOp>))
      continue;
    auto record = mlir::dyn_cast<llama::RowRecordInterface>(
        op.getType().getElementType());
    share = std::max(share, !record                   ? 0x1p-7
                            : record.getDigits() == 1 ? 0x1p-5
                                                      : 0x1p-20);
  }
  return share;
}

int64_t CheckedCall::longestSum() {
  int64_t longest = 1;
  kernel.walk([&](mlir::Operation *op) {
    if (auto linear = mlir::dyn_cast<llama::LinearOp>(op)) {
      // Sums of rounded rows are exact but from block to block: docs/bits.md.
      llama::WeightType weight = linear.getWeight().getType();
      longest = std::max(longest, isRecord(linear.getX().getType())
                                      ? weight.getColumns() /
                                            weight.getFormat().getScaleBlock()
                                      : weight.getColumns());
    }
    if (mlir::isa<llama::AttentionOp, llama::AttentionPartOp,
                  llama::AttentionMergeOp>(op))
      longest = std::max(longest, call.position + call.rows +
                                      model.choice.shape.headSize);
  });
  return longest;
}

/// How many times the relative error of a product nested elementwise ops make,
/// in units of `tolerance`; 1 for a Llama, where none are nested deeply. Errors
/// of factors add up. The slope of silu is at most 1.1 and silu(x) >= x / 2 for
/// the positive x of magnitudes, so that a relative error grows by 2.2 at most;
/// exp and division add less than a unit of their own.
double CheckedCall::growth() {
  if (model.choice.text.empty())
    return 1;
  llvm::DenseMap<mlir::Value, double> of;
  double largest = 1;
  auto silu = [](double x) { return 2.2 * x + 1; };
  for (mlir::Operation &op : kernel.getBody().front()) {
    auto operand = [&](unsigned i) {
      auto known = of.find(op.getOperand(i));
      return known == of.end() ? 1.0 : known->second;
    };
    double grown = 1;
    if (mlir::isa<llama::MulOp>(op))
      grown = operand(0) + operand(1);
    else if (mlir::isa<llama::AddOp>(op))
      grown = std::max(operand(0), operand(1));
    else if (mlir::isa<llama::SiluOp>(op))
      grown = silu(operand(0));
    else if (mlir::isa<llama::SwigluOp>(op))
      grown = silu(operand(0)) + operand(1);
    else if (mlir::isa<llama::RopeOp, llama::ScaleOp, llama::BiasOp>(op))
      grown = operand(0);
    for (mlir::Value result : op.getResults())
      of[result] = grown;
    largest = std::max(largest, grown);
  }
  return largest;
}

void CheckedCall::setInputs(std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  context.setRows(call.rows, call.position);
  StepInputs inputs;
  // The last row first, which is the one that a head of one row reads.
  for (int64_t row = 0;
       row < std::min<int64_t>(call.rows, context.wanted.size()); ++row) {
    context.wanted[row] = static_cast<int32_t>(call.rows - 1 - row);
    inputs.wanted.values.push_back(context.wanted[row]);
  }
  for (auto input : kernel.getOps<llama::InputOp>())
    if (input.getName() == llama::Input::Wanted)
      inputs.wanted.values.resize(shapeOf(input.getType())[0]);
  inputs.wanted.shape = {static_cast<int64_t>(inputs.wanted.values.size())};
  inputs.ids.shape = inputs.positions.shape = {call.rows};
  for (int64_t row = 0; row < call.rows; ++row) {
    context.tokens[row] =
        std::uniform_int_distribution<int32_t>(0, s.vocabulary - 1)(random);
    inputs.ids.values.push_back(context.tokens[row]);
    inputs.positions.values.push_back(call.position + row);
  }
  cache = std::make_shared<Cache>(s.layers, s.kvHeads, s.headSize);
  positiveCache = std::make_shared<Cache>(s.layers, s.kvHeads, s.headSize);
  fillCache(model, context, cache.get(), positiveCache.get(),
            appends() ? call.position : call.position + call.rows, random);
  inputs.cache = cache;
  exact.setInputs(inputs);
  inputs.cache = positiveCache;
  positive.setInputs(inputs);
}

/// Values of a buffer for sums without rounding: not zero, 3 at most.
static void fillWithIntegers(Tensor &tensor, std::mt19937 &random) {
  auto below = [&](int limit) {
    return std::uniform_int_distribution<int>(0, limit - 1)(random);
  };
  for (double &value : tensor.values)
    value = (1 + below(3)) * (below(2) ? 1 : -1);
  if (tensor.shape.size() != 4)
    return;
  // Parts of attention: one maximum, sums that add up to a power of two, and
  // values that it divides. They are positive, so that none is another's
  // opposite.
  int64_t blocks = tensor.shape[2], columns = tensor.columns();
  for (size_t i = 0; i < tensor.values.size(); ++i) {
    int64_t column = i % columns, block = i / columns % blocks;
    if (column < columns - 2)
      tensor.values[i] = std::abs(tensor.values[i]) * std::exp2(blocks - 1);
    else
      tensor.values[i] = column == columns - 2 ? 0
                         : block               ? std::exp2(block - 1)
                                               : 1;
  }
}

/// Blocks of keys that lie behind a row's position, or before its window, as
/// attention leaves them.
static void emptyUnseenBlocks(Tensor &parts, int64_t position, int64_t window,
                              int64_t keys) {
  int64_t heads = parts.shape[1], blocks = parts.shape[2];
  int64_t columns = parts.columns();
  for (int64_t row = 0; row < parts.shape[0]; ++row)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t block = 0; block < blocks; ++block) {
        bool isBefore =
            window != 0 && (block + 1) * keys <= position + row - window + 1;
        if (block * keys <= position + row && !isBefore)
          continue;
        auto part = parts.row((row * heads + head) * blocks + block);
        std::fill(part.begin(), part.end(), 0.0);
        part[columns - 2] = -INFINITY;
      }
}

/// Of the parts of attention that are merged; 0: none.
static int64_t windowOf(BufferReadOp parts) {
  for (mlir::Operation *user : parts->getUsers())
    if (auto merge = mlir::dyn_cast<llama::AttentionMergeOp>(user))
      return static_cast<int64_t>(merge.getWindow().value_or(0));
  return 0;
}

/// Positive sums that were rotated may be negative: head size 2 has one angle
/// for all of a row.
static double largestOf(llvm::ArrayRef<double> values) {
  double largest = 0;
  for (double value : values)
    largest = std::max(largest, std::abs(value));
  return largest;
}

/// Element i of rows of `columns`, and the one that a rotation mixes it with.
static llvm::ArrayRef<double> pairAt(llvm::ArrayRef<double> values, size_t i,
                                     size_t columns) {
  size_t column = i % columns, first = column / 2 * 2;
  return values.slice(i - column + first, std::min<size_t>(2, columns - first));
}

void CheckedCall::setBuffers(std::mt19937 &random) {
  for (auto read : kernel.getOps<BufferReadOp>()) {
    Tensor tensor = Tensor::zeros(shapeOf(read.getType()));
    // A head reads some of many rows.
    if (read.getRows())
      tensor = Tensor::zeros({call.rows, tensor.columns()});
    if (model.choice.integers) {
      fillWithIntegers(tensor, random);
    } else {
      for (double &value : tensor.values)
        value = uniform(random);
      // Sums of a block of keys are positive.
      if (tensor.shape.size() == 4)
        for (size_t i = tensor.columns() - 1; i < tensor.values.size();
             i += tensor.columns())
          tensor.values[i] += 2.0;
    }
    if (tensor.shape.size() == 4)
      emptyUnseenBlocks(tensor, call.position, windowOf(read),
                        keysOfBlock(kernel));
    BufferPlaces places = bufferPlaces(model, read.getBuffer(), tensor.shape);
    if (!places.records.empty()) {
      for (size_t first = 0; first < tensor.values.size();
           first += tensor.columns())
        writeRounded(context.workspace.data(), places, first,
                     llvm::MutableArrayRef(tensor.values)
                         .slice(first, tensor.columns()));
    } else {
      for (auto [value, byte] : llvm::zip(tensor.values, places.bytes))
        value =
            writeNumber(context.workspace.data() + byte, places.number, value);
    }
    exact.setBuffer(read.getBuffer(), tensor);
    for (double &value : tensor.values)
      value = std::abs(value);
    // One magnitude a pair, as of products (TestModel::packWeights); a norm
    // divides by what its rows are in truth.
    if (!model.choice.text.empty() && tensor.shape.size() == 2 &&
        llvm::none_of(read->getUsers(), llvm::IsaPred<llama::RmsNormOp>))
      for (size_t i = 0; i < tensor.values.size(); ++i)
        tensor.values[i] =
            largestOf(pairAt(tensor.values, i, tensor.columns()));
    positive.setBuffer(read.getBuffer(), std::move(tensor));
  }
}

llvm::Expected<Memory> CheckedCall::run(LoadedKernels &kernels,
                                        llvm::StringRef name,
                                        std::mt19937 &random,
                                        bool findConflicts) {
  auto restore = [](const std::vector<uint8_t> &from, AlignedBytes &to) {
    std::copy(from.begin(), from.end(), to.data());
  };
  restore(before.workspace, context.workspace);
  restore(before.keys, context.keys);
  restore(before.values, context.values);
  if (llvm::Error error = kernels.run(name, static_cast<uint32_t>(call.layer),
                                      context, random, findConflicts))
    return std::move(error);
  auto copy = [](const AlignedBytes &bytes) {
    return std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size());
  };
  return Memory{copy(context.workspace), copy(context.keys),
                copy(context.values)};
}

llvm::Error CheckedCall::evaluate() {
  if (std::exchange(evaluated, true))
    return llvm::Error::success();
  for (Evaluator *evaluator : {&exact, &positive}) {
    std::vector<Datum> arguments;
    if (kernel.getNumArguments())
      arguments.push_back(call.layer);
    auto results = evaluator->call(call.kernel, std::move(arguments));
    if (!results)
      return results.takeError();
  }
  return llvm::Error::success();
}

void CheckedCall::compare(double got, double expected, double bound,
                          const std::string &where) {
  if (got == expected) // both may be infinite
    return;
  // Not a number is wrong too, and worse than any number.
  double error = std::abs(got - expected);
  if (error <= bound)
    return;
  ++wrong;
  double measure = std::isnan(error) ? INFINITY : error / bound;
  if (wrong > 1 && measure <= worst)
    return;
  worst = measure;
  message = llvm::formatv("{0}: {1:E9}, expected {2:E9} within {3:E2}", where,
                          got, expected, bound)
                .str();
}

/// The longest pair of neighbours. A rotation turns a pair, which may make both
/// of its numbers small or negative, and keeps its length.
static double largestPair(llvm::ArrayRef<double> sizes) {
  double largest = 0;
  for (size_t i = 0; i < sizes.size(); i += 2)
    largest = std::max(
        largest, std::hypot(sizes[i], i + 1 < sizes.size() ? sizes[i + 1] : 0));
  return largest;
}

// Both comparisons make the memory as it was before the call, element by
// element: what still differs at the end was written and may not be.

/// A value that was rounded by blocks: near the middle of two numbers it may
/// become either, which is rare. What a record says of its digits must be so.
void CheckedCall::compareRounded(Memory &result, const BufferPlaces &places,
                                 size_t i, double expected, double bound,
                                 const std::string &where) {
  uint8_t *at = result.workspace.data() + places.records[i];
  RowBlock block = RowBlock::read(at, places.digits);
  auto k = static_cast<int>(i % RowBlock::kSize);
  double got = block.value(k);
  ++rounded;
  if (std::abs(got - expected) > bound) {
    ++otherQuants;
    compare(got, expected, bound + block.scale, where);
  }
  if (k + 1 < RowBlock::kSize)
    return;
  std::vector<uint8_t> record(block.recordBytes());
  block.write(record.data());
  auto differs = std::mismatch(record.begin(), record.end(), at).second - at;
  compare(static_cast<double>(differs), static_cast<double>(record.size()), 0,
          where + ", the first byte of the record that is wrong");
  std::memcpy(at, before.workspace.data() + places.records[i], record.size());
}

void CheckedCall::compareBuffers(Memory &result) {
  int64_t k = longestSum();
  double grown = growth();
  double share = roundingShare(kernel);
  for (auto write : kernel.getOps<BufferWriteOp>()) {
    llvm::StringRef name = write.getBuffer();
    const Tensor *expected = exact.getBuffer(name),
                 *magnitude = positive.getBuffer(name);
    ASSERT_TRUE(expected && magnitude) << name.str();
    ASSERT_EQ(expected->shape, shapeOf(write.getValue().getType()));
    bool parts = expected->shape.size() == 4;
    // Weights of attention differ as said below.
    bool inPairs = !model.choice.text.empty() &&
                   kernel.getOps<llama::AttentionOp>().empty();
    BufferPlaces places = bufferPlaces(model, name, expected->shape);
    for (size_t i = 0; i < places.bytes.size(); ++i) {
      // A rotation mixes columns, so a row has one magnitude; a pair has, where
      // magnitudes of pairs are made alike. In parts of attention columns mean
      // different things; there the weights of positive scores differ from the
      // true ones, by less than a factor of 4.
      size_t row = i / expected->columns() * expected->columns();
      double largest =
          parts ? 4 * magnitude->values[i]
          : inPairs
              ? largestOf(pairAt(magnitude->values, i, expected->columns()))
              : largestOf(llvm::ArrayRef(magnitude->values)
                              .slice(row, expected->columns()));
      // 1.5 > sqrt(2), by which a rotation of a pair may lengthen a column.
      double bound = tolerance(k, grown * 1.5 * largest);
      bound += share * largest;
      bound += roundingStep(places.number, expected->values[i]);
      if (!places.records.empty()) {
        compareRounded(result, places, i, expected->values[i], bound,
                       ("buffer " + name + " element " + llvm::Twine(i)).str());
        continue;
      }
      if (model.choice.integers) {
        ASSERT_LT(largest, 0x1p24) << "sums may be rounded";
        bound = 0;
      }
      uint8_t *at = result.workspace.data() + places.bytes[i];
      compare(readNumber(at, places.number), expected->values[i], bound,
              ("buffer " + name + " element " + llvm::Twine(i)).str());
      std::memcpy(at, before.workspace.data() + places.bytes[i],
                  bytesOf(places.number));
    }
  }
}

void CheckedCall::compareCache(Memory &result) {
  if (!appends())
    return;
  const ModelShape &s = model.choice.shape;
  int64_t k = longestSum();
  double grown = growth();
  double share = roundingShare(kernel);
  for (int64_t position = call.position; position < call.position + call.rows;
       ++position) {
    const Cache::Entry *expected = cache->find(call.layer, position);
    const Cache::Entry *magnitude = positiveCache->find(call.layer, position);
    ASSERT_TRUE(expected && magnitude);
    for (bool keys : {true, false})
      for (int64_t head = 0; head < s.kvHeads; ++head)
        for (int64_t e = 0; e < s.headSize; ++e) {
          const auto &row = keys ? expected->keys : expected->values;
          const auto &sizes = keys ? magnitude->keys : magnitude->values;
          double value = row[head * s.headSize + e];
          // Magnitudes of pairs are made alike where ops are nested.
          double largest = largestPair(
              model.choice.text.empty()
                  ? llvm::ArrayRef(sizes)
                  : pairAt(sizes, head * s.headSize + e, sizes.size()));
          double bound = tolerance(k, grown * 1.5 * largest);
          bound += share * largest;
          CacheElement at{keys, call.layer, head, position, e};
          auto &bytes = keys ? result.keys : result.values;
          const auto &old = keys ? before.keys : before.values;
          double got = readCache(model, bytes.data(), at);
          std::string where =
              (llvm::Twine(keys ? "key " : "value ") + llvm::Twine(position) +
               " head " + llvm::Twine(head) + " element " + llvm::Twine(e))
                  .str();
          auto restore = [&](size_t byte, size_t count) {
            std::copy_n(old.begin() + byte, count, bytes.begin() + byte);
          };
          if (model.cachePlan(keys).strides.block == 0) {
            Number number = numberOf(model.cachePlan(keys).element);
            bound += roundingStep(number, value);
            compare(got, value, bound, where);
            restore(model.cacheByte(at), bytesOf(number));
            continue;
          }
          // The scale may be the next number of f16, of 11 bits, and a value
          // near the middle of two quants may become either, which is rare.
          double scale =
              readNumber(bytes.data() + model.scaleByte(at), Number::F16);
          bound += std::abs(value) * 0x1p-10;
          ++rounded;
          if (std::abs(got - value) > bound) {
            ++otherQuants;
            bound += scale;
          }
          compare(got, value, bound, where);
          restore(model.cacheByte(at), 1);
          if ((e + 1) % RowBlock::kSize == 0)
            restore(model.scaleByte(at), 2);
        }
    // Elements that pad a head of values may hold anything.
  }
}

std::string CheckedCall::judge(Memory result) {
  if (llvm::Error error = evaluate())
    return "the evaluator: " + llvm::toString(std::move(error));
  wrong = rounded = otherQuants = 0;
  message.clear();
  compareBuffers(result);
  compareCache(result);
  // A value whose error is 2^-16 of a block's largest is so near in one of 256
  // cases.
  if (otherQuants > 2 + rounded / 64)
    return std::to_string(otherQuants) + " of " + std::to_string(rounded) +
           " values became another quant";
  if (wrong)
    return std::to_string(wrong) + " wrong elements, the worst: " + message;
  if (result.workspace != before.workspace)
    return "bytes of the workspace were written that are not the kernel's";
  if (result.keys != before.keys || result.values != before.values)
    return "bytes of the cache were written that are not the kernel's";
  return "";
}

void checkKernel(TestModel &model, const KernelCall &call,
                 std::mt19937 &random) {
  ASSERT_TRUE(model.schedule->lookupSymbol(call.kernel)) << call.kernel;
  CheckedCall checked(model, call, random);
  llvm::Expected<Memory> result =
      checked.run(model.kernels(), call.kernel, random);
  std::string problem = result ? checked.judge(std::move(*result))
                               : llvm::toString(result.takeError());
  if (!problem.empty())
    ADD_FAILURE() << model.describe() << ": " << call.describe() << ": "
                  << problem;
}

void runKernel(TestModel &model, const std::string &kernel, int64_t layer,
               KernelContext &context, std::mt19937 &random) {
  if (llvm::Error error = model.kernels().run(
          kernel, static_cast<uint32_t>(layer), context, random,
          /*findConflicts=*/true))
    ADD_FAILURE() << model.describe() << ": " << kernel << ": "
                  << llvm::toString(std::move(error));
}

} // namespace corellama::test
