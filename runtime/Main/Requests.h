//===- Requests.h - requests from a tool, answers from the program --------===//
//
// `corellama bench` and `corellama perplexity` start a program and ask it over
// a pipe: a line for each request. So what is measured is the program that
// people run, with its threads, cache and code. A file of its own because the
// loop, the words and the errors are the same for all requests.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_REQUESTS_H
#define CORELLAMA_RUNTIME_MAIN_REQUESTS_H

#include "runtime/Main/Model.h"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <string_view>

namespace corellama::runtime {

class RequestServer {
public:
  /// `command` is the tool's, for messages: "bench".
  RequestServer(Model &model, const char *command)
      : model(model), command(command) {}
  virtual ~RequestServer() = default;

  /// Answers the requests of `in` on `out` until `in` ends, a signal comes or a
  /// request is wrong.
  std::optional<Error> serve(FILE *in, FILE *out);

protected:
  /// Answers one request, whose line has no end; the error is why it cannot,
  /// unless `failure` says that.
  virtual std::optional<Error> answer(std::string_view line, FILE *in,
                                      FILE *out) = 0;

  /// That a line is no request of the tool.
  Error noRequest(std::string_view line) const;

  /// The next word of a line, removed from it; empty at the line's end.
  static std::string_view nextWord(std::string_view &line);
  /// Whether a word is a number from `least` to `most`.
  static bool parseNumber(std::string_view word, uint64_t least, uint64_t most,
                          uint64_t &value);

  /// Appends any number of ids to the cache, which has room for them, unless a
  /// call has failed before. Returns the rows of the last call, 0 after a
  /// failure.
  uint64_t appendAll(std::span<const int32_t> ids);

  Model &model;
  /// What computes has failed.
  std::optional<Error> failure;

private:
  const char *command;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_REQUESTS_H
