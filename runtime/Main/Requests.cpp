//===- Requests.cpp - requests from a tool, answers from the program ------===//
//
// See Requests.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Requests.h"

#include "runtime/Main/Signals.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace corellama::runtime {

std::optional<Error> RequestServer::serve(FILE *in, FILE *out) {
  char *line = nullptr;
  size_t capacity = 0;
  std::optional<Error> error;
  for (ssize_t bytes; !error && !pendingSignal() &&
                      (bytes = getline(&line, &capacity, in)) > 0;) {
    std::string_view request(line, size_t(bytes));
    request = request.substr(0, request.find('\n'));
    error = answer(request, in, out);
    if (failure)
      error = failure;
    if (!error && fflush(out) != 0)
      error = Error{"cannot write an answer to `corellama " +
                    std::string(command) + "`"};
  }
  free(line);
  return error;
}

Error RequestServer::noRequest(std::string_view line) const {
  return {"no request of `corellama " + std::string(command) +
          "` or out of bounds: " + quoted(line)};
}

std::string_view RequestServer::nextWord(std::string_view &line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

bool RequestServer::parseNumber(std::string_view word, uint64_t least,
                                uint64_t most, uint64_t &value) {
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() &&
         value >= least && value <= most;
}

uint64_t RequestServer::appendAll(std::span<const int32_t> ids) {
  uint64_t rows = 0;
  if (failure)
    return 0;
  for (; !ids.empty(); ids = ids.subspan(rows)) {
    rows = std::min<uint64_t>(ids.size(), model.batch());
    if ((failure = model.append(ids.first(rows))))
      return 0;
  }
  return rows;
}

} // namespace corellama::runtime
