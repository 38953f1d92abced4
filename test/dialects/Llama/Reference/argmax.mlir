// The column of the largest value; the lowest wins a tie, NaN never wins.
//
// Row 0: 7 stands in columns 1 and 3. Row 1: NaN (0x7FC00000) in column 0 and
// 2, largest -1. Row 2: nothing but NaN. Row 3: -inf wins over NaN.
//
// RUN: %corellama eval %s --entry greedy | FileCheck %s
// CHECK: int 4
// CHECK-NEXT: {{^}}1 3 0 2{{$}}
func.func @greedy() -> tensor<4xi32> {
  %x = arith.constant dense<[[1.0, 7.0, -2.0, 7.0],
                             [0x7FC00000, -3.0, 0x7FC00000, -1.0],
                             [0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000],
                             [0x7FC00000, 0x7FC00000, 0xFF800000, 0xFF800000]]> : tensor<4x4xf32>
  %id = llama.argmax %x : tensor<4x4xf32> -> tensor<4xi32>
  return %id : tensor<4xi32>
}
