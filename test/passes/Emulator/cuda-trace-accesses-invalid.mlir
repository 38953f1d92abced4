// RUN: %emulator_opt %pass %s --verify-diagnostics

llvm.func @kernel(%ctx: !llvm.ptr, %layer: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>} {
  %bytes = llvm.mlir.constant(16 : i64) : i64
  // expected-error @below {{'llvm.intr.memcpy' op touches memory and is neither a load nor a store, so its accesses cannot be told}}
  "llvm.intr.memcpy"(%ctx, %ctx, %bytes) <{isVolatile = false}> : (!llvm.ptr, !llvm.ptr, i64) -> ()
  llvm.return
}
