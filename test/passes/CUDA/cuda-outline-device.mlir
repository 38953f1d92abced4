// RUN: %opt %pass %s | FileCheck %s

// Kernels move to the device's module with what workgroup memory they have; the
// host's functions stay.

// The table of kernels names them where they are.
// CHECK:      module attributes
// CHECK-SAME: llama.kernels = [{function = @device::@qkv$decode, name = "qkv.decode", parts = @qkv.decode.parts}]
module attributes {llama.kernels = [{name = "qkv.decode", function = @qkv.decode, parts = @qkv.decode.parts}]} {
  llvm.mlir.global external @corellama_shared() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>

  // CHECK-NOT: llvm.mlir.global
  // CHECK:     llvm.func @qkv.decode.parts
  llvm.func @qkv.decode.parts(%rows: i64, %keys: i64) -> i64 {
    llvm.return %rows : i64
  }
  // A dot is not legal in a name of PTX.
  llvm.func @qkv.decode(%ctx: !llvm.ptr, %layer: i32) attributes {sym_visibility = "private", llama.scratch = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256>} {
    %shared = llvm.mlir.addressof @corellama_shared : !llvm.ptr<3>
    %zero = llvm.mlir.constant(0.0 : f32) : f32
    llvm.store %zero, %shared : f32, !llvm.ptr<3>
    llvm.return
  }
  // CHECK-NOT: llvm.func @qkv.decode(
  // CHECK:     llvm.func @corellama_step_decode
  // CHECK:       llvm.call @qkv.decode.parts
  llvm.func @corellama_step_decode(%ctx: !llvm.ptr, %device: !llvm.ptr) {
    %one = llvm.mlir.constant(1 : i64) : i64
    %parts = llvm.call @qkv.decode.parts(%one, %one) : (i64, i64) -> i64
    llvm.return
  }
  // CHECK:      gpu.module @device {
  // CHECK-NEXT:   llvm.mlir.global external @corellama_shared()
  // The context is in the parameters.
  // CHECK:        llvm.func @qkv$decode(%{{.+}}: !llvm.ptr {llvm.align = 8 : i64, llvm.byval = !llvm.array<112 x i8>, nvvm.grid_constant}, %{{.+}}: i32) attributes {
  // CHECK-SAME:     llama.scratch = 512 : i64
  // CHECK-SAME:     nvvm.kernel, nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 256>
  // CHECK:          llvm.mlir.addressof @corellama_shared : !llvm.ptr<3>

  // Tensor cores may have more registers: three blocks of 128 threads.
  // CHECK:        llvm.func @gate_up$prefill
  // CHECK-SAME:     nvvm.minctasm = 2 : i32, nvvm.reqntid = array<i32: 128>
  llvm.func @gate_up.prefill(%ctx: !llvm.ptr, %layer: i32) attributes {llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    llvm.return
  }
}
