//===- Conversation.cpp - turn after turn on one cache --------------------===//
//
// See Conversation.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Conversation.h"

#include "runtime/Main/Files.h"
#include "runtime/Main/Report.h"
#include "runtime/Main/Signals.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace corellama::runtime {

Conversation::Conversation(Model &model, Text &text, ChatFormat format,
                           const Options &options, Constraint *constraint,
                           NpyWriter *logits, const char *programName,
                           void (*note)(const std::string &))
    : model(model), text(text), format(std::move(format)), options(options),
      logits(logits), note(note), lines(programName, pendingSignal),
      generator(model, options, text, constraint, logits, note),
      history(options.system) {}

int Conversation::run() {
  if (lines.isInteractive()) {
    allowInterrupts();
    fprintf(stderr,
            "A conversation with room for %llu tokens. /help says what else "
            "can be typed; Ctrl-D ends it.\n",
            static_cast<unsigned long long>(model.context()));
  }
  // Ctrl-C stops an answer; a second one in a row leaves.
  bool wasInterrupted = false;
  while (true) {
    std::string message;
    const LineReader::Event event = lines.read(message);
    if (event == LineReader::Event::end) {
      if (lines.isInteractive())
        fputc('\n', stderr);
      return 0;
    }
    if (event == LineReader::Event::failed ||
        event == LineReader::Event::tooLong) {
      failure = event == LineReader::Event::failed
                    ? std::string("standard input: cannot be read: ") +
                          strerror(errno)
                    : "standard input: a message has more than " +
                          std::to_string(LineReader::kMostBytes) +
                          " bytes; give a shorter one";
      return 1;
    }
    std::optional<Error> error;
    if (event == LineReader::Event::message) {
      wasInterrupted = false;
      error = handle(message);
    }
    if (last.end == End::failed) {
      failure = last.error;
      return 1;
    }
    if (last.end == End::outputClosed)
      return 0;
    if (const int signal = pendingSignal()) {
      if (wasInterrupted || !lines.isInteractive() || !dismissInterrupt())
        return 128 + signal;
      wasInterrupted = true;
      fputs(event == LineReader::Event::interrupted
                ? "\n(Ctrl-C again or Ctrl-D leaves)\n"
                : "(stopped; Ctrl-C again leaves)\n",
            stderr);
    }
    if (!error)
      continue;
    if (!lines.isInteractive()) {
      failure = error->message;
      return 1;
    }
    note(error->message);
  }
}

std::optional<Error> Conversation::handle(std::string &message) {
  if (message.find_first_not_of(" \t") == message.npos)
    return std::nullopt;
  if (message.starts_with('/') && !message.starts_with("//"))
    return command(message);
  // A message that begins with a slash.
  if (message.starts_with("//"))
    message.erase(0, 1);
  return answer(std::move(message));
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

std::optional<Error> Conversation::answer(std::string message) {
  History wanted = history;
  wanted.add("user", std::move(message));
  if (auto error = makePrompt(std::move(wanted), ""))
    return error;
  std::string spoken = generate();
  if (last.end == End::interrupted && spoken.empty())
    history.undo();
  else
    history.add("assistant", std::move(spoken));
  if (options.verbose)
    fputs(closingLine(std::nullopt, last).c_str(), stderr);
  if (last.end == End::grammarFailed)
    return Error{last.error};
  return std::nullopt;
}

/// The answer to what `cached` holds.
std::string Conversation::generate() {
  std::optional<uint64_t> count = options.count;
  Output output(text, options);
  generator.begin();
  while (true) {
    last = generator.answer(cached.ids(), count, output);
    // An interrupted prompt is not whole, and the last id not in the cache.
    cached.truncate(model.filled());
    for (size_t i = 0; i + 1 < last.ids.size(); ++i)
      cached.append(last.ids[i], text.tokens());
    if (count)
      *count -= last.ids.size();
    // Goes on with fewer turns in front of it.
    History shorter = history;
    if (last.end != End::contextFull || !options.dropsOldest ||
        !shorter.dropOldest() ||
        makePrompt(std::move(shorter), output.answer()))
      break;
  }
  if (last.end != End::failed)
    output.finish(last, /*inConversation=*/true);
  if (last.end == End::contextFull)
    note("the context of " + std::to_string(model.context()) +
         " tokens is full, the answer ended; " +
         (options.dropsOldest
              ? "a larger -c makes room"
              : "/undo and /reset make room, --context-full=drop-oldest does "
                "so by itself"));
  return output.answer();
}

/// Makes `cached` the ids of `wanted` and of what was `spoken` of the answer,
/// leaves in the cache what they have in common with it, and `wanted`, maybe
/// without its oldest turns, becomes the history. An error changes nothing.
std::optional<Error> Conversation::makePrompt(History wanted,
                                              const std::string &spoken) {
  // Where there is no room for a token of an answer the oldest turns are
  // dropped: so many that the next ones have room, too.
  auto isFull = [&](size_t tokens) {
    const bool hasDropped =
        wanted.messages().size() < history.messages().size();
    return tokens + (hasDropped ? model.context() / 4 : 1) > model.context();
  };
  TokenizedText next;
  TokenizedText::Change change;
  do {
    auto rendered = format.render(wanted.messages());
    if (!rendered)
      return Error{rendered.error()};
    rendered->append(spoken, templates::Origin::Content);
    next = cached;
    if (auto error =
            next.become(std::move(*rendered), text.tokens()).moveTo(change))
      return error;
  } while (options.dropsOldest && isFull(next.ids().size()) &&
           wanted.dropOldest());
  const size_t tokens = next.ids().size();
  if (tokens > model.context())
    return Error{"the conversation would have " + std::to_string(tokens) +
                 " tokens, the context has room for " +
                 std::to_string(model.context()) + "; " +
                 (options.dropsOldest || !History(history).undo()
                      ? "give a shorter message"
                      : "/undo drops the last turn, /reset all")};
  if (auto error = model.checkPrompt(next.ids()))
    return error;

  // Once: it is the template's, and costs a rendering.
  if (!std::exchange(checkedMarkers, true) && !options.refuseMarkers &&
      format.hasPlainMarkers())
    note(kPlainMarkersNote);
  if (change.lostBytes)
    note(lostBytesNote(change.lostBytes));
  if (const size_t before = history.messages().size(),
      after = wanted.messages().size();
      after < before)
    note("the oldest turns were dropped to make room: " +
         std::to_string(tokens) + " tokens in " + std::to_string(after) +
         (after == 1 ? " message" : " messages") +
         " are left, the context has room for " +
         std::to_string(model.context()));
  history = std::move(wanted);
  cached = std::move(next);
  // The logits of the last id are wanted, so it is computed in any case.
  return truncate(std::min(change.kept, tokens - 1));
}

/// Leaves the first ids in the cache, and their logits in the file.
std::optional<Error> Conversation::truncate(size_t tokens) {
  model.truncate(tokens);
  return logits ? logits->truncate(model.filled()) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Commands
//===----------------------------------------------------------------------===//

struct Conversation::Command {
  const char *name;
  /// The placeholder of its argument; null where there is none.
  const char *argument;
  const char *help;
  std::optional<Error> (Conversation::*run)(const std::string &argument);
};

const Conversation::Command Conversation::kCommands[] = {
    {"/reset", nullptr, "forget all turns", &Conversation::reset},
    {"/undo", nullptr, "forget the last turn", &Conversation::undo},
    {"/save", "FILE", "write the messages to FILE, as JSON",
     &Conversation::save},
    {"/load", "FILE", "go on with the messages of FILE", &Conversation::load},
    {"/stats", nullptr,
     "how long the last answer took, how full the context is",
     &Conversation::stats},
    {"/ids", nullptr, "print the token ids of the conversation",
     &Conversation::ids},
    {"/help", nullptr, "print this", &Conversation::help},
};

std::optional<Error> Conversation::command(std::string_view line) {
  line = line.substr(0, line.find_last_not_of(" \t") + 1);
  const std::string_view name = line.substr(0, line.find(' '));
  std::string_view argument = line.substr(name.size());
  argument.remove_prefix(
      std::min(argument.find_first_not_of(" \t"), argument.size()));
  for (const Command &command : kCommands) {
    if (name != command.name)
      continue;
    if (command.argument && argument.empty())
      return Error{std::string(name) + " needs a value; give " +
                   std::string(name) + " " + command.argument};
    if (!command.argument && !argument.empty())
      return Error{std::string(name) + " takes no value; leave out " +
                   quoted(argument)};
    return (this->*command.run)(std::string(argument));
  }
  return Error{"unknown command " + quoted(name) +
               "; /help lists them, and a message that begins with a slash "
               "begins with two"};
}

std::optional<Error> Conversation::help(const std::string &) {
  for (const Command &command : kCommands)
    fprintf(stderr, "  %-12s %s\n",
            (std::string(command.name) + " " +
             (command.argument ? command.argument : ""))
                .c_str(),
            command.help);
  fputs(
      "  A line that ends in \\ goes on in the next one, and all lines from\n"
      "  \"\"\" to \"\"\" are one message. A message that begins with a slash\n"
      "  is typed with two. Ctrl-C stops an answer, Ctrl-D ends the\n"
      "  conversation.\n",
      stderr);
  return std::nullopt;
}

std::optional<Error> Conversation::reset(const std::string &) {
  history = History(options.system);
  return forgetAllBut(history);
}

std::optional<Error> Conversation::undo(const std::string &) {
  if (!history.undo())
    return Error{"there is no turn to undo"};
  return forgetAllBut(history);
}

/// Truncates the cache to what it has in common with a conversation. One that
/// the template refuses (it has only a system message) has nothing.
std::optional<Error> Conversation::forgetAllBut(const History &wanted) {
  auto rendered =
      format.render(wanted.messages(), /*addGenerationPrompt=*/false);
  cached.keepBeginningOf(rendered ? *rendered : templates::String(),
                         text.tokens());
  return truncate(cached.ids().size());
}

/// A file's name, not a stream that a command line would have.
static std::optional<Error> checkName(const std::string &path) {
  if (path != "-")
    return std::nullopt;
  return Error{"- is no file here; give the name of one"};
}

std::optional<Error> Conversation::save(const std::string &path) {
  if (auto error = checkName(path))
    return error;
  auto json = history.json();
  if (!json)
    return Error{json.error()};
  return writeFile(path, *json);
}

std::optional<Error> Conversation::load(const std::string &path) {
  if (auto error = checkName(path))
    return error;
  auto bytes = readFile(path, "give a file that /save has written");
  if (!bytes)
    return Error{bytes.error()};
  auto loaded = History::parse(*bytes);
  if (!loaded)
    return Error{path + ": " + loaded.error()};
  if (auto rendered = format.render(loaded->messages()); !rendered)
    return Error{path + ": " + rendered.error()};
  history = std::move(*loaded);
  return forgetAllBut(history);
}

std::optional<Error> Conversation::stats(const std::string &) {
  if (last.promptTokens > 0)
    fputs(closingLine(std::nullopt, last).c_str(), stderr);
  const size_t messages = history.messages().size();
  fprintf(stderr, "context: %zu of %llu tokens, %zu message%s\n",
          cached.ids().size(), static_cast<unsigned long long>(model.context()),
          messages, messages == 1 ? "" : "s");
  return std::nullopt;
}

std::optional<Error> Conversation::ids(const std::string &) {
  std::string line;
  for (int32_t id : cached.ids())
    line += (line.empty() ? "" : ",") + std::to_string(id);
  puts(line.c_str());
  fflush(stdout);
  return std::nullopt;
}

} // namespace corellama::runtime
