//===- Passes.h - from GPU ops to the emulator ------------------*- C++ -*-===//
//
// Like passes/CUDA from phase vector on: the same module, lowered to calls of
// the emulator in place of nvvm. In the test tree because no program that we
// ship has such code.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_PASSES_H
#define CORELLAMA_TEST_EMULATOR_PASSES_H

#include "compiler/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace corellama::emulator {

#define GEN_PASS_DECL
#include "test/emulator/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "test/emulator/Passes.h.inc"

/// vector -> llvm dialect, for threads of a GPU that this machine emulates.
void buildLLVMPasses(mlir::OpPassManager &manager);

/// As corellama::buildPhases with the backend cuda of `options`, but with the
/// emulator's passes to phase llvm.
void buildPhases(mlir::OpPassManager &manager, llama::Phase first,
                 llama::Phase last, const PipelineOptions &options);

} // namespace corellama::emulator

#endif // CORELLAMA_TEST_EMULATOR_PASSES_H
