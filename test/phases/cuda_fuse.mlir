// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=fuse -o /dev/null
// RUN: %opt %S/cuda_specialize.mlir --corellama-fuse-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase fuse for a GPU. Made from cuda_specialize.mlir.
//
// Look at: the kernels are those of fuse.mlir, and "merge": blocks of keys are short, so
// that they are many and merged once. Each rounding to f16 has joined the kernel that
// makes the rows (both norms, "attn" and "gate_up" of prefill), so that what goes from
// kernel to kernel is half as large.
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
    %head = llama.kernel "lm_head" (%ix = %x : tensor<1x32xf32>) -> tensor<1x64xf32> {
      %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
      %h = llama.rms_norm %ix, %output_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %logits = llama.linear %h, %token_embd : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
      llama.yield %logits : tensor<1x64xf32>
    }
    return %head : tensor<1x64xf32>
  }

  func.func private @embed.decode(%ids: tensor<1xi32>) -> tensor<1x32xf32> {
    %embed = llama.kernel "embed" (%iids = %ids : tensor<1xi32>) -> tensor<1x32xf32> {
      %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %x = llama.embed %iids, %token_embd : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
      llama.yield %x : tensor<1x32xf32>
    }
    return %embed : tensor<1x32xf32>
  }

  func.func private @layer.decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<1x32xf32> {
    %qkv = llama.kernel "qkv" (%ix = %x : tensor<1x32xf32>, %ipos = %pos : tensor<1xi32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %il = %l : index) -> tensor<1x32xf32> {
      %attn_norm = llama.weight_ref @blk::@attn_norm[%il] : <32, #llama.f32>
      %h = llama.rms_norm %ix, %attn_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %attn_q = llama.weight_ref @blk::@attn_q[%il] : <32x32, #llama.q4_0>
      %q = llama.linear %h, %attn_q : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
      %attn_k = llama.weight_ref @blk::@attn_k[%il] : <16x32, #llama.q8_0>
      %k = llama.linear %h, %attn_k : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
      %attn_v = llama.weight_ref @blk::@attn_v[%il] : <16x32, #llama.q8_0>
      %v = llama.linear %h, %attn_v : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
      %turned = llama.rope %q, %ipos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
      %turned_1 = llama.rope %k, %ipos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
      llama.kv_append %ikv[%il], %turned_1, %v at %ipos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
      llama.yield %turned : tensor<1x32xf32>
    }
    %attn = llama.kernel "attn" (%iqkv = %qkv : tensor<1x32xf32>, %ikv_1 = %kv : !llama.cache<2x1x16, f16>, %ipos_1 = %pos : tensor<1xi32>, %il_1 = %l : index) -> tensor<1x2x?x18xf32> {
      %parts = llama.attention_part %iqkv, %ikv_1[%il_1], %ipos_1 causal heads 2 keys 64 : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
      llama.yield %parts : tensor<1x2x?x18xf32>
    }
    %merge = llama.kernel "merge" (%iattn = %attn : tensor<1x2x?x18xf32>) -> tensor<1x32xf32> {
      %merged = llama.attention_merge %iattn heads 2 keys 64 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
      llama.yield %merged : tensor<1x32xf32>
    }
    %o = llama.kernel "o" (%imerge = %merge : tensor<1x32xf32>, %ix_1 = %x : tensor<1x32xf32>, %il_2 = %l : index) -> tensor<1x32xf32> {
      %attn_output = llama.weight_ref @blk::@attn_output[%il_2] : <32x32, #llama.q8_0>
      %o_1 = llama.linear %imerge, %attn_output : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
      %x_1 = llama.add %ix_1, %o_1 : tensor<1x32xf32>
      llama.yield %x_1 : tensor<1x32xf32>
    }
    %gate_up = llama.kernel "gate_up" (%io = %o : tensor<1x32xf32>, %il_3 = %l : index) -> tensor<1x48xf32> {
      %ffn_norm = llama.weight_ref @blk::@ffn_norm[%il_3] : <32, #llama.f32>
      %h_1 = llama.rms_norm %io, %ffn_norm eps 1.0e-05 : tensor<1x32xf32>, <32, #llama.f32>
      %ffn_gate = llama.weight_ref @blk::@ffn_gate[%il_3] : <48x32, #llama.q4_0>
      %gate = llama.linear %h_1, %ffn_gate : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
      %ffn_up = llama.weight_ref @blk::@ffn_up[%il_3] : <48x32, #llama.q8_0>
      %up = llama.linear %h_1, %ffn_up : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
      %s = llama.swiglu %gate, %up : tensor<1x48xf32>
      llama.yield %s : tensor<1x48xf32>
    }
    %down = llama.kernel "down" (%igate_up = %gate_up : tensor<1x48xf32>, %io_1 = %o : tensor<1x32xf32>, %il_4 = %l : index) -> tensor<1x32xf32> {
      %ffn_down = llama.weight_ref @blk::@ffn_down[%il_4] : <32x48, #llama.f16>
      %down_1 = llama.linear %igate_up, %ffn_down : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
      %x_2 = llama.add %io_1, %down_1 : tensor<1x32xf32>
      llama.yield %x_2 : tensor<1x32xf32>
    }
    return %down : tensor<1x32xf32>
  }

  func.func private @embed.prefill(%ids: tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %embed = llama.kernel "embed" (%iids = %ids : tensor<?xi32>) -> tensor<?x32xf32> {
      %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %x = llama.embed %iids, %token_embd : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
      llama.yield %x : tensor<?x32xf32>
    }
    return %embed : tensor<?x32xf32>
  }

  func.func private @layer.prefill(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f16>, %l: index) -> tensor<?x32xf32> attributes {llama.rows = 512 : i64} {
    %norm = llama.kernel "norm" (%ix = %x : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf16> {
      %attn_norm = llama.weight_ref @blk::@attn_norm[%il] : <32, #llama.f32>
      %h = llama.rms_norm %ix, %attn_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
      %rounded = llama.quantize %h : tensor<?x32xf32> to tensor<?x32xf16>
      llama.yield %rounded : tensor<?x32xf16>
    }
    %qkv = llama.kernel "qkv" (%inorm = %norm : tensor<?x32xf16>, %ipos = %pos : tensor<?xi32>, %ikv = %kv : !llama.cache<2x1x16, f16>, %il_1 = %l : index) -> tensor<?x32xf32> {
      %attn_q = llama.weight_ref @blk::@attn_q[%il_1] : <32x32, #llama.q4_0>
      %q = llama.linear %inorm, %attn_q : tensor<?x32xf16>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
      %attn_k = llama.weight_ref @blk::@attn_k[%il_1] : <16x32, #llama.q8_0>
      %k = llama.linear %inorm, %attn_k : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
      %attn_v = llama.weight_ref @blk::@attn_v[%il_1] : <16x32, #llama.q8_0>
      %v = llama.linear %inorm, %attn_v : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
      %turned = llama.rope %q, %ipos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
      %turned_1 = llama.rope %k, %ipos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
      llama.kv_append %ikv[%il_1], %turned_1, %v at %ipos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
      llama.yield %turned : tensor<?x32xf32>
    }
    %attn = llama.kernel "attn" (%iqkv = %qkv : tensor<?x32xf32>, %ikv_1 = %kv : !llama.cache<2x1x16, f16>, %ipos_1 = %pos : tensor<?xi32>, %il_2 = %l : index) -> tensor<?x32xf16> {
      %a = llama.attention %iqkv, %ikv_1[%il_2], %ipos_1 causal heads 2 keys 64 : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
      %rounded_1 = llama.quantize %a : tensor<?x32xf32> to tensor<?x32xf16>
      llama.yield %rounded_1 : tensor<?x32xf16>
    }
    %o = llama.kernel "o" (%iattn = %attn : tensor<?x32xf16>, %ix_1 = %x : tensor<?x32xf32>, %il_3 = %l : index) -> tensor<?x32xf32> {
      %attn_output = llama.weight_ref @blk::@attn_output[%il_3] : <32x32, #llama.q8_0>
      %o_1 = llama.linear %iattn, %attn_output : tensor<?x32xf16>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
      %x_1 = llama.add %ix_1, %o_1 : tensor<?x32xf32>
      llama.yield %x_1 : tensor<?x32xf32>
    }
    %norm_1 = llama.kernel "norm" (%io = %o : tensor<?x32xf32>, %il_4 = %l : index) -> tensor<?x32xf16> {
      %ffn_norm = llama.weight_ref @blk::@ffn_norm[%il_4] : <32, #llama.f32>
      %h_1 = llama.rms_norm %io, %ffn_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
      %rounded_2 = llama.quantize %h_1 : tensor<?x32xf32> to tensor<?x32xf16>
      llama.yield %rounded_2 : tensor<?x32xf16>
    }
    %gate_up = llama.kernel "gate_up" (%inorm_1 = %norm_1 : tensor<?x32xf16>, %il_5 = %l : index) -> tensor<?x48xf16> {
      %ffn_gate = llama.weight_ref @blk::@ffn_gate[%il_5] : <48x32, #llama.q4_0>
      %gate = llama.linear %inorm_1, %ffn_gate : tensor<?x32xf16>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
      %ffn_up = llama.weight_ref @blk::@ffn_up[%il_5] : <48x32, #llama.q8_0>
      %up = llama.linear %inorm_1, %ffn_up : tensor<?x32xf16>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
      %s = llama.swiglu %gate, %up : tensor<?x48xf32>
      %rounded_3 = llama.quantize %s : tensor<?x48xf32> to tensor<?x48xf16>
      llama.yield %rounded_3 : tensor<?x48xf16>
    }
    %down = llama.kernel "down" (%igate_up = %gate_up : tensor<?x48xf16>, %io_1 = %o : tensor<?x32xf32>, %il_6 = %l : index) -> tensor<?x32xf32> {
      %ffn_down = llama.weight_ref @blk::@ffn_down[%il_6] : <32x48, #llama.f16>
      %down_1 = llama.linear %igate_up, %ffn_down : tensor<?x48xf16>, <32x48, #llama.f16> -> tensor<?x32xf32>
      %x_2 = llama.add %io_1, %down_1 : tensor<?x32xf32>
      llama.yield %x_2 : tensor<?x32xf32>
    }
    return %down : tensor<?x32xf32>
  }

  func.func private @lm_head.rows8(%x: tensor<?x32xf32>) -> tensor<?x64xf32> attributes {llama.rows = 8 : i64} {
    %rows = llama.kernel "wanted" (%ix = %x : tensor<?x32xf32>) -> tensor<?x32xf32> {
      llama.yield %ix : tensor<?x32xf32>
    }
    %norm = llama.kernel "norm" (%ix = %rows : tensor<?x32xf32>) -> tensor<?x32xf32> {
      %output_norm = llama.weight_ref @output_norm : <32, #llama.f32>
      %h = llama.rms_norm %ix, %output_norm eps 1.0e-05 : tensor<?x32xf32>, <32, #llama.f32>
      llama.yield %h : tensor<?x32xf32>
    }
    %head = llama.kernel "lm_head" (%ix = %norm : tensor<?x32xf32>) -> tensor<?x64xf32> {
      %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0>
      %y = llama.linear %ix, %token_embd : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
      llama.yield %y : tensor<?x64xf32>
    }
    return %head : tensor<?x64xf32>
  }
}
