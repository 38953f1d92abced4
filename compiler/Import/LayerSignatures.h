//===- LayerSignatures.h - which layers have the same types ---------------===//
//
// A checkpoint's tensor table -> the distinct tuples of tensor types that its
// layers have, and which layer has which. A file of its own because both
// import, which makes one function for each signature, and `inspect`, which
// does not use MLIR, need it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H
#define CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H

#include "compiler/Checkpoint/Checkpoint.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace corellama {

/// The weights of a layer, in the order of the declarations and of their use.
enum LayerWeight : unsigned {
  kAttnNorm,
  kAttnQ,
  kAttnK,
  kAttnV,
  kAttnOutput,
  kFfnNorm,
  kFfnGate,
  kFfnUp,
  kFfnDown,
};
inline constexpr llvm::StringLiteral kLayerWeights[] = {
    "attn_norm", "attn_q",   "attn_k", "attn_v",  "attn_output",
    "ffn_norm",  "ffn_gate", "ffn_up", "ffn_down"};
inline constexpr size_t kLayerWeightCount = std::size(kLayerWeights);

/// "blk.3.attn_q.weight".
std::string layerTensorName(llvm::StringRef weight, uint64_t layer);

using LayerSignature = std::array<checkpoint::TensorType, kLayerWeightCount>;

struct LayerSignatures {
  /// In the order in which they first appear.
  std::vector<LayerSignature> distinct;
  /// For each layer its index in `distinct`.
  std::vector<int32_t> of;
};

LayerSignatures findLayerSignatures(const checkpoint::Checkpoint &checkpoint);

} // namespace corellama

#endif // CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H
