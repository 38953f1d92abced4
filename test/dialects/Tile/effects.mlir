// RUN: %opt %s --cse --canonicalize | FileCheck %s

// Which ops may be merged, and which may be removed if unused.

// The context is constant while a step runs, and so is where things are.
// CHECK-LABEL: func.func @what_the_runtime_provides_is_read_once
// CHECK:         %[[ROWS:.+]] = tile.row_count
// CHECK-NEXT:    %[[X:.+]] = tile.buffer
// CHECK-NEXT:    return %[[ROWS]], %[[ROWS]], %[[X]], %[[X]]
func.func @what_the_runtime_provides_is_read_once(%ctx: !tile.context) -> (index, index, memref<1x32xf32>, memref<1x32xf32>) {
  %a = tile.row_count %ctx
  %b = tile.row_count %ctx
  %x = tile.buffer %ctx @x at 0 : memref<1x32xf32>
  %y = tile.buffer %ctx @x at 0 : memref<1x32xf32>
  return %a, %b, %x, %y : index, index, memref<1x32xf32>, memref<1x32xf32>
}

// CHECK-LABEL: func.func @two_scratches_are_two
// CHECK:         %[[A:.+]] = tile.scratch
// CHECK:         %[[B:.+]] = tile.scratch
// CHECK:         return %[[A]], %[[B]]
func.func @two_scratches_are_two() -> (memref<1x16xf32>, memref<1x16xf32>) {
  %a = tile.scratch : memref<1x16xf32>
  %b = tile.scratch : memref<1x16xf32>
  return %a, %b : memref<1x16xf32>, memref<1x16xf32>
}

// Two stages have memory of their own: the second may run while the first is read.
// CHECK-LABEL: func.func @two_stages_are_two
// CHECK-COUNT-2: tile.stage
func.func @two_stages_are_two(%x: memref<1x16xf32>, %i: index) -> (!tile.rows<1x16xf32>, !tile.rows<1x16xf32>) {
  %a = tile.stage %x[%i] : memref<1x16xf32> -> <1x16xf32> {
  ^bb0(%v: f32):
    tile.yield %v
  }
  %b = tile.stage %x[%i] : memref<1x16xf32> -> <1x16xf32> {
  ^bb0(%v: f32):
    tile.yield %v
  }
  return %a, %b : !tile.rows<1x16xf32>, !tile.rows<1x16xf32>
}

// CHECK-LABEL: func.func @a_load_is_not_moved_across_a_store
// CHECK:         %[[A:.+]] = tile.load
// CHECK-NEXT:    tile.store
// CHECK-NEXT:    %[[B:.+]] = tile.load
// CHECK-NEXT:    return %[[A]], %[[B]]
func.func @a_load_is_not_moved_across_a_store(%m: memref<1x16xf32>, %i: index, %v: vector<1x16xf32>) -> (vector<1x16xf32>, vector<1x16xf32>) {
  %a = tile.load %m[%i, %i] : memref<1x16xf32> -> vector<1x16xf32>
  tile.store %v, %m[%i, %i] : vector<1x16xf32>, memref<1x16xf32>
  %b = tile.load %m[%i, %i] : memref<1x16xf32> -> vector<1x16xf32>
  return %a, %b : vector<1x16xf32>, vector<1x16xf32>
}

// CHECK-LABEL: func.func @keys_are_scored_again_after_an_append
// CHECK:         %[[A:.+]] = tile.score_keys
// CHECK-NEXT:    tile.append
// CHECK-NEXT:    %[[B:.+]] = tile.score_keys
// CHECK-NEXT:    return %[[A]], %[[B]]
func.func @keys_are_scored_again_after_an_append(%ctx: !tile.context, %v: vector<1x16xf32>, %i: index) -> (vector<1x16xf32>, vector<1x16xf32>) {
  %q = tile.buffer_rows %ctx @q at 0 : !tile.rows<1x16xf32>
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %a = tile.score_keys %q[%i], %kv[%i, %i] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  tile.append "keys" %v, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x16, f16>
  %b = tile.score_keys %q[%i], %kv[%i, %i] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  return %a, %b : vector<1x16xf32>, vector<1x16xf32>
}

// Two equal reads with nothing between them are one.
// CHECK-LABEL: func.func @a_product_is_made_once
// CHECK:         %[[A:.+]] = tile.contract
// CHECK-NEXT:    return %[[A]], %[[A]]
func.func @a_product_is_made_once(%ctx: !tile.context, %i: index) -> (vector<1x16xf32>, vector<1x16xf32>) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  %a = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  %b = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return %a, %b : vector<1x16xf32>, vector<1x16xf32>
}

// CHECK-LABEL: func.func @reads_are_dead_when_unused
// CHECK-NEXT:    return
func.func @reads_are_dead_when_unused(%ctx: !tile.context, %m: memref<1x16xf32>, %i: index) {
  %q = tile.buffer_rows %ctx @q at 0 : !tile.rows<1x16xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x16, #llama.f16> in #llama.rowmajor index 0
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %rows = tile.row_count %ctx
  %buffer = tile.buffer %ctx @x at 0 : memref<1x32xf32>
  %scratch = tile.scratch : memref<1x16xf32>
  %panel = tile.panel %w[%i] : <16x16, #llama.f16> -> <16x16, #llama.f16, #cpu.fma>
  %a = tile.contract %q[%i], %w[%i] order <unit = #cpu.fma, block = 32> : <1x16xf32>, !llama.weight<16x16, #llama.f16> -> vector<1x16xf32>
  %s = tile.score_keys %q[%i], %kv[%i, %i] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  %o = tile.sum_values %m, %kv[%i, %i, %i] count %i advance 0 : memref<1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  %v = tile.decode %w[%i, %i] : <16x16, #llama.f16> -> vector<1x16xf32>
  %angle = tile.rope_row %ctx[%i, %i] head 16 : vector<1x16xf32>
  %mask = tile.causal_mask %i, %i advance 0 : vector<1xi1>
  %l = tile.load %m[%i, %i] : memref<1x16xf32> -> vector<1x16xf32>
  %sum = tile.sum %m[%i] order <lanes = 16> : memref<1x16xf32> -> vector<1xf32> {
  ^bb0(%x: f32):
    tile.yield %x
  }
  return
}

// CHECK-LABEL: func.func @writes_are_never_dead
// CHECK-NEXT:    tile.cache
// CHECK-NEXT:    tile.buffer_rows
// CHECK-NEXT:    tile.store
// CHECK-NEXT:    tile.append
// CHECK-NEXT:    tile.round_rows
// CHECK-NEXT:    return
func.func @writes_are_never_dead(%ctx: !tile.context, %m: memref<1x16xf32>, %n: memref<1x32xf32>, %v: vector<1x16xf32>, %i: index) {
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %r = tile.buffer_rows %ctx @r at 0 : <1x32x!llama.q8b32>
  tile.store %v, %m[%i, %i] : vector<1x16xf32>, memref<1x16xf32>
  tile.append "values" %v, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x16, f16>
  tile.round_rows %n, %r[%i, %i] count %i : memref<1x32xf32>, <1x32x!llama.q8b32>
  return
}
