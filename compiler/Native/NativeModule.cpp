//===- NativeModule.cpp - one function of the graph, as kernels -----------===//
//
// See NativeModule.h. In the order of the work: rows and arguments become
// facts of the function, the phases run, kernels become functions on buffers.
//
//===----------------------------------------------------------------------===//

#include "compiler/Native/NativeModule.h"
#include "compiler/CodeGen/CodeGen.h"
#include "compiler/Image/RopeFrequencies.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Target/Target.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Transforms/Passes.h"
#include "passes/Llama/KernelFunction.h"
#include "passes/Llama/Passes.h"
#include "passes/Llama/ScheduleDependences.h"
#include "passes/Llama/StepBuffers.h"
#include "runtime/ABI/Kernel.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace mlir;
using namespace corellama;
using namespace corellama::llama;
using llama::reference::Datum;
using llama::reference::formatError;
using llama::reference::IntTensor;
using llama::reference::Tensor;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {

class NativeBuilder {
public:
  NativeBuilder(func::FuncOp function, ArrayRef<Datum> arguments,
                StringRef dumpFolder)
      : data(arguments), dumpFolder(dumpFolder),
        context(function.getContext()) {
    made.module = function->getParentOfType<ModuleOp>().clone();
    entry = made.module->lookupSymbol<func::FuncOp>(function.getName());
  }
  Expected<NativeModule> build(StringRef target, const PassAdder &behindTile);

private:
  Error isolate();
  Error checkPositions(const IntTensor &positions);
  Error setRows();
  Error bindIntegers(BlockArgument argument);
  void bindWeight(BlockArgument argument);
  Error bindArguments();
  Error checkLayers();
  Error runPasses(StringRef what, function_ref<void(PassManager &)> add);
  Error runPhase(Phase phase);
  Error dump(Phase phase);
  Error dumpAssembly();
  LogicalResult outline();
  void placeBuffers();
  Error describeCache();
  void listWeights();

  ArrayRef<Datum> data;
  StringRef dumpFolder;
  MLIRContext *context;
  func::FuncOp entry;
  NativeModule made;
  /// Weights that are arguments, by their declarations' names.
  llvm::StringMap<unsigned> weightArguments;
  /// The tensor of integers that is the rows' positions.
  std::optional<unsigned> positions;
};

//===----------------------------------------------------------------------===//
// Rows and arguments
//===----------------------------------------------------------------------===//

/// Leaves of the module the function and the weights.
Error NativeBuilder::isolate() {
  for (Operation &op :
       llvm::make_early_inc_range(made.module->getBody()->getOperations()))
    if (&op != entry && !isa<WeightOp, WeightsOp>(op))
      op.erase();
  if (!entry.getBody().hasOneBlock())
    return createStringError("has no body of one block");
  for (Operation &op : entry.getBody().front().without_terminator()) {
    auto isIndex = [](Type type) { return type.isIndex(); };
    bool isGraph =
        isa<LlamaDialect>(op.getDialect()) && op.getNumRegions() == 0;
    if (!isGraph && (!isa<arith::ConstantOp>(op) ||
                     !llvm::all_of(op.getResultTypes(), isIndex)))
      return formatError("{0}: native code is made of ops of the graph alone; "
                         "give constants as arguments",
                         op.getName());
  }
  return Error::success();
}

/// As llama-specialize-forms makes a form of one row, or of a bound.
Error NativeBuilder::setRows() {
  bool isOne = made.rows == 1;
  auto withRows = [&](Type type) -> Type {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getRank() == 0)
      return type;
    SmallVector<int64_t> shape(tensor.getShape());
    shape[0] = isOne ? 1 : ShapedType::kDynamic;
    return tensor.clone(shape);
  };
  auto rowsOf = [&](Value value) -> int64_t {
    auto tensor = dyn_cast<RankedTensorType>(value.getType());
    return tensor && tensor.getRank() > 0 && !tensor.isDynamicDim(0)
               ? tensor.getDimSize(0)
               : made.rows;
  };
  SmallVector<Value> values(entry.getArguments());
  entry.walk(
      [&](Operation *op) { llvm::append_range(values, op->getResults()); });
  for (Value value : values) {
    if (rowsOf(value) != made.rows)
      return formatError("has a value of {0} rows, is called with {1}",
                         rowsOf(value), made.rows);
    value.setType(withRows(value.getType()));
  }
  SmallVector<Type> results =
      llvm::map_to_vector(entry.getResultTypes(), withRows);
  SmallVector<Type> inputs =
      llvm::map_to_vector(entry.getArgumentTypes(), withRows);
  entry.setType(FunctionType::get(context, inputs, results));
  entry->removeAttr(kRowsAttr);
  if (!isOne)
    entry->setAttr(kRowsAttr, Builder(context).getI64IntegerAttr(made.rows));
  return Error::success();
}

/// The runtime's calls have consecutive positions, and code counts on it.
Error NativeBuilder::checkPositions(const IntTensor &values) {
  int64_t first = values.values.front();
  if (first < 0 || first > INT32_MAX - made.rows)
    return formatError("position {0} is not from 0 to {1}", first,
                       INT32_MAX - made.rows);
  for (auto [i, position] : llvm::enumerate(values.values))
    if (position != first + static_cast<int64_t>(i))
      return formatError("position {0} of row {1} does not follow that of the "
                         "row before; a call's positions are consecutive",
                         position, i);
  made.firstPosition = first;
  return Error::success();
}

/// The ids of an embedding, or positions.
Error NativeBuilder::bindIntegers(BlockArgument argument) {
  if (cast<RankedTensorType>(argument.getType()).getRank() != 1)
    return formatError("argument {0}: integers are one a row",
                       argument.getArgNumber());
  const auto &values = std::get<IntTensor>(data[argument.getArgNumber()]);
  bool isIds = llvm::any_of(argument.getUsers(), llvm::IsaPred<EmbedOp>);
  std::optional<unsigned> &bound = isIds ? made.ids : positions;
  if (bound)
    return formatError("arguments {0} and {1} are both {2} of the rows", *bound,
                       argument.getArgNumber(), isIds ? "ids" : "positions");
  bound = argument.getArgNumber();
  if (!isIds) {
    if (Error error = checkPositions(values))
      return error;
    // Code takes as many bits as there are columns.
    for (Operation *user : argument.getUsers())
      if (auto encoding = dyn_cast<PositionEncodingOp>(user);
          encoding && encoding.getKind() == PositionKind::Binary &&
          values.values.back() >> encoding.getType().getDimSize(1) != 0)
        return formatError("position {0} has more than {1} bits",
                           values.values.back(),
                           encoding.getType().getDimSize(1));
    return Error::success();
  }
  for (Operation *user : argument.getUsers())
    if (auto embed = dyn_cast<EmbedOp>(user))
      for (int64_t id : values.values)
        if (id < 0 || id >= embed.getWeight().getType().getRows())
          return formatError("id {0} is not one of the vocabulary's {1}", id,
                             embed.getWeight().getType().getRows());
  return Error::success();
}

/// A weight that is an argument is declared, like a checkpoint's.
void NativeBuilder::bindWeight(BlockArgument argument) {
  auto type = cast<WeightType>(argument.getType());
  OpBuilder builder = OpBuilder::atBlockBegin(made.module->getBody());
  auto weight = WeightOp::create(
      builder, argument.getLoc(),
      builder.getStringAttr("argument" + Twine(argument.getArgNumber())),
      StringAttr(), builder.getDenseI64ArrayAttr(type.getShape()),
      builder.getArrayAttr(type.getFormat()), DenseI32ArrayAttr(), ArrayAttr());
  SymbolTable(*made.module).insert(weight);
  weightArguments[weight.getSymName()] = argument.getArgNumber();
  builder.setInsertionPointToStart(&entry.getBody().front());
  argument.replaceAllUsesWith(
      WeightRefOp::create(builder, argument.getLoc(), type,
                          SymbolRefAttr::get(weight.getSymNameAttr()), Value(),
                          Attribute(), IntegerAttr())
          .getResult());
}

Error NativeBuilder::bindArguments() {
  OpBuilder builder = OpBuilder::atBlockBegin(&entry.getBody().front());
  for (BlockArgument argument : entry.getArguments()) {
    Type type = argument.getType();
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (isa<WeightType>(type)) {
      bindWeight(argument);
    } else if (type.isIndex()) {
      int64_t value = std::get<int64_t>(data[argument.getArgNumber()]);
      argument.replaceAllUsesWith(
          arith::ConstantIndexOp::create(builder, argument.getLoc(), value)
              .getResult());
    } else if (tensor && tensor.getElementType().isInteger()) {
      if (Error error = bindIntegers(argument))
        return error;
    } else if (!isa<CacheType>(type) &&
               (!tensor || !tensor.getElementType().isF32())) {
      return formatError("argument {0} is a {1}; native code takes rows of "
                         "f32, integers, weights and caches",
                         argument.getArgNumber(), type);
    }
  }
  return checkLayers();
}

/// Layers are constants by now, and code does not check them.
Error NativeBuilder::checkLayers() {
  Error error = Error::success();
  auto check = [&](Operation *op, Value layer, int64_t count) {
    llvm::APInt value;
    if (!error && (!matchPattern(layer, m_ConstantInt(&value)) ||
                   value.getSExtValue() < 0 || value.getSExtValue() >= count))
      error = formatError("{0}: layer {1} is not one of {2}", op->getName(),
                          value.getSExtValue(), count);
  };
  SymbolTableCollection symbols;
  entry.walk([&](Operation *op) {
    if (auto reference = dyn_cast<WeightRefOp>(op);
        reference && reference.getLayer())
      check(
          op, reference.getLayer(),
          symbols
              .lookupNearestSymbolFrom<WeightOp>(op, reference.getWeightAttr())
              .getCount());
    else if (auto append = dyn_cast<KVAppendOp>(op))
      check(op, append.getLayer(), append.getCache().getType().getLayers());
    else if (auto attention = dyn_cast<AttentionOp>(op))
      check(op, attention.getLayer(),
            attention.getCache().getType().getLayers());
    else if (auto part = dyn_cast<AttentionPartOp>(op))
      check(op, part.getLayer(), part.getCache().getType().getLayers());
    made.readsCache |= isa<AttentionOp, AttentionPartOp>(op);
  });
  return error;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

Error NativeBuilder::runPasses(StringRef what,
                               function_ref<void(PassManager &)> add) {
  // The first message is the one that says why.
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (message.empty() &&
        diagnostic.getSeverity() == DiagnosticSeverity::Error)
      message = diagnostic.str();
  });
  PassManager manager(context);
  add(manager);
  if (succeeded(manager.run(*made.module)))
    return Error::success();
  return createStringError("phase " + what + ": " + message);
}

Error NativeBuilder::runPhase(Phase phase) {
  PipelineOptions options;
  options.backend = made.target.getBackend().str();
  Error error = runPasses(infoOf(phase).name, [&](PassManager &manager) {
    for (const PhasePipeline &row : allPhasePipelines())
      if (row.phase == phase)
        row.build(manager, options);
  });
  if (error)
    return error;
  return dump(phase);
}

Error NativeBuilder::dump(Phase phase) {
  if (dumpFolder.empty())
    return Error::success();
  SmallString<128> path(dumpFolder);
  llvm::sys::path::append(path, Twine(static_cast<unsigned>(phase) + 1) + "-" +
                                    infoOf(phase).name + ".mlir");
  return writeOutput(path, llvm::to_string(*made.module) + "\n");
}

Error NativeBuilder::dumpAssembly() {
  if (dumpFolder.empty())
    return Error::success();
  auto machine = codegen::createTargetMachine(made.target);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext llvmContext;
  auto ir = codegen::buildOptimizedIR(*made.module, llvmContext, **machine);
  if (!ir)
    return ir.takeError();
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  if (Error error = codegen::emitAssembly(**ir, **machine, out))
    return error;
  SmallString<128> path(dumpFolder);
  llvm::sys::path::append(path, "9-assembly.s");
  return writeOutput(path, text);
}

/// The names and places of kernels, as llama-outline-kernels leaves them.
LogicalResult NativeBuilder::outline() {
  SymbolTable symbols(*made.module);
  StepBuffers buffers(*made.module, symbols);
  SmallVector<KernelOp> kernels(entry.getOps<KernelOp>());
  FailureOr<int64_t> rows = StepBuffers::rowCapacity(made.rows, kernels);
  if (failed(rows))
    return failure();

  llvm::DenseMap<Value, llama::BufferOp> bufferOf;
  for (BlockArgument argument : entry.getArguments()) {
    auto tensor = dyn_cast<RankedTensorType>(argument.getType());
    if (!tensor || tensor.getElementType().isInteger())
      continue;
    auto buffer = buffers.forModel(
        ("argument" + Twine(argument.getArgNumber())).str(), argument, *rows);
    if (failed(buffer))
      return failure();
    bufferOf[argument] = *buffer;
  }
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    auto yield = cast<YieldOp>(kernel.getBody().front().getTerminator());
    for (auto [i, result] : llvm::enumerate(kernel.getResults())) {
      auto buffer = buffers.forResult({entry.getName(), kernel.getName(),
                                       static_cast<unsigned>(number),
                                       static_cast<unsigned>(i)},
                                      yield.getValues()[i], *rows);
      if (failed(buffer))
        return failure();
      bufferOf[result] = *buffer;
    }
  }

  auto provide = [&](OpBuilder &builder, Value input, Value) -> Value {
    if (llama::BufferOp buffer = bufferOf.lookup(input))
      return BufferReadOp::create(
          builder, input.getLoc(), input.getType(),
          FlatSymbolRefAttr::get(buffer.getSymNameAttr()), Value(),
          IntegerAttr());
    auto argument = dyn_cast<BlockArgument>(input);
    if (!argument)
      return {};
    Input name = isa<CacheType>(input.getType())       ? Input::Cache
                 : made.ids == argument.getArgNumber() ? Input::Ids
                                                       : Input::Positions;
    return InputOp::create(builder, input.getLoc(), input.getType(), name);
  };
  SmallVector<OwningOpRef<func::FuncOp>> functions;
  for (auto [number, kernel] : llvm::enumerate(kernels)) {
    auto function =
        makeKernelFunction(kernel, /*takesLayer=*/false, provide, bufferOf);
    if (failed(function))
      return failure();
    (*function)->setName((kernel.getName() + "." + Twine(number)).str());
    functions.push_back(std::move(*function));
  }

  // Values, until their places are known.
  SmallVector<llama::BufferOp> resultBuffers;
  for (Value result : entry.getBody().front().getTerminator()->getOperands()) {
    resultBuffers.push_back(bufferOf.lookup(result));
    auto argument = dyn_cast<BlockArgument>(result);
    made.results.push_back({{}, argument ? argument.getArgNumber() : 0});
  }
  SmallVector<llama::BufferOp> argumentBuffers;
  for (BlockArgument argument : entry.getArguments())
    argumentBuffers.push_back(bufferOf.lookup(argument));
  symbols.erase(entry);
  buffers.declare();
  for (OwningOpRef<func::FuncOp> &function : functions) {
    func::FuncOp placed = function.release();
    symbols.insert(placed, made.module->getBody()->end());
    made.kernels.push_back(placed.getName().str());
  }
  placeBuffers();
  auto placeOf = [](llama::BufferOp buffer) -> std::optional<TensorPlace> {
    if (!buffer)
      return std::nullopt;
    return TensorPlace{static_cast<int64_t>(*buffer.getAt()),
                       cast<RankedTensorType>(buffer.getType())};
  };
  for (llama::BufferOp buffer : argumentBuffers)
    made.arguments.push_back(placeOf(buffer));
  for (auto [result, buffer] : llvm::zip(made.results, resultBuffers))
    result.place = placeOf(buffer);
  return success();
}

/// One behind the other: a call may be repeated, and results are read when all
/// kernels have run.
void NativeBuilder::placeBuffers() {
  Builder builder(context);
  int64_t at = 0;
  for (auto buffer : made.module->getOps<llama::BufferOp>()) {
    buffer.setAtAttr(builder.getI64IntegerAttr(at));
    at = llvm::alignTo(at + buffer.getBytes(), kBufferAlignment);
  }
  SymbolTable symbols(*made.module);
  made.module->walk([&](Operation *op) {
    if (auto read = dyn_cast<BufferReadOp>(op))
      read.setAtAttr(
          symbols.lookup<llama::BufferOp>(read.getBuffer()).getAtAttr());
    else if (auto write = dyn_cast<BufferWriteOp>(op))
      write.setAtAttr(
          symbols.lookup<llama::BufferOp>(write.getBuffer()).getAtAttr());
  });
}

Error NativeBuilder::describeCache() {
  for (auto layout : made.module->getOps<CacheLayoutOp>()) {
    for (int64_t layer = 0; layer < layout.getCache().getLayers(); ++layer)
      if (int64_t ring = layout.getRing(layer); ring % abi::kCacheBlock != 0)
        return createStringError(
            "a ring of " + Twine(ring) + " positions is no multiple of " +
            Twine(abi::kCacheBlock) + ", as compiled code has them");
    auto keys = layout.getBytes(/*ofKeys=*/true, made.capacity),
         values = layout.getBytes(/*ofKeys=*/false, made.capacity);
    if (failed(keys) || failed(values))
      return createStringError("the cache is larger than memory");
    made.keyBytes = *keys;
    made.valueBytes = *values;
    made.regions = layout.getRegions(made.capacity);
  }
  return Error::success();
}

void NativeBuilder::listWeights() {
  SymbolTableCollection symbols;
  llvm::DenseSet<int64_t> seen;
  made.weightTableSize = getWeightTableSize(*made.module);
  made.module->walk([&](WeightRefOp reference) {
    auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(
        reference, reference.getWeightAttr());
    NativeWeight row{reference.getWeight(), {}, {}, 0, {}, {}, {}};
    llvm::APInt layer;
    if (reference.getLayer() &&
        matchPattern(reference.getLayer(), m_ConstantInt(&layer)))
      row.layer = layer.getSExtValue();
    row.index =
        getWeightTableIndex(*made.module, weight) + row.layer.value_or(0);
    if (!seen.insert(row.index).second)
      return;
    auto argument = weightArguments.find(weight.getSymName());
    if (!row.layer && argument != weightArguments.end())
      row.argument = argument->second;
    row.format = reference.getType().getFormat();
    row.layout = cast<LayoutInterface>(*reference.getLayout());
    row.shape.assign(weight.getShape().begin(), weight.getShape().end());
    made.weights.push_back(std::move(row));
  });
}

Expected<NativeModule> NativeBuilder::build(StringRef target,
                                            const PassAdder &behindTile) {
  auto resolved = resolveTarget(*context, target);
  if (!resolved)
    return resolved.takeError();
  made.target = *resolved;
  if (made.target.getBackend() != "cpu")
    return createStringError("--target=" + target + ": is not a CPU");
  Expected<int64_t> rows = countRows(data);
  if (!rows)
    return rows.takeError();
  made.rows = *rows;
  for (auto step : {&NativeBuilder::isolate, &NativeBuilder::setRows,
                    &NativeBuilder::bindArguments})
    if (Error error = (this->*step)())
      return error;
  made.capacity =
      llvm::alignTo(made.firstPosition + made.rows, abi::kCacheBlock);
  Operation *module = *made.module;
  module->removeAttr(kPhaseAttr);
  module->setAttr(kTargetAttr, made.target);
  // Of all sizes only that of the cache says something of one function: how
  // many blocks of keys attention has.
  module->setAttr(kConfigAttr,
                  ConfigAttr::get(context, 1, 1, 1, 2, 1, 1, 1, made.capacity));
  if (Error error = runPasses("specialize", [](PassManager &manager) {
        manager.addPass(createCanonicalizerPass());
        manager.addPass(createCSEPass());
      }))
    return error;
  if (Error error = dump(Phase::Specialize))
    return error;
  for (Phase phase : {Phase::Fuse, Phase::Plan})
    if (Error error = runPhase(phase))
      return error;
  if (Error error = describeCache())
    return error;
  std::string message;
  {
    ScopedDiagnosticHandler handler(
        context, [&](Diagnostic &diagnostic) { message = diagnostic.str(); });
    if (failed(outline()))
      return createStringError("phase schedule: " + message);
  }
  if (made.kernels.empty())
    return createStringError("computes nothing");
  if (Error error = runPasses("schedule", [](PassManager &manager) {
        manager.addPass(createLlamaResolveWeightReferences());
      }))
    return error;
  if (Error error = dump(Phase::Schedule))
    return error;
  listWeights();
  if (Error error = runPhase(Phase::Tile))
    return error;
  if (behindTile) {
    if (Error error = runPasses("tile", behindTile))
      return error;
    if (Error error = dump(Phase::Tile))
      return error;
  }
  for (auto table : made.module->getOps<RopeTableOp>()) {
    auto frequencies = image::makeRopeFrequencies(table);
    if (!frequencies)
      return frequencies.takeError();
    made.frequencies = std::move(*frequencies);
  }
  for (Phase phase : {Phase::Vector, Phase::LLVM})
    if (Error error = runPhase(phase))
      return error;
  if (Error error = dumpAssembly())
    return error;
  return std::move(made);
}

} // namespace

Expected<NativeModule>
corellama::buildNativeModule(func::FuncOp function, ArrayRef<Datum> arguments,
                             StringRef target, StringRef dumpFolder,
                             const PassAdder &behindTile) {
  return NativeBuilder(function, arguments, dumpFolder)
      .build(target, behindTile);
}

Expected<int64_t> corellama::countRows(ArrayRef<Datum> arguments) {
  int64_t rows = 0;
  for (auto [i, datum] : llvm::enumerate(arguments)) {
    const reference::Shape *shape = nullptr;
    if (auto *tensor = std::get_if<Tensor>(&datum))
      shape = &tensor->shape;
    else if (auto *integers = std::get_if<IntTensor>(&datum))
      shape = &integers->shape;
    else
      continue;
    if (shape->empty() || shape->front() < 1 || shape->front() > INT32_MAX)
      return formatError("argument {0} is {1}, expected at least one row", i,
                         reference::formatShape(*shape));
    if (rows != 0 && shape->front() != rows)
      return formatError("argument {0} has {1} rows, those before it {2}", i,
                         shape->front(), rows);
    rows = shape->front();
  }
  if (rows == 0)
    return createStringError("takes no rows");
  return rows;
}
