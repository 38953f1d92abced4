//===- Arguments.cpp - the command line of corellama ----------------------===//
//
// See Arguments.h. Compiled with exceptions, which do not leave this file.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Arguments.h"
#include "compiler/Target/Target.h"
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
  corellama bench model                     how fast it is, and could be
  corellama perplexity model -f text        how well it predicts a text
)";

static constexpr const char *kCompileExamples = R"(examples:
  corellama compile model.gguf -o model
  corellama compile model.gguf -o model --target=x86-64-v4 --chunk=256
  corellama compile model.gguf --compile-to=schedule       # to the terminal
  corellama compile model.gguf -o model --dump-compilation-phases-to=phases
  corellama compile model.gguf -o model --compile-from=fuse --ir=3-fuse.mlir
  corellama compile model.gguf -o model.ptx --target=cuda:sm_90a --emit=ptx

MLIR's own flags are passed on, written as one word:
  --mlir-print-ir-after-all --mlir-print-ir-tree-dir=DIR --mlir-timing
  --mlir-pass-pipeline-crash-reproducer=FILE ...
)";

static constexpr const char *kInspectExamples = R"(examples:
  corellama inspect model.gguf        configuration, tensors, layer signatures
  corellama inspect model --json      manifest, kernels and memory of a program
)";

static constexpr const char *kBenchExamples = R"(examples:
  corellama bench model                                 pp512 and tg128
  corellama bench model -p 128,512 -n 64 -d 0,4096      each behind 0 and 4096 tokens
  corellama bench model -p 0 -n 32 --kernels            where the time of a token goes
  corellama bench model -t 1,2 -o jsonl > times.jsonl

t/s is the mean of the rounds and their deviation. The ceilings are measured in
the same rounds by loops that only read the weights or only multiply; share is the
sum of what each kernel would take at its ceiling, over the measured time.
)";

static constexpr const char *kPerplexityExamples = R"(examples:
  corellama perplexity model -f wiki.test.raw
  corellama perplexity model -f text --reference model-f32    # what rounding costs

Windows of -c tokens begin with an empty cache; their second halves are predicted, as
llama-perplexity does by default. Behind a figure is its standard error.
)";

static constexpr const char *kEvalExamples = R"(examples:
  corellama eval norm.mlir --entry norm --in x.npy weight.npy --out y.npy
  corellama eval norm.mlir --entry norm --in x.npy weight.npy     # text
  corellama eval tiny.mlir --entry m --in ids.npy --weights tiny/ --out logits.npy
)";

/// The most rows of a call. They bound a step's buffers, which have one row for
/// each.
static constexpr int64_t kMaxRows = 65536;

/// The names of all phases, for help and for messages.
static std::string phaseNames() {
  return llvm::join(llvm::map_range(llama::allPhases(),
                                    [](const llama::PhaseInfo &info) {
                                      return info.name.str();
                                    }),
                    ", ");
}

/// Restricts an option to the names of phases.
static CLI::Option *isPhase(CLI::Option *option) {
  option->type_name("PHASE");
  return option->check([](const std::string &name) {
    return llama::parsePhase(name)
               ? std::string()
               : "no phase '" + name + "'; it is one of " + phaseNames();
  });
}

/// Restricts an option to a fixed list of values.
static CLI::Option *isOneOf(CLI::Option *option,
                            std::vector<std::string> words) {
  option->type_name(llvm::join(words, "|"));
  return option->check([words](const std::string &word) {
    return llvm::is_contained(words, word)
               ? std::string()
               : "'" + word + "' is none of " + llvm::join(words, ", ");
  });
}

/// Why a word is no number of rows; empty: it is one.
static std::string whyNoRows(StringRef word, int64_t least) {
  int64_t value;
  if (word.getAsInteger(10, value) || value < least || value > kMaxRows)
    return ("'" + word + "' is no number from " + llvm::Twine(least) + " to " +
            llvm::Twine(kMaxRows))
        .str();
  return "";
}

/// An option that takes a list of numbers.
static CLI::Option *isNumbers(CLI::Option *option, uint64_t least) {
  // Far above what a machine runs, and sums of them do not overflow.
  constexpr uint64_t most = 1 << 24;
  option->type_name("N,...")->delimiter(',')->take_last();
  return option->check([least](const std::string &word) -> std::string {
    uint64_t value;
    if (!StringRef(word).getAsInteger(10, value) && value >= least &&
        value <= most)
      return "";
    return "'" + word + "' is no number from " + std::to_string(least) +
           " to " + std::to_string(most);
  });
}

/// Restricts an option to numbers of rows.
static CLI::Option *isRows(CLI::Option *option, int64_t least) {
  option->type_name("ROWS");
  return option->check(
      [least](const std::string &word) { return whyNoRows(word, least); });
}

/// Restricts an option to a list of ascending numbers of rows.
static CLI::Option *isRowsList(CLI::Option *option) {
  option->type_name("ROWS,...");
  return option->check([](const std::string &list) -> std::string {
    int64_t last = 0;
    for (StringRef word : llvm::split(list, ',')) {
      if (std::string why = whyNoRows(word, 1); !why.empty())
        return why;
      int64_t value = std::stoll(word.str());
      if (value <= last)
        return std::to_string(value) + " after " + std::to_string(last) +
               "; give ascending numbers, as in 1,8,512";
      last = value;
    }
    return "";
  });
}

namespace {

/// Help in two columns, at most 80 characters wide. CLI11's remarks on an
/// option are left out: the descriptions say as much.
class HelpFormatter : public CLI::Formatter {
public:
  static constexpr size_t kColumn = 26;

  std::string make_usage(const CLI::App *app, std::string) const override {
    if (!app->get_parent())
      return "usage: corellama COMMAND [OPTIONS]\n";
    std::string usage = "\nusage: corellama " + app->get_name();
    for (const CLI::Option *option : app->get_options())
      if (option->get_positional())
        usage += " " + option->get_name(true, false);
    return usage + " [OPTIONS]\n";
  }
  std::string make_option_opts(const CLI::Option *option) const override {
    bool value = option->get_type_size() != 0 && !option->get_positional();
    return value ? " " + option->get_type_name() : "";
  }
  std::string make_option_desc(const CLI::Option *option) const override {
    return wrap(option->get_description());
  }

private:
  static std::string wrap(const std::string &text) {
    std::string result;
    size_t used = 0;
    for (StringRef word : llvm::split(text, ' ')) {
      if (used && used + 1 + word.size() > 80 - kColumn) {
        result += "\n";
        used = 0;
      }
      result += (used ? " " : "") + word.str();
      used += (used ? 1 : 0) + word.size();
    }
    return result;
  }
};

/// All commands, their options and the variables that take the values.
class CommandLine {
public:
  CommandLine();
  Arguments parse(std::vector<std::string> words);

private:
  void addCompile();
  void addInspect();
  void addBench();
  void addPerplexity();
  void addEval();
  /// Checks that involve more than one option; the message, or nothing.
  std::string finishCompile();
  std::string finishBench();
  Finished usageError(const CLI::App &command, StringRef message) const;
  std::string suggestion(const CLI::App &command, StringRef word) const;

  CLI::App app{kOverview, "corellama"};
  CLI::App *compileCommand = nullptr;
  CLI::App *inspectCommand = nullptr;
  CLI::App *benchCommand = nullptr;
  CLI::App *perplexityCommand = nullptr;
  CLI::App *evalCommand = nullptr;
  CompileArguments compile;
  std::string emit = "exe", compileTo, compileFrom;
  std::string rows;
  int64_t chunk = 0;
  bool listTargets = false;
  InspectArguments inspect;
  bench::Options bench;
  std::string benchFormat = "md";
  perplexity::Options perplexity;
  std::string perplexityFormat = "text";
  llama::reference::EvalOptions eval;
};

} // namespace

CommandLine::CommandLine() {
  app.set_help_flag("-h,--help", "print this help");
  app.set_version_flag("--version",
                       "corellama " CORELLAMA_VERSION
                       " (LLVM " LLVM_VERSION_STRING ")",
                       "print the version");
  // The messages about targets name it without a command.
  app.add_flag("--list-targets", listTargets, "list the targets of compile");
  auto formatter = std::make_shared<HelpFormatter>();
  formatter->column_width(HelpFormatter::kColumn);
  app.formatter(formatter); // commands inherit it
  app.footer("corellama COMMAND --help says more about each.");
  addCompile();
  addInspect();
  addBench();
  addPerplexity();
  addEval();
}

void CommandLine::addCompile() {
  compileCommand =
      app.add_subcommand("compile", "compile a checkpoint to a program");
  CLI::App &c = *compileCommand;
  c.footer(kCompileExamples);
  c.add_option("CHECKPOINT", compile.checkpoint, "a GGUF file");
  c.add_option(
       "-o", compile.output,
       "the program; a module, LLVM IR or assembly can also go to standard "
       "output: -, or no -o at all")
      ->type_name("FILE");
  c.add_option("--target", compile.target,
               "the machine to compile for: native (default), or a name of "
               "--list-targets")
      ->type_name("NAME")
      ->check([](const std::string &name) { return whyNoTarget(name); });
  c.add_flag("--list-targets", listTargets, "list the targets and end");
  isOneOf(c.add_option(
              "--activations", compile.options.activations,
              "auto (default): bf16 on a CPU that multiplies bf16 if the "
              "checkpoint has such weights, q8 if it has quants, f16 where a "
              "GPU's tensor cores compute, the cache in f16; q8 (CPUs): rows "
              "are rounded to 8 bits in blocks of 32 where the weight is "
              "quantised; bf16: as q8, and rows are rounded to bf16 where the "
              "weight is BF16; f32: float32 everywhere, the cache too unless "
              "--cache-type says otherwise"),
          {"auto", "f32", "q8", "bf16"});
  isOneOf(c.add_option("--cache-type", compile.options.cacheType,
                       "what the KV cache holds"),
          {"f32", "f16"});
  CLI::Option *list = isRowsList(c.add_option(
      "--rows", rows,
      "the most rows of a call, for each form of the program, ascending "
      "(default 1,512): code of its own for each, which a call of no more rows "
      "runs; larger last forms are faster on long prompts and take more "
      "memory"));
  isRows(c.add_option("--chunk", chunk, "the same as --rows=1,ROWS"), 1)
      ->excludes(list);
  isOneOf(c.add_option(
              "--emit", emit,
              "exe (default): the program; llvm, asm, obj: its code alone, "
              "optimized; ptx: a GPU's kernels"),
          {"exe", "llvm", "asm", "obj", "ptx"});
  isPhase(c.add_option("--compile-to", compileTo,
                       "stop after a phase (" + phaseNames() +
                           ") and write the module"));
  CLI::Option *from = isPhase(c.add_option(
      "--compile-from", compileFrom,
      "go on from a module of this phase, which --ir names; target and "
      "options are the module's"));
  CLI::Option *ir = c.add_option("--ir", compile.ir,
                                 "a file that --compile-to or a dump wrote")
                        ->type_name("FILE");
  from->needs(ir);
  ir->needs(from);
  c.add_option("--dump-compilation-phases-to", compile.dumpFolder,
               "write the module after each phase: DIR/1-import.mlir, ...")
      ->type_name("DIR");
  c.add_flag("--remarks", compile.remarks,
             "say what was decided, and why something was not");
  c.add_flag(
      "--verify-each", compile.verifyEach,
      "verify the module after each pass; between phases print it and read "
      "it again");
}

void CommandLine::addInspect() {
  inspectCommand =
      app.add_subcommand("inspect", "say what is in a checkpoint or a program");
  inspectCommand->footer(kInspectExamples);
  inspectCommand->add_option("FILE", inspect.file, "a checkpoint or a program")
      ->required();
  inspectCommand->add_flag("--json", inspect.json, "JSON instead of text");
}

void CommandLine::addBench() {
  benchCommand = app.add_subcommand(
      "bench", "measure a program beside the machine's ceilings");
  CLI::App &c = *benchCommand;
  c.footer(kBenchExamples);
  c.add_option("PROGRAM", bench.program, "what compile made")->required();
  isNumbers(c.add_option("-p", bench.prompts,
                         "tokens of a prompt; 0: none (default 512)"),
            0);
  isNumbers(c.add_option("-n", bench.generated,
                         "tokens to generate; 0: none (default 128)"),
            0);
  isNumbers(c.add_option("-d", bench.depths,
                         "tokens in the cache before each test (default 0)"),
            0);
  isNumbers(c.add_option("-t", bench.threads,
                         "threads (default: the CPUs this process may use)"),
            1);
  isNumbers(c.add_option("-r", bench.rounds,
                         "rounds, each of all tests and ceilings (default 5)"),
            1)
      ->type_name("N");
  c.add_flag("--kernels", bench.kernels,
             "the times of each kernel, too (not with csv)");
  isOneOf(c.add_option("-o", benchFormat, "the form of the output"),
          {"md", "csv", "json", "jsonl"});
}

std::string CommandLine::finishBench() {
  bench.format = llvm::StringSwitch<bench::Format>(benchFormat)
                     .Case("csv", bench::Format::CSV)
                     .Case("json", bench::Format::JSON)
                     .Case("jsonl", bench::Format::JSONLines)
                     .Default(bench::Format::Markdown);
  if (bench.kernels && bench.format == bench::Format::CSV)
    return "--kernels has a table of its own; give -o md, json or jsonl";
  return "";
}

void CommandLine::addPerplexity() {
  perplexityCommand = app.add_subcommand(
      "perplexity", "measure how well a program predicts a text");
  CLI::App &c = *perplexityCommand;
  c.footer(kPerplexityExamples);
  c.add_option("PROGRAM", perplexity.program, "what compile made")->required();
  c.add_option("-f,--file", perplexity.text, "the text; - is standard input")
      ->required()
      ->type_name("FILE");
  c.add_option("--reference", perplexity.reference,
               "a program of the same model whose logits are taken as right, "
               "such as one compiled with --activations=f32")
      ->type_name("PROGRAM");
  isNumbers(c.add_option("-c", perplexity.context,
                         "tokens of a window (default 512)"),
            3) // a token of the second half that another precedes
      ->type_name("N");
  isNumbers(c.add_option("-t", perplexity.threads,
                         "threads (default: the CPUs this process may use)"),
            1)
      ->type_name("N");
  isOneOf(c.add_option("-o", perplexityFormat,
                       "text (default), or json with figures of each token"),
          {"text", "json"});
}

void CommandLine::addEval() {
  evalCommand = app.add_subcommand(
      "eval", "run a module of the llama dialect by its reference evaluator");
  CLI::App &e = *evalCommand;
  e.footer(kEvalExamples);
  e.add_option("FILE", eval.file, "an .mlir file, or - for standard input")
      ->required();
  e.add_option("--entry", eval.entry, "a function, or the model's symbol")
      ->required()
      ->type_name("NAME");
  e.add_option(
       "--in", eval.in,
       "one for each argument in order, caches left out: a .npy file, or a "
       "number for an index")
      ->type_name("FILE...");
  e.add_option(
       "--out", eval.out,
       "one for each result: a .npy file, or - for text; text if left out")
      ->type_name("FILE...");
  e.add_option(
       "--mode", eval.mode,
       "as-specified (default): round where the module says so; ideal: never")
      ->type_name("MODE"); // the evaluator knows its modes
  e.add_option("--weights", eval.weights,
               "a folder of the weights: token_embd.npy, blk.3.attn_q.npy, ...")
      ->type_name("DIR");
  e.add_option("--form", eval.form,
               "with a model as entry: run all rows in this form")
      ->type_name("NAME");
  isRows(e.add_option("--chunk", eval.chunk,
                      "with a model as entry: rows of a prefill call"),
         0);
}

std::string CommandLine::finishCompile() {
  if (compile.checkpoint.empty())
    return "no checkpoint; give a GGUF file: corellama compile model.gguf -o "
           "model";
  if (chunk == 1)
    rows = "1";
  else if (chunk)
    rows = "1," + std::to_string(chunk);
  if (!rows.empty())
    for (StringRef word : llvm::split(rows, ','))
      compile.options.rows.push_back(std::stoll(word.str()));
  if (!compileTo.empty())
    compile.compileTo = llama::parsePhase(compileTo);
  if (!compileFrom.empty())
    compile.compileFrom = llama::parsePhase(compileFrom);
  compile.emit = llvm::StringSwitch<Emit>(emit)
                     .Case("llvm", Emit::LLVM)
                     .Case("asm", Emit::Assembly)
                     .Case("obj", Emit::Object)
                     .Case("ptx", Emit::PTX)
                     .Default(Emit::Program);

  if (compile.compileTo && compileCommand->get_option("--emit")->count())
    return "--emit and --compile-to exclude each other; --compile-to ends "
           "before code generation";
  if (compile.compileTo && compile.compileFrom &&
      *compile.compileTo < *compile.compileFrom)
    return "--compile-to=" + compileTo +
           " comes before --compile-from=" + compileFrom;
  // With --compile-from the target is the dump's.
  if (compile.emit == Emit::PTX && !compile.compileFrom &&
      !StringRef(compile.target).starts_with("cuda:"))
    return "--emit=ptx is for a GPU; name one, as in --target=cuda:sm_90a";
  bool text = compile.compileTo || compile.emit == Emit::LLVM ||
              compile.emit == Emit::Assembly || compile.emit == Emit::PTX;
  if (compile.output.empty() && text)
    compile.output = "-";
  if (compile.output.empty())
    return "no output; name the program: -o FILE";
  if (compile.output == "-" && !text)
    return "-o - is for text; a program or an object needs a file";
  return "";
}

/// The option, or the command, whose name is nearest to a mistyped name.
std::string CommandLine::suggestion(const CLI::App &command,
                                    StringRef word) const {
  StringRef name = word.split('=').first;
  std::string nearest;
  unsigned best = 4; // with more edits it is a different name
  auto consider = [&](const std::string &known) {
    unsigned distance = name.edit_distance(known, true, best);
    if (distance < best && distance < known.size() / 2) {
      best = distance;
      nearest = known;
    }
  };
  for (const CLI::Option *option : command.get_options())
    for (const std::string &known : option->get_lnames())
      consider("--" + known);
  for (const CLI::App *known : command.get_subcommands({}))
    consider(known->get_name());
  return nearest;
}

Finished CommandLine::usageError(const CLI::App &command,
                                 StringRef message) const {
  std::string name =
      command.get_parent() ? "corellama " + command.get_name() : "corellama";
  llvm::errs() << "corellama: " << message << "; '" << name
               << " --help' says more\n";
  return {2};
}

Arguments CommandLine::parse(std::vector<std::string> words) {
  const CLI::App *command = &app;
  const std::vector<std::string> given = words;
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
    std::string message =
        command == &app ? "no command '" : "unknown argument '";
    message += extras.front() + "'";
    if (std::string nearest = suggestion(*command, extras.front());
        !nearest.empty())
      message += ", did you mean " + nearest + "?";
    else if (command == &app && StringRef(extras.front()).ends_with(".gguf"))
      message += "; to compile it: corellama compile " + extras.front() +
                 " -o PROGRAM";
    return {usageError(*command, message), {}};
  } catch (const CLI::ArgumentMismatch &error) {
    // "--target: 1 required NAME missing", "-o: At Most 1 required but ..."
    auto [option, problem] = StringRef(error.what()).split(": ");
    std::string message =
        option.str() +
        (problem.contains("missing") ? " needs a value" : " is given twice");
    return {usageError(*findCommand(), message), {}};
  } catch (const CLI::ConversionError &) {
    // Only flags convert their values in CLI11; our checks take values as text.
    auto word = llvm::find_if(given, [](StringRef word) {
      return word.starts_with("--") && word.contains('=');
    });
    auto [flag, value] = StringRef(word == given.end() ? "" : *word).split('=');
    return {usageError(*findCommand(),
                       flag.str() +
                           " takes no value; leave out '=" + value.str() + "'"),
            {}};
  } catch (const CLI::RequiredError &error) {
    return {
        usageError(
            *findCommand(),
            "no " + StringRef(error.what()).split(" is required").first.str()),
        {}};
  } catch (const CLI::ParseError &error) {
    return {usageError(*findCommand(), error.what()), {}};
  }

  findCommand();
  if (listTargets && command != &app && command != compileCommand)
    return {usageError(app, "--list-targets does not go with '" +
                                command->get_name() + "'"),
            {}};
  if (listTargets)
    return {ListTargetsArguments(), {}};
  if (command == inspectCommand)
    return {inspect, {}};
  if (command == evalCommand)
    return {eval, {}};
  if (command == benchCommand) {
    if (std::string message = finishBench(); !message.empty())
      return {usageError(*benchCommand, message), {}};
    return {bench, {}};
  }
  if (command == perplexityCommand) {
    perplexity.json = perplexityFormat == "json";
    return {perplexity, {}};
  }
  if (command != compileCommand)
    return {usageError(app,
                       "no command; try corellama compile model.gguf -o model"),
            {}};
  if (std::string message = finishCompile(); !message.empty())
    return {usageError(*compileCommand, message), {}};
  return {compile, {}};
}

Arguments corellama::parseArguments(int argc, const char *const *argv) {
  std::vector<std::string> ours, mlirFlags;
  for (int i = 1; i < argc; ++i)
    (StringRef(argv[i]).starts_with("--mlir-") ? mlirFlags : ours)
        .push_back(argv[i]);
  Arguments arguments = CommandLine().parse(std::move(ours));
  arguments.mlirFlags = std::move(mlirFlags);
  return arguments;
}
