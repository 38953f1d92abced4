// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=specialize -o /dev/null
// RUN: sed 's/#cpu.target<[^>]*>/#cuda.target<name = "cuda:sm_80", features = "+ptx80">/' \
// RUN:   %S/import.mlir | %opt - --corellama-specialize-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase specialize for a GPU: what is computed is fixed from here on. Made from
// import.mlir with another target.
//
// Look at: the only difference from specialize.mlir is %rounded in prefill, four
// times. Tensor cores compute all products of many rows; they read rows of f16, and
// the rounding is an op, so that the evaluator obeys it. The table of the target's
// family says which products these are: not those of decode and of the LM head.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>, llama.target = #cuda.target<name = "cuda:sm_80", features = "+ptx80">} {
  llama.weight @token_embd : 64x32 formats [#llama.q8_0]
  llama.weight @output_norm : 32 formats [#llama.f32]
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 32 formats [#llama.f32]
    llama.weight @attn_q : 32x32 formats [#llama.q4_0]
    llama.weight @attn_k : 16x32 formats [#llama.q8_0]
    llama.weight @attn_v : 16x32 formats [#llama.q8_0]
    llama.weight @attn_output : 32x32 formats [#llama.q8_0]
    llama.weight @ffn_norm : 32 formats [#llama.f32]
    llama.weight @ffn_gate : 48x32 formats [#llama.q4_0]
    llama.weight @ffn_up : 48x32 formats [#llama.q8_0]
    llama.weight @ffn_down : 32x48 formats [#llama.f16]
  }
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed.decode, layers = [@layer.decode], of = [0, 0]>, #llama.entry<name = "prefill", rows = 512, embed = @embed.prefill, layers = [@layer.prefill], of = [0, 0]>] lm_heads [@lm_head, @lm_head.rows8]

  func.func private @lm_head(%x: tensor<1x32xf32>) -> tensor<1x64xf32> {
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
    %h = llama.rms_norm %x, %output_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %logits = llama.linear %h, %token_embd : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
    return %logits : tensor<1x64xf32>
  }

  func.func private @embed.decode(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %x = llama.embed %ids, %token_embd : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
    return %x : tensor<1x32xf32>
  }

  func.func private @layer.decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<1x32xf32> {
    %attn_norm = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32>
    %h = llama.rms_norm %x, %attn_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %attn_q = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0>
    %attn_k = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0>
    %attn_v = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0>
    %q = llama.linear %h, %attn_q : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
    %k = llama.linear %h, %attn_k : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %v = llama.linear %h, %attn_v : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %turned = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
    %turned_1 = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
    llama.kv_append %kv[%l], %turned_1, %v at %pos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    %a = llama.attention %turned, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32>
    %attn_output = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0>
    %o = llama.linear %a, %attn_output : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
    %x_1 = llama.add %x, %o : tensor<1x32xf32>
    %ffn_norm = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32>
    %h_1 = llama.rms_norm %x_1, %ffn_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %ffn_gate = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0>
    %ffn_up = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0>
    %ffn_down = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16>
    %gate = llama.linear %h_1, %ffn_gate : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
    %up = llama.linear %h_1, %ffn_up : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
    %s = llama.swiglu %gate, %up : tensor<1x48xf32>
    %down = llama.linear %s, %ffn_down : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
    %x_2 = llama.add %x_1, %down : tensor<1x32xf32>
    return %x_2 : tensor<1x32xf32>
  }

  func.func private @embed.prefill(%ids: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %x = llama.embed %ids, %token_embd : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
    return %x : tensor<?x32xf32>
  }

  func.func private @layer.prefill(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %attn_norm = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32>
    %h = llama.rms_norm %x, %attn_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %attn_q = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0>
    %attn_k = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0>
    %attn_v = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0>
    %rounded = llama.quantize %h : tensor<?x32xf32> to tensor<?x32xf16>
    %q = llama.linear %rounded, %attn_q : tensor<?x32xf16>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
    %k = llama.linear %rounded, %attn_k : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %v = llama.linear %rounded, %attn_v : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %turned = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    %turned_1 = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %turned_1, %v at %pos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    %a = llama.attention %turned, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
    %attn_output = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0>
    %rounded_1 = llama.quantize %a : tensor<?x32xf32> to tensor<?x32xf16>
    %o = llama.linear %rounded_1, %attn_output : tensor<?x32xf16>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
    %x_1 = llama.add %x, %o : tensor<?x32xf32>
    %ffn_norm = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32>
    %h_1 = llama.rms_norm %x_1, %ffn_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %ffn_gate = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0>
    %ffn_up = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0>
    %ffn_down = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16>
    %rounded_2 = llama.quantize %h_1 : tensor<?x32xf32> to tensor<?x32xf16>
    %gate = llama.linear %rounded_2, %ffn_gate : tensor<?x32xf16>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
    %up = llama.linear %rounded_2, %ffn_up : tensor<?x32xf16>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
    %s = llama.swiglu %gate, %up : tensor<?x48xf32>
    %rounded_3 = llama.quantize %s : tensor<?x48xf32> to tensor<?x48xf16>
    %down = llama.linear %rounded_3, %ffn_down : tensor<?x48xf16>, <32x48, #llama.f16> -> tensor<?x32xf32>
    %x_2 = llama.add %x_1, %down : tensor<?x32xf32>
    return %x_2 : tensor<?x32xf32>
  }

  func.func private @lm_head.rows8(%x: tensor<?x32xf32>) -> tensor<?x64xf32> attributes {llama.rows = 8 : i64} {
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
    %h = llama.rms_norm %x, %output_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %y = llama.linear %h, %token_embd : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
