//===- LlamaOpTraits.td - what an op is to the kernel that holds it -------===//
//
// Passes ask these traits and interfaces, so that an op of the graph says here,
// once, what fusion, planning and the bodies of kernels need to know of it.
//
//===----------------------------------------------------------------------===//

#ifndef CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPTRAITS
#define CORELLAMA_DIALECTS_LLAMA_IR_LLAMAOPTRAITS

include "mlir/IR/OpBase.td"

class Llama_Trait<string name> : NativeOpTrait<name> {
  let cppNamespace = "::corellama::llama";
}

// Sums over whole rows of its operand: a kernel is formed around such ops. Ops
// that read the same rows share a kernel.
def Llama_IsProduct : Llama_Trait<"IsProduct">;
// A tile of the result needs the same tile of each operand and nothing else of
// them, so the op joins the kernel that makes an operand.
def Llama_IsElementwise : Llama_Trait<"IsElementwise">;
// Makes whole rows that products read: where a call has few rows, each part of
// the kernel that reads them can afford to make them again.
def Llama_IsRowPrologue : Llama_Trait<"IsRowPrologue">;
// Stores its rows, tile by tile, where other kernels find them.
def Llama_IsSink : Llama_Trait<"IsSink">;

def Llama_ReductionOpInterface : OpInterface<"ReductionOpInterface"> {
  let cppNamespace = "::corellama::llama";
  let description = [{
    An op with a sum, whose order decides the bits of the result: `llama-plan-kernels`
    sets it from the target's table, later phases obey it. The op keeps it as its
    attribute `order`.
  }];
  let methods = [
    InterfaceMethod<"The order of the sum; null before phase plan.",
      "::corellama::llama::ReductionOrderAttr", "getOrderAttr">,
    InterfaceMethod<"Sets the order.", "void", "setOrderAttr",
      (ins "::corellama::llama::ReductionOrderAttr":$order)>,
  ];
}

#endif
