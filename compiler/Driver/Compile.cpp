//===- Compile.cpp - corellama compile ------------------------------------===//
//
// See Compile.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Compile.h"
#include "compiler/CodeGen/CodeGen.h"
#include "compiler/CodeGen/Link.h"
#include "compiler/Driver/Diagnostics.h"
#include "compiler/Driver/MLIRFlags.h"
#include "compiler/Driver/PhaseFile.h"
#include "compiler/Driver/Progress.h"
#include "compiler/Image/Image.h"
#include "compiler/Import/Import.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Pipelines/Pipelines.h"
#include "compiler/Registration/Registration.h"
#include "compiler/Target/Target.h"
#include "compiler/Text/CheckpointText.h"
#include "compiler/Text/ContainerText.h"
#include "compiler/Text/SentencePieceModel.h"
#include "dialects/CUDA/IR/CUDADialect.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/Timing.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ScopedPrinter.h"

using namespace corellama;
using llama::Phase;
using llvm::Error;

namespace {

/// One invocation. Each step either succeeds or returns an error; errors of
/// passes are printed as they are found, and then the returned error has no
/// message.
class Compilation {
public:
  Compilation(const CompileArguments &arguments, llvm::StringRef tool);
  Error run();
  /// With --costs, after run.
  void printCosts();

private:
  Error checkPaths() const;
  Error checkInputs(const checkpoint::Checkpoint &checkpoint) const;
  Error readTokenizer(const checkpoint::Checkpoint &checkpoint);
  Error enableRemarks();
  Error quantize(checkpoint::Checkpoint &checkpoint, llvm::StringRef format);
  Error readModule(const checkpoint::Checkpoint &checkpoint);
  Error resolveTargets(const checkpoint::Checkpoint &checkpoint);
  Error import(const checkpoint::Checkpoint &checkpoint,
               llama::TargetInterface target);
  Error checkTarget();
  Error runPhases();
  Error runPhase(Phase next);
  Error runPasses(Phase phase,
                  llvm::function_ref<void(mlir::PassManager &)> build);
  Error reparse(Phase phase);
  Error dump(Phase phase);
  Error finish(const checkpoint::Checkpoint &checkpoint);
  Error generate(const checkpoint::Checkpoint &checkpoint);
  Error writeProgram(const checkpoint::Checkpoint &checkpoint);
  void noteText();
  /// An error without a message: a diagnostic has already been printed.
  static Error alreadyPrinted() { return llvm::createStringError(""); }

  const CompileArguments &arguments;
  llvm::StringRef tool;
  mlir::DialectRegistry registry;
  mlir::MLIRContext context;
  Progress progress;
  DiagnosticPrinter printer;
  mlir::DefaultTimingManager timingManager;
  mlir::TimingScope timing;
  ModuleOptions options;
  /// What the program will know of text, and what it views.
  runtime::TextData text;
  ContainerText source;
  std::unique_ptr<llvm::MemoryBuffer> tokenizerFile;
  /// Printed when all is well: where something is refused, one line says why.
  std::vector<std::string> notes;
  /// One, or those of a program with the code of several, the one to be
  /// preferred last.
  llvm::SmallVector<llama::TargetInterface> targets;
  /// Of the target that is being compiled for.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// The phase that `module` is at.
  Phase phase = Phase::Import;
  /// Of each target that is finished.
  std::vector<llvm::SmallVector<char, 0>> objects;
  std::vector<image::ImagePlan> plans;
};

bool isForGPU(mlir::ModuleOp module) {
  return mlir::isa<cuda::TargetAttr>(llama::getTarget(module));
}

mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  return registry;
}

} // namespace

Compilation::Compilation(const CompileArguments &arguments,
                         llvm::StringRef tool)
    : arguments(arguments), tool(tool), registry(makeRegistry()),
      // One thread, so that output and remarks of passes are in a fixed order;
      // a model has a few dozen functions only.
      context(registry, mlir::MLIRContext::Threading::DISABLED),
      printer(context, progress) {
  mlir::applyDefaultTimingManagerCLOptions(timingManager);
  timing = timingManager.getRootScope();
  if (arguments.costs)
    progress.measureCosts();
}

void Compilation::printCosts() {
  progress.clear();
  if (arguments.costs)
    progress.printCosts(llvm::errs());
}

/// Checks that are cheap, made before minutes of work.
Error Compilation::checkPaths() const {
  if (!arguments.dumpFolder.empty())
    if (Error error = checkOutputFolder(arguments.dumpFolder))
      return error;
  if (arguments.output == "-")
    return Error::success();
  if (llvm::sys::fs::is_directory(arguments.output))
    return llvm::createStringError(arguments.output +
                                   ": is a folder; name a file with -o");
  llvm::StringRef folder = llvm::sys::path::parent_path(arguments.output);
  if (!folder.empty() && !llvm::sys::fs::is_directory(folder))
    return llvm::createStringError(folder +
                                   ": is no folder; make it, or name another "
                                   "file with -o");
  if (!arguments.compileTo && arguments.emit == Emit::Program)
    return checkSparseOutput(arguments.output);
  return checkOutput(arguments.output);
}

/// What is written must not be what is read.
Error Compilation::checkInputs(const checkpoint::Checkpoint &checkpoint) const {
  auto isOutput = [&](llvm::StringRef path) {
    bool same = false;
    return !llvm::sys::fs::equivalent(arguments.output, path, same) && same;
  };
  auto refuseOutput = [&](llvm::StringRef what) {
    return llvm::createStringError(arguments.output + ": is the " + what +
                                   "; name another file with -o");
  };
  for (const checkpoint::MappedFile &file : checkpoint.container().files())
    if (isOutput(file.path()))
      return refuseOutput("checkpoint");
  if (!arguments.tokenizer.empty() && isOutput(arguments.tokenizer))
    return refuseOutput("tokenizer");
  return Error::success();
}

/// Fills `text`.
Error Compilation::readTokenizer(const checkpoint::Checkpoint &checkpoint) {
  source = readText(checkpoint.container());
  const std::string &path = arguments.tokenizer;
  if (path.empty()) {
    text = std::move(source.data);
    return Error::success();
  }
  auto file = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return llvm::createStringError(path + ": " + file.getError().message() +
                                   "; give a SentencePiece model, such as "
                                   "tokenizer.model");
  tokenizerFile = std::move(*file);
  auto model = readSentencePieceModel(*tokenizerFile);
  if (!model)
    return model.takeError();
  text = std::move(*model);
  if (text.tokens.size() > checkpoint.config().vocab)
    return llvm::createStringError(
        path + ": has " + llvm::Twine(text.tokens.size()) +
        " pieces, expected at most the " +
        llvm::Twine(checkpoint.config().vocab) +
        " tokens of the checkpoint; give the model's own tokenizer");
  if (text.tokens.size() < checkpoint.config().vocab) {
    notes.push_back((path + ": has " + llvm::Twine(text.tokens.size()) +
                     " pieces for the " +
                     llvm::Twine(checkpoint.config().vocab) +
                     " tokens of the checkpoint; the others have no text")
                        .str());
  }
  text.chatTemplate = source.chatTemplate;
  return Error::success();
}

/// Called when the target is known and no phase has run.
Error Compilation::checkTarget() {
  if (isForGPU(*module) && !arguments.compileTo &&
      llvm::is_contained({Emit::Assembly, Emit::Object}, arguments.emit))
    return llvm::createStringError(
        "--emit=asm and --emit=obj are for CPUs; of a GPU's program the code "
        "is --emit=ptx or --emit=llvm");
  if (isForGPU(*module) && options.activations != "auto" &&
      options.activations != "f32")
    return llvm::createStringError(
        "--activations=" + options.activations +
        " is for CPUs; no unit of a GPU reads such rows, so leave it out");
  if (!isForGPU(*module) && arguments.emit == Emit::PTX)
    return llvm::createStringError("--emit=ptx is for a GPU, and " +
                                   arguments.ir + " is for a CPU");
  return Error::success();
}

Error Compilation::enableRemarks() {
  const std::string any = ".*";
  mlir::remark::RemarkCategories all{any, any, any, any, any};
  if (mlir::succeeded(mlir::remark::enableOptimizationRemarks(
          context, nullptr,
          std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), all,
          /*printAsEmitRemarks=*/true)))
    return Error::success();
  return alreadyPrinted();
}

/// --quantize, and notes of weights that it cannot do as asked.
Error Compilation::quantize(checkpoint::Checkpoint &checkpoint,
                            llvm::StringRef format) {
  if (format.empty())
    return Error::success();
  if (Error error = checkpoint.quantize(format))
    return error;
  const llama::FormatFacts &facts = *llama::findFormat(format);
  auto isOther = [&](const checkpoint::TensorInfo &tensor) {
    return tensor.isRounded &&
           tensor.columns % static_cast<uint64_t>(facts.block) != 0;
  };
  auto first = llvm::find_if(checkpoint.tensors(), isOther);
  if (first != checkpoint.tensors().end())
    notes.push_back(
        first->name + ", one of " +
        std::to_string(llvm::count_if(checkpoint.tensors(), isOther)) +
        " weights whose rows are no whole blocks of " +
        std::to_string(facts.block) +
        (first->type == first->storedType ? ", stays " : ", becomes ") +
        checkpoint::getName(first->type).str());
  if (!checkpoint.isQuantized())
    notes.push_back("--quantize=" + format.str() +
                    " changes no weight; each that it could round has the "
                    "format already that it would become");
  return Error::success();
}

/// The module that the phases start from, read from a dump.
Error Compilation::readModule(const checkpoint::Checkpoint &checkpoint) {
  mlir::TimingScope scope = timing.nest("import");
  auto read =
      readPhaseFile(context, arguments, *arguments.compileFrom, checkpoint);
  if (!read)
    return read.takeError();
  if (!*read)
    return alreadyPrinted();
  module = std::move(*read);
  phase = *arguments.compileFrom;
  targets = {llama::getTarget(*module)};
  auto carried = readOptions(*module, arguments.ir);
  if (!carried)
    return carried.takeError();
  options = *carried;
  if (Error error = checkTarget())
    return error;
  // The file may have been edited.
  return runPasses(
      phase, [&](mlir::PassManager &pm) { buildPhaseVerifiers(pm, phase); });
}

/// Before any work, so that a wrong name costs none.
Error Compilation::resolveTargets(const checkpoint::Checkpoint &checkpoint) {
  llvm::StringRef names = arguments.target;
  for (llvm::StringRef name :
       llvm::split(names.empty() ? "native" : names, ',')) {
    auto target = resolveTarget(context, name);
    if (!target)
      return target.takeError();
    targets.push_back(*target);
  }
  options = resolveOptions(arguments.options, targets, checkpoint);
  return Error::success();
}

/// The module that the phases start from, made from the checkpoint.
Error Compilation::import(const checkpoint::Checkpoint &checkpoint,
                          llama::TargetInterface target) {
  mlir::TimingScope scope = timing.nest("import");
  module = importCheckpoint(context, checkpoint);
  stampModule(*module, target, options);
  if (Error error = checkTarget())
    return error;
  return runPhase(Phase::Import);
}

Error Compilation::runPasses(
    Phase phase, llvm::function_ref<void(mlir::PassManager &)> build) {
  llvm::StringRef name = llama::infoOf(phase).name;
  printer.setPlace((arguments.checkpoint + ": phase " + name).str());
  mlir::TimingScope scope = timing.nest(name);
  mlir::PassManager pm(&context);
  // Each pass manager numbers its passes from 0.
  setPrintTreeFolder(llvm::StringRef(phaseFileName(phase)).drop_back(5));
  if (mlir::failed(mlir::applyPassManagerCLOptions(pm)))
    return alreadyPrinted();
  pm.enableTiming(scope);
  // Without it at the end of each phase (llama-set-phase).
  pm.enableVerifier(arguments.verifyEach);
  build(pm);
  unsigned before = printer.errors();
  if (mlir::succeeded(pm.run(*module)))
    return Error::success();
  if (printer.errors() != before)
    return alreadyPrinted();
  return llvm::createStringError(arguments.checkpoint + ": phase " + name +
                                 ": failed without saying why");
}

/// --verify-each: the result of a phase can be printed and parsed again. (That
/// of each pass is verified, too: see runPasses.)
Error Compilation::reparse(Phase phase) {
  std::string text = llvm::to_string(*module);
  std::string name = phaseFileName(phase);
  mlir::OwningOpRef<mlir::ModuleOp> again =
      mlir::parseSourceString<mlir::ModuleOp>(
          text, mlir::ParserConfig(&context), name);
  if (!again)
    return alreadyPrinted();
  if (text != llvm::to_string(*again))
    return llvm::createStringError(name +
                                   ": prints another text after it was read");
  module = std::move(again);
  return Error::success();
}

Error Compilation::dump(Phase phase) {
  if (arguments.verifyEach)
    if (Error error = reparse(phase))
      return error;
  if (arguments.dumpFolder.empty())
    return Error::success();
  llvm::SmallString<128> path(arguments.dumpFolder);
  if (targets.size() > 1)
    llvm::sys::path::append(path, llama::getTarget(*module).getName());
  if (std::error_code code = llvm::sys::fs::create_directories(
          path, /*IgnoreExisting=*/true, llvm::sys::fs::all_all))
    return llvm::createStringError(path + ": " + code.message());
  llvm::sys::path::append(path, phaseFileName(phase));
  return writePhaseFile(*module, path);
}

Error Compilation::runPhase(Phase next) {
  PipelineOptions pipeline;
  // The one option that passes do not read from the module.
  pipeline.backend = llama::getTarget(*module).getBackend().str();
  if (Error error = runPasses(
          next, [&](mlir::PassManager &pm) { buildPhase(pm, next, pipeline); }))
    return error;
  phase = next;
  return dump(phase);
}

Error Compilation::runPhases() {
  Phase last = arguments.compileTo.value_or(Phase::LLVM);
  for (const PhasePipeline &row : allPhasePipelines()) {
    if (row.phase <= phase || row.phase > last)
      continue;
    progress.begin("phase " + llama::infoOf(row.phase).name);
    if (Error error = runPhase(row.phase))
      return error;
  }
  return Error::success();
}

/// From phase llvm to a file or, for a program, to an object.
Error Compilation::generate(const checkpoint::Checkpoint &checkpoint) {
  llama::TargetInterface target = llama::getTarget(*module);
  bool onGPU = isForGPU(*module);
  auto machine = onGPU ? codegen::createDeviceMachine(target)
                       : codegen::createTargetMachine(target);
  if (!machine)
    return machine.takeError();
  progress.begin("optimizing");
  mlir::TimingScope scope = timing.nest("LLVM IR passes");
  llvm::LLVMContext llvmContext;
  auto ir = onGPU ? codegen::buildDeviceIR(*module, llvmContext, **machine)
                  : codegen::buildOptimizedIR(*module, llvmContext, **machine);
  if (!ir)
    return ir.takeError();

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  if (arguments.emit == Emit::LLVM) {
    (*ir)->print(stream, nullptr);
    progress.clear();
    return writeOutput(arguments.output, stream.str());
  }
  progress.begin("generating code");
  scope = timing.nest("code generation");
  if (arguments.emit == Emit::PTX) {
    if (Error error = codegen::emitPTX(**ir, **machine, *module, stream))
      return error;
  } else if (arguments.emit == Emit::Assembly) {
    if (Error error = codegen::emitAssembly(**ir, **machine, stream))
      return error;
  } else {
    if (onGPU) {
      // What is linked is the host's side, which carries the device's.
      auto code =
          codegen::makeDeviceCode(**ir, **machine, *module, targets, notes);
      if (!code)
        return code.takeError();
      machine = codegen::createHostMachine(context);
      if (!machine)
        return machine.takeError();
      ir = codegen::buildOptimizedIR(*module, llvmContext, **machine, *code);
      if (!ir)
        return ir.takeError();
    }
    const bool isPreferred = objects.size() + 1 >= targets.size();
    llvm::SmallVector<std::string> others;
    for (llama::TargetInterface other :
         llvm::drop_begin(llvm::reverse(targets)))
      others.push_back(other.getName().str());
    if (!isPreferred)
      codegen::nameVariant(**ir, target.getName());
    else if (!others.empty())
      codegen::listVariants(**ir, others);
    auto object = codegen::emitObject(**ir, **machine,
                                      onGPU ? codegen::kDeviceVariantPrefix
                                            : codegen::kVariantPrefix);
    if (!object)
      return object.takeError();
    if (arguments.emit == Emit::Program) {
      auto plan =
          image::planImage(*module, checkpoint, text, CORELLAMA_VERSION);
      if (!plan)
        return plan.takeError();
      objects.push_back(std::move(*object));
      plans.push_back(std::move(*plan));
      return Error::success();
    }
    bytes = std::move(*object);
  }
  progress.clear();
  return writeOutput(arguments.output, stream.str());
}

Error Compilation::writeProgram(const checkpoint::Checkpoint &checkpoint) {
  image::ImagePlan plan = std::move(plans.back());
  plans.pop_back();
  std::reverse(plans.begin(), plans.end());
  if (!plans.empty())
    if (Error error = image::addVariants(plan, plans))
      return error;
  auto runtime = codegen::findRuntimeFolder(tool);
  if (!runtime)
    return runtime.takeError();

  progress.begin("linking");
  mlir::TimingScope scope = timing.nest("link");
  auto linked = codegen::linkProgram(
      llvm::SmallVector<llvm::ArrayRef<char>>(objects.begin(), objects.end()),
      *runtime,
      isForGPU(*module) ? codegen::kGPURuntime : codegen::kCPURuntime);
  if (!linked)
    return linked.takeError();

  progress.begin("packing weights");
  scope = timing.nest("image");
  return image::attachImage(
      plan, checkpoint, llvm::MemoryBufferRef(*linked, "the linked program"),
      arguments.output);
}

/// Says what text the program reads: to people always, elsewhere only where it
/// cannot use what the checkpoint has.
void Compilation::noteText() {
  CheckpointText described = describeText(text);
  progress.clear();
  auto say = [&](llvm::StringRef what, bool has, bool could,
                 const std::string &kind) {
    if (has && progress.isShown())
      printError((what + ": " + kind).str());
    else if (!has && (could || progress.isShown()))
      printError(("note: " + what + ": no (" + kind + ")").str());
  };
  say("text", described.readsText, source.namesTokenizer, described.tokenizer);
  say("chat", described.readsChats,
      described.readsText && described.hasTemplate, described.chat);
}

Error Compilation::run() {
  if (Error error = checkPaths())
    return error;
  progress.begin("reading " + arguments.checkpoint);
  auto checkpoint = checkpoint::openCheckpoint(arguments.checkpoint);
  if (!checkpoint)
    return checkpoint.takeError();
  if (Error error = checkInputs(*checkpoint))
    return error;
  if (Error error = readTokenizer(*checkpoint))
    return error;
  if (arguments.remarks)
    if (Error error = enableRemarks())
      return error;
  // What the program's weights are is known before anything asks for them.
  if (arguments.compileFrom)
    if (Error error = readModule(*checkpoint))
      return error;
  if (Error error = quantize(*checkpoint, arguments.compileFrom
                                              ? options.quantize
                                              : arguments.options.quantize))
    return error;
  if (!arguments.compileFrom)
    if (Error error = resolveTargets(*checkpoint))
      return error;
  for (llama::TargetInterface target : targets) {
    if (!arguments.compileFrom)
      if (Error error = import(*checkpoint, target))
        return error;
    if (Error error = finish(*checkpoint))
      return error;
  }
  const bool isProgram = !objects.empty();
  if (isProgram)
    if (Error error = writeProgram(*checkpoint))
      return error;
  progress.clear();
  for (const std::string &note : notes)
    printError("note: " + note);
  if (isProgram)
    noteText();
  return Error::success();
}

/// What is to be made of the module, up to its object.
Error Compilation::finish(const checkpoint::Checkpoint &checkpoint) {
  if (Error error = runPhases())
    return error;
  if (!arguments.compileTo)
    return generate(checkpoint);
  progress.clear();
  return writePhaseFile(*module, arguments.output);
}

int corellama::compileCheckpoint(const CompileArguments &arguments,
                                 llvm::StringRef tool) {
  std::string message;
  {
    Compilation compilation(arguments, tool);
    Error error = compilation.run();
    if (!error) {
      compilation.printCosts();
      return 0;
    }
    message = llvm::toString(std::move(error));
  }
  if (!message.empty())
    printError(message);
  return 1;
}
