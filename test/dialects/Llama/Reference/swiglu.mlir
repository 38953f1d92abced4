// silu(gate) * up: the gate goes through silu, up does not.
//
// silu(2) * 3 = 1.761594156 * 3, silu(-1) * -2 = -0.268941421 * -2.
//
// RUN: %corellama eval %s --entry swiglu | FileCheck %s
// CHECK: float 1x2
// CHECK-NEXT: {{^}}5.28478247 0.537882843{{$}}
func.func @swiglu() -> tensor<1x2xf32> {
  %g = arith.constant dense<[[2.0, -1.0]]> : tensor<1x2xf32>
  %u = arith.constant dense<[[3.0, -2.0]]> : tensor<1x2xf32>
  %y = llama.swiglu %g, %u : tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
