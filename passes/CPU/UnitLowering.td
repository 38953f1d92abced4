//===- UnitLowering.td - the code of a CPU's units ------------------------===//

#ifndef CORELLAMA_PASSES_CPU_UNITLOWERING
#define CORELLAMA_PASSES_CPU_UNITLOWERING

include "mlir/IR/OpBase.td"

def CPU_UnitLoweringInterface : AttrInterface<"UnitLoweringInterface"> {
  let cppNamespace = "::corellama::cpu";
  let description = [{
    Attached to each unit of a CPU by its file in passes/CPU/Units: the loop over
    k in the target's instructions. The verifier has checked that the unit sums
    in the op's order.
  }];
  let methods = [
    InterfaceMethod<"Decodes rows of a weight into memory of the kernel.",
      "::llvm::LogicalResult", "lowerPanel",
      (ins "::corellama::cpu::VectorKernel &":$kernel,
           "::corellama::tile::PanelOp":$op)>,
    InterfaceMethod<"Replaces the uses of a product.",
      "::llvm::LogicalResult", "lowerContract",
      (ins "::corellama::cpu::VectorKernel &":$kernel,
           "::corellama::tile::ContractOp":$op)>,
  ];
}

#endif
