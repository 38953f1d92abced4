// A kernel's region is run where it stands; how it is partitioned means nothing here.
//
// RUN: %corellama eval %s --entry gathered | FileCheck %s
// CHECK: float 1x2
// CHECK-NEXT: {{^}}4 6{{$}}
// CHECK-NEXT: float 1x2
// CHECK-NEXT: {{^}}3 8{{$}}
func.func @gathered() -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %x = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %y = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %sum, %product = llama.kernel "both" (%a = %x : tensor<1x2xf32>, %b = %y : tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>) strategy #cpu.strategy<unit = #cpu.fma, m = 1, n = 16> partition <rows = [2], by = 1> {
    %s = llama.add %a, %b : tensor<1x2xf32>
    %p = llama.mul %a, %b : tensor<1x2xf32>
    llama.yield %s, %p : tensor<1x2xf32>, tensor<1x2xf32>
  }
  return %sum, %product : tensor<1x2xf32>, tensor<1x2xf32>
}
