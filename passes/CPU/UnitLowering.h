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

/// Memory of a loop that measures what a unit multiplies at most: a tile of 16
/// rows of 64 bytes.
inline constexpr int64_t kPeakBytes = 1024;
/// Chains of such a loop of vectors: an instruction of five cycles, twice a
/// cycle, needs ten; twelve and two operands are in registers everywhere.
inline constexpr int64_t kPeakChains = 12;
/// emitPeakLoop of a unit of vectors: `step` creates one instruction that
/// depends on a chain, and returns the chain's next link. Both are `lanes` i32.
void emitVectorPeak(
    VectorBuilder &b, mlir::Value memory, mlir::Value turns, int64_t lanes,
    llvm::function_ref<mlir::Value(mlir::Value chain, mlir::Value x)> step);

/// Whether products of bytes are instructions of matrices.
inline bool hasByteMatrices(TargetAttr target) {
  return llama::hasFeature(target, "amx-tile") &&
         llama::hasFeature(target, "amx-int8");
}

/// Whether two pipes do all arithmetic on vectors of 512 bits, with less than a
/// load of 512 bits for each multiplication: Intel's. Zen 4 and 5 convert
/// numbers elsewhere and load as often as they multiply.
inline bool hasTwoPipes(TargetAttr target) {
  return target.getVectorBits() >= 512 && !target.getName().contains("znver");
}

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
void registerAMXBF16(mlir::DialectRegistry &registry);

/// Attaches the code of every unit.
inline void registerUnits(mlir::DialectRegistry &registry) {
  registerFma(registry);
  registerDotU8S8(registry);
  registerDotBF16(registry);
  registerAMXBF16(registry);
}

} // namespace corellama::cpu

#include "passes/CPU/UnitLowering.h.inc"

#endif // CORELLAMA_PASSES_CPU_UNITLOWERING_H
