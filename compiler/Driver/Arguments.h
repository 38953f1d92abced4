//===- Arguments.h - the command line of corellama ------------------------===//
//
// argv -> the command and its settings, checked as far as possible without
// reading a file. A file of its own because the argument parser (CLI11) and its
// exceptions stay behind it: the options of each command are declared in
// Subcommands.h's files.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_ARGUMENTS_H
#define CORELLAMA_COMPILER_DRIVER_ARGUMENTS_H

#include "compiler/Bench/Bench.h"
#include "compiler/Perplexity/Perplexity.h"
#include "compiler/TextCommands/TextCommands.h"
#include "dialects/Llama/IR/Phase.h"
#include "dialects/Llama/Reference/EvalMain.h"
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace corellama {

enum class Emit { Program, LLVM, Assembly, Object, PTX };

/// What a module carries in llama.options. On a command line what was given: an
/// empty one was not.
struct ModuleOptions {
  std::string activations;
  /// Of keys and values, or "KEYS,VALUES" where they differ.
  std::string cacheType;
  /// The format that plain weights are rounded to; empty: they stay.
  std::string quantize;
  /// "plain", or empty: as the target's table says.
  std::string strategy;
  /// The most rows of a call, for each form, ascending.
  std::vector<int64_t> rows;
  /// On a command line: what keys, or values, are instead of cacheType.
  std::string keyType, valueType;
};

/// `corellama compile`.
struct CompileArguments {
  std::string checkpoint;
  /// A SentencePiece model; empty: the checkpoint's own tokenizer.
  std::string tokenizer;
  /// "-" is standard output, for text only.
  std::string output;
  /// Empty if the command line names none: then it is native, or with
  /// --compile-from the dump's.
  std::string target;
  ModuleOptions options;
  Emit emit = Emit::Program;
  std::optional<llama::Phase> compileTo;
  std::optional<llama::Phase> compileFrom;
  std::string ir;
  std::string dumpFolder;
  bool remarks = false;
  bool costs = false;
  bool verifyEach = false;
};

/// `corellama [compile] --list-targets`.
struct ListTargetsArguments {};

/// `corellama inspect`.
struct InspectArguments {
  std::string file;
  bool json = false;
  /// Print the chat template alone.
  bool showsTemplate = false;
};

/// No command is to be run: help was printed, or the arguments are wrong.
struct Finished {
  int status;
};

struct Arguments {
  using Command =
      std::variant<Finished, CompileArguments, ListTargetsArguments,
                   InspectArguments, bench::Options, perplexity::Options,
                   llama::reference::EvalOptions, text::TokenizeOptions,
                   text::DetokenizeOptions, text::RenderOptions>;
  Command command;
  /// --mlir-...: MLIR's own flags, unparsed.
  std::vector<std::string> mlirFlags;
};

/// Reads main's arguments. Prints help and version to standard output, a usage
/// error as one line to standard error.
Arguments parseArguments(int argc, const char *const *argv);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_ARGUMENTS_H
