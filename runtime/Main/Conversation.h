//===- Conversation.h - turn after turn on one cache ----------------------===//
//
// Reads messages from standard input and answers each, until the input ends.
// The cache stays from turn to turn, so a turn computes only what is new: the
// message and what the template puts around it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_CONVERSATION_H
#define CORELLAMA_RUNTIME_MAIN_CONVERSATION_H

#include "runtime/Conversation/History.h"
#include "runtime/Conversation/LineReader.h"
#include "runtime/Main/Generate.h"
#include "runtime/Main/Output.h"
#include "runtime/Main/Text.h"
#include "runtime/Templates/TokenizedText.h"

#include <optional>
#include <string>
#include <string_view>

namespace corellama::runtime {

class Conversation {
public:
  /// All must outlive it; `constraint` and `logits` may be null.
  Conversation(Model &model, Text &text, ChatFormat format,
               const Options &options, Constraint *constraint,
               NpyWriter *logits, const char *programName,
               void (*note)(const std::string &));

  /// Talks until the input ends. Returns the exit code; where it is not 0 and
  /// no signal's, error() says why.
  int run();
  const std::string &error() const { return failure; }

private:
  struct Command;
  static const Command kCommands[];

  std::optional<Error> handle(std::string &message);
  std::optional<Error> answer(std::string message);
  std::string generate();
  std::optional<Error> makePrompt(History wanted, const std::string &spoken);
  std::optional<Error> truncate(size_t tokens);
  std::optional<Error> forgetAllBut(const History &wanted);
  std::optional<Error> command(std::string_view line);

  std::optional<Error> help(const std::string &);
  std::optional<Error> reset(const std::string &);
  std::optional<Error> undo(const std::string &);
  std::optional<Error> save(const std::string &path);
  std::optional<Error> load(const std::string &path);
  std::optional<Error> stats(const std::string &);
  std::optional<Error> ids(const std::string &);

  Model &model;
  Text &text;
  const ChatFormat format;
  const Options &options;
  NpyWriter *const logits;
  void (*const note)(const std::string &);
  LineReader lines;
  Generator generator;
  History history;
  /// What the cache holds; it may hold more behind that.
  TokenizedText cached;
  /// The last answer's; its `end` may be a signal or an output that failed.
  Generation last;
  bool checkedMarkers = false;
  std::string failure;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_CONVERSATION_H
