//===- EvalMain.cpp - the `corellama eval` command ------------------------===//
//
// See EvalMain.h. From outside to inside: the command, its inputs, its outputs,
// a folder of weights.
//
//===----------------------------------------------------------------------===//

#include "dialects/Llama/Reference/EvalMain.h"
#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Llama/Reference/Dump.h"
#include "dialects/Llama/Reference/EvaluateModel.h"
#include "dialects/Llama/Reference/Npy.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <map>

using namespace mlir;
using namespace corellama::llama;
using namespace corellama::llama::reference;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::formatv;

//===----------------------------------------------------------------------===//
// --weights
//===----------------------------------------------------------------------===//

/// Bytes of a weight from an array: float32 of the weight's shape for f32, else
/// the raw blocks, uint8 of rows x bytes of a row (a vector has no rows).
static Expected<WeightData> toWeight(const NpyArray &array,
                                     FormatInterface interface,
                                     ArrayRef<int64_t> shape) {
  std::optional<Format> format = parseFormat(interface.getName());
  if (!format)
    return formatError("format {0} is not known to the evaluator",
                       interface.getName());
  Expected<uint64_t> bytes = weightBytes(*format, shape);
  if (!bytes)
    return bytes.takeError();
  Shape expected(shape);
  if (*format != Format::F32)
    expected.back() =
        shape.back() / blockColumns(*format) * blockBytes(*format);
  NpyType type = *format == Format::F32 ? NpyType::Float32 : NpyType::UInt8;
  if (array.type != type || array.shape != expected)
    return formatError(
        "holds {0} of {1}, expected {2} of {3} for a weight of {4} in {5}",
        npyTypeName(array.type), formatShape(array.shape), npyTypeName(type),
        formatShape(expected), formatShape(shape), formatName(*format));
  return WeightData{*format, Shape(shape), *array.bytes, array.bytes};
}

namespace {
/// A folder of arrays: `token_embd.npy`, and `blk.3.attn_q.npy` for layer 3 of
/// @blk::@attn_q.
class WeightFolder : public WeightSource {
public:
  WeightFolder(ModuleOp module, StringRef folder)
      : module(module), folder(folder) {}

  Expected<WeightData> get(SymbolRefAttr symbol,
                           std::optional<int64_t> layer) override {
    std::string name = symbol.getRootReference().str();
    if (layer)
      name += "." + std::to_string(*layer);
    for (FlatSymbolRefAttr nested : symbol.getNestedReferences())
      name += "." + nested.getValue().str();
    auto known = weights.find(name);
    if (known != weights.end())
      return known->second;
    SmallString<128> path(folder);
    llvm::sys::path::append(path, name + ".npy");
    Expected<NpyArray> array = readNpy(path);
    if (!array)
      return array.takeError();
    auto declared =
        dyn_cast_or_null<WeightOp>(SymbolTable::lookupSymbolIn(module, symbol));
    if (!declared)
      return createStringError(name + " is not a declared weight");
    Expected<WeightData> weight = toWeight(
        *array, declared.getFormat(layer.value_or(0)), declared.getShape());
    if (!weight)
      return createStringError(Twine(path) + ": " +
                               llvm::toString(weight.takeError()));
    weights[name] = *weight;
    return weight;
  }

private:
  ModuleOp module;
  std::string folder;
  std::map<std::string, WeightData> weights;
};
} // namespace

//===----------------------------------------------------------------------===//
// --in
//===----------------------------------------------------------------------===//

static Expected<std::vector<int64_t>> toIntegers(const NpyArray &array,
                                                 unsigned width) {
  if (!array.isInteger())
    return formatError("holds {0}, expected int32 or int64",
                       npyTypeName(array.type));
  std::vector<int64_t> values = array.toIntegers();
  for (int64_t value : values)
    if (!llvm::isIntN(width, value))
      return formatError("{0} is not an integer of {1} bits", value, width);
  return values;
}

/// The value of an argument from an array.
static Expected<Datum> toDatum(const NpyArray &array, Type type) {
  if (auto weight = dyn_cast<WeightType>(type)) {
    Expected<WeightData> data =
        toWeight(array, weight.getFormat(), weight.getShape());
    if (!data)
      return data.takeError();
    return Datum(std::move(*data));
  }
  auto tensor = dyn_cast<RankedTensorType>(type);
  Type element = tensor ? tensor.getElementType() : type;
  if (element.isIndex() || element.isInteger()) {
    unsigned width =
        element.isIndex() ? 64 : std::min(64u, element.getIntOrFloatBitWidth());
    Expected<std::vector<int64_t>> values = toIntegers(array, width);
    if (!values)
      return values.takeError();
    if (tensor)
      return Datum(IntTensor{array.shape, std::move(*values)});
    if (!array.shape.empty())
      return formatError("holds {0} integers, expected one (shape ())",
                         formatShape(array.shape));
    return Datum(values->front());
  }
  if (!tensor)
    return createStringError("an argument of this type cannot be given");
  if (!array.isFloat())
    return formatError("holds {0}, expected float32 or float64",
                       npyTypeName(array.type));
  return Datum(Tensor{array.shape, array.toDoubles()});
}

static Expected<Datum> readInput(StringRef text, Type type) {
  // An integer of 32 bits or an index may come as a plain number.
  if (int64_t number;
      (type.isIndex() || type.isInteger()) && !text.getAsInteger(10, number))
    return Datum(number);
  Expected<NpyArray> array = readNpy(text);
  if (!array)
    return array.takeError();
  Expected<Datum> value = toDatum(*array, type);
  if (value)
    if (Error error = checkType(*value, type))
      value = std::move(error);
  if (!value)
    return createStringError(text + ": " + llvm::toString(value.takeError()));
  return value;
}

//===----------------------------------------------------------------------===//
// --out
//===----------------------------------------------------------------------===//

/// Rows of numbers, the last extent on one line. Nine digits: enough for
/// float32, and few enough that float64's last bits do not show.
template <typename T>
static void printTensor(llvm::raw_ostream &out, ArrayRef<int64_t> shape,
                        ArrayRef<T> values) {
  out << formatShape(shape) << "\n";
  size_t columns = shape.empty() ? 1 : shape.back();
  for (size_t i = 0; i < values.size(); ++i) {
    if constexpr (std::is_same_v<T, double>)
      out << llvm::format("%.9g", values[i]);
    else
      out << values[i];
    out << ((i + 1) % columns == 0 ? "\n" : " ");
  }
}

static Error printText(llvm::raw_ostream &out, const Datum &value) {
  if (auto *tensor = std::get_if<Tensor>(&value))
    printTensor(out << "float ", tensor->shape,
                ArrayRef<double>(tensor->values));
  else if (auto *integers = std::get_if<IntTensor>(&value))
    printTensor(out << "int ", integers->shape,
                ArrayRef<int64_t>(integers->values));
  else if (auto *integer = std::get_if<int64_t>(&value))
    out << "index " << *integer << "\n";
  else
    return createStringError("results are tensors and integers");
  return Error::success();
}

static Error writeOutput(llvm::raw_ostream &out, StringRef path,
                         const Datum &value) {
  if (path == "-")
    return printText(out, value);
  return writeNpyFile(path, value);
}

//===----------------------------------------------------------------------===//
// The command
//===----------------------------------------------------------------------===//

static Error expectCount(const char *option, size_t found, size_t expected,
                         const Twine &what) {
  if (found == expected)
    return Error::success();
  return formatError("{0} {1} {2}, found {3}", what.str(), expected, option,
                     found);
}

namespace {
/// One invocation. Errors of its parts do not name the file.
class Evaluation {
public:
  Evaluation(const EvalOptions &options, const EvalServices &services,
             llvm::raw_ostream &out)
      : options(options), services(services), out(out),
        context(MLIRContext::Threading::DISABLED) {}

  Error run();

private:
  Error checkOptions();
  Error parse();
  Error openWeights();
  Expected<std::vector<Datum>> runFunction(func::FuncOp function);
  Expected<std::vector<Datum>> runModel();
  Expected<std::vector<Datum>> runEntry();
  Error writeResults(ArrayRef<Datum> results);

  const EvalOptions &options;
  const EvalServices &services;
  llvm::raw_ostream &out;
  Mode mode = Mode::AsSpecified;
  MLIRContext context;
  llvm::SourceMgr sources;
  /// Where names stand in `sources`.
  AsmParserState names;
  OwningOpRef<ModuleOp> module;
  std::unique_ptr<WeightSource> weights;
  std::optional<Dump> dump;
};
} // namespace

Error Evaluation::checkOptions() {
  if (options.mode != "as-specified" && options.mode != "ideal")
    return createStringError("--mode: '" + options.mode +
                             "' is not a mode, expected as-specified or ideal");
  if (options.mode == "ideal")
    mode = Mode::Ideal;
  if (options.native && mode == Mode::Ideal)
    return createStringError("--mode=ideal is of the evaluator, native code "
                             "rounds as specified; leave out --native");
  return Error::success();
}

Error Evaluation::parse() {
  if (services.registry) {
    context.appendDialectRegistry(*services.registry);
    context.loadAllAvailableDialects();
  }
  // The targets' dialects, only for the attributes that kernels carry.
  context.loadDialect<LlamaDialect, corellama::cpu::CPUDialect,
                      corellama::cuda::CUDADialect, func::FuncDialect,
                      arith::ArithDialect, scf::SCFDialect>();
  auto buffer = llvm::MemoryBuffer::getFileOrSTDIN(options.file);
  if (!buffer)
    return createStringError(": " + buffer.getError().message());
  // Prints the parser's first message as `line:column: message`, not its
  // excerpt of the source.
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != DiagnosticSeverity::Error ||
        !message.empty())
      return;
    if (auto loc = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
      message = formatv("{0}:{1}: ", loc.getLine(), loc.getColumn());
    message += diagnostic.str();
  });
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  Block parsed;
  if (failed(
          parseAsmSourceFile(sources, &parsed, ParserConfig(&context), &names)))
    return createStringError(":" + message);
  // A file is a module, or what is in one.
  if (llvm::hasSingleElement(parsed) && isa<ModuleOp>(parsed.front())) {
    module = cast<ModuleOp>(parsed.front());
    (*module)->remove();
    return Error::success();
  }
  module = ModuleOp::create(UnknownLoc::get(&context));
  module->getBody()->getOperations().splice(module->getBody()->begin(),
                                            parsed.getOperations());
  return Error::success();
}

/// A folder of arrays, or a checkpoint, which is a file or another folder.
Error Evaluation::openWeights() {
  if (options.weights.empty())
    return Error::success();
  std::error_code code;
  bool hasArrays = false;
  for (llvm::sys::fs::directory_iterator file(options.weights, code), end;
       !code && file != end && !hasArrays; file.increment(code))
    hasArrays = StringRef(file->path()).ends_with(".npy");
  if (hasArrays || !services.openCheckpoint) {
    weights = std::make_unique<WeightFolder>(*module, options.weights);
    return Error::success();
  }
  auto opened = services.openCheckpoint(*module, options.weights);
  if (!opened)
    return opened.takeError();
  weights = std::move(*opened);
  return Error::success();
}

/// A function of the module, its arguments from --in.
Expected<std::vector<Datum>> Evaluation::runFunction(func::FuncOp function) {
  std::string place = "@" + options.entry;
  size_t expected = llvm::count_if(function.getArgumentTypes(), [](Type type) {
    return !isa<CacheType>(type);
  });
  if (Error error =
          expectCount("--in", options.in.size(), expected, place + ": takes"))
    return error;
  std::vector<Datum> arguments;
  size_t next = 0;
  for (Type type : function.getArgumentTypes()) {
    if (auto cache = dyn_cast<CacheType>(type)) {
      arguments.push_back(makeCache(cache));
      continue;
    }
    Expected<Datum> value = readInput(options.in[next++], type);
    if (!value)
      return value.takeError();
    arguments.push_back(std::move(*value));
  }
  if (options.native)
    return services.callNative(function, weights.get(), arguments, options,
                               out);
  Evaluator evaluator(*module, weights.get(), mode);
  evaluator.setObserver(dump ? &*dump : nullptr);
  return evaluator.call(options.entry, std::move(arguments));
}

/// The whole model: ids in, logits out.
Expected<std::vector<Datum>> Evaluation::runModel() {
  std::string place = "@" + options.entry;
  if (options.native)
    return createStringError(place + ": is a model, --native calls functions; "
                                     "make a program with corellama compile");
  if (!weights)
    return createStringError(
        place + ": a model reads its weights from --weights FOLDER");
  if (Error error =
          expectCount("--in", options.in.size(), 1, place + ": takes"))
    return error;
  Type idsType = RankedTensorType::get({ShapedType::kDynamic},
                                       IntegerType::get(&context, 32));
  Expected<Datum> ids = readInput(options.in.front(), idsType);
  if (!ids)
    return ids.takeError();
  std::vector<int32_t> narrow;
  for (int64_t id : std::get<IntTensor>(*ids).values)
    narrow.push_back(static_cast<int32_t>(id));
  Expected<Tensor> logits =
      evaluateModel(*module, *weights, narrow, mode,
                    {options.form, options.chunk, dump ? &*dump : nullptr});
  if (!logits)
    return logits.takeError();
  std::vector<Datum> results;
  results.push_back(std::move(*logits));
  return results;
}

Expected<std::vector<Datum>> Evaluation::runEntry() {
  Operation *entry = module->lookupSymbol(options.entry);
  if (auto function = dyn_cast_or_null<func::FuncOp>(entry))
    return runFunction(function);
  if (isa_and_nonnull<ModelOp>(entry))
    return runModel();
  return createStringError("--entry: @" + options.entry +
                           " is not a function or the model of this module");
}

Error Evaluation::writeResults(ArrayRef<Datum> results) {
  for (auto [i, result] : llvm::enumerate(results))
    if (Error error = writeOutput(
            out, options.out.empty() ? "-" : options.out[i], result))
      return error;
  return Error::success();
}

Error Evaluation::run() {
  auto inFile = [&](Error error) {
    return createStringError(options.file + ": " +
                             llvm::toString(std::move(error)));
  };
  if (Error error = checkOptions())
    return error;
  if (Error error = parse())
    return createStringError(options.file + llvm::toString(std::move(error)));
  if (Error error = openWeights())
    return error;
  if (!options.dump.empty()) {
    if (std::error_code code = llvm::sys::fs::create_directories(options.dump))
      return createStringError(options.dump + ": " + code.message());
    dump.emplace(options.dump, options.entry, names);
  }
  Expected<std::vector<Datum>> results = runEntry();
  if (!results)
    return inFile(results.takeError());
  if (dump)
    if (Error error = dump->finish())
      return error;
  // What is measured need not be read.
  if (options.time && options.out.empty())
    return Error::success();
  if (!options.out.empty())
    if (Error error = expectCount("--out", options.out.size(), results->size(),
                                  "@" + options.entry + ": gives"))
      return inFile(std::move(error));
  return writeResults(*results);
}

int reference::evalMain(const EvalOptions &options,
                        const EvalServices &services, llvm::raw_ostream &out,
                        llvm::raw_ostream &err) {
  Error error = Evaluation(options, services, out).run();
  out.flush();
  if (!error)
    return 0;
  err << "corellama: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}
