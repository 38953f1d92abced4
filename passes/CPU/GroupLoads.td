//===- GroupLoads.td - how the CPU reads a format in interleaved16 --------===//

#ifndef CORELLAMA_PASSES_CPU_GROUPLOADS
#define CORELLAMA_PASSES_CPU_GROUPLOADS

include "mlir/IR/OpBase.td"

def CPU_GroupLoadInterface : AttrInterface<"GroupLoadInterface"> {
  let cppNamespace = "::corellama::cpu";
  let description = [{
    Attached to each format: emits the loads of a group of 16 rows in the layout
    `interleaved16`, whose bytes LayoutInterface::locate defines. Columns come in blocks
    of 32, counted along the whole row.
  }];
  let methods = [
    InterfaceMethod<[{
      Calls `visit` with columns first to last of a block, ascending, and the
      unscaled quants of the 16 rows there, as a vector of 16 f32.}],
      "void", "emitQuants",
      (ins "const ::corellama::cpu::GroupStream &":$stream, "::mlir::Value":$block,
           "int64_t":$first, "int64_t":$last,
           "::llvm::function_ref<void(int64_t, ::mlir::Value)>":$visit)>,
    InterfaceMethod<[{
      The scales of the 16 rows for column `column` of a block; null where the
      format has none.}],
      "::mlir::Value", "emitScale",
      (ins "const ::corellama::cpu::GroupStream &":$stream, "::mlir::Value":$block,
           "int64_t":$column)>,
    InterfaceMethod<"The minima of the 16 rows for a block; null where there are none.",
      "::mlir::Value", "emitMinimum",
      (ins "const ::corellama::cpu::GroupStream &":$stream, "::mlir::Value":$block)>,
    InterfaceMethod<"One value, dequantised: row and column are those of the weight.",
      "::mlir::Value", "emitValue",
      (ins "const ::corellama::cpu::GroupStream &":$stream, "::mlir::Value":$row,
           "::mlir::Value":$column)>,
  ];
}

#endif
