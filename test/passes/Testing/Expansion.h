//===- Expansion.h - instructions that a machine lacks ----------*- C++ -*-===//
//
// From a module of phase vector to one that any machine runs: an op of the cpu
// dialect whose instruction not every CPU has is replaced by what the vendor's
// manual says that it computes; all else of the kernels stays as it is. So code
// for a CPU is tested where there is no such CPU.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_PASSES_TESTING_EXPANSION_H
#define CORELLAMA_TEST_PASSES_TESTING_EXPANSION_H

#include "mlir/IR/BuiltinOps.h"

namespace corellama::test {

/// Makes the module one for what this machine has of its target. Returns how
/// many ops were replaced.
int64_t expandInstructions(mlir::ModuleOp module);

/// The same for the intrinsics of AMX in a module of phase llvm, which then
/// runs in this process alone: it calls functions of it.
int64_t expandTiles(mlir::ModuleOp module);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_EXPANSION_H
