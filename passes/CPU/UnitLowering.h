//===- UnitLowering.h - the code of a CPU's units -------------------------===//
//
// The interface that a unit's file implements, and the function that attaches
// each unit's model. A unit is a file in Units/ and a line here.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITLOWERING_H
#define CORELLAMA_PASSES_CPU_UNITLOWERING_H

#include "dialects/CPU/IR/CPUDialect.h"
#include "dialects/Tile/IR/TileDialect.h"

namespace corellama::cpu {

class VectorKernel;

void registerFma(mlir::DialectRegistry &registry);
void registerDotU8S8(mlir::DialectRegistry &registry);

} // namespace corellama::cpu

#include "passes/CPU/UnitLowering.h.inc"

#endif // CORELLAMA_PASSES_CPU_UNITLOWERING_H
