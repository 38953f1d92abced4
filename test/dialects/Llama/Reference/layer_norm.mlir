// (x - mean) / sqrt(variance + eps) * w + b, each row on its own.
//
// Row 0: mean 3, variance 4, eps 12, so deviation 4: (1 - 3) / 4 and (5 - 3) / 4 * 10.
// Row 1: equal elements have no variance, so only the bias is left. Row 2: mean 1,
// variance 4.
//
// RUN: %python %S/npy.py %t.w.npy f4 2 1 10
// RUN: %python %S/npy.py %t.b.npy f4 2 0.5 -1
// RUN: %corellama eval %s --entry plain --in %t.w.npy | FileCheck %s --check-prefix=PLAIN
// RUN: %corellama eval %s --entry two_pass --in %t.w.npy %t.b.npy | FileCheck %s
// RUN: %corellama eval %s --entry one_pass --in %t.w.npy %t.b.npy | FileCheck %s
// PLAIN: float 3x2
// PLAIN-NEXT: {{^}}-0.5 5{{$}}
// PLAIN-NEXT: {{^}}0 0{{$}}
// PLAIN-NEXT: {{^}}0.5 -5{{$}}
// CHECK: float 3x2
// CHECK-NEXT: {{^}}0 4{{$}}
// CHECK-NEXT: {{^}}0.5 -1{{$}}
// CHECK-NEXT: {{^}}1 -6{{$}}
func.func @plain(%w: !llama.weight<2, #llama.f32>) -> tensor<3x2xf32> {
  %x = arith.constant dense<[[1.0, 5.0], [7.0, 7.0], [3.0, -1.0]]> : tensor<3x2xf32>
  %y = llama.layer_norm two_pass %x, %w eps 12.0 : tensor<3x2xf32>, !llama.weight<2, #llama.f32>
  return %y : tensor<3x2xf32>
}
func.func @two_pass(%w: !llama.weight<2, #llama.f32>, %b: !llama.weight<2, #llama.f32>) -> tensor<3x2xf32> {
  %x = arith.constant dense<[[1.0, 5.0], [7.0, 7.0], [3.0, -1.0]]> : tensor<3x2xf32>
  %y = llama.layer_norm two_pass %x, %w, %b eps 12.0 : tensor<3x2xf32>, !llama.weight<2, #llama.f32>, !llama.weight<2, #llama.f32>
  return %y : tensor<3x2xf32>
}
func.func @one_pass(%w: !llama.weight<2, #llama.f32>, %b: !llama.weight<2, #llama.f32>) -> tensor<3x2xf32> {
  %x = arith.constant dense<[[1.0, 5.0], [7.0, 7.0], [3.0, -1.0]]> : tensor<3x2xf32>
  %y = llama.layer_norm one_pass %x, %w, %b eps 12.0 : tensor<3x2xf32>, !llama.weight<2, #llama.f32>, !llama.weight<2, #llama.f32>
  return %y : tensor<3x2xf32>
}
