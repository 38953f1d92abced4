// x times a constant.
//
// RUN: %corellama eval %s --entry scaled | FileCheck %s
// CHECK: float 1x3
// CHECK-NEXT: {{^}}-1.5 0 6{{$}}
func.func @scaled() -> tensor<1x3xf32> {
  %x = arith.constant dense<[[-3.0, 0.0, 12.0]]> : tensor<1x3xf32>
  %y = llama.scale %x by 0.5 : tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
