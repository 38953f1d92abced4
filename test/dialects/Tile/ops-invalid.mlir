// RUN: %opt %s --split-input-file --verify-diagnostics

// expected-error @below {{expected rows x columns, found 1 extents}}
func.func @rows_of_one_extent(%x: !tile.rows<32xf32>)

// -----

// expected-error @below {{expected rows x columns, found 1 extents}}
func.func @a_panel_of_one_extent(%x: !tile.panel<32, #llama.q4_1, #cpu.fma>)

// -----

func.func @a_sum_over_a_vector(%x: memref<32xf32>, %i: index) {
  // expected-error @below {{'tile.sum' op sums rows of a matrix, found 'memref<32xf32>'}}
  %s = tile.sum %x[%i] order <lanes = 16> : memref<32xf32> -> vector<1xf32> {
  ^bb0(%a: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_sum_in_no_order(%x: memref<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.sum' op the order of a sum over a row names its lanes}}
  %s = tile.sum %x[%i] order <unit = #cpu.fma, block = 32> : memref<1x32xf32> -> vector<1xf32> {
  ^bb0(%a: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_sum_of_two_values(%x: memref<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.sum' op the region takes 1 values of type f32}}
  %s = tile.sum %x[%i] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_sum_of_doubles(%x: memref<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.sum' op the region takes 1 values of type f32}}
  %s = tile.sum %x[%i] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
  ^bb0(%a: f64):
    %b = arith.truncf %a : f64 to f32
    tile.yield %b
  }
  return
}

// -----

func.func @a_region_without_an_end(%x: memref<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.sum' op the region ends in tile.yield}}
  %s = tile.sum %x[%i] order <lanes = 16> : memref<1x32xf32> -> vector<1xf32> {
  ^bb0(%a: f32):
    %b = arith.mulf %a, %a : f32
  }
  return
}

// -----

func.func @a_stage_of_other_columns(%x: memref<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.stage' op stages whole rows: 'memref<1x32xf32>' to '!tile.rows<1x16xf32>'}}
  %s = tile.stage %x[%i] : memref<1x32xf32> -> <1x16xf32> {
  ^bb0(%a: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_stage_with_another_weight(%ctx: !tile.context, %x: memref<1x32xf32>, %i: index) {
  %g = tile.weight %ctx @g : !llama.weight<16, #llama.f32> in #llama.rowmajor index 0
  // expected-error @below {{'tile.stage' op a per-column weight has the row's 32 elements, found '!llama.weight<16, #llama.f32>'}}
  %s = tile.stage %x[%i] columns(%g : !llama.weight<16, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_stage_with_a_matrix(%ctx: !tile.context, %x: memref<1x32xf32>, %i: index) {
  %g = tile.weight %ctx @g : !llama.weight<4x32, #llama.f32> in #llama.rowmajor index 0
  // expected-error @below {{'tile.stage' op a per-column weight has the row's 32 elements, found '!llama.weight<4x32, #llama.f32>'}}
  %s = tile.stage %x[%i] columns(%g : !llama.weight<4x32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_stage_that_forgets_a_value(%ctx: !tile.context, %x: memref<1x32xf32>, %i: index, %r: vector<1xf32>) {
  %g = tile.weight %ctx @g : !llama.weight<32, #llama.f32> in #llama.rowmajor index 0
  // expected-error @below {{'tile.stage' op the region takes 3 values of type f32}}
  %s = tile.stage %x[%i] rows(%r : vector<1xf32>) columns(%g : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_yield_outside(%x: f32) {
  // expected-error @below {{'tile.yield' op expects parent op to be one of 'tile.sum, tile.stage'}}
  tile.yield %x
}

// -----

func.func @rows_of_other_columns(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x64xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op rows of 64 columns against a weight of 32}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @rows_of_other_columns_than_the_panel(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x64xf32>
  %m = tile.weight %ctx @m : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  %w = tile.panel %m[%i] : !llama.weight<16x32, #llama.q8_0> -> !tile.panel<16x32, #llama.q8_0, #cpu.fma>
  // expected-error @below {{'tile.contract' op rows of 64 columns against a weight of 32}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
  return
}

// -----

func.func @minima_without_sums(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q4_1> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma needs the sums of blocks of the rows for q4_1}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_1> -> vector<1x16xf32>
  return
}

// -----

func.func @scales_left_out_of_the_order(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q4_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q4_0 weight in the order #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @an_order_of_another_unit(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q4_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q4_0 weight in the order #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer, lanes = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @an_order_without_a_unit(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q4_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the order of a product names its unit, found #llama.reduction_order<block = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <block = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @rows_of_f16_by_bf16(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<64x32xf16>
  %w = tile.weight %ctx @w : !llama.weight<64x32, #llama.bf16> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cuda.mma does not multiply bf16 weights}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma, block = 32> : <64x32xf16>, !llama.weight<64x32, #llama.bf16> -> vector<64x64xf32>
  return
}

// -----

func.func @rows_of_bf16_by_quants(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<64x32xbf16>
  %w = tile.weight %ctx @w : !llama.weight<64x32, #llama.q4_1> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cuda.mma<bf16> does not multiply q4_1 weights}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma<bf16>, block = 32, scale = outer> : <64x32xbf16>, !llama.weight<64x32, #llama.q4_1> -> vector<64x64xf32>
  return
}

// -----

func.func @split_rows_by_a_table(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.mxfp4> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cuda.mma_split does not multiply mxfp4 weights}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma_split, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.mxfp4> -> vector<1x16xf32>
  return
}

// -----

func.func @sums_that_nobody_reads(%ctx: !tile.context, %i: index, %sums: memref<1x1xf32>) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q4_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma does not read sums of blocks for q4_0}}
  %s = tile.contract %x[%i], %w[%i] sums(%sums : memref<1x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_panel_of_another_unit(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf32>
  %m = tile.weight %ctx @m : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  %w = tile.panel %m[%i] : !llama.weight<16x32, #llama.q8_0> -> !tile.panel<16x32, #llama.q8_0, #cpu.fma>
  // expected-error @below {{'tile.contract' op reads a panel of the unit #cpu.fma, but sums in the order #llama.reduction_order<unit = #cuda.simt, block = 16, scale = outer, lanes = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
  return
}

// -----

func.func @blocks_of_another_size(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x256xf32>
  %w = tile.weight %ctx @w : !llama.weight<16x256, #llama.q6_k> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q6_k weight in the order #llama.reduction_order<unit = #cpu.fma, block = 16, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x256xf32>, !llama.weight<16x256, #llama.q6_k> -> vector<1x16xf32>
  return
}

// -----

func.func @tensor_cores_on_float32(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<64x32xf32>
  %w = tile.weight %ctx @w : !llama.weight<64x32, #llama.q8_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cuda.mma reads rows of 'f16', found 'f32'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma, block = 32, scale = outer> : <64x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<64x64xf32>
  return
}

// -----

func.func @lanes_on_halves(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : !tile.rows<1x32xf16>
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op the unit #cuda.simt reads rows of 'f32', found 'f16'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf16>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @values_of_two_rows(%ctx: !tile.context, %i: index) {
  %w = tile.weight %ctx @w : !llama.weight<16x32, #llama.q8_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.decode' op result #0 must be a tile of one row, but got 'vector<2x16xf32>'}}
  %v = tile.decode %w[%i, %i] : <16x32, #llama.q8_0> -> vector<2x16xf32>
  return
}

// -----

func.func @halves_in_memory_of_floats(%v: vector<1x16xf16>, %m: memref<8x32xf32>, %i: index) {
  // expected-error @below {{'tile.store' op failed to verify that all of {value, target} have same element type}}
  tile.store %v, %m[%i, %i] : vector<1x16xf16>, memref<8x32xf32>
  return
}

// -----

func.func @another_reduction(%x: vector<2x16xf32>) {
  // expected-error @below {{'tile.reduce_lanes' op adds or takes the maximum, found 'mul'}}
  %s = tile.reduce_lanes "mul" %x : vector<2x16xf32> -> vector<2xf32>
  return
}

// -----

func.func @lanes_without_a_tree(%x: vector<2x24xf32>) {
  // expected-error @below {{'tile.reduce_lanes' op lanes are reduced by a tree, so their number is a power of two, found 24}}
  %s = tile.reduce_lanes "add" %x : vector<2x24xf32> -> vector<2xf32>
  return
}

// -----

func.func @appends_something_else(%x: vector<1x16xf32>, %ctx: !tile.context, %i: index) {
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  // expected-error @below {{'tile.append' op appends keys or values, found 'queries'}}
  tile.append "queries" %x, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x16, f16>
  return
}

// -----

func.func @appends_half_a_block(%x: vector<1x16xf32>, %ctx: !tile.context, %i: index) {
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x32, f16, q8_0> keys #llama.rowmajor values #llama.rowmajor
  tile.append "keys" %x, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x32, f16, q8_0>
  // expected-error @below {{'tile.append' op rounds whole blocks of 32 elements to q8_0, found a tile of 16 columns}}
  tile.append "values" %x, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x32, f16, q8_0>
  return
}

// -----

// Handles: each op that takes one, with each kind of source that is none.

func.func @a_panel_of_an_argument(%w: !llama.weight<16x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.panel' op takes '!llama.weight<16x32, #llama.q8_0>' from a block's argument, expected the result of tile.weight}}
  %p = tile.panel %w[%i] : <16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
  return
}

// -----

func.func @a_decoded_argument(%w: !llama.weight<16x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.decode' op takes '!llama.weight<16x32, #llama.q8_0>' from a block's argument, expected the result of tile.weight}}
  %v = tile.decode %w[%i, %i] : <16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @columns_of_an_argument(%g: !llama.weight<32, #llama.f32>, %i: index) {
  // expected-error @below {{'tile.column_values' op takes '!llama.weight<32, #llama.f32>' from a block's argument, expected the result of tile.weight}}
  %v = tile.column_values %g[%i] : <32, #llama.f32> -> vector<1x16xf32>
  return
}

// -----

func.func @a_stage_by_an_argument(%x: memref<1x32xf32>, %g: !llama.weight<32, #llama.f32>, %i: index) {
  // expected-error @below {{'tile.stage' op takes '!llama.weight<32, #llama.f32>' from a block's argument, expected the result of tile.weight}}
  %s = tile.stage %x[%i] columns(%g : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @sums_of_an_argument(%x: !tile.rows<1x32xf32>, %i: index) {
  // expected-error @below {{'tile.block_sums' op takes '!tile.rows<1x32xf32>' from a block's argument, expected the result of tile.buffer_rows or tile.stage}}
  %s = tile.block_sums %x, %i block 32 : <1x32xf32> -> memref<1x1xf32>
  return
}

// -----

func.func @a_weight_of_a_choice(%ctx: !tile.context, %c: i1, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
  %a = tile.weight %ctx @a : <16x32, #llama.q8_0> in #llama.rowmajor index 0
  %b = tile.weight %ctx @b : <16x32, #llama.q8_0> in #llama.rowmajor index 1
  %w = arith.select %c, %a, %b : !llama.weight<16x32, #llama.q8_0>
  // expected-error @below {{'tile.contract' op takes '!llama.weight<16x32, #llama.q8_0>' from 'arith.select', expected the result of tile.weight}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_weight_that_is_carried(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
  %a = tile.weight %ctx @a : <16x32, #llama.q8_0> in #llama.rowmajor index 0
  %last = scf.for %k = %i to %i step %i iter_args(%w = %a) -> (!llama.weight<16x32, #llama.q8_0>) {
    // expected-error @below {{'tile.contract' op takes '!llama.weight<16x32, #llama.q8_0>' from a block's argument, expected the result of tile.weight}}
    %s = tile.contract %x[%k], %w[%k] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
    scf.yield %w : !llama.weight<16x32, #llama.q8_0>
  }
  return
}

// -----

func.func @rows_of_a_choice(%ctx: !tile.context, %c: i1, %i: index) {
  %a = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
  %b = tile.buffer_rows %ctx @y at 0 : <1x32xf32>
  %x = arith.select %c, %a, %b : !tile.rows<1x32xf32>
  %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.rowmajor index 0
  // expected-error @below {{'tile.contract' op takes '!tile.rows<1x32xf32>' from 'arith.select', expected the result of tile.buffer_rows or tile.stage}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_panel_that_is_carried(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
  %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.rowmajor index 0
  %a = tile.panel %w[%i] : <16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.fma>
  %last = scf.for %k = %i to %i step %i iter_args(%p = %a) -> (!tile.panel<16x32, #llama.q8_0, #cpu.fma>) {
    // expected-error @below {{'tile.contract' op takes '!tile.panel<16x32, #llama.q8_0, #cpu.fma>' from a block's argument, expected the result of tile.panel}}
    %s = tile.contract %x[%k], %p[%k] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
    scf.yield %p : !tile.panel<16x32, #llama.q8_0, #cpu.fma>
  }
  return
}

// -----

func.func @scores_over_a_cache_of_a_choice(%ctx: !tile.context, %c: i1, %i: index) {
  %q = tile.buffer_rows %ctx @q at 0 : <1x16xf32>
  %a = tile.cache %ctx[%i] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %kv = arith.select %c, %a, %a : !llama.cache<2x1x16, f16>
  // expected-error @below {{'tile.score_keys' op takes '!llama.cache<2x1x16, f16>' from 'arith.select', expected the result of tile.cache}}
  %s = tile.score_keys %q[%i], %kv[%i, %i] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  return
}

// -----

func.func @scores_of_rows_that_are_carried(%ctx: !tile.context, %i: index) {
  %a = tile.buffer_rows %ctx @q at 0 : <1x16xf32>
  %kv = tile.cache %ctx[%i] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  %last = scf.for %k = %i to %i step %i iter_args(%q = %a) -> (!tile.rows<1x16xf32>) {
    // expected-error @below {{'tile.score_keys' op takes '!tile.rows<1x16xf32>' from a block's argument, expected the result of tile.buffer_rows or tile.stage}}
    %s = tile.score_keys %q[%k], %kv[%k, %k] : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
    scf.yield %q : !tile.rows<1x16xf32>
  }
  return
}

// -----

func.func @values_of_an_argument(%p: memref<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %i: index) {
  // expected-error @below {{'tile.sum_values' op takes '!llama.cache<2x1x16, f16>' from a block's argument, expected the result of tile.cache}}
  %o = tile.sum_values %p, %kv[%i, %i, %i] count %i advance 0 : memref<1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  return
}

// -----

func.func @weights_in_memory_for_a_unit(%ctx: !tile.context, %p: memref<64x64xf32>, %i: index) {
  %kv = tile.cache %ctx[%i] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  // expected-error @below {{'tile.sum_values' op takes its weights as a tile, for the unit of its order, found 'memref<64x64xf32>'}}
  %o = tile.sum_values %p, %kv[%i, %i, %i] count %i advance 0 order <unit = #cuda.mma> : memref<64x64xf32>, <2x1x16, f16> -> vector<64x16xf32>
  return
}

// -----

func.func @weights_of_no_unit_in_registers(%ctx: !tile.context, %p: vector<1x16xf32>, %i: index) {
  %kv = tile.cache %ctx[%i] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  // expected-error @below {{'tile.sum_values' op takes its weights from memory, found 'vector<1x16xf32>'}}
  %o = tile.sum_values %p, %kv[%i, %i, %i] count %i advance 0 : vector<1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
  return
}

// -----

func.func @appends_to_an_argument(%ctx: !tile.context, %x: vector<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %i: index) {
  // expected-error @below {{'tile.append' op takes '!llama.cache<2x1x16, f16>' from a block's argument, expected the result of tile.cache}}
  tile.append "keys" %x, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x16, f16>
  return
}

// -----

func.func @a_unit_of_float32_on_rows_of_q8b32(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32x!llama.q8b32>
  %w = tile.weight %ctx @w : <16x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.fma reads rows of 'f32', found '!llama.q8b32'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32x!llama.q8b32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_unit_of_bytes_on_rows_of_float32(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
  %w = tile.weight %ctx @w : <16x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.dot_u8s8 reads rows of '!llama.q8b32', found 'f32'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_unit_of_bytes_on_halves(%ctx: !tile.context, %i: index) {
  %x = tile.buffer_rows %ctx @x at 0 : <1x32x!llama.q8b32>
  %w = tile.weight %ctx @w : <16x32, #llama.f16> in #llama.interleaved16<k = 1> index 0
  // expected-error @below {{'tile.contract' op the unit #cpu.dot_u8s8 does not multiply f16 weights}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x32x!llama.q8b32>, !llama.weight<16x32, #llama.f16> -> vector<1x16xf32>
  return
}

// -----

func.func @a_row_staged_in_part_of_a_block(%x: memref<1x48xf32>, %i: index) {
  // expected-error @below {{'tile.stage' op stages float32, bf16, or whole blocks of q8b32 or x24b32, found '!tile.rows<1x48x!llama.q8b32>'}}
  %s = tile.stage %x[%i] : memref<1x48xf32> -> <1x48x!llama.q8b32> {
  ^bb0(%v: f32):
    tile.yield %v
  }
  return
}

// -----

func.func @rows_rounded_to_halves(%ctx: !tile.context, %x: memref<1x32xf32>, %i: index) {
  %y = tile.buffer_rows %ctx @y at 0 : <1x32xf16>
  // expected-error @below {{'tile.round_rows' op rounds to rows of q8b32 or x24b32, found '!tile.rows<1x32xf16>'}}
  tile.round_rows %x, %y[%i, %i] count %i : memref<1x32xf32>, <1x32xf16>
  return
}

// -----

func.func @part_of_a_block_rounded(%ctx: !tile.context, %x: memref<1x16xf32>, %i: index) {
  %y = tile.buffer_rows %ctx @y at 0 : <1x32x!llama.q8b32>
  // expected-error @below {{'tile.round_rows' op rounds whole blocks of 32 columns, found 'memref<1x16xf32>' to '!tile.rows<1x32x!llama.q8b32>'}}
  tile.round_rows %x, %y[%i, %i] count %i : memref<1x16xf32>, <1x32x!llama.q8b32>
  return
}

// -----

func.func @cache_a1(%ctx: !tile.context, %i: index) {
  // expected-error @below {{'tile.cache' op is of '!llama.cache<2x1x16, f16 ring 256>', a ring, and not apart; llama-to-tile says so where llama.cache_layout has rings}}
  %kv = tile.cache %ctx[%i] : !llama.cache<2x1x16, f16 ring 256> keys #llama.rowmajor values #llama.rowmajor
  return
}
