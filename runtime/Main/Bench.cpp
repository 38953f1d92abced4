//===- Bench.cpp - the program measures itself for `corellama bench` ------===//
//
// See Bench.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Bench.h"

#include "runtime/Main/Report.h"
#include "runtime/Main/Requests.h"
#include "runtime/Sampling/Sampler.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

namespace corellama::runtime {

namespace {
class BenchServer : public RequestServer {
public:
  explicit BenchServer(Model &model) : RequestServer(model, "bench") {}

private:
  std::optional<Error> answer(std::string_view line, FILE *,
                              FILE *out) override {
    const std::vector<int64_t> times = measure(line);
    if (times.empty())
      return noRequest(line);
    for (size_t i = 0; i < times.size(); ++i)
      fprintf(out, "%s%lld", i ? " " : "", static_cast<long long>(times[i]));
    fputc('\n', out);
    return std::nullopt;
  }

  /// The times of one request; empty: it is wrong.
  std::vector<int64_t> measure(std::string_view line) {
    const std::string_view what = nextWord(line);
    uint64_t count, depth, wanted;
    if (what == "variant")
      return {int64_t(model.variant())};
    if (what == "barriers") {
      if (!parseNumber(nextWord(line), 1, kMost, count) ||
          !nextWord(line).empty())
        return {};
      dispatches.assign(count, {std::nullopt, 0});
      return runTrace();
    }
    if (what == "again" || what == "empty") {
      if (!hasCall || !parseDispatches(line))
        return {};
      for (Dispatch &dispatch : dispatches)
        dispatch.isEmpty = what == "empty";
      return runTrace();
    }
    if (what == "answer") {
      // The id that the answer's first one follows needs a position, too.
      if (model.context() < 2 ||
          !parseNumber(nextWord(line), 1, model.context() - 1, count) ||
          !parseNumber(nextWord(line), 0, model.context() - 1 - count, depth) ||
          !nextWord(line).empty())
        return {};
      return answerFor(count, depth);
    }
    if ((what != "prompt" && what != "generate" && what != "trace") ||
        !parseNumber(nextWord(line), 1, model.context(), count) ||
        !parseNumber(nextWord(line), 0, model.context() - count, depth))
      return {};
    if (what == "trace") {
      if (count > model.batch() ||
          !parseNumber(nextWord(line), 0, std::min(count, model.wanted()),
                       wanted) ||
          !parseDispatches(line))
        return {};
      fill(depth);
      appendMadeUp(count);
      if (wanted)
        logits(count, wanted);
      hasCall = true;
      return runTrace();
    }
    if (!nextWord(line).empty())
      return {};
    hasCall = false;
    fill(depth);
    const int64_t before = Stopwatch::now();
    if (what == "prompt") {
      logits(appendMadeUp(count), 1);
    } else {
      for (uint64_t i = 0; i < count && !failure; ++i) {
        appendMadeUp(1);
        logits(1, 1);
      }
    }
    return failure ? std::vector<int64_t>()
                   : std::vector<int64_t>{Stopwatch::now() - before};
  }

  /// A bound of requests without one of their own.
  static constexpr uint64_t kMost = 1 << 20;

  bool parseDispatches(std::string_view line) {
    dispatches.clear();
    for (std::string_view word; !(word = nextWord(line)).empty();) {
      const size_t colon = std::min(word.find(':'), word.size() - 1);
      uint64_t kernel, layer;
      if (dispatches.size() == kMost || model.kernels() == 0 ||
          !parseNumber(word.substr(0, colon), 0, model.kernels() - 1, kernel) ||
          !parseNumber(word.substr(colon + 1), 0, model.layers() - 1, layer))
        return false;
      dispatches.push_back({uint32_t(kernel), uint32_t(layer)});
    }
    return !dispatches.empty();
  }

  std::vector<int64_t> runTrace() {
    std::vector<int64_t> times;
    if (!failure)
      failure = model.trace(dispatches).moveTo(times);
    return times;
  }

  /// Greedy ids as Generator::answer takes them: of the model's loop where it
  /// has one, else by a sampler. From the first id to the last of `count` more.
  std::vector<int64_t> answerFor(uint64_t count, uint64_t depth) {
    hasCall = false;
    fill(depth);
    appendMadeUp(1);
    Sampler sampler({.temperature = 0});
    const bool loops = !failure && model.canLoop(sampler.given());
    if (loops)
      failure = model.beginLoop(sampler, 0, count + 1, {});
    else
      logits(1, 1);
    int32_t id = choose(loops, sampler);
    const int64_t before = Stopwatch::now();
    for (uint64_t i = 0; i < count && !failure; ++i) {
      if (!loops) {
        failure = model.append({&id, 1});
        logits(1, 1);
      }
      id = choose(loops, sampler);
    }
    const int64_t passed = Stopwatch::now() - before;
    if (loops && !failure)
      failure = model.endLoop(depth + 1 + count);
    return failure ? std::vector<int64_t>() : std::vector<int64_t>{passed};
  }

  /// The loop's next id, or that of the last logits; 0 after a failure.
  int32_t choose(bool loops, Sampler &sampler) {
    TokenLoop::Id next = {};
    if (loops && !failure)
      failure = model.nextId().moveTo(next);
    if (loops || failure)
      return next.id;
    next.id = sampler.sample(lastLogits);
    sampler.accept(next.id);
    return next.id;
  }

  /// The cache holds `depth` ids, whatever it held before.
  void fill(uint64_t depth) {
    model.truncate(depth);
    if (model.filled() < depth)
      appendMadeUp(depth - model.filled());
  }

  /// Returns the rows of the last call.
  uint64_t appendMadeUp(uint64_t count) {
    ids.resize(count);
    // A prime step goes through the vocabulary, whatever its size.
    for (int32_t &id : ids)
      id = int32_t((nextId += 7919) % model.vocabulary());
    return appendAll(ids);
  }

  /// The logits that follow the last `wanted` of a call's `rows`.
  void logits(uint64_t rows, uint64_t wanted) {
    ids.resize(wanted);
    for (uint64_t i = 0; i < wanted; ++i)
      ids[i] = int32_t(rows - wanted + i);
    if (!failure)
      failure = model.logits(ids).moveTo(lastLogits);
  }

  std::vector<Dispatch> dispatches;
  /// Whether the last call is one that was traced.
  bool hasCall = false;
  std::vector<int32_t> ids;
  /// Valid until the model's next call.
  std::span<const float> lastLogits;
  uint64_t nextId = 0;
};
} // namespace

std::optional<Error> serveBench(Model &model, FILE *in, FILE *out) {
  return BenchServer(model).serve(in, out);
}

} // namespace corellama::runtime
