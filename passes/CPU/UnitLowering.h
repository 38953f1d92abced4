//===- UnitLowering.h - the code of a CPU's units -------------------------===//
//
// The interface that a unit's file implements, and the only list of units: one
// is a file in Units/, declared and called here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITLOWERING_H
#define CORELLAMA_PASSES_CPU_UNITLOWERING_H

#include "passes/CPU/TilePatterns.h"

namespace corellama::cpu {

/// What one instruction of a unit multiplies: the ceiling of its arithmetic.
struct PeakStep {
  /// Of 32 bits, in its operands.
  int64_t lanes;
  /// Multiplications and additions.
  int64_t operations;
};

/// Whether cpu.lookup16 is one instruction: vpermps with a table of 512 bits.
inline bool hasTables(TargetAttr target) {
  return target.getVectorBits() >= 512 && llama::hasFeature(target, "avx512f");
}

/// How many bytes ahead the strategy of the op's kernel fetches a weight, or
/// keys and values; 0: it does not.
int64_t prefetchOf(mlir::Operation *op);

void registerFma(mlir::DialectRegistry &registry);
void registerDotU8S8(mlir::DialectRegistry &registry);
void registerDotBF16(mlir::DialectRegistry &registry);

/// Attaches the code of every unit.
inline void registerUnits(mlir::DialectRegistry &registry) {
  registerFma(registry);
  registerDotU8S8(registry);
  registerDotBF16(registry);
}

} // namespace corellama::cpu

#include "passes/CPU/UnitLowering.h.inc"

#endif // CORELLAMA_PASSES_CPU_UNITLOWERING_H
