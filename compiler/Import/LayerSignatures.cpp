//===- LayerSignatures.cpp - which layers have the same types -------------===//
//
// See LayerSignatures.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import/LayerSignatures.h"

using namespace corellama;

LayerSignatures
corellama::findLayerSignatures(const checkpoint::Checkpoint &checkpoint) {
  LayerSignatures found;
  found.roles = checkpoint::layerRoles(checkpoint.config());
  for (uint64_t layer = 0; layer < checkpoint.config().layers; ++layer) {
    LayerSignature signature;
    for (checkpoint::Role role : found.roles)
      signature.types.push_back(checkpoint.find(role, layer)->type);
    signature.window = checkpoint.config().windowOf(layer);
    // There are a few signatures at most, so a linear search is enough.
    auto known = llvm::find(found.distinct, signature);
    found.of.push_back(known - found.distinct.begin());
    if (known == found.distinct.end())
      found.distinct.push_back(signature);
  }
  return found;
}
