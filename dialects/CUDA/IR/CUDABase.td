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
    thread of every block runs. A block computes the part of its number; threads
    of a block share workgroup memory and wait for each other at barriers; 32
    consecutive threads are a warp.

    Memory spaces are NVPTX's numbers: 1 global, 3 workgroup. Upstream's `gpu`
    dialect has some of these words, but its kernels live in a module of their
    own, its shuffle gives a flag that nobody reads, its memory is typed by an
    attribute that the conversions of memref do not take, and it lacks the others;
    a set that is closed and small can be executed on the emulator.

    Before that phase it has the target, and how kernels run on it: attributes.
  }];
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerAttributes();";
}

#endif
