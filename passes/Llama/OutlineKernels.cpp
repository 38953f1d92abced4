//===- OutlineKernels.cpp - kernels as functions, entries as steps --------===//
//
// From functions of kernels on tensors to functions that read and write
// buffers, and steps that say in which order they run. Here values become
// memory; a pass of its own because all that follows (barriers, offsets,
// stamps) only edits what it leaves.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "passes/Llama/KernelFunction.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/StepBuffers.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <map>

namespace corellama::llama {
#define GEN_PASS_DEF_LLAMAOUTLINEKERNELS
#include "passes/Llama/Passes.h.inc"
} // namespace corellama::llama

using namespace mlir;
using namespace corellama::llama;

namespace {
/// Which of the model's functions a kernel stands in: it says what the
/// arguments are and where the result goes.
enum class Part { Embed, Layer, LMHead };

/// A kernel as a function; kernels of several layer functions share one.
struct Outlined {
  std::string kernel;
  std::string step;
  OwningOpRef<func::FuncOp> function;
};

/// One line of a step: a kernel by name and which function it became.
struct Line {
  std::string kernel;
  unsigned outlined;
};

/// What a step is made of, kept until all functions have their names.
struct StepLines {
  std::string name;
  int64_t rows;
  bool isHead;
  /// The embedding, or the LM head.
  SmallVector<Line> once;
  /// One list for each layer function, and the function of each layer.
  SmallVector<SmallVector<Line>> layers;
  SmallVector<int32_t> of;
};

class Outliner {
public:
  explicit Outliner(ModuleOp module)
      : module(module), symbols(module), buffers(module, symbols),
        loc(module.getLoc()) {}
  LogicalResult run();

private:
  // From functions to kernel functions and lines.
  FailureOr<SmallVector<KernelOp>> kernelsOf(func::FuncOp function);
  FailureOr<SmallVector<Line>> outline(func::FuncOp function, Part part,
                                       StringRef step, int64_t rows);
  FailureOr<unsigned>
  outlineKernel(KernelOp kernel, Part part, StringRef step,
                const llvm::DenseMap<Value, BufferOp> &bufferOf);
  unsigned share(Outlined made);
  LogicalResult outlineEntry(EntryAttr entry, ModelOp model);
  LogicalResult outlineLMHead(func::FuncOp lmHead);

  // From lines to steps.
  void declareFunctions();
  Attribute addStep(const StepLines &lines, Operation *before);
  void addLayers(OpBuilder &builder, const StepLines &lines);
  void addDispatch(OpBuilder &builder, ArrayRef<unsigned> outlinedOf,
                   Value layer);

  func::FuncOp lookup(Attribute symbol) {
    return symbols.lookup<func::FuncOp>(
        cast<FlatSymbolRefAttr>(symbol).getValue());
  }

  ModuleOp module;
  SymbolTable symbols;
  StepBuffers buffers;
  SmallVector<Outlined> outlined;
  /// The functions of `outlined`, once they stand in the module.
  SmallVector<func::FuncOp> functions;
  SmallVector<StepLines> steps;
  /// Functions of the model that steps take the place of.
  llvm::SetVector<func::FuncOp> replaced;
  Location loc;
};
} // namespace

/// The buffers that every program has by these names.
static constexpr llvm::StringLiteral kCarriedBuffer = "x",
                                     kLogitsBuffer = "logits";

//===----------------------------------------------------------------------===//
// One kernel
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<KernelOp>> Outliner::kernelsOf(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError()
           << "has no body of one block to outline kernels from";
  SmallVector<KernelOp> kernels;
  for (Operation &op : function.getBody().front().without_terminator()) {
    auto kernel = dyn_cast<KernelOp>(op);
    if (!kernel) {
      if (isa<LlamaDialect>(op.getDialect()) && !isa<WeightRefOp>(op))
        return op.emitOpError()
               << "stands outside of kernels; run llama-fuse-kernels first";
      continue;
    }
    if (!kernel.getStrategyAttr() || !kernel.getPartitionAttr())
      return kernel.emitOpError() << "\"" << kernel.getName()
                                  << "\" has no strategy and partition; run "
                                     "llama-plan-kernels first";
    kernels.push_back(kernel);
  }
  return kernels;
}

/// The carried rows: the one tensor of rows that a layer or the LM head takes.
static bool isCarried(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return isa<BlockArgument>(value) && type && type.getRank() == 2;
}

/// What the runtime calls an argument, if it provides it.
static std::optional<Input> inputOf(Value argument, Part part) {
  if (isa<CacheType>(argument.getType()))
    return Input::Cache;
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (type && type.getRank() == 1 && type.getElementType().isInteger(32))
    return part == Part::Embed ? Input::Ids : Input::Positions;
  return std::nullopt;
}

static bool isLayer(Value value) {
  return isa<BlockArgument>(value) && value.getType().isIndex();
}

FailureOr<unsigned>
Outliner::outlineKernel(KernelOp kernel, Part part, StringRef step,
                        const llvm::DenseMap<Value, BufferOp> &bufferOf) {
  bool usesLayer = llvm::any_of(kernel.getInputs(), isLayer);
  auto provide = [&](OpBuilder &builder, Value input, Value layer) -> Value {
    if (BufferOp buffer = bufferOf.lookup(input)) {
      Value rows;
      if (part == Part::LMHead && isCarried(input))
        rows = InputOp::create(
            builder, kernel.getLoc(),
            RankedTensorType::get(
                {cast<RankedTensorType>(input.getType()).getDimSize(0)},
                builder.getI32Type()),
            Input::Wanted);
      return BufferReadOp::create(
          builder, kernel.getLoc(), input.getType(),
          FlatSymbolRefAttr::get(buffer.getSymNameAttr()), rows, IntegerAttr());
    }
    if (isLayer(input))
      return layer;
    if (std::optional<Input> provided = inputOf(input, part))
      return InputOp::create(builder, kernel.getLoc(), input.getType(),
                             *provided);
    return {};
  };
  FailureOr<OwningOpRef<func::FuncOp>> function =
      makeKernelFunction(kernel, usesLayer, provide, bufferOf);
  if (failed(function))
    return failure();
  return share({kernel.getName().str(), step.str(), std::move(*function)});
}

/// Equal kernels become one function: layers of several signatures differ in a
/// few of them only.
unsigned Outliner::share(Outlined made) {
  for (auto [i, known] : llvm::enumerate(outlined)) {
    func::FuncOp a = *known.function, b = *made.function;
    if (known.kernel == made.kernel && known.step == made.step &&
        a->getDiscardableAttrDictionary() ==
            b->getDiscardableAttrDictionary() &&
        a.getFunctionType() == b.getFunctionType() &&
        OperationEquivalence::isRegionEquivalentTo(
            &a.getBody(), &b.getBody(), OperationEquivalence::IgnoreLocations))
      return i;
  }
  outlined.push_back(std::move(made));
  return outlined.size() - 1;
}

//===----------------------------------------------------------------------===//
// One function of the model
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Line>> Outliner::outline(func::FuncOp function, Part part,
                                               StringRef step, int64_t rows) {
  FailureOr<SmallVector<KernelOp>> kernels = kernelsOf(function);
  if (failed(kernels))
    return failure();
  replaced.insert(function);
  Operation *end = function.getBody().front().getTerminator();
  if (end->getNumOperands() != 1)
    return function.emitOpError()
           << "has " << end->getNumOperands()
           << " results, a function of the model has one";
  Value returned = end->getOperand(0);

  llvm::DenseMap<Value, BufferOp> bufferOf;
  Value given;
  for (BlockArgument argument : function.getArguments())
    if (isCarried(argument)) {
      if (given || part == Part::Embed)
        return function.emitOpError()
               << "takes " << argument.getType()
               << "; only layers and the LM head take rows, and one tensor";
      given = argument;
    }

  StringRef resultBuffer =
      part == Part::LMHead ? kLogitsBuffer : kCarriedBuffer;
  llvm::StringMap<unsigned> occurrences;
  KernelOp last;
  for (KernelOp kernel : *kernels) {
    unsigned occurrence = occurrences[kernel.getName()]++;
    auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
    for (auto [i, result] : llvm::enumerate(kernel.getResults())) {
      Value yielded = yield.getValues()[i];
      FailureOr<BufferOp> buffer =
          result == returned
              ? buffers.forModel(resultBuffer, yielded, rows)
              : buffers.forResult({step, kernel.getName(), occurrence,
                                   static_cast<unsigned>(i)},
                                  yielded, rows);
      if (failed(buffer))
        return failure();
      bufferOf[result] = *buffer;
      if (result == returned)
        last = kernel;
    }
  }
  if (!last && returned != given)
    return function.emitOpError() << "returns what none of its kernels makes";
  if (given) {
    // The embedding is outlined before any layer, so the buffer is there.
    BufferOp buffer = buffers.find(kCarriedBuffer);
    if (!buffer)
      return function.emitOpError() << "takes rows that no embedding leaves";
    bufferOf[given] = buffer;
    // The kernel that makes the layer's result puts it over the rows given.
    if (last && part == Part::Layer)
      for (Operation *user : given.getUsers())
        if (last->isBeforeInBlock(user))
          return user->emitOpError()
                 << "reads the rows of the layer behind the kernel that "
                 << "replaces them";
  }

  SmallVector<Line> lines;
  for (KernelOp kernel : *kernels) {
    FailureOr<unsigned> made = outlineKernel(kernel, part, step, bufferOf);
    if (failed(made))
      return failure();
    lines.push_back({kernel.getName().str(), *made});
  }
  return lines;
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

LogicalResult Outliner::outlineEntry(EntryAttr entry, ModelOp model) {
  StringRef name = entry.getName().getValue();
  if (entry.getRows() < 1 || entry.getRows() > INT32_MAX)
    return model.emitOpError()
           << "entry '" << name << "' has " << entry.getRows()
           << " rows, expected at least one; run llama-specialize-forms first";
  SmallVector<func::FuncOp> layers;
  for (Attribute layer : entry.getLayers())
    layers.push_back(lookup(layer));
  func::FuncOp embed = lookup(entry.getEmbed());
  SmallVector<KernelOp> kernels;
  for (func::FuncOp function : layers)
    function.walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  embed.walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  FailureOr<int64_t> rows = StepBuffers::rowCapacity(entry.getRows(), kernels);
  if (failed(rows))
    return failure();

  StepLines step{name.str(),
                 entry.getRows(),
                 /*isHead=*/false,
                 {},
                 {},
                 llvm::to_vector(entry.getOf().asArrayRef())};
  FailureOr<SmallVector<Line>> once = outline(embed, Part::Embed, name, *rows);
  if (failed(once))
    return failure();
  step.once = *once;
  for (func::FuncOp layer : layers) {
    FailureOr<SmallVector<Line>> lines =
        outline(layer, Part::Layer, name, *rows);
    if (failed(lines))
      return failure();
    step.layers.push_back(*lines);
  }
  steps.push_back(std::move(step));
  return success();
}

LogicalResult Outliner::outlineLMHead(func::FuncOp lmHead) {
  StringRef name = lmHead.getName();
  int64_t rows = lmHead.getNumArguments() == 1
                     ? getRowBound(lmHead.getArgument(0))
                     : kAnyRows;
  if (rows == kAnyRows)
    return lmHead.emitOpError()
           << "is an LM head of any number of rows, expected a "
              "bound; run llama-specialize-forms first";
  SmallVector<KernelOp> kernels(lmHead.getOps<KernelOp>());
  FailureOr<int64_t> capacity = StepBuffers::rowCapacity(rows, kernels);
  if (failed(capacity))
    return failure();
  FailureOr<SmallVector<Line>> lines =
      outline(lmHead, Part::LMHead, name, *capacity);
  if (failed(lines))
    return failure();
  steps.push_back({name.str(), rows, /*isHead=*/true, *lines, {}, {}});
  return success();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// KERNEL.STEP, numbered where signatures of layers make several of them.
void Outliner::declareFunctions() {
  std::map<std::pair<StringRef, StringRef>, unsigned> total, next;
  for (const Outlined &made : outlined)
    ++total[{made.kernel, made.step}];
  for (Outlined &made : outlined) {
    std::string name = made.kernel + "." + made.step;
    if (total[{made.kernel, made.step}] > 1)
      name += "." + std::to_string(next[{made.kernel, made.step}]++);
    made.function->setName(name);
    functions.push_back(made.function.release());
    symbols.insert(functions.back(), module.getBody()->end());
  }
}

/// A dispatch of one kernel of each layer: by one callee, or by a table.
void Outliner::addDispatch(OpBuilder &builder, ArrayRef<unsigned> outlinedOf,
                           Value layer) {
  llvm::SmallSetVector<unsigned, 4> distinct(outlinedOf.begin(),
                                             outlinedOf.end());
  SmallVector<unsigned> sorted(distinct.begin(), distinct.end());
  llvm::sort(sorted);
  SmallVector<Attribute> callees;
  bool takesLayer = sorted.size() > 1;
  for (unsigned callee : sorted) {
    callees.push_back(
        FlatSymbolRefAttr::get(functions[callee].getSymNameAttr()));
    takesLayer |= functions[callee].getNumArguments() > 0;
  }
  DenseI32ArrayAttr of;
  if (sorted.size() > 1) {
    SmallVector<int32_t> table;
    for (unsigned callee : outlinedOf)
      table.push_back(llvm::lower_bound(sorted, callee) - sorted.begin());
    of = builder.getDenseI32ArrayAttr(table);
  }
  DispatchOp::create(builder, loc, builder.getArrayAttr(callees), of,
                     takesLayer ? layer : Value());
}

static bool haveSameKernels(ArrayRef<Line> a, ArrayRef<Line> b) {
  return llvm::equal(
      a, b, [](const Line &x, const Line &y) { return x.kernel == y.kernel; });
}

/// One loop over all layers, or several where neighbouring layers are made of
/// different kernels and no table could say which runs.
void Outliner::addLayers(OpBuilder &builder, const StepLines &step) {
  auto linesOf = [&](size_t layer) -> ArrayRef<Line> {
    return step.layers[step.of[layer]];
  };
  size_t count = step.of.size();
  for (size_t begin = 0, end; begin < count; begin = end) {
    for (end = begin + 1;
         end < count && haveSameKernels(linesOf(begin), linesOf(end));)
      ++end;
    auto constant = [&](int64_t value) -> Value {
      return arith::ConstantIndexOp::create(builder, loc, value);
    };
    Value from = constant(begin), to = constant(end), by = constant(1);
    auto loop = scf::ForOp::create(builder, loc, from, to, by);
    OpBuilder inner(loop.getBody()->getTerminator());
    for (size_t line = 0; line < linesOf(begin).size(); ++line) {
      // The table is by the model's layer; what is outside of this loop is
      // never looked up.
      SmallVector<unsigned> outlinedOf;
      for (size_t layer = 0; layer < count; ++layer) {
        bool inside = begin <= layer && layer < end;
        outlinedOf.push_back(linesOf(inside ? layer : begin)[line].outlined);
      }
      addDispatch(inner, outlinedOf, loop.getInductionVar());
    }
  }
}

Attribute Outliner::addStep(const StepLines &lines, Operation *before) {
  OpBuilder builder(module.getContext());
  auto step =
      StepOp::create(builder, loc, builder.getStringAttr(lines.name),
                     StringAttr(), builder.getI64IntegerAttr(lines.rows));
  builder.setInsertionPointToStart(&step.getBody().emplaceBlock());
  for (const Line &line : lines.once)
    addDispatch(builder, line.outlined, Value());
  addLayers(builder, lines);
  symbols.insert(step,
                 before ? before->getIterator() : module.getBody()->end());
  return FlatSymbolRefAttr::get(step.getSymNameAttr());
}

LogicalResult Outliner::run() {
  auto models = llvm::to_vector(module.getOps<ModelOp>());
  if (models.size() != 1)
    return module.emitError() << "the module has " << models.size()
                              << " llama.model, expected one; import makes it";
  ModelOp model = models.front();
  if (!model.getEntries() || model.getEntries()->empty())
    return model.emitOpError() << "has no entries to make steps from";
  for (auto entry : model.getEntries()->getAsRange<EntryAttr>())
    if (failed(outlineEntry(entry, model)))
      return failure();
  for (Attribute lmHead : model.getLmHeads())
    if (failed(outlineLMHead(lookup(lmHead))))
      return failure();

  // Nothing fails from here on.
  for (func::FuncOp function : replaced)
    symbols.erase(function);
  buffers.declare();
  declareFunctions();
  SmallVector<Attribute> forms, heads;
  for (const StepLines &step : steps)
    (step.isHead ? heads : forms)
        .push_back(addStep(step, functions.empty()
                                     ? nullptr
                                     : functions.front().getOperation()));
  model.removeEntriesAttr();
  model.setStepsAttr(ArrayAttr::get(module.getContext(), forms));
  model.setLmHeadsAttr(ArrayAttr::get(module.getContext(), heads));
  return success();
}

namespace {
struct OutlineKernels
    : corellama::llama::impl::LlamaOutlineKernelsBase<OutlineKernels> {
  void runOnOperation() override {
    if (failed(Outliner(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace
