//===- Options.h - a program's command line -------------------------------===//
//
// Arguments -> settings. Flags, their help and their effects are in one table
// (Options.cpp), from which --help is generated too. Limits that depend on the
// model (of -c) are checked when the model is known.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_OPTIONS_H
#define CORELLAMA_RUNTIME_MAIN_OPTIONS_H

#include "runtime/Sampling/Sampler.h"
#include "runtime/Support/Result.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace corellama::runtime {

/// Where ids come from that are checked several in one call.
enum class Drafts { none, ngram };

/// What a program's generated code is for: some flags are about one of them.
enum class Machine : uint8_t { cpu, gpu };

/// Of an H100's data sheet.
inline constexpr double kDefaultBandwidth = 3350;

struct Options {
  std::optional<std::string> prompt;
  /// "-" is the standard input.
  std::optional<std::string> promptFile;
  std::optional<std::vector<int32_t>> promptIds;
  bool chat = false;
  std::optional<std::string> system;
  /// In place of the checkpoint's template: a name, or a file of one's text.
  std::optional<std::string> chatTemplate, chatTemplateFile;
  /// More variables of the template, as an object of JSON.
  std::optional<std::string> templateVariables;
  bool refuseMarkers = false;
  /// Control tokens are recognised in raw text.
  bool parseSpecial = false;
  /// The most ids to generate; none: no limit.
  std::optional<uint64_t> count;
  std::optional<uint64_t> context;
  std::optional<uint64_t> batch;
  std::optional<uint32_t> threads;
  /// None: a random one.
  std::optional<uint64_t> seed;
  SamplerSettings sampling;
  /// Texts before which the answer ends.
  std::vector<std::string> stops;
  /// Files that say what an answer looks like; at most one of the two.
  std::optional<std::string> grammar;
  std::optional<std::string> jsonSchema;
  Drafts drafts = Drafts::none;
  /// In a conversation that fills the context: whether the oldest turns go.
  bool dropsOldest = false;
  bool ignoreEnd = false;
  bool outputIds = false;
  /// Of how many likeliest tokens probabilities are printed, as JSON.
  std::optional<uint32_t> logprobs;
  std::optional<std::string> logitsOut;
  bool bench = false;
  bool score = false;
  bool verbose = false;
  /// Of which target the code is run, if there is that of several.
  std::optional<std::string> target;
  /// Of a program for a GPU: which one, and what it is asked before it runs.
  std::optional<uint32_t> device;
  bool listDevices = false;
  bool plan = false;
  /// Of the GPU's memory, for `plan`, in 10^9 bytes a second.
  std::optional<double> bandwidth;
  bool version = false;
  bool help = false;
};

/// `arguments` are those after the program's name. Stops at --help and
/// --version, so that the other arguments may be wrong.
Result<Options> parseOptions(std::span<char *const> arguments, Machine machine);

/// Whether the prompts are what a person types, turn after turn: no prompt is
/// given, and --chat is, or standard input is a terminal.
bool isConversation(const Options &options, bool inputIsTerminal);

/// Checks that there is exactly one prompt, or none in a conversation, and
/// --chat only with text.
std::optional<Error> checkPromptOptions(const Options &options,
                                        bool inConversation,
                                        const char *programName);

std::string helpText(const char *programName, Machine machine);

/// The part of a path after the last slash.
const char *baseName(const char *path);

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_OPTIONS_H
