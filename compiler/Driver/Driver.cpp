//===- Driver.cpp - one invocation of corellama ---------------------------===//
//
// From the command line to the command's folder.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Driver.h"
#include "compiler/Driver/Arguments.h"
#include "compiler/Driver/Compile.h"
#include "compiler/Driver/Diagnostics.h"
#include "compiler/Driver/MLIRFlags.h"
#include "compiler/Driver/Progress.h"
#include "compiler/Inspect/Inspect.h"
#include "compiler/Native/Native.h"
#include "compiler/Output/OutputFile.h"
#include "compiler/Pipelines/StudyPipeline.h"
#include "compiler/Registration/Registration.h"
#include "compiler/Target/Target.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"
#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace corellama;

namespace {

/// One function a command; each gives the exit status.
struct Dispatcher {
  std::string tool;
  const PassAdder &behindTile;

  int operator()(const Finished &finished) { return finished.status; }
  int operator()(const CompileArguments &arguments) {
    return compileCheckpoint(arguments, tool);
  }
  int operator()(const ListTargetsArguments &) {
    listTargets(llvm::outs());
    return 0;
  }
  int operator()(const InspectArguments &arguments) {
    return statusOf(
        arguments.showsTemplate
            ? printTemplate(arguments.file, llvm::outs())
            : inspectFile(arguments.file, arguments.json, llvm::outs()));
  }
  int operator()(const bench::Options &options) {
    return measure(bench::run, options);
  }
  int operator()(const perplexity::Options &options) {
    return measure(perplexity::run, options);
  }
  int operator()(const llama::reference::EvalOptions &options) {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    if (!options.lowering.empty())
      registerStudyDialects(registry);
    return llama::reference::evalMain(options,
                                      makeEvalServices(registry, behindTile));
  }

  int operator()(const text::TokenizeOptions &options) {
    return statusOf(
        text::tokenize(options, llvm::outs(), [](const llvm::Twine &what) {
          printError(("note: " + what).str());
        }));
  }
  int operator()(const text::DetokenizeOptions &options) {
    return statusOf(text::detokenize(options, llvm::outs()));
  }
  int operator()(const text::RenderOptions &options) {
    return statusOf(text::render(options, llvm::outs()));
  }

private:
  static int statusOf(llvm::Error error) {
    if (!error)
      return 0;
    printError(std::move(error));
    return 1;
  }

  /// A command that takes a while and writes figures to standard output.
  template <typename Options>
  static int
  measure(llvm::Error (*run)(const Options &, llvm::raw_ostream &,
                             llvm::function_ref<void(const llvm::Twine &)>),
          const Options &options) {
    Progress progress;
    llvm::Error error =
        run(options, llvm::outs(),
            [&](const llvm::Twine &what) { progress.begin(what); });
    progress.clear();
    return statusOf(std::move(error));
  }
};

/// LLVM ends the process where it has no code for an instruction, as of a dump
/// whose target was edited.
void reportFatalError(void *, const char *reason, bool) {
  llvm::sys::RunInterruptHandlers(); // removes what is half written
  printError(("LLVM has no code for this module: " +
              llvm::StringRef(reason).split('\n').first +
              "; does its target have what its kernels were made for?")
                 .str());
  std::_Exit(1);
}

/// Of a page of a mapped file that is no longer there. What was half written
/// has no name, or LLVM's handler, which is called first, has removed it.
void reportLostInput(int) {
  constexpr llvm::StringLiteral message =
      "corellama: an input file became shorter while it was read, or its disk "
      "failed; run the command again when the file is whole\n";
  // Only what is safe in a handler; without standard error nothing can be said.
  [[maybe_unused]] ssize_t written =
      write(STDERR_FILENO, message.data(), message.size());
  _exit(1);
}

} // namespace

int corellama::driverMain(int argc, char **argv, const PassAdder &behindTile) {
  prepareStandardStreams();
  llvm::install_fatal_error_handler(reportFatalError);
  signal(SIGBUS, reportLostInput);
  Arguments arguments = parseArguments(argc, argv);
  if (!std::holds_alternative<Finished>(arguments.command) &&
      !applyMLIRFlags(arguments.mlirFlags))
    return 2;
  // LLVM uses the address to find this executable where argv[0] is a name.
  std::string tool = llvm::sys::fs::getMainExecutable(
      argv[0], reinterpret_cast<void *>(&driverMain));
  int status = std::visit(Dispatcher{tool, behindTile}, arguments.command);
  if (llvm::Error error = flushStandardOutput()) {
    printError(std::move(error));
    return 1;
  }
  return status;
}
