// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
//
// u(2) = 0.797884561 * 2.35772 = 1.881188389, tanh = 0.954597694, so 1.954597694;
// u(-1) = -0.833562192, tanh = -0.682383983, so -0.158808009. Far below zero tanh is
// -1 and gelu -0.
//
// RUN: %corellama eval %s --entry gelu | FileCheck %s
// CHECK: float 1x4
// CHECK-NEXT: {{^}}0 1.95459769 -0.158808009 -0{{$}}
func.func @gelu() -> tensor<1x4xf32> {
  %x = arith.constant dense<[[0.0, 2.0, -1.0, -1000.0]]> : tensor<1x4xf32>
  %y = llama.gelu %x : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
