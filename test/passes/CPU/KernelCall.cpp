//===- KernelCall.cpp - one kernel, called and judged ---------------------===//
//
// See KernelCall.h.
//
//===----------------------------------------------------------------------===//

#include "test/passes/CPU/KernelCall.h"
#include "dialects/Llama/Reference/Rounding.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>

namespace corellama::test {

using namespace llama::reference;
using llama::SlotOp;
using llama::SlotReadOp;
using llama::SlotWriteOp;

//===----------------------------------------------------------------------===//
// Where things are
//===----------------------------------------------------------------------===//

static llvm::ArrayRef<int64_t> capacityOf(SlotOp slot) {
  return mlir::cast<mlir::RankedTensorType>(slot.getType()).getShape();
}

std::vector<float *> slotElements(TestModel &model, KernelContext &context,
                                  llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> shape) {
  auto slot = model.schedule->lookupSymbol<SlotOp>(name);
  auto *base =
      reinterpret_cast<float *>(context.workspace.data() + *slot.getAt());
  llvm::ArrayRef<int64_t> capacity = capacityOf(slot);
  std::vector<int64_t> offsets{0};
  for (size_t d = 0; d < shape.size(); ++d) {
    std::vector<int64_t> inner;
    for (int64_t outer : offsets)
      for (int64_t i = 0; i < shape[d]; ++i)
        inner.push_back(outer * capacity[d] + i);
    offsets = std::move(inner);
  }
  std::vector<float *> elements;
  for (int64_t offset : offsets)
    elements.push_back(base + offset);
  return elements;
}

/// Which element of keys or values, counted from their first.
static int64_t cacheIndex(const TestModel &model, CacheElement at) {
  const ModelShape &s = model.choice.shape;
  int64_t region = (at.layer * s.kvHeads + at.head) * kCapacity;
  if (!at.keys)
    return (region + at.position) * model.paddedHead() + at.element;
  return region * s.headSize + at.position / 16 * (s.headSize * 16) +
         at.element * 16 + at.position % 16;
}

double readCache(const TestModel &model, const KernelContext &context,
                 CacheElement at) {
  const AlignedBytes &bytes = at.keys ? context.keys : context.values;
  int64_t index = cacheIndex(model, at);
  return model.choice.cacheType == "f16"
             ? decodeF16(bytes.as<uint16_t>()[index])
             : bytes.as<float>()[index];
}

static uint16_t toHalf(double value) {
  llvm::APFloat number(value);
  bool lost;
  number.convert(llvm::APFloat::IEEEhalf(), llvm::APFloat::rmNearestTiesToEven,
                 &lost);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

double writeCache(const TestModel &model, KernelContext &context,
                  CacheElement at, double value) {
  AlignedBytes &bytes = at.keys ? context.keys : context.values;
  int64_t index = cacheIndex(model, at);
  if (model.choice.cacheType == "f16")
    bytes.as<uint16_t>()[index] = toHalf(value);
  else
    bytes.as<float>()[index] = static_cast<float>(value);
  return readCache(model, context, at);
}

static double uniform(std::mt19937 &random) {
  return std::uniform_real_distribution<float>(-1.0f, 1.0f)(random);
}

void fillCache(const TestModel &model, KernelContext &context, Cache *cache,
               Cache *magnitudes, int64_t positions, std::mt19937 &random) {
  const ModelShape &s = model.choice.shape;
  for (int64_t layer = 0; layer < s.layers; ++layer)
    for (int64_t position = 0; position < positions; ++position) {
      Cache::Entry entry;
      for (bool keys : {true, false})
        for (int64_t head = 0; head < s.kvHeads; ++head)
          for (int64_t e = 0; e < s.headSize; ++e)
            (keys ? entry.keys : entry.values)
                .push_back(writeCache(model, context,
                                      {keys, layer, head, position, e},
                                      uniform(random)));
      Cache::Entry positive = entry;
      for (auto *values : {&positive.keys, &positive.values})
        for (double &value : *values)
          value = std::abs(value);
      if (cache)
        cache->store(layer, position, std::move(entry));
      if (magnitudes)
        magnitudes->store(layer, position, std::move(positive));
    }
}

std::vector<std::pair<std::string, int64_t>> kernelsOf(TestModel &model,
                                                       llvm::StringRef name) {
  std::vector<std::pair<std::string, int64_t>> found;
  auto add = [&](llama::RunOp run, int64_t layer) {
    int64_t which = run.getOf() ? (*run.getOf())[layer] : 0;
    found.emplace_back(
        mlir::cast<mlir::FlatSymbolRefAttr>(run.getCallees()[which])
            .getValue()
            .str(),
        layer);
  };
  auto step = model.schedule->lookupSymbol<llama::StepOp>(name);
  for (mlir::Operation &op : step.getBody().front()) {
    if (auto run = mlir::dyn_cast<llama::RunOp>(op))
      add(run, 0);
    if (auto loop = mlir::dyn_cast<mlir::scf::ForOp>(op))
      for (int64_t layer = 0; layer < model.choice.shape.layers; ++layer)
        for (auto run : loop.getBody()->getOps<llama::RunOp>())
          add(run, layer);
  }
  return found;
}

//===----------------------------------------------------------------------===//
// One call
//===----------------------------------------------------------------------===//

namespace {

class Judge {
public:
  Judge(TestModel &model, const KernelCall &call, std::mt19937 &random)
      : model(model), call(call), random(random), context(model.makeContext()),
        kernel(model.schedule->lookupSymbol<mlir::func::FuncOp>(call.kernel)),
        exact(*model.schedule, &model.weights, Mode::AsSpecified),
        positive(*model.magnitudeSchedule, &model.magnitudes, Mode::Ideal) {}

  void run();

private:
  bool appends() { return !kernel.getOps<llama::KVAppendOp>().empty(); }
  Shape shapeOf(mlir::Type type);
  int64_t longestSum();
  void setInputs();
  void setSlots();
  void compareSlots();
  void compareCache();
  /// Compares an element, then makes the memory as it was before the call: what
  /// still differs at the end was written and may not be.
  void compare(double got, double expected, double bound,
               const std::string &where);

  TestModel &model;
  const KernelCall &call;
  std::mt19937 &random;
  KernelContext context;
  mlir::func::FuncOp kernel;
  Evaluator exact, positive;
  CacheRef cache, positiveCache;
  std::vector<uint8_t> workspaceBefore, keysBefore, valuesBefore;
  int failures = 0;
};

Shape Judge::shapeOf(mlir::Type type) {
  Shape shape(mlir::cast<mlir::RankedTensorType>(type).getShape());
  int64_t keys = call.position + call.rows;
  if (mlir::ShapedType::isDynamic(shape[0]))
    shape[0] = call.rows;
  if (shape.size() == 4)
    shape[2] = llvm::divideCeil(keys, static_cast<int64_t>(abi::kCacheBlock));
  return shape;
}

int64_t Judge::longestSum() {
  int64_t longest = 1;
  kernel.walk([&](mlir::Operation *op) {
    if (auto linear = mlir::dyn_cast<llama::LinearOp>(op))
      longest = std::max(longest, linear.getWeight().getType().getColumns());
    if (mlir::isa<llama::AttentionOp, llama::AttentionPartOp,
                  llama::AttentionMergeOp>(op))
      longest = std::max(longest, call.position + call.rows +
                                      model.choice.shape.headSize);
  });
  return longest;
}

void Judge::setInputs() {
  const ModelShape &s = model.choice.shape;
  context.setRows(call.rows, call.position);
  context.headRow = call.rows - 1;
  StepInputs inputs;
  inputs.ids.shape = inputs.positions.shape = {call.rows};
  for (int64_t row = 0; row < call.rows; ++row) {
    context.tokens[row] =
        std::uniform_int_distribution<int32_t>(0, s.vocabulary - 1)(random);
    inputs.ids.values.push_back(context.tokens[row]);
    inputs.positions.values.push_back(call.position + row);
  }
  inputs.row = call.rows - 1;
  cache = std::make_shared<Cache>(s.layers, s.kvHeads, s.headSize);
  positiveCache = std::make_shared<Cache>(s.layers, s.kvHeads, s.headSize);
  fillCache(model, context, cache.get(), positiveCache.get(),
            appends() ? call.position : call.position + call.rows, random);
  inputs.cache = cache;
  exact.setInputs(inputs);
  inputs.cache = positiveCache;
  positive.setInputs(inputs);
}

void Judge::setSlots() {
  for (auto read : kernel.getOps<SlotReadOp>()) {
    Tensor tensor = Tensor::zeros(shapeOf(read.getType()));
    // The head reads one of many rows.
    if (read.getRow())
      tensor = Tensor::zeros({call.rows, tensor.columns()});
    for (double &value : tensor.values)
      value = uniform(random);
    // Sums of a block of keys are positive.
    if (tensor.shape.size() == 4)
      for (size_t i = tensor.columns() - 1; i < tensor.values.size();
           i += tensor.columns())
        tensor.values[i] = static_cast<float>(2.0 + tensor.values[i]);
    std::vector<float *> memory =
        slotElements(model, context, read.getSlot(), tensor.shape);
    for (auto [value, at] : llvm::zip(tensor.values, memory))
      *at = static_cast<float>(value);
    exact.setSlot(read.getSlot(), tensor);
    for (double &value : tensor.values)
      value = std::abs(value);
    positive.setSlot(read.getSlot(), std::move(tensor));
  }
}

void Judge::compare(double got, double expected, double bound,
                    const std::string &where) {
  // Not a number fails too. The first few say enough.
  if (!(std::abs(got - expected) <= bound) && ++failures <= 3)
    ADD_FAILURE() << where << ": " << got << ", expected " << expected
                  << " within " << bound;
}

void Judge::compareSlots() {
  int64_t k = longestSum();
  for (auto write : kernel.getOps<SlotWriteOp>()) {
    llvm::StringRef name = write.getSlot();
    const Tensor *expected = exact.getSlot(name),
                 *magnitude = positive.getSlot(name);
    ASSERT_TRUE(expected && magnitude) << name.str();
    ASSERT_EQ(expected->shape, shapeOf(write.getValue().getType()));
    bool parts = expected->shape.size() == 4;
    std::vector<float *> memory =
        slotElements(model, context, name, expected->shape);
    for (size_t i = 0; i < memory.size(); ++i) {
      // A rotation mixes columns, so a row has one magnitude. In parts of
      // attention columns mean different things; there the weights of positive
      // scores differ from the true ones, by less than a factor of 4.
      size_t row = i / expected->columns() * expected->columns();
      double largest = parts
                           ? 4 * magnitude->values[i]
                           : *std::max_element(magnitude->values.begin() + row,
                                               magnitude->values.begin() + row +
                                                   expected->columns());
      // 1.5 > sqrt(2), by which a rotation of a pair may lengthen a column.
      compare(*memory[i], expected->values[i], tolerance(k, 1.5 * largest),
              ("slot " + name + " element " + llvm::Twine(i)).str());
      size_t at =
          reinterpret_cast<uint8_t *>(memory[i]) - context.workspace.data();
      std::memcpy(memory[i], workspaceBefore.data() + at, sizeof(float));
    }
  }
}

void Judge::compareCache() {
  if (!appends())
    return;
  const ModelShape &s = model.choice.shape;
  bool half = model.choice.cacheType == "f16";
  int64_t k = longestSum();
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
          double bound =
              tolerance(k, 1.5 * *std::max_element(sizes.begin(), sizes.end()));
          // A float near a tie may be rounded to the other neighbour.
          if (half)
            bound += std::max(std::abs(value) * 0x1p-10, 0x1p-24);
          CacheElement at{keys, call.layer, head, position, e};
          compare(readCache(model, context, at), value, bound,
                  (llvm::Twine(keys ? "key " : "value ") +
                   llvm::Twine(position) + " head " + llvm::Twine(head) +
                   " element " + llvm::Twine(e))
                      .str());
          AlignedBytes &bytes = keys ? context.keys : context.values;
          const auto &before = keys ? keysBefore : valuesBefore;
          size_t size = half ? 2 : 4, byte = cacheIndex(model, at) * size;
          std::memcpy(bytes.data() + byte, before.data() + byte, size);
        }
    // Elements that pad a head of values may hold anything.
  }
}

void Judge::run() {
  SCOPED_TRACE(call.kernel + " layer " + std::to_string(call.layer) + ", " +
               std::to_string(call.rows) + " rows from position " +
               std::to_string(call.position));
  const abi::Kernel *code = model.runner().lookup(call.kernel);
  ASSERT_TRUE(code && kernel);
  setInputs();
  setSlots();
  auto copy = [](const AlignedBytes &bytes) {
    return std::vector<uint8_t>(bytes.data(), bytes.data() + bytes.size());
  };
  workspaceBefore = copy(context.workspace);
  keysBefore = copy(context.keys);
  valuesBefore = copy(context.values);

  context.runShuffled(*code, static_cast<uint32_t>(call.layer), random);
  for (Evaluator *evaluator : {&exact, &positive}) {
    std::vector<Datum> arguments;
    if (kernel.getNumArguments())
      arguments.push_back(call.layer);
    auto results = evaluator->call(call.kernel, std::move(arguments));
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
  }
  compareSlots();
  compareCache();
  EXPECT_TRUE(copy(context.workspace) == workspaceBefore)
      << "bytes of the workspace were written that are not the kernel's";
  EXPECT_TRUE(copy(context.keys) == keysBefore &&
              copy(context.values) == valuesBefore)
      << "bytes of the cache were written that are not the kernel's";
}

} // namespace

void checkKernel(TestModel &model, const KernelCall &call,
                 std::mt19937 &random) {
  Judge(model, call, random).run();
}

} // namespace corellama::test
