//===- LayerSignatures.h - which layers have the same types ---------------===//
//
// A checkpoint's tensor table -> the distinct tuples of tensor types that its
// layers have, with the window of their attention, and which layer has which. A
// file of its own because both
// import, which makes one function for each signature, and `inspect`, which
// does not use MLIR, need it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H
#define CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H

#include "compiler/Checkpoint/Checkpoint.h"
#include "llvm/ADT/STLExtras.h"
#include <cstdint>
#include <vector>

namespace corellama {

struct LayerSignature {
  /// Of the layer's weights, in the order of LayerSignatures::roles.
  std::vector<checkpoint::TensorType> types;
  /// Positions that a row sees; 0: all.
  uint64_t window = 0;

  bool operator==(const LayerSignature &) const = default;
};

struct LayerSignatures {
  /// The weights that each layer has.
  std::vector<checkpoint::Role> roles;
  /// In the order in which they first appear.
  std::vector<LayerSignature> distinct;
  /// For each layer its index in `distinct`.
  std::vector<int32_t> of;

  checkpoint::TensorType typeOf(size_t signature, checkpoint::Role role) const {
    return distinct[signature].types[llvm::find(roles, role) - roles.begin()];
  }
};

LayerSignatures findLayerSignatures(const checkpoint::Checkpoint &checkpoint);

} // namespace corellama

#endif // CORELLAMA_COMPILER_IMPORT_LAYERSIGNATURES_H
