//===- Arguments.cpp - the command line of corellama ----------------------===//
//
// See Arguments.h. Compiled with exceptions, which do not leave this file.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Arguments.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/raw_ostream.h"
#include <CLI/CLI.hpp>

using namespace corellama;
using llvm::StringRef;

static constexpr const char *kOverview =
    R"(corellama compiles a Llama checkpoint to one native program.

  corellama compile model.gguf -o model     makes ./model, which needs nothing else
  ./model -p "Once upon a time"             runs it
  corellama inspect model.gguf              what is in a checkpoint
  corellama inspect model                   what is in a program
)";

static constexpr const char *kCompileExamples = R"(examples:
  corellama compile model.gguf -o model
  corellama compile model.gguf -o model --target=x86-64-v4 --chunk=256
  corellama compile model.gguf --compile-to=schedule            # to the terminal
  corellama compile model.gguf -o model --dump-compilation-phases-to=phases
  corellama compile model.gguf -o model --compile-from=fuse --ir=phases/3-fuse.mlir

MLIR's own flags are passed on, written as one word:
  --mlir-print-ir-after-all --mlir-print-ir-tree-dir=DIR --mlir-timing
  --mlir-pass-pipeline-crash-reproducer=FILE --mlir-pass-statistics ...
)";

static constexpr const char *kInspectExamples = R"(examples:
  corellama inspect model.gguf        configuration, tensors, layer signatures
  corellama inspect model --json      manifest, kernels and memory of a program
)";

static constexpr const char *kEvalExamples = R"(examples:
  corellama eval norm.mlir --entry norm --in x.npy weight.npy --out y.npy
  corellama eval norm.mlir --entry norm --in x.npy weight.npy     # text
  corellama eval tiny.mlir --entry m --in ids.npy --weights tiny/ --out logits.npy
)";

/// The largest chunk: slots of a step have so many rows.
static constexpr int64_t kMaxChunk = 65536;

static std::string phaseNames() {
  return llvm::join(llvm::map_range(llama::allPhases(),
                                    [](const llama::PhaseInfo &info) {
                                      return info.name.str();
                                    }),
                    ", ");
}

static CLI::Validator isPhase() {
  return CLI::Validator(
      [](std::string &name) {
        return llama::parsePhase(name) ? std::string()
                                       : "no phase '" + name + "'; it is one of " + phaseNames();
      },
      "PHASE");
}

/// One word of a fixed list.
static CLI::Validator isOneOf(std::vector<std::string> words) {
  std::string list = llvm::join(words, ", ");
  return CLI::Validator(
      [words, list](std::string &word) {
        return llvm::is_contained(words, word) ? std::string()
                                               : "'" + word + "' is none of " + list;
      },
      llvm::join(words, "|"));
}

namespace {

/// All commands, their options and where the values go.
class CommandLine {
public:
  CommandLine();
  Arguments parse(std::vector<std::string> words);

private:
  void addCompile();
  void addInspect();
  void addEval();
  /// Checks that involve more than one option; the message, or nothing.
  std::string finishCompile();
  Finished usageError(const CLI::App &command, StringRef message) const;
  std::string suggestion(const CLI::App &command, StringRef word) const;

  CLI::App app{kOverview, "corellama"};
  CLI::App *compileCommand = nullptr;
  CLI::App *inspectCommand = nullptr;
  CLI::App *evalCommand = nullptr;
  CompileArguments compile;
  std::string emit = "exe", compileTo, compileFrom;
  int64_t chunk = 0;
  bool listTargets = false;
  InspectArguments inspect;
  llama::reference::EvalOptions eval;
};

} // namespace

CommandLine::CommandLine() {
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version",
                       "corellama " CORELLAMA_VERSION " (LLVM " LLVM_VERSION_STRING ")",
                       "print the version");
  app.get_formatter()->column_width(34);
  app.footer("corellama COMMAND --help says more about each.");
  addCompile();
  addInspect();
  addEval();
}

void CommandLine::addCompile() {
  compileCommand = app.add_subcommand("compile", "compile a checkpoint to a program");
  CLI::App &c = *compileCommand;
  c.footer(kCompileExamples);
  c.add_option("CHECKPOINT", compile.checkpoint, "a GGUF file")->type_name("");
  c.add_option("-o", compile.output,
               "the program; with --compile-to or a text form of --emit a file, or - "
               "for standard output")
      ->type_name("FILE");
  c.add_option("--target", compile.target,
               "the machine to compile for: native (default), or a name that "
               "--list-targets lists")
      ->type_name("NAME");
  c.add_flag("--list-targets", listTargets, "list the targets and end");
  c.add_option("--activations", compile.activations,
               "auto (default): float32 rows here, the cache in f16; f32: float32 "
               "everywhere, the cache too unless --cache-type says otherwise")
      ->transform(isOneOf({"auto", "f32"}));
  c.add_option("--cache-type", compile.cacheType, "what the KV cache holds")
      ->transform(isOneOf({"f32", "f16"}));
  c.add_option("--chunk", chunk,
               "rows of the largest prefill call (default 512); it decides how much "
               "memory a prompt takes")
      ->type_name("ROWS")
      ->transform(CLI::Validator(
          [](std::string &word) {
            int64_t value;
            if (StringRef(word).getAsInteger(10, value) || value < 1 || value > kMaxChunk)
              return "'" + word + "' is no number from 1 to " + std::to_string(kMaxChunk);
            return std::string();
          },
          ""));
  c.add_option("--emit", emit,
               "exe (default): the program; llvm, asm, obj: its code alone, as it is "
               "after optimization")
      ->transform(isOneOf({"exe", "llvm", "asm", "obj"}));
  c.add_option("--compile-to", compileTo,
               "stop after a phase (" + phaseNames() + ") and write the module")
      ->transform(isPhase());
  CLI::Option *from =
      c.add_option("--compile-from", compileFrom,
                   "go on from a module of this phase, which --ir names; its target "
                   "and options are the module's")
          ->transform(isPhase());
  CLI::Option *ir =
      c.add_option("--ir", compile.ir, "a file that --compile-to or a dump wrote")
          ->type_name("FILE");
  from->needs(ir);
  ir->needs(from);
  c.add_option("--dump-compilation-phases-to", compile.dumpFolder,
               "write the module after each phase: DIR/1-import.mlir, ...")
      ->type_name("DIR");
  c.add_flag("--remarks", compile.remarks,
             "say what was decided, and why something was not");
  c.add_flag("--verify-each", compile.verifyEach,
             "between phases print the module and read it again");
}

void CommandLine::addInspect() {
  inspectCommand =
      app.add_subcommand("inspect", "say what is in a checkpoint or a program");
  inspectCommand->footer(kInspectExamples);
  inspectCommand->add_option("FILE", inspect.file, "a checkpoint or a program")
      ->required()
      ->type_name("");
  inspectCommand->add_flag("--json", inspect.json, "JSON instead of text");
}

void CommandLine::addEval() {
  evalCommand = app.add_subcommand(
      "eval", "run a module of the llama dialect with the reference evaluator");
  CLI::App &e = *evalCommand;
  e.footer(kEvalExamples);
  e.add_option("FILE", eval.file, "an .mlir file, or - for standard input")
      ->required()
      ->type_name("");
  e.add_option("--entry", eval.entry, "a function, or the model's symbol")
      ->required()
      ->type_name("NAME");
  e.add_option("--in", eval.in,
               "one for each argument in order, caches left out: a .npy file, or a "
               "number for an index")
      ->type_name("FILE");
  e.add_option("--out", eval.out,
               "one for each result: a .npy file, or - for text; text if left out")
      ->type_name("FILE");
  e.add_option("--mode", eval.mode,
               "as-specified (default): round where the module says so; ideal: never")
      ->transform(isOneOf({"as-specified", "ideal"}));
  e.add_option("--weights", eval.weights,
               "a folder of the weights: token_embd.npy, blk.3.attn_q.npy, ...")
      ->type_name("DIR");
  e.add_option("--form", eval.form, "with a model as entry: run all rows in this form")
      ->type_name("NAME");
  e.add_option("--chunk", eval.chunk, "with a model as entry: rows of a prefill call")
      ->check(CLI::Range(long(0), long(kMaxChunk)))
      ->type_name("ROWS");
}

std::string CommandLine::finishCompile() {
  if (compile.checkpoint.empty())
    return "no checkpoint; give a GGUF file: corellama compile model.gguf -o model";
  if (chunk)
    compile.chunk = chunk;
  if (!compileTo.empty())
    compile.compileTo = llama::parsePhase(compileTo);
  if (!compileFrom.empty())
    compile.compileFrom = llama::parsePhase(compileFrom);
  compile.emit = llvm::StringSwitch<Emit>(emit)
                     .Case("llvm", Emit::LLVM)
                     .Case("asm", Emit::Assembly)
                     .Case("obj", Emit::Object)
                     .Default(Emit::Program);

  if (compile.compileTo && compileCommand->get_option("--emit")->count())
    return "--emit and --compile-to exclude each other; --compile-to ends before code "
           "generation";
  if (compile.compileTo && compile.compileFrom &&
      *compile.compileTo < *compile.compileFrom)
    return "--compile-to=" + compileTo + " comes before --compile-from=" + compileFrom;
  bool text = compile.compileTo || compile.emit == Emit::LLVM ||
              compile.emit == Emit::Assembly;
  if (compile.output.empty() && text)
    compile.output = "-";
  if (compile.output.empty())
    return "no output; name the program: -o FILE";
  if (compile.output == "-" && !text)
    return "-o - is for text; a program or an object needs a file";
  return "";
}

/// The option whose name is nearest to a mistyped one.
std::string CommandLine::suggestion(const CLI::App &command, StringRef word) const {
  StringRef name = word.split('=').first;
  std::string nearest;
  unsigned best = 4; // more edits than that is another word
  for (const CLI::Option *option : command.get_options()) {
    for (const std::string &known : option->get_lnames()) {
      unsigned distance = name.edit_distance("--" + known, true, best);
      if (distance < best) {
        best = distance;
        nearest = "--" + known;
      }
    }
  }
  return nearest;
}

Finished CommandLine::usageError(const CLI::App &command, StringRef message) const {
  std::string name = command.get_parent() ? "corellama " + command.get_name() : "corellama";
  llvm::errs() << "corellama: " << message << "; '" << name << " --help' says more\n";
  return {2};
}

Arguments CommandLine::parse(std::vector<std::string> words) {
  const CLI::App *command = &app;
  auto findCommand = [&] {
    for (const CLI::App *parsed : app.get_subcommands())
      command = parsed;
    return command;
  };
  try {
    std::reverse(words.begin(), words.end()); // CLI11 takes them from the end
    app.parse(std::move(words));
  } catch (const CLI::CallForHelp &) {
    llvm::outs() << findCommand()->help();
    return {Finished{0}, {}};
  } catch (const CLI::CallForVersion &) {
    llvm::outs() << app.version() << "\n";
    return {Finished{0}, {}};
  } catch (const CLI::ExtrasError &) {
    findCommand();
    std::vector<std::string> extras = app.remaining(/*recurse=*/true);
    if (extras.empty())
      return {usageError(*command, "too many arguments"), {}};
    std::string message = command == &app ? "no command '" : "unknown argument '";
    message += extras.front() + "'";
    if (std::string nearest = suggestion(*command, extras.front()); !nearest.empty())
      message += ", did you mean " + nearest + "?";
    return {usageError(*command, message), {}};
  } catch (const CLI::ParseError &error) {
    return {usageError(*findCommand(), error.what()), {}};
  }

  findCommand();
  if (command == inspectCommand)
    return {inspect, {}};
  if (command == evalCommand)
    return {eval, {}};
  if (command != compileCommand)
    return {usageError(app, "no command; try corellama compile model.gguf -o model"), {}};
  if (listTargets)
    return {ListTargetsArguments(), {}};
  if (std::string message = finishCompile(); !message.empty())
    return {usageError(*compileCommand, message), {}};
  return {compile, {}};
}

Arguments corellama::parseArguments(int argc, const char *const *argv) {
  std::vector<std::string> ours, mlirFlags;
  for (int i = 1; i < argc; ++i)
    (StringRef(argv[i]).starts_with("--mlir-") ? mlirFlags : ours).push_back(argv[i]);
  Arguments arguments = CommandLine().parse(std::move(ours));
  arguments.mlirFlags = std::move(mlirFlags);
  return arguments;
}
