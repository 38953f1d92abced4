//===- LlamaDialect.td - the llama dialect --------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMADIALECT

include "mlir/IR/OpBase.td"
include "dialects/Llama/IR/LlamaInterfaces.td"

def Llama_Dialect : Dialect {
  let name = "llama";
  let cppNamespace = "::corellama::llama";
  let summary = "a Llama model: its graph, its weights, its kernels and their order";
  let description = [{
    The dialect of the phases from `import` to `schedule`. It says what a Llama
    computes, on tensors whose rows are tokens, and then, without changing that,
    how the work is partitioned.

    A value lives through it like this: `import` writes the graph as the
    checkpoint means it (`rms_norm`, `linear`, `rope`, ...); weights are declared
    once (`weights`, `weight`) and reached by typed handles (`weight_ref`);
    `specialize` makes a form for each bound on the rows of a call out of one
    graph and fixes the type of every number; `fuse` gathers ops into `kernel` regions; `plan`
    edits attributes only; `schedule` outlines kernels as functions from
    `buffer_read` to `buffer_write` and writes the order of `dispatch` and `barrier` in a
    `step`. After that the bodies of kernels are in the `tile` dialect, while
    declarations, steps, dispatches and barriers stay until code is generated.

    The KV cache is a reference with memory effects: `kv_append` writes and
    `attention` reads a resource of its own, so program order is the order and
    nothing is ever copied.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerTypes();
  }];
}

#endif
