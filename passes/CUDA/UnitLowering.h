//===- UnitLowering.h - the code of a GPU's units -------------------------===//
//
// The interface that a unit's file implements, and the only list of units: one
// is a file in Units/, declared and called here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_UNITLOWERING_H
#define CORELLAMA_PASSES_CUDA_UNITLOWERING_H

#include "dialects/CUDA/IR/CUDADialect.h"
#include "dialects/Tile/IR/TileDialect.h"

namespace corellama::cuda {

class CUDAKernel;

void registerMma(mlir::DialectRegistry &registry);
void registerMmaSplit(mlir::DialectRegistry &registry);
void registerSimt(mlir::DialectRegistry &registry);

/// Attaches the code of every unit.
inline void registerUnits(mlir::DialectRegistry &registry) {
  registerMma(registry);
  registerMmaSplit(registry);
  registerSimt(registry);
}

} // namespace corellama::cuda

#include "passes/CUDA/UnitLowering.h.inc"

#endif // CORELLAMA_PASSES_CUDA_UNITLOWERING_H
