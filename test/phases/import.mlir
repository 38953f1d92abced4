// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=import -o /dev/null
// RUN: %opt %s --corellama-import-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase import: the graph as the checkpoint means it. One tiny model goes
// through all files of this folder: 2 layers of dim 32, 2 heads over 1 head
// of keys and values of size 16, hidden 48, 64 tokens; Q4_0 in attn_q and
// ffn_gate, F16 in ffn_down (rows of 48 are no multiple of 32), Q8_0
// elsewhere, and LM head tied to to token_embd.
//
// Look at: weights are declared once and reached by handles, so that both
// layers are one function; the number of rows is open; the cache is a
// reference, appended to and read by layer; nothing says how anything runs.

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
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer], of = [0, 0]>] lm_heads [@lm_head]

  func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x32xf32> {
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.q8_0>
    %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x32xf32>
    return %x : tensor<?x32xf32>
  }

  func.func private @layer(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x16, f32>, %l: index) -> tensor<?x32xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : !llama.weight<32, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : !llama.weight<32x32, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : !llama.weight<16x32, #llama.q8_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : !llama.weight<16x32, #llama.q8_0>
    %q = llama.linear %h, %wq : tensor<?x32xf32>, !llama.weight<32x32, #llama.q4_0> -> tensor<?x32xf32>
    %k = llama.linear %h, %wk : tensor<?x32xf32>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
    %v = llama.linear %h, %wv : tensor<?x32xf32>, !llama.weight<16x32, #llama.q8_0> -> tensor<?x16xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x1x16, f32>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<2x1x16, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : !llama.weight<32x32, #llama.q8_0>
    %o = llama.linear %a, %wo : tensor<?x32xf32>, !llama.weight<32x32, #llama.q8_0> -> tensor<?x32xf32>
    %x1 = llama.add %x, %o : tensor<?x32xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : !llama.weight<32, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : !llama.weight<48x32, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : !llama.weight<48x32, #llama.q8_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : !llama.weight<32x48, #llama.f16>
    %g = llama.linear %h1, %wg : tensor<?x32xf32>, !llama.weight<48x32, #llama.q4_0> -> tensor<?x48xf32>
    %u = llama.linear %h1, %wu : tensor<?x32xf32>, !llama.weight<48x32, #llama.q8_0> -> tensor<?x48xf32>
    %s = llama.swiglu %g, %u : tensor<?x48xf32>
    %d = llama.linear %s, %wd : tensor<?x48xf32>, !llama.weight<32x48, #llama.f16> -> tensor<?x32xf32>
    %x2 = llama.add %x1, %d : tensor<?x32xf32>
    return %x2 : tensor<?x32xf32>
  }

  func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x64xf32> {
    %g = llama.weight_ref @output_norm : !llama.weight<32, #llama.f32>
    %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
    %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.q8_0>
    %y = llama.linear %h, %w : tensor<?x32xf32>, !llama.weight<64x32, #llama.q8_0> -> tensor<?x64xf32>
    return %y : tensor<?x64xf32>
  }
}
