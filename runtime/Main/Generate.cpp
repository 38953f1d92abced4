//===- Generate.cpp - from a prompt to an answer --------------------------===//
//
// See Generate.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Generate.h"

#include "runtime/Main/Output.h"
#include "runtime/Main/Report.h"
#include "runtime/Main/Signals.h"
#include "runtime/Main/Text.h"
#include "runtime/Sampling/Sampler.h"

#include <algorithm>
#include <cmath>
#include <sys/random.h>

namespace corellama::runtime {

static SamplerSettings settingsFor(const Options &options) {
  SamplerSettings settings = options.sampling;
  if (options.seed)
    settings.seed = *options.seed;
  else if (getrandom(&settings.seed, sizeof(settings.seed), 0) !=
           sizeof(settings.seed))
    settings.seed = uint64_t(Stopwatch::now());
  return settings;
}

namespace {
/// One run of generate(): its methods share the outcome.
class Run {
public:
  Run(Model &model, NpyWriter *logits) : model(model), logits(logits) {}

  Generation outcome;

  /// Runs the whole prompt. `wanted` is how many rows of logits are written.
  bool readPrompt(std::span<const int32_t> prompt, uint64_t wanted) {
    for (size_t start = 0; start < prompt.size(); start += model.batch()) {
      auto rows = prompt.subspan(
          start, std::min<size_t>(model.batch(), prompt.size() - start));
      if (!mayGoOn())
        return false;
      progress.show(start, prompt.size());
      model.append(rows);
      lastRow = int32_t(rows.size() - 1);
      const uint64_t count = std::min<uint64_t>(rows.size(), wanted - start);
      if (logits && !model.visitLogits(count, [&](std::span<const float> row) {
            return write(row);
          }))
        return false;
    }
    progress.clear();
    return mayGoOn();
  }

  bool write(std::span<const float> row) {
    if (!logits)
      return true;
    if (auto error = logits->append(row)) {
      outcome.error = error->message;
      return stop(End::failed);
    }
    return true;
  }

  bool mayGoOn() { return pendingSignal() == 0 || stop(End::interrupted); }

  bool stop(End why) {
    outcome.end = why;
    return false;
  }

  /// The row of the last call that the next id follows.
  int32_t lastRow = 0;

private:
  Model &model;
  NpyWriter *logits;
  PromptProgress progress;
};
} // namespace

Generation generate(Model &model, std::span<const int32_t> prompt,
                    const Options &options, const Text &text, Output &output,
                    NpyWriter *logits, void (*note)(const std::string &)) {
  Run run(model, logits);
  Generation &outcome = run.outcome;
  Stopwatch watch;
  // The last id's row of logits is written only if another id follows.
  const bool noIds = options.count == uint64_t(0);
  if (!run.readPrompt(prompt, prompt.size() - (noIds ? 1 : 0)))
    return outcome;
  outcome.promptTokens = prompt.size();
  if (noIds) {
    outcome.promptSeconds = watch.seconds();
    return outcome;
  }

  const SamplerSettings settings = settingsFor(options);
  outcome.seed = settings.seed;
  Sampler sampler(settings);
  bool noted = false;
  auto sample = [&](std::span<const float> row) {
    const int32_t id = sampler.sample(row);
    // A NaN in the model's state makes all logits NaN, so one is checked.
    if (!noted && std::isnan(row[size_t(id)])) {
      note("the model's logits are no numbers (NaN), so its ids mean nothing; "
           "the checkpoint is damaged or overflows float32");
      noted = true;
    }
    return id;
  };
  int32_t id = sample(model.logits({&run.lastRow, 1}));
  outcome.promptSeconds = watch.seconds();

  watch = Stopwatch();
  for (uint64_t ids = 1;; ++ids) {
    const bool isEnd = text.endsAnswer(id);
    if (!output.put(id)) {
      outcome.error = output.error();
      run.stop(outcome.error.empty() ? End::outputClosed : End::failed);
      break;
    }
    if (isEnd && !options.ignoreEnd) {
      run.stop(End::endToken);
      break;
    }
    if (ids == options.count) {
      run.stop(End::count);
      break;
    }
    if (model.filled() == model.context()) {
      run.stop(End::contextFull);
      break;
    }
    if (!run.mayGoOn())
      break;
    model.append({&id, 1});
    ++outcome.decodeTokens;
    const int32_t only = 0;
    auto row = model.logits({&only, 1});
    if (!run.write(row))
      break;
    id = sample(row);
  }
  outcome.decodeSeconds = watch.seconds();
  return outcome;
}

} // namespace corellama::runtime
