//===- LayerSignatures.cpp - which layers have the same types -------------===//
//
// See LayerSignatures.h.
//
//===----------------------------------------------------------------------===//

#include "compiler/Import/LayerSignatures.h"
#include "llvm/ADT/STLExtras.h"

using namespace corellama;

std::string corellama::layerTensorName(llvm::StringRef weight, uint64_t layer) {
  return ("blk." + llvm::Twine(layer) + "." + weight + ".weight").str();
}

LayerSignatures
corellama::findLayerSignatures(const checkpoint::Checkpoint &checkpoint) {
  LayerSignatures found;
  for (uint64_t layer = 0; layer < checkpoint.config().layers; ++layer) {
    LayerSignature signature;
    for (auto [type, weight] : llvm::zip_equal(signature, kLayerWeights))
      type = checkpoint.find(layerTensorName(weight, layer))->type;
    // There are a few signatures at most, so a linear search is enough.
    auto known = llvm::find(found.distinct, signature);
    found.of.push_back(known - found.distinct.begin());
    if (known == found.distinct.end())
      found.distinct.push_back(signature);
  }
  return found;
}
