//===- Subcommands.h - the commands of corellama, one function each -------===//
//
// Each function declares a command: its options, their help and defaults, and
// what their values mean together. The commands of one family share a file:
// CompileCommand.cpp, MeasureCommands.cpp, TextCommands.cpp. Arguments.cpp
// parses and reports.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_SUBCOMMANDS_H
#define CORELLAMA_COMPILER_DRIVER_SUBCOMMANDS_H

#include "compiler/Driver/Arguments.h"
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace corellama {

struct Subcommand {
  CLI::App *app;
  /// Called when a command line was parsed: fills in the command, or returns
  /// why the values do not go together.
  std::function<std::string(Arguments::Command &command)> finish;
};

Subcommand addCompile(CLI::App &tool);
Subcommand addInspect(CLI::App &tool);
Subcommand addBench(CLI::App &tool);
Subcommand addPerplexity(CLI::App &tool);
Subcommand addEval(CLI::App &tool);
Subcommand addTokenize(CLI::App &tool);
Subcommand addDetokenize(CLI::App &tool);
Subcommand addRender(CLI::App &tool);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_SUBCOMMANDS_H
