// x + w, the same w for each row.
//
// RUN: %python %S/npy.py %t.w.npy f4 2 0.5 10
// RUN: %corellama eval %s --entry biased --in %t.w.npy | FileCheck %s
// CHECK: float 2x2
// CHECK-NEXT: {{^}}3.5 14{{$}}
// CHECK-NEXT: {{^}}0.5 9{{$}}
func.func @biased(%w: !llama.weight<2, #llama.f32>) -> tensor<2x2xf32> {
  %x = arith.constant dense<[[3.0, 4.0], [0.0, -1.0]]> : tensor<2x2xf32>
  %y = llama.bias %x, %w : tensor<2x2xf32>, !llama.weight<2, #llama.f32>
  return %y : tensor<2x2xf32>
}
