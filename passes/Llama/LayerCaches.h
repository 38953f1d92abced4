//===- LayerCaches.h - each layer has one cache and one window ------------===//
//
// Whatever form a call takes, a layer appends to the same region and sees the
// same keys. The functions of the layers until plan, the kernels that steps
// dispatch from then on, and those of llama.program at last, are given to one
// object, which compares them.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_LLAMA_LAYERCACHES_H
#define CORELLAMA_PASSES_LLAMA_LAYERCACHES_H

#include "dialects/Llama/IR/LlamaDialect.h"
#include "llvm/ADT/DenseMap.h"

namespace corellama::llama {

/// On the function of a kernel whose cache is a ring: its positions. From
/// vector on they are constants of the code, and nothing else says which.
inline constexpr llvm::StringLiteral kRingAttr = "llama.ring";

class LayerCaches {
public:
  explicit LayerCaches(mlir::ModuleOp module);

  /// Checks a function that computes `layer`, or a part of it: its window is
  /// that of the functions before it, its ring as well and that of
  /// llama.cache_layout, and the ring is as large as the window needs.
  mlir::LogicalResult verify(mlir::Operation *function, int64_t layer);

private:
  /// What a function says of the cache; null: nothing. From vector on its
  /// attributes do, and nothing is known of windows.
  struct Uses {
    mlir::Operation *cache = nullptr; ///< uses a cache with this ring
    int64_t ring = 0;
    mlir::Operation *attention = nullptr; ///< sees this window; 0: all keys
    int64_t window = 0;
  };
  mlir::FailureOr<Uses> usesOf(mlir::Operation *function);
  mlir::LogicalResult verifyRing(const Uses &uses, const Uses &ofLayer,
                                 int64_t layer);

  CacheLayoutOp layout;
  /// Of the largest form; 0: not known.
  int64_t mostRows = 0;
  llvm::DenseMap<mlir::Operation *, Uses> known;
  /// By layer, of the functions so far.
  llvm::DenseMap<int64_t, Uses> layers;
};

/// The cache among the types of an op's operands and results, or null.
CacheType cacheOf(mlir::Operation *op);

/// The functions of each form agree about the caches of layers.
mlir::LogicalResult expectCachesOfLayers(mlir::ModuleOp module);
/// So do the kernels that llama.program lists.
mlir::LogicalResult expectCachesOfProgram(mlir::ModuleOp module);

} // namespace corellama::llama

#endif // CORELLAMA_PASSES_LLAMA_LAYERCACHES_H
