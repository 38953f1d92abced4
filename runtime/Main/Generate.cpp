//===- Generate.cpp - from a prompt to an answer --------------------------===//
//
// See Generate.h.
//
//===----------------------------------------------------------------------===//

#include "runtime/Main/Generate.h"

#include "runtime/Drafts/DraftLength.h"
#include "runtime/Drafts/NgramDrafts.h"
#include "runtime/Grammar/Constraint.h"
#include "runtime/Main/Output.h"
#include "runtime/Main/Report.h"
#include "runtime/Main/Signals.h"
#include "runtime/Main/Text.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <sys/random.h>
#include <utility>
#include <vector>

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

  /// Runs what of the prompt is not in the cache. `wanted` is up to which id
  /// rows of logits are written.
  bool readPrompt(std::span<const int32_t> prompt, uint64_t wanted) {
    const size_t first = model.filled();
    for (size_t start = first; start < prompt.size(); start = model.filled()) {
      auto rows = prompt.subspan(
          start, std::min<size_t>(model.batch(), prompt.size() - start));
      if (!mayGoOn())
        return false;
      progress.show(start - first, prompt.size() - first);
      if (auto error = model.append(rows))
        return fail(std::move(error->message));
      lastRow = int32_t(rows.size() - 1);
      const uint64_t count = std::min<uint64_t>(rows.size(), wanted - start);
      if (!logits)
        continue;
      bool isWritten = true;
      if (auto error =
              model.visitLogits(count, [&](std::span<const float> row) {
                return isWritten = write(row);
              }))
        return fail(std::move(error->message));
      if (!isWritten)
        return false;
    }
    progress.clear();
    return mayGoOn();
  }

  bool write(std::span<const float> row) {
    if (!logits)
      return true;
    if (auto error = logits->append(row))
      return fail(std::move(error->message));
    return true;
  }

  bool mayGoOn() { return pendingSignal() == 0 || stop(End::interrupted); }

  bool stop(End why) {
    outcome.end = why;
    return false;
  }

  bool fail(std::string message) {
    outcome.error = std::move(message);
    return stop(End::failed);
  }

  /// The row of the last call that the next id follows.
  int32_t lastRow = 0;

private:
  Model &model;
  NpyWriter *logits;
  PromptProgress progress;
};

/// Decode calls: an id, and where drafts are wanted ids that may follow it. The
/// logits that follow them are kept, for as long as the drafts are what is
/// chosen.
class Decoder {
public:
  Decoder(Model &model, Generation &outcome, bool drafts,
          std::span<const int32_t> prompt)
      : model(model), outcome(outcome) {
    if (!drafts)
      return;
    ngrams.emplace();
    for (int32_t id : prompt)
      ngrams->append(id);
  }

  /// The logits that follow `id`, the one after `before` others. Valid until
  /// the next call.
  Result<std::span<const float>> logitsAfter(int32_t id, uint64_t before) {
    if (ngrams)
      ngrams->append(id);
    if (row + 1 < rows.size() && rows[row + 1] == id) {
      ++row;
      ++outcome.accepted;
    } else if (auto error = run(id, before)) {
      return std::move(*error);
    }
    return logits.subspan(row * model.vocabulary(), model.vocabulary());
  }

private:
  std::optional<Error> run(int32_t id, uint64_t before) {
    // The last guess has been compared with the ids that came, whether or not
    // a call checked it. Drafts that were wrong leave the cache.
    if (const size_t compared = std::min(row + 1, guess.ids.size()))
      length.judged(guess.matched, compared,
                    row + (row < compared && guess.ids[row] == id));
    model.truncate(before);
    rows = {id};
    row = 0;
    if (ngrams) {
      const uint64_t room =
          std::min({model.wanted(), model.batch(), model.context() - before,
                    uint64_t(DraftLength::kMostRows)}) -
          1;
      guess = ngrams->propose(room);
      const size_t drafts = length.choose(guess.matched, guess.ids.size());
      rows.insert(rows.end(), guess.ids.begin(), guess.ids.begin() + drafts);
      outcome.drafted += drafts;
    }
    Stopwatch watch;
    if (auto error = model.append(rows))
      return error;
    if (auto error = model.logits({kFirstRows, rows.size()}).moveTo(logits))
      return error;
    length.ran(rows.size(), watch.seconds());
    ++outcome.decodeCalls;
    return std::nullopt;
  }

  static constexpr int32_t kFirstRows[] = {0, 1, 2, 3, 4, 5, 6, 7};
  static_assert(std::size(kFirstRows) == DraftLength::kMostRows);

  Model &model;
  Generation &outcome;
  std::optional<NgramDrafts> ngrams;
  DraftLength length;
  /// What was expected behind the first id of the last call.
  NgramDrafts::Proposal guess;
  /// The ids of the last call, and of which of them the logits were given last.
  std::vector<int32_t> rows;
  size_t row = 0;
  std::span<const float> logits;
};
} // namespace

std::optional<Error> checkSampling(const Options &options, const Model &model) {
  for (auto [id, bias] : options.sampling.bias)
    if (uint64_t(id) >= model.vocabulary())
      return Error{"--logit-bias: token id " + std::to_string(id) +
                   " is outside of the vocabulary; give ids from 0 to " +
                   std::to_string(model.vocabulary() - 1)};
  return std::nullopt;
}

Generator::Generator(Model &model, const Options &options, const Text &text,
                     Constraint *constraint, NpyWriter *logits,
                     void (*note)(const std::string &))
    : model(model), options(options), text(text), constraint(constraint),
      logits(logits), note(note), sampler(settingsFor(options)) {}

void Generator::begin() {
  if (constraint)
    constraint->restart();
}

/// The next id; none, and why in `outcome`, where the constraint has none.
std::optional<int32_t> Generator::sample(std::span<const float> row,
                                         Generation &outcome) {
  if (constraint && !constraint->mayGoOn()) {
    outcome.error = constraint->failure();
    outcome.end = outcome.error.empty() ? End::endToken : End::grammarFailed;
    return std::nullopt;
  }
  const int32_t id = sampler.sample(
      row, constraint ? constraint->allowed() : std::span<const uint64_t>());
  sampler.accept(id);
  if (constraint)
    constraint->accept(id);
  checkNumber(row[size_t(id)]);
  return id;
}

/// A NaN in the model's state makes all logits NaN, so that of the chosen id is
/// checked.
void Generator::checkNumber(float logit) {
  if (noted || !std::isnan(logit))
    return;
  note("the model's logits are no numbers (NaN), so its ids mean nothing; "
       "the checkpoint is damaged or overflows float32");
  noted = true;
}

/// Whether nothing of this machine is needed between two ids of an answer.
bool Generator::canLoop() const {
  return !constraint && !logits && !options.logprobs &&
         options.drafts != Drafts::ngram && model.canLoop(sampler.given());
}

/// The next id of the model's loop; none, and why in `outcome`, if it failed.
std::optional<int32_t> Generator::take(Generation &outcome) {
  TokenLoop::Id next;
  if (auto error = model.nextId().moveTo(next)) {
    outcome.error = std::move(error->message);
    outcome.end = End::failed;
    return std::nullopt;
  }
  sampler.chosen(next.id, next.logit);
  checkNumber(next.logit);
  return next.id;
}

Generation Generator::answer(std::span<const int32_t> prompt,
                             std::optional<uint64_t> count, Output &output) {
  Run run(model, logits);
  Generation &outcome = run.outcome;
  Stopwatch watch;
  // The last id's row of logits is written only if another id follows.
  const bool noIds = count == uint64_t(0);
  outcome.keptTokens = model.filled();
  outcome.seed = sampler.seed();
  const bool isRead = run.readPrompt(prompt, prompt.size() - (noIds ? 1 : 0));
  outcome.promptTokens = model.filled() - outcome.keptTokens;
  if (!isRead)
    return outcome;
  if (noIds) {
    outcome.promptSeconds = watch.seconds();
    return outcome;
  }

  sampler.begin(prompt);
  const bool loops = canLoop();
  std::span<const float> row;
  // The last id is not appended, so one more than there is room for.
  const uint64_t most =
      std::min(count.value_or(UINT64_MAX), model.context() - prompt.size() + 1);
  if (auto error =
          loops ? model.beginLoop(sampler, run.lastRow, most,
                                  options.ignoreEnd ? std::span<const int32_t>()
                                                    : text.endIds())
                : model.logits({&run.lastRow, 1}).moveTo(row)) {
    run.fail(std::move(error->message));
    return outcome;
  }
  std::optional<int32_t> next = loops ? take(outcome) : sample(row, outcome);
  outcome.promptSeconds = watch.seconds();

  Decoder decoder(model, outcome, options.drafts == Drafts::ngram, prompt);
  watch = Stopwatch();
  for (uint64_t ids = 1; next; ++ids) {
    const int32_t id = *next;
    const uint64_t before = prompt.size() + ids - 1;
    const bool isEnd = text.endsAnswer(id);
    outcome.ids.push_back(id);
    if (!output.put(id, row)) {
      outcome.error = output.error();
      run.stop(outcome.error.empty() ? End::outputClosed : End::failed);
      break;
    }
    if (output.isStopped()) {
      run.stop(End::stopText);
      break;
    }
    // A constraint allows an end only where --ignore-eos does, too.
    if (isEnd && (constraint || !options.ignoreEnd)) {
      run.stop(End::endToken);
      break;
    }
    if (ids == count) {
      run.stop(End::count);
      break;
    }
    if (before == model.context()) {
      run.stop(End::contextFull);
      break;
    }
    if (!run.mayGoOn())
      break;
    if (loops) {
      next = take(outcome);
      ++outcome.decodeTokens;
      continue;
    }
    if (auto error = decoder.logitsAfter(id, before).moveTo(row)) {
      run.fail(std::move(error->message));
      break;
    }
    ++outcome.decodeTokens;
    if (!run.write(row))
      break;
    next = sample(row, outcome);
  }
  outcome.decodeSeconds = watch.seconds();
  if (loops && outcome.end != End::failed)
    if (auto error = model.endLoop(prompt.size() + outcome.ids.size() - 1))
      run.fail(std::move(error->message));
  return outcome;
}

} // namespace corellama::runtime
