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
#include <string>

namespace corellama::checkpoint {

/// The largest number of layers; Llama 3.1 405B has 126.
inline constexpr uint64_t kMaxLayers = 65535;

/// Every size is at least 1 and at most kMaxDimension, layers at most
/// kMaxLayers; `heads` is a multiple of `kvHeads`, `headSize` is even, and
/// `heads * headSize` is within kMaxDimension as well.
struct ModelConfig {
  std::string architecture; ///< "llama"
  std::string name;         ///< for people, may be empty; any bytes
  uint64_t dim = 0;         ///< of the residual stream
  uint64_t heads = 0;       ///< of queries
  uint64_t kvHeads = 0;     ///< of keys and values
  uint64_t headSize = 0;    ///< need not be dim / heads
  uint64_t hidden = 0;      ///< of the feed-forward part
  uint64_t vocab = 0;       ///< rows of the embedding
  uint64_t layers = 0;
  uint64_t context = 0;    ///< positions the model was trained for
  double eps = 0;          ///< of RMS norm: finite, > 0
  double ropeBase = 0;     ///< finite, >= 1
  bool tiedLMHead = false; ///< logits use the embedding's matrix
};

/// For `inspect --json` and the manifest.
llvm::json::Object toJSON(const ModelConfig &config);

} // namespace corellama::checkpoint

#endif // CORELLAMA_COMPILER_CHECKPOINT_MODELCONFIG_H
