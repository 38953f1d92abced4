// RUN: %opt %pass %s --split-input-file --verify-diagnostics

llvm.func @helper() {
  llvm.return
}
llvm.func @qkv.decode(%ctx: !llvm.ptr, %layer: i32) attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  // expected-error @below {{'llvm.call' op calls 'helper' from 'qkv.decode'; a kernel is launched, and calls nothing}}
  llvm.call @helper() : () -> ()
  llvm.return
}

// -----

llvm.func @qkv.decode(%ctx: !llvm.ptr, %layer: i32) attributes {llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
  llvm.return
}
llvm.func @step(%ctx: !llvm.ptr) {
  %layer = llvm.mlir.constant(0 : i32) : i32
  // expected-error @below {{'llvm.call' op calls 'qkv.decode' from 'step'; a kernel is launched, and calls nothing}}
  llvm.call @qkv.decode(%ctx, %layer) : (!llvm.ptr, i32) -> ()
  llvm.return
}
