//===- OptionChecks.h - what the values of options may be -----------------===//
//
// Checks that several commands' options share; each puts the form of the value
// into the help and one line into an error. Values are checked as text, before
// they are converted. A file of its own because the files of the commands are
// tables of options, and these are the rules behind them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_DRIVER_OPTIONCHECKS_H
#define CORELLAMA_COMPILER_DRIVER_OPTIONCHECKS_H

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace corellama {

/// The names of all phases, for help and for messages.
std::string phaseNames();

/// Each restricts an option and returns it.
/// The names of phases.
CLI::Option *isPhase(CLI::Option *option);
/// A fixed list of values.
CLI::Option *isOneOf(CLI::Option *option, std::vector<std::string> words);
/// A list of numbers, each `least` or more.
CLI::Option *isNumbers(CLI::Option *option, uint64_t least);
/// A number of rows of a call, `least` or more.
CLI::Option *isRows(CLI::Option *option, int64_t least);
/// Ascending numbers of rows.
CLI::Option *isRowsList(CLI::Option *option);

} // namespace corellama

#endif // CORELLAMA_COMPILER_DRIVER_OPTIONCHECKS_H
