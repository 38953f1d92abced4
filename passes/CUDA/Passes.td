//===- Passes.td - tile to GPU ops, then to nvvm --------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_PASSES
#define CORELLAMA_PASSES_CUDA_PASSES

include "mlir/Pass/PassBase.td"

def TileToVectorCUDA : Pass<"tile-to-vector-cuda", "::mlir::ModuleOp"> {
  let summary = "Lower tile to the code of a GPU's threads";
  let description = [{
    Phase: vector. Needs: kernels at phase tile, math.exp expanded, weights in
    rowmajor_split or rowmajor. Leaves: func, arith, math, scf, memref, vector,
    context and cuda; a kernel takes (context, layer), block b computes part b,
    and `llama.scratch` says how much workgroup memory a block uses. Never:
    changes the order of a sum, or the strategy.

    A tile becomes each thread's share of it (a fragment), by one table of shapes;
    a contraction becomes a loop over k of a warp, or of tensor cores.

    EXAMPLE test/passes/CUDA/tile-to-vector-cuda.mlir @product
  }];
  let dependentDialects = [
    "::corellama::cuda::CUDADialect", "::corellama::context::ContextDialect",
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

def CUDAAddChoice : Pass<"cuda-add-choice", "::mlir::ModuleOp"> {
  let summary = "Add the kernels that choose an id from a row of logits";
  let description = [{
    Phase: llvm. Needs: a model with steps, and `llama.config`. Leaves: kernels
    @choose.best and @choose.draw as functions of (context, layer), and the step
    @choose, which no list of the model names: the runtime launches it behind a head's
    step (runtime/ABI/Device.h, Choice). Nothing where they are already, where there is
    no model, or one with a larger vocabulary than such kernels compare. Never: changes
    another kernel.
    EXAMPLE test/passes/CUDA/cuda-add-choice.mlir @choose.best
  }];
  let dependentDialects = [
    "::corellama::cuda::CUDADialect", "::corellama::context::ContextDialect",
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::LLVM::LLVMDialect"];
}

def CUDAStepToLaunches : Pass<"cuda-step-to-launches", "::mlir::ModuleOp"> {
  let summary = "Lower steps to host functions that launch kernel after kernel";
  let description = [{
    Phase: llvm. Needs: steps, dispatches and barriers; kernels as functions of (context,
    layer). Leaves: a function `corellama_step_<name>(context, device)` for each
    step, in which a dispatch is a call of `corellama_launch` (runtime/ABI/Device.h) and
    a barrier is erased, because launches of one stream run in order; a function
    `<kernel>.parts` for each kernel; and the module attributes `llama.program` and
    `llama.kernels`. Never: reorders dispatches.

    EXAMPLE test/passes/CUDA/cuda-step-to-launches.mlir @decode
  }];
  let dependentDialects = [
    "::corellama::context::ContextDialect", "::mlir::arith::ArithDialect",
    "::mlir::scf::SCFDialect", "::mlir::LLVM::LLVMDialect"];
}

def CUDAToNVVM : Pass<"cuda-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Lower cuda to nvvm";
  let description = [{
    Phase: llvm. Needs: kernels in ops of cuda, each of which waits for earlier
    launches before it reads what they may write. Leaves: nvvm and llvm ops.
    Never: leaves an op of cuda.
    EXAMPLE test/passes/CUDA/cuda-to-nvvm.mlir @a_weight
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def CUDAOutlineDevice : Pass<"cuda-outline-device", "::mlir::ModuleOp"> {
  let summary = "Move kernels to a module of the device";
  let description = [{
    Phase: llvm. Needs: kernels as llvm.func. Leaves: `gpu.module @device`,
    which holds them as entry points with the number of their threads; the steps
    stay in the module around it. Never: changes a body.
    EXAMPLE test/passes/CUDA/cuda-outline-device.mlir @qkv.decode
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

#endif
