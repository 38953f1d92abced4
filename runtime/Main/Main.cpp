//===- Main.cpp - the life of a compiled program --------------------------===//
//
// From the command line to the exit code, in order. Each paragraph calls one
// folder or file of the runtime; they call each other only through here.
//
//===----------------------------------------------------------------------===//

#include "runtime/Executor/Backend.h"
#include "runtime/Main/Bench.h"
#include "runtime/Main/Conversation.h"
#include "runtime/Main/Generate.h"
#include "runtime/Main/Model.h"
#include "runtime/Main/Npy.h"
#include "runtime/Main/Options.h"
#include "runtime/Main/Output.h"
#include "runtime/Main/Report.h"
#include "runtime/Main/Score.h"
#include "runtime/Main/Signals.h"
#include "runtime/Main/Text.h"
#include "runtime/Support/Stopwatch.h"
#include "runtime/Weights/MappedImage.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <unistd.h>
#include <utility>

using namespace corellama::runtime;

static const char *programName = "corellama";

static int fail(const std::string &message, int exitCode = 1) {
  fprintf(stderr, "%s: %s\n", programName, message.c_str());
  return exitCode;
}

static void note(const std::string &message) {
  fprintf(stderr, "%s: note: %s\n", programName, message.c_str());
}

[[noreturn]] static void outOfMemory() {
  fail("out of memory; close other programs or give a smaller -c");
  _exit(1);
}

/// Writes what the program was asked for, to standard output; the exit code.
static int print(const Result<std::string> &text) {
  if (!text)
    return fail(text.error());
  if (fputs(text->c_str(), stdout) < 0 || fflush(stdout) != 0)
    return fail(std::string("standard output cannot be written: ") +
                strerror(errno) + "; give a file or a pipe with room");
  return 0;
}

static int exitCodeOf(const Generation &generation, const Model &model) {
  switch (generation.end) {
  case End::count:
  case End::endToken:
  case End::stopText:
  case End::outputClosed:
    return 0;
  case End::contextFull:
    note("the context of " + std::to_string(model.context()) +
         " tokens is full, generation ended");
    return 0;
  case End::interrupted:
    return 128 + pendingSignal();
  case End::grammarFailed:
  case End::failed:
    return fail(generation.error);
  }
  __builtin_unreachable();
}

/// Ends the model, whose answer is out; the exit code. One line of error is
/// enough, and behind a signal there is to be none.
static int close(Model &model, int exitCode) {
  const auto error = model.close();
  return error && exitCode == 0 ? fail(error->message) : exitCode;
}

/// A signal may be why the model did not start; that is no error.
static int failToStart(const std::string &message) {
  return pendingSignal() ? 128 + pendingSignal() : fail(message);
}

/// Turn after turn; the exit code.
static int talk(Backend &backend, const Options &options,
                const MappedImage &image, Text &text, Constraint *constraint) {
  auto format = text.chatFormat(options);
  if (!format)
    return fail(format.error());
  if (!format->note().empty())
    note(format->note());
  // Ctrl-C and the line of progress wait for a call: not for 512 rows of it
  // where somebody watches. The bits do not depend on it.
  Options sized = options;
  constexpr uint64_t kRows = 64;
  if (!sized.batch && isatty(STDIN_FILENO))
    sized.batch = std::min(kRows, backend.facts().rows);
  auto model = Model::create(backend, image, sized);
  if (!model)
    return failToStart(model.error());
  if (auto error = checkSampling(options, **model))
    return fail(error->message);
  NpyWriter logits;
  if (options.logitsOut)
    if (auto error = logits.open(*options.logitsOut, image.header->vocabulary))
      return fail(error->message);
  Conversation conversation(**model, text, std::move(*format), options,
                            constraint, options.logitsOut ? &logits : nullptr,
                            programName, note);
  const int exitCode = conversation.run();
  if (!conversation.error().empty())
    return fail(conversation.error());
  if (exitCode == 0 && options.logitsOut)
    if (auto error = logits.finish())
      return fail(error->message);
  return close(**model, exitCode);
}

int main(int argc, char **argv) {
  const Stopwatch sinceStart;
  std::set_new_handler(outOfMemory);
  if (argc > 0 && argv[0])
    programName = baseName(argv[0]);

  const std::unique_ptr<Backend> backend = createBackend();
  DeviceQuestions *const devices = backend->devices();
  auto options = parseOptions({argv + 1, argv + (argc > 0 ? argc : 1)},
                              devices ? Machine::gpu : Machine::cpu);
  if (!options)
    return fail(options.error(), 2);
  const auto notChosen = backend->choose(options->target);
  if (options->help)
    return print(helpText(programName, devices ? Machine::gpu : Machine::cpu));
  if (options->version)
    return print("corellama " CORELLAMA_VERSION ", compiled for " +
                 backend->describe() + "\n");
  const bool talks = isConversation(*options, isatty(STDIN_FILENO));
  if (auto error = checkPromptOptions(*options, talks, programName))
    return fail(error->message, 2);
  if (options->listDevices)
    return print(devices->listDevices());

  // No generated code runs before this.
  if (notChosen)
    return fail(notChosen->message);
  installSignalHandlers(programName);

  auto image = findImage();
  if (!image)
    return fail(image.error());
  if (options->plan)
    return print(
        devices->plan(*image, options->context.value_or(image->header->context),
                      options->bandwidth.value_or(kDefaultBandwidth)));
  auto text = Text::create(*image);
  if (!text)
    return fail(text.error());
  if (options->score && !text->canDecode())
    return fail("this program can read no text: " + text->whyNot());
  if (options->bench || options->score) {
    auto model = Model::create(*backend, *image, *options);
    if (!model)
      return failToStart(model.error());
    auto error = options->bench ? serveBench(**model, stdin, stdout)
                                : serveScore(**model, *text, stdin, stdout);
    if (error)
      return fail(error->message);
    return close(**model, pendingSignal() ? 128 + pendingSignal() : 0);
  }
  if (!options->outputIds && !options->logprobs && !text->canDecode())
    return fail("this program can print no text: " + text->whyNot() +
                "; give --prompt-ids and --output-ids");

  if (!options->stops.empty() && !text->canDecode())
    return fail("--stop looks for text: " + text->whyNot() + "; leave it out");

  auto constraint = text->constraint(*options);
  if (!constraint)
    return fail(constraint.error());

  if (talks)
    return talk(*backend, *options, *image, *text, constraint->get());

  auto prompt = text->promptIds(*options);
  if (pendingSignal())
    return 128 + pendingSignal();
  if (!prompt)
    return fail(prompt.error());
  if (prompt->bytesLeftOut)
    note(lostBytesNote(prompt->bytesLeftOut));
  if (prompt->hasPlainMarkers)
    note(kPlainMarkersNote);
  if (!prompt->formatNote.empty())
    note(prompt->formatNote);

  auto model = Model::create(*backend, *image, *options);
  if (!model)
    return failToStart(model.error());
  Model &running = **model;
  if (auto error = checkSampling(*options, running))
    return fail(error->message);
  if (auto error = running.checkPrompt(prompt->ids))
    return fail(error->message);

  NpyWriter logits;
  if (options->logitsOut)
    if (auto error =
            logits.open(*options->logitsOut, image->header->vocabulary))
      return fail(error->message);
  Output output(*text, *options);
  const double loadSeconds = sinceStart.seconds();

  Generator generator(running, *options, *text, constraint->get(),
                      options->logitsOut ? &logits : nullptr, note);
  Generation generation = generator.answer(prompt->ids, options->count, output);
  if (generation.end != End::failed)
    output.finish(generation);
  if (generation.end != End::failed && generation.end != End::interrupted &&
      options->logitsOut)
    if (auto error = logits.finish())
      return fail(error->message);

  const int exitCode = exitCodeOf(generation, running);
  if (options->verbose && generation.end != End::failed)
    fputs(closingLine(loadSeconds, generation).c_str(), stderr);
  return close(running, exitCode);
}
