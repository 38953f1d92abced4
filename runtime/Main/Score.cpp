//===- Score.cpp - a text's ids and logits for `corellama perplexity` -----===//
//
// See Score.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Score.h"

#include "runtime/Main/Requests.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace corellama::runtime {

namespace {
class ScoreServer : public RequestServer {
public:
  ScoreServer(Model &model, Text &text)
      : RequestServer(model, "perplexity"), text(text) {}

private:
  std::optional<Error> answer(std::string_view line, FILE *in,
                              FILE *out) override {
    std::string_view words = line;
    const std::string_view what = nextWord(words);
    if (what == "ids")
      return writeIds(line, words, in, out);
    if (what == "logits")
      return writeLogits(line, words, out);
    return noRequest(line);
  }

  std::optional<Error> writeIds(std::string_view line, std::string_view words,
                                FILE *in, FILE *out) {
    uint64_t bytes;
    if (!parseNumber(nextWord(words), 0, kMaxTextBytes, bytes) ||
        !words.empty())
      return noRequest(line);
    std::string characters(bytes, '\0');
    if (const size_t read = fread(characters.data(), 1, bytes, in);
        read != bytes)
      return Error{"the text of " + quoted(line) + " ended after " +
                   std::to_string(read) + " bytes"};
    auto prompt = text.textIds(characters);
    if (!prompt)
      return Error{prompt.error()};
    fprintf(out, "%d %zu", text.beginsWithBos(), prompt->bytesLeftOut);
    for (int32_t id : prompt->ids)
      fprintf(out, " %d", id);
    fputc('\n', out);
    return std::nullopt;
  }

  std::optional<Error> writeLogits(std::string_view line,
                                   std::string_view words, FILE *out) {
    uint64_t depth, wanted, id;
    if (!parseNumber(nextWord(words), 0, model.filled(), depth) ||
        !parseNumber(nextWord(words), 0, model.context(), wanted))
      return noRequest(line);
    std::vector<int32_t> ids;
    for (std::string_view word; !(word = nextWord(words)).empty();) {
      if (!parseNumber(word, 0, model.vocabulary() - 1, id))
        return noRequest(line);
      ids.push_back(int32_t(id));
    }
    if (ids.size() < std::max<uint64_t>(wanted, 1) ||
        ids.size() > model.context() - depth)
      return noRequest(line);
    const uint64_t before = model.filled();
    model.truncate(depth);
    if (model.filled() != depth)
      return Error{"cannot go back from position " + std::to_string(before) +
                   " to " + std::to_string(depth) +
                   ": attention has a window, and the cache holds no more what "
                   "it sees from there; begin again at position 0"};
    const std::span<const int32_t> all(ids);
    appendAll(all.first(ids.size() - wanted));
    for (auto rest = all.last(wanted); !failure && !rest.empty();) {
      const auto call = rest.first(std::min(rest.size(), model.batch()));
      appendAll(call);
      if (!failure)
        failure =
            model.visitLogits(call.size(), [&](std::span<const float> row) {
              return fwrite(row.data(), sizeof(float), row.size(), out) ==
                     row.size();
            });
      rest = rest.subspan(call.size());
    }
    return std::nullopt; // what could not be written is seen by the caller
  }

  Text &text;
};
} // namespace

std::optional<Error> serveScore(Model &model, Text &text, FILE *in, FILE *out) {
  return ScoreServer(model, text).serve(in, out);
}

} // namespace corellama::runtime
