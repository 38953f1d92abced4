// Pairs (2i, 2i + 1) of each head turn by position * base^(-2i / head size).
//
// Head size 4, base 16: pair 0 turns by pos, pair 1 by pos * 16^(-1/2) = pos/4.
// Position 0 turns nothing. Position 2: cos 2 = -0.416146837, sin 2 =
// 0.909297427, cos 0.5 = 0.877582562, sin 0.5 = 0.479425539. Both heads alike.
//
// RUN: %corellama eval %s --entry rotate | FileCheck %s
// CHECK: float 2x8
// CHECK-NEXT: {{^}}1 0 0 1 0 1 1 0{{$}}
// CHECK-NEXT: {{^}}-0.416146837 0.909297427 -0.479425539 0.877582562 -0.909297427 -0.416146837 0.877582562 0.479425539{{$}}
func.func @rotate() -> tensor<2x8xf32> {
  %rows = arith.constant dense<[[1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0],
                                [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0]]> : tensor<2x8xf32>
  %pos = arith.constant dense<[0, 2]> : tensor<2xi32>
  %y = llama.rope %rows, %pos base 16.0 heads 2 : tensor<2x8xf32>, tensor<2xi32>
  return %y : tensor<2x8xf32>
}
