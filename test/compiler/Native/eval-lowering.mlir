// The second meaning of each op that the study runs, linalg on tensors by upstream's
// scalar lowering, beside the evaluator: in float32, and in float64, where nothing but
// the order of sums differs.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/lowering.py %corellama %s %t | FileCheck %s
// CHECK: binary, f32 linalg: equal
// CHECK: binary, f64 linalg: equal
// CHECK: encode, f32 linalg: equal
// CHECK: encode, f64 linalg: equal
// CHECK: norms, f32 linalg: equal
// CHECK: norms, f64 linalg: equal
// CHECK: feed_forwards, f32 linalg: equal
// CHECK: feed_forwards, f64 linalg: equal
// CHECK: layer, f32 linalg: equal
// CHECK: layer, f32 rope-matrix: equal
// CHECK: layer, f32 rope-elementwise: equal
// CHECK: layer, f32 rope-complex: equal
// CHECK: layer, f64 linalg: equal
// CHECK: rope, f64 linalg: equal
// CHECK: rope, f64 rope-matrix: equal
// CHECK: rope, f64 rope-elementwise: equal
// CHECK: rope, f64 rope-complex: equal
// CHECK: phases: 1-linalg.mlir 2-llvm.mlir

func.func @binary(%pos: tensor<?xi32>) -> tensor<?x21xf32> {
  %y = llama.position_encoding binary of %pos : tensor<?xi32> -> tensor<?x21xf32>
  return %y : tensor<?x21xf32>
}
func.func @encode(%x: tensor<?x10xf32>, %pos: tensor<?xi32>) -> (tensor<?x9xf32>, tensor<?x10xf32>, tensor<?x10xf32>) {
  %s = llama.position_encoding sine of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x9xf32>
  %e = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x10xf32>
  %y = llama.add %x, %e : tensor<?x10xf32>
  %n = llama.position_encoding sinusoidal of %pos base 1.0e+04 angles f32 : tensor<?xi32> -> tensor<?x10xf32>
  return %s, %y, %n : tensor<?x9xf32>, tensor<?x10xf32>, tensor<?x10xf32>
}
func.func @norms(%x: tensor<?x10xf32>, %g: !llama.weight<10, #llama.f32>, %b: !llama.weight<10, #llama.f32>, %h: !llama.weight<5, #llama.f32>)
    -> (tensor<?x10xf32>, tensor<?x10xf32>, tensor<?x10xf32>, tensor<?x10xf32>) {
  %r = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x10xf32>, <10, #llama.f32>
  %s = llama.rms_norm %x, %h eps 1.0e-05 heads 2 : tensor<?x10xf32>, <5, #llama.f32>
  %t = llama.layer_norm two_pass %x, %g, %b eps 1.0e-05 : tensor<?x10xf32>, <10, #llama.f32>, !llama.weight<10, #llama.f32>
  %o = llama.layer_norm one_pass %x, %g eps 1.0e-05 : tensor<?x10xf32>, <10, #llama.f32>
  return %r, %s, %t, %o : tensor<?x10xf32>, tensor<?x10xf32>, tensor<?x10xf32>, tensor<?x10xf32>
}
// A weight in f16 is the numbers that its halves are.
func.func @feed_forwards(%x: tensor<?x10xf32>, %w: !llama.weight<7x10, #llama.f16>, %v: !llama.weight<7x10, #llama.f32>)
    -> (tensor<?x7xf32>, tensor<?x7xf32>, tensor<?x7xf32>, tensor<?x7xf32>) {
  %g = llama.linear %x, %w : tensor<?x10xf32>, <7x10, #llama.f16> -> tensor<?x7xf32>
  %u = llama.linear %x, %v : tensor<?x10xf32>, <7x10, #llama.f32> -> tensor<?x7xf32>
  %s = llama.swiglu %g, %u : tensor<?x7xf32>
  %i = llama.silu %g : tensor<?x7xf32>
  %r = llama.relu %g : tensor<?x7xf32>
  %e = llama.gelu %u : tensor<?x7xf32>
  return %s, %i, %r, %e : tensor<?x7xf32>, tensor<?x7xf32>, tensor<?x7xf32>, tensor<?x7xf32>
}
// A cache of halves; four heads over two; a layer that is computed.
func.func @layer(%x: tensor<?x24xf32>, %k: tensor<?x12xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x2x6, f16>, %first: index) -> tensor<?x24xf32> {
  %one = arith.constant 1 : index
  %l = arith.addi %first, %one : index
  %q = llama.rope %x, %pos base 1.0e+04 heads 4 : tensor<?x24xf32>, tensor<?xi32>
  %r = llama.rope %k, %pos base 1.0e+04 heads 2 : tensor<?x12xf32>, tensor<?xi32>
  llama.kv_append %kv[%l], %r, %k at %pos : <3x2x6, f16>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?xi32>
  %y = llama.attention %q, %kv[%l], %pos causal heads 4 : tensor<?x24xf32>, <3x2x6, f16>, tensor<?xi32>
  return %y : tensor<?x24xf32>
}
func.func @rope(%x: tensor<?x12xf32>, %pos: tensor<?xi32>) -> tensor<?x12xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<?x12xf32>, tensor<?xi32>
  return %y : tensor<?x12xf32>
}

// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/x.npy f4 1x24 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/k.npy f4 1x12 0 1 2 3 4 5 6 7 8 9 10 11
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/seven.npy i4 1 7
// RUN: not %corellama eval %s --native --lowering linalg --entry layer --in %t/x.npy --in %t/k.npy --in %t/seven.npy --in 0 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: @layer: attention reads position 0 of the cache, which was never appended; give rows from position 0 on{{$}}
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/large.npy i4 1 2097152
// RUN: not %corellama eval %s --native --lowering linalg --entry binary --in %t/large.npy 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: @binary: position 2097152 has more than 21 bits{{$}}
// RUN: not %corellama eval %s --native --lowering linalg --time --entry binary 2>&1 | FileCheck %s --check-prefix=TIME
// TIME: --time excludes --lowering
// RUN: not %corellama eval %s --lowering linalg --entry binary 2>&1 | FileCheck %s --check-prefix=NATIVE
// NATIVE: --lowering requires --native
