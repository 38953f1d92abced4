//===- EvaluateModel.cpp - logits of a whole model ------------------------===//
//
// Follows the `llama.model`: until plan its entries (embed, a function for each
// layer, LM head), from schedule on its steps.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/EvaluateModel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <numeric>

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

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
    return formatError("a chunk of {0} ids, the form takes 1 to {1}", run.chunk,
                       rows);
  int64_t most = rows > 0 ? rows : ids;
  return std::min(run.chunk > 0 ? run.chunk : most, most);
}

static Error appendRows(Tensor &logits, const Tensor &rows) {
  if (logits.shape.empty())
    logits.shape = {0, rows.columns()};
  if (rows.columns() != logits.columns())
    return formatError("logits of {0} columns after {1}", rows.columns(),
                       logits.columns());
  logits.shape.front() += rows.rows();
  if (Expected<int64_t> count = countElements(logits.shape); !count)
    return count.takeError();
  llvm::append_range(logits.values, rows.values);
  return Error::success();
}

static Tensor rowsOf(const Tensor &x, int64_t begin, int64_t count) {
  return {
      {count, x.columns()},
      std::vector<double>(x.values.begin() + begin * x.columns(),
                          x.values.begin() + (begin + count) * x.columns())};
}

namespace {
/// A form of the model or of its head: a name and the most rows of a call (0:
/// any number).
struct Form {
  StringRef name;
  int64_t rows;
  bool takes(int64_t count) const { return rows == 0 || count <= rows; }
};
} // namespace

/// The form of that name; by default the one that takes the most rows.
static Expected<size_t> findForm(ArrayRef<Form> forms, StringRef name) {
  for (auto [i, form] : llvm::enumerate(forms))
    if (form.name == name)
      return i;
  if (!name.empty() || forms.empty())
    return createStringError("the model has no form '" + name + "'");
  auto takesFewer = [](const Form &a, const Form &b) {
    return !a.takes(b.rows == 0 ? INT64_MAX : b.rows);
  };
  return llvm::max_element(forms, takesFewer) - forms.begin();
}

/// Runs the ids in portions of the wanted form; `append` runs one and appends
/// its logits.
static Expected<Tensor> forEachPortion(
    ArrayRef<Form> forms, ArrayRef<int32_t> ids, const ModelRun &run,
    function_ref<Error(size_t form, StepInputs inputs, Tensor &logits)>
        append) {
  Expected<size_t> form = findForm(forms, run.form);
  if (!form)
    return form.takeError();
  Expected<int64_t> size = portionSize(run, forms[*form].rows, ids.size());
  if (!size)
    return size.takeError();
  Tensor logits;
  int64_t count = ids.size();
  for (int64_t begin = 0; begin < count; begin += *size)
    if (Error error = append(
            *form, portion(ids, begin, std::min(*size, count - begin)), logits))
      return error;
  return logits;
}

/// Calls `head` with the first LM head that takes all of `rows` rows, or
/// in portions with the one that takes the most.
static Error forEachHead(
    ArrayRef<Form> heads, int64_t rows,
    function_ref<Error(StringRef head, int64_t begin, int64_t count)> run) {
  Expected<size_t> most = findForm(heads, "");
  if (!most)
    return most.takeError();
  for (int64_t begin = 0, count; begin < rows; begin += count) {
    count = rows - begin;
    const Form *head = llvm::find_if(
        heads, [&](const Form &form) { return form.takes(count); });
    if (head == heads.end()) {
      head = &heads[*most];
      count = head->rows;
    }
    if (Error error = run(head->name, begin, count))
      return error;
  }
  return Error::success();
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
/// The functions of an entry, called in the model's order, with one cache.
class EntryRun {
public:
  EntryRun(ModelOp model, Evaluator &evaluator)
      : model(model), module(model->getParentOfType<ModuleOp>()),
        evaluator(evaluator) {}

  Error append(EntryAttr entry, const StepInputs &inputs, Tensor &logits);

private:
  Expected<func::FuncOp> function(FlatSymbolRefAttr symbol);
  Expected<Tensor> call(FlatSymbolRefAttr symbol, const Tensor &x,
                        const IntTensor &integers, int64_t layer);

  ModelOp model;
  ModuleOp module;
  Evaluator &evaluator;
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
                                const IntTensor &integers, int64_t layer) {
  Expected<func::FuncOp> callee = function(symbol);
  if (!callee)
    return callee.takeError();
  std::vector<Datum> arguments;
  for (Type type : callee->getArgumentTypes()) {
    if (isRows(type)) {
      arguments.push_back(x);
    } else if (isa<RankedTensorType>(type)) {
      arguments.push_back(integers);
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

Error EntryRun::append(EntryAttr entry, const StepInputs &inputs,
                       Tensor &logits) {
  Expected<Tensor> x = call(entry.getEmbed(), {}, inputs.ids, 0);
  if (!x)
    return x.takeError();
  for (auto [layer, index] : llvm::enumerate(entry.getOf().asArrayRef())) {
    x = call(cast<FlatSymbolRefAttr>(entry.getLayers()[index]), *x,
             inputs.positions, layer);
    if (!x)
      return x.takeError();
  }
  SmallVector<Form> heads;
  for (auto symbol : model.getLmHeads().getAsRange<FlatSymbolRefAttr>()) {
    Expected<func::FuncOp> head = function(symbol);
    if (!head)
      return head.takeError();
    int64_t bound = head->getNumArguments() == 1
                        ? getRowBound(head->getArgument(0))
                        : kAnyRows;
    heads.push_back({symbol.getValue(), bound == kAnyRows ? 0 : bound});
  }
  return forEachHead(
      heads, x->rows(),
      [&](StringRef head, int64_t begin, int64_t count) -> Error {
        Expected<Tensor> rows =
            call(FlatSymbolRefAttr::get(model.getContext(), head),
                 rowsOf(*x, begin, count), inputs.positions, 0);
        if (!rows)
          return rows.takeError();
        return appendRows(logits, *rows);
      });
}

static Expected<Tensor> evaluateEntries(ModelOp model, Evaluator &evaluator,
                                        ArrayRef<int32_t> ids,
                                        const ModelRun &run) {
  auto entries = llvm::to_vector(model.getEntries()->getAsRange<EntryAttr>());
  SmallVector<Form> forms;
  for (EntryAttr entry : entries)
    forms.push_back({entry.getName().getValue(), entry.getRows()});
  EntryRun entryRun(model, evaluator);
  return forEachPortion(forms, ids, run,
                        [&](size_t form, StepInputs inputs, Tensor &logits) {
                          return entryRun.append(entries[form], inputs, logits);
                        });
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

/// The model's verifier has looked up each symbol.
static SmallVector<Form> formsOf(ModuleOp module, ArrayAttr steps) {
  SmallVector<Form> forms;
  for (auto symbol : steps.getAsRange<FlatSymbolRefAttr>())
    forms.push_back(
        {symbol.getValue(),
         module.lookupSymbol<StepOp>(symbol.getAttr()).getRowsAttr().getInt()});
  return forms;
}

static Expected<Tensor> evaluateSteps(ModelOp model, Evaluator &evaluator,
                                      ArrayRef<int32_t> ids,
                                      const ModelRun &run) {
  auto module = model->getParentOfType<ModuleOp>();
  SmallVector<Form> steps = formsOf(module, model.getStepsAttr()),
                    heads = formsOf(module, model.getLmHeads());
  CacheRef cache = findCache(module);
  auto append = [&](size_t form, StepInputs inputs, Tensor &logits) -> Error {
    inputs.cache = cache;
    if (Error error = evaluator.runStep(steps[form].name, inputs))
      return error;
    auto runHead = [&](StringRef head, int64_t first, int64_t count) -> Error {
      inputs.wanted.shape = {count};
      inputs.wanted.values.resize(count);
      std::iota(inputs.wanted.values.begin(), inputs.wanted.values.end(),
                first);
      if (Error error = evaluator.runStep(head, inputs))
        return error;
      // The buffer that is written last holds the logits.
      const Tensor *made =
          evaluator.getBuffer(evaluator.getLastBufferWritten());
      if (!made || made->shape.size() != 2)
        return createStringError("@" + head + ": ends in no buffer of logits");
      return appendRows(logits, *made);
    };
    return forEachHead(heads, inputs.ids.shape.front(), runHead);
  };
  return forEachPortion(steps, ids, run, append);
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
  evaluator.setObserver(run.observer);
  return model.getEntries() ? evaluateEntries(model, evaluator, ids, run)
                            : evaluateSteps(model, evaluator, ids, run);
}
