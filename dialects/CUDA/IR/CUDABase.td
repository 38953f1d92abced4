//===- CUDABase.td - the cuda dialect -------------------------------------===//

#ifndef CORELLAMA_DIALECTS_CUDA_IR_CUDABASE
#define CORELLAMA_DIALECTS_CUDA_IR_CUDABASE

include "dialects/Llama/IR/LlamaOpBase.td"

def CUDA_Dialect : Dialect {
  let name = "cuda";
  let cppNamespace = "::corellama::cuda";
  let summary = "what threads of a block do together";
  let description = [{
    Phase `vector` of a GPU: a kernel is a function `(context, layer)` that every
    thread of every block runs. Block b computes part b; threads of a block share
    workgroup memory and wait for each other at barriers; 32 consecutive threads
    are a warp.

    Memory spaces are NVPTX's numbers: 1 global, 3 workgroup. Upstream's `gpu`
    dialect has some of these ops, but it puts kernels in a module of their own,
    its shuffle returns a flag that is not needed, its memory spaces are
    attributes that memref's conversions do not accept, and it lacks the other
    ops. A small, closed set can be executed by the emulator.

    In earlier phases the dialect has attributes only: the target, its
    strategies and its units.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

#endif
