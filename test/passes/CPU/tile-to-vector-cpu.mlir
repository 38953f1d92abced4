// RUN: %opt %pass --split-input-file %s | FileCheck %s

// With 512-bit vectors a nibble is looked up in a table: no mask, no conversion.
module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  // The loop over k: a vector holds 16 rows of the weight, x is broadcast; each
  // block of 32 columns is summed from +0, then scaled into the accumulator.
  // CHECK-LABEL: func.func @product
  // CHECK-SAME:    (%[[CTX:[^:]+]]: !llvm.ptr, %[[SCRATCH:[^:]+]]: !llvm.ptr, %[[LAYER:[^:]+]]: i32, %{{.+}}: i32, %{{.+}}: i32) attributes {llama.scratch = 0 : i64}
  // CHECK:         %[[L:.+]] = arith.index_castui %[[LAYER]]
  // CHECK:         %[[X:.+]] = context.view %{{.+}}[%c128{{[_0-9]*}}] : !llvm.ptr -> memref<1x64xf32>
  // The weight's place: offsets[5 + layer] bytes into the image's weights.
  // CHECK:         context.field %[[CTX]] offsets
  // CHECK:         %[[ENTRY:.+]] = arith.addi %c5{{[_0-9]*}}, %[[L]]
  // CHECK:         memref.load %{{.+}}[%[[ENTRY]]] : memref<?xi64>
  // CHECK:         context.field %[[CTX]] weights
  // CHECK:         %[[W:.+]] = context.view %{{.+}} : !llvm.ptr -> memref<?xi8>
  // Row 16 is in the second group, of 2 blocks of 288 bytes.
  // CHECK:         arith.divui %c16, %c16
  // CHECK:         %[[GROUP:.+]] = arith.muli %{{.+}}, %c576
  // CHECK:         %[[ACC:.+]] = scf.for %[[BLOCK:.+]] = %{{.+}} to %c2{{[_0-9]*}} step %{{.+}} iter_args(%[[SUM:.+]] = %{{.+}}) -> (vector<16xf32>)
  // CHECK:           %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<16xf32>
  // CHECK:           %[[TABLE:.+]] = arith.constant dense<[-8.000000e+00, -7.000000e+00, {{.*}}, 7.000000e+00]> : vector<16xf32>
  // CHECK:           %[[BYTES:.+]] = vector.load %[[W]]{{.*}} : memref<?xi8>, vector<64xi8>
  // CHECK:           %[[LANES:.+]] = vector.bitcast %[[BYTES]] : vector<64xi8> to vector<16xi32>
  // CHECK:           %[[Q0:.+]] = cpu.lookup16 %[[TABLE]], %[[LANES]]
  // CHECK:           %[[X0:.+]] = memref.load %[[X]]
  // CHECK:           %[[S0:.+]] = vector.broadcast %[[X0]]
  // CHECK:           %[[F0:.+]] = vector.fma %[[Q0]], %[[S0]], %[[ZERO]]
  // CHECK:           %[[SHIFTED:.+]] = arith.shrui %[[LANES]], %{{.+}} : vector<16xi32>
  // CHECK:           %[[Q1:.+]] = cpu.lookup16 %[[TABLE]], %[[SHIFTED]]
  // CHECK:           vector.fma %[[Q1]], %{{.+}}, %[[F0]]
  // CHECK-COUNT-30:  vector.fma
  // The 16 scales of the block.
  // CHECK:           vector.load %[[W]]{{.*}} : memref<?xi8>, vector<32xi8>
  // CHECK:           %[[SCALE:.+]] = arith.extf %{{.+}} : vector<16xf16> to vector<16xf32>
  // CHECK:           %[[NEXT:.+]] = vector.fma %{{.+}}, %[[SCALE]], %[[SUM]]
  // CHECK-NOT:       vector.fma
  // CHECK:           scf.yield %[[NEXT]]
  // CHECK-NOT:     tile.
  // CHECK:         return
  func.func @product(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %l = arith.index_castui %layer : i32 to index
    %x = tile.buffer_rows %ctx @x at 128 : <1x64xf32>
    %y = tile.buffer %ctx @y at 384 : memref<1x32xf32>
    %w = tile.weight %ctx @blk::@w[%l] : <32x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 5
    %acc = tile.contract %x[%c0], %w[%c16] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !llama.weight<32x64, #llama.q4_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c16] : vector<1x16xf32>, memref<1x32xf32>
    return
  }

  // Two groups of rows side by side, each with a sum; 128 bytes ahead of each block
  // its five lines of 64 bytes are fetched. Behind a group's 576 bytes lies its
  // next in the next tile, a group further.
  // CHECK-LABEL: func.func @two_groups_are_fetched_ahead
  // CHECK:         %[[G0:.+]] = arith.muli %{{.+}}, %c576
  // CHECK:         %[[G1:.+]] = arith.muli %{{.+}}, %c576
  // CHECK:         scf.for %[[BLOCK:.+]] = %{{.+}} to %c2{{[_0-9]*}} step %{{.+}} iter_args(%{{.+}} = %{{.+}}, %{{.+}} = %{{.+}}) -> (vector<16xf32>, vector<16xf32>)
  // CHECK:           %[[AT:.+]] = arith.muli %[[BLOCK]], %c288
  // CHECK:           %[[AHEAD:.+]] = arith.addi %[[AT]], %c128
  // CHECK:           %[[BEHIND:.+]] = arith.cmpi uge, %[[AHEAD]], %c576
  // CHECK:           %[[NEXT:.+]] = arith.addi %[[AHEAD]], %c576
  // CHECK:           %[[PLACE:.+]] = arith.select %[[BEHIND]], %[[NEXT]], %[[AHEAD]]
  // CHECK:           arith.addi %[[G0]], %[[PLACE]]
  // CHECK-COUNT-5:   memref.prefetch %{{.+}}[%{{.+}}], read, locality<3>, data : memref<?xi8>
  // CHECK-NOT:       memref.prefetch
  // CHECK-COUNT-33:  vector.fma
  // CHECK:           arith.addi %[[G1]], %{{.+}}
  // CHECK-COUNT-5:   memref.prefetch
  // CHECK-NOT:       memref.prefetch
  // CHECK-COUNT-33:  vector.fma
  // CHECK:           scf.yield %{{.+}}, %{{.+}} : vector<16xf32>, vector<16xf32>
  func.func @two_groups_are_fetched_ahead(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 32, prefetch = 128>} {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %x = tile.buffer_rows %ctx @x at 128 : <1x64xf32>
    %y = tile.buffer %ctx @y at 384 : memref<1x32xf32>
    %w = tile.weight %ctx @blk::@w[%l] : <32x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 5
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x64xf32>, !llama.weight<32x64, #llama.q4_0> -> vector<1x32xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x32xf32>, memref<1x32xf32>
    return
  }

  // A panel is quants, scales and minima in scratch; each tile of rows reads them
  // again. The sums of blocks of x are what the minima are multiplied by.
  // CHECK-LABEL: func.func @a_panel_is_scratch
  // 32 x 16 quants, 16 scales, 16 minima, two sums rounded up to 64 bytes.
  // CHECK-SAME:    llama.scratch = 2240 : i64
  // CHECK:         %[[SUMS:.+]] = context.view {{.*}} -> memref<2x1xf32>
  // CHECK-COUNT-32: arith.addf {{.*}} : f32
  // CHECK:         memref.store %{{.+}}, %[[SUMS]]
  // CHECK:         %[[QUANTS:.+]] = context.view {{.*}} -> memref<32x16xf32>
  // CHECK:         %[[SCALES:.+]] = context.view {{.*}} -> memref<1x16xf32>
  // CHECK:         %[[MINIMA:.+]] = context.view {{.*}} -> memref<1x16xf32>
  // CHECK:         scf.for
  // CHECK-COUNT-32:  vector.store %{{.+}}, %[[QUANTS]]
  // CHECK:           vector.store %{{.+}}, %[[SCALES]]
  // CHECK:           vector.store %{{.+}}, %[[MINIMA]]
  // CHECK:         scf.for
  // CHECK:           %[[Q:.+]] = vector.load %[[QUANTS]]
  // CHECK:           vector.fma %[[Q]]
  // CHECK:           vector.fma %[[Q]]
  // CHECK:           %[[SCALE:.+]] = vector.load %[[SCALES]]
  // CHECK:           %[[MINIMUM:.+]] = vector.load %[[MINIMA]]
  // CHECK:           vector.fma %{{.+}}, %[[SCALE]]
  // CHECK:           memref.load %[[SUMS]]
  // CHECK:           vector.fma {{.*}}%[[MINIMUM]]
  func.func @a_panel_is_scratch(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %x = tile.buffer_rows %ctx @x at 0 : <2x32xf32>
    %y = tile.buffer %ctx @y at 384 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q4_1> in #llama.interleaved16<k = 4> index 0
    %sums = tile.block_sums %x, %c2 block 32 : <2x32xf32> -> memref<2x1xf32>
    %panel = tile.panel %w[%c0] : <16x32, #llama.q4_1> -> <16x32, #llama.q4_1, #cpu.fma>
    %acc = tile.contract %x[%c0], %panel[%c0] sums(%sums : memref<2x1xf32>) order <unit = #cpu.fma, block = 32, scale = outer> : <2x32xf32>, !tile.panel<16x32, #llama.q4_1, #cpu.fma> -> vector<2x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // Of products of bytes a panel is the quants, four columns of 16 rows in a row, and
  // float32 scales, both levels multiplied. vpmaddubsw multiplies them plus 32,
  // unsigned, and each sum begins with that of a block of x times -32.
  // CHECK-LABEL: func.func @a_panel_of_bytes
  // 64 rows of 64 bytes, 16 scales of 16 rows.
  // CHECK-SAME:    llama.scratch = 5120 : i64
  // CHECK:         %[[BYTES:.+]] = context.view {{.*}} -> memref<64x64xi8>
  // CHECK:         %[[SCALES:.+]] = context.view {{.*}} -> memref<16x16xf32>
  // CHECK:         scf.for
  // CHECK-COUNT-8:   vector.store %{{.+}}, %[[BYTES]]{{.*}} vector<64xi8>
  // CHECK-COUNT-2:   vector.store %{{.+}}, %[[SCALES]]
  // CHECK:         scf.for
  // CHECK:           arith.shrsi %{{.+}}, %{{.+}} : vector<8xi32>
  // CHECK:           %[[QUANTS:.+]] = vector.load %[[BYTES]]{{.*}} vector<32xi8>
  // CHECK:           arith.subi %[[QUANTS]], %{{.+}} : vector<32xi8>
  // CHECK:           vector.load %[[SCALES]]
  // CHECK:         return
  func.func @a_panel_of_bytes(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <2x256x!llama.q8b32>
    %y = tile.buffer %ctx @y at 768 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x256, #llama.q6_k> in #llama.interleaved16<k = 4> index 0
    %panel = tile.panel %w[%c0] : <16x256, #llama.q6_k> -> <16x256, #llama.q6_k, #cpu.dot_u8s8>
    %acc = tile.contract %x[%c0], %panel[%c0] order <unit = #cpu.dot_u8s8, block = 16, scale = outer> : <2x256x!llama.q8b32>, !tile.panel<16x256, #llama.q6_k, #cpu.dot_u8s8> -> vector<2x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // Quants of 8 bits are too large for vpmaddubsw to add two products of: a panel has the
  // lower and the upper four bits of each quant plus 128. Their products are summed
  // apart over the whole block, and the sum begins with that of the block of x times
  // -128, which stands in the record.
  // CHECK-LABEL: func.func @a_panel_of_halves
  // 8 rows of 128 bytes, a scale of 16 rows.
  // CHECK-SAME:    llama.scratch = 1088 : i64
  // CHECK:         %[[BYTES:.+]] = context.view {{.*}} -> memref<8x128xi8>
  // CHECK:         scf.for
  // CHECK-COUNT-16:  vector.store %{{.+}}, %[[BYTES]]{{.*}} vector<64xi8>
  // CHECK:         scf.for
  // CHECK:           %[[LOW:.+]] = vector.load %[[BYTES]]{{.*}} vector<32xi8>
  // CHECK:           %[[HIGH:.+]] = vector.load %[[BYTES]]{{.*}} vector<32xi8>
  // CHECK:           cpu.multiply_pairs %[[LOW]],
  // CHECK:           cpu.multiply_pairs %[[HIGH]],
  // Of both halves of eight rows of the weight, and of the other eight.
  // CHECK-COUNT-2:   cpu.add_pairs
  // CHECK:           arith.shli %{{.+}}, %{{.+}} : vector<8xi32>
  // CHECK-COUNT-2:   cpu.add_pairs
  // CHECK:           arith.shli %{{.+}}, %{{.+}} : vector<8xi32>
  // CHECK-NOT:       cpu.add_pairs
  // CHECK-NOT:       cpu.multiply_signs
  // CHECK:           scf.yield
  // CHECK:         return
  func.func @a_panel_of_halves(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32x!llama.q8b32>
    %y = tile.buffer %ctx @y at 768 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %panel = tile.panel %w[%c0] : <16x32, #llama.q8_0> -> <16x32, #llama.q8_0, #cpu.dot_u8s8>
    %acc = tile.contract %x[%c0], %panel[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x32x!llama.q8b32>, !tile.panel<16x32, #llama.q8_0, #cpu.dot_u8s8> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }
}

// -----

// Without tables: mask, offset, conversion. The same values, so the same bits.
module attributes {llama.target = #cpu.target<name = "x86-64-v3", features = "+avx2,+fma", vector_bits = 256>} {
  // CHECK-LABEL: func.func @a_nibble_is_masked_and_converted
  // CHECK-NOT:     cpu.lookup16
  // CHECK:           %[[LOW:.+]] = arith.andi
  // CHECK:           %[[Q:.+]] = arith.addi %[[LOW]]
  // CHECK:           %[[F:.+]] = arith.sitofp %[[Q]] : vector<16xi32> to vector<16xf32>
  // CHECK:           vector.fma %[[F]]
  // CHECK-NOT:     cpu.lookup16
  // CHECK:         return
  func.func @a_nibble_is_masked_and_converted(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %y = tile.buffer %ctx @y at 128 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.q4_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Four columns at once, then each byte with its sign.
  // CHECK-LABEL: func.func @a_table_is_looked_up_by_bytes
  // CHECK-NOT:     cpu.lookup16
  // CHECK:           cpu.lookup_bytes
  // CHECK:           cpu.lookup_bytes
  // CHECK:           %[[UP:.+]] = arith.shli
  // CHECK:           %[[DOWN:.+]] = arith.shrsi %[[UP]]
  // CHECK:           %[[F:.+]] = arith.sitofp %[[DOWN]] : vector<16xi32> to vector<16xf32>
  // CHECK:           vector.fma %[[F]]
  // CHECK:         return
  func.func @a_table_is_looked_up_by_bytes(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x32xf32>
    %y = tile.buffer %ctx @y at 128 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.iq4_nl> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <1x32xf32>, !llama.weight<16x32, #llama.iq4_nl> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Each value of a tile of the embedding is found by row and column; no column
  // past the last of 24 is read.
  // CHECK-LABEL: func.func @values_are_decoded_one_by_one
  // CHECK:         %[[GROUP:.+]] = arith.divui %{{.+}}, %c16
  // CHECK:         vector.load %{{.+}} : memref<?xi8>, vector<2xi8>
  // CHECK:         vector.bitcast %{{.+}} : vector<2xi8> to vector<1xf16>
  // CHECK:         arith.extf {{.*}} : f16 to f32
  // CHECK:         %[[LAST:.+]] = arith.minsi %{{.+}}, %c23
  // CHECK:         arith.muli %[[LAST]], %c32
  // CHECK:         vector.from_elements %{{.+}} : vector<1x16xf32>
  func.func @values_are_decoded_one_by_one(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %y = tile.buffer %ctx @y at 128 : memref<1x24xf32>
    %w = tile.weight %ctx @w : <16x24, #llama.f16> in #llama.interleaved16<k = 1> index 0
    %token = tile.token %ctx[%c0]
    %v = tile.decode %w[%token, %c16] : <16x24, #llama.f16> -> vector<1x16xf32>
    tile.store %v, %y[%c0, %c16] : vector<1x16xf32>, memref<1x24xf32>
    return
  }

  // Whole rows go by 16 lanes; the tail is masked, and lanes past the row add
  // nothing. Lane j and lane j + 8 are added, halving.
  // CHECK-LABEL: func.func @rows_of_24_have_a_tail
  // 2 rows of 32 floats, so that a vector may be read anywhere.
  // CHECK-SAME:    llama.scratch = 256 : i64
  // CHECK:         %[[WHOLE:.+]] = scf.for {{.*}} to %c16{{[_0-9]*}} step %c16
  // CHECK:           vector.load %{{.+}} : memref<4x24xf32>, vector<16xf32>
  // CHECK:           %[[SQUARE:.+]] = arith.mulf %{{.+}}, %{{.+}} : vector<16xf32>
  // CHECK:           arith.addf %{{.+}}, %[[SQUARE]]
  // CHECK:         vector.maskedload
  // CHECK:         %[[MASKED:.+]] = arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi1>, vector<16xf32>
  // CHECK:         %[[LANES:.+]] = arith.addf %[[WHOLE]], %[[MASKED]]
  // CHECK:         vector.shuffle %[[LANES]], %[[LANES]] [0, 1, 2, 3, 4, 5, 6, 7]
  // CHECK:         vector.shuffle %[[LANES]], %[[LANES]] [8, 9, 10, 11, 12, 13, 14, 15]
  // CHECK:         arith.addf {{.*}} : vector<8xf32>
  // CHECK:         arith.addf {{.*}} : vector<4xf32>
  // CHECK:         arith.addf {{.*}} : vector<2xf32>
  // CHECK:         arith.addf {{.*}} : vector<1xf32>
  // Two rows, 3 apart, are staged.
  // CHECK:         %[[STAGED:.+]] = context.view {{.*}} -> memref<2x32xf32>
  // CHECK:         vector.store %{{.+}}, %[[STAGED]][%c0
  // CHECK:         %[[SECOND:.+]] = arith.addi %{{.+}}, %c3
  // CHECK:         vector.load %{{.+}}[%[[SECOND]]
  // CHECK:         vector.store %{{.+}}, %[[STAGED]][%c1
  func.func @rows_of_24_have_a_tail(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<4x24xf32>
    %y = tile.buffer %ctx @y at 384 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x24, #llama.f16> in #llama.interleaved16<k = 1> index 0
    %s = tile.sum %x[%c0] order <lanes = 16> : memref<4x24xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %square = arith.mulf %a, %a : f32
      tile.yield %square
    }
    %both = vector.shuffle %s, %s [0, 0] : vector<1xf32>, vector<1xf32>
    %rows = tile.stage %x[%c0] every 3 rows(%both : vector<2xf32>) : memref<4x24xf32> -> <2x24xf32> {
    ^bb0(%a: f32, %r: f32):
      %scaled = arith.mulf %a, %r : f32
      tile.yield %scaled
    }
    %acc = tile.contract %rows[%c0], %w[%c0] order <unit = #cpu.fma, block = 32> : <2x24xf32>, !llama.weight<16x24, #llama.f16> -> vector<2x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // What is not valid is not written: columns by a mask, rows by a branch. The
  // first row of a tile is always one of the call's.
  // CHECK-LABEL: func.func @only_valid_elements_are_stored
  // CHECK:         %[[ROWS:.+]] = context.field %{{.+}} rows
  // CHECK:         vector.maskedload %{{.+}} : memref<4x20xf32>
  // CHECK:         vector.maskedstore
  // CHECK:         %[[VALID:.+]] = arith.cmpi slt, %{{.+}}, %[[ROWS]]
  // CHECK:         scf.if %[[VALID]] {
  // CHECK:           vector.maskedstore
  // CHECK:         }
  func.func @only_valid_elements_are_stored(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c16 = arith.constant 16 : index
    %rows = tile.row_count %ctx
    %x = tile.buffer %ctx @x at 0 : memref<4x20xf32>
    %v = tile.load %x[%c2, %c16] : memref<4x20xf32> -> vector<2x16xf32>
    tile.store %v, %x[%c0, %c16] rows %rows : vector<2x16xf32>, memref<4x20xf32>
    return
  }

  // What a product is added to is fetched before the loop over k and loaded behind it.
  // CHECK-LABEL: func.func @a_tile_behind_a_product
  // CHECK:         memref.prefetch %[[Y:[0-9]+]]
  // CHECK:         memref.prefetch %[[Y]]
  // CHECK-NOT:     vector.load %[[Y]]
  // CHECK:         scf.for
  // CHECK:           scf.yield
  // CHECK-COUNT-2: vector.load %[[Y]]
  // CHECK:         arith.addf %{{.+}} : vector<2x16xf32>
  func.func @a_tile_behind_a_product(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <2x64xf32>
    %y = tile.buffer %ctx @y at 512 : memref<2x16xf32>
    %z = tile.buffer %ctx @z at 640 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %v = tile.load %y[%c0, %c0] : memref<2x16xf32> -> vector<2x16xf32>
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.fma, block = 32, scale = outer> : <2x64xf32>, !llama.weight<16x64, #llama.q8_0> -> vector<2x16xf32>
    %sum = arith.addf %v, %acc : vector<2x16xf32>
    tile.store %sum, %z[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // A block has 256 positions of both layers. In it keys lie 16 positions apart,
  // values side by side; both are rounded to f16.
  // CHECK-LABEL: func.func @keys_and_values_are_appended
  // CHECK:         %[[K:.+]] = arith.truncf %{{.+}} : vector<16xf32> to vector<16xf16>
  // CHECK:         %[[BLOCK:.+]] = arith.divui %[[POSITION:[0-9]+]], %c256
  // CHECK:         arith.muli %[[BLOCK]], %c8192
  // CHECK:         %[[IN_BLOCK:.+]] = arith.remui %[[POSITION]], %c256
  // CHECK:         %[[GROUP:.+]] = arith.divui %[[IN_BLOCK]], %c16
  // CHECK:         arith.muli %[[GROUP]], %c256
  // CHECK:         arith.remui %[[POSITION]], %c16
  // CHECK-COUNT-16: memref.store %{{.+}} : memref<?xf16>
  // CHECK:         arith.truncf
  // CHECK:         vector.store %{{.+}} : memref<?xf16>, vector<16xf16>
  func.func @keys_and_values_are_appended(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %x = tile.buffer %ctx @x at 0 : memref<1x16xf32>
    %v = tile.load %x[%c0, %c0] : memref<1x16xf32> -> vector<1x16xf32>
    tile.append "keys" %v, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
    tile.append "values" %v, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x16xf32>, <2x1x16, f16>
    return
  }

  // The region of a layer begins where the context says, and a ring's positions
  // go round.
  // CHECK-LABEL: func.func @keys_are_appended_to_a_ring
  // CHECK:         %[[POINTER:.+]] = context.field %{{.+}} regions
  // CHECK:         %[[REGIONS:.+]] = context.view %[[POINTER]][%{{.+}}] : !llvm.ptr -> memref<?xi64>
  // CHECK:         %[[BEGIN:.+]] = memref.load %[[REGIONS]][%{{.+}}]
  // CHECK:         %[[REGION:.+]] = arith.index_cast %[[BEGIN]]
  // CHECK:         %[[KEYS:.+]] = context.field %{{.+}} keys
  // CHECK:         %[[BYTES:.+]] = arith.muli %[[REGION]], %c32
  // CHECK:         context.view %[[KEYS]][%[[BYTES]]] : !llvm.ptr -> memref<?xf16>
  // CHECK:         %[[PLACE:.+]] = arith.remui %{{.+}}, %c768
  // CHECK:         %[[BLOCK:.+]] = arith.divui %[[PLACE]], %c256
  // CHECK:         arith.muli %[[BLOCK]], %c4096
  func.func @keys_are_appended_to_a_ring(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16 ring 768> keys #llama.keys_interleaved16 values #llama.rowmajor apart
    %x = tile.buffer %ctx @x at 0 : memref<1x16xf32>
    %v = tile.load %x[%c0, %c0] : memref<1x16xf32> -> vector<1x16xf32>
    tile.append "keys" %v, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x16xf32>, <2x1x16, f16 ring 768>
    return
  }

  // Scores of 16 keys are one vector, so no sum crosses lanes. A row's values end
  // at its own position: later keys are added by select in a second loop.
  // CHECK-LABEL: func.func @two_rows_attend
  // CHECK:         scf.for {{.*}} to %c16
  // CHECK:           %[[KEYS:.+]] = vector.load %{{.+}} : memref<?xf16>, vector<16xf16>
  // CHECK:           %[[WIDE:.+]] = arith.extf %[[KEYS]]
  // CHECK:           vector.fma %[[WIDE]]
  // CHECK:           vector.fma %[[WIDE]]
  // CHECK-COUNT-2: vector.create_mask
  // CHECK:         %[[COMMON:.+]] = arith.minsi
  // CHECK:         %[[FIRST:.+]]:2 = scf.for %{{.+}} = %{{.+}} to %[[COMMON]]
  // CHECK-NOT:       arith.select
  // CHECK:           scf.yield
  // CHECK:         scf.for {{.*}} iter_args(%{{.+}} = %[[FIRST]]#0, %{{.+}} = %[[FIRST]]#1)
  // CHECK:           arith.select
  // CHECK:           arith.select
  func.func @two_rows_attend(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %q = tile.buffer_rows %ctx @q at 0 : <2x16xf32>
    %y = tile.buffer %ctx @y at 384 : memref<2x16xf32>
    %scores = tile.scratch : memref<2x256xf32>
    %position = tile.position %ctx[%c0]
    %lowest = arith.constant dense<0xFF800000> : vector<2x16xf32>
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] : <2x16xf32>, <2x1x16, f16> -> vector<2x16xf32>
    %mask = tile.causal_mask %c0, %position advance 1 : vector<2x16xi1>
    %masked = arith.select %mask, %s, %lowest : vector<2x16xi1>, vector<2x16xf32>
    tile.store %masked, %scores[%c0, %c0] : vector<2x16xf32>, memref<2x256xf32>
    %count = arith.addi %position, %c1 : index
    %o = tile.sum_values %scores, %kv[%c0, %c0, %c0] count %count advance 1 : memref<2x256xf32>, <2x1x16, f16> -> vector<2x16xf32>
    tile.store %o, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // Two groups of 16 keys share a broadcast of the query.
  // CHECK-LABEL: func.func @groups_share_the_query
  // CHECK:         arith.addi %c0{{.*}}, %c16{{.*}} : index
  // CHECK:         scf.for
  // CHECK-COUNT-2:   arith.extf %{{.+}} : vector<16xf16> to vector<16xf32>
  // CHECK:           %[[X:.+]] = vector.broadcast %{{.+}} : f32 to vector<16xf32>
  // CHECK:           vector.fma %{{.+}}, %[[X]], %{{.+}}
  // CHECK:           vector.fma %{{.+}}, %[[X]], %{{.+}}
  // CHECK:           scf.yield
  func.func @groups_share_the_query(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %q = tile.buffer_rows %ctx @q at 0 : <1x16xf32>
    %scores = tile.scratch : memref<1x256xf32>
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] : <1x16xf32>, <2x1x16, f16> -> vector<1x32xf32>
    tile.store %s, %scores[%c0, %c0] : vector<1x32xf32>, memref<1x256xf32>
    return
  }

  // Keys in q8_0: a group of 16 positions has 16 scales, then quants, which are made
  // numbers once for all rows, and fetched ahead. Values in bf16 are the upper halves of floats.
  // CHECK-LABEL: func.func @other_types_attend
  // CHECK:         scf.for {{.*}} step %c32
  // CHECK:           vector.load %{{.+}} : memref<?xi8>, vector<32xi8>
  // CHECK:           scf.for {{.*}} to %c32{{.*}} step %c4
  // CHECK:             memref.prefetch %{{.+}} : memref<?xi8>
  // CHECK:             %[[QUANTS:.+]] = vector.load %{{.+}} : memref<?xi8>, vector<16xi8>
  // CHECK:             %[[WORDS:.+]] = arith.extsi %[[QUANTS]]
  // CHECK:             %[[NUMBERS:.+]] = arith.sitofp %[[WORDS]]
  // CHECK:             %[[KEYS:.+]] = arith.mulf %[[NUMBERS]]
  // CHECK:             vector.fma %[[KEYS]]
  // CHECK:         memref.prefetch %{{.+}} : memref<?xi16>
  // CHECK:         %[[BITS:.+]] = vector.load %{{.+}} : memref<?xi16>, vector<16xi16>
  // CHECK:         %[[WIDE:.+]] = arith.extui %[[BITS]]
  // CHECK:         arith.shli %[[WIDE]]
  func.func @other_types_attend(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.strategy = #cpu.strategy<unit = #cpu.fma, m = 1, n = 16, prefetch = 512>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x64, q8_0, bf16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %q = tile.buffer_rows %ctx @q at 0 : <1x64xf32>
    %y = tile.buffer %ctx @y at 384 : memref<1x64xf32>
    %scores = tile.scratch : memref<1x256xf32>
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] : <1x64xf32>, <2x1x64, q8_0, bf16> -> vector<1x16xf32>
    tile.store %s, %scores[%c0, %c0] : vector<1x16xf32>, memref<1x256xf32>
    %o = tile.sum_values %scores, %kv[%c0, %c0, %c0] count %c1 advance 0 : memref<1x256xf32>, <2x1x64, q8_0, bf16> -> vector<1x64xf32>
    tile.store %o, %y[%c0, %c0] : vector<1x64xf32>, memref<1x64xf32>
    return
  }

  // A block of 32 keys is rounded together: its scale, then its quants, each 16
  // bytes from the last. A value becomes bf16 by integers.
  // CHECK-LABEL: func.func @other_types_are_appended
  // CHECK:         vector.reduction <maxsi>
  // CHECK:         %[[SCALE:.+]] = arith.truncf %{{.+}} : f32 to f16
  // CHECK:         vector.store %{{.+}} : memref<?xi8>, vector<2xi8>
  // CHECK-COUNT-32: memref.store %{{.+}} : memref<?xi8>
  // CHECK:         arith.cmpf uno
  // CHECK:         vector.store %{{.+}} : memref<?xi16>, vector<16xi16>
  func.func @other_types_are_appended(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %kv = tile.cache %ctx[%l] : <2x1x64, q8_0, bf16> keys #llama.keys_interleaved16 values #llama.rowmajor
    %x = tile.buffer %ctx @x at 0 : memref<1x64xf32>
    %v = tile.load %x[%c0, %c0] : memref<1x64xf32> -> vector<1x32xf32>
    tile.append "keys" %v, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x32xf32>, <2x1x64, q8_0, bf16>
    tile.append "values" %v, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x32xf32>, <2x1x64, q8_0, bf16>
    return
  }

  // RoPE's table: cosines, then signed sines, each long enough for a vector that
  // begins at any column of a head (20 + 15, rounded up to 48). A row past the
  // call's keeps inside the table.
  // CHECK-LABEL: func.func @angles_come_from_the_table
  // CHECK:         %[[LAST:.+]] = arith.subi %{{.+}}, %c1
  // CHECK:         %[[AT:.+]] = arith.muli %{{.+}}, %c96
  // CHECK:         arith.addi %[[AT]], %c48
  // CHECK:         arith.remui %{{.+}}, %c20
  // CHECK:         arith.minsi %{{.+}}, %[[LAST]]
  // CHECK:         vector.shuffle %{{.+}} [1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14]
  func.func @angles_come_from_the_table(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<2x16xf32>
    %sine = tile.rope_row %ctx[%c0, %c0] head 20 sine : vector<2x16xf32>
    %swapped = tile.swap_pairs %sine : vector<2x16xf32>
    tile.store %swapped, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // Maximum and sum of the lanes of each row, and a value a row in all columns.
  // CHECK-LABEL: func.func @lanes_are_reduced_and_spread
  // CHECK:         arith.cmpf ogt, {{.*}} : vector<8xf32>
  // CHECK:         %[[MAX:.+]] = vector.from_elements
  // CHECK:         vector.extract %[[MAX]][0]
  // CHECK:         vector.broadcast %{{.+}} : f32 to vector<16xf32>
  func.func @lanes_are_reduced_and_spread(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<2x16xf32>
    %v = tile.load %y[%c0, %c0] : memref<2x16xf32> -> vector<2x16xf32>
    %max = tile.reduce_lanes "max" %v : vector<2x16xf32> -> vector<2xf32>
    %spread = tile.broadcast_rows %max : vector<2xf32> -> vector<2x16xf32>
    tile.store %spread, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // What takes no context is no kernel.
  // CHECK-LABEL: func.func @another_function_stays
  // CHECK-SAME:    (%{{.+}}: i32) -> i32 {
  func.func @another_function_stays(%x: i32) -> i32 {
    return %x : i32
  }
}
