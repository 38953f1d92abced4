//===- SpecializeForms.cpp - decode and prefill from one graph ------------===//
//
// From the entry of import, whose functions take any number of rows, to the two
// forms that a program calls. A pass of its own, and the first one, because
// everything after it (numerics, fusion, strategies) differs between one row
// and many while the graph does not.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/IR/LlamaDialect.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/Llama/CarriedOptions.h"
#include "passes/Llama/Passes.h"
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

/// A function whose rows are known already cannot become both forms.
static LogicalResult expectOpenRows(func::FuncOp function) {
  if (function.isExternal())
    return function.emitOpError()
           << "has no body to make decode and prefill from";
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

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct SpecializeForms
    : corellama::llama::impl::LlamaSpecializeFormsBase<SpecializeForms> {
  using LlamaSpecializeFormsBase::LlamaSpecializeFormsBase;

  void runOnOperation() override {
    if (failed(specialize()))
      signalPassFailure();
  }

  LogicalResult specialize() {
    ModuleOp module = getOperation();
    int64_t rows = chunk;
    auto carried = getCarriedOption<IntegerAttr>(module, "chunk");
    if (!chunk.hasValue() && carried)
      rows = carried.getInt();
    if (rows < 1 || rows > INT32_MAX)
      return module.emitError() << "chunk is " << rows << ", expected 1 to "
                                << INT32_MAX << " rows";
    setCarriedOption(
        module, "chunk",
        IntegerAttr::get(IntegerType::get(&getContext(), 64), rows));
    auto models = llvm::to_vector(module.getOps<ModelOp>());
    if (models.size() != 1)
      return module.emitError()
             << "the module has " << models.size()
             << " llama.model, expected one; import makes it";
    FailureOr<EntryAttr> entry = findImportEntry(models.front());
    if (failed(entry))
      return failure();

    SymbolTable symbols(module);
    llvm::SetVector<func::FuncOp> old;
    // A copy of `symbol`, behind the original, under the name of its form.
    auto copy = [&](Attribute symbol, StringRef suffix,
                    bool oneRow) -> FailureOr<FlatSymbolRefAttr> {
      auto original = symbols.lookup<func::FuncOp>(
          cast<FlatSymbolRefAttr>(symbol).getValue());
      if (failed(expectOpenRows(original)))
        return failure();
      old.insert(original);
      func::FuncOp clone = original.clone();
      clone.setName((original.getName() + suffix).str());
      if (oneRow)
        setOneRow(clone);
      symbols.insert(clone, module.getBody()->end());
      return FlatSymbolRefAttr::get(clone.getSymNameAttr());
    };

    Builder builder(&getContext());
    auto form = [&](StringRef name, int64_t most,
                    bool oneRow) -> FailureOr<EntryAttr> {
      std::string suffix = ("." + name).str();
      FailureOr<FlatSymbolRefAttr> embed =
          copy(entry->getEmbed(), suffix, oneRow);
      if (failed(embed))
        return failure();
      SmallVector<Attribute> layers;
      for (Attribute layer : entry->getLayers()) {
        FailureOr<FlatSymbolRefAttr> made = copy(layer, suffix, oneRow);
        if (failed(made))
          return failure();
        layers.push_back(*made);
      }
      return EntryAttr::get(&getContext(), builder.getStringAttr(name), most,
                            *embed, builder.getArrayAttr(layers),
                            entry->getOf(), entry->getLmHead());
    };
    FailureOr<EntryAttr> decode = form("decode", 1, true);
    if (failed(decode))
      return failure();
    // A chunk of one row is still prefill: rows that are calls of their own and
    // rows that share one have the same bits.
    FailureOr<EntryAttr> prefill = form("prefill", rows, false);
    if (failed(prefill))
      return failure();

    // The head has one form: prefill, too, looks at one row at a time.
    auto head = symbols.lookup<func::FuncOp>(entry->getLmHead().getValue());
    if (old.contains(head))
      return head.emitOpError()
             << "is the head and another function of the entry as well";
    if (failed(expectOpenRows(head)))
      return failure();
    setOneRow(head);

    for (func::FuncOp function : old)
      symbols.erase(function);
    models.front().setEntriesAttr(builder.getArrayAttr({*decode, *prefill}));
    return success();
  }
};
} // namespace
