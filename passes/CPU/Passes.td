//===- Passes.td - tile to the vectors of a CPU, then to llvm -------------===//

#ifndef CORELLAMA_PASSES_CPU_PASSES
#define CORELLAMA_PASSES_CPU_PASSES

include "mlir/Pass/PassBase.td"

def TileToVectorCPU : Pass<"tile-to-vector-cpu", "::mlir::ModuleOp"> {
  let summary = "Lower tile to a CPU's vectors";
  let description = [{
    Phase: vector. Needs: kernels at phase tile, math.exp expanded, scf.parallel as
    loops, weights in interleaved16 or rowmajor. Leaves: func, arith, math, scf, memref, vector, amx and cpu;
    a kernel takes (context, scratch, layer, begin, end), and `llama.scratch`
    says how much scratch it uses. Never: changes the order of a sum, or the
    strategy.

    A contraction becomes a loop over blocks of 32 columns, unrolled inside. With
    `#cpu.fma` it has one vector.fma of 16 rows for each column and row of the
    tile; with `#cpu.dot_u8s8` products of four columns a lane, in the
    instructions that the target has; with `#cpu.amx_bf16`, on many rows, tiles of
    upstream's `amx`.

    EXAMPLE test/passes/CPU/tile-to-vector-cpu.mlir @product
  }];
  let dependentDialects = [
    "::corellama::cpu::CPUDialect",
    "::corellama::context::ContextDialect", "::mlir::amx::AMXDialect",
    "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def CPUPrologueOnce : Pass<"cpu-prologue-once", "::mlir::ModuleOp"> {
  let summary = "Prepare rows in a worker's first call of a dispatch";
  let description = [{
    Phase: vector. Needs: kernels as functions of (context, scratch, layer, begin,
    end). Leaves: kernels of (context, scratch, layer, begin, end, first), in which
    everything that is stored before the first store that depends on `begin` or
    `end`, and what is computed for that alone, is done if `first` is not 0.
    Never: moves what a part stores or reads.

    EXAMPLE test/passes/CPU/cpu-prologue-once.mlir @rounds_its_row
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::scf::SCFDialect"];
}

def CPUStepToWorkers : Pass<"cpu-step-to-workers", "::mlir::ModuleOp"> {
  let summary = "Lower steps to functions that every worker calls";
  let description = [{
    Phase: llvm. Needs: steps, dispatches and barriers; kernels as functions of
    (context, scratch, layer, begin, end, first). Leaves: a function
    `corellama_step_<name>(context, scratch, worker)` for each step, in which a
    dispatch is a call of the runtime with the callee and the number of its parts,
    and a barrier a call of the runtime's barrier; a function `<kernel>.parts` for each
    kernel; and the module attributes `llama.program` and `llama.kernels` from
    which the program's descriptor is made. Never: reorders dispatches or
    barriers.

    EXAMPLE test/passes/CPU/cpu-step-to-workers.mlir @decode
  }];
  let dependentDialects = ["::corellama::cpu::CPUDialect",
    "::corellama::context::ContextDialect", "::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def CPUToLLVM : Pass<"cpu-to-llvm"> {
  let summary = "Lower cpu to the llvm dialect";
  let description = [{
    Phase: llvm. Needs: ops of cpu in functions. Leaves: intrinsics;
    vector.fma as math.fma, because upstream lowers the former to an fmuladd,
    which may round twice. Never: leaves an op of cpu.

    EXAMPLE test/passes/CPU/cpu-to-llvm.mlir @a_lookup_is_one_instruction
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
    "::mlir::amx::AMXDialect", "::mlir::arith::ArithDialect",
    "::mlir::math::MathDialect"];
}

#endif
