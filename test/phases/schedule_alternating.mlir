// Layers whose formats alternate irregularly, from import to llvm: as in files
// that keep some layers' attn_v and ffn_down in Q6_K. Rows are multiples of 256,
// which Q6_K's blocks need.
//
// Look at: three signatures of layers make three functions until schedule; there
// the loop over the layers stays one loop, a kernel is shared wherever its own
// weights agree (@attn, @o and @gate_up have one function, @qkv and @down two),
// and a dispatch picks its callee by a table. At llvm the table is comparisons with
// the layer.
//
// RUN: %opt %s --verify-roundtrip --llama-verify-phase=phase=import -o /dev/null
// RUN: %opt %s --corellama-specialize-pipeline='activations=f32 rows=1,16' --corellama-fuse-pipeline --corellama-plan-pipeline --corellama-schedule-pipeline -o %t.schedule
// RUN: FileCheck %s < %t.schedule
// RUN: %opt %t.schedule --verify-roundtrip --corellama-tile-pipeline --corellama-vector-pipeline --corellama-llvm-pipeline | FileCheck %s --check-prefix=LLVM

// CHECK:       llama.weight @attn_v : 64x256 formats [#llama.q6_k, #llama.q4_0] of [0, 1, 1, 0]
// CHECK:       llama.weight @ffn_down : 256x256 formats [#llama.q6_k, #llama.q4_0] of [0, 0, 1, 0]
// CHECK-LABEL: llama.step @decode rows 1
// CHECK:         scf.for %[[L:.+]] = %c0 to %c4 step %c1
// CHECK:           llama.dispatch [@qkv.decode.0, @qkv.decode.1] of [0, 1, 1, 0](%[[L]])
// CHECK:           llama.dispatch @attn.decode(%[[L]])
// CHECK:           llama.dispatch @o.decode(%[[L]])
// CHECK:           llama.dispatch @gate_up.decode(%[[L]])
// CHECK:           llama.dispatch [@down.decode.0, @down.decode.1] of [0, 0, 1, 0](%[[L]])
// CHECK-NOT:     scf.for
// CHECK-LABEL: llama.step @prefill rows 16
// CHECK:         scf.for %[[L:.+]] = %c0 to %c4 step %c1
// CHECK:           llama.dispatch @norm.prefill.0(%[[L]])
// CHECK:           llama.dispatch [@qkv.prefill.0, @qkv.prefill.1] of [0, 1, 1, 0](%[[L]])
// CHECK:           llama.dispatch @attn.prefill(%[[L]])
// CHECK:           llama.dispatch @o.prefill(%[[L]])
// CHECK:           llama.dispatch @norm.prefill.1(%[[L]])
// CHECK:           llama.dispatch @gate_up.prefill(%[[L]])
// CHECK:           llama.dispatch [@down.prefill.0, @down.prefill.1] of [0, 0, 1, 0](%[[L]])
// CHECK-NOT:     scf.for
// CHECK-LABEL: func.func private @qkv.decode.0
// CHECK:         llama.weight_ref @blk::@attn_v[%{{.+}}] : <64x256, #llama.q6_k> in #llama.interleaved16<k = 4> index [[V:[0-9]+]]
// CHECK:         order <unit = #cpu.fma, block = 16, scale = outer> : tensor<1x256xf32>, <64x256, #llama.q6_k>
// CHECK-LABEL: func.func private @qkv.decode.1
// CHECK:         llama.weight_ref @blk::@attn_v[%{{.+}}] : <64x256, #llama.q4_0> in #llama.interleaved16<k = 4> index [[V]]
// CHECK:         order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x256xf32>, <64x256, #llama.q4_0>

// LLVM:       llama.kernels = [
// LLVM-SAME:    name = "qkv.decode.0"
// LLVM-SAME:    name = "qkv.decode.1"
// LLVM-LABEL: llvm.func @corellama_step_decode(
// LLVM:         llvm.call @qkv.decode.0.parts(
// LLVM-NEXT:    llvm.load
// LLVM-NEXT:    llvm.call @corellama_dispatch(
// LLVM:         llvm.call @qkv.decode.1.parts(
// LLVM:         llvm.call @attn.decode.parts(
// LLVM:         llvm.call @down.decode.0.parts(
// LLVM:         llvm.call @down.decode.1.parts(

module attributes {llama.config = #llama.config<dim = 256, heads = 4, kv_heads = 1, head_size = 64, hidden = 256, vocabulary = 100, layers = 4, context_length = 512>, llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  llama.weight @token_embd : 100x256 formats [#llama.q6_k]
  llama.weight @output_norm : 256 formats [#llama.f32]
  llama.weights @blk layers 4 {
    llama.weight @attn_norm : 256 formats [#llama.f32]
    llama.weight @attn_q : 256x256 formats [#llama.q4_0]
    llama.weight @attn_k : 64x256 formats [#llama.q4_0]
    llama.weight @attn_v : 64x256 formats [#llama.q6_k, #llama.q4_0] of [0, 1, 1, 0]
    llama.weight @attn_output : 256x256 formats [#llama.q4_0]
    llama.weight @ffn_norm : 256 formats [#llama.f32]
    llama.weight @ffn_gate : 256x256 formats [#llama.q4_0]
    llama.weight @ffn_up : 256x256 formats [#llama.q4_0]
    llama.weight @ffn_down : 256x256 formats [#llama.q6_k, #llama.q4_0] of [0, 0, 1, 0]
  }
  llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer.0, @layer.1, @layer.2], of = [0, 1, 2, 0]>] lm_heads [@lm_head]

  func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x256xf32> {
    %w = llama.weight_ref @token_embd : <100x256, #llama.q6_k>
    %x = llama.embed %ids, %w : tensor<?xi32>, <100x256, #llama.q6_k> -> tensor<?x256xf32>
    return %x : tensor<?x256xf32>
  }

  func.func private @layer.0(%x: tensor<?x256xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<4x1x64, f32>, %l: index) -> tensor<?x256xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <256, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <256x256, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <64x256, #llama.q4_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <64x256, #llama.q6_k>
    %q = llama.linear %h, %wq : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %k = llama.linear %h, %wk : tensor<?x256xf32>, <64x256, #llama.q4_0> -> tensor<?x64xf32>
    %v = llama.linear %h, %wv : tensor<?x256xf32>, <64x256, #llama.q6_k> -> tensor<?x64xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 4 : tensor<?x256xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x64xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <4x1x64, f32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 4 : tensor<?x256xf32>, <4x1x64, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <256x256, #llama.q4_0>
    %o = llama.linear %a, %wo : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %x1 = llama.add %x, %o : tensor<?x256xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <256, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <256x256, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <256x256, #llama.q4_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <256x256, #llama.q6_k>
    %g = llama.linear %h1, %wg : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %u = llama.linear %h1, %wu : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %s = llama.swiglu %g, %u : tensor<?x256xf32>
    %d = llama.linear %s, %wd : tensor<?x256xf32>, <256x256, #llama.q6_k> -> tensor<?x256xf32>
    %x2 = llama.add %x1, %d : tensor<?x256xf32>
    return %x2 : tensor<?x256xf32>
  }

  func.func private @layer.1(%x: tensor<?x256xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<4x1x64, f32>, %l: index) -> tensor<?x256xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <256, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <256x256, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <64x256, #llama.q4_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <64x256, #llama.q4_0>
    %q = llama.linear %h, %wq : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %k = llama.linear %h, %wk : tensor<?x256xf32>, <64x256, #llama.q4_0> -> tensor<?x64xf32>
    %v = llama.linear %h, %wv : tensor<?x256xf32>, <64x256, #llama.q4_0> -> tensor<?x64xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 4 : tensor<?x256xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x64xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <4x1x64, f32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 4 : tensor<?x256xf32>, <4x1x64, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <256x256, #llama.q4_0>
    %o = llama.linear %a, %wo : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %x1 = llama.add %x, %o : tensor<?x256xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <256, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <256x256, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <256x256, #llama.q4_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <256x256, #llama.q6_k>
    %g = llama.linear %h1, %wg : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %u = llama.linear %h1, %wu : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %s = llama.swiglu %g, %u : tensor<?x256xf32>
    %d = llama.linear %s, %wd : tensor<?x256xf32>, <256x256, #llama.q6_k> -> tensor<?x256xf32>
    %x2 = llama.add %x1, %d : tensor<?x256xf32>
    return %x2 : tensor<?x256xf32>
  }

  func.func private @layer.2(%x: tensor<?x256xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<4x1x64, f32>, %l: index) -> tensor<?x256xf32> {
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <256, #llama.f32>
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <256x256, #llama.q4_0>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <64x256, #llama.q4_0>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <64x256, #llama.q4_0>
    %q = llama.linear %h, %wq : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %k = llama.linear %h, %wk : tensor<?x256xf32>, <64x256, #llama.q4_0> -> tensor<?x64xf32>
    %v = llama.linear %h, %wv : tensor<?x256xf32>, <64x256, #llama.q4_0> -> tensor<?x64xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 4 : tensor<?x256xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x64xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <4x1x64, f32>, tensor<?x64xf32>, tensor<?x64xf32>, tensor<?xi32>
    %a = llama.attention %qr, %kv[%l], %pos causal heads 4 : tensor<?x256xf32>, <4x1x64, f32>, tensor<?xi32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <256x256, #llama.q4_0>
    %o = llama.linear %a, %wo : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %x1 = llama.add %x, %o : tensor<?x256xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <256, #llama.f32>
    %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <256x256, #llama.q4_0>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <256x256, #llama.q4_0>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <256x256, #llama.q4_0>
    %g = llama.linear %h1, %wg : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %u = llama.linear %h1, %wu : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %s = llama.swiglu %g, %u : tensor<?x256xf32>
    %d = llama.linear %s, %wd : tensor<?x256xf32>, <256x256, #llama.q4_0> -> tensor<?x256xf32>
    %x2 = llama.add %x1, %d : tensor<?x256xf32>
    return %x2 : tensor<?x256xf32>
  }

  func.func private @lm_head(%x: tensor<?x256xf32>) -> tensor<?x100xf32> {
    %g = llama.weight_ref @output_norm : <256, #llama.f32>
    %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x256xf32>, <256, #llama.f32>
    %w = llama.weight_ref @token_embd : <100x256, #llama.q6_k>
    %y = llama.linear %h, %w : tensor<?x256xf32>, <100x256, #llama.q6_k> -> tensor<?x100xf32>
    return %y : tensor<?x100xf32>
  }
}
