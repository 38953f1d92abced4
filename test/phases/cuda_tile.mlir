// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=tile -o /dev/null
// RUN: %opt %S/cuda_schedule.mlir --corellama-tile-pipeline -o %t.got
// RUN: %opt %s -o %t.want
// RUN: %python %S/compare.py %t.got %t.want

// Phase tile for a GPU: the ops of tile.mlir, and one more loop. Made from
// cuda_schedule.mlir.
//
// Look at: a block computes parts begin to end, its own number and the next.
// @qkv.decode is a CPU's text but for partition, layouts and orders: how a warp reads
// along k and adds its lanes is inside tile.contract. @qkv.prefill has no panel, and
// parts of one tile: those of a piece of a weight follow each other.
// In @attn.decode a tile of keys is as wide as a block has threads. The heads that
// @o.decode merges are an scf.parallel: one warp each. Norms of prefill round what
// they store; in products of prefill the tile is 64 by 64, the rows are f16, and the
// epilogue is the same arithmetic on vectors, which a GPU spreads as fragments.
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
  llama.buffer @decode.qkv : tensor<1x32xf32> at 66688
  llama.buffer @decode.attn : tensor<1x2x8x18xf32> at 65536
  llama.buffer @decode.o : tensor<1x32xf32> at 66688
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
    llama.dispatch @norm.lm_head.rows8
    llama.barrier
    llama.dispatch @lm_head.lm_head.rows8
  }

  llama.rope_table head 16 base 1.0e+04

  func.func private @embed.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.addi %part, %c1 : index
      %i_1 = arith.minsi %i, %c1 : index
      scf.for %n = %part to %i_1 step %c1 {
        %token = tile.token %ctx[%n]
        %values = tile.decode %token_embd[%token, %c0] : <64x32, #llama.q8_0> -> vector<1x256xf32>
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        tile.store %values, %x[%n, %c0] : vector<1x256xf32>, memref<512x32xf32>
      }
    }
    return
  }

  func.func private @qkv.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 16>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c4 = arith.constant 4 : index
    %c3 = arith.constant 3 : index
    %c32 = arith.constant 32 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %one = arith.constant dense<1.0e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_v = tile.weight %ctx @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 8
    %attn_k = tile.weight %ctx @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 6
    %attn_q = tile.weight %ctx @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.rowmajor_split index 4
    %attn_norm = tile.weight %ctx @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
    %sum = tile.sum %x[%c0] order <lanes = 256> : memref<512x32xf32> -> vector<1xf32> {
    ^bb0(%arg4: f32):
      %product = arith.mulf %arg4, %arg4 : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one, %rms : vector<1xf32>
    %staged = tile.stage %x[%c0] rows(%quotient : vector<1xf32>) columns(%attn_norm : !llama.weight<32, #llama.f32>) : memref<512x32xf32> -> <1x32xf32> {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %product_2 = arith.mulf %arg4, %arg5 : f32
      %product_3 = arith.mulf %product_2, %arg6 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c2 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c16 : index
      %i_3 = arith.addi %i_2, %c16 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %attn_q[%n] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> vector<1x16xf32>
        %cosine = tile.rope_row %ctx[%c0, %n] head 16 : vector<1x16xf32>
        %sine = tile.rope_row %ctx[%c0, %n] head 16 sine : vector<1x16xf32>
        %swapped = tile.swap_pairs %acc : vector<1x16xf32>
        %product_4 = arith.mulf %acc, %cosine : vector<1x16xf32>
        %fma = math.fma %swapped, %sine, %product_4 : vector<1x16xf32>
        %decode_qkv = tile.buffer %ctx @decode.qkv at 66688 : memref<1x32xf32>
        tile.store %fma, %decode_qkv[%c0, %n] : vector<1x16xf32>, memref<1x32xf32>
      }
    }
    %i_5 = arith.maxsi %first, %c2 : index
    %i_6 = arith.minsi %last, %c3 : index
    scf.for %part_1 = %i_5 to %i_6 step %c1 {
      %i_7 = arith.subi %part_1, %c2 : index
      %i_8 = arith.muli %i_7, %c16 : index
      %i_9 = arith.addi %i_8, %c16 : index
      %i_10 = arith.minsi %i_9, %c16 : index
      scf.for %n_1 = %i_8 to %i_10 step %c16 {
        %acc_1 = tile.contract %staged[%c0], %attn_k[%n_1] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
        %cosine_1 = tile.rope_row %ctx[%c0, %n_1] head 16 : vector<1x16xf32>
        %sine_1 = tile.rope_row %ctx[%c0, %n_1] head 16 sine : vector<1x16xf32>
        %swapped_1 = tile.swap_pairs %acc_1 : vector<1x16xf32>
        %product_5 = arith.mulf %acc_1, %cosine_1 : vector<1x16xf32>
        %fma_1 = math.fma %swapped_1, %sine_1, %product_5 : vector<1x16xf32>
        %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
        tile.append "keys" %fma_1, %kv, %ctx[%c0, %n_1] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
      }
    }
    %i_11 = arith.maxsi %first, %c3 : index
    %i_12 = arith.minsi %last, %c4 : index
    scf.for %part_2 = %i_11 to %i_12 step %c1 {
      %i_13 = arith.subi %part_2, %c3 : index
      %i_14 = arith.muli %i_13, %c16 : index
      %i_15 = arith.addi %i_14, %c16 : index
      %i_16 = arith.minsi %i_15, %c16 : index
      scf.for %n_2 = %i_14 to %i_16 step %c16 {
        %acc_2 = tile.contract %staged[%c0], %attn_v[%n_2] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
        %kv_1 = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
        tile.append "values" %acc_2, %kv_1, %ctx[%c0, %n_2] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
      }
    }
    return
  }

  func.func private @attn.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.reads_cache, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 2, n = 128>} {
    %c17 = arith.constant 17 : index
    %c16 = arith.constant 16 : index
    %c18 = arith.constant 18 : index
    %zero = arith.constant dense<0.0e+00> : vector<2x128xf32>
    %lowest = arith.constant dense<0xFF800000> : vector<2x128xf32>
    %c128 = arith.constant 128 : index
    %scale = arith.constant 2.500000e-01 : f32
    %c256 = arith.constant 256 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %decode_qkv = tile.buffer %ctx @decode.qkv at 66688 : memref<2x16xf32>
    %decode_attn = tile.buffer %ctx @decode.attn at 65536 : memref<2x144xf32>
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    %scratch = tile.scratch : memref<2x256xf32>
    %pos = tile.position %ctx[%c0]
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.muli %part, %c256 : index
      %staged = tile.stage %decode_qkv[%c0] : memref<2x16xf32> -> <2x16xf32> {
      ^bb0(%arg5: f32):
        %product = arith.mulf %arg5, %scale : f32
        tile.yield %product
      }
      %i_1 = arith.addi %pos, %c1 : index
      %i_2 = arith.subi %i_1, %i : index
      %i_3 = arith.minsi %i_2, %c256 : index
      %i_4 = arith.ceildivsi %i_3, %c128 : index
      %i_5 = arith.muli %i_4, %c128 : index
      %loop = scf.for %n = %c0 to %i_5 step %c128 iter_args(%carried = %lowest) -> (vector<2x128xf32>) {
        %i_6 = arith.addi %i, %n : index
        %scores = tile.score_keys %staged[%c0], %kv[%c0, %i_6] : <2x16xf32>, <2x1x16, f16> -> vector<2x128xf32>
        %mask = tile.causal_mask %i_6, %pos advance 0 : vector<2x128xi1>
        %chosen = arith.select %mask, %scores, %lowest : vector<2x128xi1>, vector<2x128xf32>
        tile.store %chosen, %scratch[%c0, %n] : vector<2x128xf32>, memref<2x256xf32>
        %greater = arith.cmpf ogt, %chosen, %carried : vector<2x128xf32>
        %chosen_1 = arith.select %greater, %chosen, %carried : vector<2x128xi1>, vector<2x128xf32>
        scf.yield %chosen_1 : vector<2x128xf32>
      }
      %lanes = tile.reduce_lanes "max" %loop : vector<2x128xf32> -> vector<2xf32>
      %spread = tile.broadcast_rows %lanes : vector<2xf32> -> vector<2x128xf32>
      %loop_1 = scf.for %n_1 = %c0 to %i_5 step %c128 iter_args(%carried_1 = %zero) -> (vector<2x128xf32>) {
        %loaded = tile.load %scratch[%c0, %n_1] : memref<2x256xf32> -> vector<2x128xf32>
        %less = arith.subf %loaded, %spread : vector<2x128xf32>
        %exp = math.exp %less : vector<2x128xf32>
        tile.store %exp, %scratch[%c0, %n_1] : vector<2x128xf32>, memref<2x256xf32>
        %added = arith.addf %carried_1, %exp : vector<2x128xf32>
        scf.yield %added : vector<2x128xf32>
      }
      %lanes_1 = tile.reduce_lanes "add" %loop_1 : vector<2x128xf32> -> vector<2xf32>
      %i_7 = arith.subi %pos, %i : index
      %i_8 = arith.addi %i_7, %c1 : index
      %values = tile.sum_values %scratch, %kv[%c0, %i, %c0] count %i_8 advance 0 : memref<2x256xf32>, <2x1x16, f16> -> vector<2x16xf32>
      %i_9 = arith.muli %part, %c18 : index
      %i_10 = arith.addi %i_9, %c16 : index
      tile.store %values, %decode_attn[%c0, %i_9] : vector<2x16xf32>, memref<2x144xf32>
      %lane = vector.extract %lanes[0] : f32 from vector<2xf32>
      %lane_1 = vector.extract %lanes_1[0] : f32 from vector<2xf32>
      memref.store %lane, %decode_attn[%c0, %i_10] : memref<2x144xf32>
      %i_11 = arith.addi %i_9, %c17 : index
      memref.store %lane_1, %decode_attn[%c0, %i_11] : memref<2x144xf32>
      %lane_2 = vector.extract %lanes[1] : f32 from vector<2xf32>
      %lane_3 = vector.extract %lanes_1[1] : f32 from vector<2xf32>
      memref.store %lane_2, %decode_attn[%c1, %i_10] : memref<2x144xf32>
      memref.store %lane_3, %decode_attn[%c1, %i_11] : memref<2x144xf32>
    }
    return
  }

  func.func private @o.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@attn_output], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c17 = arith.constant 17 : index
    %c32 = arith.constant 32 : index
    %c16 = arith.constant 16 : index
    %c18 = arith.constant 18 : index
    %zero = arith.constant dense<0.0e+00> : vector<1x16xf32>
    %zero_1 = arith.constant dense<0.0e+00> : vector<1xf32>
    %lowest = arith.constant dense<0xFF800000> : vector<1xf32>
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c256 = arith.constant 256 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_output = tile.weight %ctx @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 10
    %decode_attn = tile.buffer %ctx @decode.attn at 65536 : memref<2x144xf32>
    %scratch = tile.scratch : memref<1x32xf32>
    %keys = tile.key_count %ctx
    %i = arith.ceildivsi %keys, %c256 : index
    scf.parallel (%arg4) = (%c0) to (%c2) step (%c1) {
      %loop:3 = scf.for %n = %c0 to %i step %c1 iter_args(%carried = %lowest, %carried_1 = %zero_1, %carried_2 = %zero) -> (vector<1xf32>, vector<1xf32>, vector<1x16xf32>) {
        %i_1 = arith.muli %n, %c18 : index
        %i_2 = arith.addi %i_1, %c16 : index
        %element = memref.load %decode_attn[%arg4, %i_2] : memref<2x144xf32>
        %lanes = vector.broadcast %element : f32 to vector<1xf32>
        %i_3 = arith.addi %i_1, %c17 : index
        %element_1 = memref.load %decode_attn[%arg4, %i_3] : memref<2x144xf32>
        %lanes_1 = vector.broadcast %element_1 : f32 to vector<1xf32>
        %loaded = tile.load %decode_attn[%arg4, %i_1] : memref<2x144xf32> -> vector<1x16xf32>
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
      %i_4 = arith.muli %arg4, %c16 : index
      %spread_2 = tile.broadcast_rows %loop#1 : vector<1xf32> -> vector<1x16xf32>
      %quotient = arith.divf %loop#2, %spread_2 : vector<1x16xf32>
      tile.store %quotient, %scratch[%c0, %i_4] : vector<1x16xf32>, memref<1x32xf32>
      scf.reduce 
    }
    %staged = tile.stage %scratch[%c0] : memref<1x32xf32> -> <1x32xf32> {
    ^bb0(%arg4: f32):
      tile.yield %arg4
    }
    %first = arith.index_castui %begin : i32 to index
    %i_5 = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_6 = arith.minsi %last, %c2 : index
    scf.for %part_1 = %i_5 to %i_6 step %c1 {
      %i_7 = arith.muli %part_1, %c16 : index
      %i_8 = arith.addi %i_7, %c16 : index
      %i_9 = arith.minsi %i_8, %c32 : index
      scf.for %n_1 = %i_7 to %i_9 step %c16 {
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %loaded_1 = tile.load %x[%c0, %n_1] : memref<512x32xf32> -> vector<1x16xf32>
        %acc = tile.contract %staged[%c0], %attn_output[%n_1] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q8_0> -> vector<1x16xf32>
        %added = arith.addf %loaded_1, %acc : vector<1x16xf32>
        %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
        tile.store %added, %decode_o[%c0, %n_1] : vector<1x16xf32>, memref<1x32xf32>
      }
    }
    return
  }

  func.func private @gate_up.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 16>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %one = arith.constant dense<1.0e+00> : vector<1x16xf32>
    %c48 = arith.constant 48 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %one_1 = arith.constant dense<1.0e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_up = tile.weight %ctx @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.rowmajor_split index 16
    %ffn_gate = tile.weight %ctx @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.rowmajor_split index 14
    %ffn_norm = tile.weight %ctx @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
    %sum = tile.sum %decode_o[%c0] order <lanes = 256> : memref<1x32xf32> -> vector<1xf32> {
    ^bb0(%arg4: f32):
      %product = arith.mulf %arg4, %arg4 : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one_1, %rms : vector<1xf32>
    %staged = tile.stage %decode_o[%c0] rows(%quotient : vector<1xf32>) columns(%ffn_norm : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %product_2 = arith.mulf %arg4, %arg5 : f32
      %product_3 = arith.mulf %product_2, %arg6 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c3 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c16 : index
      %i_3 = arith.addi %i_2, %c16 : index
      %i_4 = arith.minsi %i_3, %c48 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %ffn_gate[%n] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<48x32, #llama.q4_0> -> vector<1x16xf32>
        %acc_1 = tile.contract %staged[%c0], %ffn_up[%n] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<48x32, #llama.q8_0> -> vector<1x16xf32>
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

  func.func private @down.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@ffn_down], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c32 = arith.constant 32 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_down = tile.weight %ctx @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.rowmajor_split index 18
    %decode_gate_up = tile.buffer_rows %ctx @decode.gate_up at 65536 : <1x48xf32>
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c2 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c16 : index
      %i_3 = arith.addi %i_2, %c16 : index
      %i_4 = arith.minsi %i_3, %c32 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %decode_o = tile.buffer %ctx @decode.o at 66688 : memref<1x32xf32>
        %loaded = tile.load %decode_o[%c0, %n] : memref<1x32xf32> -> vector<1x16xf32>
        %acc = tile.contract %decode_gate_up[%c0], %ffn_down[%n] order <unit = #cuda.simt, block = 8, lanes = 32> : <1x48xf32>, !llama.weight<32x48, #llama.f16> -> vector<1x16xf32>
        %added = arith.addf %loaded, %acc : vector<1x16xf32>
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        tile.store %added, %x[%c0, %n] : vector<1x16xf32>, memref<512x32xf32>
      }
    }
    return
  }

  func.func private @embed.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.addi %part, %c1 : index
      %rows = tile.row_count %ctx
      %i_1 = arith.minsi %i, %rows : index
      scf.for %n = %part to %i_1 step %c1 {
        %token = tile.token %ctx[%n]
        %values = tile.decode %token_embd[%token, %c0] : <64x32, #llama.q8_0> -> vector<1x256xf32>
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        tile.store %values, %x[%n, %c0] rows %rows : vector<1x256xf32>, memref<512x32xf32>
      }
    }
    return
  }

  func.func private @norm.prefill.0(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_norm = tile.weight %ctx @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 2
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.addi %part, %c1 : index
      %rows = tile.row_count %ctx
      %i_1 = arith.minsi %i, %rows : index
      scf.for %n = %part to %i_1 step %c1 {
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %sum = tile.sum %x[%n] order <lanes = 256> : memref<512x32xf32> -> vector<1xf32> {
        ^bb0(%arg6: f32):
          %product = arith.mulf %arg6, %arg6 : f32
          tile.yield %product
        }
        %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
        %added = arith.addf %product_1, %eps : vector<1xf32>
        %rms = math.sqrt %added : vector<1xf32>
        %quotient = arith.divf %one, %rms : vector<1xf32>
        %loaded = tile.load %x[%n, %c0] rows %rows : memref<512x32xf32> -> vector<1x256xf32>
        %spread = tile.broadcast_rows %quotient : vector<1xf32> -> vector<1x256xf32>
        %product_2 = arith.mulf %loaded, %spread : vector<1x256xf32>
        %gain = tile.column_values %attn_norm[%c0] : <32, #llama.f32> -> vector<1x256xf32>
        %product_3 = arith.mulf %product_2, %gain : vector<1x256xf32>
        %v18 = arith.truncf %product_3 : vector<1x256xf32> to vector<1x256xf16>
        %prefill_norm = tile.buffer %ctx @prefill.norm at 131072 : memref<512x32xf16>
        tile.store %v18, %prefill_norm[%n, %c0] rows %rows : vector<1x256xf16>, memref<512x32xf16>
      }
    }
    return
  }

  func.func private @qkv.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32, 16, 16], by = 64, rows_by = 64>, llama.reads = [@blk::@attn_q, @blk::@attn_k, @blk::@attn_v], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c4 = arith.constant 2 : index
    %c3 = arith.constant 1 : index
    %c32 = arith.constant 64 : index
    %c16 = arith.constant 63 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_v = tile.weight %ctx @blk::@attn_v[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 8
    %attn_k = tile.weight %ctx @blk::@attn_k[%l] : <16x32, #llama.q8_0> in #llama.rowmajor_split index 6
    %attn_q = tile.weight %ctx @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.rowmajor_split index 4
    %prefill_norm = tile.buffer_rows %ctx @prefill.norm at 131072 : <512x32xf16>
    %v5 = tile.row_count %ctx
    %v6 = arith.addi %v5, %c16 : index
    %v7 = arith.divui %v6, %c32 : index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c3 {
      %v10 = arith.divui %part, %v7 : index
      %v11 = arith.remui %part, %v7 : index
      %i_2 = arith.muli %v11, %c32 : index
      %v13 = arith.cmpi ult, %v10, %c3 : index
      scf.if %v13 {
        %v14 = arith.muli %v10, %c32 : index
        %acc = tile.contract %prefill_norm[%i_2], %attn_q[%v14] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<32x32, #llama.q4_0> -> vector<64x64xf32>
        %cosine = tile.rope_row %ctx[%i_2, %v14] head 16 : vector<64x64xf32>
        %sine = tile.rope_row %ctx[%i_2, %v14] head 16 sine : vector<64x64xf32>
        %swapped = tile.swap_pairs %acc : vector<64x64xf32>
        %product = arith.mulf %acc, %cosine : vector<64x64xf32>
        %fma = math.fma %swapped, %sine, %product : vector<64x64xf32>
        %prefill_qkv = tile.buffer %ctx @prefill.qkv at 65536 : memref<512x32xf32>
        tile.store %fma, %prefill_qkv[%i_2, %v14] rows %v5 : vector<64x64xf32>, memref<512x32xf32>
      }
    }
    scf.for %part_1 = %first to %last step %c3 {
      %v10_1 = arith.divui %part_1, %v7 : index
      %v11_1 = arith.remui %part_1, %v7 : index
      %v12 = arith.muli %v11_1, %c32 : index
      %i_7 = arith.subi %v10_1, %c3 : index
      %v14_1 = arith.cmpi ult, %i_7, %c3 : index
      scf.if %v14_1 {
        %i_8 = arith.muli %i_7, %c32 : index
        %acc_1 = tile.contract %prefill_norm[%v12], %attn_k[%i_8] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<16x32, #llama.q8_0> -> vector<64x64xf32>
        %cosine_1 = tile.rope_row %ctx[%v12, %i_8] head 16 : vector<64x64xf32>
        %sine_1 = tile.rope_row %ctx[%v12, %i_8] head 16 sine : vector<64x64xf32>
        %swapped_1 = tile.swap_pairs %acc_1 : vector<64x64xf32>
        %product_1 = arith.mulf %acc_1, %cosine_1 : vector<64x64xf32>
        %fma_1 = math.fma %swapped_1, %sine_1, %product_1 : vector<64x64xf32>
        %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
        tile.append "keys" %fma_1, %kv, %ctx[%v12, %i_8] rows %v5 : vector<64x64xf32>, <2x1x16, f16>
      }
    }
    scf.for %part_2 = %first to %last step %c3 {
      %v10_2 = arith.divui %part_2, %v7 : index
      %v11_2 = arith.remui %part_2, %v7 : index
      %v12_1 = arith.muli %v11_2, %c32 : index
      %i_13 = arith.subi %v10_2, %c4 : index
      %v14_2 = arith.cmpi ult, %i_13, %c3 : index
      scf.if %v14_2 {
        %i_14 = arith.muli %i_13, %c32 : index
        %acc_2 = tile.contract %prefill_norm[%v12_1], %attn_v[%i_14] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<16x32, #llama.q8_0> -> vector<64x64xf32>
        %kv_1 = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
        tile.append "values" %acc_2, %kv_1, %ctx[%v12_1, %i_14] rows %v5 : vector<64x64xf32>, <2x1x16, f16>
      }
    }
    return
  }

  func.func private @attn.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.reads_cache, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
    %c16 = arith.constant 16 : index
    %zero = arith.constant dense<0.0e+00> : vector<1x128xf32>
    %lowest = arith.constant dense<0xFF800000> : vector<1x128xf32>
    %c128 = arith.constant 128 : index
    %zero_1 = arith.constant dense<0.0e+00> : vector<1x16xf32>
    %zero_2 = arith.constant dense<0.0e+00> : vector<1xf32>
    %lowest_1 = arith.constant dense<0xFF800000> : vector<1xf32>
    %scale = arith.constant 2.500000e-01 : f32
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %c256 = arith.constant 256 : index
    %c1 = arith.constant 1 : index
    %prefill_qkv = tile.buffer %ctx @prefill.qkv at 65536 : memref<1024x16xf32>
    %prefill_attn = tile.buffer %ctx @prefill.attn at 131072 : memref<512x32xf16>
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    %scratch = tile.scratch : memref<1x256xf32>
    %rows = tile.row_count %ctx
    %keys = tile.key_count %ctx
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %pos = tile.position %ctx[%part]
      %i = arith.addi %pos, %c1 : index
      %i_1 = arith.minsi %i, %keys : index
      %i_2 = arith.ceildivsi %i_1, %c256 : index
      scf.for %n = %c0 to %c2 step %c1 {
        %i_3 = arith.muli %part, %c2 : index
        %i_4 = arith.addi %i_3, %n : index
        %staged = tile.stage %prefill_qkv[%i_4] every 2 : memref<1024x16xf32> -> <1x16xf32> {
        ^bb0(%arg6: f32):
          %product = arith.mulf %arg6, %scale : f32
          tile.yield %product
        }
        %loop:3 = scf.for %k = %c0 to %i_2 step %c1 iter_args(%carried = %lowest_1, %carried_1 = %zero_2, %carried_2 = %zero_1) -> (vector<1xf32>, vector<1xf32>, vector<1x16xf32>) {
          %i_5 = arith.muli %k, %c256 : index
          %i_6 = arith.subi %i_1, %i_5 : index
          %i_7 = arith.minsi %i_6, %c256 : index
          %i_8 = arith.ceildivsi %i_7, %c128 : index
          %i_9 = arith.muli %i_8, %c128 : index
          %loop_1 = scf.for %j = %c0 to %i_9 step %c128 iter_args(%carried_3 = %lowest) -> (vector<1x128xf32>) {
            %i_10 = arith.addi %i_5, %j : index
            %scores = tile.score_keys %staged[%c0], %kv[%c0, %i_10] : <1x16xf32>, <2x1x16, f16> -> vector<1x128xf32>
            %mask = tile.causal_mask %i_10, %pos advance 1 : vector<1x128xi1>
            %chosen = arith.select %mask, %scores, %lowest : vector<1x128xi1>, vector<1x128xf32>
            tile.store %chosen, %scratch[%c0, %j] : vector<1x128xf32>, memref<1x256xf32>
            %greater = arith.cmpf ogt, %chosen, %carried_3 : vector<1x128xf32>
            %chosen_1 = arith.select %greater, %chosen, %carried_3 : vector<1x128xi1>, vector<1x128xf32>
            scf.yield %chosen_1 : vector<1x128xf32>
          }
          %lanes = tile.reduce_lanes "max" %loop_1 : vector<1x128xf32> -> vector<1xf32>
          %spread = tile.broadcast_rows %lanes : vector<1xf32> -> vector<1x128xf32>
          %loop_2 = scf.for %j_1 = %c0 to %i_9 step %c128 iter_args(%carried_4 = %zero) -> (vector<1x128xf32>) {
            %loaded = tile.load %scratch[%c0, %j_1] : memref<1x256xf32> -> vector<1x128xf32>
            %less = arith.subf %loaded, %spread : vector<1x128xf32>
            %exp = math.exp %less : vector<1x128xf32>
            tile.store %exp, %scratch[%c0, %j_1] : vector<1x128xf32>, memref<1x256xf32>
            %added = arith.addf %carried_4, %exp : vector<1x128xf32>
            scf.yield %added : vector<1x128xf32>
          }
          %lanes_1 = tile.reduce_lanes "add" %loop_2 : vector<1x128xf32> -> vector<1xf32>
          %i_11 = arith.subi %pos, %i_5 : index
          %i_12 = arith.addi %i_11, %c1 : index
          %values = tile.sum_values %scratch, %kv[%c0, %i_5, %c0] count %i_12 advance 1 : memref<1x256xf32>, <2x1x16, f16> -> vector<1x16xf32>
          %greater_1 = arith.cmpf ogt, %lanes, %carried : vector<1xf32>
          %chosen_2 = arith.select %greater_1, %lanes, %carried : vector<1xi1>, vector<1xf32>
          %less_1 = arith.subf %carried, %chosen_2 : vector<1xf32>
          %exp_1 = math.exp %less_1 : vector<1xf32>
          %less_2 = arith.subf %lanes, %chosen_2 : vector<1xf32>
          %exp_2 = math.exp %less_2 : vector<1xf32>
          %product_1 = arith.mulf %lanes_1, %exp_2 : vector<1xf32>
          %fma = math.fma %carried_1, %exp_1, %product_1 : vector<1xf32>
          %spread_1 = tile.broadcast_rows %exp_1 : vector<1xf32> -> vector<1x16xf32>
          %spread_2 = tile.broadcast_rows %exp_2 : vector<1xf32> -> vector<1x16xf32>
          %product_2 = arith.mulf %values, %spread_2 : vector<1x16xf32>
          %fma_1 = math.fma %carried_2, %spread_1, %product_2 : vector<1x16xf32>
          %mask_1 = tile.causal_mask %i_5, %pos advance 1 : vector<1xi1>
          %chosen_3 = arith.select %mask_1, %chosen_2, %carried : vector<1xi1>, vector<1xf32>
          %chosen_4 = arith.select %mask_1, %fma, %carried_1 : vector<1xi1>, vector<1xf32>
          %spread_3 = tile.broadcast_rows %mask_1 : vector<1xi1> -> vector<1x16xi1>
          %chosen_5 = arith.select %spread_3, %fma_1, %carried_2 : vector<1x16xi1>, vector<1x16xf32>
          scf.yield %chosen_3, %chosen_4, %chosen_5 : vector<1xf32>, vector<1xf32>, vector<1x16xf32>
        }
        %i_13 = arith.muli %n, %c16 : index
        %spread_4 = tile.broadcast_rows %loop#1 : vector<1xf32> -> vector<1x16xf32>
        %quotient = arith.divf %loop#2, %spread_4 : vector<1x16xf32>
        %v20 = arith.truncf %quotient : vector<1x16xf32> to vector<1x16xf16>
        tile.store %v20, %prefill_attn[%part, %i_13] rows %rows : vector<1x16xf16>, memref<512x32xf16>
      }
    }
    return
  }

  func.func private @o.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 64, rows_by = 64>, llama.reads = [@blk::@attn_output], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c32 = arith.constant 1 : index
    %c16 = arith.constant 64 : index
    %c1 = arith.constant 63 : index
    %l = arith.index_castui %layer : i32 to index
    %attn_output = tile.weight %ctx @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 10
    %prefill_attn = tile.buffer_rows %ctx @prefill.attn at 131072 : <512x32xf16>
    %v3 = tile.row_count %ctx
    %v4 = arith.addi %v3, %c1 : index
    %v5 = arith.divui %v4, %c16 : index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c32 {
      %v8 = arith.divui %part, %v5 : index
      %v9 = arith.remui %part, %v5 : index
      %i_2 = arith.muli %v9, %c16 : index
      %v11 = arith.muli %v8, %c16 : index
      %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
      %loaded = tile.load %x[%i_2, %v11] rows %v3 : memref<512x32xf32> -> vector<64x64xf32>
      %acc = tile.contract %prefill_attn[%i_2], %attn_output[%v11] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<32x32, #llama.q8_0> -> vector<64x64xf32>
      %added = arith.addf %loaded, %acc : vector<64x64xf32>
      %prefill_o = tile.buffer %ctx @prefill.o at 65536 : memref<512x32xf32>
      tile.store %added, %prefill_o[%i_2, %v11] rows %v3 : vector<64x64xf32>, memref<512x32xf32>
    }
    return
  }

  func.func private @norm.prefill.1(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %one = arith.constant dense<1.0e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_norm = tile.weight %ctx @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %i = arith.addi %part, %c1 : index
      %rows = tile.row_count %ctx
      %i_1 = arith.minsi %i, %rows : index
      scf.for %n = %part to %i_1 step %c1 {
        %prefill_o = tile.buffer %ctx @prefill.o at 65536 : memref<512x32xf32>
        %sum = tile.sum %prefill_o[%n] order <lanes = 256> : memref<512x32xf32> -> vector<1xf32> {
        ^bb0(%arg6: f32):
          %product = arith.mulf %arg6, %arg6 : f32
          tile.yield %product
        }
        %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
        %added = arith.addf %product_1, %eps : vector<1xf32>
        %rms = math.sqrt %added : vector<1xf32>
        %quotient = arith.divf %one, %rms : vector<1xf32>
        %loaded = tile.load %prefill_o[%n, %c0] rows %rows : memref<512x32xf32> -> vector<1x256xf32>
        %spread = tile.broadcast_rows %quotient : vector<1xf32> -> vector<1x256xf32>
        %product_2 = arith.mulf %loaded, %spread : vector<1x256xf32>
        %gain = tile.column_values %ffn_norm[%c0] : <32, #llama.f32> -> vector<1x256xf32>
        %product_3 = arith.mulf %product_2, %gain : vector<1x256xf32>
        %halves = arith.truncf %product_3 : vector<1x256xf32> to vector<1x256xf16>
        %prefill_norm_1 = tile.buffer %ctx @prefill.norm.1 at 180224 : memref<512x32xf16>
        tile.store %halves, %prefill_norm_1[%n, %c0] rows %rows : vector<1x256xf16>, memref<512x32xf16>
      }
    }
    return
  }

  func.func private @gate_up.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 64, rows_by = 64>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant dense<1.0e+00> : vector<64x64xf32>
    %one = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %c1 = arith.constant 63 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_up = tile.weight %ctx @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.rowmajor_split index 16
    %ffn_gate = tile.weight %ctx @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.rowmajor_split index 14
    %prefill_norm_1 = tile.buffer_rows %ctx @prefill.norm.1 at 180224 : <512x32xf16>
    %v4 = tile.row_count %ctx
    %v5 = arith.addi %v4, %c1 : index
    %v6 = arith.divui %v5, %c64 : index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %one {
      %v9 = arith.divui %part, %v6 : index
      %v10 = arith.remui %part, %v6 : index
      %v11 = arith.muli %v10, %c64 : index
      %i = arith.muli %v9, %c64 : index
      %acc = tile.contract %prefill_norm_1[%v11], %ffn_gate[%i] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<48x32, #llama.q4_0> -> vector<64x64xf32>
      %acc_1 = tile.contract %prefill_norm_1[%v11], %ffn_up[%i] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<48x32, #llama.q8_0> -> vector<64x64xf32>
      %negated = arith.negf %acc : vector<64x64xf32>
      %exp = math.exp %negated : vector<64x64xf32>
      %added = arith.addf %exp, %c0 : vector<64x64xf32>
      %quotient = arith.divf %acc, %added : vector<64x64xf32>
      %product = arith.mulf %quotient, %acc_1 : vector<64x64xf32>
      %v20 = arith.truncf %product : vector<64x64xf32> to vector<64x64xf16>
      %prefill_gate_up = tile.buffer %ctx @prefill.gate_up at 131072 : memref<512x48xf16>
      tile.store %v20, %prefill_gate_up[%v11, %i] rows %v4 : vector<64x64xf16>, memref<512x48xf16>
    }
    return
  }

  func.func private @down.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 64, rows_by = 64>, llama.reads = [@blk::@ffn_down], llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c32 = arith.constant 1 : index
    %c16 = arith.constant 64 : index
    %c1 = arith.constant 63 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_down = tile.weight %ctx @blk::@ffn_down[%l] : <32x48, #llama.f16> in #llama.rowmajor_split index 18
    %prefill_gate_up = tile.buffer_rows %ctx @prefill.gate_up at 131072 : <512x48xf16>
    %v3 = tile.row_count %ctx
    %v4 = arith.addi %v3, %c1 : index
    %v5 = arith.divui %v4, %c16 : index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c32 {
      %v8 = arith.divui %part, %v5 : index
      %v9 = arith.remui %part, %v5 : index
      %i_2 = arith.muli %v9, %c16 : index
      %v11 = arith.muli %v8, %c16 : index
      %prefill_o = tile.buffer %ctx @prefill.o at 65536 : memref<512x32xf32>
      %loaded = tile.load %prefill_o[%i_2, %v11] rows %v3 : memref<512x32xf32> -> vector<64x64xf32>
      %acc = tile.contract %prefill_gate_up[%i_2], %ffn_down[%v11] order <unit = #cuda.mma, block = 32> : <512x48xf16>, !llama.weight<32x48, #llama.f16> -> vector<64x64xf32>
      %added = arith.addf %loaded, %acc : vector<64x64xf32>
      %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
      tile.store %added, %x[%i_2, %v11] rows %v3 : vector<64x64xf32>, memref<512x32xf32>
    }
    return
  }

  func.func private @lm_head.lm_head(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.reads = [@token_embd], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c64 = arith.constant 64 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %one = arith.constant dense<1.0e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %output_norm = tile.weight %ctx @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
    %row = tile.wanted_row %ctx[%c0]
    %sum = tile.sum %x[%row] order <lanes = 256> : memref<512x32xf32> -> vector<1xf32> {
    ^bb0(%arg4: f32):
      %product = arith.mulf %arg4, %arg4 : f32
      tile.yield %product
    }
    %product_1 = arith.mulf %sum, %over_columns : vector<1xf32>
    %added = arith.addf %product_1, %eps : vector<1xf32>
    %rms = math.sqrt %added : vector<1xf32>
    %quotient = arith.divf %one, %rms : vector<1xf32>
    %staged = tile.stage %x[%row] rows(%quotient : vector<1xf32>) columns(%output_norm : !llama.weight<32, #llama.f32>) : memref<512x32xf32> -> <1x32xf32> {
    ^bb0(%arg4: f32, %arg5: f32, %arg6: f32):
      %product_2 = arith.mulf %arg4, %arg5 : f32
      %product_3 = arith.mulf %product_2, %arg6 : f32
      tile.yield %product_3
    }
    %first = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %first, %c0 : index
    %last = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %last, %c4 : index
    scf.for %part = %i to %i_1 step %c1 {
      %i_2 = arith.muli %part, %c16 : index
      %i_3 = arith.addi %i_2, %c16 : index
      %i_4 = arith.minsi %i_3, %c64 : index
      scf.for %n = %i_2 to %i_4 step %c16 {
        %acc = tile.contract %staged[%c0], %token_embd[%n] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<1x16xf32>
        %logits = tile.buffer %ctx @logits at 65536 : memref<8x64xf32>
        tile.store %acc, %logits[%c0, %n] : vector<1x16xf32>, memref<8x64xf32>
      }
    }
    return
  }

  func.func private @wanted.lm_head.rows8(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %bound = arith.index_castui %begin : i32 to index
    %bound_1 = arith.index_castui %end : i32 to index
    scf.for %arg4 = %bound to %bound_1 step %c1 {
      %i = arith.addi %arg4, %c1 : index
      %count = tile.row_count %ctx
      %i_1 = arith.minsi %i, %count : index
      scf.for %arg5 = %arg4 to %i_1 step %c1 {
        %x = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %row = tile.wanted_row %ctx[%arg5]
        %values = tile.load %x[%row, %c0] : memref<512x32xf32> -> vector<1x256xf32>
        %wanted = tile.buffer %ctx @lm_head.rows8.wanted at 65536 : memref<8x32xf32>
        tile.store %values, %wanted[%arg5, %c0] rows %count : vector<1x256xf32>, memref<8x32xf32>
      }
    }
    return
  }

  func.func private @norm.lm_head.rows8(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
    %c0 = arith.constant 0 : index
    %cst = arith.constant dense<1.0e+00> : vector<1xf32>
    %cst_0 = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %cst_1 = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c1 = arith.constant 1 : index
    %output_norm = tile.weight %ctx @output_norm : <32, #llama.f32> in #llama.rowmajor index 1
    %bound = arith.index_castui %begin : i32 to index
    %bound_1 = arith.index_castui %end : i32 to index
    scf.for %arg4 = %bound to %bound_1 step %c1 {
      %i = arith.addi %arg4, %c1 : index
      %count = tile.row_count %ctx
      %i_1 = arith.minsi %i, %count : index
      scf.for %arg5 = %arg4 to %i_1 step %c1 {
        %wanted = tile.buffer %ctx @lm_head.rows8.wanted at 65536 : memref<8x32xf32>
        %sum = tile.sum %wanted[%arg5] order <lanes = 256> : memref<8x32xf32> -> vector<1xf32> {
        ^bb0(%arg6: f32):
          %product = arith.mulf %arg6, %arg6 : f32
          tile.yield %product
        }
        %product_1 = arith.mulf %sum, %cst_1 : vector<1xf32>
        %added = arith.addf %product_1, %cst_0 : vector<1xf32>
        %rms = math.sqrt %added : vector<1xf32>
        %quotient = arith.divf %cst, %rms : vector<1xf32>
        %values = tile.load %wanted[%arg5, %c0] rows %count : memref<8x32xf32> -> vector<1x256xf32>
        %spread = tile.broadcast_rows %quotient : vector<1xf32> -> vector<1x256xf32>
        %product_2 = arith.mulf %values, %spread : vector<1x256xf32>
        %gain = tile.column_values %output_norm[%c0] : <32, #llama.f32> -> vector<1x256xf32>
        %product_3 = arith.mulf %product_2, %gain : vector<1x256xf32>
        %norm = tile.buffer %ctx @lm_head.rows8.norm at 67584 : memref<8x32xf32>
        tile.store %product_3, %norm[%arg5, %c0] rows %count : vector<1x256xf32>, memref<8x32xf32>
      }
    }
    return
  }

  func.func private @lm_head.lm_head.rows8(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [64], by = 16>, llama.reads = [@token_embd], llama.rows = 8 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c64 = arith.constant 64 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    %c0 = arith.constant 0 : index
    %token_embd = tile.weight %ctx @token_embd : <64x32, #llama.q8_0> in #llama.rowmajor_split index 0
    %rows = tile.buffer_rows %ctx @lm_head.rows8.norm at 67584 : <8x32xf32>
    %bound = arith.index_castui %begin : i32 to index
    %i = arith.maxsi %bound, %c0 : index
    %bound_1 = arith.index_castui %end : i32 to index
    %i_1 = arith.minsi %bound_1, %c4 : index
    scf.for %arg4 = %i to %i_1 step %c1 {
      %i_2 = arith.muli %arg4, %c16 : index
      %i_3 = arith.addi %i_2, %c16 : index
      %i_4 = arith.minsi %i_3, %c64 : index
      scf.for %arg5 = %i_2 to %i_4 step %c16 {
        %count = tile.row_count %ctx
        scf.for %arg6 = %c0 to %count step %c1 {
          %acc = tile.contract %rows[%arg6], %token_embd[%arg5] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <8x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<1x16xf32>
          %logits = tile.buffer %ctx @logits at 65536 : memref<8x64xf32>
          tile.store %acc, %logits[%arg6, %arg5] rows %count : vector<1x16xf32>, memref<8x64xf32>
        }
      }
    }
    return
  }
}
