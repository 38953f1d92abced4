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
// In @attn.decode a block of keys is one tile, whose keys and values lanes share
// (`order`). @merge.decode merges a head, eight blocks at a time. Norms of prefill round what
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
    %one = arith.constant dense<1.000000e+00> : vector<1xf32>
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
        %decode_qkv = tile.buffer %ctx @decode.qkv at 70144 : memref<1x32xf32>
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
  func.func private @attn.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = keys, by = 64>, llama.reads_cache, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 2, n = 128>} {
    %c17 = arith.constant 17 : index
    %c16 = arith.constant 16 : index
    %c18 = arith.constant 18 : index
    %cst = arith.constant dense<0.000000e+00> : vector<2x64xf32>
    %cst_0 = arith.constant dense<0xFF800000> : vector<2x64xf32>
    %cst_1 = arith.constant 2.500000e-01 : f32
    %c64 = arith.constant 64 : index
    %c1 = arith.constant 1 : index
    %c0 = arith.constant 0 : index
    %memory = tile.buffer %ctx @decode.qkv at 70144 : memref<2x16xf32>
    %memory_1 = tile.buffer %ctx @decode.attn at 65536 : memref<2x576xf32>
    %i = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%i] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    %scratch = tile.scratch : memref<2x64xf32>
    %position = tile.position %ctx[%c0]
    %i_1 = arith.index_castui %begin : i32 to index
    %i_2 = arith.index_castui %end : i32 to index
    scf.for %p = %i_1 to %i_2 step %c1 {
      %i_3 = arith.muli %p, %c64 : index
      %staged = tile.stage %memory[%c0] : memref<2x16xf32> -> <2x16xf32> {
      ^bb0(%p_1: f32):
        %times = arith.mulf %p_1, %cst_1 : f32
        tile.yield %times
      }
      %scores = tile.score_keys %staged[%c0], %kv[%c0, %i_3] order <block = 8, lanes = 2> : <2x16xf32>, <2x1x16, f16> -> vector<2x64xf32>
      %mask = tile.causal_mask %i_3, %position advance 0 : vector<2x64xi1>
      %chosen = arith.select %mask, %scores, %cst_0 : vector<2x64xi1>, vector<2x64xf32>
      %reduced = tile.reduce_lanes "max" %chosen : vector<2x64xf32> -> vector<2xf32>
      %spread = tile.broadcast_rows %reduced : vector<2xf32> -> vector<2x64xf32>
      %less = arith.subf %chosen, %spread : vector<2x64xf32>
      %e = math.exp %less : vector<2x64xf32>
      %chosen_1 = arith.select %mask, %e, %cst : vector<2x64xi1>, vector<2x64xf32>
      tile.store %chosen_1, %scratch[%c0, %c0] : vector<2x64xf32>, memref<2x64xf32>
      %reduced_1 = tile.reduce_lanes "add" %chosen_1 : vector<2x64xf32> -> vector<2xf32>
      %i_4 = arith.subi %position, %i_3 : index
      %i_5 = arith.addi %i_4, %c1 : index
      %values = tile.sum_values %scratch, %kv[%c0, %i_3, %c0] count %i_5 advance 0 order <lanes = 64> : memref<2x64xf32>, <2x1x16, f16> -> vector<2x16xf32>
      %i_6 = arith.muli %p, %c18 : index
      %i_7 = arith.addi %i_6, %c16 : index
      tile.store %values, %memory_1[%c0, %i_6] : vector<2x16xf32>, memref<2x576xf32>
      %x = vector.extract %reduced[0] : f32 from vector<2xf32>
      %x_1 = vector.extract %reduced_1[0] : f32 from vector<2xf32>
      memref.store %x, %memory_1[%c0, %i_7] : memref<2x576xf32>
      %i_8 = arith.addi %i_6, %c17 : index
      memref.store %x_1, %memory_1[%c0, %i_8] : memref<2x576xf32>
      %x_2 = vector.extract %reduced[1] : f32 from vector<2xf32>
      %x_3 = vector.extract %reduced_1[1] : f32 from vector<2xf32>
      memref.store %x_2, %memory_1[%c1, %i_7] : memref<2x576xf32>
      memref.store %x_3, %memory_1[%c1, %i_8] : memref<2x576xf32>
    }
    return
  }
  func.func private @merge.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1, times = 2>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
    %c7 = arith.constant 7 : index
    %c6 = arith.constant 6 : index
    %c5 = arith.constant 5 : index
    %c4 = arith.constant 4 : index
    %c3 = arith.constant 3 : index
    %c2 = arith.constant 2 : index
    %c17 = arith.constant 17 : index
    %c16 = arith.constant 16 : index
    %c8 = arith.constant 8 : index
    %cst = arith.constant dense<0.000000e+00> : vector<1x16xf32>
    %cst_0 = arith.constant dense<0.000000e+00> : vector<1xf32>
    %cst_1 = arith.constant dense<0xFF800000> : vector<1xf32>
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %memory = tile.buffer %ctx @decode.attn at 65536 : memref<64x18xf32>
    %memory_1 = tile.buffer %ctx @decode.merge at 70144 : memref<2x16xf32>
    %i = arith.index_castui %begin : i32 to index
    %i_1 = arith.index_castui %end : i32 to index
    scf.for %p = %i to %i_1 step %c1 {
      %position = tile.position %ctx[%c0]
      %i_2 = arith.divui %position, %c64 : index
      %i_3 = arith.addi %i_2, %c1 : index
      %i_4 = arith.muli %p, %c32 : index
      %after:3 = scf.for %p_1 = %c0 to %i_3 step %c8 iter_args(%p_2 = %cst_1, %p_3 = %cst_0, %p_4 = %cst) -> (vector<1xf32>, vector<1xf32>, vector<1x16xf32>) {
        %i_5 = arith.minsi %p_1, %i_2 : index
        %i_6 = arith.addi %i_4, %i_5 : index
        %number = memref.load %memory[%i_6, %c16] : memref<64x18xf32>
        %one = vector.broadcast %number : f32 to vector<1xf32>
        %number_1 = memref.load %memory[%i_6, %c17] : memref<64x18xf32>
        %one_1 = vector.broadcast %number_1 : f32 to vector<1xf32>
        %loaded = tile.load %memory[%i_6, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_7 = arith.addi %p_1, %c1 : index
        %i_8 = arith.minsi %i_7, %i_2 : index
        %i_9 = arith.addi %i_4, %i_8 : index
        %number_2 = memref.load %memory[%i_9, %c16] : memref<64x18xf32>
        %one_2 = vector.broadcast %number_2 : f32 to vector<1xf32>
        %number_3 = memref.load %memory[%i_9, %c17] : memref<64x18xf32>
        %one_3 = vector.broadcast %number_3 : f32 to vector<1xf32>
        %loaded_1 = tile.load %memory[%i_9, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_10 = arith.addi %p_1, %c2 : index
        %i_11 = arith.minsi %i_10, %i_2 : index
        %i_12 = arith.addi %i_4, %i_11 : index
        %number_4 = memref.load %memory[%i_12, %c16] : memref<64x18xf32>
        %one_4 = vector.broadcast %number_4 : f32 to vector<1xf32>
        %number_5 = memref.load %memory[%i_12, %c17] : memref<64x18xf32>
        %one_5 = vector.broadcast %number_5 : f32 to vector<1xf32>
        %loaded_2 = tile.load %memory[%i_12, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_13 = arith.addi %p_1, %c3 : index
        %i_14 = arith.minsi %i_13, %i_2 : index
        %i_15 = arith.addi %i_4, %i_14 : index
        %number_6 = memref.load %memory[%i_15, %c16] : memref<64x18xf32>
        %one_6 = vector.broadcast %number_6 : f32 to vector<1xf32>
        %number_7 = memref.load %memory[%i_15, %c17] : memref<64x18xf32>
        %one_7 = vector.broadcast %number_7 : f32 to vector<1xf32>
        %loaded_3 = tile.load %memory[%i_15, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_16 = arith.addi %p_1, %c4 : index
        %i_17 = arith.minsi %i_16, %i_2 : index
        %i_18 = arith.addi %i_4, %i_17 : index
        %number_8 = memref.load %memory[%i_18, %c16] : memref<64x18xf32>
        %one_8 = vector.broadcast %number_8 : f32 to vector<1xf32>
        %number_9 = memref.load %memory[%i_18, %c17] : memref<64x18xf32>
        %one_9 = vector.broadcast %number_9 : f32 to vector<1xf32>
        %loaded_4 = tile.load %memory[%i_18, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_19 = arith.addi %p_1, %c5 : index
        %i_20 = arith.minsi %i_19, %i_2 : index
        %i_21 = arith.addi %i_4, %i_20 : index
        %number_10 = memref.load %memory[%i_21, %c16] : memref<64x18xf32>
        %one_10 = vector.broadcast %number_10 : f32 to vector<1xf32>
        %number_11 = memref.load %memory[%i_21, %c17] : memref<64x18xf32>
        %one_11 = vector.broadcast %number_11 : f32 to vector<1xf32>
        %loaded_5 = tile.load %memory[%i_21, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_22 = arith.addi %p_1, %c6 : index
        %i_23 = arith.minsi %i_22, %i_2 : index
        %i_24 = arith.addi %i_4, %i_23 : index
        %number_12 = memref.load %memory[%i_24, %c16] : memref<64x18xf32>
        %one_12 = vector.broadcast %number_12 : f32 to vector<1xf32>
        %number_13 = memref.load %memory[%i_24, %c17] : memref<64x18xf32>
        %one_13 = vector.broadcast %number_13 : f32 to vector<1xf32>
        %loaded_6 = tile.load %memory[%i_24, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %i_25 = arith.addi %p_1, %c7 : index
        %i_26 = arith.minsi %i_25, %i_2 : index
        %i_27 = arith.addi %i_4, %i_26 : index
        %number_14 = memref.load %memory[%i_27, %c16] : memref<64x18xf32>
        %one_14 = vector.broadcast %number_14 : f32 to vector<1xf32>
        %number_15 = memref.load %memory[%i_27, %c17] : memref<64x18xf32>
        %one_15 = vector.broadcast %number_15 : f32 to vector<1xf32>
        %loaded_7 = tile.load %memory[%i_27, %c0] : memref<64x18xf32> -> vector<1x16xf32>
        %greater = arith.cmpf ogt, %one, %p_2 : vector<1xf32>
        %chosen = arith.select %greater, %one, %p_2 : vector<1xi1>, vector<1xf32>
        %less = arith.subf %p_2, %chosen : vector<1xf32>
        %e = math.exp %less : vector<1xf32>
        %less_1 = arith.subf %one, %chosen : vector<1xf32>
        %e_1 = math.exp %less_1 : vector<1xf32>
        %times = arith.mulf %one_1, %e_1 : vector<1xf32>
        %fused = math.fma %p_3, %e, %times : vector<1xf32>
        %spread = tile.broadcast_rows %e : vector<1xf32> -> vector<1x16xf32>
        %spread_1 = tile.broadcast_rows %e_1 : vector<1xf32> -> vector<1x16xf32>
        %times_1 = arith.mulf %loaded, %spread_1 : vector<1x16xf32>
        %fused_1 = math.fma %p_4, %spread, %times_1 : vector<1x16xf32>
        %greater_1 = arith.cmpf ogt, %one_2, %chosen : vector<1xf32>
        %chosen_1 = arith.select %greater_1, %one_2, %chosen : vector<1xi1>, vector<1xf32>
        %less_2 = arith.subf %chosen, %chosen_1 : vector<1xf32>
        %e_2 = math.exp %less_2 : vector<1xf32>
        %less_3 = arith.subf %one_2, %chosen_1 : vector<1xf32>
        %e_3 = math.exp %less_3 : vector<1xf32>
        %times_2 = arith.mulf %one_3, %e_3 : vector<1xf32>
        %fused_2 = math.fma %fused, %e_2, %times_2 : vector<1xf32>
        %spread_2 = tile.broadcast_rows %e_2 : vector<1xf32> -> vector<1x16xf32>
        %spread_3 = tile.broadcast_rows %e_3 : vector<1xf32> -> vector<1x16xf32>
        %times_3 = arith.mulf %loaded_1, %spread_3 : vector<1x16xf32>
        %fused_3 = math.fma %fused_1, %spread_2, %times_3 : vector<1x16xf32>
        %below = arith.cmpi slt, %i_7, %i_3 : index
        %chosen_2 = arith.select %below, %chosen_1, %chosen : vector<1xf32>
        %chosen_3 = arith.select %below, %fused_2, %fused : vector<1xf32>
        %chosen_4 = arith.select %below, %fused_3, %fused_1 : vector<1x16xf32>
        %greater_2 = arith.cmpf ogt, %one_4, %chosen_2 : vector<1xf32>
        %chosen_5 = arith.select %greater_2, %one_4, %chosen_2 : vector<1xi1>, vector<1xf32>
        %less_4 = arith.subf %chosen_2, %chosen_5 : vector<1xf32>
        %e_4 = math.exp %less_4 : vector<1xf32>
        %less_5 = arith.subf %one_4, %chosen_5 : vector<1xf32>
        %e_5 = math.exp %less_5 : vector<1xf32>
        %times_4 = arith.mulf %one_5, %e_5 : vector<1xf32>
        %fused_4 = math.fma %chosen_3, %e_4, %times_4 : vector<1xf32>
        %spread_4 = tile.broadcast_rows %e_4 : vector<1xf32> -> vector<1x16xf32>
        %spread_5 = tile.broadcast_rows %e_5 : vector<1xf32> -> vector<1x16xf32>
        %times_5 = arith.mulf %loaded_2, %spread_5 : vector<1x16xf32>
        %fused_5 = math.fma %chosen_4, %spread_4, %times_5 : vector<1x16xf32>
        %below_1 = arith.cmpi slt, %i_10, %i_3 : index
        %chosen_6 = arith.select %below_1, %chosen_5, %chosen_2 : vector<1xf32>
        %chosen_7 = arith.select %below_1, %fused_4, %chosen_3 : vector<1xf32>
        %chosen_8 = arith.select %below_1, %fused_5, %chosen_4 : vector<1x16xf32>
        %greater_3 = arith.cmpf ogt, %one_6, %chosen_6 : vector<1xf32>
        %chosen_9 = arith.select %greater_3, %one_6, %chosen_6 : vector<1xi1>, vector<1xf32>
        %less_6 = arith.subf %chosen_6, %chosen_9 : vector<1xf32>
        %e_6 = math.exp %less_6 : vector<1xf32>
        %less_7 = arith.subf %one_6, %chosen_9 : vector<1xf32>
        %e_7 = math.exp %less_7 : vector<1xf32>
        %times_6 = arith.mulf %one_7, %e_7 : vector<1xf32>
        %fused_6 = math.fma %chosen_7, %e_6, %times_6 : vector<1xf32>
        %spread_6 = tile.broadcast_rows %e_6 : vector<1xf32> -> vector<1x16xf32>
        %spread_7 = tile.broadcast_rows %e_7 : vector<1xf32> -> vector<1x16xf32>
        %times_7 = arith.mulf %loaded_3, %spread_7 : vector<1x16xf32>
        %fused_7 = math.fma %chosen_8, %spread_6, %times_7 : vector<1x16xf32>
        %below_2 = arith.cmpi slt, %i_13, %i_3 : index
        %chosen_10 = arith.select %below_2, %chosen_9, %chosen_6 : vector<1xf32>
        %chosen_11 = arith.select %below_2, %fused_6, %chosen_7 : vector<1xf32>
        %chosen_12 = arith.select %below_2, %fused_7, %chosen_8 : vector<1x16xf32>
        %greater_4 = arith.cmpf ogt, %one_8, %chosen_10 : vector<1xf32>
        %chosen_13 = arith.select %greater_4, %one_8, %chosen_10 : vector<1xi1>, vector<1xf32>
        %less_8 = arith.subf %chosen_10, %chosen_13 : vector<1xf32>
        %e_8 = math.exp %less_8 : vector<1xf32>
        %less_9 = arith.subf %one_8, %chosen_13 : vector<1xf32>
        %e_9 = math.exp %less_9 : vector<1xf32>
        %times_8 = arith.mulf %one_9, %e_9 : vector<1xf32>
        %fused_8 = math.fma %chosen_11, %e_8, %times_8 : vector<1xf32>
        %spread_8 = tile.broadcast_rows %e_8 : vector<1xf32> -> vector<1x16xf32>
        %spread_9 = tile.broadcast_rows %e_9 : vector<1xf32> -> vector<1x16xf32>
        %times_9 = arith.mulf %loaded_4, %spread_9 : vector<1x16xf32>
        %fused_9 = math.fma %chosen_12, %spread_8, %times_9 : vector<1x16xf32>
        %below_3 = arith.cmpi slt, %i_16, %i_3 : index
        %chosen_14 = arith.select %below_3, %chosen_13, %chosen_10 : vector<1xf32>
        %chosen_15 = arith.select %below_3, %fused_8, %chosen_11 : vector<1xf32>
        %chosen_16 = arith.select %below_3, %fused_9, %chosen_12 : vector<1x16xf32>
        %greater_5 = arith.cmpf ogt, %one_10, %chosen_14 : vector<1xf32>
        %chosen_17 = arith.select %greater_5, %one_10, %chosen_14 : vector<1xi1>, vector<1xf32>
        %less_10 = arith.subf %chosen_14, %chosen_17 : vector<1xf32>
        %e_10 = math.exp %less_10 : vector<1xf32>
        %less_11 = arith.subf %one_10, %chosen_17 : vector<1xf32>
        %e_11 = math.exp %less_11 : vector<1xf32>
        %times_10 = arith.mulf %one_11, %e_11 : vector<1xf32>
        %fused_10 = math.fma %chosen_15, %e_10, %times_10 : vector<1xf32>
        %spread_10 = tile.broadcast_rows %e_10 : vector<1xf32> -> vector<1x16xf32>
        %spread_11 = tile.broadcast_rows %e_11 : vector<1xf32> -> vector<1x16xf32>
        %times_11 = arith.mulf %loaded_5, %spread_11 : vector<1x16xf32>
        %fused_11 = math.fma %chosen_16, %spread_10, %times_11 : vector<1x16xf32>
        %below_4 = arith.cmpi slt, %i_19, %i_3 : index
        %chosen_18 = arith.select %below_4, %chosen_17, %chosen_14 : vector<1xf32>
        %chosen_19 = arith.select %below_4, %fused_10, %chosen_15 : vector<1xf32>
        %chosen_20 = arith.select %below_4, %fused_11, %chosen_16 : vector<1x16xf32>
        %greater_6 = arith.cmpf ogt, %one_12, %chosen_18 : vector<1xf32>
        %chosen_21 = arith.select %greater_6, %one_12, %chosen_18 : vector<1xi1>, vector<1xf32>
        %less_12 = arith.subf %chosen_18, %chosen_21 : vector<1xf32>
        %e_12 = math.exp %less_12 : vector<1xf32>
        %less_13 = arith.subf %one_12, %chosen_21 : vector<1xf32>
        %e_13 = math.exp %less_13 : vector<1xf32>
        %times_12 = arith.mulf %one_13, %e_13 : vector<1xf32>
        %fused_12 = math.fma %chosen_19, %e_12, %times_12 : vector<1xf32>
        %spread_12 = tile.broadcast_rows %e_12 : vector<1xf32> -> vector<1x16xf32>
        %spread_13 = tile.broadcast_rows %e_13 : vector<1xf32> -> vector<1x16xf32>
        %times_13 = arith.mulf %loaded_6, %spread_13 : vector<1x16xf32>
        %fused_13 = math.fma %chosen_20, %spread_12, %times_13 : vector<1x16xf32>
        %below_5 = arith.cmpi slt, %i_22, %i_3 : index
        %chosen_22 = arith.select %below_5, %chosen_21, %chosen_18 : vector<1xf32>
        %chosen_23 = arith.select %below_5, %fused_12, %chosen_19 : vector<1xf32>
        %chosen_24 = arith.select %below_5, %fused_13, %chosen_20 : vector<1x16xf32>
        %greater_7 = arith.cmpf ogt, %one_14, %chosen_22 : vector<1xf32>
        %chosen_25 = arith.select %greater_7, %one_14, %chosen_22 : vector<1xi1>, vector<1xf32>
        %less_14 = arith.subf %chosen_22, %chosen_25 : vector<1xf32>
        %e_14 = math.exp %less_14 : vector<1xf32>
        %less_15 = arith.subf %one_14, %chosen_25 : vector<1xf32>
        %e_15 = math.exp %less_15 : vector<1xf32>
        %times_14 = arith.mulf %one_15, %e_15 : vector<1xf32>
        %fused_14 = math.fma %chosen_23, %e_14, %times_14 : vector<1xf32>
        %spread_14 = tile.broadcast_rows %e_14 : vector<1xf32> -> vector<1x16xf32>
        %spread_15 = tile.broadcast_rows %e_15 : vector<1xf32> -> vector<1x16xf32>
        %times_15 = arith.mulf %loaded_7, %spread_15 : vector<1x16xf32>
        %fused_15 = math.fma %chosen_24, %spread_14, %times_15 : vector<1x16xf32>
        %below_6 = arith.cmpi slt, %i_25, %i_3 : index
        %chosen_26 = arith.select %below_6, %chosen_25, %chosen_22 : vector<1xf32>
        %chosen_27 = arith.select %below_6, %fused_14, %chosen_23 : vector<1xf32>
        %chosen_28 = arith.select %below_6, %fused_15, %chosen_24 : vector<1x16xf32>
        scf.yield %chosen_26, %chosen_27, %chosen_28 : vector<1xf32>, vector<1xf32>, vector<1x16xf32>
      }
      %spread_16 = tile.broadcast_rows %after#1 : vector<1xf32> -> vector<1x16xf32>
      %divided = arith.divf %after#2, %spread_16 : vector<1x16xf32>
      tile.store %divided, %memory_1[%p, %c0] : vector<1x16xf32>, memref<2x16xf32>
    }
    return
  }
  func.func private @o.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.reads = [@blk::@attn_output], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %c32 = arith.constant 32 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %i = arith.index_castui %layer : i32 to index
    %w = tile.weight %ctx @blk::@attn_output[%i] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 10
    %rows = tile.buffer_rows %ctx @decode.merge at 70144 : <1x32xf32>
    %i_1 = arith.index_castui %begin : i32 to index
    %i_2 = arith.maxsi %i_1, %c0 : index
    %i_3 = arith.index_castui %end : i32 to index
    %i_4 = arith.minsi %i_3, %c2 : index
    scf.for %p = %i_2 to %i_4 step %c1 {
      %i_5 = arith.muli %p, %c16 : index
      %i_6 = arith.addi %i_5, %c16 : index
      %i_7 = arith.minsi %i_6, %c32 : index
      scf.for %p_1 = %i_5 to %i_7 step %c16 {
        %memory = tile.buffer %ctx @x at 0 : memref<512x32xf32>
        %loaded = tile.load %memory[%c0, %p_1] : memref<512x32xf32> -> vector<1x16xf32>
        %product = tile.contract %rows[%c0], %w[%p_1] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q8_0> -> vector<1x16xf32>
        %sum = arith.addf %loaded, %product : vector<1x16xf32>
        %memory_1 = tile.buffer %ctx @decode.o at 65728 : memref<1x32xf32>
        tile.store %sum, %memory_1[%c0, %p_1] : vector<1x16xf32>, memref<1x32xf32>
      }
    }
    return
  }
  func.func private @gate_up.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 16>, llama.reads = [@blk::@ffn_gate, @blk::@ffn_up], llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
    %one = arith.constant dense<1.000000e+00> : vector<1x16xf32>
    %c48 = arith.constant 48 : index
    %c16 = arith.constant 16 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %one_1 = arith.constant dense<1.000000e+00> : vector<1xf32>
    %eps = arith.constant dense<9.99999974E-6> : vector<1xf32>
    %over_columns = arith.constant dense<3.125000e-02> : vector<1xf32>
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %ffn_up = tile.weight %ctx @blk::@ffn_up[%l] : <48x32, #llama.q8_0> in #llama.rowmajor_split index 16
    %ffn_gate = tile.weight %ctx @blk::@ffn_gate[%l] : <48x32, #llama.q4_0> in #llama.rowmajor_split index 14
    %ffn_norm = tile.weight %ctx @blk::@ffn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 12
    %decode_o = tile.buffer %ctx @decode.o at 65728 : memref<1x32xf32>
    %sum = tile.sum %decode_o[%c0] order <lanes = 256> : memref<1x32xf32> -> vector<1xf32> {
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
        %decode_o = tile.buffer %ctx @decode.o at 65728 : memref<1x32xf32>
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
  func.func private @attn.prefill(%arg0: !tile.context, %arg1: i32, %arg2: i32, %arg3: i32) attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.reads_cache, llama.rows = 512 : i64, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
    %c16 = arith.constant 16 : index
    %cst = arith.constant dense<0.000000e+00> : vector<1x64xf32>
    %cst_0 = arith.constant dense<0xFF800000> : vector<1x64xf32>
    %cst_1 = arith.constant dense<0.000000e+00> : vector<1x16xf32>
    %cst_2 = arith.constant dense<0.000000e+00> : vector<1xf32>
    %cst_3 = arith.constant dense<0xFF800000> : vector<1xf32>
    %cst_4 = arith.constant 2.500000e-01 : f32
    %c2 = arith.constant 2 : index
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %c1 = arith.constant 1 : index
    %0 = tile.buffer %arg0 @prefill.qkv at 65536 : memref<1024x16xf32>
    %1 = tile.buffer %arg0 @prefill.attn at 131072 : memref<512x32xf16>
    %2 = arith.index_castui %arg1 : i32 to index
    %3 = tile.cache %arg0[%2] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    %4 = tile.scratch : memref<1x64xf32>
    %5 = tile.row_count %arg0
    %6 = tile.key_count %arg0
    %7 = arith.index_castui %arg2 : i32 to index
    %8 = arith.index_castui %arg3 : i32 to index
    scf.for %arg4 = %7 to %8 step %c1 {
      %9 = tile.position %arg0[%arg4]
      %10 = arith.addi %9, %c1 : index
      %11 = arith.minsi %10, %6 : index
      %12 = arith.ceildivsi %11, %c64 : index
      scf.for %arg5 = %c0 to %c2 step %c1 {
        %13 = arith.muli %arg4, %c2 : index
        %14 = arith.addi %13, %arg5 : index
        %15 = tile.stage %0[%14] every 2 : memref<1024x16xf32> -> <1x16xf32> {
        ^bb0(%arg6: f32):
          %21 = arith.mulf %arg6, %cst_4 : f32
          tile.yield %21
        }
        %16:3 = scf.for %arg6 = %c0 to %12 step %c1 iter_args(%arg7 = %cst_3, %arg8 = %cst_2, %arg9 = %cst_1) -> (vector<1xf32>, vector<1xf32>, vector<1x16xf32>) {
          %21 = arith.muli %arg6, %c64 : index
          %22 = tile.score_keys %15[%c0], %3[%c0, %21] order <block = 8, lanes = 2> : <1x16xf32>, <2x1x16, f16> -> vector<1x64xf32>
          %23 = tile.causal_mask %21, %9 advance 1 : vector<1x64xi1>
          %24 = arith.select %23, %22, %cst_0 : vector<1x64xi1>, vector<1x64xf32>
          %25 = tile.reduce_lanes "max" %24 : vector<1x64xf32> -> vector<1xf32>
          %26 = tile.broadcast_rows %25 : vector<1xf32> -> vector<1x64xf32>
          %27 = arith.subf %24, %26 : vector<1x64xf32>
          %28 = math.exp %27 : vector<1x64xf32>
          %29 = arith.select %23, %28, %cst : vector<1x64xi1>, vector<1x64xf32>
          tile.store %29, %4[%c0, %c0] : vector<1x64xf32>, memref<1x64xf32>
          %30 = tile.reduce_lanes "add" %29 : vector<1x64xf32> -> vector<1xf32>
          %31 = arith.subi %9, %21 : index
          %32 = arith.addi %31, %c1 : index
          %33 = tile.sum_values %4, %3[%c0, %21, %c0] count %32 advance 1 order <lanes = 64> : memref<1x64xf32>, <2x1x16, f16> -> vector<1x16xf32>
          %34 = arith.cmpf ogt, %25, %arg7 : vector<1xf32>
          %35 = arith.select %34, %25, %arg7 : vector<1xi1>, vector<1xf32>
          %36 = arith.subf %arg7, %35 : vector<1xf32>
          %37 = math.exp %36 : vector<1xf32>
          %38 = arith.subf %25, %35 : vector<1xf32>
          %39 = math.exp %38 : vector<1xf32>
          %40 = arith.mulf %30, %39 : vector<1xf32>
          %41 = math.fma %arg8, %37, %40 : vector<1xf32>
          %42 = tile.broadcast_rows %37 : vector<1xf32> -> vector<1x16xf32>
          %43 = tile.broadcast_rows %39 : vector<1xf32> -> vector<1x16xf32>
          %44 = arith.mulf %33, %43 : vector<1x16xf32>
          %45 = math.fma %arg9, %42, %44 : vector<1x16xf32>
          %46 = tile.causal_mask %21, %9 advance 1 : vector<1xi1>
          %47 = arith.select %46, %35, %arg7 : vector<1xi1>, vector<1xf32>
          %48 = arith.select %46, %41, %arg8 : vector<1xi1>, vector<1xf32>
          %49 = tile.broadcast_rows %46 : vector<1xi1> -> vector<1x16xi1>
          %50 = arith.select %49, %45, %arg9 : vector<1x16xi1>, vector<1x16xf32>
          scf.yield %47, %48, %50 : vector<1xf32>, vector<1xf32>, vector<1x16xf32>
        }
        %17 = arith.muli %arg5, %c16 : index
        %18 = tile.broadcast_rows %16#1 : vector<1xf32> -> vector<1x16xf32>
        %19 = arith.divf %16#2, %18 : vector<1x16xf32>
        %20 = arith.truncf %19 : vector<1x16xf32> to vector<1x16xf16>
        tile.store %20, %1[%arg4, %17] rows %5 : vector<1x16xf16>, memref<512x32xf16>
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
