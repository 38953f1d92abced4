//===- StudyFunction.cpp - a function by linalg and upstream's lowering ---===//
//
// See StudyFunction.h. All tensors of a call stand in one block of memory, the
// only argument of the compiled function: weights, rows and results are views
// of it.
//
//===----------------------------------------------------------------------===//

#include "compiler/Native/StudyFunction.h"
#include "compiler/CodeGen/CodeGen.h"
#include "compiler/Native/NativeModule.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Pipelines/StudyPipeline.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "passes/Study/Passes.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ScopedPrinter.h"
#include "llvm/Support/TargetSelect.h"
#include <cstring>

using namespace mlir;
using namespace corellama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;

namespace {

class StudyFunction {
public:
  StudyFunction(func::FuncOp function, ArrayRef<Datum> arguments,
                const EvalOptions &options)
      : options(options), module(function->getParentOfType<ModuleOp>().clone()),
        entry(module->lookupSymbol<func::FuncOp>(function.getName())),
        arguments(arguments) {}

  Expected<std::vector<Datum>> call();

private:
  Error checkPositions();
  Error checkTypes();
  Error setRows();
  Error runPasses(StringRef name, function_ref<void(PassManager &)> add);
  void bindMemory();
  Error execute();

  /// A tensor in memory: its first byte, and its type.
  struct Place {
    size_t at;
    RankedTensorType type;
  };
  Place place(Type type);
  template <typename Visit> static void visit(const Place &place, Visit visit);
  void write(const Place &place, const Datum &datum);
  Datum read(const Place &place) const;

  const EvalOptions &options;
  OwningOpRef<ModuleOp> module;
  func::FuncOp entry;
  ArrayRef<Datum> arguments;
  std::vector<std::pair<Place, const Datum *>> inputs;
  std::vector<Place> outputs;
  size_t bytes = 0;
  std::vector<char> memory;
};

} // namespace

/// What the code takes for granted: keys that attention reads are appended in
/// this call, and bits have columns.
Error StudyFunction::checkPositions() {
  auto of = [&](Value positions) -> ArrayRef<int64_t> {
    auto argument = dyn_cast<BlockArgument>(positions);
    if (!argument)
      return {};
    return std::get<IntTensor>(arguments[argument.getArgNumber()]).values;
  };
  Error error = Error::success();
  entry.walk([&](Operation *op) {
    if (auto attention = dyn_cast<llama::AttentionOp>(op)) {
      ArrayRef<int64_t> positions = of(attention.getPositions());
      if (!error && !positions.empty() && positions.front() > 0)
        error = formatError("attention reads position 0 of the cache, which "
                            "was never appended; give rows from position 0 on");
    } else if (auto encoding = dyn_cast<llama::PositionEncodingOp>(op)) {
      int64_t columns = encoding.getType().getDimSize(1);
      if (encoding.getKind() != llama::PositionKind::Binary)
        return;
      for (int64_t position : of(encoding.getPositions()))
        if (!error && position >> columns != 0)
          error = formatError("position {0} has more than {1} bits", position,
                              columns);
    }
  });
  return error;
}

/// Memory is written and read as integers of 32 bits and as numbers of
/// --lowering-type, and no tensor is larger than those of the evaluator.
Error StudyFunction::checkTypes() {
  Type real = options.loweringType == "f64"
                  ? Type(Float64Type::get(entry.getContext()))
                  : Type(Float32Type::get(entry.getContext()));
  for (Type type : entry.getArgumentTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!type.isIndex() &&
        (!tensor || (tensor.getElementType() != real &&
                     !tensor.getElementType().isInteger(32))))
      return formatError("takes {0}; here arguments are rows of f32, integers "
                         "of 32 bits, weights, caches and layers",
                         type);
  }
  for (Type type : entry.getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || tensor.getElementType() != real)
      return formatError("gives {0}; here results are rows of f32", type);
  }
  Error error = Error::success();
  entry.walk([&](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !error)
        error = countElements(tensor.getShape()).takeError();
  });
  return error;
}

/// The number of rows becomes a fact of all types.
Error StudyFunction::setRows() {
  for (Operation &op :
       llvm::make_early_inc_range(module->getBody()->getOperations()))
    if (&op != entry)
      op.erase();
  if (!entry.getBody().hasOneBlock())
    return createStringError("has no body of one block");
  Expected<int64_t> rows = countRows(arguments);
  if (!rows)
    return rows.takeError();
  auto fix = [&](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.getRank() == 0 || !type.isDynamicDim(0))
      return;
    SmallVector<int64_t> shape(type.getShape());
    shape[0] = *rows;
    value.setType(type.clone(shape));
  };
  llvm::for_each(entry.getArguments(), fix);
  entry.walk([&](Operation *op) { llvm::for_each(op->getResults(), fix); });
  entry.setType(
      FunctionType::get(entry.getContext(), entry.front().getArgumentTypes(),
                        entry.front().getTerminator()->getOperandTypes()));
  return checkPositions();
}

Error StudyFunction::runPasses(StringRef name,
                               function_ref<void(PassManager &)> add) {
  std::string message;
  ScopedDiagnosticHandler handler(
      module->getContext(), [&](Diagnostic &diagnostic) {
        if (message.empty() &&
            diagnostic.getSeverity() == DiagnosticSeverity::Error)
          message = diagnostic.str();
      });
  PassManager manager(module->getContext());
  add(manager);
  if (failed(manager.run(*module)))
    return createStringError(message);
  if (options.phases.empty())
    return Error::success();
  SmallString<128> path(options.phases);
  llvm::sys::path::append(path, name + ".mlir");
  return writeOutput(path, llvm::to_string(*module) + "\n");
}

StudyFunction::Place StudyFunction::place(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  Place place{bytes, tensor};
  bytes = llvm::alignTo(bytes + tensor.getNumElements() *
                                    tensor.getElementTypeBitWidth() / 8,
                        alignof(double));
  return place;
}

/// func(tensors) -> tensors becomes func(memory).
void StudyFunction::bindMemory() {
  Block &body = entry.front();
  Operation *end = body.getTerminator();
  // Caches are gone, weights are tensors.
  SmallVector<const Datum *> given;
  for (const Datum &datum : arguments)
    if (!std::holds_alternative<CacheRef>(datum))
      given.push_back(&datum);
  for (auto [argument, datum] : llvm::zip_equal(body.getArguments(), given))
    if (isa<RankedTensorType>(argument.getType()))
      inputs.emplace_back(place(argument.getType()), datum);
  for (Type type : end->getOperandTypes())
    outputs.push_back(place(type));

  ImplicitLocOpBuilder b(entry.getLoc(), end);
  auto memoryType =
      MemRefType::get({static_cast<int64_t>(bytes)}, b.getI8Type());
  Value whole = body.insertArgument(0u, memoryType, entry.getLoc());
  auto view = [&](const Place &place) -> Value {
    auto type =
        MemRefType::get(place.type.getShape(), place.type.getElementType());
    Value at = arith::ConstantIndexOp::create(b, place.at);
    return memref::ViewOp::create(b, type, whole, at, ValueRange());
  };
  for (auto [result, place] : llvm::zip_equal(end->getOperands(), outputs))
    bufferization::MaterializeInDestinationOp::create(
        b, Type(), result, view(place), /*restrict=*/true, /*writable=*/true);
  end->setOperands({});
  b.setInsertionPointToStart(&body);
  auto input = inputs.begin();
  for (auto [argument, datum] :
       llvm::zip_equal(body.getArguments().drop_front(), given)) {
    if (isa<RankedTensorType>(argument.getType())) {
      const Place &place = (input++)->first;
      argument.replaceAllUsesWith(bufferization::ToTensorOp::create(
          b, place.type, view(place), /*restrict=*/true));
    } else { // an index
      argument.replaceAllUsesWith(
          arith::ConstantIndexOp::create(b, std::get<int64_t>(*datum))
              .getResult());
    }
  }
  body.eraseArguments(1, body.getNumArguments() - 1);
  entry.setType(b.getFunctionType(memoryType, {}));
  entry.setPublic();
}

/// Calls with the index of each element and where it is.
template <typename Visit>
void StudyFunction::visit(const Place &place, Visit visit) {
  size_t width = place.type.getElementTypeBitWidth() / 8;
  for (int64_t i = 0; i < place.type.getNumElements(); ++i)
    visit(i, place.at + i * width);
}

template <typename T>
static void store(std::vector<char> &memory, size_t at, T value) {
  std::memcpy(memory.data() + at, &value, sizeof(value));
}
template <typename T>
static T load(const std::vector<char> &memory, size_t at) {
  T value;
  std::memcpy(&value, memory.data() + at, sizeof(value));
  return value;
}

void StudyFunction::write(const Place &place, const Datum &datum) {
  if (auto *integers = std::get_if<IntTensor>(&datum))
    return visit(place, [&](size_t i, size_t at) {
      store(memory, at, static_cast<int32_t>(integers->values[i]));
    });
  std::vector<double> decoded;
  if (auto *weight = std::get_if<WeightData>(&datum))
    for (int64_t row = 0; row < weight->rows(); ++row)
      llvm::append_range(decoded, weight->row(row));
  const auto &values =
      decoded.empty() ? std::get<Tensor>(datum).values : decoded;
  bool isWide = place.type.getElementType().isF64();
  visit(place, [&](size_t i, size_t at) {
    if (isWide)
      store(memory, at, values[i]);
    else
      store(memory, at, static_cast<float>(values[i]));
  });
}

Datum StudyFunction::read(const Place &place) const {
  Tensor tensor = Tensor::zeros(place.type.getShape());
  bool isWide = place.type.getElementType().isF64();
  visit(place, [&](size_t i, size_t at) {
    tensor.values[i] =
        isWide ? load<double>(memory, at) : load<float>(memory, at);
  });
  return tensor;
}

/// By LLVM's JIT: sine and others come from this process's libm, which code of
/// programs may not call.
Error StudyFunction::execute() {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto context = std::make_unique<llvm::LLVMContext>();
  auto ir = codegen::translateToLLVMIR(*module, *context);
  if (!ir)
    return ir.takeError();
  auto jit = llvm::orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  if (Error error = (*jit)->addIRModule(
          llvm::orc::ThreadSafeModule(std::move(*ir), std::move(context))))
    return error;
  auto address = (*jit)->lookup(options.entry);
  if (!address)
    return address.takeError();
  memory.resize(bytes);
  for (auto [place, datum] : inputs)
    write(place, *datum);
  // memref<?xi8> as MLIR passes it: allocated and aligned pointer, offset,
  // size, stride.
  address->toPtr<void (*)(char *, char *, int64_t, int64_t, int64_t)>()(
      memory.data(), memory.data(), 0, static_cast<int64_t>(bytes), 1);
  return Error::success();
}

Expected<std::vector<Datum>> StudyFunction::call() {
  if (Error error = setRows())
    return std::move(error);
  auto toLinalg = [&](PassManager &manager) {
    const std::string &type = options.loweringType;
    if (options.lowering == "rope-matrix")
      manager.addPass(study::createLlamaRopeToMatrix({.type = type}));
    else if (options.lowering == "rope-elementwise")
      manager.addPass(study::createLlamaRopeToElementwise({.type = type}));
    else if (options.lowering == "rope-complex")
      manager.addPass(study::createLlamaRopeToComplex({.type = type}));
    manager.addPass(study::createLlamaToLinalg({.type = type}));
  };
  if (Error error = runPasses("1-linalg", toLinalg))
    return std::move(error);
  if (Error error = checkTypes())
    return std::move(error);
  bindMemory();
  if (Error error = runPasses("2-llvm", buildStudyPipeline))
    return std::move(error);
  if (Error error = execute())
    return std::move(error);
  std::vector<Datum> results;
  for (const Place &place : outputs)
    results.push_back(read(place));
  return results;
}

Expected<std::vector<Datum>>
corellama::callStudyFunction(func::FuncOp function, ArrayRef<Datum> arguments,
                             const EvalOptions &options) {
  return StudyFunction(function, arguments, options).call();
}
