// A row of the table for each id, in any format.
//
// RUN: %python %S/npy.py %t.w.npy f4 3x2 1.5 2 3 4 5 -6
// RUN: %corellama eval %s --entry rows --in %t.w.npy | FileCheck %s
// CHECK: float 3x2
// CHECK-NEXT: 5 -6
// CHECK-NEXT: 1.5 2
// CHECK-NEXT: 5 -6
func.func @rows(%w: !llama.weight<3x2, #llama.f32>) -> tensor<3x2xf32> {
  %ids = arith.constant dense<[2, 0, 2]> : tensor<3xi32>
  %x = llama.embed %ids, %w : tensor<3xi32>, !llama.weight<3x2, #llama.f32> -> tensor<3x2xf32>
  return %x : tensor<3x2xf32>
}

// Row 0 is 0.5 * (0, 1, ..., 31), row 1 is 2 * (-1, ..., -1).
// RUN: %python %S/npy.py %t.q.npy u1 2x34 h:0.5 0..31 h:2 255*32
// RUN: %python %S/npy.py %t.ids.npy i4 2 1 0
// RUN: %corellama eval %s --entry dequantised --in %t.ids.npy --in %t.q.npy | FileCheck %s --check-prefix=Q8
// Q8: float 2x32
// Q8-NEXT: -2 -2 {{.*}} -2{{$}}
// Q8-NEXT: 0 0.5 1 1.5 {{.*}} 15.5{{$}}
func.func @dequantised(%ids: tensor<?xi32>, %w: !llama.weight<2x32, #llama.q8_0>) -> tensor<?x32xf32> {
  %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<2x32, #llama.q8_0> -> tensor<?x32xf32>
  return %x : tensor<?x32xf32>
}

// RUN: %python %S/npy.py %t.ids.npy i4 2 1 2
// RUN: not %corellama eval %s --entry dequantised --in %t.ids.npy --in %t.q.npy 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: corellama: {{.*}}embed.mlir: @dequantised: llama.embed: id 2 in row 1 is not one of the vocabulary's 2{{$}}
