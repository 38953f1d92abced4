// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass %s -o /dev/null --remarks-filter=llama-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  // The blocks of keys become parts.
  // CHECK-LABEL: func.func @one_row_is_split
  // CHECK-SAME:    %[[Q:[a-z0-9]+]]: tensor<1x32xf32>, %[[KV:[a-z0-9]+]]: {{.*}}, %[[L:[a-z0-9]+]]: index, %[[POS:[a-z0-9]+]]:
  // CHECK:         %[[P:.+]] = llama.attention_part %[[Q]], %[[KV]][%[[L]]], %[[POS]] causal heads 2 keys [[KEYS:[0-9]+]] : {{.*}} -> tensor<1x2x?x18xf32>
  // CHECK-NEXT:    %[[A:.+]] = llama.attention_merge %[[P]] heads 2 {{.*}}: tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  // CHECK-NEXT:    return %[[A]]
  // REMARK:        [Passed] split-attention {{.*}}Function=one_row_is_split | Reason="blocks of {{[0-9]+}} keys are parts, merged by their reader"
  func.func @one_row_is_split(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
    return %a : tensor<1x32xf32>
  }

  // The same blocks, one op: decode and prefill round alike.
  // CHECK-LABEL: func.func @many_rows_stay_whole
  // CHECK:         llama.attention {{.*}} causal heads 2 keys [[KEYS]] :
  // CHECK-NOT:     llama.attention_part
  // CHECK:         return
  // REMARK:        [Missed] split-attention {{.*}}Function=many_rows_stay_whole | Reason="tiles of rows times heads are parts enough, and partial results of many rows would have to be written and read again"
  func.func @many_rows_stay_whole(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }

  // Few rows are split as one is: 8, with 512-bit vectors.
  // CHECK-LABEL: func.func @few_rows_are_split
  // CHECK:         llama.attention_part {{.*}} -> tensor<?x2x?x18xf32>
  // CHECK-NEXT:    llama.attention_merge {{.*}} : tensor<?x2x?x18xf32> -> tensor<?x32xf32>
  func.func @few_rows_are_split(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 8} {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }
  // CHECK-LABEL: func.func @one_row_more_stays_whole
  // CHECK:         llama.attention {{.*}} causal heads 2 keys [[KEYS]] :
  // CHECK-NOT:     llama.attention_part
  // CHECK:         return
  func.func @one_row_more_stays_whole(%q: tensor<?x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 9} {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }

  // What a model's attention has stands on the parts, and its window on the merge, too.
  // CHECK-LABEL: func.func @a_window_is_kept
  // CHECK:         llama.attention_part {{.*}} causal heads 2 window 300 scale 2.500000e-01 keys [[KEYS]] :
  // CHECK-NEXT:    llama.attention_merge {{.*}} heads 2 window 300 keys [[KEYS]] :
  func.func @a_window_is_kept(%q: tensor<1x32xf32>, %kv: !llama.cache<2x1x16, f16>, %l: index, %pos: tensor<1xi32>) -> tensor<1x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 300 scale 0.25 : tensor<1x32xf32>, !llama.cache<2x1x16, f16>, tensor<1xi32>
    return %a : tensor<1x32xf32>
  }
}
