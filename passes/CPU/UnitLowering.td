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
    InterfaceMethod<"The memrefs in a worker's scratch that a product needs.",
      "::llvm::SmallVector<::mlir::Type>", "getScratchTypes",
      (ins "::corellama::tile::ContractOp":$op)>,
    InterfaceMethod<"Creates the loop of a product, which may write `memory` of "
      "getScratchTypes; the tile.",
      "::mlir::Value", "lowerContract",
      (ins "::corellama::cpu::VectorBuilder &":$b,
           "::corellama::tile::ContractOp":$op,
           "::corellama::cpu::Ranges<::corellama::tile::ContractOp>":$adaptor,
           "::mlir::ValueRange":$memory,
           "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"Multiplications and additions in a turn of emitPeakLoop.",
      "int64_t", "getPeakOperations",
      (ins "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"The share of its peak that products of many rows reach at most "
      "with weights of a format: multiplications over all instructions of a step that "
      "need the multipliers.",
      "double", "getBound",
      (ins "const ::corellama::llama::FormatFacts &":$format,
           "::corellama::cpu::TargetAttr":$target)>,
    InterfaceMethod<"Creates a loop of `turns` turns that only multiplies, in as many "
      "chains as keep the unit busy. What is multiplied is in kPeakBytes of `memory`, "
      "all zero, and so is what the loop leaves there.",
      "void", "emitPeakLoop",
      (ins "::corellama::cpu::VectorBuilder &":$b, "::mlir::Value":$memory,
           "::mlir::Value":$turns, "::corellama::cpu::TargetAttr":$target)>,
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
      (ins "::corellama::tile::PanelType":$panel,
           "::corellama::cpu::TargetAttr":$target)>,
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
