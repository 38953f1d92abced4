// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=schedule -o /dev/null
// RUN: %opt %S/plan.mlir --corellama-schedule-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase schedule: kernels are functions from buffer_read to buffer_write, entries
// are steps. Made from plan.mlir.
//
// Look at: llama.step is dispatches, separated by barriers; the loop over the
// layers is one scf.for; buffers have byte offsets and share
// bytes where their values do not live at once (@prefill.norm, @prefill.attn
// and @prefill.gate_up begin at one offset); each weight_ref has the layout
// and the index in the table of offsets, each function its parts as a map of
// rows and keys.

module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>, llama.target = #cpu.target<name = "native:znver4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  llama.weight @token_embd : 64x32 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
  llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @attn_q : 32x32 formats [#llama.q4_0] in [#llama.interleaved16<k = 4>]
    llama.weight @attn_k : 16x32 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
    llama.weight @attn_v : 16x32 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
    llama.weight @attn_output : 32x32 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
    llama.weight @ffn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @ffn_gate : 48x32 formats [#llama.q4_0] in [#llama.interleaved16<k = 4>]
    llama.weight @ffn_up : 48x32 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
    llama.weight @ffn_down : 32x48 formats [#llama.f16] in [#llama.interleaved16<k = 1>]
  }
  llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
  llama.model @m steps [@decode, @prefill] lm_heads [@lm_head, @lm_head.rows8]
  llama.buffer @x : tensor<512x32xf32> at 0
  llama.buffer @decode.qkv : tensor<1x32xf32> at 66688
  llama.buffer @decode.attn : tensor<1x2x8x18xf32> at 65536
  llama.buffer @decode.o : tensor<1x32xf32> at 66688
  llama.buffer @decode.gate_up : tensor<1x48xf32> at 65536
  llama.buffer @prefill.norm : tensor<512x32xf32> at 65536
  llama.buffer @prefill.qkv : tensor<512x32xf32> at 131072
  llama.buffer @prefill.attn : tensor<512x32xf32> at 65536
  llama.buffer @prefill.o : tensor<512x32xf32> at 163840
  llama.buffer @prefill.norm.1 : tensor<512x32xf32> at 229376
  llama.buffer @prefill.gate_up : tensor<512x48xf32> at 65536
  llama.buffer @logits : tensor<8x64xf32> at 65536
  llama.buffer @lm_head.rows8.wanted : tensor<8x32xf32> at 67584

  llama.step @decode rows 1 {
    llama.dispatch @embed.decode
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c1 = arith.constant 1 : index
    scf.for %l = %c0 to %c2 step %c1 {
      llama.barrier
      llama.dispatch @qkv.decode(%l)
      llama.barrier
      llama.dispatch @attn.decode(%l)
      llama.barrier
      llama.dispatch @o.decode(%l)
      llama.barrier
      llama.dispatch @gate_up.decode(%l)
      llama.barrier
      llama.dispatch @down.decode(%l)
    }
  }

  llama.step @prefill rows 512 {
    llama.dispatch @embed.prefill
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c1 = arith.constant 1 : index
    scf.for %l = %c0 to %c2 step %c1 {
      llama.barrier
      llama.dispatch @norm.prefill.0(%l)
      llama.barrier
      llama.dispatch @qkv.prefill(%l)
      llama.barrier
      llama.dispatch @attn.prefill(%l)
      llama.barrier
      llama.dispatch @o.prefill(%l)
      llama.barrier
      llama.dispatch @norm.prefill.1(%l)
      llama.barrier
      llama.dispatch @gate_up.prefill(%l)
      llama.barrier
      llama.dispatch @down.prefill(%l)
    }
  }

  llama.step @lm_head rows 1 {
    llama.dispatch @lm_head.lm_head
  }

  llama.step @lm_head.rows8 rows 8 {
    llama.dispatch @wanted.lm_head.rows8
    llama.barrier
    llama.dispatch @lm_head.lm_head.rows8
  }

  func.func private @embed.decode() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %ids = llama.input ids : tensor<1xi32>
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %x = llama.embed %ids, %w : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
    return
  }

  func.func private @qkv.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 32>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
    %pos = llama.input positions : tensor<1xi32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 4
    %q = llama.linear %h, %wq order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 6
    %k = llama.linear %h, %wk order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 8
    %v = llama.linear %h, %wv order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    llama.buffer_write %qr, @decode.qkv at 66688 : tensor<1x32xf32>
    return
  }

  func.func private @attn.decode(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.reads_cache, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
    %qkv = llama.buffer_read @decode.qkv at 66688 : tensor<1x32xf32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %pos = llama.input positions : tensor<1xi32>
    %p = llama.attention_part %qkv, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
    llama.buffer_write %p, @decode.attn at 65536 : tensor<1x2x?x18xf32>
    return
  }

  func.func private @o.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@attn_output], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %attn = llama.buffer_read @decode.attn at 65536 : tensor<1x2x?x18xf32>
    %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
    %a = llama.attention_merge %attn heads 2 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 10
    %o = llama.linear %a, %wo order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
    %x1 = llama.add %x, %o : tensor<1x32xf32>
    llama.buffer_write %x1, @decode.o at 66688 : tensor<1x32xf32>
    return
  }

  func.func private @gate_up.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %o = llama.buffer_read @decode.o at 66688 : tensor<1x32xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %h1 = llama.rms_norm %o, %g1 eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 14
    %g = llama.linear %h1, %wg order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 16
    %u = llama.linear %h1, %wu order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
    %s = llama.swiglu %g, %u : tensor<1x48xf32>
    llama.buffer_write %s, @decode.gate_up at 65536 : tensor<1x48xf32>
    return
  }

  func.func private @down.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@ffn_down], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %gate_up = llama.buffer_read @decode.gate_up at 65536 : tensor<1x48xf32>
    %o = llama.buffer_read @decode.o at 66688 : tensor<1x32xf32>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.interleaved16<k = 1> index 18
    %d = llama.linear %gate_up, %wd order <unit = #cpu.fma, block = 32> : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
    %x2 = llama.add %o, %d : tensor<1x32xf32>
    llama.buffer_write %x2, @x at 0 : tensor<1x32xf32>
    return
  }

  func.func private @embed.prefill() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %ids = llama.input ids : tensor<?xi32>
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %x = llama.embed %ids, %w : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<?x32xf32>
    return
  }

  func.func private @norm.prefill.0(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
    %g0 = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %h = llama.rms_norm %x, %g0 eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
    llama.buffer_write %h, @prefill.norm at 65536 : tensor<?x32xf32>
    return
  }

  func.func private @qkv.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 32>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %norm = llama.buffer_read @prefill.norm at 65536 : tensor<?x32xf32>
    %pos = llama.input positions : tensor<?xi32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %wq = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 4
    %q = llama.linear %norm, %wq order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
    %wk = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 6
    %k = llama.linear %norm, %wk order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %wv = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 8
    %v = llama.linear %norm, %wv order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %qr = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %kr, %v at %pos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    llama.buffer_write %qr, @prefill.qkv at 131072 : tensor<?x32xf32>
    return
  }

  func.func private @attn.prefill(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 8>, llama.reads_cache, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16, sums = 8>} {
    %qkv = llama.buffer_read @prefill.qkv at 131072 : tensor<?x32xf32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %pos = llama.input positions : tensor<?xi32>
    %a = llama.attention %qkv, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
    llama.buffer_write %a, @prefill.attn at 65536 : tensor<?x32xf32>
    return
  }

  func.func private @o.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@attn_output], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %attn = llama.buffer_read @prefill.attn at 65536 : tensor<?x32xf32>
    %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
    %wo = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 10
    %o = llama.linear %attn, %wo order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
    %x1 = llama.add %x, %o : tensor<?x32xf32>
    llama.buffer_write %x1, @prefill.o at 163840 : tensor<?x32xf32>
    return
  }

  func.func private @norm.prefill.1(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %o = llama.buffer_read @prefill.o at 163840 : tensor<?x32xf32>
    %g1 = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %h1 = llama.rms_norm %o, %g1 eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
    llama.buffer_write %h1, @prefill.norm.1 at 229376 : tensor<?x32xf32>
    return
  }

  func.func private @gate_up.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %norm = llama.buffer_read @prefill.norm.1 at 229376 : tensor<?x32xf32>
    %wg = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 14
    %g = llama.linear %norm, %wg order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
    %wu = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 16
    %u = llama.linear %norm, %wu order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
    %s = llama.swiglu %g, %u : tensor<?x48xf32>
    llama.buffer_write %s, @prefill.gate_up at 65536 : tensor<?x48xf32>
    return
  }

  func.func private @down.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@ffn_down], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %gate_up = llama.buffer_read @prefill.gate_up at 65536 : tensor<?x48xf32>
    %o = llama.buffer_read @prefill.o at 163840 : tensor<?x32xf32>
    %wd = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.interleaved16<k = 1> index 18
    %d = llama.linear %gate_up, %wd order <unit = #cpu.fma, block = 32> : tensor<?x48xf32>, <32x48, #llama.f16> -> tensor<?x32xf32>
    %x2 = llama.add %o, %d : tensor<?x32xf32>
    llama.buffer_write %x2, @x at 0 : tensor<?x32xf32>
    return
  }

  func.func private @lm_head.lm_head() attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.reads = [@token_embd], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %row = llama.input wanted : tensor<1xi32>
    %x = llama.buffer_read @x[%row : tensor<1xi32>] at 0 : tensor<1x32xf32>
    %g = llama.weight_ref @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
    %w = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
    llama.buffer_write %y, @logits at 65536 : tensor<1x64xf32>
    return
  }

  func.func private @wanted.lm_head.rows8() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 8 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %wanted = llama.input wanted : tensor<?xi32>
    %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x32xf32>
    llama.buffer_write %x, @lm_head.rows8.wanted at 67584 : tensor<?x32xf32>
    return
  }

  func.func private @lm_head.lm_head.rows8() attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.reads = [@token_embd], llama.rows = 8 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %x = llama.buffer_read @lm_head.rows8.wanted at 67584 : tensor<?x32xf32>
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %h = llama.rms_norm %x, %output_norm eps 1.000000e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %y = llama.linear %h, %token_embd order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
    llama.buffer_write %y, @logits at 65536 : tensor<?x64xf32>
    return
  }
}
