//===- EvaluateModel.cpp - logits of a whole model ------------------------===//
//
// Follows the `llama.model`: until plan its entries (embed, a function for each
// layer, LM head), from schedule on its steps.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/EvaluateModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;

/// The rows of the ids that are still to be run.
static StepInputs portion(ArrayRef<int32_t> ids, int64_t begin, int64_t size) {
  StepInputs inputs;
  inputs.ids.shape = inputs.positions.shape = {size};
  for (int64_t i = begin; i < begin + size; ++i) {
    inputs.ids.values.push_back(ids[i]);
    inputs.positions.values.push_back(i);
  }
  return inputs;
}

/// How many ids go into one call of a form of at most `rows` (0: any number).
static Expected<int64_t> portionSize(const ModelRun &run, int64_t rows,
                                     size_t ids) {
  if (run.chunk < 0 || (rows > 0 && run.chunk > rows))
    return createStringError(formatv(
        "a chunk of {0} ids, the form takes 1 to {1}", run.chunk, rows));
  int64_t most = rows > 0 ? rows : ids;
  return std::min(run.chunk > 0 ? run.chunk : most, most);
}

static Error appendRows(Tensor &logits, const Tensor &rows) {
  if (logits.shape.empty())
    logits.shape = {0, rows.columns()};
  if (rows.columns() != logits.columns())
    return createStringError(formatv("logits of {0} columns after {1}",
                                     rows.columns(), logits.columns()));
  logits.shape.front() += rows.rows();
  if (Expected<int64_t> count = countElements(logits.shape); !count)
    return count.takeError();
  llvm::append_range(logits.values, rows.values);
  return Error::success();
}

static Tensor rowOf(const Tensor &x, int64_t r) {
  return {{1, x.columns()}, std::vector<double>(x.row(r))};
}

static bool isRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 &&
         !tensor.getElementType().isInteger();
}

//===----------------------------------------------------------------------===//
// Entries: import to plan
//===----------------------------------------------------------------------===//

namespace {
/// The functions of one entry, called in the model's order.
class EntryRun {
public:
  EntryRun(ModuleOp module, Evaluator &evaluator, EntryAttr entry)
      : module(module), evaluator(evaluator), entry(entry) {}

  Error append(const StepInputs &inputs, Tensor &logits);

private:
  Expected<func::FuncOp> function(FlatSymbolRefAttr symbol);
  Expected<Tensor> call(FlatSymbolRefAttr symbol, const Tensor &x,
                        const StepInputs &inputs, int64_t layer);

  ModuleOp module;
  Evaluator &evaluator;
  EntryAttr entry;
  CacheRef cache;
};
} // namespace

Expected<func::FuncOp> EntryRun::function(FlatSymbolRefAttr symbol) {
  auto function = module.lookupSymbol<func::FuncOp>(symbol.getAttr());
  if (!function)
    return createStringError("@" + symbol.getValue() +
                             ": is not a function of this module");
  return function;
}

/// Calls a function of the entry, telling its arguments apart by their types:
/// the rows so far, ids or positions, the cache, the layer.
Expected<Tensor> EntryRun::call(FlatSymbolRefAttr symbol, const Tensor &x,
                                const StepInputs &inputs, int64_t layer) {
  Expected<func::FuncOp> callee = function(symbol);
  if (!callee)
    return callee.takeError();
  std::vector<Datum> arguments;
  for (Type type : callee->getArgumentTypes()) {
    if (isRows(type)) {
      arguments.push_back(x);
    } else if (isa<RankedTensorType>(type)) {
      arguments.push_back(symbol == entry.getEmbed() ? inputs.ids
                                                     : inputs.positions);
    } else if (auto cacheType = dyn_cast<CacheType>(type)) {
      if (!cache)
        cache = makeCache(cacheType);
      arguments.push_back(cache);
    } else {
      arguments.push_back(layer);
    }
  }
  auto results = evaluator.call(symbol.getValue(), std::move(arguments));
  if (!results)
    return results.takeError();
  auto *tensor =
      results->size() == 1 ? std::get_if<Tensor>(&results->front()) : nullptr;
  if (!tensor || tensor->shape.size() != 2)
    return createStringError("@" + symbol.getValue() +
                             ": gives one tensor of rows x columns");
  return std::move(*tensor);
}

Error EntryRun::append(const StepInputs &inputs, Tensor &logits) {
  Expected<Tensor> x = call(entry.getEmbed(), {}, inputs, 0);
  if (!x)
    return x.takeError();
  for (auto [layer, index] : llvm::enumerate(entry.getOf().asArrayRef())) {
    x = call(cast<FlatSymbolRefAttr>(entry.getLayers()[index]), *x, inputs,
             layer);
    if (!x)
      return x.takeError();
  }
  Expected<func::FuncOp> head = function(entry.getLmHead());
  if (!head)
    return head.takeError();
  // From specialize on the LM head is a function of one row.
  auto type = head->getNumArguments() == 1
                  ? dyn_cast<RankedTensorType>(head->getArgumentTypes().front())
                  : RankedTensorType();
  bool oneRow = type && type.getRank() == 2 && type.getDimSize(0) == 1;
  for (int64_t r = 0; r < (oneRow ? x->rows() : 1); ++r) {
    Expected<Tensor> rows =
        call(entry.getLmHead(), oneRow ? rowOf(*x, r) : *x, inputs, 0);
    if (!rows)
      return rows.takeError();
    if (Error error = appendRows(logits, *rows))
      return error;
  }
  return Error::success();
}

static Expected<Tensor> evaluateEntries(ModuleOp module, ArrayAttr entries,
                                        Evaluator &evaluator,
                                        ArrayRef<int32_t> ids,
                                        const ModelRun &run) {
  EntryAttr entry;
  for (auto candidate : entries.getAsRange<EntryAttr>()) {
    StringRef name = candidate.getName().getValue();
    if (run.form.empty() ? !entry || name == "prefill" : name == run.form)
      entry = candidate;
  }
  if (!entry)
    return createStringError("the model has no form '" + run.form + "'");
  Expected<int64_t> size = portionSize(run, entry.getRows(), ids.size());
  if (!size)
    return size.takeError();
  EntryRun entryRun(module, evaluator, entry);
  Tensor logits;
  for (int64_t begin = 0; begin < static_cast<int64_t>(ids.size());
       begin += *size) {
    int64_t rows = std::min<int64_t>(*size, ids.size() - begin);
    if (Error error = entryRun.append(portion(ids, begin, rows), logits))
      return error;
  }
  return logits;
}

//===----------------------------------------------------------------------===//
// Steps: schedule
//===----------------------------------------------------------------------===//

/// The cache that the kernels ask for; all ask for the same.
static CacheRef findCache(ModuleOp module) {
  CacheRef cache;
  module.walk([&](InputOp input) {
    auto type = dyn_cast<CacheType>(input.getType());
    if (!type)
      return WalkResult::advance();
    cache = makeCache(type);
    return WalkResult::interrupt();
  });
  return cache;
}

static Expected<Tensor> evaluateSteps(ModuleOp module, ArrayAttr steps,
                                      Evaluator &evaluator,
                                      ArrayRef<int32_t> ids,
                                      const ModelRun &run) {
  StringRef form =
      run.form.empty() ? StringRef("prefill") : StringRef(run.form);
  StepOp step, head;
  for (auto symbol : steps.getAsRange<FlatSymbolRefAttr>()) {
    auto candidate = module.lookupSymbol<StepOp>(symbol.getAttr());
    if (symbol.getValue() == form)
      step = candidate;
    if (symbol.getValue() == "lm_head")
      head = candidate;
  }
  if (!step || !head)
    return createStringError("the model has no step '" +
                             Twine(step ? "lm_head" : form) + "'");
  Expected<int64_t> size = portionSize(run, step.getRows(), ids.size());
  if (!size)
    return size.takeError();
  CacheRef cache = findCache(module);
  Tensor logits;
  for (int64_t begin = 0; begin < static_cast<int64_t>(ids.size());
       begin += *size) {
    int64_t rows = std::min<int64_t>(*size, ids.size() - begin);
    StepInputs inputs = portion(ids, begin, rows);
    inputs.cache = cache;
    if (Error error = evaluator.runStep(step.getSymName(), inputs))
      return error;
    // The LM head runs once a row; the buffer that it writes last holds the
    // logits.
    for (inputs.row = 0; inputs.row < rows; ++inputs.row) {
      if (Error error = evaluator.runStep(head.getSymName(), inputs))
        return error;
      const Tensor *row = evaluator.getBuffer(evaluator.getLastBufferWritten());
      if (!row || row->shape.size() != 2)
        return createStringError("@lm_head: ends in no buffer of logits");
      if (Error error = appendRows(logits, *row))
        return error;
    }
  }
  return logits;
}

Expected<Tensor> reference::evaluateModel(ModuleOp module,
                                          WeightSource &weights,
                                          ArrayRef<int32_t> ids, Mode mode,
                                          const ModelRun &run) {
  auto models = module.getOps<ModelOp>();
  if (models.empty())
    return createStringError("the module has no llama.model");
  ModelOp model = *models.begin();
  if (ids.empty())
    return createStringError("there are no ids to run");
  Evaluator evaluator(module, &weights, mode);
  if (auto entries = model.getEntriesAttr())
    return evaluateEntries(module, entries, evaluator, ids, run);
  return evaluateSteps(module, model.getStepsAttr(), evaluator, ids, run);
}
