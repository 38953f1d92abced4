//===- Bench.cpp - the program measures itself for `corellama bench` ------===//
//
// See Bench.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Bench.h"

#include "runtime/Main/Report.h"
#include "runtime/Main/Signals.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace corellama::runtime {

namespace {
struct Dispatch {
  const abi::Kernel *kernel;
  uint32_t layer;
};

/// What a traced step does: a step's function has no argument for it. All
/// workers read it, worker 0 writes the times.
struct Trace {
  std::vector<Dispatch> dispatches;
  std::vector<int64_t> times;
};
Trace trace;

void traceStep(const abi::Context *context, void *scratch, uint32_t worker,
               uint32_t workers) {
  int64_t before = Stopwatch::now();
  for (size_t i = 0; i < trace.dispatches.size(); ++i) {
    const auto &[kernel, layer] = trace.dispatches[i];
    if (kernel) {
      // The worker's share, as passes/CPU/CPUStepToWorkers.cpp has it.
      const uint64_t parts = kernel->parts(context->rows, context->keyCount);
      const auto begin = uint32_t(parts * worker / workers),
                 end = uint32_t(parts * (worker + 1) / workers);
      if (begin < end)
        kernel->function(context, scratch, layer, begin, end);
    }
    corellama_barrier(context->threads, worker);
    if (worker == 0) {
      const int64_t after = Stopwatch::now();
      trace.times[i] = after - before;
      before = after;
    }
  }
}

/// The next word of a line; empty at its end.
std::string_view nextWord(std::string_view &line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \n"), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(" \n"));
  line.remove_prefix(word.size());
  return word;
}

bool parseNumber(std::string_view word, uint64_t least, uint64_t most,
                 uint64_t &value) {
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc() && end == word.data() + word.size() &&
         value >= least && value <= most;
}

/// One conversation of requests and answers.
class Server {
public:
  Server(Model &model, const abi::Program &program)
      : model(model), kernels(program.kernels, program.kernelCount) {}

  /// The times of one request; empty: it is wrong.
  std::vector<int64_t> answer(std::string_view line) {
    const std::string_view what = nextWord(line);
    uint64_t count, depth, wanted;
    if (what == "barriers") {
      if (!parseNumber(nextWord(line), 1, kMost, count) ||
          !nextWord(line).empty())
        return {};
      trace.dispatches.assign(count, {nullptr, 0});
      return runTrace();
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
      append(count);
      if (wanted)
        logits(count, wanted);
      return runTrace();
    }
    if (!nextWord(line).empty())
      return {};
    fill(depth);
    const int64_t before = Stopwatch::now();
    if (what == "prompt") {
      logits(appendAll(count), 1);
    } else {
      for (uint64_t i = 0; i < count; ++i) {
        append(1);
        logits(1, 1);
      }
    }
    return {Stopwatch::now() - before};
  }

private:
  /// A bound of requests without one of their own.
  static constexpr uint64_t kMost = 1 << 20;

  bool parseDispatches(std::string_view line) {
    trace.dispatches.clear();
    for (std::string_view word; !(word = nextWord(line)).empty();) {
      const size_t colon = std::min(word.find(':'), word.size() - 1);
      uint64_t kernel, layer;
      if (trace.dispatches.size() == kMost ||
          !parseNumber(word.substr(0, colon), 0, kernels.size() - 1, kernel) ||
          !parseNumber(word.substr(colon + 1), 0, model.layers() - 1, layer))
        return false;
      trace.dispatches.push_back({&kernels[kernel], uint32_t(layer)});
    }
    return !trace.dispatches.empty();
  }

  std::vector<int64_t> runTrace() {
    trace.times.assign(trace.dispatches.size(), 0);
    model.runStep(traceStep);
    return trace.times;
  }

  /// The cache holds `depth` ids, whatever it held before.
  void fill(uint64_t depth) {
    model.truncate(depth);
    if (model.filled() < depth)
      appendAll(depth - model.filled());
  }

  /// Returns the rows of the last call.
  uint64_t appendAll(uint64_t count) {
    uint64_t rows = 0;
    for (; count; count -= rows) {
      rows = std::min(count, model.batch());
      append(rows);
    }
    return rows;
  }

  void append(uint64_t rows) {
    ids.resize(rows);
    // A prime step goes through the vocabulary, whatever its size.
    for (int32_t &id : ids)
      id = int32_t((nextId += 7919) % model.vocabulary());
    model.append(ids);
  }

  /// The logits that follow the last `wanted` of a call's `rows`.
  void logits(uint64_t rows, uint64_t wanted) {
    ids.resize(wanted);
    for (uint64_t i = 0; i < wanted; ++i)
      ids[i] = int32_t(rows - wanted + i);
    model.logits(ids);
  }

  Model &model;
  const std::span<const abi::Kernel> kernels;
  std::vector<int32_t> ids;
  uint64_t nextId = 0;
};
} // namespace

std::optional<Error> serveBench(Model &model, const abi::Program &program,
                                FILE *in, FILE *out) {
  Server server(model, program);
  char *line = nullptr;
  size_t capacity = 0;
  std::optional<Error> error;
  for (ssize_t bytes; !error && !pendingSignal() &&
                      (bytes = getline(&line, &capacity, in)) > 0;) {
    const std::string_view request(line, size_t(bytes));
    const std::vector<int64_t> times = server.answer(request);
    if (times.empty())
      error = Error{"--bench: no request or out of bounds: " +
                    quoted(request.substr(0, request.find('\n'))) +
                    "; `corellama bench PROGRAM` makes them"};
    for (size_t i = 0; i < times.size(); ++i)
      fprintf(out, "%s%lld", i ? " " : "", static_cast<long long>(times[i]));
    if (!error && (fputc('\n', out) == EOF || fflush(out) != 0))
      error = Error{"--bench: cannot write an answer"};
  }
  free(line);
  return error;
}

} // namespace corellama::runtime
