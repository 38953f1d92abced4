// x where it is not below zero, else zero.
//
// RUN: %corellama eval %s --entry relu | FileCheck %s
// CHECK: float 1x4
// CHECK-NEXT: {{^}}0 2 0 nan{{$}}
func.func @relu() -> tensor<1x4xf32> {
  %x = arith.constant dense<[[0.0, 2.0, -1.0, 0x7FC00000]]> : tensor<1x4xf32>
  %y = llama.relu %x : tensor<1x4xf32>
  return %y : tensor<1x4xf32>
}
