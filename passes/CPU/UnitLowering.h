//===- UnitLowering.h - the code of a CPU's units -------------------------===//
//
// The interface that a unit's file implements, and the function that attaches
// each unit's model. A unit is a file in Units/ and a line here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITLOWERING_H
#define CORELLAMA_PASSES_CPU_UNITLOWERING_H

#include "passes/CPU/TilePatterns.h"

namespace corellama::cpu {

/// Whether cpu.lookup16 is one instruction: vpermps with a table of 512 bits.
inline bool hasTables(TargetAttr target) {
  return target.getVectorBits() >= 512;
}

void registerFma(mlir::DialectRegistry &registry);
void registerDotU8S8(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#include "passes/CPU/UnitLowering.h.inc"

#endif // CORELLAMA_PASSES_CPU_UNITLOWERING_H
