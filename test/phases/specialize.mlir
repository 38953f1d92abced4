// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=specialize -o /dev/null
// RUN: %opt %S/import.mlir --corellama-specialize-pipeline=activations=f32 -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase specialize: what is computed is fixed from here on. Made from
// import.mlir.
//
// Look at: decode (one row) and prefill (up to 512) are two functions of one
// graph; the head is one function on one row that both share; the cache has
// become f16. With float32 activations nothing is rounded:
// specialize_q8b32.mlir has the other choice.

module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>, llama.target = #cpu.target<name = "native:znver4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
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
    %g = llama.weight_ref @output_norm : <32, #llama.f32>
    %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %y = llama.linear %h, %w : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
    return %y : tensor<1x64xf32>
  }

  func.func private @embed.decode(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %x = llama.embed %ids, %w : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
    return %x : tensor<1x32xf32>
  }

  func.func private @layer.decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<1x32xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0>
    %q = llama.linear %h, %wq : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
    %k = llama.linear %h, %wk : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %v = llama.linear %h, %wv : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 2 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0>
    %o = llama.linear %a, %wo : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
    %x1 = llama.add %x, %o : tensor<1x32xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16>
    %g = llama.linear %h1, %wg : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
    %u = llama.linear %h1, %wu : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
    %s = llama.swiglu %g, %u : tensor<1x48xf32>
    %d = llama.linear %s, %wd : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
    %x2 = llama.add %x1, %d : tensor<1x32xf32>
    return %x2 : tensor<1x32xf32>
  }

  func.func private @embed.prefill(%ids: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %x = llama.embed %ids, %w : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
    return %x : tensor<?x32xf32>
  }

  func.func private @layer.prefill(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0>
    %q = llama.linear %h, %wq : tensor<?x32xf32>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
    %k = llama.linear %h, %wk : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %v = llama.linear %h, %wv : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0>
    %o = llama.linear %a, %wo : tensor<?x32xf32>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
    %x1 = llama.add %x, %o : tensor<?x32xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16>
    %g = llama.linear %h1, %wg : tensor<?x32xf32>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
    %u = llama.linear %h1, %wu : tensor<?x32xf32>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
    %s = llama.swiglu %g, %u : tensor<?x48xf32>
    %d = llama.linear %s, %wd : tensor<?x48xf32>, <32x48, #llama.f16> -> tensor<?x32xf32>
    %x2 = llama.add %x1, %d : tensor<?x32xf32>
    return %x2 : tensor<?x32xf32>
  }

  func.func private @lm_head.rows8(%x: tensor<?x32xf32>) -> tensor<?x64xf32> attributes {llama.rows = 8 : i64} {
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
    %h = llama.rms_norm %x, %output_norm eps 1.000000e-05 : tensor<?x32xf32>, <32, #llama.f32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
    %y = llama.linear %h, %token_embd : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
