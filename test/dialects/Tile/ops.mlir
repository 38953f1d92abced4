// RUN: %opt %s --verify-roundtrip | FileCheck %s

// Every op and type of tile in its own syntax.

// CHECK-LABEL: func.func @what_the_runtime_provides
// CHECK-SAME:    (%[[CTX:.+]]: !tile.context, %[[I:.+]]: index)
// CHECK:         tile.row_count %[[CTX]]
// CHECK:         tile.key_count %[[CTX]]
// CHECK:         tile.wanted_row %[[CTX]][%[[I]]]
// CHECK:         tile.position %[[CTX]][%[[I]]]
// CHECK:         tile.token %[[CTX]][%[[I]]]
func.func @what_the_runtime_provides(%ctx: !tile.context, %i: index) -> (index, index, index, index, index) {
  %rows = tile.row_count %ctx
  %keys = tile.key_count %ctx
  %row = tile.wanted_row %ctx[%i]
  %position = tile.position %ctx[%i]
  %token = tile.token %ctx[%i]
  return %rows, %keys, %row, %position, %token : index, index, index, index, index
}

// CHECK-LABEL: func.func @where_things_are
// CHECK:         tile.buffer %{{.+}} @decode.x at 128 : memref<1x32xf32>
// CHECK:         tile.buffer_rows %{{.+}} @prefill.a at 0 : <512x32xbf16>
// CHECK:         tile.scratch : memref<2x256xf32>
// CHECK:         tile.weight %{{.+}} @blk::@attn_q[%{{.+}}] : <32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 2
// CHECK:         tile.weight %{{.+}} @output_norm : <32, #llama.f32> in #llama.rowmajor index 0
// CHECK:         tile.cache %{{.+}}[%{{.+}}] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
func.func @where_things_are(%ctx: !tile.context, %l: index) {
  %buffer = tile.buffer %ctx @decode.x at 128 : memref<1x32xf32>
  %rows = tile.buffer_rows %ctx @prefill.a at 0 : !tile.rows<512x32xbf16>
  %scratch = tile.scratch : memref<2x256xf32>
  %wq = tile.weight %ctx @blk::@attn_q[%l] : !llama.weight<32x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 2
  %norm = tile.weight %ctx @output_norm : !llama.weight<32, #llama.f32> in #llama.rowmajor index 0
  %kv = tile.cache %ctx[%l] : !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
  return
}

// CHECK-LABEL: func.func @whole_rows
// CHECK:         tile.sum %{{.+}}[%{{.+}}] order <lanes = 16> : memref<8x32xf32> -> vector<2xf32> {
// CHECK:         ^bb0(%{{.+}}: f32):
// CHECK:           tile.yield %{{.+}}
// CHECK:         tile.stage %{{.+}}[%{{.+}}] : memref<8x32xf32> -> <1x32xf32> {
// CHECK:         tile.stage %{{.+}}[%{{.+}}] every 4 rows(%{{.+}} : vector<2xf32>) columns(%{{.+}} : !llama.weight<32, #llama.f32>) : memref<8x32xf32> -> <2x32x!llama.q8b32> {
// CHECK:         tile.block_sums %{{.+}}, %{{.+}} block 32 : <1x32xf32> -> memref<1x1xf32>
// CHECK:         tile.column_values %{{.+}}[%{{.+}}] : <32, #llama.f32> -> vector<1x16xf32>
func.func @whole_rows(%ctx: !tile.context, %x: memref<8x32xf32>, %r: index) -> vector<1x16xf32> {
  %g = tile.weight %ctx @g : !llama.weight<32, #llama.f32> in #llama.rowmajor index 0
  %s = tile.sum %x[%r] order <lanes = 16> : memref<8x32xf32> -> vector<2xf32> {
  ^bb0(%a: f32):
    %y = arith.mulf %a, %a : f32
    tile.yield %y
  }
  %plain = tile.stage %x[%r] : memref<8x32xf32> -> !tile.rows<1x32xf32> {
  ^bb0(%a: f32):
    tile.yield %a
  }
  %rounded = tile.stage %x[%r] every 4 rows(%s : vector<2xf32>) columns(%g : !llama.weight<32, #llama.f32>) : memref<8x32xf32> -> !tile.rows<2x32x!llama.q8b32> {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %y = arith.mulf %a, %b : f32
    %z = arith.mulf %y, %c : f32
    tile.yield %z
  }
  %sums = tile.block_sums %plain, %r block 32 : !tile.rows<1x32xf32> -> memref<1x1xf32>
  %gain = tile.column_values %g[%r] : !llama.weight<32, #llama.f32> -> vector<1x16xf32>
  return %gain : vector<1x16xf32>
}

// CHECK-LABEL: func.func @loops_over_k
// CHECK:         tile.panel %{{.+}}[%{{.+}}] : <32x32, #llama.q4_1> -> <16x32, #llama.q4_1, #cpu.fma>
// CHECK:         tile.contract %{{.+}}[%{{.+}}], %{{.+}}[%{{.+}}] sums(%{{.+}} : memref<8x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : <8x32xf32>, !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
// CHECK:         tile.contract %{{.+}}[%{{.+}}], %{{.+}}[%{{.+}}] sums(%{{.+}} : memref<8x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : <8x32xf32>, !tile.panel<16x32, #llama.q4_1, #cpu.fma> -> vector<8x16xf32>
// CHECK:         tile.score_keys %{{.+}}[%{{.+}}], %{{.+}}[%{{.+}}, %{{.+}}] : <8x16xf32>, <2x1x16, f16> -> vector<8x16xf32>
// CHECK:         tile.sum_values %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}, %{{.+}}] count %{{.+}} advance 1 : memref<8x256xf32>, <2x1x16, f16> -> vector<8x16xf32>
// CHECK:         tile.sum_values %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}, %{{.+}}] count %{{.+}} advance 1 window 300 : memref<8x256xf32>, <2x1x16, f16> -> vector<8x16xf32>
// CHECK:         tile.sum_values %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}, %{{.+}}] count %{{.+}} advance 1 order <unit = #cuda.mma> : vector<8x16xf32>, <2x1x16, f16> -> vector<8x16xf32>
// CHECK:         tile.decode %{{.+}}[%{{.+}}, %{{.+}}] : <32x32, #llama.q4_1> -> vector<1x16xf32>
func.func @loops_over_k(%ctx: !tile.context, %scores: memref<8x256xf32>, %sums: memref<8x1xf32>, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<8x32xf32>
  %q = tile.buffer_rows %ctx @q at 0 : !tile.rows<8x16xf32>
  %w = tile.weight %ctx @w : !llama.weight<32x32, #llama.q4_1> in #llama.rowmajor index 0
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %panel = tile.panel %w[%i] : !llama.weight<32x32, #llama.q4_1> -> !tile.panel<16x32, #llama.q4_1, #cpu.fma>
  %one = tile.contract %x[%i], %w[%i] sums(%sums : memref<8x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : !tile.rows<8x32xf32>, !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
  %many = tile.contract %x[%i], %panel[%i] sums(%sums : memref<8x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : !tile.rows<8x32xf32>, !tile.panel<16x32, #llama.q4_1, #cpu.fma> -> vector<8x16xf32>
  %s = tile.score_keys %q[%i], %kv[%i, %i] : !tile.rows<8x16xf32>, !llama.cache<2x1x16, f16> -> vector<8x16xf32>
  %o = tile.sum_values %scores, %kv[%i, %i, %i] count %i advance 1 : memref<8x256xf32>, !llama.cache<2x1x16, f16> -> vector<8x16xf32>
  %windowed = tile.sum_values %scores, %kv[%i, %i, %i] count %i advance 1 window 300 : memref<8x256xf32>, !llama.cache<2x1x16, f16> -> vector<8x16xf32>
  %tile = tile.sum_values %s, %kv[%i, %i, %i] count %i advance 1 order <unit = #cuda.mma> : vector<8x16xf32>, !llama.cache<2x1x16, f16> -> vector<8x16xf32>
  %v = tile.decode %w[%i, %i] : !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
  return
}

// Rows of f16 are stored as such and read by tensor cores; lanes that hold whole
// blocks need no sums beside minima.
// CHECK-LABEL: func.func @units_of_a_gpu
// CHECK:         tile.buffer %{{.+}} @h at 64 : memref<64x32xf16>
// CHECK:         tile.store %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] : vector<1x32xf16>, memref<64x32xf16>
// CHECK:         tile.buffer_rows %{{.+}} @h at 64 : <64x32xf16>
// CHECK:         tile.contract %{{.+}}[%{{.+}}], %{{.+}}[%{{.+}}] order <unit = #cuda.mma, block = 32, scale = outer> : <64x32xf16>, !llama.weight<64x32, #llama.q8_0> -> vector<64x64xf32>
// CHECK:         tile.contract %{{.+}}[%{{.+}}], %{{.+}}[%{{.+}}] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
func.func @units_of_a_gpu(%ctx: !tile.context, %v: vector<1x32xf16>, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %a = tile.weight %ctx @a : !llama.weight<64x32, #llama.q8_0> in #llama.rowmajor index 0
  %b = tile.weight %ctx @b : !llama.weight<32x32, #llama.q4_1> in #llama.rowmajor index 0
  %h = tile.buffer %ctx @h at 64 : memref<64x32xf16>
  tile.store %v, %h[%i, %i] : vector<1x32xf16>, memref<64x32xf16>
  %rows = tile.buffer_rows %ctx @h at 64 : !tile.rows<64x32xf16>
  %many = tile.contract %rows[%i], %a[%i] order <unit = #cuda.mma, block = 32, scale = outer> : !tile.rows<64x32xf16>, !llama.weight<64x32, #llama.q8_0> -> vector<64x64xf32>
  %one = tile.contract %x[%i], %b[%i] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : !tile.rows<1x32xf32>, !llama.weight<32x32, #llama.q4_1> -> vector<1x16xf32>
  return
}

// CHECK-LABEL: func.func @epilogues
// CHECK:         tile.rope_row %{{.+}}[%{{.+}}, %{{.+}}] head 16 : vector<2x16xf32>
// CHECK:         tile.rope_row %{{.+}}[%{{.+}}, %{{.+}}] head 16 sine : vector<2x16xf32>
// CHECK:         tile.swap_pairs %{{.+}} : vector<2x16xf32>
// CHECK:         tile.causal_mask %{{.+}}, %{{.+}} advance 1 : vector<2x16xi1>
// CHECK:         tile.causal_mask %{{.+}}, %{{.+}} advance 0 : vector<2xi1>
// CHECK:         tile.causal_mask %{{.+}}, %{{.+}} advance 1 window 300 : vector<2x16xi1>
// CHECK:         tile.load %{{.+}}[%{{.+}}, %{{.+}}] : memref<8x32xf32> -> vector<2x16xf32>
// CHECK:         tile.load %{{.+}}[%{{.+}}, %{{.+}}] rows %{{.+}} columns %{{.+}} : memref<8x32xf32> -> vector<2x16xf32>
// CHECK:         tile.reduce_lanes "add" %{{.+}} : vector<2x16xf32> -> vector<2xf32>
// CHECK:         tile.reduce_lanes "max" %{{.+}} : vector<2x16xf32> -> vector<2xf32>
// CHECK:         tile.broadcast_rows %{{.+}} : vector<2xf32> -> vector<2x16xf32>
// CHECK:         tile.broadcast_rows %{{.+}} : vector<2xi1> -> vector<2x16xi1>
// CHECK:         tile.store %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] : vector<2x16xf32>, memref<8x32xf32>
// CHECK:         tile.store %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] columns %{{.+}} : vector<2x16xf32>, memref<8x32xf32>
// CHECK:         tile.append "keys" %{{.+}}, %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] rows %{{.+}} : vector<2x16xf32>, <2x1x16, f16>
// CHECK:         tile.append "values" %{{.+}}, %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] rows %{{.+}} : vector<2x16xf32>, <2x1x16, f16>
func.func @epilogues(%ctx: !tile.context, %m: memref<8x32xf32>, %i: index) {
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %cosine = tile.rope_row %ctx[%i, %i] head 16 : vector<2x16xf32>
  %sine = tile.rope_row %ctx[%i, %i] head 16 sine : vector<2x16xf32>
  %swapped = tile.swap_pairs %cosine : vector<2x16xf32>
  %mask = tile.causal_mask %i, %i advance 1 : vector<2x16xi1>
  %sees = tile.causal_mask %i, %i advance 0 : vector<2xi1>
  %window = tile.causal_mask %i, %i advance 1 window 300 : vector<2x16xi1>
  %all = tile.load %m[%i, %i] : memref<8x32xf32> -> vector<2x16xf32>
  %some = tile.load %m[%i, %i] rows %i columns %i : memref<8x32xf32> -> vector<2x16xf32>
  %sum = tile.reduce_lanes "add" %all : vector<2x16xf32> -> vector<2xf32>
  %max = tile.reduce_lanes "max" %all : vector<2x16xf32> -> vector<2xf32>
  %spread = tile.broadcast_rows %sum : vector<2xf32> -> vector<2x16xf32>
  %bits = tile.broadcast_rows %sees : vector<2xi1> -> vector<2x16xi1>
  tile.store %all, %m[%i, %i] : vector<2x16xf32>, memref<8x32xf32>
  tile.store %some, %m[%i, %i] columns %i : vector<2x16xf32>, memref<8x32xf32>
  tile.append "keys" %all, %kv, %ctx[%i, %i] rows %i : vector<2x16xf32>, !llama.cache<2x1x16, f16>
  tile.append "values" %all, %kv, %ctx[%i, %i] rows %i : vector<2x16xf32>, !llama.cache<2x1x16, f16>
  return
}

// CHECK-LABEL: func.func @rounding
// CHECK:         tile.round_rows %{{.+}}, %{{.+}}[%{{.+}}, %{{.+}}] count %{{.+}} : memref<8x32xf32>, <8x64x!llama.q8b32>
func.func @rounding(%ctx: !tile.context, %x: memref<8x32xf32>, %r: index, %c: index, %n: index) {
  %y = tile.buffer_rows %ctx @y at 0 : <8x64x!llama.q8b32>
  tile.round_rows %x, %y[%r, %c] count %n : memref<8x32xf32>, !tile.rows<8x64x!llama.q8b32>
  return
}
