// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=tile -o /dev/null
// RUN: %opt %S/schedule.mlir --corellama-tile-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase tile: each kernel is a function (context, layer, begin, end) of loops
// over parts; tensors have ended. Made from schedule.mlir.
//
// Look at: @qkv.decode, where the norm is staged once and three groups of
// parts follow; @qkv.prefill, the same products with a panel of 16 decoded
// rows of the weight reused over tiles of 8 rows; @attn.decode and
// @attn.prefill, which treat a block of keys with the same ops, so that
// their bits agree; @o.decode, which merges the blocks left to right. The
// loop over k is inside tile.contract. This file is the same for all CPUs.

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
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    llama.dispatch @embed.decode
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
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    llama.dispatch @embed.prefill
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

  llama.rope_table head 16 base 1.000000e+04

  func.func private @embed.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c4 : index
      %i_1 = arith.addi %i, %c4 : index
      %i_2 = arith.minsi %i_1, %c1 : index
      scf.for %n = %i to %i_2 step %c1 {
        %token = tile.token %ctx[%n]
        scf.for %k = %c0 to %c32 step %c16 {
          %values = tile.decode %token_embd[%token, %k] : <64x32, #llama.q8_0> -> vector<1x16xf32>
          %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
          tile.store %values, %x[%n, %k] : vector<1x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @qkv.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 32>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c3 = arith.constant 3 : index
    %c2 = arith.constant 2 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %one = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_v = tile.weight %ctx @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 8
    %attn_k = tile.weight %ctx @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 6
    %attn_q = tile.weight %ctx @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 4
    %attn_norm = tile.weight %ctx @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
    %sum = tile.sum %x[%c0] order <lanes = 16> : memref<512x32xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %product = arith.mulf %a, %a : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one, %rms : vector<1xf32>
    %staged = tile.stage %x[%c0] rows(%quotient : vector<1xf32>) columns(%attn_norm : !llama.weight<32, #llama.f32>) : memref<512x32xf32> -> <1x32xf32> {
    ^bb0(%a_1: f32, %a_2: f32, %a_3: f32):
      %product_2 = arith.mulf %a_1, %a_2 : f32
      %product_3 = arith.mulf %product_2, %a_3 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c1 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %attn_q[%n] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> vector<1x16xf32>
        %cosine = tile.rope_row %ctx[%c0, %n] head 16 : vector<1x16xf32>
        %sine = tile.rope_row %ctx[%c0, %n] head 16 sine : vector<1x16xf32>
        %swapped = tile.swap_pairs %acc : vector<1x16xf32>
        %product_4 = arith.mulf %acc, %cosine : vector<1x16xf32>
        %fma = math.fma %swapped, %sine, %product_4 : vector<1x16xf32>
        %decode_qkv = tile.buffer %ctx @decode.qkv at 66688 : memref<1x32xf32>
        tile.store %fma, %decode_qkv[%c0, %n] : vector<1x16xf32>, memref<1x32xf32>
      }
    }
    %i_5 = arith.maxsi %first, %c1 : index
    %i_6 = arith.minsi %last, %c2 : index
    scf.for %part_1 = %i_5 to %i_6 step %c1 {
      %i_7 = arith.subi %part_1, %c1 : index
      %i_8 = arith.muli %i_7, %c32 : index
      %i_9 = arith.addi %i_8, %c32 : index
      %i_10 = arith.minsi %i_9, %c16 : index
      scf.for %n_1 = %i_8 to %i_10 step %c16 {
        %acc_1 = tile.contract %staged[%c0], %attn_k[%n_1] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
        %cosine_1 = tile.rope_row %ctx[%c0, %n_1] head 16 : vector<1x16xf32>
        %sine_1 = tile.rope_row %ctx[%c0, %n_1] head 16 sine : vector<1x16xf32>
        %swapped_1 = tile.swap_pairs %acc_1 : vector<1x16xf32>
        %product_5 = arith.mulf %acc_1, %cosine_1 : vector<1x16xf32>
        %fma_1 = math.fma %swapped_1, %sine_1, %product_5 : vector<1x16xf32>
        %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
        tile.append "keys" %fma_1, %kv, %ctx[%c0, %n_1] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
      }
    }
    %i_11 = arith.maxsi %first, %c2 : index
    %i_12 = arith.minsi %last, %c3 : index
    scf.for %part_2 = %i_11 to %i_12 step %c1 {
      %i_13 = arith.subi %part_2, %c2 : index
      %i_14 = arith.muli %i_13, %c32 : index
      %i_15 = arith.addi %i_14, %c32 : index
      %i_16 = arith.minsi %i_15, %c16 : index
      scf.for %n_2 = %i_14 to %i_16 step %c16 {
        %acc_2 = tile.contract %staged[%c0], %attn_v[%n_2] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
        %kv_1 = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
        tile.append "values" %acc_2, %kv_1, %ctx[%c0, %n_2] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
      }
    }
    return
  }

  func.func private @attn.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.reads_cache, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
    %c17 = arith.constant 17 : index
    %c18 = arith.constant 18 : index
    %zero = arith.constant dense<0.000000e+00> : vector<2x16xf32>
    %lowest = arith.constant dense<0xFF800000> : vector<2x16xf32>
    %c16 = arith.constant 16 : index
    %scale = arith.constant 2.500000e-01 : f32
    %c256 = arith.constant 256 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %decode_qkv = tile.buffer %ctx @decode.qkv at 66688 : memref<2x16xf32>
    %decode_attn = tile.buffer %ctx @decode.attn at 65536 : memref<2x144xf32>
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %scratch = tile.scratch : memref<2x256xf32>
    %pos = tile.position %ctx[%c0]
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c256 : index
      %staged = tile.stage %decode_qkv[%c0] : memref<2x16xf32> -> <2x16xf32> {
      ^bb0(%a: f32):
        %product = arith.mulf %a, %scale : f32
        tile.yield %product
      }
      %i_1 = arith.addi %pos, %c1 : index
      %i_2 = arith.subi %i_1, %i : index
      %i_3 = arith.minsi %i_2, %c256 : index
      %i_4 = arith.ceildivsi %i_3, %c16 : index
      %i_5 = arith.muli %i_4, %c16 : index
      %loop = scf.for %n = %c0 to %i_5 step %c16 iter_args(%carried = %lowest) -> (vector<2x16xf32>) {
        %i_6 = arith.addi %i, %n : index
        %scores = tile.score_keys %staged[%c0], %kv[%c0, %i_6] : <2x16xf32>, <2x1x16, f16> -> vector<2x16xf32>
        %mask = tile.causal_mask %i_6, %pos advance 0 : vector<2x16xi1>
        %chosen = arith.select %mask, %scores, %lowest : vector<2x16xi1>, vector<2x16xf32>
        tile.store %chosen, %scratch[%c0, %n] : vector<2x16xf32>, memref<2x256xf32>
        %greater = arith.cmpf ogt, %chosen, %carried : vector<2x16xf32>
        %chosen_1 = arith.select %greater, %chosen, %carried : vector<2x16xi1>, vector<2x16xf32>
        scf.yield %chosen_1 : vector<2x16xf32>
      }
      %max = tile.reduce_lanes "max" %loop : vector<2x16xf32> -> vector<2xf32>
      %spread = tile.broadcast_rows %max : vector<2xf32> -> vector<2x16xf32>
      %loop_1 = scf.for %n_1 = %c0 to %i_5 step %c16 iter_args(%carried_1 = %zero) -> (vector<2x16xf32>) {
        %loaded = tile.load %scratch[%c0, %n_1] : memref<2x256xf32> -> vector<2x16xf32>
        %less = arith.subf %loaded, %spread : vector<2x16xf32>
        %exp = math.exp %less : vector<2x16xf32>
        tile.store %exp, %scratch[%c0, %n_1] : vector<2x16xf32>, memref<2x256xf32>
        %added = arith.addf %carried_1, %exp : vector<2x16xf32>
        scf.yield %added : vector<2x16xf32>
      }
      %total = tile.reduce_lanes "add" %loop_1 : vector<2x16xf32> -> vector<2xf32>
      %i_7 = arith.subi %pos, %i : index
      %i_8 = arith.addi %i_7, %c1 : index
      %values = tile.sum_values %scratch, %kv[%c0, %i, %c0] count %i_8 advance 0 : memref<2x256xf32>, <2x1x16, f16> -> vector<2x16xf32>
      %i_9 = arith.muli %part, %c18 : index
      %i_10 = arith.addi %i_9, %c16 : index
      tile.store %values, %decode_attn[%c0, %i_9] : vector<2x16xf32>, memref<2x144xf32>
      %lane = vector.extract %max[0] : f32 from vector<2xf32>
      %lane_1 = vector.extract %total[0] : f32 from vector<2xf32>
      memref.store %lane, %decode_attn[%c0, %i_10] : memref<2x144xf32>
      %i_11 = arith.addi %i_9, %c17 : index
      memref.store %lane_1, %decode_attn[%c0, %i_11] : memref<2x144xf32>
      %lane_2 = vector.extract %max[1] : f32 from vector<2xf32>
      %lane_3 = vector.extract %total[1] : f32 from vector<2xf32>
      memref.store %lane_2, %decode_attn[%c1, %i_10] : memref<2x144xf32>
      memref.store %lane_3, %decode_attn[%c1, %i_11] : memref<2x144xf32>
    }
    return
  }

  func.func private @o.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@attn_output], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c17 = arith.constant 17 : index
    %c32 = arith.constant 32 : index
    %c16 = arith.constant 16 : index
    %c18 = arith.constant 18 : index
    %zero = arith.constant dense<0.000000e+00> : vector<1x16xf32>
    %zero_1 = arith.constant dense<0.000000e+00> : vector<1xf32>
    %lowest = arith.constant dense<0xFF800000> : vector<1xf32>
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c256 = arith.constant 256 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_output = tile.weight %ctx @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 10
    %decode_attn = tile.buffer %ctx @decode.attn at 65536 : memref<2x144xf32>
    %scratch = tile.scratch : memref<1x32xf32>
    %keys = tile.key_count %ctx
    %i = arith.ceildivsi %keys, %c256 : index
    scf.parallel (%part) = (%c0) to (%c2) step (%c1) {
      %loop:3 = scf.for %n = %c0 to %i step %c1 iter_args(%carried = %lowest, %carried_1 = %zero_1, %carried_2 = %zero) -> (vector<1xf32>, vector<1xf32>, vector<1x16xf32>) {
        %i_1 = arith.muli %n, %c18 : index
        %i_2 = arith.addi %i_1, %c16 : index
        %element = memref.load %decode_attn[%part, %i_2] : memref<2x144xf32>
        %lanes = vector.broadcast %element : f32 to vector<1xf32>
        %i_3 = arith.addi %i_1, %c17 : index
        %element_1 = memref.load %decode_attn[%part, %i_3] : memref<2x144xf32>
        %lanes_1 = vector.broadcast %element_1 : f32 to vector<1xf32>
        %loaded = tile.load %decode_attn[%part, %i_1] : memref<2x144xf32> -> vector<1x16xf32>
        %greater = arith.cmpf ogt, %lanes, %carried : vector<1xf32>
        %chosen = arith.select %greater, %lanes, %carried : vector<1xi1>, vector<1xf32>
        %less = arith.subf %carried, %chosen : vector<1xf32>
        %exp = math.exp %less : vector<1xf32>
        %less_1 = arith.subf %lanes, %chosen : vector<1xf32>
        %exp_1 = math.exp %less_1 : vector<1xf32>
        %product = arith.mulf %lanes_1, %exp_1 : vector<1xf32>
        %fma = math.fma %carried_1, %exp, %product : vector<1xf32>
        %spread = tile.broadcast_rows %exp : vector<1xf32> -> vector<1x16xf32>
        %spread_1 = tile.broadcast_rows %exp_1 : vector<1xf32> -> vector<1x16xf32>
        %product_1 = arith.mulf %loaded, %spread_1 : vector<1x16xf32>
        %fma_1 = math.fma %carried_2, %spread, %product_1 : vector<1x16xf32>
        scf.yield %chosen, %fma, %fma_1 : vector<1xf32>, vector<1xf32>, vector<1x16xf32>
      }
      %i_4 = arith.muli %part, %c16 : index
      %spread_2 = tile.broadcast_rows %loop#1 : vector<1xf32> -> vector<1x16xf32>
      %quotient = arith.divf %loop#2, %spread_2 : vector<1x16xf32>
      tile.store %quotient, %scratch[%c0, %i_4] : vector<1x16xf32>, memref<1x32xf32>
      scf.reduce
    }
    %staged = tile.stage %scratch[%c0] : memref<1x32xf32> -> <1x32xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    %first = arith.index_castui %begin : i32 to index
    %i_5 = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_6 = arith.minsi %last, %c1 : index
    scf.for %part_1 = %i_5 to %i_6 step %c1 {
      %i_7 = arith.muli %part_1, %c32 : index
      %i_8 = arith.addi %i_7, %c32 : index
      %i_9 = arith.minsi %i_8, %c32 : index
      scf.for %n_1 = %i_7 to %i_9 step %c16 {
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %loaded_1 = tile.load %x[%c0, %n_1] : memref<512x32xf32> -> vector<1x16xf32>
        %acc = tile.contract %staged[%c0], %attn_output[%n_1] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<32x32, #llama.q8_0> -> vector<1x16xf32>
        %added = arith.addf %loaded_1, %acc : vector<1x16xf32>
        %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
        tile.store %added, %decode_o[%c0, %n_1] : vector<1x16xf32>, memref<1x32xf32>
      }
    }
    return
  }

  func.func private @gate_up.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %one = arith.constant dense<1.000000e+00> : vector<1x16xf32>
    %c16 = arith.constant 16 : index
    %c48 = arith.constant 48 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %one_1 = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_up = tile.weight %ctx @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 16
    %ffn_gate = tile.weight %ctx @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 14
    %ffn_norm = tile.weight %ctx @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
    %sum = tile.sum %decode_o[%c0] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %product = arith.mulf %a, %a : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one_1, %rms : vector<1xf32>
    %staged = tile.stage %decode_o[%c0] rows(%quotient : vector<1xf32>) columns(%ffn_norm : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
    ^bb0(%a_1: f32, %a_2: f32, %a_3: f32):
      %product_2 = arith.mulf %a_1, %a_2 : f32
      %product_3 = arith.mulf %product_2, %a_3 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c2 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c48 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %ffn_gate[%n] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> vector<1x16xf32>
        %acc_1 = tile.contract %staged[%c0], %ffn_up[%n] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<48x32, #llama.q8_0> -> vector<1x16xf32>
        %negated = arith.negf %acc : vector<1x16xf32>
        %exp = math.exp %negated : vector<1x16xf32>
        %added_1 = arith.addf %exp, %one : vector<1x16xf32>
        %quotient_1 = arith.divf %acc, %added_1 : vector<1x16xf32>
        %product_4 = arith.mulf %quotient_1, %acc_1 : vector<1x16xf32>
        %decode_gate_up = tile.buffer %ctx @decode.gate_up at 65536 : memref<1x48xf32>
        tile.store %product_4, %decode_gate_up[%c0, %n] : vector<1x16xf32>, memref<1x48xf32>
      }
    }
    return
  }

  func.func private @down.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@ffn_down], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_down = tile.weight %ctx @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.interleaved16<k = 1> index 18
    %decode_gate_up_rows = tile.buffer_rows %ctx @decode.gate_up at 65536 : <1x48xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c1 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
        %loaded = tile.load %decode_o[%c0, %n] : memref<1x32xf32> -> vector<1x16xf32>
        %acc = tile.contract %decode_gate_up_rows[%c0], %ffn_down[%n] order <unit = #cpu.fma, block = 32> : <1x48xf32>, !llama.weight<32x48, #llama.f16> -> vector<1x16xf32>
        %added = arith.addf %loaded, %acc : vector<1x16xf32>
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        tile.store %added, %x[%c0, %n] : vector<1x16xf32>, memref<512x32xf32>
      }
    }
    return
  }

  func.func private @embed.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c4 : index
      %i_1 = arith.addi %i, %c4 : index
      %rows = tile.row_count %ctx
      %i_2 = arith.minsi %i_1, %rows : index
      scf.for %n = %i to %i_2 step %c1 {
        %token = tile.token %ctx[%n]
        scf.for %k = %c0 to %c32 step %c16 {
          %values = tile.decode %token_embd[%token, %k] : <64x32, #llama.q8_0> -> vector<1x16xf32>
          %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
          tile.store %values, %x[%n, %k] rows %rows : vector<1x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @norm.prefill.0(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_norm = tile.weight %ctx @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c4 : index
      %i_1 = arith.addi %i, %c4 : index
      %rows = tile.row_count %ctx
      %i_2 = arith.minsi %i_1, %rows : index
      scf.for %n = %i to %i_2 step %c1 {
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %sum = tile.sum %x[%n] order <lanes = 16> : memref<512x32xf32> -> vector<1xf32> {
        ^bb0(%a: f32):
          %product = arith.mulf %a, %a : f32
          tile.yield %product
        }
        %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
        %added = arith.addf %product_1, %eps : vector<1xf32>
        %rms = math.sqrt %added : vector<1xf32>
        %quotient = arith.divf %one, %rms : vector<1xf32>
        scf.for %k = %c0 to %c32 step %c16 {
          %loaded = tile.load %x[%n, %k] rows %rows : memref<512x32xf32> -> vector<1x16xf32>
          %spread = tile.broadcast_rows %quotient : vector<1xf32> -> vector<1x16xf32>
          %product_2 = arith.mulf %loaded, %spread : vector<1x16xf32>
          %gain = tile.column_values %attn_norm[%k] : <32, #llama.f32> -> vector<1x16xf32>
          %product_3 = arith.mulf %product_2, %gain : vector<1x16xf32>
          %prefill_norm = tile.buffer %ctx @prefill.norm at 65536 : memref<512x32xf32>
          tile.store %product_3, %prefill_norm[%n, %k] rows %rows : vector<1x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @qkv.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 32>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %c3 = arith.constant 3 : index
    %c2 = arith.constant 2 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_v = tile.weight %ctx @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 8
    %attn_k = tile.weight %ctx @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 6
    %attn_q = tile.weight %ctx @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 4
    %prefill_norm_rows = tile.buffer_rows %ctx @prefill.norm at 65536 : <512x32xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c1 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %panel = tile.panel %attn_q[%n] : <32x32, #llama.q4_0> -> <16x32, #llama.q4_0, #cpu.fma>
        %rows = tile.row_count %ctx
        scf.for %k = %c0 to %rows step %c8 {
          %acc = tile.contract %prefill_norm_rows[%k], %panel[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q4_0, #cpu.fma> -> vector<8x16xf32>
          %cosine = tile.rope_row %ctx[%k, %n] head 16 : vector<8x16xf32>
          %sine = tile.rope_row %ctx[%k, %n] head 16 sine : vector<8x16xf32>
          %swapped = tile.swap_pairs %acc : vector<8x16xf32>
          %product = arith.mulf %acc, %cosine : vector<8x16xf32>
          %fma = math.fma %swapped, %sine, %product : vector<8x16xf32>
          %prefill_qkv = tile.buffer %ctx @prefill.qkv at 131072 : memref<512x32xf32>
          tile.store %fma, %prefill_qkv[%k, %n] rows %rows : vector<8x16xf32>, memref<512x32xf32>
        }
      }
    }
    %i_5 = arith.maxsi %first, %c1 : index
    %i_6 = arith.minsi %last, %c2 : index
    scf.for %part_1 = %i_5 to %i_6 step %c1 {
      %i_7 = arith.subi %part_1, %c1 : index
      %i_8 = arith.muli %i_7, %c32 : index
      %i_9 = arith.addi %i_8, %c32 : index
      %i_10 = arith.minsi %i_9, %c16 : index
      scf.for %n_1 = %i_8 to %i_10 step %c16 {
        %panel_1 = tile.panel %attn_k[%n_1] : <16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
        %rows_1 = tile.row_count %ctx
        scf.for %k_1 = %c0 to %rows_1 step %c8 {
          %acc_1 = tile.contract %prefill_norm_rows[%k_1], %panel_1[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<8x16xf32>
          %cosine_1 = tile.rope_row %ctx[%k_1, %n_1] head 16 : vector<8x16xf32>
          %sine_1 = tile.rope_row %ctx[%k_1, %n_1] head 16 sine : vector<8x16xf32>
          %swapped_1 = tile.swap_pairs %acc_1 : vector<8x16xf32>
          %product_1 = arith.mulf %acc_1, %cosine_1 : vector<8x16xf32>
          %fma_1 = math.fma %swapped_1, %sine_1, %product_1 : vector<8x16xf32>
          %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
          tile.append "keys" %fma_1, %kv, %ctx[%k_1, %n_1] rows %rows_1 : vector<8x16xf32>, <2x1x16, f16>
        }
      }
    }
    %i_11 = arith.maxsi %first, %c2 : index
    %i_12 = arith.minsi %last, %c3 : index
    scf.for %part_2 = %i_11 to %i_12 step %c1 {
      %i_13 = arith.subi %part_2, %c2 : index
      %i_14 = arith.muli %i_13, %c32 : index
      %i_15 = arith.addi %i_14, %c32 : index
      %i_16 = arith.minsi %i_15, %c16 : index
      scf.for %n_2 = %i_14 to %i_16 step %c16 {
        %panel_2 = tile.panel %attn_v[%n_2] : <16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
        %rows_2 = tile.row_count %ctx
        scf.for %k_2 = %c0 to %rows_2 step %c8 {
          %acc_2 = tile.contract %prefill_norm_rows[%k_2], %panel_2[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<8x16xf32>
          %kv_1 = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
          tile.append "values" %acc_2, %kv_1, %ctx[%k_2, %n_2] rows %rows_2 : vector<8x16xf32>, <2x1x16, f16>
        }
      }
    }
    return
  }

  func.func private @attn.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 8>, llama.reads_cache, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16, sums = 8>} {
    %lowest = arith.constant dense<0xFF800000> : vector<8x16xf32>
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.000000e+00> : vector<8x16xf32>
    %zero_1 = arith.constant dense<0.000000e+00> : vector<8xf32>
    %lowest_1 = arith.constant dense<0xFF800000> : vector<8xf32>
    %scale = arith.constant 2.500000e-01 : f32
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %c256 = arith.constant 256 : index
    %c8 = arith.constant 8 : index
    %c1 = arith.constant 1 : index
    %prefill_qkv = tile.buffer %ctx @prefill.qkv at 131072 : memref<1024x16xf32>
    %prefill_attn = tile.buffer %ctx @prefill.attn at 65536 : memref<512x32xf32>
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %scratch = tile.scratch : memref<8x256xf32>
    %rows = tile.row_count %ctx
    %keys = tile.key_count %ctx
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c8 : index
      %pos = tile.position %ctx[%i]
      %i_1 = arith.addi %pos, %c8 : index
      %i_2 = arith.minsi %i_1, %keys : index
      %i_3 = arith.ceildivsi %i_2, %c256 : index
      scf.for %n = %c0 to %c2 step %c1 {
        %i_4 = arith.muli %part, %c16 : index
        %i_5 = arith.addi %i_4, %n : index
        %staged = tile.stage %prefill_qkv[%i_5] every 2 : memref<1024x16xf32> -> <8x16xf32> {
        ^bb0(%a: f32):
          %product = arith.mulf %a, %scale : f32
          tile.yield %product
        }
        %loop:3 = scf.for %k = %c0 to %i_3 step %c1 iter_args(%carried = %lowest_1, %carried_1 = %zero_1, %carried_2 = %zero) -> (vector<8xf32>, vector<8xf32>, vector<8x16xf32>) {
          %i_6 = arith.muli %k, %c256 : index
          %i_7 = arith.subi %i_2, %i_6 : index
          %i_8 = arith.minsi %i_7, %c256 : index
          %i_9 = arith.ceildivsi %i_8, %c16 : index
          %i_10 = arith.muli %i_9, %c16 : index
          %loop_1 = scf.for %j = %c0 to %i_10 step %c16 iter_args(%carried_3 = %lowest) -> (vector<8x16xf32>) {
            %i_11 = arith.addi %i_6, %j : index
            %scores = tile.score_keys %staged[%c0], %kv[%c0, %i_11] : <8x16xf32>, <2x1x16, f16> -> vector<8x16xf32>
            %mask = tile.causal_mask %i_11, %pos advance 1 : vector<8x16xi1>
            %chosen = arith.select %mask, %scores, %lowest : vector<8x16xi1>, vector<8x16xf32>
            tile.store %chosen, %scratch[%c0, %j] : vector<8x16xf32>, memref<8x256xf32>
            %greater = arith.cmpf ogt, %chosen, %carried_3 : vector<8x16xf32>
            %chosen_1 = arith.select %greater, %chosen, %carried_3 : vector<8x16xi1>, vector<8x16xf32>
            scf.yield %chosen_1 : vector<8x16xf32>
          }
          %max = tile.reduce_lanes "max" %loop_1 : vector<8x16xf32> -> vector<8xf32>
          %spread = tile.broadcast_rows %max : vector<8xf32> -> vector<8x16xf32>
          %loop_2 = scf.for %j_1 = %c0 to %i_10 step %c16 iter_args(%carried_4 = %zero) -> (vector<8x16xf32>) {
            %loaded = tile.load %scratch[%c0, %j_1] : memref<8x256xf32> -> vector<8x16xf32>
            %less = arith.subf %loaded, %spread : vector<8x16xf32>
            %exp = math.exp %less : vector<8x16xf32>
            tile.store %exp, %scratch[%c0, %j_1] : vector<8x16xf32>, memref<8x256xf32>
            %added = arith.addf %carried_4, %exp : vector<8x16xf32>
            scf.yield %added : vector<8x16xf32>
          }
          %total = tile.reduce_lanes "add" %loop_2 : vector<8x16xf32> -> vector<8xf32>
          %i_12 = arith.subi %pos, %i_6 : index
          %i_13 = arith.addi %i_12, %c1 : index
          %values = tile.sum_values %scratch, %kv[%c0, %i_6, %c0] count %i_13 advance 1 : memref<8x256xf32>, <2x1x16, f16> -> vector<8x16xf32>
          %greater_1 = arith.cmpf ogt, %max, %carried : vector<8xf32>
          %chosen_2 = arith.select %greater_1, %max, %carried : vector<8xi1>, vector<8xf32>
          %less_1 = arith.subf %carried, %chosen_2 : vector<8xf32>
          %exp_1 = math.exp %less_1 : vector<8xf32>
          %less_2 = arith.subf %max, %chosen_2 : vector<8xf32>
          %exp_2 = math.exp %less_2 : vector<8xf32>
          %product_1 = arith.mulf %total, %exp_2 : vector<8xf32>
          %fma = math.fma %carried_1, %exp_1, %product_1 : vector<8xf32>
          %spread_1 = tile.broadcast_rows %exp_1 : vector<8xf32> -> vector<8x16xf32>
          %spread_2 = tile.broadcast_rows %exp_2 : vector<8xf32> -> vector<8x16xf32>
          %product_2 = arith.mulf %values, %spread_2 : vector<8x16xf32>
          %fma_1 = math.fma %carried_2, %spread_1, %product_2 : vector<8x16xf32>
          %mask_1 = tile.causal_mask %i_6, %pos advance 1 : vector<8xi1>
          %chosen_3 = arith.select %mask_1, %chosen_2, %carried : vector<8xi1>, vector<8xf32>
          %chosen_4 = arith.select %mask_1, %fma, %carried_1 : vector<8xi1>, vector<8xf32>
          %spread_3 = tile.broadcast_rows %mask_1 : vector<8xi1> -> vector<8x16xi1>
          %chosen_5 = arith.select %spread_3, %fma_1, %carried_2 : vector<8x16xi1>, vector<8x16xf32>
          scf.yield %chosen_3, %chosen_4, %chosen_5 : vector<8xf32>, vector<8xf32>, vector<8x16xf32>
        }
        %i_14 = arith.muli %n, %c16 : index
        %spread_4 = tile.broadcast_rows %loop#1 : vector<8xf32> -> vector<8x16xf32>
        %quotient = arith.divf %loop#2, %spread_4 : vector<8x16xf32>
        tile.store %quotient, %prefill_attn[%i, %i_14] rows %rows : vector<8x16xf32>, memref<512x32xf32>
      }
    }
    return
  }

  func.func private @o.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@attn_output], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_output = tile.weight %ctx @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 10
    %prefill_attn_rows = tile.buffer_rows %ctx @prefill.attn at 65536 : <512x32xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c1 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %panel = tile.panel %attn_output[%n] : <32x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
        %rows = tile.row_count %ctx
        scf.for %k = %c0 to %rows step %c8 {
          %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
          %loaded = tile.load %x[%k, %n] rows %rows : memref<512x32xf32> -> vector<8x16xf32>
          %acc = tile.contract %prefill_attn_rows[%k], %panel[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<8x16xf32>
          %added = arith.addf %loaded, %acc : vector<8x16xf32>
          %prefill_o = tile.buffer %ctx @prefill.o at 163840 : memref<512x32xf32>
          tile.store %added, %prefill_o[%k, %n] rows %rows : vector<8x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @norm.prefill.1(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_norm = tile.weight %ctx @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c4 : index
      %i_1 = arith.addi %i, %c4 : index
      %rows = tile.row_count %ctx
      %i_2 = arith.minsi %i_1, %rows : index
      scf.for %n = %i to %i_2 step %c1 {
        %prefill_o = tile.buffer %ctx @prefill.o at 163840 : memref<512x32xf32>
        %sum = tile.sum %prefill_o[%n] order <lanes = 16> : memref<512x32xf32> -> vector<1xf32> {
        ^bb0(%a: f32):
          %product = arith.mulf %a, %a : f32
          tile.yield %product
        }
        %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
        %added = arith.addf %product_1, %eps : vector<1xf32>
        %rms = math.sqrt %added : vector<1xf32>
        %quotient = arith.divf %one, %rms : vector<1xf32>
        scf.for %k = %c0 to %c32 step %c16 {
          %loaded = tile.load %prefill_o[%n, %k] rows %rows : memref<512x32xf32> -> vector<1x16xf32>
          %spread = tile.broadcast_rows %quotient : vector<1xf32> -> vector<1x16xf32>
          %product_2 = arith.mulf %loaded, %spread : vector<1x16xf32>
          %gain = tile.column_values %ffn_norm[%k] : <32, #llama.f32> -> vector<1x16xf32>
          %product_3 = arith.mulf %product_2, %gain : vector<1x16xf32>
          %prefill_norm_1 = tile.buffer %ctx @prefill.norm.1 at 229376 : memref<512x32xf32>
          tile.store %product_3, %prefill_norm_1[%n, %k] rows %rows : vector<1x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @gate_up.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %one = arith.constant dense<1.000000e+00> : vector<8x16xf32>
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c48 = arith.constant 48 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_up = tile.weight %ctx @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 16
    %ffn_gate = tile.weight %ctx @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 14
    %prefill_norm_1_rows = tile.buffer_rows %ctx @prefill.norm.1 at 229376 : <512x32xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c2 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c48 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %panel = tile.panel %ffn_gate[%n] : <48x32, #llama.q4_0> -> <16x32, #llama.q4_0, #cpu.fma>
        %panel_1 = tile.panel %ffn_up[%n] : <48x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
        %rows = tile.row_count %ctx
        scf.for %k = %c0 to %rows step %c8 {
          %acc = tile.contract %prefill_norm_1_rows[%k], %panel[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q4_0, #cpu.fma> -> vector<8x16xf32>
          %acc_1 = tile.contract %prefill_norm_1_rows[%k], %panel_1[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <512x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<8x16xf32>
          %negated = arith.negf %acc : vector<8x16xf32>
          %exp = math.exp %negated : vector<8x16xf32>
          %added = arith.addf %exp, %one : vector<8x16xf32>
          %quotient = arith.divf %acc, %added : vector<8x16xf32>
          %product = arith.mulf %quotient, %acc_1 : vector<8x16xf32>
          %prefill_gate_up = tile.buffer %ctx @prefill.gate_up at 65536 : memref<512x48xf32>
          tile.store %product, %prefill_gate_up[%k, %n] rows %rows : vector<8x16xf32>, memref<512x48xf32>
        }
      }
    }
    return
  }

  func.func private @down.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.reads = [@blk::@ffn_down], llama.rows = 512 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_down = tile.weight %ctx @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.interleaved16<k = 1> index 18
    %prefill_gate_up_rows = tile.buffer_rows %ctx @prefill.gate_up at 65536 : <512x48xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c1 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %panel = tile.panel %ffn_down[%n] : <32x48, #llama.f16> -> <16x48, #llama.f16, #cpu.fma>
        %rows = tile.row_count %ctx
        scf.for %k = %c0 to %rows step %c8 {
          %prefill_o = tile.buffer %ctx @prefill.o at 163840 : memref<512x32xf32>
          %loaded = tile.load %prefill_o[%k, %n] rows %rows : memref<512x32xf32> -> vector<8x16xf32>
          %acc = tile.contract %prefill_gate_up_rows[%k], %panel[%c0] order <unit = #cpu.fma, block = 32> : <512x48xf32>, !tile.panel<16x48, #llama.f16, #cpu.fma> -> vector<8x16xf32>
          %added = arith.addf %loaded, %acc : vector<8x16xf32>
          %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
          tile.store %added, %x[%k, %n] rows %rows : vector<8x16xf32>, memref<512x32xf32>
        }
      }
    }
    return
  }

  func.func private @lm_head.lm_head(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.reads = [@token_embd], llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %one = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %output_norm = tile.weight %ctx @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
    %row = tile.wanted_row %ctx[%c0]
    %sum = tile.sum %x[%row] order <lanes = 16> : memref<512x32xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %product = arith.mulf %a, %a : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one, %rms : vector<1xf32>
    %staged = tile.stage %x[%row] rows(%quotient : vector<1xf32>) columns(%output_norm : !llama.weight<32, #llama.f32>) : memref<512x32xf32> -> <1x32xf32> {
    ^bb0(%a_1: f32, %a_2: f32, %a_3: f32):
      %product_2 = arith.mulf %a_1, %a_2 : f32
      %product_3 = arith.mulf %product_2, %a_3 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c2 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c32 : index
      %i_3 = arith.addi %i_2, %c32 : index
      %i_4 = arith.minsi %i_3, %c64 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %token_embd[%n] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<1x16xf32>
        %logits = tile.buffer %ctx @logits at 65536 : memref<8x64xf32>
        tile.store %acc, %logits[%c0, %n] : vector<1x16xf32>, memref<8x64xf32>
      }
    }
    return
  }

  func.func private @wanted.lm_head.rows8(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.rows = 8 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
    %c16 = arith.constant 16 : index
    %c32 = arith.constant 32 : index
    %c0 = arith.constant 0 : index
    %c4 = arith.constant 4 : index
    %c1 = arith.constant 1 : index
    %bound = arith.index_castui %begin : i32 to index
    %bound_1 = arith.index_castui %end : i32 to index
    scf.for %arg4 = %bound to %bound_1 step %c1 {
      %i = arith.muli %arg4, %c4 : index
      %i_1 = arith.addi %i, %c4 : index
      %count = tile.row_count %ctx
      %i_2 = arith.minsi %i_1, %count : index
      scf.for %arg5 = %i to %i_2 step %c1 {
        scf.for %arg6 = %c0 to %c32 step %c16 {
          %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
          %row = tile.wanted_row %ctx[%arg5]
          %values = tile.load %x[%row, %arg6] : memref<512x32xf32> -> vector<1x16xf32>
          %wanted = tile.buffer %ctx @lm_head.rows8.wanted at 67584 : memref<8x32xf32>
          tile.store %values, %wanted[%arg5, %arg6] rows %count : vector<1x16xf32>, memref<8x32xf32>
        }
      }
    }
    return
  }

  func.func private @lm_head.lm_head.rows8(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.reads = [@token_embd], llama.rows = 8 : i64, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
    %c16 = arith.constant 16 : index
    %c64 = arith.constant 64 : index
    %c32 = arith.constant 32 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %cst = arith.constant dense<1.000000e+00> : vector<8xf32>
    %cst_0 = arith.constant dense<9.99999974E-6> : vector<8xf32>
    %cst_1 = arith.constant dense<3.125000e-02> : vector<8xf32>
    %c0 = arith.constant 0 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %output_norm = tile.weight %ctx @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %wanted = tile.buffer %ctx @lm_head.rows8.wanted at 67584 : memref<8x32xf32>
    %sum = tile.sum %wanted[%c0] order <lanes = 16> : memref<8x32xf32> -> vector<8xf32> {
    ^bb0(%arg4: f32):
      %13 = arith.mulf %arg4, %arg4 : f32
      tile.yield %13
    }
    %product = arith.mulf %sum, %cst_1 : vector<8xf32>
    %added = arith.addf %product, %cst_0 : vector<8xf32>
    %rms = math.sqrt %added : vector<8xf32>
    %quotient = arith.divf %cst, %rms : vector<8xf32>
    %staged = tile.stage %wanted[%c0] rows(%quotient : vector<8xf32>) columns(%output_norm : !llama.weight<32, #llama.f32>) : memref<8x32xf32> -> <8x32xf32> {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %13 = arith.mulf %arg4, %arg5 : f32
      %14 = arith.mulf %13, %arg6 : f32
      tile.yield %14
    }
    %bound = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %bound, %c0 : index
    %bound_1 = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %bound_1, %c2 : index
    scf.for %arg4 = %i to %i_1 step %c1 {
      %13 = arith.muli %arg4, %c32 : index
      %14 = arith.addi %13, %c32 : index
      %i_2 = arith.minsi %14, %c64 : index
      scf.for %arg5 = %13 to %i_2 step %c16 {
        %acc = tile.contract %staged[%c0], %token_embd[%arg5] order <unit = #cpu.fma, block = 32, scale = outer> : <8x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<8x16xf32>
        %logits = tile.buffer %ctx @logits at 65536 : memref<8x64xf32>
        %count = tile.row_count %ctx
        tile.store %acc, %logits[%c0, %arg5] rows %count : vector<8x16xf32>, memref<8x64xf32>
      }
    }
    return
  }
}
