// RUN: %opt %pass{rows=2 position=3} %s | FileCheck %s
// RUN: %opt --llama-rope-to-matrix %s | %opt %pass{rows=2} | FileCheck %s --check-prefix=MATRIX
// RUN: %opt --llama-rope-to-elementwise %s | %opt %pass{rows=2} | FileCheck %s --check-prefix=ELEMENTWISE
// RUN: %opt --llama-rope-to-complex %s | %opt %pass{rows=2} | FileCheck %s --check-prefix=COMPLEX

// Rows at positions 3 and 4 see 4 and 5 keys, in two heads of 8: 18 scores of 8
// products, a scale, and 8 weighted values each. The cache is read once: 5 keys and
// values of a head of 8 in f16, 160 bytes; queries are 2 x 16 x 4, positions 8.
// CHECK-LABEL: func.func @attend
// CHECK-SAME:    llama.operations = {add = 306 : i64, bytes_read = 296 : i64, bytes_written = 128 : i64, divide = 32 : i64, exp = 18 : i64, multiply = 306 : i64, sqrt = 0 : i64, trigonometric = 0 : i64}
func.func @attend(%q: tensor<?x16xf32>, %kv: !llama.cache<1x1x8, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x16xf32> {
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x16xf32>, !llama.cache<1x1x8, f16>, tensor<?xi32>
  return %y : tensor<?x16xf32>
}

// The last 2 keys of each row, of 3 in all, 96 bytes: 8 scores.
// CHECK-LABEL: func.func @attend_in_a_window
// CHECK-SAME:    llama.operations = {add = 136 : i64, bytes_read = 232 : i64, bytes_written = 128 : i64, divide = 32 : i64, exp = 8 : i64, multiply = 136 : i64, sqrt = 0 : i64, trigonometric = 0 : i64}
func.func @attend_in_a_window(%q: tensor<?x16xf32>, %kv: !llama.cache<1x1x8, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x16xf32> {
  %y = llama.attention %q, %kv[%l], %pos causal heads 2 window 2 : tensor<?x16xf32>, !llama.cache<1x1x8, f16>, tensor<?xi32>
  return %y : tensor<?x16xf32>
}

// 2 x 48 sums of 32 products; 48 rows of a block of q8_0, 34 bytes.
// CHECK-LABEL: func.func @project
// CHECK-SAME:    add = 3072 : i64, bytes_read = 1888 : i64, bytes_written = 384 : i64
// CHECK-SAME:    multiply = 3072 : i64
func.func @project(%x: tensor<?x32xf32>, %w: !llama.weight<48x32, #llama.q8_0>) -> tensor<?x48xf32> {
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<48x32, #llama.q8_0> -> tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// Of 3 rows of two heads of 4: a matrix takes 4 x 4 products a head and row, the
// others 2 an element. Written out, the angles are counted too: 6 products, and 12
// cosines and sines.
// CHECK-LABEL: func.func @rotate
// CHECK-SAME:    add = 24 : i64
// CHECK-SAME:    multiply = 48 : i64, sqrt = 0 : i64, trigonometric = 0 : i64
// MATRIX-LABEL: func.func @rotate
// MATRIX-SAME:   add = 96 : i64
// MATRIX-SAME:   multiply = 102 : i64, sqrt = 0 : i64, trigonometric = 12 : i64
// ELEMENTWISE-LABEL: func.func @rotate
// ELEMENTWISE-SAME:   add = 24 : i64
// ELEMENTWISE-SAME:   multiply = 54 : i64, sqrt = 0 : i64, trigonometric = 12 : i64
// COMPLEX-LABEL: func.func @rotate
// COMPLEX-SAME:   add = 24 : i64
// COMPLEX-SAME:   multiply = 54 : i64, sqrt = 0 : i64, trigonometric = 12 : i64
func.func @rotate(%x: tensor<3x8xf32>, %pos: tensor<3xi32>) -> tensor<3x8xf32> {
  %y = llama.rope %x, %pos base 1.0e+04 heads 2 : tensor<3x8xf32>, tensor<3xi32>
  return %y : tensor<3x8xf32>
}

// RMSNorm of 2 x 10: 3 products and a sum an element, and 2 a row. LayerNorm in two
// passes has two subtractions and a sum more, in one pass one less of them.
// CHECK-LABEL: func.func @rms
// CHECK-SAME:    add = 22 : i64
// CHECK-SAME:    divide = 2 : i64, exp = 0 : i64, multiply = 62 : i64, sqrt = 2 : i64
func.func @rms(%x: tensor<?x10xf32>, %w: !llama.weight<10, #llama.f32>) -> tensor<?x10xf32> {
  %y = llama.rms_norm %x, %w eps 1.0e-05 : tensor<?x10xf32>, !llama.weight<10, #llama.f32>
  return %y : tensor<?x10xf32>
}
// CHECK-LABEL: func.func @two_pass
// CHECK-SAME:    add = 82 : i64
// CHECK-SAME:    multiply = 64 : i64
func.func @two_pass(%x: tensor<?x10xf32>, %w: !llama.weight<10, #llama.f32>) -> tensor<?x10xf32> {
  %y = llama.layer_norm two_pass %x, %w eps 1.0e-05 : tensor<?x10xf32>, !llama.weight<10, #llama.f32>
  return %y : tensor<?x10xf32>
}
// CHECK-LABEL: func.func @one_pass
// CHECK-SAME:    add = 64 : i64
// CHECK-SAME:    multiply = 66 : i64
func.func @one_pass(%x: tensor<?x10xf32>, %w: !llama.weight<10, #llama.f32>) -> tensor<?x10xf32> {
  %y = llama.layer_norm one_pass %x, %w eps 1.0e-05 : tensor<?x10xf32>, !llama.weight<10, #llama.f32>
  return %y : tensor<?x10xf32>
}

// CHECK-LABEL: func.func @gated
// CHECK-SAME:    add = 40 : i64
// CHECK-SAME:    divide = 40 : i64, exp = 40 : i64, multiply = 40 : i64
func.func @gated(%g: tensor<?x20xf32>, %u: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %y = llama.swiglu %g, %u : tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}
