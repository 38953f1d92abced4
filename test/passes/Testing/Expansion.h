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
#include "llvm/ADT/StringMap.h"

namespace corellama::test {

/// What the CPU of the tests has: the machine's features, without those which
/// the CPU lacks that CORELLAMA_HOST names. So CORELLAMA_HOST=x86-64-v3 shows
/// what tests do on a machine without AVX-512.
llvm::StringMap<bool> testedFeatures();

/// Makes the module one for what this machine has of its target. Returns how
/// many ops were replaced.
int64_t expandInstructions(mlir::ModuleOp module);

/// The same for the intrinsics of AMX in a module of phase llvm, which then
/// runs in this process alone: it calls functions of it.
int64_t expandTiles(mlir::ModuleOp module);

/// Makes numbers of bf16 in a module of phase llvm their bits, where the tested
/// CPU converts none: LLVM would call a library to move them, and generated
/// code has none.
void expandBF16(mlir::ModuleOp module);

} // namespace corellama::test

#endif // CORELLAMA_TEST_PASSES_TESTING_EXPANSION_H
