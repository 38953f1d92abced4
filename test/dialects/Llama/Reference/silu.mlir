// x / (1 + exp(-x)).
//
// silu(0) = 0, silu(2) = 2 / (1 + exp(-2)) = 1.761594156, silu(-1) = -1 / (1 +
// e) = -0.268941421; far below zero exp overflows to infinity and silu is -0.
//
// RUN: %corellama eval %s --entry silu | FileCheck %s
// CHECK: float 1x4
// CHECK-NEXT: {{^}}0 1.76159416 -0.268941421 -0{{$}}
func.func @silu() -> tensor<1x4xf32> {
  %x = arith.constant dense<[[0.0, 2.0, -1.0, -1000.0]]> : tensor<1x4xf32>
  %y = llama.silu %x : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
