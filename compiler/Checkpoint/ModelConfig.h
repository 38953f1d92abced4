//===- ModelConfig.h - the sizes of a Llama model ---------------*- C++ -*-===//
//
// The few numbers that define a Llama graph, whatever container they were read
// from. It is a file of its own because import needs nothing else of a
// checkpoint but its weights.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_CHECKPOINT_MODELCONFIG_H
#define CORELLAMA_COMPILER_CHECKPOINT_MODELCONFIG_H

#include "llvm/Support/JSON.h"
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace corellama::checkpoint {

/// The largest number of layers; Llama 3.1 405B has 126.
inline constexpr uint64_t kMaxLayers = 65535;

/// The bases of RoPE whose frequencies can be computed
/// (compiler/Image/RopeFrequencies.h); YaRN divides by the logarithm, so there
/// the least one is not among them.
inline constexpr double kLeastRopeBase = 1, kMostRopeBase = 1e30;

/// How RoPE's angles differ from the plain ones: the parameters of
/// `#llama.rotation` (dialects/Llama/IR/LlamaRotation.td), which says what they
/// mean and which values they have.
struct RopeScaling {
  enum class Rule : uint8_t { None, Linear, Llama3, YaRN };

  Rule rule = Rule::None;
  double factor = 1;
  uint64_t original = 0;    ///< positions; of llama3 and yarn
  double low = 0, high = 0; ///< turns; of llama3 and yarn
  std::optional<double> magnitude;
  std::vector<float> factors; ///< one a pair that turns, or none
};

/// Every size is at least 1 and at most kMaxDimension, layers at most
/// kMaxLayers; `heads` is a multiple of `kvHeads`, `headSize` is even, and
/// `heads * headSize` is within kMaxDimension as well. `rotated` is even and at
/// most `headSize`. Scales are finite and above 0.
struct ModelConfig {
  std::string architecture; ///< as the container calls it: "llama"
  std::string name;         ///< for people, may be empty; any bytes
  uint64_t dim = 0;         ///< of the residual stream
  uint64_t heads = 0;       ///< of queries
  uint64_t kvHeads = 0;     ///< of keys and values
  uint64_t headSize = 0;    ///< need not be dim / heads
  uint64_t hidden = 0;      ///< of the feed-forward part
  uint64_t vocab = 0;       ///< rows of the embedding
  uint64_t layers = 0;
  uint64_t context = 0; ///< positions the model was trained for
  double eps = 0;       ///< of RMS norm: finite, > 0
  double ropeBase = 0;  ///< kLeastRopeBase to kMostRopeBase
  uint64_t rotated = 0; ///< columns of a head that RoPE turns; 0: all
  RopeScaling rope;
  uint64_t window = 0; ///< positions that a row sees, with its own; 0: all
  /// Whether each layer has the window; empty: all have it.
  std::vector<bool> windowed;
  /// Factors of the embedding, of what a layer adds to the residual, of the
  /// logits; and of scores, where it is not 1 / sqrt(headSize).
  double embeddingScale = 1, residualScale = 1, logitScale = 1;
  std::optional<double> attentionScale;
  bool tiedLMHead = false; ///< logits use the embedding's matrix
  /// A bit for each Role that not all models have and this one has.
  uint32_t optionalRoles = 0;

  uint64_t turned() const { return rotated ? rotated : headSize; }
  uint64_t windowOf(uint64_t layer) const {
    return windowed.empty() || windowed[layer] ? window : 0;
  }
  /// Of a reader that knows `window`, `windowed` and `context`: a window of the
  /// whole context is none, and neither is one of no layer; one of all layers
  /// has no list.
  void simplifyWindows();
};

/// Whether a number of a configuration is finite, above 0 and within such
/// bounds, of which `most` may be infinite; and what a message expects then.
bool isWithin(double number, double least, double most);
std::string describeRange(double least, double most);

/// What not all models have and this one has, by JSON key.
std::vector<std::pair<llvm::StringRef, llvm::json::Value>>
listFeatures(const ModelConfig &config);

/// For `inspect --json` and the manifest.
llvm::json::Object toJSON(const ModelConfig &config);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_MODELCONFIG_H
