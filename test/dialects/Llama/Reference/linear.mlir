// x times the transposed weight: a column of the result for each of its rows.
//
// [1, 2] . [3, 4] = 11, [1, 2] . [5, 6] = 17, [1, 2] . [7, 8] = 23
// [0, -1]:            -4,                  -6,                  -8
//
// RUN: %python %S/npy.py %t.w.npy f4 3x2 3 4 5 6 7 8
// RUN: %corellama eval %s --entry product --in %t.w.npy | FileCheck %s
// CHECK: float 2x3
// CHECK-NEXT: {{^}}11 17 23{{$}}
// CHECK-NEXT: {{^}}-4 -6 -8{{$}}
func.func @product(%w: !llama.weight<3x2, #llama.f32>) -> tensor<2x3xf32> {
  %x = arith.constant dense<[[1.0, 2.0], [0.0, -1.0]]> : tensor<2x2xf32>
  %y = llama.linear %x, %w : tensor<2x2xf32>, !llama.weight<3x2, #llama.f32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Q4_1, x all ones. Row 0: scale 0.5, minimum -1, byte 0x21: columns 0 to 15
// have quant 1, 16 to 31 quant 2: 0.5 * (16 * 1 + 16 * 2) - 32 = -8. Row 1:
// scale 0, minimum 3: 96.
// RUN: %python %S/npy.py %t.q.npy u1 2x20 h:0.5 h:-1 0x21*16 h:0 h:3 255*16
// RUN: %corellama eval %s --entry blocks --in %t.q.npy | FileCheck %s --check-prefix=Q4
// Q4: float 1x2
// Q4-NEXT: {{^}}-8 96{{$}}
func.func @blocks(%w: !llama.weight<2x32, #llama.q4_1>) -> tensor<1x2xf32> {
  %x = arith.constant dense<1.0> : tensor<1x32xf32>
  %y = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<2x32, #llama.q4_1> -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// Sums are made in float64: 1e16 + 1 - 1e16 is 0 in float64 and would be
// anything in float32, 1e8 + 1 - 1e8 is 1 in float64 and 0 in float32.
// RUN: %python %S/npy.py %t.w.npy f4 1x3 1 1 -1
// RUN: %corellama eval %s --entry double --in %t.w.npy | FileCheck %s --check-prefix=DOUBLE
// DOUBLE: float 1x1
// DOUBLE-NEXT: {{^}}1{{$}}
func.func @double(%w: !llama.weight<1x3, #llama.f32>) -> tensor<1x1xf32> {
  %x = arith.constant dense<[[1.0e8, 1.0, 1.0e8]]> : tensor<1x3xf32>
  %y = llama.linear %x, %w : tensor<1x3xf32>, !llama.weight<1x3, #llama.f32> -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
