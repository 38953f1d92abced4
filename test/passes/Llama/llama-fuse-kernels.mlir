// RUN: %opt %pass %s | FileCheck %s
// RUN: %opt %pass %s -o /dev/null --remarks-filter=llama-fuse --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=REMARK

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
llama.weight @token_embd : 64x32 formats [#llama.f32]
llama.weights @blk layers 2 {
  llama.weight @norm : 32 formats [#llama.f32]
  llama.weight @square : 32x32 formats [#llama.q4_0]
  llama.weight @gate : 64x32 formats [#llama.q8_0]
  llama.weight @up : 64x32 formats [#llama.q4_0]
  llama.weight @down : 32x64 formats [#llama.q8_0]
}

// One row: the norm, the merge and each rounding are repeated by each part of
// their only reader, so nothing but the residual and four values are stored.
// CHECK-LABEL: func.func @a_decode_layer_is_five_kernels
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<1x32xf32>, %[[POS:[a-z0-9]+]]: tensor<1xi32>, %[[KV:[a-z0-9]+]]: !llama.cache<2x2x16, f16>, %[[L:[a-z0-9]+]]: index
// CHECK:         %[[Q:.+]] = llama.kernel "qkv" (%{{.+}} = %[[X]] : {{.*}}, %{{.+}} = %[[POS]] : {{.*}}, %{{.+}} = %[[KV]] : {{.*}}, %[[KL:.+]] = %[[L]] : index) -> tensor<1x32xf32> {
// CHECK:           llama.weight_ref @blk::@norm[%[[KL]]]
// CHECK:           llama.rms_norm
// CHECK:           llama.quantize
// CHECK-COUNT-3:   llama.linear
// CHECK-COUNT-2:   llama.rope
// CHECK:           llama.kv_append
// CHECK-NEXT:      llama.yield %{{.+}} : tensor<1x32xf32>
// CHECK:         %[[P:.+]] = llama.kernel "attn" (%{{.+}} = %[[Q]] : {{.*}}) -> tensor<1x2x?x18xf32> {
// CHECK:           llama.attention_part
// CHECK-NEXT:      llama.yield
// CHECK:         %[[X1:.+]] = llama.kernel "o" (%{{.+}} = %[[P]] : {{.*}}, %{{.+}} = %[[X]] : {{.*}}) -> tensor<1x32xf32> {
// CHECK:           llama.attention_merge
// CHECK:           llama.quantize
// CHECK:           llama.linear
// CHECK-NEXT:      llama.add
// CHECK-NEXT:      llama.yield
// CHECK:         %[[S:.+]] = llama.kernel "gate_up" (%{{.+}} = %[[X1]] : {{.*}}) -> tensor<1x64xf32> {
// CHECK:           llama.rms_norm
// CHECK:           llama.quantize
// CHECK:           llama.linear
// CHECK:           llama.linear
// CHECK-NEXT:      llama.swiglu
// CHECK-NEXT:      llama.yield
// CHECK:         %[[X2:.+]] = llama.kernel "down" (%{{.+}} = %[[S]] : {{.*}}, %{{.+}} = %[[X1]] : {{.*}}) -> tensor<1x32xf32> {
// CHECK:           llama.linear
// CHECK-NEXT:      llama.add
// CHECK-NEXT:      llama.yield
// CHECK:         return %[[X2]]
// REMARK:        [Passed] siblings {{.*}}Function=a_decode_layer_is_five_kernels | Reason="it reads the rows that another linear reads", Remark=llama.linear
// REMARK:        [Passed] epilogue {{.*}}Reason="each part has the elements that it needs", Remark=llama.rope
// REMARK:        [Passed] epilogue {{.*}}Remark=llama.kv_append
// REMARK:        [Passed] prologue {{.*}}Reason="one kernel reads its few rows", Remark=llama.rms_norm
func.func @a_decode_layer_is_five_kernels(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x2x16, f16>, %l: index) -> tensor<1x32xf32> {
  %g = llama.weight_ref @blk::@norm[%l] : !llama.weight<32, #llama.f32>
  %w = llama.weight_ref @blk::@square[%l] : !llama.weight<32x32, #llama.q4_0>
  %wg = llama.weight_ref @blk::@gate[%l] : !llama.weight<64x32, #llama.q8_0>
  %wu = llama.weight_ref @blk::@up[%l] : !llama.weight<64x32, #llama.q4_0>
  %wd = llama.weight_ref @blk::@down[%l] : !llama.weight<32x64, #llama.q8_0>
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %hq = llama.quantize %h : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  %q = llama.linear %hq, %w : tensor<1x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %k = llama.linear %hq, %w : tensor<1x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %v = llama.linear %hq, %w : tensor<1x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
  %kr = llama.rope %k, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x2x16, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
  %p = llama.attention_part %qr, %kv[%l], %pos causal heads 2 keys 256 : tensor<1x32xf32>, !llama.cache<2x2x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  %a = llama.attention_merge %p heads 2 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %aq = llama.quantize %a : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  %o = llama.linear %aq, %w : tensor<1x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %x1 = llama.add %x, %o : tensor<1x32xf32>
  %h1 = llama.rms_norm %x1, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %h1q = llama.quantize %h1 : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  %ga = llama.linear %h1q, %wg : tensor<1x32x!llama.q8b32>, !llama.weight<64x32, #llama.q8_0> -> tensor<1x64xf32>
  %up = llama.linear %h1q, %wu : tensor<1x32x!llama.q8b32>, !llama.weight<64x32, #llama.q4_0> -> tensor<1x64xf32>
  %s = llama.swiglu %ga, %up : tensor<1x64xf32>
  %d = llama.linear %s, %wd : tensor<1x64xf32>, !llama.weight<32x64, #llama.q8_0> -> tensor<1x32xf32>
  %x2 = llama.add %x1, %d : tensor<1x32xf32>
  return %x2 : tensor<1x32xf32>
}

// Short blocks of keys are many, so that they are merged once, by a kernel.
// CHECK-LABEL: func.func @short_blocks
// CHECK:         llama.kernel "attn"
// CHECK:         %[[Y:.+]] = llama.kernel "merge"
// CHECK-NEXT:      llama.attention_merge
// CHECK-NEXT:      llama.yield
// CHECK:         llama.kernel "o" (%{{.+}} = %[[Y]] : {{.*}}) -> tensor<1x32xf32> {
// CHECK-NOT:       llama.attention_merge
// CHECK:         return
func.func @short_blocks(%q: tensor<1x32xf32>, %kv: !llama.cache<2x2x16, f16>, %l: index, %pos: tensor<1xi32>, %w: !llama.weight<32x32, #llama.q4_0>) -> tensor<1x32xf32> {
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 64 : tensor<1x32xf32>, !llama.cache<2x2x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  %a = llama.attention_merge %p heads 2 keys 64 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %o = llama.linear %a, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  return %o : tensor<1x32xf32>
}

// Many rows: norms are kernels, a rounding is in the kernel that makes the rows.
// CHECK-LABEL: func.func @a_prefill_layer_is_seven_kernels
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK:         %[[H:.+]] = llama.kernel "norm" (%{{.+}} = %[[X]] : {{.*}}) -> tensor<?x32x!llama.q8b32> {
// CHECK:           llama.rms_norm
// CHECK-NEXT:      llama.quantize
// CHECK-NEXT:      llama.yield
// CHECK:         %[[Q:.+]] = llama.kernel "qkv" (%{{.+}} = %[[H]] : {{.*}}) -> tensor<?x32xf32> {
// CHECK:           llama.kv_append
// CHECK-NEXT:      llama.yield
// CHECK:         %[[A:.+]] = llama.kernel "attn" (%{{.+}} = %[[Q]] : {{.*}}) -> tensor<?x32x!llama.q8b32> {
// CHECK:           llama.attention
// CHECK-NEXT:      llama.quantize
// CHECK-NEXT:      llama.yield
// CHECK:         %[[X1:.+]] = llama.kernel "o" (%{{.+}} = %[[A]] : {{.*}}, %{{.+}} = %[[X]] : {{.*}}) -> tensor<?x32xf32> {
// CHECK:         %[[H1:.+]] = llama.kernel "norm" (%{{.+}} = %[[X1]] : {{.*}}) -> tensor<?x32xf32> {
// CHECK:         %[[S:.+]] = llama.kernel "gate_up" (%{{.+}} = %[[H1]] : {{.*}}) -> tensor<?x64x!llama.q8b32> {
// CHECK:           llama.swiglu
// CHECK-NEXT:      llama.quantize
// CHECK-NEXT:      llama.yield
// CHECK:         %[[X2:.+]] = llama.kernel "down" (%{{.+}} = %[[S]] : {{.*}}, %{{.+}} = %[[X1]] : {{.*}}) -> tensor<?x32xf32> {
// CHECK:         return %[[X2]]
// REMARK:        [Missed] prologue {{.*}}Function=a_prefill_layer_is_seven_kernels | Reason="each part would make all rows of the call again", Remark=llama.rms_norm
func.func @a_prefill_layer_is_seven_kernels(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x32, f16>, %l: index) -> tensor<?x32xf32> {
  %g = llama.weight_ref @blk::@norm[%l] : !llama.weight<32, #llama.f32>
  %w = llama.weight_ref @blk::@square[%l] : !llama.weight<32x32, #llama.q4_0>
  %wg = llama.weight_ref @blk::@gate[%l] : !llama.weight<64x32, #llama.q8_0>
  %wu = llama.weight_ref @blk::@up[%l] : !llama.weight<64x32, #llama.q4_0>
  %wd = llama.weight_ref @blk::@down[%l] : !llama.weight<32x64, #llama.q8_0>
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %hq = llama.quantize %h : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  %q = llama.linear %hq, %w : tensor<?x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
  %k = llama.linear %hq, %w : tensor<?x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x32, f16>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  %a = llama.attention %q, %kv[%l], %pos causal heads 1 keys 256 : tensor<?x32xf32>, !llama.cache<2x1x32, f16>, tensor<?xi32>
  %aq = llama.quantize %a : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  %o = llama.linear %aq, %w : tensor<?x32x!llama.q8b32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
  %x1 = llama.add %x, %o : tensor<?x32xf32>
  %h1 = llama.rms_norm %x1, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %ga = llama.linear %h1, %wg : tensor<?x32xf32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x64xf32>
  %up = llama.linear %h1, %wu : tensor<?x32xf32>, !llama.weight<64x32, #llama.q4_0> -> tensor<?x64xf32>
  %s = llama.swiglu %ga, %up : tensor<?x64xf32>
  %sq = llama.quantize %s : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
  %d = llama.linear %sq, %wd : tensor<?x64x!llama.q8b32>, !llama.weight<32x64, #llama.q8_0> -> tensor<?x32xf32>
  %x2 = llama.add %x1, %d : tensor<?x32xf32>
  return %x2 : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @embedding_and_head
// CHECK:         %[[X:.+]] = llama.kernel "embed"
// CHECK-NOT:     llama.kernel
// CHECK:         llama.kernel "lm_head" (%{{.+}} = %[[X]] : tensor<1x32xf32>, {{.*}}) -> tensor<1x64xf32>
// CHECK:           llama.rms_norm
// CHECK:           llama.linear
// CHECK-NOT:     llama.kernel
// CHECK:         return
func.func @embedding_and_head(%ids: tensor<1xi32>, %g: !llama.weight<32, #llama.f32>) -> tensor<1x64xf32> {
  %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
  %x = llama.embed %ids, %w : tensor<1xi32>, !llama.weight<64x32, #llama.f32> -> tensor<1x32xf32>
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %y = llama.linear %h, %w : tensor<1x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<1x64xf32>
  return %y : tensor<1x64xf32>
}

// A norm read by two kernels stays outside: each would have to compute it again.
// CHECK-LABEL: func.func @a_norm_with_two_readers_stays_outside
// CHECK:         %[[H:.+]] = llama.kernel "norm"
// CHECK:           llama.rms_norm
// CHECK:         llama.kernel "lm_head" (%{{.+}} = %[[H]] :
// CHECK-NOT:       llama.rms_norm
// CHECK:           llama.linear
// CHECK:         llama.kernel "silu" (%{{.+}} = %[[H]] :
// CHECK:         return
// REMARK:        [Missed] prologue {{.*}}Function=a_norm_with_two_readers_stays_outside | Reason="it is read by 2 kernels, each would compute it again", Remark=llama.rms_norm
func.func @a_norm_with_two_readers_stays_outside(%x: tensor<1x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> (tensor<1x32xf32>, tensor<1x32xf32>) {
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %a = llama.linear %h, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %b = llama.silu %h : tensor<1x32xf32>
  return %a, %b : tensor<1x32xf32>, tensor<1x32xf32>
}

// The append has to wait for an attention that waits for the linears.
// CHECK-LABEL: func.func @an_append_behind_its_attention_stays_outside
// CHECK:         llama.kernel "linear" {{.*}} -> (tensor<1x32xf32>, tensor<1x32xf32>)
// CHECK:         llama.kernel "attn"
// CHECK:         llama.kernel "kv_append"
// CHECK:         return
// REMARK:        [Missed] epilogue {{.*}}Function=an_append_behind_its_attention_stays_outside | Reason="a kernel between the two would have to wait for both and be waited for", Remark=llama.kv_append
func.func @an_append_behind_its_attention_stays_outside(%x: tensor<1x32xf32>, %kv: !llama.cache<2x1x32, f16>, %l: index, %pos: tensor<1xi32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<1x32xf32> {
  %q = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %k = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %a = llama.attention %q, %kv[%l], %pos causal heads 1 : tensor<1x32xf32>, !llama.cache<2x1x32, f16>, tensor<1xi32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x32, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
  return %a : tensor<1x32xf32>
}

// The fourth linear of the same rows would be a fourth result.
// CHECK-LABEL: func.func @a_kernel_has_at_most_three_results
// CHECK:         llama.kernel "linear" {{.*}} -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>)
// CHECK-COUNT-3:   llama.linear
// CHECK:         llama.kernel "linear" {{.*}} -> tensor<?x32xf32>
// CHECK:           llama.linear
// CHECK:         return
// REMARK:        [Missed] siblings {{.*}}Function=a_kernel_has_at_most_three_results | Reason="together they have 4 results, a kernel has at most 3", Remark=llama.linear
func.func @a_kernel_has_at_most_three_results(%x: tensor<?x32xf32>, %w: !llama.weight<32x32, #llama.f32>) -> (tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>) {
  %a = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %b = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %c = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %d = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %a, %b, %c, %d : tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?x32xf32>
}

// silu and mul that were not made a swiglu: the same kernel.
// CHECK-LABEL: func.func @silu_and_mul_join_gate_and_up
// CHECK:         llama.kernel "gate_up" {{.*}} -> tensor<?x64xf32> {
// CHECK:           llama.silu
// CHECK-NEXT:      llama.mul
// CHECK-NEXT:      llama.yield
// CHECK:         llama.kernel "down"
// CHECK-NOT:     llama.kernel
// CHECK:         return
func.func @silu_and_mul_join_gate_and_up(%x: tensor<?x32xf32>, %l: index) -> tensor<?x32xf32> {
  %wg = llama.weight_ref @blk::@gate[%l] : !llama.weight<64x32, #llama.q8_0>
  %wu = llama.weight_ref @blk::@up[%l] : !llama.weight<64x32, #llama.q4_0>
  %wd = llama.weight_ref @blk::@down[%l] : !llama.weight<32x64, #llama.q8_0>
  %g = llama.linear %x, %wg : tensor<?x32xf32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x64xf32>
  %u = llama.linear %x, %wu : tensor<?x32xf32>, !llama.weight<64x32, #llama.q4_0> -> tensor<?x64xf32>
  %s = llama.silu %g : tensor<?x64xf32>
  %m = llama.mul %s, %u : tensor<?x64xf32>
  %d = llama.linear %m, %wd : tensor<?x64xf32>, !llama.weight<32x64, #llama.q8_0> -> tensor<?x32xf32>
  return %d : tensor<?x32xf32>
}

// What joins nothing is a kernel of its own, by its own name.
// CHECK-LABEL: func.func @what_is_left_is_a_kernel_alone
// CHECK:         llama.kernel "silu"
// CHECK:         llama.kernel "mul"
// CHECK:         llama.kernel "quantize"
// CHECK:         return
// REMARK:        [Missed] epilogue {{.*}}Function=what_is_left_is_a_kernel_alone | Reason="it reads no result of a linear", Remark=llama.mul
func.func @what_is_left_is_a_kernel_alone(%x: tensor<?x32xf32>, %y: tensor<?x32xf32>) -> (tensor<?x32xf32>, tensor<?x32x!llama.q8b32>) {
  %s = llama.silu %x : tensor<?x32xf32>
  %m = llama.mul %s, %y : tensor<?x32xf32>
  %q = llama.quantize %y : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  return %m, %q : tensor<?x32xf32>, tensor<?x32x!llama.q8b32>
}

// Heads of 20 columns: a part of attention ends inside of a block of 32.
// CHECK-LABEL: func.func @a_rounding_across_parts_is_a_kernel
// CHECK:         llama.kernel "attn" {{.*}} -> tensor<?x160xf32>
// CHECK:         llama.kernel "quantize"
// CHECK:         return
// REMARK:        [Missed] epilogue {{.*}}Function=a_rounding_across_parts_is_a_kernel | Reason="a part has 20 columns, no whole blocks of 32", Remark=llama.quantize
func.func @a_rounding_across_parts_is_a_kernel(%q: tensor<?x160xf32>, %kv: !llama.cache<2x8x20, f16>, %l: index, %pos: tensor<?xi32>) -> tensor<?x160x!llama.q8b32> {
  %a = llama.attention %q, %kv[%l], %pos causal heads 8 keys 256 : tensor<?x160xf32>, !llama.cache<2x8x20, f16>, tensor<?xi32>
  %aq = llama.quantize %a : tensor<?x160xf32> to tensor<?x160x!llama.q8b32>
  return %aq : tensor<?x160x!llama.q8b32>
}

// The second append stays behind the attention that must not see it.
// CHECK-LABEL: func.func @reads_of_the_cache_keep_their_place
// CHECK:         llama.kernel "qkv"
// CHECK:           llama.kv_append
// CHECK:         llama.kernel "attn"
// CHECK:         llama.kernel "kv_append"
// CHECK:         return
func.func @reads_of_the_cache_keep_their_place(%x: tensor<1x32xf32>, %y: tensor<1x32xf32>, %kv: !llama.cache<2x1x32, f16>, %l: index, %pos: tensor<1xi32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<1x32xf32> {
  %k = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<2x1x32, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<1x32xf32>, !llama.cache<2x1x32, f16>, tensor<1xi32>
  llama.kv_append %kv[%l], %y, %y at %pos : !llama.cache<2x1x32, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
  return %a : tensor<1x32xf32>
}

// CHECK-LABEL: func.func @kernels_are_left_as_they_are
// CHECK:         llama.kernel "silu"
// CHECK-NEXT:      llama.silu
// CHECK-NEXT:      llama.yield
// CHECK-NEXT:    }
// CHECK-NEXT:    return
func.func @kernels_are_left_as_they_are(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %y = llama.kernel "silu" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
    %s = llama.silu %ix : tensor<?x32xf32>
    llama.yield %s : tensor<?x32xf32>
  }
  return %y : tensor<?x32xf32>
}

// Rows for tensor cores are rounded by the norm that makes them: what goes from
// kernel to kernel is f16.
// CHECK-LABEL: func.func @rows_are_rounded_where_they_are_made
// CHECK:         %[[H:.+]] = llama.kernel "norm" {{.*}} -> tensor<?x32xf16>
// CHECK:           llama.rms_norm
// CHECK-NEXT:      llama.quantize
// CHECK:         llama.kernel "gate_up" (%{{.+}} = %[[H]] : tensor<?x32xf16>
// CHECK:           llama.swiglu
// CHECK:         return
func.func @rows_are_rounded_where_they_are_made(%x: tensor<?x32xf32>, %g: !llama.weight<32, #llama.f32>, %a: !llama.weight<16x32, #llama.q4_0>, %b: !llama.weight<16x32, #llama.q8_0>) -> tensor<?x16xf32> {
  %n = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %h = llama.quantize %n : tensor<?x32xf32> to tensor<?x32xf16>
  %y = llama.linear %h, %a : tensor<?x32xf16>, !llama.weight<16x32, #llama.q4_0> -> tensor<?x16xf32>
  %u = llama.linear %h, %b : tensor<?x32xf16>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
  %s = llama.swiglu %y, %u : tensor<?x16xf32>
  return %s : tensor<?x16xf32>
}

// A part has a staged row for its products and a tile for its epilogue: a norm
// that both read is no prologue.
// CHECK-LABEL: func.func @a_norm_that_an_epilogue_reads_stays_outside
// CHECK:         %[[H:.+]] = llama.kernel "norm"
// CHECK:         llama.kernel "lm_head" (%{{.+}} = %[[H]] : tensor<1x32xf32>
// CHECK:           llama.linear
// CHECK:           llama.add
// REMARK:        [Missed] prologue {{.*}}Function=a_norm_that_an_epilogue_reads_stays_outside {{.*}}Reason="'llama.add' reads it tile by tile"
func.func @a_norm_that_an_epilogue_reads_stays_outside(%x: tensor<1x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<1x32xf32> {
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %y = llama.linear %h, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  %z = llama.add %h, %y : tensor<1x32xf32>
  return %z : tensor<1x32xf32>
}

// Tensor cores compute all products of a kernel or none.
// CHECK-LABEL: func.func @rows_of_two_types_are_two_kernels
// CHECK:         llama.kernel "gate_up" ({{.*}} : tensor<?x32xf16>
// CHECK:           llama.swiglu
// CHECK-NEXT:      llama.yield
// CHECK:         llama.kernel "linear" ({{.*}} : tensor<?x32xf32>
// REMARK:        [Missed] siblings {{.*}}Function=rows_of_two_types_are_two_kernels {{.*}}Reason="it reads the same rows in another type, which is for another unit"
func.func @rows_of_two_types_are_two_kernels(%x: tensor<?x32xf32>, %a: !llama.weight<16x32, #llama.q8_0>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %h = llama.quantize %x : tensor<?x32xf32> to tensor<?x32xf16>
  %y = llama.linear %h, %a : tensor<?x32xf16>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
  %s = llama.swiglu %y, %y : tensor<?x16xf32>
  %z = llama.linear %x, %a : tensor<?x32xf32>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
  return %s, %z : tensor<?x16xf32>, tensor<?x16xf32>
}

// Parts of a kernel run in any order, so it writes the cache once.
// CHECK-LABEL: func.func @two_appends_are_two_kernels
// CHECK:         llama.kernel "qkv"
// CHECK:           llama.kv_append
// CHECK-NOT:       llama.kv_append
// CHECK:         llama.kernel "kv_append"
// REMARK:        [Missed] epilogue {{.*}}Function=two_appends_are_two_kernels {{.*}}Reason="one touches what the other writes, and parts of a kernel run in any order"
func.func @two_appends_are_two_kernels(%x: tensor<?x32xf32>, %kv: !llama.cache<2x1x32, f16>, %l: index, %pos: tensor<?xi32>, %w: !llama.weight<32x32, #llama.f32>) {
  %k = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %v = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  llama.kv_append %kv[%l], %k, %v at %pos : !llama.cache<2x1x32, f16>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  llama.kv_append %kv[%l], %v, %k at %pos : !llama.cache<2x1x32, f16>, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>
  return
}

// What nothing reads is dropped.
// CHECK-LABEL: func.func @a_product_that_nothing_reads
// CHECK-NEXT:    return
func.func @a_product_that_nothing_reads(%x: tensor<?x32xf32>, %w: !llama.weight<32x32, #llama.f32>) {
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return
}

// A layer's result takes the place of its rows, which the kernel of the result
// reads here: a kernel of its own copies it.
// CHECK-LABEL: func.func private @carried
// CHECK:         %[[Y:.+]] = llama.kernel "linear"
// CHECK:         %[[Z:.+]] = llama.kernel "carry" (%[[IN:.+]] = %[[Y]] : tensor<?x32xf32>) -> tensor<?x32xf32> {
// CHECK-NEXT:      llama.yield %[[IN]]
// CHECK:         return %[[Z]]
llama.model @m entries [#llama.entry<name = "prefill", rows = 8, embed = @rows, layers = [@carried], of = [0]>] lm_heads [@a_head_of_one_row, @a_head_of_several]
func.func private @rows(%x: tensor<?x32xf32>) -> tensor<?x32xf32> {
  return %x : tensor<?x32xf32>
}
func.func private @carried(%x: tensor<?x32xf32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> {
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// A head of one row reads it where it lies; several are gathered first, so that
// what follows has them side by side.
// CHECK-LABEL: func.func private @a_head_of_one_row
// CHECK-NOT:     "wanted"
// CHECK:         llama.kernel "linear"
func.func private @a_head_of_one_row(%x: tensor<1x32xf32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<1x32xf32> {
  %y = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<1x32xf32>
  return %y : tensor<1x32xf32>
}
// CHECK-LABEL: func.func private @a_head_of_several
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK:         %[[ROWS:.+]] = llama.kernel "wanted" (%[[IN:.+]] = %[[X]] : tensor<?x32xf32>) -> tensor<?x32xf32> {
// CHECK-NEXT:      llama.yield %[[IN]]
// CHECK:         llama.kernel "linear" (%{{.+}} = %[[ROWS]] :
func.func private @a_head_of_several(%x: tensor<?x32xf32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> attributes {llama.rows = 8} {
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// What is few is the target's to say: with 512-bit vectors 8 rows, which fuse as
// one row does.
// CHECK-LABEL: func.func @few_rows_fuse_as_one
// CHECK:         llama.kernel "lm_head" (%{{.+}} = %{{.+}} : tensor<?x32xf32>, {{.*}}) -> tensor<?x32xf32> {
// CHECK:           llama.rms_norm
// CHECK:           llama.linear
// CHECK-NOT:     llama.kernel
// CHECK:         return
// REMARK:        [Passed] prologue {{.*}}Function=few_rows_fuse_as_one | Reason="one kernel reads its few rows", Remark=llama.rms_norm
func.func @few_rows_fuse_as_one(%x: tensor<?x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> attributes {llama.rows = 8} {
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @one_row_more_is_many
// CHECK:         llama.kernel "norm"
// CHECK:         llama.kernel "lm_head"
// CHECK-NOT:       llama.rms_norm
// CHECK:         return
// REMARK:        [Missed] prologue {{.*}}Function=one_row_more_is_many | Reason="each part would make all rows of the call again", Remark=llama.rms_norm
func.func @one_row_more_is_many(%x: tensor<?x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> attributes {llama.rows = 9} {
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// Norms of heads need whole heads, of which a tile of a product is a part: queries and keys
// are normed, turned and stored by one kernel, row by row; values come from the buffer. A
// bias is arithmetic on the product's tile.
// CHECK-LABEL: func.func @norms_of_heads_are_a_kernel
// CHECK:         %[[QKV:.+]]:3 = llama.kernel "linear"
// CHECK-COUNT-3:   llama.linear
// CHECK:           llama.bias
// CHECK-NEXT:      llama.yield
// CHECK:         llama.kernel "qk_norm" (%{{.+}} = %[[QKV]]#0 : {{.*}} = %[[QKV]]#1 : {{.*}} = %[[QKV]]#2 :
// CHECK:           llama.rms_norm {{.*}} heads 2
// CHECK:           llama.rms_norm {{.*}} heads 2
// CHECK:           llama.rope
// CHECK:           llama.rope
// CHECK:           llama.kv_append
// CHECK-NEXT:      llama.yield
// CHECK:         return
// REMARK:        [Passed] siblings {{.*}}Function=norms_of_heads_are_a_kernel | Reason="it norms rows of the kernel that another norm reads", Remark=llama.rms_norm
// REMARK:        [Missed] prologue {{.*}}Function=norms_of_heads_are_a_kernel | Reason="a norm of heads is no row that is staged whole", Remark=llama.rms_norm
func.func @norms_of_heads_are_a_kernel(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x2x16, f16>, %l: index, %g: !llama.weight<16, #llama.f32>) -> tensor<1x32xf32> {
  %w = llama.weight_ref @blk::@square[%l] : !llama.weight<32x32, #llama.q4_0>
  %b = llama.weight_ref @blk::@norm[%l] : !llama.weight<32, #llama.f32>
  %q = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %k = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %v0 = llama.linear %x, %w : tensor<1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<1x32xf32>
  %v = llama.bias %v0, %b : tensor<1x32xf32>, !llama.weight<32, #llama.f32>
  %qn = llama.rms_norm %q, %g eps 1.0e-05 heads 2 : tensor<1x32xf32>, !llama.weight<16, #llama.f32>
  %kn = llama.rms_norm %k, %g eps 1.0e-05 heads 2 : tensor<1x32xf32>, !llama.weight<16, #llama.f32>
  %qr = llama.rope %qn, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
  %kr = llama.rope %kn, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x2x16, f16>, tensor<1x32xf32>, tensor<1x32xf32>, tensor<1xi32>
  return %qr : tensor<1x32xf32>
}

// A layer_norm is a prologue as a rms_norm is, and an activation an epilogue.
// CHECK-LABEL: func.func @few_rows_of_layer_norm
// CHECK:         llama.kernel "linear"
// CHECK:           llama.layer_norm
// CHECK:           llama.linear
// CHECK:           llama.gelu
// CHECK:         llama.kernel "linear"
// CHECK:           llama.linear
// CHECK:           llama.relu
// CHECK-NOT:     llama.kernel
// CHECK:         return
func.func @few_rows_of_layer_norm(%x: tensor<?x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> attributes {llama.rows = 8} {
  %h = llama.layer_norm two_pass %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %u = llama.linear %h, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %a = llama.gelu %u : tensor<?x32xf32>
  %d = llama.linear %a, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  %y = llama.relu %d : tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// CHECK-LABEL: func.func @many_rows_of_layer_norm
// CHECK:         llama.kernel "layer_norm"
// CHECK:         llama.kernel "linear"
// CHECK-NOT:       llama.layer_norm
// CHECK:         return
func.func @many_rows_of_layer_norm(%x: tensor<?x32xf32>, %g: !llama.weight<32, #llama.f32>, %w: !llama.weight<32x32, #llama.f32>) -> tensor<?x32xf32> attributes {llama.rows = 9} {
  %h = llama.layer_norm one_pass %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x32xf32>, !llama.weight<32x32, #llama.f32> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
}
