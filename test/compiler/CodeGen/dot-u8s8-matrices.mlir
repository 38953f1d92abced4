// #cpu.dot_u8s8 by matrices (AMX): a panel of signed bytes, and a loop over blocks of
// 32 columns that makes the sums of the next block and scales those of this one.
//
// RUN: %opt --tile-to-vector-cpu --canonicalize --cse %s | FileCheck %s

module attributes {llama.target = #cpu.target<name = "a CPU", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni,+amx-tile,+amx-int8", vector_bits = 512>} {
  // Bytes 64 x 8, scales: 4096 + 512; two slots of sums: 1024.
  // CHECK-LABEL: func.func @one_scale
  // CHECK-SAME:    llama.scratch = 5632
  // CHECK:         scf.for
  // CHECK-COUNT-8:   vector.store {{.*}} : memref<64x64xi8>, vector<64xi8>
  // CHECK:           vector.store {{.*}} : memref<8x16xf32>, vector<16xf32>
  // CHECK:         amx.tile_muli
  // CHECK:         amx.tile_store
  // CHECK:         scf.for
  // CHECK:           amx.tile_load {{.*}} : memref<64x64xi8> into !amx.tile<8x64xi8>
  // CHECK:           amx.tile_load {{.*}} : memref<16x384xi8> into !amx.tile<8x32xi8>
  // CHECK:           amx.tile_zero : !amx.tile<8x16xi32>
  // CHECK:           amx.tile_muli {{.*}} : !amx.tile<8x32xi8>, !amx.tile<8x64xi8>, !amx.tile<8x16xi32>
  // CHECK:           amx.tile_store {{.*}} : memref<16x16xi32>, !amx.tile<8x16xi32>
  // CHECK-COUNT-8:   arith.sitofp
  // CHECK-NOT:       arith.sitofp
  // CHECK:           scf.yield
  // CHECK:         scf.for
  // CHECK-COUNT-8:   arith.sitofp
  // CHECK:         return
  func.func @one_scale(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <16x256x!llama.q8b32>
    %y = tile.buffer %ctx @y at 8192 : memref<16x16xf32>
    %w = tile.weight %ctx @w : <16x256, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <16x256, #llama.q4_0> -> <16x256, #llama.q4_0, #cpu.dot_u8s8>
    %acc = tile.contract %x[%c0], %p[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <16x256x!llama.q8b32>, !tile.panel<16x256, #llama.q4_0, #cpu.dot_u8s8> -> vector<16x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<16x16xf32>, memref<16x16xf32>
    return
  }

  // A scale for 16 columns: two products a block, of half the columns.
  // CHECK-LABEL: func.func @two_scales
  // CHECK:         scf.for
  // CHECK:         scf.for
  // CHECK-COUNT-2:   amx.tile_muli {{.*}} : !amx.tile<8x16xi8>, !amx.tile<4x64xi8>, !amx.tile<8x16xi32>
  // CHECK-NOT:       amx.tile_muli
  // CHECK-COUNT-16:  arith.sitofp
  // CHECK-NOT:       arith.sitofp
  // CHECK:           scf.yield
  // CHECK:         return
  func.func @two_scales(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <16x256x!llama.q8b32>
    %y = tile.buffer %ctx @y at 8192 : memref<16x16xf32>
    %w = tile.weight %ctx @w : <16x256, #llama.q6_k> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <16x256, #llama.q6_k> -> <16x256, #llama.q6_k, #cpu.dot_u8s8>
    %acc = tile.contract %x[%c0], %p[%c0] order <unit = #cpu.dot_u8s8, block = 16, scale = outer> : <16x256x!llama.q8b32>, !tile.panel<16x256, #llama.q6_k, #cpu.dot_u8s8> -> vector<16x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<16x16xf32>, memref<16x16xf32>
    return
  }

  // Rows of three digits: each is a matrix that meets the same one of the weight,
  // at byte 0, 32 and 64 of a record of 128; three sums to read and to put together.
  // CHECK-LABEL: func.func @three_digits
  // CHECK-SAME:    llama.scratch = 7680
  // CHECK:         scf.for
  // CHECK:         scf.for
  // CHECK-COUNT-3:   amx.tile_muli {{.*}} : !amx.tile<8x32xi8>, !amx.tile<8x64xi8>, !amx.tile<8x16xi32>
  // CHECK-NOT:       amx.tile_muli
  // CHECK-COUNT-24:  arith.sitofp
  // CHECK-NOT:       arith.sitofp
  // CHECK:           scf.yield
  // CHECK:         return
  func.func @three_digits(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <16x256x!llama.x24b32>
    %y = tile.buffer %ctx @y at 16384 : memref<16x16xf32>
    %w = tile.weight %ctx @w : <16x256, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %p = tile.panel %w[%c0] : <16x256, #llama.q4_0> -> <16x256, #llama.q4_0, #cpu.dot_u8s8<digits = 3>>
    %acc = tile.contract %x[%c0], %p[%c0] order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : <16x256x!llama.x24b32>, !tile.panel<16x256, #llama.q4_0, #cpu.dot_u8s8<digits = 3>> -> vector<16x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<16x16xf32>, memref<16x16xf32>
    return
  }
}
