//===- Fragments.cpp - how a tile is spread over threads ------------------===//

#include "passes/CUDA/Fragments.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace corellama::cuda;

std::optional<Fragment> corellama::cuda::fragmentOf(ArrayRef<int64_t> shape,
                                                    StrategyAttr strategy) {
  int64_t rows = shape[0], columns = shape[1], threads = strategy.getThreads(),
          warps = threads / kWarp;
  if (isa<MmaAttr>(strategy.getUnit())) {
    if (rows != kMmaRows * warps || columns % kMmaColumns != 0)
      return std::nullopt;
    return Fragment{Spread::Accumulators, rows, columns, 0,
                    kMmaRows * columns / kWarp};
  }
  // Strategies with fewer columns than threads have the lanes of a warp along
  // k.
  if (strategy.getN() < threads) {
    if (rows != 1 || columns % warps != 0)
      return std::nullopt;
    return Fragment{Spread::WarpColumns, rows, columns, 0, columns / warps};
  }
  // Few columns are less work for all warps than waiting for each other.
  if (columns < threads)
    return Fragment{Spread::EachWarp, rows, columns, kWarp,
                    llvm::divideCeilSigned(columns, kWarp)};
  return Fragment{Spread::ThreadColumns, rows, columns, threads,
                  llvm::divideCeilSigned(columns, threads)};
}
