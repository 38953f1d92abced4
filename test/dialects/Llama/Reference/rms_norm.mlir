// x / sqrt(mean(x^2) + eps) * w, each row on its own.
//
// Row 0: mean square (9 + 16) / 2 = 12.5, eps 3.5, so rms 4. Row 1: all zero.
// Row 2: mean square 5, rms sqrt(8.5): 3 / 2.915475947 = 1.028991511,
// -1 / 2.915475947 * 10 = -3.429971703.
//
// RUN: %python %S/npy.py %t.w.npy f4 2 1 10
// RUN: %corellama eval %s --entry norm --in %t.w.npy | FileCheck %s
// CHECK: float 3x2
// CHECK-NEXT: {{^}}0.75 10{{$}}
// CHECK-NEXT: {{^}}0 0{{$}}
// CHECK-NEXT: {{^}}1.02899151 -3.4299717{{$}}
func.func @norm(%w: !llama.weight<2, #llama.f32>) -> tensor<3x2xf32> {
  %x = arith.constant dense<[[3.0, 4.0], [0.0, 0.0], [3.0, -1.0]]> : tensor<3x2xf32>
  %y = llama.rms_norm %x, %w eps 3.5 : tensor<3x2xf32>, !llama.weight<2, #llama.f32>
  return %y : tensor<3x2xf32>
}

// Two heads of two columns, each normed on its own and by the same weight: rms 4 as in
// row 0 above, and rms sqrt(1 / 2 + 3.5) = 2.
//
// RUN: %corellama eval %s --entry heads --in %t.w.npy | FileCheck %s --check-prefix=HEADS
// HEADS: float 1x4
// HEADS-NEXT: {{^}}0.75 10 0.5 0{{$}}
func.func @heads(%w: !llama.weight<2, #llama.f32>) -> tensor<1x4xf32> {
  %x = arith.constant dense<[[3.0, 4.0, 1.0, 0.0]]> : tensor<1x4xf32>
  %y = llama.rms_norm %x, %w eps 3.5 heads 2 : tensor<1x4xf32>, !llama.weight<2, #llama.f32>
  return %y : tensor<1x4xf32>
}
