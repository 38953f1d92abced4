//===- OptionChecks.cpp - what the values of options may be ---------------===//
//
// See OptionChecks.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/OptionChecks.h"
#include "dialects/Llama/IR/Phase.h"
#include "llvm/ADT/StringExtras.h"

using namespace corellama;
using llvm::StringRef;

/// The most rows of a call. They bound a step's buffers, which have one row for
/// each.
static constexpr int64_t kMaxRows = 65536;

std::string corellama::phaseNames() {
  return llvm::join(llvm::map_range(llama::allPhases(),
                                    [](const llama::PhaseInfo &info) {
                                      return info.name.str();
                                    }),
                    ", ");
}

CLI::Option *corellama::isPhase(CLI::Option *option) {
  option->type_name("PHASE");
  return option->check([](const std::string &name) {
    return llama::parsePhase(name)
               ? std::string()
               : "no phase '" + name + "'; it is one of " + phaseNames();
  });
}

CLI::Option *corellama::isOneOf(CLI::Option *option,
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

CLI::Option *corellama::isNumbers(CLI::Option *option, uint64_t least) {
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

CLI::Option *corellama::isRows(CLI::Option *option, int64_t least) {
  option->type_name("ROWS");
  return option->check(
      [least](const std::string &word) { return whyNoRows(word, least); });
}

CLI::Option *corellama::isRowsList(CLI::Option *option) {
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
