// RUN: %opt %pass{activations=q8} %s | FileCheck %s
// RUN: %opt %pass{activations=f32} %s | FileCheck %s --check-prefix=F32
// RUN: %opt %pass{activations=auto} %s | FileCheck %s --check-prefix=AUTO
// RUN: sed 's/cuda.target<name = "cuda:sm_80"/cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512/' %s | %opt %pass{activations=auto} - | FileCheck %s
// RUN: not %opt %pass{activations=int4} %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: activations is 'int4', expected auto, f32, q8, x24, bf16 or amx

// In fixed point of 24 bits, for whoever asks: where rows of 8 bits would be.
// RUN: sed 's/q8b32/x24b32/g' %s > %t.x24.mlir
// RUN: %opt %pass{activations=x24} %t.x24.mlir | FileCheck %t.x24.mlir

// Rows of bf16 are for whoever asks, and on a CPU that multiplies them.
// RUN: %opt %pass{activations=bf16} %s | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: %opt %pass{activations=amx} %s | FileCheck %s --check-prefixes=CHECK,PAIRS
// RUN: sed 's/cuda.target<name = "cuda:sm_80"/cpu.target<name = "znver4", features = "+avx2,+fma,+avx512bf16", vector_bits = 512/' %s | %opt %pass{activations=auto} - | FileCheck %s --check-prefixes=CHECK,PAIRS

module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  // F32-NOT: llama.quantize

  // AUTO-LABEL:  func.func @readers_share_one_rounding
  // AUTO:          llama.quantize %{{.+}} : tensor<?x32xf32> to tensor<?x32xf16>
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
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

  // An odd last column has no other.
  // CHECK-LABEL: func.func @pairs_of_bf16
  // CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x34xf32>, %[[Y:[a-z0-9]+]]: tensor<?x33xf32>
  // PAIRS:         %[[B:.+]] = llama.quantize %[[X]] : tensor<?x34xf32> to tensor<?x34xbf16>
  // PAIRS:         llama.linear %[[B]], %{{.+}} : tensor<?x34xbf16>, <32x34, #llama.bf16>
  // PAIRS:         llama.linear %[[Y]], %{{.+}} : tensor<?x33xf32>, <32x33, #llama.bf16>
  // PAIRS:         return
  func.func @pairs_of_bf16(%x: tensor<?x34xf32>, %y: tensor<?x33xf32>, %a: !llama.weight<32x34, #llama.bf16>, %b: !llama.weight<32x33, #llama.bf16>) -> (tensor<?x32xf32>, tensor<?x32xf32>) {
    %u = llama.linear %x, %a : tensor<?x34xf32>, !llama.weight<32x34, #llama.bf16> -> tensor<?x32xf32>
    %v = llama.linear %y, %b : tensor<?x33xf32>, !llama.weight<32x33, #llama.bf16> -> tensor<?x32xf32>
    return %u, %v : tensor<?x32xf32>, tensor<?x32xf32>
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

  // What tensor cores compute, the products of many rows, reads rows of f16; the
  // formats may differ.
  // AUTO-LABEL:  func.func @gate_and_up_share_one_rounding
  // AUTO-SAME:     %[[X:[a-z0-9]+]]: tensor<?x40xf32>
  // AUTO:          %[[H:.+]] = llama.quantize %[[X]] : tensor<?x40xf32> to tensor<?x40xf16>
  // AUTO-NEXT:     llama.linear %[[H]],
  // AUTO-NEXT:     llama.linear %[[H]],
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
  func.func @gate_and_up_share_one_rounding(%x: tensor<?x40xf32>, %a: !llama.weight<16x40, #llama.f16>, %b: !llama.weight<16x40, #llama.f16>) -> tensor<?x16xf32> {
    %g = llama.linear %x, %a : tensor<?x40xf32>, !llama.weight<16x40, #llama.f16> -> tensor<?x16xf32>
    %u = llama.linear %x, %b : tensor<?x40xf32>, !llama.weight<16x40, #llama.f16> -> tensor<?x16xf32>
    %s = llama.swiglu %g, %u : tensor<?x16xf32>
    return %s : tensor<?x16xf32>
  }

  // AUTO-LABEL:  func.func @formats_may_differ
  // AUTO:          llama.quantize %{{.+}} : tensor<?x32xf32> to tensor<?x32xf16>
  func.func @formats_may_differ(%x: tensor<?x32xf32>, %a: !llama.weight<16x32, #llama.q4_1>, %b: !llama.weight<16x32, #llama.q8_0>) -> tensor<?x16xf32> {
    %g = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<16x32, #llama.q4_1> -> tensor<?x16xf32>
    %u = llama.linear %x, %b : tensor<?x32xf32>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
    %s = llama.swiglu %g, %u : tensor<?x16xf32>
    return %s : tensor<?x16xf32>
  }

  // One row is read by lanes, in float32.
  // AUTO-LABEL:  func.func @one_row_stays_f32
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
  func.func @one_row_stays_f32(%x: tensor<1x32xf32>, %a: !llama.weight<16x32, #llama.q4_0>, %b: !llama.weight<16x32, #llama.q4_0>) -> tensor<1x16xf32> {
    %g = llama.linear %x, %a : tensor<1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> tensor<1x16xf32>
    %u = llama.linear %x, %b : tensor<1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> tensor<1x16xf32>
    %s = llama.swiglu %g, %u : tensor<1x16xf32>
    return %s : tensor<1x16xf32>
  }

  // What reads the same rows is one kernel, so one weight that is not for tensor
  // cores, or for rows of bf16, keeps all in float32.
  // AUTO-LABEL:  func.func @all_or_none
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
  func.func @all_or_none(%x: tensor<?x32xf32>, %y: tensor<?x32xf32>, %a: !llama.weight<16x32, #llama.q4_0>, %b: !llama.weight<16x32, #llama.f32>, %c: !llama.weight<16x32, #llama.bf16>) -> tensor<?x16xf32> {
    %g = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<16x32, #llama.q4_0> -> tensor<?x16xf32>
    %u = llama.linear %x, %b : tensor<?x32xf32>, !llama.weight<16x32, #llama.f32> -> tensor<?x16xf32>
    %s = llama.swiglu %g, %u : tensor<?x16xf32>
    %h = llama.linear %y, %a : tensor<?x32xf32>, !llama.weight<16x32, #llama.q4_0> -> tensor<?x16xf32>
    %v = llama.linear %y, %c : tensor<?x32xf32>, !llama.weight<16x32, #llama.bf16> -> tensor<?x16xf32>
    %t = llama.swiglu %h, %v : tensor<?x16xf32>
    %r = llama.add %s, %t : tensor<?x16xf32>
    return %r : tensor<?x16xf32>
  }

  // Weights of bf16 have numbers that are no f16, so their rows are bf16 as well.
  // AUTO-LABEL:  func.func @rows_of_bf16
  // AUTO:          %[[H:.+]] = llama.quantize %{{.+}} : tensor<?x40xf32> to tensor<?x40xbf16>
  // AUTO:          llama.linear %[[H]],
  func.func @rows_of_bf16(%x: tensor<?x40xf32>, %a: !llama.weight<16x40, #llama.bf16>) -> tensor<?x16xf32> {
    %y = llama.linear %x, %a : tensor<?x40xf32>, !llama.weight<16x40, #llama.bf16> -> tensor<?x16xf32>
    return %y : tensor<?x16xf32>
  }

  // Logits have the same bits however many are wanted at once.
  // AUTO-LABEL:  func.func @rows_of_the_lm_head_stay_f32
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
  func.func @rows_of_the_lm_head_stay_f32(%x: tensor<?x32xf32>, %a: !llama.weight<48x32, #llama.q4_0>) -> tensor<?x48xf32> {
    %y = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
    return %y : tensor<?x48xf32>
  }
  llama.model @m entries [#llama.entry<name = "prefill", rows = 8, embed = @rows_of_bf16, layers = [@rows_of_bf16], of = [0]>] lm_heads [@rows_of_the_lm_head_stay_f32]

  // Rows of 36 halves do not begin at multiples of 16 bytes.
  // AUTO-LABEL:  func.func @rows_that_cannot_be_copied_by_16_bytes
  // AUTO-NOT:      llama.quantize
  // AUTO:          return
  func.func @rows_that_cannot_be_copied_by_16_bytes(%x: tensor<?x36xf32>, %a: !llama.weight<16x36, #llama.f16>, %b: !llama.weight<16x36, #llama.f16>) -> tensor<?x16xf32> {
    %g = llama.linear %x, %a : tensor<?x36xf32>, !llama.weight<16x36, #llama.f16> -> tensor<?x16xf32>
    %u = llama.linear %x, %b : tensor<?x36xf32>, !llama.weight<16x36, #llama.f16> -> tensor<?x16xf32>
    %s = llama.swiglu %g, %u : tensor<?x16xf32>
    return %s : tensor<?x16xf32>
  }
}
