// RUN: %opt %pass --split-input-file %s | FileCheck %s

// A kernel becomes loops over its parts and over groups of 16 rows of the weight.
// The tile's arithmetic follows the graph from the sink back.

llama.buffer @s : tensor<1x48xf32> at 0
llama.buffer @x1 : tensor<1x40xf32> at 192
llama.buffer @x : tensor<1x40xf32> at 384

// CHECK-LABEL: func.func private @down.decode
// CHECK-SAME:    (%[[CTX:.+]]: !tile.context, %[[LAYER:.+]]: i32, %[[BEGIN:.+]]: i32, %[[END:.+]]: i32) attributes {llama.partition = #llama.partition<rows = [40], by = 32>, llama.strategy = #cpu.strategy<{{.*}}>}
// CHECK:         %[[L:.+]] = arith.index_castui %[[LAYER]]
// CHECK:         %[[W:.+]] = tile.weight %[[CTX]] @blk::@ffn_down[%[[L]]] : <40x48, #llama.f16> in #llama.interleaved16<k = 1> index 7
// CHECK:         %[[S:.+]] = tile.buffer_rows %[[CTX]] @s at 0 : <1x48xf32>
// CHECK:         scf.for %[[PART:.+]] =
// Two parts: rows 0 to 31, rows 32 to 47, of which 40 on are padding.
// CHECK:           %[[FIRST:.+]] = arith.muli {{.*}}, %{{c32(_[0-9]+)?}}
// CHECK:           %[[NEXT:.+]] = arith.addi %[[FIRST]], %{{c32(_[0-9]+)?}}
// CHECK:           %[[LAST:.+]] = arith.minsi %[[NEXT]], %{{c48(_[0-9]+)?}}
// CHECK:           scf.for %[[N:.+]] = %[[FIRST]] to %[[LAST]] step %{{c16(_[0-9]+)?}}
// CHECK:             %[[X1:.+]] = tile.buffer %[[CTX]] @x1 at 192 : memref<1x40xf32>
// CHECK:             %[[RESIDUAL:.+]] = tile.load %[[X1]][{{.*}}, %[[N]]] : memref<1x40xf32> -> vector<1x16xf32>
// CHECK:             %[[ACC:.+]] = tile.contract %[[S]][{{.*}}], %[[W]][%[[N]]] order <unit = #cpu.fma, block = 32> : <1x48xf32>, !llama.weight<40x48, #llama.f16> -> vector<1x16xf32>
// CHECK:             %[[SUM:.+]] = arith.addf %[[RESIDUAL]], %[[ACC]]
// CHECK:             %[[X:.+]] = tile.buffer %[[CTX]] @x at 384 : memref<1x40xf32>
// CHECK:             tile.store %[[SUM]], %[[X]][{{.*}}, %[[N]]] : vector<1x16xf32>, memref<1x40xf32>
// CHECK-NOT:     tensor
// CHECK:         return
func.func private @down.decode(%l: index) attributes {llama.partition = #llama.partition<rows = [40], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %s = llama.buffer_read @s at 0 : tensor<1x48xf32>
  %x1 = llama.buffer_read @x1 at 192 : tensor<1x40xf32>
  %w = llama.weight_ref @blk::@ffn_down[%l] : <40x48, #llama.f16> in #llama.interleaved16<k = 1> index 7
  %d = llama.linear %s, %w order <unit = #cpu.fma, block = 32> : tensor<1x48xf32>, <40x48, #llama.f16> -> tensor<1x40xf32>
  %x2 = llama.add %x1, %d : tensor<1x40xf32>
  llama.buffer_write %x2, @x at 384 : tensor<1x40xf32>
  return
}
llama.weights @blk layers 2 { llama.weight @ffn_down : 40x48 formats [#llama.f16] }

// -----

// Many rows: a panel of 16 rows of the weight is decoded once and reused over
// tiles of 4 rows; a format with minima takes the sums of blocks of the rows, made
// once a call. What a tile has beyond the call's rows is not stored.

llama.buffer @h : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x32xf32> at 1024

// CHECK-LABEL: func.func private @a_panel_is_reused_over_tiles_of_rows
// CHECK-SAME:    (%[[CTX:[^:]+]]: !tile.context
// CHECK:         %[[H:.+]] = tile.buffer_rows %[[CTX]] @h at 0 : <8x32xf32>
// CHECK:         %[[SUMS:.+]] = tile.block_sums %[[H]], %{{.+}} block 32 : <8x32xf32> -> memref<8x1xf32>
// CHECK:         scf.for
// CHECK:           scf.for %[[N:.+]] =
// CHECK:             %[[PANEL:.+]] = tile.panel %{{.+}}[%[[N]]] : <32x32, #llama.q4_1> -> <16x32, #llama.q4_1, #cpu.fma>
// CHECK:             %[[ROWS:.+]] = tile.row_count
// CHECK:             scf.for %[[ROW:.+]] = %{{c0(_[0-9]+)?}} to %{{.+}} step %{{c4(_[0-9]+)?}}
// CHECK:               %[[ACC:.+]] = tile.contract %[[H]][%[[ROW]]], %[[PANEL]][%{{c0(_[0-9]+)?}}] sums(%[[SUMS]] : memref<8x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : {{.*}} -> vector<4x16xf32>
// CHECK:               tile.store %[[ACC]], %{{.+}}[%[[ROW]], %[[N]]] rows %{{.+}} : vector<4x16xf32>, memref<8x32xf32>
func.func private @a_panel_is_reused_over_tiles_of_rows() attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %h = llama.buffer_read @h at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <32x32, #llama.q4_1> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <32x32, #llama.q4_1> -> tensor<?x32xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x32xf32>
  return
}
llama.weight @w : 32x32 formats [#llama.q4_1]

// -----

// Weights that one epilogue joins are one group; others are groups of their own,
// whose parts follow each other. A norm is staged once a call, whatever part.

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @s : tensor<1x48xf32> at 128
llama.buffer @t : tensor<1x16xf32> at 320

// CHECK-LABEL: func.func private @a_norm_is_staged_once_for_all_groups
// CHECK:         tile.sum {{.*}} order <lanes = 16> : memref<1x32xf32> -> vector<1xf32>
// CHECK:           arith.mulf
// CHECK:         math.sqrt
// CHECK:         %[[ROWS:.+]] = tile.stage %{{.+}}[%{{.+}}] rows(%{{.+}} : vector<1xf32>) columns(%{{.+}} : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32>
// CHECK-NOT:     tile.stage
// Parts 0 and 1: gate and up.
// CHECK:         scf.for
// CHECK:           %[[GATE:.+]] = tile.contract %[[ROWS]]
// CHECK:           %[[UP:.+]] = tile.contract %[[ROWS]]
// CHECK:           %[[MINUS:.+]] = arith.negf %[[GATE]]
// CHECK:           %[[EXP:.+]] = math.exp %[[MINUS]]
// CHECK:           %[[ONE:.+]] = arith.addf %[[EXP]]
// CHECK:           %[[SILU:.+]] = arith.divf %[[GATE]], %[[ONE]]
// CHECK:           arith.mulf %[[SILU]], %[[UP]]
// Part 2: a silu alone.
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           arith.subi %[[PART]], %{{c2(_[0-9]+)?}}
// CHECK:           %[[T:.+]] = tile.contract %[[ROWS]]
// CHECK:           arith.divf %[[T]]
// CHECK:         return
func.func private @a_norm_is_staged_once_for_all_groups() attributes {llama.partition = #llama.partition<rows = [48, 16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
  %wg = llama.weight_ref @wg : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 1
  %wu = llama.weight_ref @wu : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 2
  %wt = llama.weight_ref @wt : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 3
  %gate = llama.linear %h, %wg order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %up = llama.linear %h, %wu order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q8_0> -> tensor<1x48xf32>
  %t = llama.linear %h, %wt order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  %s = llama.swiglu %gate, %up : tensor<1x48xf32>
  %u = llama.silu %t : tensor<1x16xf32>
  llama.buffer_write %s, @s at 128 : tensor<1x48xf32>
  llama.buffer_write %u, @t at 320 : tensor<1x16xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @wg : 48x32 formats [#llama.q4_0]
llama.weight @wu : 48x32 formats [#llama.q8_0]
llama.weight @wt : 16x32 formats [#llama.q8_0]

// -----

// RoPE is arithmetic on the tile: x cos + swapped x signed sin. What the angles
// are stays beside the kernels. Keys and values go to the cache by position.

llama.buffer @h : tensor<1x32xf32> at 0
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor

// CHECK:       llama.rope_table head 16 base 5.000000e+05
// CHECK-LABEL: func.func private @keys_are_turned_and_appended
// CHECK-SAME:    (%[[CTX:[^:]+]]: !tile.context, %[[LAYER:[^:]+]]: i32
// CHECK:         %[[K:.+]] = tile.contract
// CHECK:         %[[COS:.+]] = tile.rope_row %[[CTX]][%{{.+}}, %[[N:.+]]] head 16 : vector<1x16xf32>
// CHECK:         %[[SIN:.+]] = tile.rope_row %[[CTX]][%{{.+}}, %[[N]]] head 16 sine : vector<1x16xf32>
// CHECK:         %[[SWAPPED:.+]] = tile.swap_pairs %[[K]]
// CHECK:         %[[TURNED:.+]] = arith.mulf %[[K]], %[[COS]]
// CHECK:         %[[ROPE:.+]] = math.fma %[[SWAPPED]], %[[SIN]], %[[TURNED]]
// CHECK:         %[[CACHE:.+]] = tile.cache %[[CTX]][%{{.+}}] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
// CHECK:         tile.append "keys" %[[ROPE]], %[[CACHE]], %[[CTX]][%{{.+}}, %[[N]]] rows %{{.+}} : vector<1x16xf32>, <2x1x16, f16>
// CHECK:         %[[V:.+]] = tile.contract
// CHECK:         tile.append "values" %[[V]]
func.func private @keys_are_turned_and_appended(%l: index) attributes {llama.partition = #llama.partition<rows = [16, 16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %h = llama.buffer_read @h at 0 : tensor<1x32xf32>
  %pos = llama.input positions : tensor<1xi32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %k = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  %v = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <16x32, #llama.q8_0> -> tensor<1x16xf32>
  %kr = llama.rope %k, %pos base 5.0e+05 heads 1 : tensor<1x16xf32>, tensor<1xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : <2x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

// A block of keys alone: scores with -inf where a key is not visible, their
// maximum, exp, the sum, the weighted values; all three are left in the buffer.

llama.buffer @q : tensor<1x32xf32> at 0
llama.buffer @p : tensor<1x2x8x18xf32> at 128
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor

// CHECK-LABEL: func.func private @a_block_of_keys_is_attended_alone
// CHECK:         %[[SCORES:.+]] = tile.scratch : memref<2x256xf32>
// CHECK:         scf.for
// CHECK:           %[[Q:.+]] = tile.stage %{{.+}}[%{{.+}}] : memref<2x16xf32> -> <2x16xf32>
// CHECK:           scf.for
// CHECK:             %[[S:.+]] = tile.score_keys %[[Q]]
// CHECK:             %[[SEEN:.+]] = tile.causal_mask %{{.+}}, %{{.+}} advance 0 : vector<2x16xi1>
// CHECK:             %[[MASKED:.+]] = arith.select %[[SEEN]], %[[S]]
// CHECK:             tile.store %[[MASKED]], %[[SCORES]]
// CHECK:           %[[MAX:.+]] = tile.reduce_lanes "max"
// CHECK:           scf.for
// CHECK:             math.exp
// CHECK:           %[[SUM:.+]] = tile.reduce_lanes "add"
// CHECK:           %[[O:.+]] = tile.sum_values %[[SCORES]], {{.*}} advance 0 : memref<2x256xf32>, <2x1x16, f16> -> vector<2x16xf32>
// CHECK:           tile.store %[[O]], %[[P:.+]][%{{.+}}, %{{.+}}] : vector<2x16xf32>, memref<2x144xf32>
// CHECK:           %[[M0:.+]] = vector.extract %[[MAX]][0]
// CHECK:           %[[S0:.+]] = vector.extract %[[SUM]][0]
// CHECK:           memref.store %[[M0]], %[[P]]
// CHECK:           memref.store %[[S0]], %[[P]]
func.func private @a_block_of_keys_is_attended_alone(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<1x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  llama.buffer_write %p, @p at 128 : tensor<1x2x?x18xf32>
  return
}

// -----

// In a ring a block of keys is found at the position of its first key modulo the
// ring's, once; keys are masked by position all the same.

llama.buffer @q : tensor<1x32xf32> at 0
llama.buffer @p : tensor<1x2x8x18xf32> at 128
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [768, 0]

// CHECK-LABEL: func.func private @a_block_of_a_ring
// CHECK:         %[[KV:.+]] = tile.cache %{{.+}} : <2x1x16, f16 ring 768> keys #llama.keys_interleaved16 values #llama.rowmajor apart
// CHECK:         %[[FIRST:[0-9]+]] = arith.muli %{{[0-9]+}}, %c256 :
// CHECK:         %[[PLACE:.+]] = arith.remui %[[FIRST]], %c768
// CHECK:         scf.for %[[K:[a-z0-9]+]] =
// CHECK:           %[[KEY:.+]] = arith.addi %[[FIRST]], %[[K]]
// CHECK:           %[[AT:.+]] = arith.addi %[[PLACE]], %[[K]]
// CHECK:           tile.score_keys %{{.+}}, %[[KV]][%{{.+}}, %[[AT]]]
// CHECK:           tile.causal_mask %[[KEY]], %{{.+}} advance 0 window 257
// CHECK:         tile.sum_values %{{.+}}, %[[KV]][%{{.+}}, %[[PLACE]], %{{.+}}] count %{{.+}} advance 0 window 257
func.func private @a_block_of_a_ring(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<1x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16 ring 768>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 window 257 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16 ring 768>, tensor<1xi32> -> tensor<1x2x?x18xf32>
  llama.buffer_write %p, @p at 128 : tensor<1x2x?x18xf32>
  return
}

// -----

// Scores of 32 keys at once, where a tile has so many, weights by the lanes of their sum.

module attributes {llama.target = #cpu.target<name = "icelake-server", features = "+avx2,+fma,+avx512f", vector_bits = 512>} {
  llama.buffer @q : tensor<1x32xf32> at 0
  llama.buffer @p : tensor<1x2x8x18xf32> at 128
  llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor

  // CHECK-LABEL: func.func private @tiles_wider_than_a_sum
  // CHECK:         %[[MAX:.+]] = scf.for %{{.+}} step %c32{{.*}} -> (vector<2x32xf32>)
  // CHECK:           tile.score_keys {{.*}} -> vector<2x32xf32>
  // CHECK:         tile.reduce_lanes "max" %[[MAX]] : vector<2x32xf32>
  // CHECK:         %[[SUM:.+]] = scf.for %{{.+}} step %c16{{.*}} -> (vector<2x16xf32>)
  // CHECK:           math.exp %{{.+}} : vector<2x16xf32>
  // CHECK:         tile.reduce_lanes "add" %[[SUM]] : vector<2x16xf32>
  func.func private @tiles_wider_than_a_sum(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 32>} {
    %q = llama.buffer_read @q at 0 : tensor<1x32xf32>
    %kv = llama.input cache : !llama.cache<2x1x16, f16>
    %pos = llama.input positions : tensor<1xi32>
    %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<1x32xf32>, <2x1x16, f16>, tensor<1xi32> -> tensor<1x2x?x18xf32>
    llama.buffer_write %p, @p at 128 : tensor<1x2x?x18xf32>
    return
  }
}

// -----

// Blocks are merged left to right by every part's prologue; a head of 20 elements
// takes tiles of 32, of which 20 are read and written.

llama.buffer @p : tensor<1x2x8x22xf32> at 0
llama.buffer @x : tensor<1x32xf32> at 1408

// CHECK-LABEL: func.func private @blocks_are_merged_left_to_right
// CHECK:         %[[ROW:.+]] = tile.scratch : memref<1x40xf32>
// CHECK:         %[[KEYS:.+]] = tile.key_count
// CHECK:         %[[BLOCKS:.+]] = arith.ceildivsi %[[KEYS]], %{{c256(_[0-9]+)?}}
// CHECK:         scf.parallel (%[[HEAD:.+]]) = (%{{c0(_[0-9]+)?}}) to (%{{c2(_[0-9]+)?}})
// CHECK:           %[[ALL:.+]]:3 = scf.for %{{.+}} = %{{c0(_[0-9]+)?}} to %[[BLOCKS]] step %{{c1(_[0-9]+)?}} iter_args(%[[M:.+]] = %{{.+}}, %[[S:.+]] = %{{.+}}, %[[O:.+]] = %{{.+}}) -> (vector<1xf32>, vector<1xf32>, vector<1x32xf32>)
// CHECK:             tile.load %{{.+}}[%[[HEAD]], %{{.+}}] columns %{{.+}} : memref<2x176xf32> -> vector<1x32xf32>
// CHECK:             %[[GREATER:.+]] = arith.cmpf ogt, %[[MI:.+]], %[[M]]
// CHECK:             %[[NEW:.+]] = arith.select %[[GREATER]], %[[MI]], %[[M]]
// CHECK:             math.fma %[[S]]
// CHECK:             math.fma %[[O]]
// CHECK:           arith.divf %[[ALL]]#2
// CHECK:           tile.store %{{.+}}, %[[ROW]][%{{c0(_[0-9]+)?}}, %{{.+}}] columns %{{.+}} : vector<1x32xf32>, memref<1x40xf32>
// CHECK:         %[[STAGED:.+]] = tile.stage %[[ROW]]
// CHECK:         tile.contract %[[STAGED]]
func.func private @blocks_are_merged_left_to_right() attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %p = llama.buffer_read @p at 0 : tensor<1x2x?x22xf32>
  %a = llama.attention_merge %p heads 2 keys 256 : tensor<1x2x?x22xf32> -> tensor<1x40xf32>
  %w = llama.weight_ref @w : <32x40, #llama.f16> in #llama.interleaved16<k = 1> index 0
  %o = llama.linear %a, %w order <unit = #cpu.fma, block = 32> : tensor<1x40xf32>, <32x40, #llama.f16> -> tensor<1x32xf32>
  llama.buffer_write %o, @x at 1408 : tensor<1x32xf32>
  return
}
llama.weight @w : 32x40 formats [#llama.f16]

// -----

// A tile of 8 rows keeps maximum, sum and accumulator and merges after each block;
// a row that sees no key of a block keeps what it had.

llama.buffer @q : tensor<16x32xf32> at 0
llama.buffer @a : tensor<16x32xf32> at 2048
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor

// CHECK-LABEL: func.func private @rows_attend_block_after_block
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[ROW:.+]] = arith.muli %{{.+}}, %{{c8(_[0-9]+)?}}
// CHECK:           %[[POS:.+]] = tile.position %{{.+}}[%[[ROW]]]
// CHECK:           scf.for
// CHECK:             %[[Q:.+]] = tile.stage %{{.+}}[%{{.+}}] every 2 : memref<32x16xf32> -> <8x16xf32>
// CHECK:             %[[ALL:.+]]:3 = scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8x16xf32>)
// CHECK:               tile.score_keys %[[Q]]
// CHECK:               tile.causal_mask %{{.+}}, %[[POS]] advance 1 : vector<8x16xi1>
// CHECK:               tile.sum_values {{.*}} advance 1
// CHECK:               %[[SEES:.+]] = tile.causal_mask %{{.+}}, %[[POS]] advance 1 : vector<8xi1>
// CHECK:               arith.select %[[SEES]]
// CHECK:               arith.select %[[SEES]]
// CHECK:               %[[SPREAD:.+]] = tile.broadcast_rows %[[SEES]] : vector<8xi1> -> vector<8x16xi1>
// CHECK:               arith.select %[[SPREAD]]
// CHECK:             tile.store %{{.+}}, %{{.+}}[%[[ROW]], %{{.+}}] rows %{{.+}} : vector<8x16xf32>, memref<16x32xf32>
func.func private @rows_attend_block_after_block(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 8>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<?x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<?xi32>
  %a = llama.attention %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<?x32xf32>, <2x1x16, f16>, tensor<?xi32>
  llama.buffer_write %a, @a at 2048 : tensor<?x32xf32>
  return
}

// -----

// Tensor cores have a part for each head, those of the last rows first. Weights go from
// one product to the other as a tile, and a head's elements are summed 64 at a time.

llama.buffer @q : tensor<128x384xf32> at 0
llama.buffer @a : tensor<128x384xf32> at 196608
llama.cache_layout !llama.cache<2x2x96, f16> keys #llama.rowmajor values #llama.rowmajor

// CHECK-LABEL: func.func private @tensor_cores_attend
// CHECK-NOT:     tile.scratch
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[TILE:.+]] = arith.divsi %[[PART]], %{{c4(_[0-9]+)?}}
// CHECK:           %[[SHARE:.+]] = arith.remsi %[[PART]], %{{c4(_[0-9]+)?}}
// CHECK:           %[[TILES:.+]] = arith.ceildivsi %{{.+}}, %{{c64(_[0-9]+)?}}
// CHECK:           %[[LAST:.+]] = arith.subi %[[TILES]], %{{c1(_[0-9]+)?}}
// CHECK:           arith.subi %[[LAST]], %[[TILE]]
// CHECK:           %[[HEAD:.+]] = arith.divsi %[[SHARE]], %{{c2(_[0-9]+)?}}
// CHECK:           %[[Q:.+]] = tile.stage {{.*}} every 4 : memref<512x96xf32> -> <64x96xf32>
// CHECK:             tile.score_keys %[[Q]][%{{.+}}], %{{.+}}[%[[HEAD]], %[[FIRST:.+]]] order <unit = #cuda.mma> {{.*}} -> vector<64x64xf32>
// CHECK:             math.exp %{{.+}} : vector<64x64xf32>
// CHECK:             %[[W:.+]] = arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<64x64xi1>, vector<64x64xf32>
// CHECK-NOT:         tile.store
// CHECK:             tile.sum_values %[[W]], %{{.+}}[%[[HEAD]], %[[FIRST]], %{{c0(_[0-9]+)?}}] {{.*}} order <unit = #cuda.mma> : {{.*}} -> vector<64x64xf32>
// CHECK:             tile.sum_values %[[W]], %{{.+}}[%[[HEAD]], %[[FIRST]], %{{c64(_[0-9]+)?}}] {{.*}} order <unit = #cuda.mma> : {{.*}} -> vector<64x32xf32>
func.func private @tensor_cores_attend(%l: index) attributes {llama.partition = #llama.partition<of = rows, by = 64, times = 4>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64>} {
  %q = llama.buffer_read @q at 0 : tensor<?x384xf32>
  %kv = llama.input cache : !llama.cache<2x2x96, f16>
  %pos = llama.input positions : tensor<?xi32>
  %a = llama.attention %q, %kv[%l], %pos causal heads 4 keys 64 order <unit = #cuda.mma> : tensor<?x384xf32>, <2x2x96, f16>, tensor<?xi32>
  llama.buffer_write %a, @a at 196608 : tensor<?x384xf32>
  return
}

// -----

// Rows are parts where no weight is multiplied.

llama.buffer @x : tensor<8x24xf32> at 0
llama.buffer @h : tensor<8x24xf32> at 768

// CHECK-LABEL: func.func private @rows_of_the_embedding_are_decoded
// CHECK:         scf.for
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:             %[[ID:.+]] = tile.token %{{.+}}[%[[ROW]]]
// CHECK:             scf.for %[[COLUMN:.+]] = %{{c0(_[0-9]+)?}} to %{{c24(_[0-9]+)?}} step %{{c16(_[0-9]+)?}}
// CHECK:               %[[VALUES:.+]] = tile.decode %{{.+}}[%[[ID]], %[[COLUMN]]] : <10x24, #llama.bf16> -> vector<1x16xf32>
// CHECK:               tile.store %[[VALUES]], %{{.+}}[%[[ROW]], %[[COLUMN]]] rows %{{.+}} : vector<1x16xf32>, memref<8x24xf32>
func.func private @rows_of_the_embedding_are_decoded() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %ids = llama.input ids : tensor<?xi32>
  %w = llama.weight_ref @token_embd : <10x24, #llama.bf16> in #llama.interleaved16<k = 2> index 0
  %x = llama.embed %ids, %w : tensor<?xi32>, <10x24, #llama.bf16> -> tensor<?x24xf32>
  llama.buffer_write %x, @x at 0 : tensor<?x24xf32>
  return
}

// CHECK-LABEL: func.func private @a_norm_alone_goes_row_by_row
// CHECK:         scf.for
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:             tile.sum %{{.+}}[%[[ROW]]]
// CHECK:             scf.for %[[COLUMN:.+]] = %{{c0(_[0-9]+)?}} to %{{c24(_[0-9]+)?}} step %{{c16(_[0-9]+)?}}
// CHECK:               tile.load %{{.+}}[%[[ROW]], %[[COLUMN]]] rows %{{.+}} : memref<8x24xf32> -> vector<1x16xf32>
// CHECK:               tile.broadcast_rows
// CHECK:               tile.column_values %{{.+}}[%[[COLUMN]]] : <24, #llama.f32> -> vector<1x16xf32>
// CHECK:               tile.store
func.func private @a_norm_alone_goes_row_by_row() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x24xf32>
  %g = llama.weight_ref @g : <24, #llama.f32> in #llama.rowmajor index 1
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<?x24xf32>, <24, #llama.f32>
  llama.buffer_write %h, @h at 768 : tensor<?x24xf32>
  return
}
llama.weight @token_embd : 10x24 formats [#llama.bf16]
llama.weight @g : 24 formats [#llama.f32]

// -----

// The LM head reads one row of the carried ones: the runtime says which.

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @logits : tensor<1x64xf32> at 1024

// CHECK-LABEL: func.func private @the_head_reads_one_row
// CHECK:         %[[X:.+]] = tile.buffer %{{.+}} @x at 0 : memref<8x32xf32>
// CHECK:         %[[ROW:.+]] = tile.wanted_row %{{.+}}[%c0]
// CHECK:         tile.sum %[[X]][%[[ROW]]]
// CHECK:         tile.stage %[[X]][%[[ROW]]] rows
// CHECK:         tile.contract
func.func private @the_head_reads_one_row() attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %row = llama.input wanted : tensor<1xi32>
  %x = llama.buffer_read @x[%row : tensor<1xi32>] at 0 : tensor<1x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
  %w = llama.weight_ref @w : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 1
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <64x32, #llama.q8_0> -> tensor<1x64xf32>
  llama.buffer_write %y, @logits at 1024 : tensor<1x64xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @w : 64x32 formats [#llama.q8_0]

// -----

// Few rows: all of a call are one tile, staged once; no panel, because each row of
// the weight is read once. What the tile has beyond the call's rows is not stored.

llama.buffer @x : tensor<4x32xf32> at 0
llama.buffer @y : tensor<4x64xf32> at 1024

// CHECK-LABEL: func.func private @few_rows_are_one_tile
// CHECK:         %[[X:.+]] = tile.buffer %{{.+}} @x at 0 : memref<4x32xf32>
// CHECK:         tile.sum %[[X]][%{{c0(_[0-9]+)?}}] order <lanes = 16> : memref<4x32xf32> -> vector<4xf32>
// CHECK:         %[[H:.+]] = tile.stage %[[X]][%{{c0(_[0-9]+)?}}] rows(%{{.+}} : vector<4xf32>) {{.*}} -> <4x32xf32>
// CHECK-NOT:     tile.panel
// CHECK:         scf.for
// CHECK:           scf.for %[[N:.+]] =
// CHECK-NOT:         scf.for
// CHECK:             %[[Y:.+]] = tile.contract %[[H]][%{{c0(_[0-9]+)?}}], %{{.+}}[%[[N]]] {{.*}} -> vector<4x16xf32>
// CHECK:             tile.store %[[Y]], %{{.+}}[%{{c0(_[0-9]+)?}}, %[[N]]] rows %{{.+}} : vector<4x16xf32>, memref<4x64xf32>
func.func private @few_rows_are_one_tile() attributes {llama.rows = 3, llama.partition = #llama.partition<rows = [64], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<?x32xf32>, <32, #llama.f32>
  %w = llama.weight_ref @w : <64x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 1
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <64x32, #llama.q8_0> -> tensor<?x64xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x64xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]
llama.weight @w : 64x32 formats [#llama.q8_0]

// -----

// Attention of few rows: a part is a block of keys, for one row of the call after
// the other, each up to its own position.

llama.buffer @q : tensor<2x32xf32> at 0
llama.buffer @p : tensor<2x2x8x18xf32> at 256
llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor

// CHECK-LABEL: func.func private @parts_of_few_rows
// CHECK:         %[[Q:.+]] = tile.buffer %{{.+}} @q at 0 : memref<4x16xf32>
// CHECK:         %[[P:.+]] = tile.buffer %{{.+}} @p at 256 : memref<4x144xf32>
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[ROWS:.+]] = tile.row_count
// CHECK:           scf.for %[[ROW:.+]] = %{{c0(_[0-9]+)?}} to %[[ROWS]] step %{{c1(_[0-9]+)?}}
// CHECK:             %[[POSITION:.+]] = tile.position %{{.+}}[%[[ROW]]]
// CHECK:             %[[HEADS:.+]] = arith.muli %[[ROW]], %{{c2(_[0-9]+)?}}
// CHECK:             tile.stage %[[Q]][%{{.+}}] : memref<4x16xf32> -> <2x16xf32>
// CHECK:             tile.causal_mask %{{.+}}, %[[POSITION]] advance 0 : vector<2x16xi1>
func.func private @parts_of_few_rows(%l: index) attributes {llama.rows = 2, llama.partition = #llama.partition<of = keys, by = 256, times = 1>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<?x32xf32>
  %kv = llama.input cache : !llama.cache<2x1x16, f16>
  %pos = llama.input positions : tensor<?xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 256 order <lanes = 16> : tensor<?x32xf32>, !llama.cache<2x1x16, f16>, tensor<?xi32> -> tensor<?x2x?x18xf32>
  llama.buffer_write %p, @p at 256 : tensor<?x2x?x18xf32>
  return
}

// -----

// The parts of each row are merged up to its own position, before the product.

llama.buffer @p : tensor<2x2x8x18xf32> at 256
llama.buffer @y : tensor<2x16xf32> at 0

// CHECK-LABEL: func.func private @few_rows_are_merged
// CHECK:         %[[P:.+]] = tile.buffer %{{.+}} @p at 256 : memref<4x144xf32>
// CHECK:         %[[A:.+]] = tile.scratch : memref<2x32xf32>
// CHECK:         scf.for %[[ROW:.+]] =
// CHECK:           tile.position %{{.+}}[%[[ROW]]]
// CHECK:           scf.parallel (%[[HEAD:.+]]) =
// CHECK:             tile.store %{{.+}}, %[[A]][%[[ROW]], %{{.+}}] : vector<1x16xf32>, memref<2x32xf32>
// CHECK:         %[[STAGED:.+]] = tile.stage %[[A]][%{{c0(_[0-9]+)?}}] : memref<2x32xf32> -> <2x32xf32>
// CHECK:         tile.contract %[[STAGED]][%{{c0(_[0-9]+)?}}], {{.*}} -> vector<2x16xf32>
func.func private @few_rows_are_merged() attributes {llama.rows = 2, llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 2, n = 16>} {
  %p = llama.buffer_read @p at 256 : tensor<?x2x?x18xf32>
  %a = llama.attention_merge %p heads 2 keys 256 : tensor<?x2x?x18xf32> -> tensor<?x32xf32>
  %w = llama.weight_ref @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %a, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <16x32, #llama.q8_0> -> tensor<?x16xf32>
  llama.buffer_write %y, @y at 0 : tensor<?x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q8_0]

// -----

// A head of several rows gathers them: row r is the one that the context lists.

llama.buffer @x : tensor<512x32xf32> at 0
llama.buffer @rows : tensor<8x32xf32> at 65536

// CHECK-LABEL: func.func private @wanted
// CHECK:         scf.for %{{.+}} =
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:             scf.for %[[COLUMN:.+]] =
// CHECK:               %[[X:.+]] = tile.buffer %{{.+}} @x at 0 : memref<512x32xf32>
// CHECK:               %[[SOURCE:.+]] = tile.wanted_row %{{.+}}[%[[ROW]]]
// CHECK:               %[[VALUES:.+]] = tile.load %[[X]][%[[SOURCE]], %[[COLUMN]]] : memref<512x32xf32> -> vector<1x16xf32>
// CHECK:               tile.store %[[VALUES]], %{{.+}}[%[[ROW]], %[[COLUMN]]] rows %{{.+}} : vector<1x16xf32>, memref<8x32xf32>
func.func private @wanted() attributes {llama.rows = 8, llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %wanted = llama.input wanted : tensor<?xi32>
  %x = llama.buffer_read @x[%wanted : tensor<?xi32>] at 0 : tensor<?x32xf32>
  llama.buffer_write %x, @rows at 65536 : tensor<?x32xf32>
  return
}

// -----

// What is no kernel stays: CHECK lines of tensors show it.

// CHECK-LABEL: func.func private @a_function_without_a_partition_is_no_kernel
// CHECK:         llama.add %{{.+}}, %{{.+}} : tensor<1x32xf32>
func.func private @a_function_without_a_partition_is_no_kernel(%x: tensor<1x32xf32>) -> tensor<1x32xf32> {
  %y = llama.add %x, %x : tensor<1x32xf32>
  return %y : tensor<1x32xf32>
}

// -----

// On a GPU a block has no room for decoded rows: no panel, one row of the call
// after the other. Where the format has minima each lane sums its blocks itself.

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x32xf32> at 1024

// CHECK-LABEL: func.func private @a_block_reads_rows_one_by_one
// CHECK-NOT:     tile.panel
// CHECK-NOT:     tile.block_sums
// CHECK:         scf.for %[[N:.+]] = %{{.+}} to %{{.+}} step %{{c16(_[0-9]+)?}}
// CHECK:           scf.for %[[ROW:.+]] = %{{c0(_[0-9]+)?}} to %{{.+}} step %{{c1(_[0-9]+)?}}
// CHECK:             tile.contract %{{.+}}[%[[ROW]]], %{{.+}}[%[[N]]] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <8x32xf32>, !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
func.func private @a_block_reads_rows_one_by_one() attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <32x32, #llama.q4_1> in #llama.rowmajor_split index 0
  %y = llama.linear %x, %w order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : tensor<?x32xf32>, <32x32, #llama.q4_1> -> tensor<?x32xf32>
  llama.buffer_write %y, @y at 1024 : tensor<?x32xf32>
  return
}
llama.weight @w : 32x32 formats [#llama.q4_1]

// -----

// Tensor cores: a part is one of the tiles of rows, whose number is the remainder,
// times a tile of the weight.

llama.buffer @x : tensor<512x32xf16> at 0
llama.buffer @y : tensor<512x160xf32> at 32768

// CHECK-LABEL: func.func private @a_part_is_a_tile_of_rows_times_a_tile_of_the_weight
// CHECK:         %[[X:.+]] = tile.buffer_rows %{{.+}} @x at 0 : <512x32xf16>
// CHECK:         %[[TILES:.+]] = arith.divui %{{.+}}, %{{c64(_[0-9]+)?}}
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[NUMBER:.+]] = arith.divui %[[PART]], %[[TILES]]
// CHECK:           %[[TILE:.+]] = arith.remui %[[PART]], %[[TILES]]
// CHECK:           %[[ROW:.+]] = arith.muli %[[TILE]], %{{c64(_[0-9]+)?}}
// CHECK:           %[[N:.+]] = arith.muli %[[NUMBER]], %{{c64(_[0-9]+)?}}
// CHECK-NOT:       scf.for
// CHECK:           %[[ACC:.+]] = tile.contract %[[X]][%[[ROW]]], %{{.+}}[%[[N]]] order <unit = #cuda.mma, block = 32, scale = outer> : <512x32xf16>, !llama.weight<160x32, #llama.q8_0> -> vector<64x64xf32>
// CHECK:           tile.store %[[ACC]], %{{.+}}[%[[ROW]], %[[N]]] rows %{{.+}} : vector<64x64xf32>, memref<512x160xf32>
func.func private @a_part_is_a_tile_of_rows_times_a_tile_of_the_weight() attributes {llama.partition = #llama.partition<rows = [160], by = 64, rows_by = 64>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf16>
  %w = llama.weight_ref @w : <160x32, #llama.q8_0> in #llama.rowmajor_split index 0
  %y = llama.linear %x, %w order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <160x32, #llama.q8_0> -> tensor<?x160xf32>
  llama.buffer_write %y, @y at 32768 : tensor<?x160xf32>
  return
}
llama.weight @w : 160x32 formats [#llama.q8_0]

// -----

// Two groups: a tile of the weight is of one of them.

llama.buffer @x : tensor<512x32xf16> at 0
llama.buffer @y : tensor<512x128xf32> at 32768
llama.buffer @z : tensor<512x64xf32> at 294912

// CHECK-LABEL: func.func private @tiles_of_two_groups
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:         %[[NUMBER:.+]] = arith.divui %[[PART]],
// CHECK:         %[[FIRST:.+]] = arith.cmpi ult, %[[NUMBER]], %{{c2(_[0-9]+)?}}
// CHECK:         scf.if %[[FIRST]]
// CHECK:           tile.store %{{.+}} : vector<64x64xf32>, memref<512x128xf32>
// CHECK:         scf.for %[[SAME:.+]] =
// CHECK:         %[[OTHER:.+]] = arith.divui %[[SAME]],
// CHECK:         %[[OWN:.+]] = arith.subi %[[OTHER]], %{{c2(_[0-9]+)?}}
// CHECK:         %[[SECOND:.+]] = arith.cmpi ult, %[[OWN]], %{{c1(_[0-9]+)?}}
// CHECK:         scf.if %[[SECOND]]
// CHECK:           tile.store %{{.+}} : vector<64x64xf32>, memref<512x64xf32>
func.func private @tiles_of_two_groups() attributes {llama.partition = #llama.partition<rows = [128, 64], by = 64, rows_by = 64>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf16>
  %w = llama.weight_ref @w : <128x32, #llama.q8_0> in #llama.rowmajor_split index 0
  %v = llama.weight_ref @v : <64x32, #llama.f16> in #llama.rowmajor_split index 1
  %y = llama.linear %x, %w order <unit = #cuda.mma, block = 32, scale = outer> : tensor<?x32xf16>, <128x32, #llama.q8_0> -> tensor<?x128xf32>
  %z = llama.linear %x, %v order <unit = #cuda.mma, block = 32> : tensor<?x32xf16>, <64x32, #llama.f16> -> tensor<?x64xf32>
  llama.buffer_write %y, @y at 32768 : tensor<?x128xf32>
  llama.buffer_write %z, @z at 294912 : tensor<?x64xf32>
  return
}
llama.weight @w : 128x32 formats [#llama.q8_0]
llama.weight @v : 64x32 formats [#llama.f16]

// -----

// What is rounded by blocks of a row stands in scratch until the part's tiles of
// rows are there: 64 rows of 32 columns.

llama.buffer @x : tensor<512x32xf32> at 0
llama.buffer @y : tensor<512x32x!llama.q8b32> at 65536

// CHECK-LABEL: func.func private @rows_rounded_by_tiles_of_rows
// CHECK:         %[[SCRATCH:.+]] = tile.scratch : memref<64x32xf32>
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[TILE:.+]] = arith.remui %[[PART]], %{{.+}}
// CHECK:           %[[ROW:.+]] = arith.muli %[[TILE]], %{{c64(_[0-9]+)?}}
// CHECK:           %[[NEXT:.+]] = arith.addi %[[ROW]], %{{c64(_[0-9]+)?}}
// CHECK:           %[[LAST:.+]] = arith.minsi %[[NEXT]], %{{.+}}
// CHECK:           scf.for %[[I:.+]] = %[[ROW]] to %[[LAST]] step %{{c8(_[0-9]+)?}}
// CHECK:             %[[OWN:.+]] = arith.subi %[[I]], %[[ROW]]
// CHECK:             tile.store %{{.+}}, %[[SCRATCH]][%[[OWN]], %{{.+}}]
// CHECK:           %[[COUNT:.+]] = arith.subi %[[LAST]], %[[ROW]]
// CHECK:           tile.round_rows %[[SCRATCH]], %{{.+}}[%[[ROW]], %{{.+}}] count %[[COUNT]]
func.func private @rows_rounded_by_tiles_of_rows() attributes {llama.partition = #llama.partition<rows = [32], by = 32, rows_by = 64>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 8, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<?x32xf32>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
  %r = llama.quantize %y : tensor<?x32xf32> to tensor<?x32x!llama.q8b32>
  llama.buffer_write %r, @y at 65536 : tensor<?x32x!llama.q8b32>
  return
}
llama.weight @w : 32x32 formats [#llama.q8_0]

// -----

// Rows for tensor cores are rounded where they are made. Row-wise kernels go by
// as many columns as the strategy says.

llama.buffer @x : tensor<64x600xf32> at 0
llama.buffer @h : tensor<64x600xf16> at 153600

// CHECK-LABEL: func.func private @rows_are_rounded_to_halves
// CHECK:         scf.for %[[COLUMN:.+]] = %{{c0(_[0-9]+)?}} to %{{c600(_[0-9]+)?}} step %{{c256(_[0-9]+)?}}
// CHECK:           %[[X:.+]] = tile.load %{{.+}}[%{{.+}}, %[[COLUMN]]] rows %{{.+}} : memref<64x600xf32> -> vector<1x256xf32>
// CHECK:           %[[H:.+]] = arith.truncf %[[X]] : vector<1x256xf32> to vector<1x256xf16>
// CHECK:           tile.store %[[H]], %{{.+}}[%{{.+}}, %[[COLUMN]]] rows %{{.+}} : vector<1x256xf16>, memref<64x600xf16>
func.func private @rows_are_rounded_to_halves() attributes {llama.partition = #llama.partition<of = rows, by = 1>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>} {
  %x = llama.buffer_read @x at 0 : tensor<?x600xf32>
  %h = llama.quantize %x : tensor<?x600xf32> to tensor<?x600xf16>
  llama.buffer_write %h, @h at 153600 : tensor<?x600xf16>
  return
}

// -----

// Of 24 heads that share keys a part has 8: part 1 is heads 8 to 15, of the same
// head of keys.

llama.buffer @q : tensor<1x1536xf32> at 0
llama.buffer @p : tensor<1x48x1x34xf32> at 6144
llama.cache_layout !llama.cache<2x2x32, f16> keys #llama.rowmajor values #llama.rowmajor

// CHECK-LABEL: func.func private @some_of_the_heads_that_share_keys
// CHECK:         %[[BLOCK:.+]] = arith.divsi %[[PART:.+]], %{{c6(_[0-9]+)?}} : index
// CHECK:         %[[SHARE:.+]] = arith.remsi %[[PART]], %{{c6(_[0-9]+)?}} : index
// CHECK:         %[[FIRST:.+]] = arith.muli %[[SHARE]], %{{c8(_[0-9]+)?}} : index
// CHECK:         %[[HEAD:.+]] = arith.divsi %[[FIRST]], %{{c24(_[0-9]+)?}} : index
// CHECK:         tile.stage %{{.+}}[%[[FIRST]]]
// CHECK:         tile.score_keys %{{.+}}, %{{.+}}[%[[HEAD]], {{.*}} -> vector<8x128xf32>
// CHECK:         return
func.func private @some_of_the_heads_that_share_keys(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256, times = 6>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 8, n = 128>} {
  %q = llama.buffer_read @q at 0 : tensor<1x1536xf32>
  %kv = llama.input cache : !llama.cache<2x2x32, f16>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 48 keys 256 order <lanes = 128> : tensor<1x1536xf32>, <2x2x32, f16>, tensor<1xi32> -> tensor<1x48x?x34xf32>
  llama.buffer_write %p, @p at 6144 : tensor<1x48x?x34xf32>
  return
}

// -----

// Keys go by tiles of the block's threads; a head's elements are one tile,
// because each thread has its own.

llama.buffer @q : tensor<1x1024xf32> at 0
llama.buffer @p : tensor<1x8x8x130xf32> at 4096
llama.cache_layout !llama.cache<2x1x128, f16> keys #llama.rowmajor values #llama.rowmajor

// CHECK-LABEL: func.func private @a_tile_of_keys_is_as_wide_as_the_block
// CHECK:         scf.for %{{.+}} = %{{.+}} to %{{.+}} step %{{c128(_[0-9]+)?}} iter_args({{.*}}) -> (vector<8x128xf32>)
// CHECK:           tile.score_keys {{.*}} -> vector<8x128xf32>
// CHECK:         tile.sum_values {{.*}} -> vector<8x128xf32>
// CHECK-NOT:     tile.sum_values
// CHECK:         return
func.func private @a_tile_of_keys_is_as_wide_as_the_block(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 8, n = 128>} {
  %q = llama.buffer_read @q at 0 : tensor<1x1024xf32>
  %kv = llama.input cache : !llama.cache<2x1x128, f16>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 8 keys 256 order <lanes = 128> : tensor<1x1024xf32>, <2x1x128, f16>, tensor<1xi32> -> tensor<1x8x?x130xf32>
  llama.buffer_write %p, @p at 4096 : tensor<1x8x?x130xf32>
  return
}

// -----

// Lanes share keys where the order has blocks: of 64 keys of 128 halves 16 lanes
// one key, and 32 lanes one value of 128 float32, so that values have 4 chains. The
// block is one tile, and no score is kept.

llama.buffer @q : tensor<1x256xf32> at 0
llama.buffer @p : tensor<1x2x4x130xf32> at 1024
llama.cache_layout !llama.cache<2x2x128, f16, f32> keys #llama.rowmajor values #llama.rowmajor

// CHECK-LABEL: func.func private @lanes_share_keys
// CHECK:         %[[WEIGHTS:.+]] = tile.scratch : memref<1x64xf32>
// CHECK:         scf.for
// CHECK-NOT:       scf.for
// CHECK:           %[[S:.+]] = tile.score_keys {{.*}} order <block = 8, lanes = 16>
// CHECK:           %[[SEEN:.+]] = tile.causal_mask
// CHECK:           %[[MASKED:.+]] = arith.select %[[SEEN]], %[[S]]
// CHECK:           tile.reduce_lanes "max" %[[MASKED]]
// CHECK:           %[[E:.+]] = math.exp
// CHECK:           %[[W:.+]] = arith.select %[[SEEN]], %[[E]], %{{.+}}
// CHECK:           tile.store %[[W]], %[[WEIGHTS]]
// CHECK:           tile.reduce_lanes "add" %[[W]]
// CHECK:           tile.sum_values %[[WEIGHTS]], {{.*}} order <lanes = 4>
// CHECK:         return
func.func private @lanes_share_keys(%l: index) attributes {llama.partition = #llama.partition<of = keys, by = 64, times = 2>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
  %q = llama.buffer_read @q at 0 : tensor<1x256xf32>
  %kv = llama.input cache : !llama.cache<2x2x128, f16, f32>
  %pos = llama.input positions : tensor<1xi32>
  %p = llama.attention_part %q, %kv[%l], %pos causal heads 2 keys 64 order <block = 8, lanes = 128> : tensor<1x256xf32>, <2x2x128, f16, f32>, tensor<1xi32> -> tensor<1x2x?x130xf32>
  llama.buffer_write %p, @p at 1024 : tensor<1x2x?x130xf32>
  return
}

// -----

// A kernel that merges: a part is a head. Parts of eight blocks are loaded before the
// first is merged; behind the last block they are it again, and change nothing.

llama.buffer @p : tensor<1x2x16x130xf32> at 0
llama.buffer @y : tensor<1x256xf32> at 16640

// CHECK-LABEL: func.func private @heads_merged_alone
// CHECK-DAG:     %[[P:.+]] = tile.buffer %{{.+}} @p at 0 : memref<32x130xf32>
// CHECK-DAG:     %[[Y:.+]] = tile.buffer %{{.+}} @y at 16640 : memref<2x128xf32>
// CHECK:         scf.for %[[HEAD:.+]] =
// CHECK:           %[[POSITION:.+]] = tile.position
// CHECK:           %[[LAST:.+]] = arith.divui %[[POSITION]], %{{c64(_[0-9]+)?}}
// CHECK:           %[[AFTER:.+]] = arith.addi %[[LAST]]
// CHECK:           %[[ROW:.+]] = arith.muli %[[HEAD]], %{{c16(_[0-9]+)?}}
// CHECK:           scf.for %[[FIRST:.+]] = %{{.+}} to %[[AFTER]] step %{{c8(_[0-9]+)?}}
// CHECK:             %[[BLOCK:.+]] = arith.minsi %{{.+}}, %[[LAST]]
// CHECK:             %[[AT:.+]] = arith.addi %[[ROW]], %[[BLOCK]]
// CHECK:             memref.load %[[P]][%[[AT]], %{{c128(_[0-9]+)?}}]
// CHECK-COUNT-8:     tile.load %[[P]]
// CHECK-NOT:         tile.load
// CHECK-COUNT-16:    math.exp
// CHECK:             arith.cmpi slt, %{{.+}}, %[[AFTER]]
// CHECK:             arith.select
// CHECK:           arith.divf
// CHECK:           tile.store %{{.+}}, %[[Y]][%[[HEAD]]
// CHECK:         return
func.func private @heads_merged_alone() attributes {llama.partition = #llama.partition<of = rows, by = 1, times = 2>, llama.strategy = #cuda.strategy<unit = #cuda.simt, threads = 128, n = 128>} {
  %p = llama.buffer_read @p at 0 : tensor<1x2x?x130xf32>
  %y = llama.attention_merge %p heads 2 keys 64 : tensor<1x2x?x130xf32> -> tensor<1x256xf32>
  llama.buffer_write %y, @y at 16640 : tensor<1x256xf32>
  return
}

// -----

// mul(silu(a), rope(b)) is one tile of both products.

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x48xf32> at 128

// CHECK-LABEL: func.func private @products_that_meet
// CHECK:         %[[A:.+]] = tile.contract %{{.+}}[%{{.+}}], %[[W:.+]][%[[N:.+]]] order
// CHECK:         %[[GATED:.+]] = arith.divf %[[A]]
// CHECK:         %[[B:.+]] = tile.contract %{{.+}}[%{{.+}}], %[[W]][%[[N]]] order
// CHECK:         %[[SWAPPED:.+]] = tile.swap_pairs %[[B]]
// CHECK:         %[[TURNED:.+]] = math.fma %[[SWAPPED]]
// CHECK:         %[[Y:.+]] = arith.mulf %[[GATED]], %[[TURNED]]
// CHECK:         tile.store %[[Y]]
// CHECK-NOT:     tile.contract
func.func private @products_that_meet(%l: index) attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %pos = llama.input positions : tensor<1xi32>
  %w = llama.weight_ref @blk::@w[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
  %a = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %b = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  %s = llama.silu %a : tensor<1x48xf32>
  %r = llama.rope %b, %pos base 1.0e+04 heads 3 : tensor<1x48xf32>, tensor<1xi32>
  %m = llama.mul %s, %r : tensor<1x48xf32>
  llama.buffer_write %m, @y at 128 : tensor<1x48xf32>
  return
}
llama.weights @blk layers 2 { llama.weight @w : 48x32 formats [#llama.q4_0] }

// -----

// A weight of a layer that is a constant is not the call's.

llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x48xf32> at 128

// CHECK-LABEL: func.func private @a_constant_layer
// CHECK:         %[[ONE:.+]] = arith.constant 1 : index
// CHECK:         tile.weight %{{.+}} @blk::@w[%[[ONE]]]
func.func private @a_constant_layer() attributes {llama.partition = #llama.partition<rows = [48], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %l = arith.constant 1 : index
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %w = llama.weight_ref @blk::@w[%l] : <48x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
  %a = llama.linear %x, %w order <unit = #cpu.fma, block = 32, scale = outer> : tensor<1x32xf32>, <48x32, #llama.q4_0> -> tensor<1x48xf32>
  llama.buffer_write %a, @y at 128 : tensor<1x48xf32>
  return
}
llama.weights @blk layers 2 { llama.weight @w : 48x32 formats [#llama.q4_0] }

// -----

// Merged heads that no product reads, and of which more is made, are a row of their
// own.

llama.buffer @p : tensor<1x2x4x18xf32> at 0
llama.buffer @y : tensor<1x32xf32> at 1024

// CHECK-LABEL: func.func private @attention_merge
// CHECK:         %[[ROW:.+]] = tile.scratch : memref<1x32xf32>
// CHECK:         scf.parallel
// CHECK:           tile.store %{{.+}}, %[[ROW]]
// CHECK:         %[[MERGED:.+]] = tile.load %[[ROW]]
// CHECK:         %[[SILU:.+]] = arith.divf %[[MERGED]]
// CHECK:         tile.store %[[SILU]]
func.func private @attention_merge() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %p = llama.buffer_read @p at 0 : tensor<1x2x?x18xf32>
  %m = llama.attention_merge %p heads 2 keys 256 : tensor<1x2x?x18xf32> -> tensor<1x32xf32>
  %y = llama.silu %m : tensor<1x32xf32>
  llama.buffer_write %y, @y at 1024 : tensor<1x32xf32>
  return
}

// -----

// A norm that no product reads takes the row that the head was given, for its sum
// as well.

llama.buffer @x : tensor<8x32xf32> at 0
llama.buffer @y : tensor<1x32xf32> at 1024

// CHECK-LABEL: func.func private @a_norm_alone_of_one_row_of_many
// CHECK:         scf.for
// CHECK:         scf.for
// CHECK:           %[[ROW:.+]] = tile.wanted_row %{{.+}}[%{{.+}}]
// CHECK:           tile.sum %{{.+}}[%[[ROW]]]
// CHECK:           %[[SAME:.+]] = tile.wanted_row %{{.+}}[%{{.+}}]
// CHECK:           tile.load %{{.+}}[%[[SAME]],
func.func private @a_norm_alone_of_one_row_of_many() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %row = llama.input wanted : tensor<1xi32>
  %x = llama.buffer_read @x[%row : tensor<1xi32>] at 0 : tensor<1x32xf32>
  %g = llama.weight_ref @g : <32, #llama.f32> in #llama.rowmajor index 0
  %h = llama.rms_norm %x, %g eps 1.0e-05 order <lanes = 16> : tensor<1x32xf32>, <32, #llama.f32>
  llama.buffer_write %h, @y at 1024 : tensor<1x32xf32>
  return
}
llama.weight @g : 32 formats [#llama.f32]

// -----

// One row is rounded as it is staged; its products read it so.
// CHECK-LABEL: func.func private @a_row_rounded_in_the_prologue
// CHECK:         %[[X:.+]] = tile.buffer %{{.+}} @x at 0 : memref<1x32xf32>
// CHECK:         %[[ROWS:.+]] = tile.stage %[[X]][%c0{{[_0-9]*}}] : memref<1x32xf32> -> <1x32x!llama.q8b32>
// CHECK-NEXT:    ^bb0(%[[V:.+]]: f32):
// CHECK-NEXT:      tile.yield %[[V]]
// CHECK-NOT:     tile.block_sums
// CHECK:         tile.contract %[[ROWS]][%{{.+}}], %{{.+}} order <unit = #cpu.dot_u8s8, block = 32, scale = outer>
// CHECK-NOT:     tile.round_rows
// CHECK:         return
llama.buffer @x : tensor<1x32xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
func.func private @a_row_rounded_in_the_prologue() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.dot_u8s8, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x32xf32>
  %r = llama.quantize %x : tensor<1x32xf32> to tensor<1x32x!llama.q8b32>
  %w = llama.weight_ref @w : <16x32, #llama.q4_1> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %r, %w order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : tensor<1x32x!llama.q8b32>, <16x32, #llama.q4_1> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @w : 16x32 formats [#llama.q4_1]

// -----

// Tiles of 16 columns are no whole blocks: a part stores its 32 columns of all rows
// to scratch, then rounds them. Quants in one plane need no panel, so a tile of rows meets
// all tiles of the part before the next one is read.
// CHECK-LABEL: func.func private @rows_rounded_in_the_epilogue
// CHECK:         %[[SCRATCH:.+]] = tile.scratch : memref<8x32xf32>
// CHECK:         scf.for %[[PART:.+]] =
// CHECK:           %[[FIRST:.+]] = arith.muli
// CHECK-NOT:         tile.panel
// CHECK:           scf.for %[[ROW:.+]] = %c0{{[_0-9]*}} to %{{.+}} step %c8{{[_0-9]*}} {
// CHECK:             scf.for %[[COLUMN:.+]] = %{{.+}} to %{{.+}} step %c16
// CHECK:               %[[ACC:.+]] = tile.contract %{{.+}}[%[[ROW]]], %{{.+}}[%[[COLUMN]]]
// CHECK:               tile.store %[[ACC]], %[[SCRATCH]]
// CHECK:           %[[Y:.+]] = tile.buffer_rows %{{.+}} @y at 384 : <8x64x!llama.q8b32>
// CHECK:           tile.round_rows %[[SCRATCH]], %[[Y]][%c0{{[_0-9]*}}, %[[FIRST]]] count %{{.+}} : memref<8x32xf32>, <8x64x!llama.q8b32>
// CHECK:         return
llama.buffer @x : tensor<8x32x!llama.q8b32> at 0
llama.buffer @y : tensor<8x64x!llama.q8b32> at 384
func.func private @rows_rounded_in_the_epilogue() attributes {llama.partition = #llama.partition<rows = [64], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.dot_u8s8, m = 8, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x32x!llama.q8b32>
  %w = llama.weight_ref @w : <64x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
  %y = llama.linear %x, %w order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : tensor<?x32x!llama.q8b32>, <64x32, #llama.q4_0> -> tensor<?x64xf32>
  %r = llama.quantize %y : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
  llama.buffer_write %r, @y at 384 : tensor<?x64x!llama.q8b32>
  return
}
llama.weight @w : 64x32 formats [#llama.q4_0]

// -----

// A row-wise kernel rounds a row when it is whole.
// CHECK-LABEL: func.func private @rows_rounded_one_by_one
// CHECK:         %[[SCRATCH:.+]] = tile.scratch : memref<1x64xf32>
// CHECK:         scf.for
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:             scf.for
// CHECK:               tile.store %{{.+}}, %[[SCRATCH]]
// CHECK:             %[[Y:.+]] = tile.buffer_rows
// CHECK:             tile.round_rows %[[SCRATCH]], %[[Y]][%[[ROW]], %c0{{[_0-9]*}}] count %c1{{[_0-9]*}}
// CHECK:         return
llama.buffer @x : tensor<8x64xf32> at 0
llama.buffer @y : tensor<8x64x!llama.q8b32> at 2048
func.func private @rows_rounded_one_by_one() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x64xf32>
  %r = llama.quantize %x : tensor<?x64xf32> to tensor<?x64x!llama.q8b32>
  llama.buffer_write %r, @y at 2048 : tensor<?x64x!llama.q8b32>
  return
}

// -----

// A bias is a row of values that is added to each row of a tile, a scale a constant.

llama.buffer @h : tensor<8x32xf32> at 0
llama.buffer @y : tensor<8x32xf32> at 1024

// CHECK-LABEL: func.func private @bias_and_scale
// CHECK-DAG:     %[[W:.+]] = tile.weight %{{.+}} @w
// CHECK-DAG:     %[[B:.+]] = tile.weight %{{.+}} @b
// CHECK:         %[[ACC:.+]] = tile.contract
// CHECK:         %[[BIAS:.+]] = tile.column_values %[[B]][%{{.+}}] : <32, #llama.f32> -> vector<4x16xf32>
// CHECK:         %[[BIASED:.+]] = arith.addf %[[ACC]], %[[BIAS]]
// CHECK:         %[[BY:.+]] = arith.constant dense<2.500000e-01> : vector<4x16xf32>
// CHECK:         %[[Y:.+]] = arith.mulf %[[BIASED]], %[[BY]]
// CHECK:         tile.store %[[Y]]
func.func private @bias_and_scale() attributes {llama.partition = #llama.partition<rows = [32], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 4, n = 16>} {
  %h = llama.buffer_read @h at 0 : tensor<?x32xf32>
  %w = llama.weight_ref @w : <32x32, #llama.f32> in #llama.interleaved16<k = 1> index 0
  %b = llama.weight_ref @b : <32, #llama.f32> in #llama.rowmajor index 1
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32> : tensor<?x32xf32>, <32x32, #llama.f32> -> tensor<?x32xf32>
  %biased = llama.bias %y, %b : tensor<?x32xf32>, <32, #llama.f32>
  %scaled = llama.scale %biased by 0.25 : tensor<?x32xf32>
  llama.buffer_write %scaled, @y at 1024 : tensor<?x32xf32>
  return
}
llama.weight @w : 32x32 formats [#llama.f32]
llama.weight @b : 32 formats [#llama.f32]

// -----

// Heads are normed into a row of scratch, one after the other: a head of 24 ends inside of a
// tile, and the next one begins there.

llama.buffer @q : tensor<8x48xf32> at 0
llama.buffer @y : tensor<8x48xf32> at 1536

// CHECK-LABEL: func.func private @norms_of_heads
// CHECK:         %[[ROW:.+]] = tile.scratch : memref<1x48xf32>
// CHECK:         scf.for
// CHECK:           scf.for %[[R:.+]] =
// CHECK:             %[[HEADS:.+]] = tile.buffer %{{.+}} @q at 0 : memref<16x24xf32>
// CHECK:             scf.for %[[HEAD:.+]] = %{{.+}} to %{{c2(_[0-9]+)?}}
// CHECK:               %[[OWN:.+]] = arith.addi
// CHECK:               %[[BEGIN:.+]] = arith.muli %[[HEAD]], %{{c24(_[0-9]+)?}}
// CHECK:               %[[LIMIT:.+]] = arith.addi %[[BEGIN]], %{{c24(_[0-9]+)?}}
// CHECK:               tile.sum %[[HEADS]][%[[OWN]]]
// CHECK:               scf.for %[[C:.+]] = %{{.+}} to %{{c24(_[0-9]+)?}}
// CHECK:                 tile.load %[[HEADS]][%[[OWN]], %[[C]]]
// CHECK:                 tile.store %{{.+}}, %[[ROW]][%{{.+}}, %{{.+}}] columns %[[LIMIT]]
// CHECK:             tile.load %[[ROW]]
func.func private @norms_of_heads() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %q = llama.buffer_read @q at 0 : tensor<?x48xf32>
  %g = llama.weight_ref @g : <24, #llama.f32> in #llama.rowmajor index 0
  %y = llama.rms_norm %q, %g eps 1.0e-05 heads 2 order <lanes = 16> : tensor<?x48xf32>, <24, #llama.f32>
  llama.buffer_write %y, @y at 1536 : tensor<?x48xf32>
  return
}
llama.weight @g : 24 formats [#llama.f32]

// -----

// In one pass both sums are carried by one loop over the row.
// CHECK-LABEL: func.func private @one_pass_over_a_row
// CHECK:         scf.for
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:           %[[SUMS:.+]]:2 = scf.for %[[K:.+]] = %c0{{[_0-9]*}} to %c24{{[_0-9]*}} step %c16{{[_0-9]*}} iter_args
// CHECK:             tile.load %{{.+}}[%[[ROW]], %[[K]]]
// CHECK:           tile.reduce_lanes "add" %[[SUMS]]#0
// CHECK:           tile.reduce_lanes "add" %[[SUMS]]#1
// CHECK:           math.sqrt
// CHECK:           scf.for
// CHECK:             tile.column_values %{{.+}} : <24, #llama.f32>
// CHECK:             tile.store
// CHECK:         return
llama.buffer @x : tensor<8x24xf32> at 0
llama.buffer @h : tensor<8x24xf32> at 768
func.func private @one_pass_over_a_row() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x24xf32>
  %g = llama.weight_ref @g : <24, #llama.f32> in #llama.rowmajor index 0
  %h = llama.layer_norm one_pass %x, %g eps 1.0e-05 order <lanes = 16> : tensor<?x24xf32>, <24, #llama.f32>
  llama.buffer_write %h, @h at 768 : tensor<?x24xf32>
  return
}
llama.weight @g : 24 formats [#llama.f32]

// -----

// In two passes the second sum is of the deviations from the first's mean; the row
// is staged once for all groups of the weight.
// CHECK-LABEL: func.func private @two_passes_in_a_prologue
// CHECK:         tile.sum
// CHECK:         %[[MEAN:.+]] = vector.extract
// CHECK:         tile.sum
// CHECK:           arith.subf %{{.+}}, %[[MEAN]]
// CHECK:         tile.stage %{{.+}} rows(%{{.+}}, %{{.+}} : vector<1xf32>, vector<1xf32>) columns(%{{.+}}, %{{.+}} :
// CHECK:         scf.for
// CHECK:           tile.contract
// CHECK:         return
llama.buffer @x : tensor<1x24xf32> at 0
llama.buffer @y : tensor<1x16xf32> at 128
func.func private @two_passes_in_a_prologue() attributes {llama.partition = #llama.partition<rows = [16], by = 32>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<1x24xf32>
  %g = llama.weight_ref @g : <24, #llama.f32> in #llama.rowmajor index 0
  %b = llama.weight_ref @b : <24, #llama.f32> in #llama.rowmajor index 1
  %w = llama.weight_ref @w : <16x24, #llama.f32> in #llama.interleaved16<k = 1> index 2
  %h = llama.layer_norm two_pass %x, %g, %b eps 1.0e-05 order <lanes = 16> : tensor<1x24xf32>, <24, #llama.f32>, !llama.weight<24, #llama.f32>
  %y = llama.linear %h, %w order <unit = #cpu.fma, block = 32> : tensor<1x24xf32>, <16x24, #llama.f32> -> tensor<1x16xf32>
  llama.buffer_write %y, @y at 128 : tensor<1x16xf32>
  return
}
llama.weight @g : 24 formats [#llama.f32]
llama.weight @b : 24 formats [#llama.f32]
llama.weight @w : 16x24 formats [#llama.f32]

// -----

// Angles are float64, frequencies powers of two of the column's exponent.
// CHECK-LABEL: func.func private @positions_are_encoded
// CHECK:         scf.for
// CHECK:           scf.for %[[ROW:.+]] =
// CHECK:           tile.position %{{.+}}[%[[ROW]]]
// CHECK:           math.fma {{.*}} : vector<1x16xf64>
// CHECK:           %[[E:.+]] = arith.truncf %{{.+}} : vector<1x16xf64> to vector<1x16xf32>
// CHECK:           tile.store %[[E]]
// CHECK-NOT:     math.sin
// CHECK:         return
llama.buffer @e : tensor<8x24xf32> at 0
func.func private @positions_are_encoded() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %pos = llama.input positions : tensor<?xi32>
  %e = llama.position_encoding sinusoidal of %pos base 1.0e+04 : tensor<?xi32> -> tensor<?x24xf32>
  llama.buffer_write %e, @e at 0 : tensor<?x24xf32>
  return
}

// -----

// Binary positions are shifted words, without an angle.
// CHECK-LABEL: func.func private @positions_are_bits
// CHECK:         arith.shrui {{.*}} : vector<1x16xi32>
// CHECK-NOT:     f64
// CHECK:         arith.sitofp {{.*}} : vector<1x16xi32> to vector<1x16xf32>
// CHECK:         return
llama.buffer @e : tensor<8x24xf32> at 0
func.func private @positions_are_bits() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %pos = llama.input positions : tensor<?xi32>
  %e = llama.position_encoding binary of %pos : tensor<?xi32> -> tensor<?x24xf32>
  llama.buffer_write %e, @e at 0 : tensor<?x24xf32>
  return
}

// -----

// Feed-forwards without a gate: a comparison that NaN passes through; x (a + b x^2) with
// one exp, as silu has it.
// CHECK-LABEL: func.func private @bent_without_a_gate
// CHECK:         %[[X:.+]] = tile.load
// CHECK:         %[[BELOW:.+]] = arith.cmpf olt, %[[X]]
// CHECK:         %[[RELU:.+]] = arith.select %[[BELOW]], %{{.+}}, %[[X]]
// CHECK:         %[[SQUARE:.+]] = arith.mulf %[[RELU]], %[[RELU]]
// CHECK:         %[[FACTOR:.+]] = math.fma %[[SQUARE]]
// CHECK:         %[[U:.+]] = arith.mulf %[[RELU]], %[[FACTOR]]
// CHECK:         %[[NEGATIVE:.+]] = arith.negf %[[U]]
// CHECK:         %[[E:.+]] = math.exp %[[NEGATIVE]]
// CHECK:         %[[SUM:.+]] = arith.addf %[[E]]
// CHECK:         %[[GELU:.+]] = arith.divf %[[RELU]], %[[SUM]]
// CHECK:         tile.store %[[GELU]]
// CHECK:         return
llama.buffer @x : tensor<8x24xf32> at 0
llama.buffer @h : tensor<8x24xf32> at 768
func.func private @bent_without_a_gate() attributes {llama.partition = #llama.partition<of = rows, by = 4>, llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16>} {
  %x = llama.buffer_read @x at 0 : tensor<?x24xf32>
  %r = llama.relu %x : tensor<?x24xf32>
  %g = llama.gelu %r : tensor<?x24xf32>
  llama.buffer_write %g, @h at 768 : tensor<?x24xf32>
  return
}
