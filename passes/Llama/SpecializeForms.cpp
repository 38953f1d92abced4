//===- SpecializeForms.cpp - a form for each bound on rows, from one graph ===//
//
// From the entry of import, whose functions take any number of rows, to the
// forms that a program calls: one for each bound on the rows of a call, and the
// same for the LM head. A pass of its own, and the first one, because
// everything after it (numerics, fusion, strategies) differs between few rows
// and many while the graph does not.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Passes.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/ADT/SetVector.h"

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMASPECIALIZEFORMS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

//===----------------------------------------------------------------------===//
// Preconditions
//===----------------------------------------------------------------------===//

/// Rows come first in every tensor of the graph.
static bool hasOpenRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() > 0 && tensor.isDynamicDim(0);
}

/// The entry of import, or why there is none.
static FailureOr<EntryAttr> findImportEntry(ModelOp model) {
  if (!model.getEntries() || model.getEntries()->size() != 1)
    return model.emitOpError()
           << "has no single entry: forms are made once, from the entry "
              "that import leaves";
  auto entry = cast<EntryAttr>((*model.getEntries())[0]);
  if (entry.getRows() != 0)
    return model.emitOpError()
           << "entry '" << entry.getName().getValue() << "' has "
           << entry.getRows()
           << " rows, expected 0 (any number), as import leaves it";
  return entry;
}

/// A function whose rows are known already cannot become all forms.
static LogicalResult expectOpenRows(func::FuncOp function) {
  if (function.isExternal())
    return function.emitOpError() << "has no body to make forms from";
  for (Type type : function.getArgumentTypes())
    if (isa<RankedTensorType>(type) && !hasOpenRows(type))
      return function.emitOpError()
             << "takes " << type
             << ", expected an open number of rows, as import leaves it";
  return success();
}

//===----------------------------------------------------------------------===//
// One form of one function
//===----------------------------------------------------------------------===//

static Type withOneRow(Type type) {
  if (!hasOpenRows(type))
    return type;
  auto tensor = cast<RankedTensorType>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape[0] = 1;
  return tensor.clone(shape);
}

static void setOneRow(func::FuncOp function) {
  auto narrow = [](Value value) { value.setType(withOneRow(value.getType())); };
  for (BlockArgument argument : function.getArguments())
    narrow(argument);
  function.walk(
      [&](Operation *op) { llvm::for_each(op->getResults(), narrow); });
  SmallVector<Type> inputs, results;
  for (Type type : function.getArgumentTypes())
    inputs.push_back(withOneRow(type));
  for (Type type : function.getResultTypes())
    results.push_back(withOneRow(type));
  function.setType(FunctionType::get(function.getContext(), inputs, results));
}

/// One row is a static extent: what follows has no loop over rows.
static void setBound(func::FuncOp function, int64_t rows) {
  if (rows == 1)
    return setOneRow(function);
  Builder builder(function.getContext());
  function->setAttr(kRowsAttr, builder.getI64IntegerAttr(rows));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// The name of a form of at most `rows` rows: for people, and part of the names
/// of its functions.
static std::string nameOf(int64_t rows, int64_t largest) {
  if (rows == 1)
    return "decode";
  return rows == largest ? "prefill" : "rows" + std::to_string(rows);
}

namespace {
struct SpecializeForms
    : corellama::llama::impl::LlamaSpecializeFormsBase<SpecializeForms> {
  using LlamaSpecializeFormsBase::LlamaSpecializeFormsBase;

  void runOnOperation() override {
    if (failed(specialize()))
      signalPassFailure();
  }

  /// The bounds: as given, else as carried, else the default.
  FailureOr<SmallVector<int64_t>> findBounds(ModuleOp module) {
    SmallVector<int64_t> bounds(ArrayRef<int64_t>{kDefaultRows});
    if (!rows.empty())
      bounds.assign(rows.begin(), rows.end());
    else if (auto carried = getCarriedOption<DenseI64ArrayAttr>(module, "rows"))
      bounds.assign(carried.asArrayRef().begin(), carried.asArrayRef().end());
    int64_t last = 0;
    for (int64_t bound : bounds) {
      if (bound <= last || bound > INT32_MAX) {
        InFlightDiagnostic diagnostic = module.emitError() << "rows are ";
        llvm::interleaveComma(bounds, diagnostic);
        return diagnostic << "; expected ascending numbers from 1 to "
                          << INT32_MAX;
      }
      last = bound;
    }
    if (bounds.empty())
      return module.emitError() << "rows are none, expected at least one bound";
    setCarriedOption(module, "rows",
                     DenseI64ArrayAttr::get(&getContext(), bounds));
    return bounds;
  }

  LogicalResult specialize() {
    ModuleOp module = getOperation();
    FailureOr<SmallVector<int64_t>> bounds = findBounds(module);
    if (failed(bounds))
      return failure();
    auto models = llvm::to_vector(module.getOps<ModelOp>());
    if (models.size() != 1)
      return module.emitError()
             << "the module has " << models.size()
             << " llama.model, expected one; import makes it";
    ModelOp model = models.front();
    FailureOr<EntryAttr> entry = findImportEntry(model);
    if (failed(entry))
      return failure();

    SymbolTable symbols(module);
    llvm::SetVector<func::FuncOp> old;
    // A copy of `symbol` for calls of at most `most` rows, at the module's end.
    auto copy = [&](Attribute symbol, const Twine &suffix,
                    int64_t most) -> FailureOr<FlatSymbolRefAttr> {
      auto original = symbols.lookup<func::FuncOp>(
          cast<FlatSymbolRefAttr>(symbol).getValue());
      if (failed(expectOpenRows(original)))
        return failure();
      old.insert(original);
      func::FuncOp clone = original.clone();
      clone.setName((original.getName() + suffix).str());
      setBound(clone, most);
      symbols.insert(clone, module.getBody()->end());
      return FlatSymbolRefAttr::get(clone.getSymNameAttr());
    };

    Builder builder(&getContext());
    auto form = [&](int64_t most) -> FailureOr<EntryAttr> {
      std::string name = nameOf(most, bounds->back());
      FailureOr<FlatSymbolRefAttr> embed =
          copy(entry->getEmbed(), "." + name, most);
      if (failed(embed))
        return failure();
      SmallVector<Attribute> layers;
      for (Attribute layer : entry->getLayers()) {
        FailureOr<FlatSymbolRefAttr> made = copy(layer, "." + name, most);
        if (failed(made))
          return failure();
        layers.push_back(*made);
      }
      return EntryAttr::get(&getContext(), builder.getStringAttr(name), most,
                            *embed, builder.getArrayAttr(layers),
                            entry->getOf());
    };
    SmallVector<Attribute> forms;
    for (int64_t most : *bounds) {
      FailureOr<EntryAttr> made = form(most);
      if (failed(made))
        return failure();
      forms.push_back(*made);
    }

    // The LM head: one row, which is what mostly is wanted, as many as the
    // runtime may ask for at once, and what a form of fewer rows has, whose
    // rows all are wanted where they check drafts.
    if (model.getLmHeads().size() != 1)
      return model.emitOpError()
             << "has " << model.getLmHeads().size()
             << " LM heads, expected one, as import leaves it";
    auto head = symbols.lookup<func::FuncOp>(
        cast<FlatSymbolRefAttr>(model.getLmHeads()[0]).getValue());
    if (old.contains(head))
      return head.emitOpError()
             << "is the LM head and another function of the entry as well";
    if (failed(expectOpenRows(head)))
      return failure();
    SmallVector<Attribute> heads{FlatSymbolRefAttr::get(head)};
    int64_t mostWanted =
        std::min<int64_t>(bounds->back(), corellama::abi::kWantedRows);
    SmallVector<int64_t> severalRows;
    for (int64_t most : *bounds)
      if (most > 1 && most < mostWanted)
        severalRows.push_back(most);
    if (mostWanted > 1)
      severalRows.push_back(mostWanted);
    for (int64_t wanted : severalRows) {
      FailureOr<FlatSymbolRefAttr> made =
          copy(heads.front(), ".rows" + Twine(wanted), wanted);
      if (failed(made))
        return failure();
      heads.push_back(*made);
    }
    old.remove(head);
    setOneRow(head);

    for (func::FuncOp function : old)
      symbols.erase(function);
    model.setEntriesAttr(builder.getArrayAttr(forms));
    model.setLmHeadsAttr(builder.getArrayAttr(heads));
    return success();
  }
};
} // namespace
