// RUN: %opt %pass %s --split-input-file --verify-diagnostics

// expected-error @below {{has no llama.target of a CPU, which the driver stamps; a GPU's module goes on with backend=cuda}}
module {
  func.func @a_kernel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    return
  }
}

// -----

// expected-error @below {{has no llama.target of a CPU, which the driver stamps; a GPU's module goes on with backend=cuda}}
module attributes {llama.target = #cuda.target<name = "sm_80">} {
  func.func @a_kernel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @a_matrix_in_the_checkpoints_order(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    // expected-error @below {{'tile.weight' op is read on a CPU as f32 where it is a vector and in the format's interleaved16 where it is a matrix, found '!llama.weight<16x32, #llama.q4_0>' in #llama.rowmajor}}
    %w = tile.weight %ctx @w : <16x32, #llama.q4_0> in #llama.rowmajor index 0
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @a_vector_of_halves(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    // expected-error @below {{'tile.weight' op is read on a CPU as f32 where it is a vector and in the format's interleaved16 where it is a matrix, found '!llama.weight<32, #llama.f16>' in #llama.rowmajor}}
    %w = tile.weight %ctx @w : <32, #llama.f16> in #llama.rowmajor index 0
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @keys_row_by_row(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %l = arith.index_castui %layer : i32 to index
    // expected-error @below {{'tile.cache' op is read on a CPU with keys in keys_interleaved16 and values in rowmajor}}
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @values_in_groups_of_positions(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %l = arith.index_castui %layer : i32 to index
    // expected-error @below {{'tile.cache' op is read on a CPU with keys in keys_interleaved16 and values in rowmajor}}
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.keys_interleaved16
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @a_tile_of_half_a_group(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    // expected-error @below {{'tile.contract' op is groups of 16 rows of a weight on a CPU, all those of a panel, found 'vector<1x24xf32>'}}
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<48x32, #llama.q8_0> -> vector<1x24xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @a_tile_of_two_groups_of_three(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <48x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    // expected-error @below {{'tile.contract' op reads 32 rows at once of a weight of 48, past its last group; n divides the rows, or is 16}}
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<48x32, #llama.q8_0> -> vector<1x32xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @a_part_of_a_panel(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <32x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <32x32, #llama.q8_0> -> <32x32, #llama.q8_0, #cpu.fma>
    // expected-error @below {{'tile.contract' op is groups of 16 rows of a weight on a CPU, all those of a panel, found 'vector<1x16xf32>'}}
    %acc = tile.contract %x[%c0], %p[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !tile.panel<32x32, #llama.q8_0, #cpu.fma> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @the_unit_of_another_target(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    // expected-error @below {{'tile.contract' op the unit #cuda.simt has no lowering to a CPU's vectors}}
    %s = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "a CPU without fma", features = "+avx2", vector_bits = 256>} {
  func.func @a_unit_that_the_target_lacks(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    // expected-error @below {{'tile.contract' op the unit #cpu.fma needs fma, which the target a CPU without fma lacks}}
    %s = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "znver4", features = "+avx2,+fma,+avx512bf16", vector_bits = 512>} {
  func.func @a_panel_of_bf16(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %w = tile.weight %ctx @w : <16x32, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    // expected-error @below {{'tile.panel' op the unit #cpu.dot_bf16 multiplies numbers where they stand and has no panels; multiply by the weight}}
    %p = tile.panel %w[%c0] : <16x32, #llama.bf16> -> <16x32, #llama.bf16, #cpu.dot_bf16>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "a CPU with 128 bits", features = "+avx,+fma", vector_bits = 256>} {
  func.func @a_product_of_bytes_that_the_target_lacks(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32x!llama.q8b32>
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    // expected-error @below {{'tile.contract' op the unit #cpu.dot_u8s8 needs avx2, which the target a CPU with 128 bits lacks}}
    %s = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x32x!llama.q8b32>, !llama.weight<16x32, #llama.q8_0> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "a CPU of vectors", features = "+avx2,+fma,+avx512bf16", vector_bits = 512>} {
  func.func @a_product_of_matrices_that_the_target_lacks(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <16x32xbf16>
    %w = tile.weight %ctx @w : <16x32, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    // expected-error @below {{'tile.contract' op the unit #cpu.amx_bf16 needs amx-tile, which the target a CPU of vectors lacks}}
    %s = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.amx_bf16, block = 32> : <16x32xbf16>, !llama.weight<16x32, #llama.bf16> -> vector<16x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "sapphirerapids", features = "+avx2,+fma,+avx512bf16,+amx-tile,+amx-bf16", vector_bits = 512>} {
  func.func @the_order_of_vectors(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <16x32xbf16>
    %w = tile.weight %ctx @w : <16x32, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    // expected-error @below {{'tile.contract' op the unit #cpu.amx_bf16 sums a row of a bf16 weight in the order #llama.reduction_order<unit = #cpu.amx_bf16, block = 32>, found #llama.reduction_order<unit = #cpu.amx_bf16, block = 2>}}
    %s = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.amx_bf16, block = 2> : <16x32xbf16>, !llama.weight<16x32, #llama.bf16> -> vector<16x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @keys_that_lanes_share(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %q = tile.buffer_rows %ctx @q at 0 : <1x16xf32>
    // expected-error @below {{'tile.score_keys' op has no lanes that share keys on a CPU, found #llama.reduction_order<block = 8, lanes = 2>}}
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] order <block = 8, lanes = 2> : <1x16xf32>, <2x1x16, f16> -> vector<1x16xf32>
    return
  }
}

// -----

module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  func.func @half_a_vector(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %scores = tile.scratch : memref<1x256xf32>
    %s = tile.load %scores[%c0, %c0] : memref<1x256xf32> -> vector<1x8xf32>
    // expected-error @below {{'tile.reduce_lanes' op reduces rows of whole vectors of 16 on a CPU, found 'vector<1x8xf32>'}}
    %sum = tile.reduce_lanes "add" %s : vector<1x8xf32> -> vector<1xf32>
    return
  }
}
