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
    InterfaceMethod<"Creates the loop of a product; the tile.",
      "::mlir::Value", "lowerContract",
      (ins "::corellama::cpu::VectorBuilder &":$b,
           "::corellama::tile::ContractOp":$op,
           "::corellama::cpu::Ranges<::corellama::tile::ContractOp>":$adaptor,
           "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"What one instruction of the unit multiplies at most.",
      "::corellama::cpu::PeakStep", "getPeakStep",
      (ins "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"The share of its peak that products of many rows reach at most "
      "with weights of a format: multiplications over all instructions of a step that "
      "need the multipliers.",
      "double", "getBound",
      (ins "const ::corellama::llama::FormatFacts &":$format,
           "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"Creates one such instruction that depends on `chain`, and "
      "returns the next link of the chain. Both operands have getPeakStep's lanes "
      "of i32.",
      "::mlir::Value", "emitPeakStep",
      (ins "::corellama::cpu::VectorBuilder &":$b, "::mlir::Value":$chain,
           "::mlir::Value":$x, "::corellama::cpu::TargetAttr":$target)>,
  ];
}

def CPU_PanelLoweringInterface : AttrInterface<"PanelLoweringInterface"> {
  let cppNamespace = "::corellama::cpu";
  let description = [{
    Attached to the units that use panels: rows of a weight, decoded once for
    many products.
  }];
  let methods = [
    InterfaceMethod<"The memrefs that a panel is decoded into.",
      "::llvm::SmallVector<::mlir::Type>", "getPanelTypes",
      (ins "::corellama::tile::PanelType":$panel)>,
    InterfaceMethod<"Creates the loop that decodes rows of a weight into a panel.",
      "void", "lowerPanel",
      (ins "::corellama::cpu::VectorBuilder &":$b,
           "::corellama::tile::PanelOp":$op,
           "::corellama::tile::PanelOp::Adaptor":$adaptor,
           "::mlir::ValueRange":$panel,
           "::corellama::cpu::TargetAttr":$target)>,
  ];
}

#endif
