//===- Passes.td - GPU ops to calls of the emulator -----------------------===//

#ifndef CORELLAMA_TEST_EMULATOR_PASSES
#define CORELLAMA_TEST_EMULATOR_PASSES

include "mlir/Pass/PassBase.td"

def CUDAToEmulator : Pass<"cuda-to-emulator", "::mlir::ModuleOp"> {
  let summary = "Lower cuda to calls of the emulator";
  let description = [{
    Phase: llvm. Needs: kernels in ops of cuda. Leaves: host functions that a
    fibre runs as one thread of one block, with a call of the emulator
    (test/emulator/EmulatorABI.h) for each op; memory of one space. Never:
    leaves an op of cuda.

    EXAMPLE test/passes/Emulator/cuda-to-emulator.mlir @together
  }];
  let dependentDialects = ["::corellama::cpu::CPUDialect", "::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::vector::VectorDialect"];
}

def CUDATraceAccesses : Pass<"cuda-trace-accesses", "::mlir::ModuleOp"> {
  let summary = "Tell the emulator of every load and store";
  let description = [{
    Phase: llvm. Needs: kernels of cuda-to-emulator in the llvm dialect. Leaves: a call
    of the emulator before each load and store whose address is not a local
    variable's, so that it can report threads that touch the same bytes without
    order. Never: changes an access.

    EXAMPLE test/passes/Emulator/cuda-trace-accesses.mlir @corellama_step_decode
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def BF16ToBits : Pass<"bf16-to-bits", "::mlir::ModuleOp"> {
  let summary = "Make numbers of bf16 their bits";
  let description = [{
    Phase: llvm. Needs: the llvm dialect, in which no arithmetic is on bf16. Leaves:
    i16 in place of bf16, its conversions from and to f32 as arithmetic on integers,
    rounded to the nearest, halves to the even one. Never: leaves a value of bf16.

    EXAMPLE test/passes/Emulator/bf16-to-bits.mlir @rounded
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
