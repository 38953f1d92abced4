//===- Passes.td - tile to GPU words, then to nvvm or to fibres -----------===//

#ifndef CORELLAMA_PASSES_GPU_PASSES
#define CORELLAMA_PASSES_GPU_PASSES

include "mlir/Pass/PassBase.td"

def TileToVectorGPU : Pass<"tile-to-vector-gpu", "::mlir::ModuleOp"> {
  let summary = "Write tile in the words of a GPU's threads";
  let description = [{
    Phase: vector. Needs: kernels at phase tile, math.exp expanded, weights in
    rowmajor_split or rowmajor. Leaves: func, arith, math, scf, memref, vector,
    context and cuda; a kernel takes (context, layer), computes the part of its
    block's number, and `llama.scratch` says how much workgroup memory it uses.
    Never: changes the order of a sum, or the strategy.

    A value of tile becomes each thread's share of it (its fragment), by one table
    of shapes; a contraction becomes a loop over k of a warp, or of tensor cores.

    EXAMPLE test/passes/GPU/tile-to-vector-gpu.mlir @product
  }];
  let dependentDialects = [
    "::corellama::gpu::GPUDialect", "::corellama::context::ContextDialect",
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def GPUStepToLaunches : Pass<"gpu-step-to-launches", "::mlir::ModuleOp"> {
  let summary = "Open steps: a host function that launches kernel after kernel";
  let description = [{
    Phase: llvm. Needs: steps, runs and barriers; kernels as functions of (context,
    layer). Leaves: a function `corellama_step_<name>(context, device)` for each
    step, in which a run is a call of `corellama_launch` (runtime/ABI/Device.h) and
    a barrier is nothing, because launches of one stream follow each other; a
    function `<kernel>.parts` for each kernel; and the module attributes
    `llama.program` and `llama.kernels`. Never: reorders runs.

    EXAMPLE test/passes/GPU/gpu-step-to-launches.mlir @decode
  }];
  let dependentDialects = [
    "::corellama::context::ContextDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect"];
}

def GPUToNVVM : Pass<"gpu-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lower cuda to nvvm";
  let description = [{
    Phase: llvm. Needs: kernels in the words of cuda. Leaves: nvvm and llvm ops.
    Never: leaves an op of cuda.
    EXAMPLE test/passes/GPU/gpu-to-nvvm.mlir @a_weight
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def GPUOutlineDevice : Pass<"gpu-outline-device", "::mlir::ModuleOp"> {
  let summary = "Move kernels to a module of the device";
  let description = [{
    Phase: llvm. Needs: kernels as llvm.func. Leaves: `gpu.module @device`, which
    holds them as entry points with the number of their threads, and the module
    outside, which holds the host's steps. Never: changes a body.
    EXAMPLE test/passes/GPU/gpu-outline-device.mlir @qkv.decode
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def GPUToFibres : Pass<"gpu-to-fibres", "::mlir::ModuleOp"> {
  let summary = "Lower cuda to calls of the fibre runtime";
  let description = [{
    Phase: llvm. Needs: kernels in the words of cuda. Leaves: host functions that a
    fibre runs as one thread of one block, with a call of the runtime
    (compiler/Runner/FibreABI.h) for each word; memory of one space. Never:
    leaves an op of cuda.

    EXAMPLE test/passes/GPU/gpu-to-fibres.mlir @together
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::vector::VectorDialect"];
}

def GPUTraceAccesses : Pass<"gpu-trace-accesses", "::mlir::ModuleOp"> {
  let summary = "Tell the fibre runtime of every load and store";
  let description = [{
    Phase: llvm. Needs: kernels of gpu-to-fibres in the llvm dialect. Leaves: a call
    of the runtime before each load and store whose address is not a local
    variable's, so that it can report threads that touch the same bytes without
    order. Never: changes an access.

    EXAMPLE test/passes/GPU/gpu-trace-accesses.mlir @corellama_step_decode
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif
