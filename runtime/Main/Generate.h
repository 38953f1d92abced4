//===- Generate.h - from a prompt to an answer ----------------------------===//
//
// The generation loop: what of the prompt the cache does not hold in chunks,
// then one token at a time, or several where drafts are right, until an end
// condition. It decides only in which order steps run and when to stop.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_GENERATE_H
#define CORELLAMA_RUNTIME_MAIN_GENERATE_H

#include "runtime/Main/Model.h"
#include "runtime/Main/Npy.h"
#include "runtime/Main/Options.h"
#include "runtime/Sampling/Sampler.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace corellama::runtime {

class Constraint;
class Output;
class Text;

/// What ended a generation.
enum class End {
  /// As many ids as were asked for.
  count,
  /// The model ended its answer.
  endToken,
  /// A text of --stop came.
  stopText,
  contextFull,
  /// The reader of the output has closed the pipe.
  outputClosed,
  /// A signal.
  interrupted,
  /// The constraint has no id that goes on, Generation::error says why. The
  /// answer up to there is like one that -n ends: the next one may go well.
  grammarFailed,
  /// Output could not be written, or what computes failed; Generation::error
  /// says why.
  failed,
};

struct Generation {
  End end = End::count;
  std::string error;
  /// The ids that were chosen. The last one is not in the cache.
  std::vector<int32_t> ids;
  /// Ids of the prompt that were computed, and those that the cache held.
  uint64_t promptTokens = 0, keptTokens = 0;
  double promptSeconds = 0;
  /// Ids behind the first, which the prompt gives.
  uint64_t decodeTokens = 0;
  double decodeSeconds = 0;
  /// Drafted ids that were checked, those that were right, and the calls that
  /// it took, of one row and more.
  uint64_t drafted = 0, accepted = 0, decodeCalls = 0;
  /// The seed of the sampling, given or drawn.
  uint64_t seed = 0;
};

/// Whether the settings of the sampling are about ids that the model has.
std::optional<Error> checkSampling(const Options &options, const Model &model);

/// Generates one answer or, in a conversation, one after the other.
class Generator {
public:
  /// All must outlive it. Answers follow `constraint`, if given. `logits`, if
  /// given, gets the row that follows each token but the last. `note` is called
  /// if logits are NaN.
  Generator(Model &model, const Options &options, const Text &text,
            Constraint *constraint, NpyWriter *logits,
            void (*note)(const std::string &));

  /// Another answer begins; without it, the last one goes on.
  void begin();
  /// The answer to a prompt, `count` ids at most. The cache holds the first
  /// ids of the prompt already, as many as it is filled with, but not all.
  Generation answer(std::span<const int32_t> prompt,
                    std::optional<uint64_t> count, Output &output);

private:
  std::optional<int32_t> sample(std::span<const float> logits,
                                Generation &outcome);
  bool canLoop() const;
  std::optional<int32_t> take(Generation &outcome);
  void checkNumber(float logit);

  Model &model;
  const Options &options;
  const Text &text;
  Constraint *const constraint;
  NpyWriter *const logits;
  void (*const note)(const std::string &);
  Sampler sampler;
  bool noted = false;
};

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_GENERATE_H
