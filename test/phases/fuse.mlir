// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=fuse -o /dev/null
// RUN: %opt %S/specialize.mlir --corellama-fuse-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase fuse: the same graph, gathered into kernels. Made from
// specialize.mlir.
//
// Look at: a decode layer is five kernels (qkv, attn, o, gate_up, down), a
// prefill layer seven (norms are kernels of their own). In decode attention
// is split: attention_part leaves accumulator, maximum and sum of each block
// of 256 keys, and the next kernel merges them.

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
    %y0 = llama.kernel "lm_head" (%ix = %x : tensor<1x32xf32>) -> tensor<1x64xf32> {
      %g = llama.weight_ref @output_norm : <32, #llama.f32>
      %h = llama.rms_norm %ix, %g eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %y = llama.linear %h, %w : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
      llama.yield %y : tensor<1x64xf32>
    }
    return %y0 : tensor<1x64xf32>
  }

  func.func private @embed.decode(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
    %x0 = llama.kernel "embed" (%iids = %ids : tensor<1xi32>) -> tensor<1x32xf32> {
      %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %x = llama.embed %iids, %w : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
      llama.yield %x : tensor<1x32xf32>
    }
    return %x0 : tensor<1x32xf32>
  }

  func.func private @layer.decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<1x32xf32> {
    %qr0 = llama.kernel "qkv" (%ix = %x : tensor<1x32xf32>, %ipos = %pos : tensor<1xi32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %il = %l : index) -> tensor<1x32xf32> {
      %g0 = llama.weight_ref @blk::@attn_norm[%il] : <32, #llama.f32>
      %h = llama.rms_norm %ix, %g0 eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %wq = llama.weight_ref @blk::@attn_q[%il] : <32x32, #llama.q4_0>
      %q = llama.linear %h, %wq : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
      %wk = llama.weight_ref @blk::@attn_k[%il] : <16x32, #llama.q8_0>
      %k = llama.linear %h, %wk : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
      %wv = llama.weight_ref @blk::@attn_v[%il] : <16x32, #llama.q8_0>
      %v = llama.linear %h, %wv : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
      %qr = llama.rope %q, %ipos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
      %kr = llama.rope %k, %ipos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
      llama.kv_append %ikv[%il], %kr, %v at %ipos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
      llama.yield %qr : tensor<1x32xf32>
    }
    %p0 = llama.kernel "attn" (%iqr0 = %qr0 : tensor<1x32xf32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %ipos = %pos : tensor<1xi32>, %il = %l : index) -> tensor<1x2x?x18xf32> {
      %p = llama.attention_part %iqr0, %ikv[%il], %ipos causal heads 2 keys 256 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
      llama.yield %p : tensor<1x2x?x18xf32>
    }
    %x10 = llama.kernel "o" (%ip0 = %p0 : tensor<1x2x?x18xf32>, %ix = %x : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> {
      %a = llama.attention_merge %ip0 heads 2 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
      %wo = llama.weight_ref @blk::@attn_output[%il] : <32x32, #llama.q8_0>
      %o = llama.linear %a, %wo : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
      %x1 = llama.add %ix, %o : tensor<1x32xf32>
      llama.yield %x1 : tensor<1x32xf32>
    }
    %s0 = llama.kernel "gate_up" (%ix10 = %x10 : tensor<1x32xf32>, %il = %l : index) -> tensor<1x48xf32> {
      %g1 = llama.weight_ref @blk::@ffn_norm[%il] : <32, #llama.f32>
      %h1 = llama.rms_norm %ix10, %g1 eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %wg = llama.weight_ref @blk::@ffn_gate[%il] : <48x32, #llama.q4_0>
      %g = llama.linear %h1, %wg : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
      %wu = llama.weight_ref @blk::@ffn_up[%il] : <48x32, #llama.q8_0>
      %u = llama.linear %h1, %wu : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
      %s = llama.swiglu %g, %u : tensor<1x48xf32>
      llama.yield %s : tensor<1x48xf32>
    }
    %x20 = llama.kernel "down" (%is0 = %s0 : tensor<1x48xf32>, %ix10 = %x10 : tensor<1x32xf32>, %il = %l : index) -> tensor<1x32xf32> {
      %wd = llama.weight_ref @blk::@ffn_down[%il] : <32x48, #llama.f16>
      %d = llama.linear %is0, %wd : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
      %x2 = llama.add %ix10, %d : tensor<1x32xf32>
      llama.yield %x2 : tensor<1x32xf32>
    }
    return %x20 : tensor<1x32xf32>
  }

  func.func private @embed.prefill(%ids: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %x0 = llama.kernel "embed" (%iids = %ids : tensor<?xi32>) -> tensor<?x32xf32> {
      %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %x = llama.embed %iids, %w : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
      llama.yield %x : tensor<?x32xf32>
    }
    return %x0 : tensor<?x32xf32>
  }

  func.func private @layer.prefill(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %h0 = llama.kernel "norm" (%ix = %x : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> {
      %g0 = llama.weight_ref @blk::@attn_norm[%il] : <32, #llama.f32>
      %h = llama.rms_norm %ix, %g0 eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
      llama.yield %h : tensor<?x32xf32>
    }
    %qr0 = llama.kernel "qkv" (%ih0 = %h0 : tensor<?x32xf32>, %ipos = %pos : tensor<?xi32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %il = %l : index) -> tensor<?x32xf32> {
      %wq = llama.weight_ref @blk::@attn_q[%il] : <32x32, #llama.q4_0>
      %q = llama.linear %ih0, %wq : tensor<?x32xf32>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
      %wk = llama.weight_ref @blk::@attn_k[%il] : <16x32, #llama.q8_0>
      %k = llama.linear %ih0, %wk : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
      %wv = llama.weight_ref @blk::@attn_v[%il] : <16x32, #llama.q8_0>
      %v = llama.linear %ih0, %wv : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
      %qr = llama.rope %q, %ipos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
      %kr = llama.rope %k, %ipos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
      llama.kv_append %ikv[%il], %kr, %v at %ipos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
      llama.yield %qr : tensor<?x32xf32>
    }
    %a0 = llama.kernel "attn" (%iqr0 = %qr0 : tensor<?x32xf32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %ipos = %pos : tensor<?xi32>, %il = %l : index) -> tensor<?x32xf32> {
      %a = llama.attention %iqr0, %ikv[%il], %ipos causal heads 2 keys 256 : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
      llama.yield %a : tensor<?x32xf32>
    }
    %x10 = llama.kernel "o" (%ia0 = %a0 : tensor<?x32xf32>, %ix = %x : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> {
      %wo = llama.weight_ref @blk::@attn_output[%il] : <32x32, #llama.q8_0>
      %o = llama.linear %ia0, %wo : tensor<?x32xf32>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
      %x1 = llama.add %ix, %o : tensor<?x32xf32>
      llama.yield %x1 : tensor<?x32xf32>
    }
    %h10 = llama.kernel "norm" (%ix10 = %x10 : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> {
      %g1 = llama.weight_ref @blk::@ffn_norm[%il] : <32, #llama.f32>
      %h1 = llama.rms_norm %ix10, %g1 eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
      llama.yield %h1 : tensor<?x32xf32>
    }
    %s0 = llama.kernel "gate_up" (%ih10 = %h10 : tensor<?x32xf32>, %il = %l : index) -> tensor<?x48xf32> {
      %wg = llama.weight_ref @blk::@ffn_gate[%il] : <48x32, #llama.q4_0>
      %g = llama.linear %ih10, %wg : tensor<?x32xf32>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
      %wu = llama.weight_ref @blk::@ffn_up[%il] : <48x32, #llama.q8_0>
      %u = llama.linear %ih10, %wu : tensor<?x32xf32>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
      %s = llama.swiglu %g, %u : tensor<?x48xf32>
      llama.yield %s : tensor<?x48xf32>
    }
    %x20 = llama.kernel "down" (%is0 = %s0 : tensor<?x48xf32>, %ix10 = %x10 : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> {
      %wd = llama.weight_ref @blk::@ffn_down[%il] : <32x48, #llama.f16>
      %d = llama.linear %is0, %wd : tensor<?x48xf32>, <32x48, #llama.f16> -> tensor<?x32xf32>
      %x2 = llama.add %ix10, %d : tensor<?x32xf32>
      llama.yield %x2 : tensor<?x32xf32>
    }
    return %x20 : tensor<?x32xf32>
  }

  func.func private @lm_head.rows8(%x: tensor<?x32xf32>) -> tensor<?x64xf32> attributes {llama.rows = 8 : i64} {
    %rows = llama.kernel "wanted" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
      llama.yield %ix : tensor<?x32xf32>
    }
    %head = llama.kernel "lm_head" (%ix = %rows : tensor<?x32xf32>) -> tensor<?x64xf32> {
      %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
      %h = llama.rms_norm %ix, %output_norm eps 1.000000e-05 : tensor<?x32xf32>, <32, #llama.f32>
      %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %y = llama.linear %h, %token_embd : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
      llama.yield %y : tensor<?x64xf32>
    }
    return %head : tensor<?x64xf32>
  }
}
