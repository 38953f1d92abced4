// RUN: %opt %s --split-input-file --verify-diagnostics

// expected-error @below {{rows are rows x columns}}
func.func @rows_of_one_extent(%x: !tile.rows<32xf32>)

// -----

// expected-error @below {{a panel is rows x columns}}
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

func.func @a_stage_with_another_weight(%x: memref<1x32xf32>, %i: index, %g: !llama.weight<16, #llama.f32>) {
  // expected-error @below {{'tile.stage' op a per-column weight has the row's 32 elements, found '!llama.weight<16, #llama.f32>'}}
  %s = tile.stage %x[%i] columns(%g : !llama.weight<16, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_stage_with_a_matrix(%x: memref<1x32xf32>, %i: index, %g: !llama.weight<4x32, #llama.f32>) {
  // expected-error @below {{'tile.stage' op a per-column weight has the row's 32 elements, found '!llama.weight<4x32, #llama.f32>'}}
  %s = tile.stage %x[%i] columns(%g : !llama.weight<4x32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
  ^bb0(%a: f32, %b: f32):
    tile.yield %a
  }
  return
}

// -----

func.func @a_stage_that_forgets_a_value(%x: memref<1x32xf32>, %i: index, %r: vector<1xf32>, %g: !llama.weight<32, #llama.f32>) {
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

func.func @rows_of_other_columns(%x: !tile.rows<1x64xf32>, %w: !llama.weight<16x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.contract' op rows of 64 columns against a weight of 32}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @rows_of_other_columns_than_the_panel(%x: !tile.rows<1x64xf32>, %w: !tile.panel<16x32, #llama.q8_0, #cpu.fma>, %i: index) {
  // expected-error @below {{'tile.contract' op rows of 64 columns against a weight of 32}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
  return
}

// -----

func.func @minima_without_sums(%x: !tile.rows<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_1>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cpu.fma needs the sums of blocks of the rows for q4_1}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_1> -> vector<1x16xf32>
  return
}

// -----

func.func @scales_left_out_of_the_order(%x: !tile.rows<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_0>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q4_0 weight in the order #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @an_order_of_another_unit(%x: !tile.rows<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_0>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q4_0 weight in the order #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer, lanes = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @an_order_without_a_unit(%x: !tile.rows<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_0>, %i: index) {
  // expected-error @below {{'tile.contract' op the order of a product names its unit, found #llama.reduction_order<block = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <block = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @tensor_cores_on_minima(%x: !tile.rows<64x32xf16>, %w: !llama.weight<64x32, #llama.q4_1>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cuda.mma does not multiply q4_1 weights}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma, block = 32, scale = outer> : <64x32xf16>, !llama.weight<64x32, #llama.q4_1> -> vector<64x64xf32>
  return
}

// -----

func.func @sums_that_nobody_reads(%x: !tile.rows<1x32xf32>, %w: !llama.weight<16x32, #llama.q4_0>, %i: index, %sums: memref<1x1xf32>) {
  // expected-error @below {{'tile.contract' op the unit #cpu.fma does not read sums of blocks for q4_0}}
  %s = tile.contract %x[%i], %w[%i] sums(%sums : memref<1x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
  return
}

// -----

func.func @a_panel_of_another_unit(%x: !tile.rows<1x32xf32>, %w: !tile.panel<16x32, #llama.q8_0, #cpu.fma>, %i: index) {
  // expected-error @below {{'tile.contract' op reads a panel of the unit #cpu.fma, but sums in the order #llama.reduction_order<unit = #cuda.simt, block = 16, scale = outer, lanes = 32>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !tile.panel<16x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
  return
}

// -----

func.func @blocks_of_another_size(%x: !tile.rows<1x256xf32>, %w: !llama.weight<16x256, #llama.q6_k>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cpu.fma sums a row of a q6_k weight in the order #llama.reduction_order<unit = #cpu.fma, block = 16, scale = outer>, found #llama.reduction_order<unit = #cpu.fma, block = 32, scale = outer>}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cpu.fma, block = 32, scale = outer> : <1x256xf32>, !llama.weight<16x256, #llama.q6_k> -> vector<1x16xf32>
  return
}

// -----

func.func @tensor_cores_on_float32(%x: !tile.rows<64x32xf32>, %w: !llama.weight<64x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cuda.mma reads rows of 'f16', found 'f32'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.mma, block = 32, scale = outer> : <64x32xf32>, !llama.weight<64x32, #llama.q8_0> -> vector<64x64xf32>
  return
}

// -----

func.func @lanes_on_halves(%x: !tile.rows<1x32xf16>, %w: !llama.weight<16x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.contract' op the unit #cuda.simt reads rows of 'f32', found 'f16'}}
  %s = tile.contract %x[%i], %w[%i] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf16>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
  return
}

// -----

func.func @values_of_two_rows(%w: !llama.weight<16x32, #llama.q8_0>, %i: index) {
  // expected-error @below {{'tile.decode' op decodes columns of one row, found 2 rows}}
  %v = tile.decode %w[%i, %i] : <16x32, #llama.q8_0> -> vector<2x16xf32>
  return
}

// -----

func.func @halves_in_memory_of_floats(%v: vector<1x16xf16>, %m: memref<8x32xf32>, %i: index) {
  // expected-error @below {{'tile.store' op stores 'f16' to memory of 'f32'}}
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

func.func @appends_something_else(%x: vector<1x16xf32>, %kv: !llama.cache<2x1x16, f16>, %ctx: !tile.context, %i: index) {
  // expected-error @below {{'tile.append' op appends keys or values, found 'queries'}}
  tile.append "queries" %x, %kv, %ctx[%i, %i] rows %i : vector<1x16xf32>, <2x1x16, f16>
  return
}
