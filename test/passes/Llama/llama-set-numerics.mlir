// RUN: %opt %pass{activations=q8b32} %s | FileCheck %s
// RUN: %opt %pass{activations=f32} %s | FileCheck %s --check-prefix=F32
// RUN: not %opt %pass{activations=int4} %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: activations is 'int4', expected f32 or q8b32

// F32-NOT: llama.quantize

// CHECK-LABEL: func.func @readers_share_one_rounding
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK:         %[[Q:.+]] = llama.quantize %[[X]] : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
// CHECK-NEXT:    llama.linear %[[Q]],
// CHECK-NEXT:    llama.linear %[[Q]],
// CHECK-NOT:     llama.quantize
// CHECK:         return
func.func @readers_share_one_rounding(%x: tensor<?x32xf32>, %a: !llama.weight<32x32, #llama.q4_0>, %b: !llama.weight<16x32, #llama.q8_0>) -> (tensor<?x32xf32>, tensor<?x16xf32>) {
  %y = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
  %z = llama.linear %x, %b : tensor<?x32xf32>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
  return %y, %z : tensor<?x32xf32>, tensor<?x16xf32>
}

// Plain weights keep float32 rows, beside a reader that rounds them.
// CHECK-LABEL: func.func @plain_weights_read_f32
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK:         llama.linear %[[X]], %{{.+}} : tensor<?x32xf32>, <32x32, #llama.f16>
// CHECK:         %[[Q:.+]] = llama.quantize %[[X]]
// CHECK:         llama.linear %[[Q]], %{{.+}} : tensor<?x32x!llama.q8b32>, <32x32, #llama.q4_1>
func.func @plain_weights_read_f32(%x: tensor<?x32xf32>, %a: !llama.weight<32x32, #llama.f16>, %b: !llama.weight<32x32, #llama.q4_1>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
  %y = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<32x32, #llama.f16> -> tensor<?x32xf32>
  %z = llama.linear %x, %b : tensor<?x32xf32>, !llama.weight<32x32, #llama.q4_1> -> tensor<?x32xf32>
  return %y, %z : tensor<?x32xf32>, tensor<?x32xf32>
}

// CHECK-LABEL: func.func @rounded_rows_are_not_rounded_again
// CHECK-NOT:     llama.quantize
// CHECK:         return
func.func @rounded_rows_are_not_rounded_again(%x: tensor<?x32x!llama.q8b32>, %a: !llama.weight<32x32, #llama.q4_0>) -> tensor<?x32xf32> {
  %y = llama.linear %x, %a : tensor<?x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// The residual reads what was there before.
// CHECK-LABEL: func.func @other_readers_see_f32
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK:         llama.add %[[X]],
func.func @other_readers_see_f32(%x: tensor<?x32xf32>, %a: !llama.weight<32x32, #llama.q8_0>) -> tensor<?x32xf32> {
  %y = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<32x32, #llama.q8_0> -> tensor<?x32xf32>
  %z = llama.add %x, %y : tensor<?x32xf32>
  return %z : tensor<?x32xf32>
}
