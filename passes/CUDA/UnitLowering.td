//===- UnitLowering.td - the code of a GPU's units ------------------------===//

#ifndef CORELLAMA_PASSES_CUDA_UNITLOWERING
#define CORELLAMA_PASSES_CUDA_UNITLOWERING

include "mlir/IR/OpBase.td"

def CUDA_UnitLoweringInterface : AttrInterface<"UnitLoweringInterface"> {
  let cppNamespace = "::corellama::cuda";
  let description = [{
    Attached to each unit of a GPU by its file in passes/CUDA/Units: the loop over
    k of a block of threads. The verifier has checked that the unit sums in the
    op's order.
  }];
  let methods = [
    InterfaceMethod<"The thread's fragment of a product; null after an error.",
      "::mlir::Value", "lowerContract",
      (ins "::corellama::cuda::CUDAKernel &":$kernel,
           "::corellama::tile::ContractOp":$op)>,
  ];
}

#endif
