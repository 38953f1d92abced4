// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=schedule -o /dev/null
// RUN: %opt %S/cuda_plan.mlir --corellama-schedule-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase schedule for a GPU. Made from cuda_plan.mlir.
//
// Look at: steps, buffers and barriers are those of schedule.mlir, and @merge.decode's; a
// dispatch will be a launch, and llama.partition its grid. Buffers of prefill that products
// read hold f16.
module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 2, context_length = 2048>, llama.target = #cuda.target<name = "cuda:sm_80", features = "+ptx80">} {
  llama.weight @token_embd : 64x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
  llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @attn_q : 32x32 formats [#llama.q4_0] in [#llama.rowmajor_split]
    llama.weight @attn_k : 16x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
    llama.weight @attn_v : 16x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
    llama.weight @attn_output : 32x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
    llama.weight @ffn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @ffn_gate : 48x32 formats [#llama.q4_0] in [#llama.rowmajor_split]
    llama.weight @ffn_up : 48x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
    llama.weight @ffn_down : 32x48 formats [#llama.f16] in [#llama.rowmajor_split]
  }
  llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  llama.model @m steps [@decode, @prefill] lm_heads [@lm_head, @lm_head.rows8]
  llama.buffer @x : tensor<512x32xf32> at 0
  llama.buffer @decode.qkv : tensor<1x32xf32> at 70144
  llama.buffer @decode.attn : tensor<1x2x32x18xf32> at 65536
  llama.buffer @decode.merge : tensor<1x32xf32> at 70144
  llama.buffer @decode.o : tensor<1x32xf32> at 65728
  llama.buffer @decode.gate_up : tensor<1x48xf32> at 65536
  llama.buffer @prefill.norm : tensor<512x32xf16> at 131072
  llama.buffer @prefill.qkv : tensor<512x32xf32> at 65536
  llama.buffer @prefill.attn : tensor<512x32xf16> at 131072
  llama.buffer @prefill.o : tensor<512x32xf32> at 65536
  llama.buffer @prefill.norm.1 : tensor<512x32xf16> at 180224
  llama.buffer @prefill.gate_up : tensor<512x48xf16> at 131072
  llama.buffer @logits : tensor<8x64xf32> at 65536
  llama.buffer @lm_head.rows8.wanted : tensor<8x32xf32> at 65536
  llama.buffer @lm_head.rows8.norm : tensor<8x32xf32> at 67584

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
      llama.dispatch @merge.decode
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
    llama.dispatch @norm.lm_head.rows8
    llama.barrier
    llama.dispatch @lm_head.lm_head.rows8
  }

  func.func private @embed.decode() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %ids = llama.input ids : tensor<1xi32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %x = llama.embed %ids, %token_embd : tensor<1xi32>, <64x32, #llama.q8_0> -> tensor<1x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
    return
  }

  func.func private @qkv.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 16>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
    %pos = llama.input positions : tensor<1xi32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %attn_norm = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %h = llama.rms_norm %x, %attn_norm eps 1.0e-05 order <lanes = 256> : tensor<1x32xf32>, <32, #llama.f32>
    %attn_q = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.rowmajor_split index 4
    %q = llama.linear %h, %attn_q order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
    %attn_k = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 6
    %k = llama.linear %h, %attn_k order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %attn_v = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 8
    %v = llama.linear %h, %attn_v order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
    %turned = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
    %turned_1 = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<1x16xf32>, tensor<1xi32>
    llama.kv_append %kv[%l], %turned_1, %v at %pos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    llama.buffer_write %turned, @decode.qkv at 70144 : tensor<1x32xf32>
    return
  }

  func.func private @attn.decode(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 64>, llama.reads_cache, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 2, n = 128>} {
    %decode_qkv = llama.buffer_read @decode.qkv at 70144 : tensor<1x32xf32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %pos = llama.input positions : tensor<1xi32>
    %parts = llama.attention_part %decode_qkv, %kv[%l], %pos causal heads 2 keys 64 order <block = 8, lanes = 128> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
    llama.buffer_write %parts, @decode.attn at 65536 : tensor<1x2x?x18xf32>
    return
  }

  func.func private @merge.decode() attributes {llama.partition = #llama.partition<of = rows, by = 1, times = 2>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
    %decode_attn = llama.buffer_read @decode.attn at 65536 : tensor<1x2x?x18xf32>
    %merged = llama.attention_merge %decode_attn heads 2 keys 64 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
    llama.buffer_write %merged, @decode.merge at 70144 : tensor<1x32xf32>
    return
  }

  func.func private @o.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@attn_output], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %decode_merge = llama.buffer_read @decode.merge at 70144 : tensor<1x32xf32>
    %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
    %attn_output = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 10
    %o = llama.linear %decode_merge, %attn_output order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<1x32xf32>, <32x32, #llama.q8_0> -> tensor<1x32xf32>
    %x_1 = llama.add %x, %o : tensor<1x32xf32>
    llama.buffer_write %x_1, @decode.o at 65728 : tensor<1x32xf32>
    return
  }

  func.func private @gate_up.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [48], by = 16>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %decode_o = llama.buffer_read @decode.o at 65728 : tensor<1x32xf32>
    %ffn_norm = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %h = llama.rms_norm %decode_o, %ffn_norm eps 1.0e-05 order <lanes = 256> : tensor<1x32xf32>, <32, #llama.f32>
    %ffn_gate = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.rowmajor_split index 14
    %gate = llama.linear %h, %ffn_gate order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
    %ffn_up = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.rowmajor_split index 16
    %up = llama.linear %h, %ffn_up order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
    %s = llama.swiglu %gate, %up : tensor<1x48xf32>
    llama.buffer_write %s, @decode.gate_up at 65536 : tensor<1x48xf32>
    return
  }

  func.func private @down.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@ffn_down], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %decode_gate_up = llama.buffer_read @decode.gate_up at 65536 : tensor<1x48xf32>
    %decode_o = llama.buffer_read @decode.o at 65728 : tensor<1x32xf32>
    %ffn_down = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.rowmajor_split index 18
    %down = llama.linear %decode_gate_up, %ffn_down order <unit = #cuda.simt, block = 8, lanes = 32> : tensor<1x48xf32>, <32x48, #llama.f16> -> tensor<1x32xf32>
    %x = llama.add %decode_o, %down : tensor<1x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<1x32xf32>
    return
  }

  func.func private @embed.prefill() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %ids = llama.input ids : tensor<?xi32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %x = llama.embed %ids, %token_embd : tensor<?xi32>, <64x32, #llama.q8_0> -> tensor<?x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<?x32xf32>
    return
  }

  func.func private @norm.prefill.0(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
    %attn_norm = llama.weight_ref @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %h = llama.rms_norm %x, %attn_norm eps 1.0e-05 order <lanes = 256> : tensor<?x32xf32>, <32, #llama.f32>
    %rounded = llama.quantize %h : tensor<?x32xf32> to tensor<?x32xf16>
    llama.buffer_write %rounded, @prefill.norm at 131072 : tensor<?x32xf16>
    return
  }

  func.func private @qkv.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 64, rows_by = 64>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %prefill_norm = llama.buffer_read @prefill.norm at 131072 : tensor<?x32xf16>
    %pos = llama.input positions : tensor<?xi32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %attn_q = llama.weight_ref @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.rowmajor_split index 4
    %q = llama.linear %prefill_norm, %attn_q order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <32x32, #llama.q4_0> -> tensor<?x32xf32>
    %attn_k = llama.weight_ref @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 6
    %k = llama.linear %prefill_norm, %attn_k order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %attn_v = llama.weight_ref @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 8
    %v = llama.linear %prefill_norm, %attn_v order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
    %turned = llama.rope %q, %pos base 1.0e+04 heads 2 : tensor<?x32xf32>, tensor<?xi32>
    %turned_1 = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x16xf32>, tensor<?xi32>
    llama.kv_append %kv[%l], %turned_1, %v at %pos : <2x1x16, f16>, tensor<?x16xf32>, tensor<?x16xf32>, tensor<?xi32>
    llama.buffer_write %turned, @prefill.qkv at 65536 : tensor<?x32xf32>
    return
  }

  func.func private @attn.prefill(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.reads_cache, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
    %prefill_qkv = llama.buffer_read @prefill.qkv at 65536 : tensor<?x32xf32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %pos = llama.input positions : tensor<?xi32>
    %a = llama.attention %prefill_qkv, %kv[%l], %pos causal heads 2 keys 64 order <block = 8, lanes = 128> : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
    %rounded = llama.quantize %a : tensor<?x32xf32> to tensor<?x32xf16>
    llama.buffer_write %rounded, @prefill.attn at 131072 : tensor<?x32xf16>
    return
  }

  func.func private @o.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 64, rows_by = 64>, llama.reads = [@blk::@attn_output], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %prefill_attn = llama.buffer_read @prefill.attn at 131072 : tensor<?x32xf16>
    %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
    %attn_output = llama.weight_ref @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 10
    %o = llama.linear %prefill_attn, %attn_output order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
    %x_1 = llama.add %x, %o : tensor<?x32xf32>
    llama.buffer_write %x_1, @prefill.o at 65536 : tensor<?x32xf32>
    return
  }

  func.func private @norm.prefill.1(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %prefill_o = llama.buffer_read @prefill.o at 65536 : tensor<?x32xf32>
    %ffn_norm = llama.weight_ref @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %h = llama.rms_norm %prefill_o, %ffn_norm eps 1.0e-05 order <lanes = 256> : tensor<?x32xf32>, <32, #llama.f32>
    %rounded = llama.quantize %h : tensor<?x32xf32> to tensor<?x32xf16>
    llama.buffer_write %rounded, @prefill.norm.1 at 180224 : tensor<?x32xf16>
    return
  }

  func.func private @gate_up.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [48], by = 64, rows_by = 64>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %prefill_norm_1 = llama.buffer_read @prefill.norm.1 at 180224 : tensor<?x32xf16>
    %ffn_gate = llama.weight_ref @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.rowmajor_split index 14
    %gate = llama.linear %prefill_norm_1, %ffn_gate order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <48x32, #llama.q4_0> -> tensor<?x48xf32>
    %ffn_up = llama.weight_ref @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.rowmajor_split index 16
    %up = llama.linear %prefill_norm_1, %ffn_up order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <48x32, #llama.q8_0> -> tensor<?x48xf32>
    %s = llama.swiglu %gate, %up : tensor<?x48xf32>
    %rounded = llama.quantize %s : tensor<?x48xf32> to tensor<?x48xf16>
    llama.buffer_write %rounded, @prefill.gate_up at 131072 : tensor<?x48xf16>
    return
  }

  func.func private @down.prefill(%l: index) attributes {llama.partition = #llama.partition<rows = [32], by = 64, rows_by = 64>, llama.reads = [@blk::@ffn_down], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %prefill_gate_up = llama.buffer_read @prefill.gate_up at 131072 : tensor<?x48xf16>
    %prefill_o = llama.buffer_read @prefill.o at 65536 : tensor<?x32xf32>
    %ffn_down = llama.weight_ref @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.rowmajor_split index 18
    %down = llama.linear %prefill_gate_up, %ffn_down order <unit = #cuda.mma, block = 32> : tensor<?x48xf16>, <32x48, #llama.f16> -> tensor<?x32xf32>
    %x = llama.add %prefill_o, %down : tensor<?x32xf32>
    llama.buffer_write %x, @x at 0 : tensor<?x32xf32>
    return
  }

  func.func private @lm_head.lm_head() attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.reads = [@token_embd], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %row = llama.input wanted : tensor<1xi32>
    %x = llama.buffer_read @x[%row : tensor<1xi32>] at 0 : tensor<1x32xf32>
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %h = llama.rms_norm %x, %output_norm eps 1.0e-05 order <lanes = 256> : tensor<1x32xf32>, <32, #llama.f32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %logits = llama.linear %h, %token_embd order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
    llama.buffer_write %logits, @logits at 65536 : tensor<1x64xf32>
    return
  }

  func.func private @wanted.lm_head.rows8() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %wanted = llama.input wanted : tensor<?xi32>
    %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x32xf32>
    llama.buffer_write %x, @lm_head.rows8.wanted at 65536 : tensor<?x32xf32>
    return
  }

  func.func private @norm.lm_head.rows8() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %x = llama.buffer_read @lm_head.rows8.wanted at 65536 : tensor<?x32xf32>
    %output_norm = llama.weight_ref @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %h = llama.rms_norm %x, %output_norm eps 1.0e-05 order <lanes = 256> : tensor<?x32xf32>, <32, #llama.f32>
    llama.buffer_write %h, @lm_head.rows8.norm at 67584 : tensor<?x32xf32>
    return
  }

  func.func private @lm_head.lm_head.rows8() attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.reads = [@token_embd], llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %x = llama.buffer_read @lm_head.rows8.norm at 67584 : tensor<?x32xf32>
    %token_embd = llama.weight_ref @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %y = llama.linear %x, %token_embd order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
    llama.buffer_write %y, @logits at 65536 : tensor<?x64xf32>
    return
  }
}
