// Native code with one thing broken differs from the evaluator, whatever was broken,
// and only where it was: what compares them can fail.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/faults.py %corellama %s %t %bin/corellama-faulty | FileCheck %s
// CHECK: swap-sine-cosine: rotate encode
// CHECK: drop-epsilon: norm
// CHECK: shift-positions: rotate encode
// CHECK: share-wrong-head: attend
// CHECK: double-frequency: rotate encode
// CHECK: swap-gate-up: bend
// CHECK: double-cubic: gelu
// CHECK: leave-out-residual: part
//
// A function without what is broken, and a fault that is none.
// RUN: %python %S/../../dialects/Llama/Reference/npy.py %t/x.npy f4 1x4 1 2 3 4
// RUN: not %bin/corellama-faulty drop-epsilon eval %s --native --entry relu --in %t/x.npy 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not %bin/corellama-faulty typo 2>&1 | FileCheck %s --check-prefix=LIST
// NONE: @relu: phase tile: has no place for the fault 'drop-epsilon'{{$}}
// LIST: swap-sine-cosine: sine and cosine of rotations and encodings swapped
func.func @relu(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %y = llama.relu %x : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
func.func @rotate(%x: tensor<?x24xf32>, %pos: tensor<?xi32>) -> tensor<?x24xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 4 : tensor<?x24xf32>, tensor<?xi32>
  return %y : tensor<?x24xf32>
}
func.func @encode(%pos: tensor<?xi32>) -> tensor<?x8xf32> {
  %y = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
func.func @norm(%x: tensor<?x24xf32>, %g: !llama.weight<24, #llama.f32>, %h: !llama.weight<24, #llama.f32>) -> (tensor<?x24xf32>, tensor<?x24xf32>) {
  %y = llama.rms_norm %x, %g eps 0.1 : tensor<?x24xf32>, <24, #llama.f32>
  %z = llama.layer_norm one_pass %x, %h eps 0.1 : tensor<?x24xf32>, <24, #llama.f32>
  return %y, %z : tensor<?x24xf32>, tensor<?x24xf32>
}
func.func @attend(%x: tensor<?x24xf32>, %k: tensor<?x12xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<1x2x6, f32>, %l: index) -> tensor<?x24xf32> {
  llama.kv_append %kv[%l], %k, %k at %pos : <1x2x6, f32>, tensor<?x12xf32>, tensor<?x12xf32>, tensor<?xi32>
  %y = llama.attention %x, %kv[%l], %pos causal heads 4 : tensor<?x24xf32>, <1x2x6, f32>, tensor<?xi32>
  return %y : tensor<?x24xf32>
}
func.func @bend(%g: tensor<?x24xf32>, %u: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %y = llama.swiglu %g, %u : tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
func.func @gelu(%x: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %y = llama.gelu %x : tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
func.func @part(%x: tensor<?x24xf32>, %w: !llama.weight<24x24, #llama.f32>) -> tensor<?x24xf32> {
  %p = llama.linear %x, %w : tensor<?x24xf32>, <24x24, #llama.f32> -> tensor<?x24xf32>
  %y = llama.add %x, %p : tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
