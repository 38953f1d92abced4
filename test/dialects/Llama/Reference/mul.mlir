// Element by element.
//
// RUN: %corellama eval %s --entry mul | FileCheck %s
// CHECK: float 1x4
// CHECK-NEXT: {{^}}0 -4 0.5 -8{{$}}
func.func @mul() -> tensor<1x4xf32> {
  %a = arith.constant dense<[[0.0, 2.0, -1.0, 4.0]]> : tensor<1x4xf32>
  %b = arith.constant dense<[[5.0, -2.0, -0.5, -2.0]]> : tensor<1x4xf32>
  %y = llama.mul %a, %b : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
