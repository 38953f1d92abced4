//===- Score.cpp - a text's ids and logits for `corellama perplexity` -----===//
//
// See Score.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Score.h"

#include "runtime/Main/Requests.h"

#include <algorithm>
#include <string>
#include <vector>

namespace corellama::runtime {

namespace {
class ScoreServer : public RequestServer {
public:
  ScoreServer(Model &model, Text &text)
      : RequestServer(model, "perplexity"), text(text) {}

private:
  bool answer(std::string_view line, FILE *in, FILE *out) override {
    const std::string_view what = nextWord(line);
    return (what == "ids" && writeIds(line, in, out)) ||
           (what == "logits" && writeLogits(line, out));
  }

  bool writeIds(std::string_view line, FILE *in, FILE *out) {
    uint64_t bytes;
    if (!parseNumber(nextWord(line), 0, kMaxTextBytes, bytes) || !line.empty())
      return false;
    std::string characters(bytes, '\0');
    if (fread(characters.data(), 1, bytes, in) != bytes)
      return false;
    auto prompt = text.textIds(characters);
    if (!prompt)
      return false;
    fprintf(out, "%d %zu", text.beginsWithBos(), prompt->bytesLeftOut);
    for (int32_t id : prompt->ids)
      fprintf(out, " %d", id);
    fputc('\n', out);
    return true;
  }

  bool writeLogits(std::string_view line, FILE *out) {
    uint64_t depth, wanted, id;
    if (!parseNumber(nextWord(line), 0, model.filled(), depth) ||
        !parseNumber(nextWord(line), 0, model.context(), wanted))
      return false;
    std::vector<int32_t> ids;
    for (std::string_view word; !(word = nextWord(line)).empty();) {
      if (!parseNumber(word, 0, model.vocabulary() - 1, id))
        return false;
      ids.push_back(int32_t(id));
    }
    if (ids.size() < std::max<uint64_t>(wanted, 1) ||
        ids.size() > model.context() - depth)
      return false;
    model.truncate(depth);
    if (model.filled() != depth)
      return false; // a window no longer reaches back so far
    const std::span<const int32_t> all(ids);
    appendAll(all.first(ids.size() - wanted));
    for (auto rest = all.last(wanted); !rest.empty();) {
      const auto call = rest.first(std::min(rest.size(), model.batch()));
      model.append(call);
      model.visitLogits(call.size(), [&](std::span<const float> row) {
        return fwrite(row.data(), sizeof(float), row.size(), out) == row.size();
      });
      rest = rest.subspan(call.size());
    }
    return true;
  }

  Text &text;
};
} // namespace

std::optional<Error> serveScore(Model &model, Text &text, FILE *in, FILE *out) {
  return ScoreServer(model, text).serve(in, out);
}

} // namespace corellama::runtime
