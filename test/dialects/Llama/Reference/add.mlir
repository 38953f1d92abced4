// Element by element.
//
// RUN: %corellama eval %s --entry add | FileCheck %s
// CHECK: float 2x2
// CHECK-NEXT: {{^}}11 22{{$}}
// CHECK-NEXT: {{^}}33 44{{$}}
func.func @add() -> tensor<2x2xf32> {
  %a = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[[10.0, 20.0], [30.0, 40.0]]> : tensor<2x2xf32>
  %y = llama.add %a, %b : tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// Dynamic rows that do not agree are found when they are known.
// RUN: %python %S/npy.py %t.1.npy f4 1x2 1 2
// RUN: %python %S/npy.py %t.2.npy f4 2x2 1 2 3 4
// RUN: not %corellama eval %s --entry dynamic --in %t.1.npy --in %t.2.npy 2>&1 | FileCheck %s --check-prefix=ROWS
// ROWS: @dynamic: llama.add: operands of 1x2 and 2x2 do not go together{{$}}
func.func @dynamic(%a: tensor<?x2xf32>, %b: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %y = llama.add %a, %b : tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
