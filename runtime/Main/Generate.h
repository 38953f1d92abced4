//===- Generate.h - from a prompt to an answer ----------------------------===//
//
// The generation loop: the prompt in chunks, then one token at a time, or
// several where drafts are right, until an end condition. It decides only in
// which order steps run and when to stop.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_RUNTIME_MAIN_GENERATE_H
#define CORELLAMA_RUNTIME_MAIN_GENERATE_H

#include "runtime/Main/Model.h"
#include "runtime/Main/Npy.h"
#include "runtime/Main/Options.h"

#include <cstdint>
#include <span>
#include <string>

namespace corellama::runtime {

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
  /// Output could not be written; Generation::error says why.
  failed,
};

struct Generation {
  End end = End::count;
  std::string error;
  uint64_t promptTokens = 0;
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

/// `logits`, if given, gets the row that follows each token of prompt and
/// answer but the last. `note` is called once if logits are NaN.
Generation generate(Model &model, std::span<const int32_t> prompt,
                    const Options &options, const Text &text, Output &output,
                    NpyWriter *logits, void (*note)(const std::string &));

} // namespace corellama::runtime

#endif // CORELLAMA_RUNTIME_MAIN_GENERATE_H
