//===- Sampler.h - logits to one token id ---------------------------------===//
//
// Chooses the next id from a row of logits. The order of the filters is that of
// llama.cpp's default chain (bias, penalties, top-k, top-p, min-p, then
// temperature), so that the same settings mean the same thing here.
//
// Deterministic on every machine: the generator is written out here (no
// std::random, whose distributions differ between libraries), probabilities are
// float64 sums in a fixed order, and exp is our own. So an id depends on the
// logits, the settings, the seed, the number of ids drawn before and, with
// penalties, the ids that were accepted, and on nothing else.
//
// A Sampler belongs to one thread. It keeps its candidates between calls, so
// after the first call sampling allocates nothing.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_SAMPLING_SAMPLER_H
#define CORELLAMA_RUNTIME_SAMPLING_SAMPLER_H

#include "runtime/Sampling/Random.h"

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace corellama::runtime {

/// Defaults are llama.cpp's. A filter is off at the value that keeps all ids.
struct SamplerSettings {
  /// 0 or less (or NaN) means greedy: the largest logit, the lowest id on a
  /// tie.
  double temperature = 0.8;
  /// How many of the largest logits are kept; 0 or less keeps all of them.
  int64_t topK = 40;
  /// The smallest set of the most probable ids whose sum reaches this is kept;
  /// 1 or more keeps all of them.
  double topP = 0.95;
  /// Ids at least this fraction as probable as the best one are kept; 0 or less
  /// keeps all of them.
  double minP = 0.05;
  /// Ids that came before: a positive logit is divided by `repeat`, another one
  /// multiplied, then `frequency` for each time and `presence` once are
  /// subtracted. Off at 1, 0 and 0.
  double repeat = 1, frequency = 0, presence = 0;
  /// How many of the last ids count; below 0 all of them.
  int64_t repeatLast = 64;
  /// What is added to the logits of ids, before all else; minus infinity
  /// excludes an id.
  std::vector<std::pair<int32_t, float>> bias;
  uint64_t seed = 0;

  bool isGreedy() const { return !(temperature > 0.0); }
  bool hasPenalties() const {
    return (repeat != 1 || frequency != 0 || presence != 0) && repeatLast != 0;
  }
};

class Sampler {
public:
  explicit Sampler(const SamplerSettings &settings);

  /// A text begins with these ids, and goes on with an id: what penalties are
  /// for. The draws go on from text to text.
  void begin(std::span<const int32_t> ids);
  void accept(int32_t id);

  uint64_t seed() const { return settings.seed; }

  /// What another needs that chooses in place of this one: an id of a device,
  /// which `chosen` then counts as drawn here. `logit` is the one that it was
  /// chosen by.
  const SamplerSettings &given() const { return settings; }
  const std::array<uint64_t, 4> &generator() const { return random.words(); }
  void chosen(int32_t id, float logit);

  /// The chosen id. NaN counts as minus infinity; where no logit is above
  /// minus infinity it is 0, and an empty row gives 0 as well.
  /// `allowed`, if it is not empty, has bit id % 64 of word id / 64 for each id
  /// that may be chosen, of one at least. The logits of all others count as
  /// minus infinity after bias and penalties, and the first allowed id takes
  /// the place of 0 above.
  int32_t sample(std::span<const float> logits,
                 std::span<const uint64_t> allowed = {});

  struct Candidate {
    float logit;
    int32_t id;
  };
  /// What the last draw chose from, the likeliest first; empty if it was
  /// greedy. Valid until the next one.
  std::span<const Candidate> kept() const { return candidates; }

  /// The id of the largest logit, by the rules above.
  static int32_t greedy(std::span<const float> logits);

private:
  std::span<const float> adjust(std::span<const float> logits);
  std::span<const float> restricted(std::span<const float> logits,
                                    std::span<const uint64_t> allowed);
  int32_t choose(std::span<const float> logits);
  void selectTopK(std::span<const float> logits);
  /// Relative probabilities of the first `count` candidates at a temperature:
  /// exp((logit - largest) / temperature), written to `weights`.
  double weigh(size_t count, double temperature);

  SamplerSettings settings;
  Random random;
  /// The accepted ids that count, in order, and how often each is among them.
  std::deque<int32_t> recent;
  std::unordered_map<int32_t, uint32_t> counts;
  std::vector<float> adjusted;
  std::vector<Candidate> candidates;
  std::vector<double> weights;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_SAMPLING_SAMPLER_H
