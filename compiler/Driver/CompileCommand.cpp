//===- CompileCommand.cpp - the options of corellama compile --------------===//
//
// See Subcommands.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Checkpoint/HuggingFaceContainer.h"
#include "compiler/Driver/OptionChecks.h"
#include "compiler/Driver/Subcommands.h"
#include "compiler/Quantize/RowConverter.h"
#include "compiler/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"

using namespace corellama;
using llvm::StringRef;

static constexpr const char *kCompileExamples = R"(examples:
  corellama compile model.gguf -o model
  corellama compile Llama-3.2-1B/ -o model                 # a folder
  corellama compile model.gguf -o model --target=x86-64-v4 --chunk=256
  corellama compile model.gguf -o model --target=x86-64-v3,x86-64-v4,znver4
  corellama compile model-bf16.gguf -o model --quantize=q4_0
  corellama compile model.gguf --compile-to=schedule       # to the terminal
  corellama compile model.gguf -o model --dump-compilation-phases-to=phases
  corellama compile model.gguf -o model --compile-from=fuse --ir=3-fuse.mlir
  corellama compile model.gguf -o model.ptx --target=cuda:sm_90a --emit=ptx

MLIR's own flags are passed on, written as one word:
  --mlir-print-ir-after-all --mlir-print-ir-tree-dir=DIR --mlir-timing
  --mlir-pass-pipeline-crash-reproducer=FILE ...
)";

namespace {
/// The options whose values are not those of CompileArguments.
struct CompileOptions {
  CompileArguments compile;
  std::string emit = "exe", compileTo, compileFrom;
  std::string rows;
  int64_t chunk = 0;
  bool listTargets = false;

  std::string finish(const CLI::App &app);
};
} // namespace

/// The kind of GPU need be said once: cuda:sm_80,sm_90a.
static std::string fullTargets(StringRef names) {
  std::string full;
  for (StringRef name : llvm::split(names, ',')) {
    full += full.empty() ? "" : ",";
    if (name.starts_with("sm_") && names.starts_with("cuda:"))
      full += "cuda:";
    full += name;
  }
  return full;
}

static std::string whyNoTargets(StringRef names) {
  llvm::StringSet<> seen;
  for (StringRef name : llvm::split(names, ',')) {
    if (std::string why = whyNoTarget(name); !why.empty())
      return why;
    if (name.starts_with("cuda:") != names.starts_with("cuda:"))
      return "'" + names.str() +
             "' has CPUs and GPUs; several targets are of one kind";
    if (!seen.insert(name).second)
      return "'" + name.str() + "' is there twice; give it once";
  }
  return "";
}

/// Checks that involve more than one option; the message, or nothing.
std::string CompileOptions::finish(const CLI::App &app) {
  if (compile.checkpoint.empty())
    return "no checkpoint; give a GGUF file or a folder: corellama compile "
           "model.gguf -o model";
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

  if (compile.compileTo && app.get_option("--emit")->count())
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
  if (StringRef(compile.target).contains(',') &&
      (compile.compileTo || compile.emit != Emit::Program))
    return "several targets are for a program; give one of them";
  bool text = compile.compileTo || compile.emit == Emit::LLVM ||
              compile.emit == Emit::Assembly || compile.emit == Emit::PTX;
  // Not the default: a script's empty variable is a mistake.
  if (compile.output.empty() && app.get_option("-o")->count())
    return "-o: '' names no file";
  if (compile.output.empty() && text)
    compile.output = "-";
  // A file's own name without its ending would be a guess; a folder's needs an
  // ending, for the folder has the name itself.
  if (compile.output.empty() && compile.emit == Emit::Program &&
      llvm::sys::fs::is_directory(compile.checkpoint))
    compile.output = checkpoint::nameOfFolder(compile.checkpoint) + ".run";
  if (compile.output.empty())
    return "no output; name the program: -o FILE";
  if (!compile.tokenizer.empty() &&
      (compile.compileTo || compile.emit != Emit::Program))
    return "--tokenizer is for programs; no other output has one";
  if (compile.output == "-" && !text)
    return "-o - is for text; a program or an object needs a file";
  return "";
}

Subcommand corellama::addCompile(CLI::App &tool) {
  auto options = std::make_shared<CompileOptions>();
  CompileArguments &compile = options->compile;
  CLI::App &c =
      *tool.add_subcommand("compile", "compile a checkpoint to a program");
  c.footer(kCompileExamples);
  c.add_option("CHECKPOINT", compile.checkpoint,
               "a GGUF file, of split ones the first (-00001-of-); a Hugging "
               "Face folder (config.json, safetensors, tokenizer); or a .bin "
               "file of llama2.c, with tokenizer.bin beside it");
  c.add_option("--tokenizer", compile.tokenizer,
               "a SentencePiece model (tokenizer.model) that the program takes "
               "in place of the checkpoint's tokenizer")
      ->type_name("FILE");
  c.add_option("-o", compile.output,
               "the program (of a folder NAME by default NAME.run); a module, "
               "LLVM IR or assembly can also go to standard "
               "output: -, or no -o at all")
      ->type_name("FILE");
  c.add_option("--target", compile.target,
               "the machine to compile for: native (default), or a name of "
               "--list-targets; several CPUs or several GPUs, separated by "
               "commas, give a program with the code of each, of which it runs "
               "the last one that its machine can")
      ->type_name("NAME[,NAME...]")
      ->transform([](const std::string &names) { return fullTargets(names); })
      ->check([](const std::string &names) { return whyNoTargets(names); });
  c.add_flag("--list-targets", options->listTargets,
             "list the targets and end");
  isOneOf(
      c.add_option(
          "--activations", compile.options.activations,
          "auto (default): amx or bf16 on a CPU that multiplies bf16 if "
          "the checkpoint has such weights, q8 if it has quants, f16 where a "
          "GPU's tensor cores compute, the cache in f16; q8 (CPUs): rows "
          "are rounded to 8 bits in blocks of 32 where the weight is "
          "quantised; bf16: as q8, and rows are rounded to bf16 where the "
          "weight is BF16; amx: as bf16, summed in the order of AMX's "
          "matrices; x24 (CPUs): as q8, but in fixed point of 24 bits, which "
          "errs as float32 does, the cache in f32; f32: float32 everywhere, "
          "the cache too unless --cache-type says otherwise"),
      {"auto", "f32", "q8", "x24", "bf16", "amx"});
  auto isCacheType = [&](CLI::Option *option) {
    isOneOf(option, {"f32", "f16", "bf16", "q8_0"});
  };
  isCacheType(c.add_option(
      "--cache-type", compile.options.cacheType,
      "what the KV cache holds; q8_0: 8 bits, a scale for 32 elements of a "
      "head, whose size is a multiple of 32. A GPU has f32 and f16"));
  isCacheType(c.add_option("--cache-type-k", compile.options.keyType,
                           "what its keys are, where that is something else"));
  isCacheType(c.add_option("--cache-type-v", compile.options.valueType,
                           "what its values are"));
  isOneOf(c.add_option(
              "--quantize", compile.options.quantize,
              "round weights in F32, F16 and BF16 to this format while they "
              "are packed, as the PyPI package gguf does; norms, and weights "
              "that are quantised already, stay"),
          {std::begin(quantize::kFormats), std::end(quantize::kFormats)});
  isOneOf(
      c.add_option(
          "--strategy", compile.options.strategy,
          "how kernels run: tuned (default), or plain (CPUs): one row by 16 "
          "rows of a weight, nothing fetched ahead; the same bits, slower"),
      {"tuned", "plain"});
  CLI::Option *list = isRowsList(c.add_option(
      "--rows", options->rows,
      "the most rows of a call, for each form of the program, ascending "
      "(default 1,512): code of its own for each, which a call of no more rows "
      "runs; larger last forms are faster on long prompts and take more "
      "memory"));
  isRows(c.add_option("--chunk", options->chunk, "the same as --rows=1,ROWS"),
         1)
      ->excludes(list);
  isOneOf(c.add_option(
              "--emit", options->emit,
              "exe (default): the program; llvm, asm, obj: its code alone, "
              "optimized; ptx: a GPU's kernels"),
          {"exe", "llvm", "asm", "obj", "ptx"});
  isPhase(c.add_option("--compile-to", options->compileTo,
                       "stop after a phase (" + phaseNames() +
                           ") and write the module"));
  CLI::Option *from = isPhase(c.add_option(
      "--compile-from", options->compileFrom,
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
  c.add_flag("--costs", compile.costs,
             "say what each step took: seconds of processor time, and the most "
             "memory, mapped files included");
  c.add_flag(
      "--verify-each", compile.verifyEach,
      "verify the module after each pass; between phases print it and read "
      "it again");
  return {&c, [options, &c](Arguments::Command &command) -> std::string {
            if (options->listTargets) {
              command = ListTargetsArguments();
              return "";
            }
            std::string message = options->finish(c);
            command = options->compile;
            return message;
          }};
}
