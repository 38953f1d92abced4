// RUN: %opt %pass --canonicalize --cse %s | FileCheck %s

// CHECK: #[[LICM:[a-z_]+]] = #llvm.loop_licm<disable = true>
// CHECK: #[[KEEP:[a-z_]+]] = #llvm.loop_annotation<licm = #[[LICM]]>

// The parts of a kernel are those of the keys that are there, the grid that of
// the capacity: a block without a part returns at once. A block has one part, so
// the loop over parts is gone, and so is that over a part's one tile.
#decode = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 16>
#rows = #cuda.strategy<unit = #cuda.simt, threads = 256, n = 256>
#attention = #cuda.strategy<unit = #cuda.simt, threads = 128, m = 2, n = 128>
#many = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 64>
module attributes {llama.target = #cuda.target<name = "cuda:sm_80">} {
  // CHECK-LABEL: func.func private @a_block_has_one_part
  // CHECK-SAME:    (%[[CTX:.+]]: !llvm.ptr, %{{.+}}: i32) attributes {{{.*}}llama.scratch = 0 : i64
  // CHECK:         %[[BLOCK:.+]] = cuda.block_id
  // How many keys there are an earlier launch has written.
  // CHECK:         cuda.launch_dependents
  // CHECK-NEXT:    cuda.wait_previous
  // CHECK:         %[[ROWS:.+]] = context.field %[[CTX]] rows
  // CHECK:         %[[LAST:.+]] = arith.subi %[[ROWS]], %c1
  // CHECK:         context.field %[[CTX]] positions
  // CHECK:         memref.load %{{.+}}[%[[LAST]]] : memref<?xi32, 1>
  // CHECK:         %[[IN:.+]] = arith.cmpi slt, %[[BLOCK]], %{{.+}} : index
  // CHECK-NEXT:    scf.if %[[IN]]
  // CHECK-NOT:       scf.for
  // CHECK:           memref.store
  // CHECK:         return
  func.func private @a_block_has_one_part(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = keys, by = 256>, llama.strategy = #rows} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x4096xf32>
    %y = tile.buffer %ctx @y at 16384 : memref<1x4096xf32>
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    scf.for %part = %first to %last step %c1 {
      %n = arith.muli %part, %c256 : index
      %to = arith.addi %n, %c256 : index
      scf.for %column = %n to %to step %c256 {
        %t = tile.load %x[%c0, %column] : memref<1x4096xf32> -> vector<1x256xf32>
        tile.store %t, %y[%c0, %column] : vector<1x256xf32>, memref<1x4096xf32>
      }
    }
    return
  }

  // The second of two groups of parts: a condition, and no loop.
  // CHECK-LABEL: func.func private @a_group_of_parts_is_a_branch
  // CHECK:         %[[BLOCK:.+]] = cuda.block_id
  // CHECK-DAG:     %[[NEXT:.+]] = arith.addi %[[BLOCK]], %c1
  // CHECK-DAG:     %[[FROM:.+]] = arith.maxsi %[[BLOCK]], %c2
  // CHECK-DAG:     %[[TO:.+]] = arith.minsi %[[NEXT]], %c3
  // CHECK:         %[[IN:.+]] = arith.cmpi slt, %[[FROM]], %[[TO]]
  // CHECK:         scf.if %[[IN]]
  // CHECK-NOT:     scf.for
  // CHECK:         return
  func.func private @a_group_of_parts_is_a_branch(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [48], by = 16>, llama.strategy = #rows} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %x = tile.buffer %ctx @x at 0 : memref<3x256xf32>
    %first = arith.index_castui %begin : i32 to index
    %from = arith.maxsi %first, %c2 : index
    %last = arith.index_castui %end : i32 to index
    %to = arith.minsi %last, %c3 : index
    scf.for %part = %from to %to step %c1 {
      %t = tile.load %x[%c0, %c0] : memref<3x256xf32> -> vector<1x256xf32>
      tile.store %t, %x[%part, %c0] : vector<1x256xf32>, memref<3x256xf32>
    }
    return
  }

  // A row of f16 weights of 4096 columns: 512 chunks, of which a lane has 16. A
  // warp has two rows; eight chunks of each are loaded before the first is used.
  // Columns of x come four at a time for both rows, and lane 0 stores.
  // CHECK-LABEL: func.func private @product
  // CHECK:         %[[X:.+]] = cuda.shared at 0 : memref<1x4096xf32, 3>
  // CHECK:         vector.store %{{.+}}, %[[X]]{{.*}} {alignment = 16 : i64} : memref<1x4096xf32, 3>, vector<4xf32>
  // CHECK:         cuda.barrier
  // CHECK:         %[[SUMS:.+]]:2 = scf.for %{{.+}} = %c0 to %c512 step %c256 iter_args({{.*}}) -> (f32, f32)
  // CHECK-COUNT-16:  cuda.load_weight
  // CHECK-NOT:       cuda.load_weight
  // CHECK:           vector.load %[[X]]{{.*}} {alignment = 16 : i64} : memref<1x4096xf32, 3>, vector<4xf32>
  // CHECK-COUNT-8:   math.fma
  // CHECK:           vector.load %[[X]]
  // CHECK-NOT:     cuda.barrier
  // CHECK:         cuda.shuffle_xor %[[SUMS]]#0 mask 16 : f32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 8 : f32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 4 : f32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 2 : f32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 1 : f32
  // CHECK:         cuda.shuffle_xor %[[SUMS]]#1 mask 16 : f32
  // CHECK:         %[[FIRST:.+]] = arith.cmpi eq, %{{.+}}, %c0
  // CHECK:         scf.if %[[FIRST]] {
  // CHECK:           vector.store %{{.+}} {alignment = 8 : i64} : memref<1x16xf32, 1>, vector<2xf32>
  func.func private @product(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x4096xf32>
    %w = tile.weight %ctx @w : <16x4096, #llama.f16> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 8, lanes = 32> : <1x4096xf32>, !llama.weight<16x4096, #llama.f16> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Nibbles: one chunk is one block; a nibble in the low byte of 2^23 is 2^23 +
  // nibble, of which 2^23 + 8 is taken. All lanes load all before they use any,
  // where all have something to load. 33 chunks: one round of all lanes, then
  // one of lane 0 alone. A scale is 2 bytes, from its own plane behind the quants
  // of all rows (16 rows of 33 chunks, 8448 bytes).
  // CHECK-LABEL: func.func private @nibbles
  // CHECK-DAG:     %[[MAGIC:.+]] = arith.constant 1258291200 : i32
  // CHECK-DAG:     %[[ZERO:.+]] = arith.constant 0x4B000008 : f32
  // CHECK-DAG:     %[[PLANE:.+]] = arith.constant 8448 : index
  // CHECK-DAG:     %[[NIBBLES:.+]] = arith.constant 252645135 : i32
  // CHECK-DAG:     %[[FIRST:.+]] = arith.constant 30288 : i32
  // CHECK:         cuda.barrier
  // CHECK-COUNT-2: cuda.load_weight
  // CHECK:         %[[AT:.+]] = arith.addi %{{.+}}, %[[PLANE]]
  // CHECK:         %[[SCALES:.+]] = context.view %{{.+}}[%[[AT]]] : !llvm.ptr -> memref<?xf16, 1>
  // CHECK:         memref.load %[[SCALES]]
  // CHECK:         cuda.converge
  // CHECK:         %[[FOUR:.+]] = arith.andi %{{.+}}, %[[NIBBLES]]
  // CHECK:         %[[WORD:.+]] = cuda.permute_bytes %[[FOUR]], %[[MAGIC]], %[[FIRST]]
  // CHECK:         %[[FLOAT:.+]] = arith.bitcast %[[WORD]] : i32 to f32
  // CHECK:         arith.subf %[[FLOAT]], %[[ZERO]] : f32
  // CHECK:         %[[ONE:.+]] = arith.cmpi slt, %{{.+}}, %c1
  // CHECK:         scf.if %[[ONE]] -> (f32, f32) {
  // CHECK-COUNT-2:   cuda.load_weight
  // CHECK-NOT:       cuda.converge
  func.func private @nibbles(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x1056xf32>
    %w = tile.weight %ctx @w : <16x1056, #llama.q4_0> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x1056xf32>, !llama.weight<16x1056, #llama.q4_0> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // High bits apart (Q6_K): a chunk has eight bytes of them. They go to bits 4 and 5 of each
  // byte; 2^23 + 32
  // stands for zero. 16 columns have a scale, a signed byte times the half of 256
  // columns, so that a chunk is two chains. 32 chunks: a round of all lanes.
  // CHECK-LABEL: func.func private @high_bits
  // CHECK-DAG:     %[[LOW:.+]] = arith.constant 252645135 : i32
  // CHECK-DAG:     %[[HIGH:.+]] = arith.constant 808464432 : i32
  // CHECK-DAG:     %[[ZERO32:.+]] = arith.constant 8.388640e+06 : f32
  // CHECK:         cuda.barrier
  // CHECK:         cuda.load_weight
  // CHECK:         %[[OWN:.+]] = memref.load %{{.+}}[%{{.+}}] : memref<?xi64, 1>
  // CHECK:         %[[ONE:.+]] = vector.broadcast %[[OWN]] : i64 to vector<1xi64>
  // CHECK:         %[[WORDS:.+]] = vector.bitcast %[[ONE]] : vector<1xi64> to vector<2xi32>
  // CHECK:         cuda.load_weight
  // CHECK-NOT:     cuda.load_weight
  // CHECK-DAG:     %[[BYTE:.+]] = memref.load %{{.+}}[%{{.+}}] : memref<?xi8, 1>
  // CHECK-DAG:     %[[HALF:.+]] = memref.load %{{.+}}[%{{.+}}] : memref<?xf16, 1>
  // CHECK-DAG:     %[[WIDE:.+]] = arith.extui %[[BYTE]] : i8 to i32
  // CHECK-DAG:     %[[POSITIVE:.+]] = arith.xori %[[WIDE]], %c128_i32
  // CHECK-DAG:     %[[BITS:.+]] = cuda.permute_bytes %[[POSITIVE]], %{{.+}}, %{{.+}}
  // CHECK-DAG:     %[[FLOAT:.+]] = arith.bitcast %[[BITS]] : i32 to f32
  // CHECK-DAG:     %[[S:.+]] = arith.subf %[[FLOAT]], %{{.+}} : f32
  // CHECK-DAG:     %[[D:.+]] = arith.extf %[[HALF]] : f16 to f32
  // CHECK:         arith.mulf %[[S]], %[[D]] : f32
  // CHECK:         %[[L:.+]] = arith.andi %{{.+}}, %[[LOW]] : i32
  // CHECK:         %[[MINE:.+]] = vector.extract %[[WORDS]][0] : i32 from vector<2xi32>
  // CHECK:         %[[UP:.+]] = arith.shli %[[MINE]], %c4{{.*}} : i32
  // CHECK:         %[[H:.+]] = arith.andi %[[UP]], %[[HIGH]] : i32
  // CHECK:         arith.ori %[[L]], %[[H]] : i32
  // CHECK:         arith.subf %{{.+}}, %[[ZERO32]] : f32
  // CHECK-NOT:     scf.if
  // CHECK:         cuda.shuffle_xor
  func.func private @high_bits(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x1024xf32>
    %w = tile.weight %ctx @w : <16x1024, #llama.q6_k> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x1024xf32>, !llama.weight<16x1024, #llama.q6_k> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Minima: each lane adds its own columns of x; nothing is made for the block.
  // CHECK-LABEL: func.func private @minima
  // CHECK-SAME:    llama.scratch = 128 : i64
  // CHECK:         scf.if
  // CHECK:         %[[SUM:.+]] = arith.addf %{{.+}}, %{{.+}} : f32
  // CHECK:         math.fma %{{.+}}, %{{.+}}, %{{.+}} : f32
  // CHECK-NOT:     llama.scratch
  // CHECK:         return
  func.func private @minima(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x32xf32>
    %w = tile.weight %ctx @w : <16x32, #llama.q4_1> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<16x32, #llama.q4_1> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Before anything is waited for, earlier launches among it, a block asks for what it
  // reads first: 16 rows of
  // 1024 bytes of quants are 128 lines, of which half the threads ask for one each, and
  // their scales, behind all quants, are 16. Where the weight is is read once. Then one row of float32 is split: of 32
  // columns eight groups are read before 2 * 4 * 16 bytes are written in their place.
  // 2048 columns are two rounds of 32 chunks, one trip without a loop; the eight columns of
  // four in a chunk are a product each. Lanes of a row are added, then warps.
  // CHECK-LABEL: func.func private @a_split_row
  // CHECK-SAME:    llama.scratch = 9984 : i64
  // CHECK:         cuda.launch_dependents
  // CHECK:         memref.load %{{.+}} : memref<?xi64, 1>
  // CHECK:         %[[IS_ASKED:.+]] = arith.cmpi slt, %{{.+}}, %c128 : index
  // CHECK-NEXT:    scf.if %[[IS_ASKED]]
  // CHECK:           cuda.prefetch
  // CHECK:         %[[HAS_SCALES:.+]] = arith.cmpi slt, %{{.+}}, %c16 : index
  // CHECK-NEXT:    scf.if %[[HAS_SCALES]]
  // CHECK:           cuda.prefetch
  // CHECK:         cuda.wait_previous
  // CHECK-NOT:     memref<?xi64, 1>
  // CHECK:         %[[X:.+]] = cuda.shared at 0 : memref<1x2352xf32, 3>
  // CHECK:         %[[SPLIT:.+]] = cuda.shared at 0 : memref<2352xi32, 3>
  // CHECK:         cuda.barrier
  // CHECK:         scf.if
  // CHECK-COUNT-8:   vector.load %[[X]]
  // CHECK-COUNT-8:   vector.store %{{.+}}, %[[SPLIT]]{{.+}} {alignment = 16 : i64}
  // CHECK:           vector.store %{{.+}}, %[[SPLIT]]{{.+}} {alignment = 8 : i64}
  // CHECK:         cuda.barrier
  // CHECK-NOT:     scf.for
  // CHECK-COUNT-4: cuda.load_weight
  // CHECK-NOT:     cuda.load_weight
  // CHECK:         cuda.converge
  // CHECK-COUNT-8: cuda.mma
  // CHECK-COUNT-2: math.fma %{{.+}}, %{{.+}}, %{{.+}} : f32
  // CHECK-COUNT-8: cuda.mma
  // CHECK-NOT:     cuda.mma
  // CHECK:         %[[SUM:.+]] = math.fma %{{.+}}, %{{.+}}, %{{.+}} : f32
  // CHECK:         math.fma %{{.+}}, %{{.+}}, %{{.+}} : f32
  // CHECK:         cuda.shuffle_xor %[[SUM]] mask 2 : f32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 1 : f32
  // CHECK:         memref.store %{{.+}} : memref<16x8xf32, 3>
  // CHECK:         cuda.barrier
  // CHECK-COUNT-16: memref.load %{{.+}} : memref<16x8xf32, 3>
  func.func private @a_split_row(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma_split, threads = 256, n = 16>} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x2048xf32>
    %w = tile.weight %ctx @w : <16x2048, #llama.q4_0> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma_split, block = 32, scale = outer, lanes = 32> : <1x2048xf32>, !llama.weight<16x2048, #llama.q4_0> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Six rounds of all lanes: two trips of three, and not one of four and two.
  // CHECK-LABEL: func.func private @at_least_two_trips
  // CHECK:         scf.for %{{.+}} = %c0 to %c192 step %c96
  // CHECK-COUNT-6:   cuda.load_weight
  // CHECK-NOT:     cuda.load_weight
  // CHECK:         return
  func.func private @at_least_two_trips(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x16xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x3072xf32>
    %w = tile.weight %ctx @w : <16x3072, #llama.q8_0> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.simt, block = 16, scale = outer, lanes = 32> : <1x3072xf32>, !llama.weight<16x3072, #llama.q8_0> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // 20 rows of a weight in tiles of 16: rows past the last are not read.
  // CHECK-LABEL: func.func private @rows_past_the_weights_last
  // CHECK:         arith.minsi %{{.+}}, %c19
  // CHECK:         cuda.load_weight
  // CHECK:         %[[COLUMN:.+]] = arith.cmpi slt, %{{.+}}, %c20
  // CHECK-NEXT:    scf.if %[[COLUMN]]
  func.func private @rows_past_the_weights_last(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [32], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %c16 = arith.constant 16 : index
    %first = arith.index_castui %begin : i32 to index
    %n = arith.muli %first, %c16 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x20xf32>
    %x = tile.buffer_rows %ctx @x at 128 : <1x8xf32>
    %w = tile.weight %ctx @w : <20x8, #llama.f16> in #llama.rowmajor_split index 0
    %t = tile.contract %x[%c0], %w[%n] order <unit = #cuda.simt, block = 8, lanes = 32> : <1x8xf32>, !llama.weight<20x8, #llama.f16> -> vector<1x16xf32>
    tile.store %t, %y[%c0, %n] : vector<1x16xf32>, memref<1x20xf32>
    return
  }

  // Many rows stay in global memory; of 36 columns the last chunk has four, and
  // the others are not read. What does not depend on the row, such as converted
  // weights, stays in the loop over rows.
  // CHECK-LABEL: func.func private @many_rows
  // CHECK-SAME:    llama.scratch = 0 : i64
  // CHECK:         scf.for
  // CHECK:           scf.if
  // CHECK:             cuda.load_weight
  // CHECK:             %[[IN:.+]] = arith.cmpi slt, %{{.+}}, %c36
  // CHECK:             scf.if %[[IN]] -> (f32, f32, f32, f32) {
  // CHECK:               vector.load %{{.+}} {alignment = 16 : i64} : memref<512x36xf32, 1>, vector<4xf32>
  // CHECK:         } {loop_annotation = #[[KEEP]]}
  func.func private @many_rows(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c512 = arith.constant 512 : index
    %y = tile.buffer %ctx @y at 0 : memref<512x16xf32>
    %x = tile.buffer_rows %ctx @x at 65536 : <512x36xf32>
    %w = tile.weight %ctx @w : <16x36, #llama.f16> in #llama.rowmajor_split index 0
    scf.for %r = %c0 to %c512 step %c1 {
      %t = tile.contract %x[%r], %w[%c0] order <unit = #cuda.simt, block = 8, lanes = 32> : <512x36xf32>, !llama.weight<16x36, #llama.f16> -> vector<1x16xf32>
      tile.store %t, %y[%r, %c0] : vector<1x16xf32>, memref<512x16xf32>
    }
    return
  }

  // A norm: eight loads in flight, one barrier for the sum. Each warp goes
  // down from 256 values to 32 by itself. The weight is read by columns.
  // CHECK-LABEL: func.func private @norm
  // CHECK-COUNT-8: memref.load %{{.+}} : memref<1x4096xf32, 1>
  // CHECK:         arith.mulf
  // CHECK:         memref.store %{{.+}} : memref<1x256xf32, 3>
  // CHECK-NEXT:    cuda.barrier
  // CHECK-COUNT-8: memref.load %{{.+}} : memref<1x256xf32, 3>
  // CHECK-COUNT-5: cuda.shuffle_xor
  // CHECK-NOT:     cuda.barrier
  // CHECK:         return
  func.func private @norm(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #rows} {
    %c0 = arith.constant 0 : index
    %c256 = arith.constant 256 : index
    %c4096 = arith.constant 4096 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x4096xf32>
    %y = tile.buffer %ctx @y at 16384 : memref<1x4096xf32>
    %gain = tile.weight %ctx @norm : <4096, #llama.f32> in #llama.rowmajor index 0
    %sum = tile.sum %x[%c0] order <lanes = 256> : memref<1x4096xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %square = arith.mulf %a, %a : f32
      tile.yield %square
    }
    scf.for %n = %c0 to %c4096 step %c256 {
      %t = tile.load %x[%c0, %n] : memref<1x4096xf32> -> vector<1x256xf32>
      %s = tile.broadcast_rows %sum : vector<1xf32> -> vector<1x256xf32>
      %g = tile.column_values %gain[%n] : !llama.weight<4096, #llama.f32> -> vector<1x256xf32>
      %u = arith.mulf %t, %s : vector<1x256xf32>
      %v = arith.mulf %u, %g : vector<1x256xf32>
      tile.store %v, %y[%c0, %n] : vector<1x256xf32>, memref<1x4096xf32>
    }
    return
  }

  // A row of two columns a thread, which the sum reads and a stage scales: both are
  // asked for with the norm's weight before anything is summed, and not read again.
  // CHECK-LABEL: func.func private @a_row_that_is_kept
  // CHECK:         memref.load %{{.+}} : memref<1x512xf32, 1>
  // CHECK:         memref.load %{{.+}} : memref<?xf32, 1>
  // CHECK:         %[[X:.+]] = memref.load %{{.+}} : memref<1x512xf32, 1>
  // CHECK:         %[[GAIN:.+]] = memref.load %{{.+}} : memref<?xf32, 1>
  // CHECK-NOT:     memref.load {{.*}}, 1>
  // CHECK:         arith.mulf %[[X]], %[[X]]
  // CHECK:         cuda.barrier
  // CHECK-NOT:     memref.load {{.*}}, 1>
  // CHECK:         %[[SCALED:.+]] = arith.mulf %[[X]],
  // CHECK:         arith.mulf %[[SCALED]], %[[GAIN]]
  // CHECK-COUNT-2: memref.store %{{.+}} : memref<1x512xf32, 3>
  // CHECK:         return
  func.func private @a_row_that_is_kept(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x512xf32>
    %gain = tile.weight %ctx @norm : <512, #llama.f32> in #llama.rowmajor index 0
    %sum = tile.sum %x[%c0] order <lanes = 256> : memref<1x512xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %square = arith.mulf %a, %a : f32
      tile.yield %square
    }
    %h = tile.stage %x[%c0] rows(%sum : vector<1xf32>) columns(%gain : !llama.weight<512, #llama.f32>) : memref<1x512xf32> -> <1x512xf32> {
    ^bb0(%a: f32, %r: f32, %g: f32):
      %scaled = arith.mulf %a, %r : f32
      %y = arith.mulf %scaled, %g : f32
      tile.yield %y
    }
    return
  }

  // RoPE of a row pair: both columns are the warp's own, so the swap is one of
  // registers; in columns of threads it is a shuffle between neighbours.
  // CHECK-LABEL: func.func private @rotate
  // CHECK:         context.field %{{.+}} rope
  // CHECK-NOT:     cuda.shuffle_xor
  // CHECK:         arith.divui %{{.+}}, %c64
  // CHECK:         arith.truncf %{{.+}} : f32 to f16
  // CHECK:         memref.store %{{.+}} : memref<?xf16, 1>
  // CHECK-LABEL: func.func private @swap_between_threads
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 1 : f32
  func.func private @rotate(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %x = tile.buffer %ctx @x at 0 : memref<1x128xf32>
    %kv = tile.cache %ctx[%l] : <2x2x64, f16> keys #llama.rowmajor values #llama.rowmajor
    %t = tile.load %x[%c0, %c0] : memref<1x128xf32> -> vector<1x16xf32>
    %sine = tile.rope_row %ctx[%c0, %c0] head 64 sine : vector<1x16xf32>
    %swapped = tile.swap_pairs %t : vector<1x16xf32>
    %u = arith.mulf %swapped, %sine : vector<1x16xf32>
    tile.append "keys" %u, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x16xf32>, <2x2x64, f16>
    return
  }
  func.func private @swap_between_threads(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #rows} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x256xf32>
    %t = tile.load %x[%c0, %c0] : memref<1x256xf32> -> vector<1x256xf32>
    %swapped = tile.swap_pairs %t : vector<1x256xf32>
    tile.store %swapped, %x[%c0, %c0] : vector<1x256xf32>, memref<1x256xf32>
    return
  }

  // As on a CPU, a layer's region begins where the context says, and positions of a
  // ring go round.
  // CHECK-LABEL: func.func private @append_to_a_ring
  // CHECK:         context.field %{{.+}} regions
  // CHECK:         %[[REGION:.+]] = arith.index_cast %{{.+}} : i64 to index
  // CHECK:         %[[KEYS:.+]] = context.field %{{.+}} keys
  // CHECK:         %[[BYTES:.+]] = arith.muli %[[REGION]], %c128
  // CHECK:         context.view %[[KEYS]][%[[BYTES]]] : !llvm.ptr -> memref<?xf16, 1>
  // CHECK:         arith.remui %{{.+}}, %c768
  func.func private @append_to_a_ring(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #decode} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %l = arith.index_castui %layer : i32 to index
    %x = tile.buffer %ctx @x at 0 : memref<1x128xf32>
    %kv = tile.cache %ctx[%l] : <2x2x64, f16 ring 768> keys #llama.rowmajor values #llama.rowmajor apart
    %t = tile.load %x[%c0, %c0] : memref<1x128xf32> -> vector<1x16xf32>
    tile.append "keys" %t, %kv, %ctx[%c0, %c0] rows %c1 : vector<1x16xf32>, <2x2x64, f16 ring 768>
    return
  }

  // Eight lanes share a key of 64 halves, so that a block reads 16 keys at once,
  // and all 64 in four loads of a thread; those of the values follow before the
  // first is used. A head is a trip of a loop. Four sums of eight lanes take four
  // shuffles, which leave a key for two lanes, of which one stores it. Each warp has
  // all scores; one stores them. Eight sums of the four keys of a warp take six
  // shuffles, and leave a lane two, which the warps of the block add. It takes a
  // barrier before each of the three exchanges, and one before scores are
  // overwritten.
  // CHECK-LABEL: func.func private @attend
  // CHECK:         %[[WEIGHTS:.+]] = cuda.shared at 0 : memref<2x64xf32, 3>
  // CHECK:         cuda.barrier
  // CHECK:         scf.for
  // CHECK:           %[[SCORES:.+]] = cuda.shared at 1024 : memref<2x64xf32, 3>
  // CHECK-COUNT-8:   vector.load %{{.+}} {alignment = 16 : i64} : memref<?xf16, 1>, vector<8xf16>
  // CHECK:           cuda.converge
  // CHECK:           scf.for %[[HEAD:.+]] = %c0 to %c2 step %c1 {
  // CHECK-COUNT-32:    math.fma
  // CHECK-COUNT-2:     cuda.shuffle_xor %{{.+}} mask 4
  // CHECK:             cuda.shuffle_xor %{{.+}} mask 2
  // CHECK:             cuda.shuffle_xor %{{.+}} mask 1
  // CHECK-NOT:         cuda.shuffle_xor
  // CHECK:             scf.if
  // CHECK:               memref.store %{{.+}}, %[[SCORES]][%[[HEAD]]
  // CHECK:           cuda.barrier
  // CHECK-COUNT-4:   memref.load %[[SCORES]]
  // CHECK:           math.exp
  // CHECK:           arith.cmpi eq, %{{.+}}, %c0
  // CHECK:           scf.if
  // CHECK:             memref.store %{{.+}}, %[[WEIGHTS]]
  // CHECK:           %[[PARTIAL:.+]] = cuda.shared at 1536 : memref<8x64xf32, 3>
  // CHECK:           cuda.barrier
  // CHECK-NOT:       vector.load {{.*}} vector<8xf16>
  // CHECK:           scf.for %[[HEAD:.+]] = %c0 to %c2 step %c1 {
  // CHECK-COUNT-4:     memref.load %[[WEIGHTS]][%[[HEAD]]
  // CHECK-COUNT-4:     cuda.shuffle_xor %{{.+}} mask 16
  // CHECK-COUNT-2:     cuda.shuffle_xor %{{.+}} mask 8
  // CHECK-NOT:         cuda.shuffle_xor
  // CHECK:             vector.store %{{.+}}, %[[PARTIAL]]{{.*}} : memref<8x64xf32, 3>, vector<2xf32>
  // CHECK:           cuda.barrier
  // CHECK-COUNT-16:  memref.load %[[PARTIAL]]
  // CHECK-NOT:       cuda.barrier
  // CHECK:         return
  func.func private @attend(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #attention} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %l = arith.index_castui %layer : i32 to index
    %count = tile.key_count %ctx
    %x = tile.buffer %ctx @x at 0 : memref<2x64xf32>
    %y = tile.buffer %ctx @y at 512 : memref<2x64xf32>
    %kv = tile.cache %ctx[%l] : <2x1x64, f16> keys #llama.rowmajor values #llama.rowmajor
    %weights = tile.scratch : memref<2x64xf32>
    %q = tile.stage %x[%c0] : memref<2x64xf32> -> <2x64xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    scf.for %first = %c0 to %count step %c64 {
      %s = tile.score_keys %q[%c0], %kv[%c0, %first] order <block = 8, lanes = 8> : <2x64xf32>, <2x1x64, f16> -> vector<2x64xf32>
      %e = math.exp %s : vector<2x64xf32>
      tile.store %e, %weights[%c0, %c0] : vector<2x64xf32>, memref<2x64xf32>
      %v = tile.sum_values %weights, %kv[%c0, %first, %c0] count %count advance 0 order <lanes = 16> : memref<2x64xf32>, <2x1x64, f16> -> vector<2x64xf32>
      tile.store %v, %y[%c0, %c0] : vector<2x64xf32>, memref<2x64xf32>
    }
    return
  }

  // Tensor cores: the query is two f16 for each of its numbers and a power of two for each
  // row. Keys of the next block are copied while values of this one are multiplied, values
  // while keys are, with a barrier before each. A row's sum is among four lanes; a thread
  // has two rows, and of what is one value a row these two. Weights are an operand as they
  // are: no score goes through memory.
  // CHECK-LABEL: func.func private @attend_in_tensor_cores
  // CHECK-DAG:     %[[UPPER:.+]] = cuda.shared at 0 : memref<64x40xf16, 3>
  // CHECK-DAG:     %[[LOWER:.+]] = cuda.shared at 5120 : memref<64x40xf16, 3>
  // CHECK-DAG:     %[[POWERS:.+]] = cuda.shared at 10240 : memref<64xf32, 3>
  // CHECK-DAG:     %[[KEYS:.+]] = cuda.shared at 10496 : memref<64x40xf16, 3>
  // CHECK-DAG:     %[[VALUES:.+]] = cuda.shared at 15616 : memref<64x40xf16, 3>
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 4 : i32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 2 : i32
  // CHECK:         cuda.shuffle_xor %{{.+}} mask 1 : i32
  // CHECK:         memref.store %{{.+}}, %[[POWERS]]
  // CHECK:         vector.store %{{.+}}, %[[UPPER]]{{.+}} : memref<64x40xf16, 3>, vector<4xf16>
  // CHECK:         vector.store %{{.+}}, %[[LOWER]]{{.+}} : memref<64x40xf16, 3>, vector<4xf16>
  // CHECK:         scf.if
  // CHECK-COUNT-2:   cuda.copy_async %{{.+}} to %[[KEYS]]
  // CHECK-NEXT:      cuda.copy_commit
  // CHECK-NOT:     cuda.barrier
  // CHECK:         scf.for {{.*}} -> (vector<2xf32>) {
  // CHECK:           cuda.copy_wait 0
  // CHECK-NEXT:      cuda.barrier
  // CHECK-NOT:       scf.if
  // CHECK:           %[[LEFT:.+]] = arith.subi %{{.+}}, %{{.+}} : index
  // CHECK:           %[[OF_ROW:.+]] = arith.subi %[[LEFT]], %{{.+}} : index
  // CHECK:           %[[IS_THERE:.+]] = arith.cmpi sgt, %[[OF_ROW]], %c0
  // CHECK:           %[[VALID:.+]] = arith.select %[[IS_THERE]], %{{.+}}, %c0
  // CHECK:           cuda.copy_async %{{.+}} to %[[VALUES]]{{.*}} valid %[[VALID]]
  // CHECK:           cuda.copy_commit
  // CHECK:           cuda.converge
  // CHECK-COUNT-4:   cuda.ldmatrix %[[KEYS]]
  // CHECK:           cuda.ldmatrix %[[UPPER]]
  // CHECK:           cuda.ldmatrix %[[LOWER]]
  // CHECK-COUNT-16:  cuda.mma
  // CHECK:           cuda.converge
  // CHECK-COUNT-4:   cuda.ldmatrix %[[KEYS]]
  // CHECK-COUNT-2:   cuda.ldmatrix
  // CHECK-COUNT-16:  cuda.mma
  // CHECK:           memref.load %[[POWERS]]
  // CHECK:           math.exp %{{.+}} : vector<32xf32>
  // CHECK-COUNT-2:   cuda.shuffle_xor %{{.+}} mask 2 : f32
  // CHECK:           cuda.copy_wait 0
  // CHECK-NEXT:      cuda.barrier
  // CHECK:           scf.if
  // CHECK-COUNT-2:     cuda.copy_async %{{.+}} to %[[KEYS]]
  // CHECK-NEXT:        cuda.copy_commit
  // CHECK:           arith.truncf %{{.+}} : vector<32xf32> to vector<32xf16>
  // CHECK:           cuda.ldmatrix %[[VALUES]]{{.*}} transposed : memref<64x40xf16, 3> -> vector<4x2xf16>
  // CHECK-COUNT-32:  cuda.mma
  // CHECK-NOT:       cuda.barrier
  // CHECK:         return
  func.func private @attend_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #many} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %none = arith.constant dense<0.0> : vector<64xf32>
    %l = arith.index_castui %layer : i32 to index
    %count = tile.key_count %ctx
    %x = tile.buffer %ctx @x at 0 : memref<64x20xf32>
    %y = tile.buffer %ctx @y at 8192 : memref<64x32xf32>
    %kv = tile.cache %ctx[%l] : <2x1x20, f16> keys #llama.rowmajor values #llama.rowmajor
    %q = tile.stage %x[%c0] : memref<64x20xf32> -> <64x20xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    %sum = scf.for %first = %c0 to %count step %c64 iter_args(%before = %none) -> (vector<64xf32>) {
      %s = tile.score_keys %q[%c0], %kv[%c0, %first] order <unit = #cuda.mma> : <64x20xf32>, <2x1x20, f16> -> vector<64x64xf32>
      %w = math.exp %s : vector<64x64xf32>
      %r = tile.reduce_lanes "add" %w : vector<64x64xf32> -> vector<64xf32>
      %v = tile.sum_values %w, %kv[%c0, %first, %c0] count %count advance 1 order <unit = #cuda.mma> : vector<64x64xf32>, <2x1x20, f16> -> vector<64x32xf32>
      %spread = tile.broadcast_rows %r : vector<64xf32> -> vector<64x32xf32>
      %o = arith.mulf %v, %spread : vector<64x32xf32>
      tile.store %o, %y[%c0, %c0] : vector<64x32xf32>, memref<64x32xf32>
      %next = arith.addf %before, %r : vector<64xf32>
      scf.yield %next : vector<64xf32>
    }
    %all = tile.broadcast_rows %sum : vector<64xf32> -> vector<64x32xf32>
    tile.store %all, %y[%c0, %c0] : vector<64x32xf32>, memref<64x32xf32>
    return
  }

  // Values of 128 float32 are 16 loads of a thread, eight at a time, and rows with
  // limits and windows of their own read them again. What a row does not see is 0.
  // CHECK-LABEL: func.func private @rows_with_limits_of_their_own
  // CHECK:         scf.for %[[ROW:.+]] = %c0 to %c2 step %c1 {
  // CHECK:           %[[LIMIT:.+]] = arith.addi %{{.+}}, %[[ROW]]
  // CHECK-COUNT-8:   vector.load %{{.+}} : memref<?xf32, 1>, vector<4xf32>
  // CHECK:           cuda.converge
  // CHECK:           %[[BEFORE:.+]] = arith.cmpi slt, %{{.+}}, %[[LIMIT]]
  // CHECK:           %[[AFTER:.+]] = arith.cmpi slt, %[[LIMIT]], %{{.+}}
  // CHECK:           %[[SEES:.+]] = arith.andi %[[BEFORE]], %[[AFTER]]
  // CHECK:           arith.select %[[SEES]], %{{.+}}, %cst{{.*}} : vector<4xi32>
  // CHECK-COUNT-8:   vector.load %{{.+}} : memref<?xf32, 1>, vector<4xf32>
  // CHECK:           cuda.converge
  // CHECK-NOT:       cuda.shuffle_xor
  // CHECK:           vector.store %{{.+}} : memref<8x128xf32, 3>, vector<4xf32>
  func.func private @rows_with_limits_of_their_own(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #attention} {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %count = tile.key_count %ctx
    %y = tile.buffer %ctx @y at 512 : memref<2x128xf32>
    %kv = tile.cache %ctx[%l] : <2x1x128, f32> keys #llama.rowmajor values #llama.rowmajor
    %weights = tile.scratch : memref<2x64xf32>
    %v = tile.sum_values %weights, %kv[%c0, %c0, %c0] count %count advance 1 window 40 order <lanes = 4> : memref<2x64xf32>, <2x1x128, f32> -> vector<2x128xf32>
    tile.store %v, %y[%c0, %c0] : vector<2x128xf32>, memref<2x128xf32>
    return
  }

  // A head of 20 halves, in rows of 32, is shared by four lanes, of which the third
  // has four elements and the last none: it reads the first ones and adds nothing.
  // CHECK-LABEL: func.func private @a_head_that_ends_in_a_chunk
  // CHECK:         %[[PART:.+]] = arith.muli %{{.+}}, %c8
  // CHECK:         %[[IS_THERE:.+]] = arith.cmpi slt, %[[PART]], %c20
  // CHECK:         %[[READ:.+]] = arith.select %[[IS_THERE]], %[[PART]], %c0
  // CHECK:         %[[AT:.+]] = arith.addi %{{.+}}, %[[READ]]
  // CHECK:         vector.load %{{.+}}[%[[AT]]]
  // CHECK:         %[[SUM:.+]] = math.fma
  // CHECK:         arith.select %[[IS_THERE]], %[[SUM]]
  // CHECK:         %[[SUM:.+]] = math.fma
  // CHECK:         %[[NEXT:.+]] = arith.addi %[[PART]], %c1
  // CHECK:         %[[INSIDE:.+]] = arith.cmpi slt, %[[NEXT]], %c20
  // CHECK:         arith.select %[[INSIDE]], %[[SUM]]
  func.func private @a_head_that_ends_in_a_chunk(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #attention} {
    %c0 = arith.constant 0 : index
    %l = arith.index_castui %layer : i32 to index
    %x = tile.buffer %ctx @x at 0 : memref<1x20xf32>
    %kv = tile.cache %ctx[%l] : <2x1x20, f16> keys #llama.rowmajor values #llama.rowmajor
    %weights = tile.scratch : memref<1x64xf32>
    %q = tile.stage %x[%c0] : memref<1x20xf32> -> <1x20xf32> {
    ^bb0(%a: f32):
      tile.yield %a
    }
    %s = tile.score_keys %q[%c0], %kv[%c0, %c0] order <block = 8, lanes = 4> : <1x20xf32>, <2x1x20, f16> -> vector<1x64xf32>
    tile.store %s, %weights[%c0, %c0] : vector<1x64xf32>, memref<1x64xf32>
    return
  }

  // Rows of the embedding, a value a thread, of a table of 40 columns: the other
  // threads neither read nor write.
  // CHECK-LABEL: func.func private @embed
  // CHECK:         %[[THREAD:.+]] = cuda.thread_id
  // CHECK:         context.field %{{.+}} tokens
  // CHECK:         arith.cmpi slt, %[[THREAD]], %c40
  // CHECK:         scf.if %{{.+}} -> (f32) {
  // CHECK:           memref.load %{{.+}} : memref<?xf16, 1>
  // CHECK:         scf.if
  // CHECK:           memref.store %{{.+}} : memref<1x40xf32, 1>
  func.func private @embed(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #rows} {
    %c0 = arith.constant 0 : index
    %y = tile.buffer %ctx @y at 0 : memref<1x40xf32>
    %w = tile.weight %ctx @w : <16x40, #llama.f16> in #llama.rowmajor_split index 0
    %token = tile.token %ctx[%c0]
    %t = tile.decode %w[%token, %c0] : <16x40, #llama.f16> -> vector<1x256xf32>
    tile.store %t, %y[%c0, %c0] : vector<1x256xf32>, memref<1x40xf32>
    return
  }

  // Two stages of 64 x 32 halves and their scales in workgroup memory. Rows
  // arrive by asynchronous copies and the weight through registers, as halves that
  // are whole numbers; 32 columns are summed from zero, then scaled. One barrier a
  // stage is all there is: the second product begins with the other stage.
  // CHECK-LABEL: func.func private @two_products_in_tensor_cores
  // CHECK-SAME:    llama.scratch = 17408 : i64
  // CHECK-DAG:     %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<4xf32>
  // CHECK-DAG:     %[[ROWS:.+]] = cuda.shared at 0 : memref<2x64x32xf16, 3>
  // CHECK-DAG:     %[[WEIGHT:.+]] = cuda.shared at 8192 : memref<2x64x32xf16, 3>
  // CHECK-DAG:     %[[SCALES:.+]] = cuda.shared at 16384 : memref<2x2x64xf32, 3>
  // CHECK-COUNT-2: cuda.copy_async %{{.+}} to %[[ROWS]]
  // CHECK-NEXT:    cuda.copy_commit
  // CHECK:         cuda.load_weight
  // CHECK:         scf.for
  // CHECK:           cuda.copy_wait 0
  // CHECK-COUNT-2:   vector.store %{{.+}}, %[[WEIGHT]][{{.+}}] {alignment = 16 : i64} : memref<2x64x32xf16, 3>, vector<8xf16>
  // CHECK:           memref.store %{{.+}}, %[[SCALES]]
  // CHECK:           cuda.barrier
  // CHECK-COUNT-2:   cuda.copy_async
  // CHECK:           cuda.load_weight
  // CHECK-COUNT-2:   cuda.ldmatrix %[[ROWS]]
  // CHECK:           cuda.ldmatrix %[[WEIGHT]]
  // CHECK:           %[[FIRST:.+]] = cuda.mma %{{.+}}, %{{.+}}, %[[ZERO]]
  // CHECK:           %[[BOTH:.+]] = cuda.mma %{{.+}}, %{{.+}}, %[[FIRST]]
  // CHECK:           math.fma %[[BOTH]]
  // CHECK-COUNT-14:  cuda.mma
  // CHECK-NOT:     cuda.barrier
  // CHECK:         scf.for
  // CHECK:           cuda.copy_wait 0
  // CHECK:           cuda.barrier
  // CHECK-NOT:     cuda.barrier
  // CHECK:         return
  func.func private @two_products_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16, rows_by = 64>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %c64 = arith.constant 64 : index
    %part = arith.index_castui %begin : i32 to index
    %row = arith.muli %part, %c64 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x96xf16>
    %y = tile.buffer %ctx @y at 98304 : memref<512x64xf32>
    %gate = tile.weight %ctx @gate : <64x96, #llama.q8_0> in #llama.rowmajor_split index 0
    %up = tile.weight %ctx @up : <64x96, #llama.q4_0> in #llama.rowmajor_split index 1
    %g = tile.contract %x[%row], %gate[%c0] order <unit = #cuda.mma, block = 32, scale = outer> : <512x96xf16>, !llama.weight<64x96, #llama.q8_0> -> vector<64x64xf32>
    %u = tile.contract %x[%row], %up[%c0] order <unit = #cuda.mma, block = 32, scale = outer> : <512x96xf16>, !llama.weight<64x96, #llama.q4_0> -> vector<64x64xf32>
    %r = arith.mulf %g, %u : vector<64x64xf32>
    %rows = tile.row_count %ctx
    tile.store %r, %y[%row, %c0] rows %rows : vector<64x64xf32>, memref<512x64xf32>
    return
  }

  // Weights of halves are copied and added up as they are. 40 columns are a stage
  // and a part of one, which the copies fill with zeros.
  // CHECK-LABEL: func.func private @halves_in_tensor_cores
  // CHECK-SAME:    llama.scratch = 16384 : i64
  // CHECK-COUNT-4: cuda.copy_async
  // CHECK-NEXT:    cuda.copy_commit
  // CHECK-NOT:     cuda.load_weight
  // CHECK:         scf.for
  // CHECK:           %[[FIRST:.+]] = cuda.mma
  // CHECK:           cuda.mma %{{.+}}, %{{.+}}, %[[FIRST]]
  // CHECK-NOT:       math.fma
  // CHECK:         return
  func.func private @halves_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x40xf16>
    %y = tile.buffer %ctx @y at 98304 : memref<512x64xf32>
    %w = tile.weight %ctx @w : <64x40, #llama.f16> in #llama.rowmajor_split index 0
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 32> : <512x40xf16>, !llama.weight<64x40, #llama.f16> -> vector<64x64xf32>
    tile.store %r, %y[%c0, %c0] : vector<64x64xf32>, memref<512x64xf32>
    return
  }

  // Numbers of bf16 likewise.
  // CHECK-LABEL: func.func private @bf16_in_tensor_cores
  // CHECK:         %[[WEIGHT:.+]] = cuda.shared at 8192 : memref<2x64x32xbf16, 3>
  // CHECK:         cuda.copy_async %{{.+}} to %[[WEIGHT]]
  // CHECK:         cuda.mma %{{.+}} : vector<4x2xbf16>, vector<2x2xbf16>
  func.func private @bf16_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma<bf16>, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x64xbf16>
    %y = tile.buffer %ctx @y at 98304 : memref<512x64xf32>
    %w = tile.weight %ctx @w : <64x64, #llama.bf16> in #llama.rowmajor_split index 0
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma<bf16>, block = 32> : <512x64xbf16>, !llama.weight<64x64, #llama.bf16> -> vector<64x64xf32>
    tile.store %r, %y[%c0, %c0] : vector<64x64xf32>, memref<512x64xf32>
    return
  }

  // A minimum multiplies the sum of x, a product by ones that all tiles of the
  // stage share: two and sixteen products. Two planes of quants are two loads.
  // CHECK-LABEL: func.func private @minima_in_tensor_cores
  // CHECK-SAME:    llama.scratch = 18432 : i64
  // CHECK-DAG:     %[[ONES:.+]] = arith.constant dense<1.000000e+00> : vector<2x2xf16>
  // CHECK:         scf.for
  // CHECK:           %[[PART:.+]] = cuda.mma %{{.+}}, %[[ONES]]
  // CHECK:           %[[SUM:.+]] = cuda.mma %{{.+}}, %[[ONES]], %[[PART]]
  // CHECK:           cuda.mma
  // CHECK:           %[[PRODUCT:.+]] = cuda.mma
  // CHECK:           %[[SCALED:.+]] = math.fma %[[PRODUCT]]
  // CHECK:           math.fma %{{.+}}, %[[SUM]], %[[SCALED]]
  // CHECK-COUNT-14:  cuda.mma
  // CHECK-NOT:     cuda.mma
  // CHECK:         return
  func.func private @minima_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x64xf16>
    %y = tile.buffer %ctx @y at 98304 : memref<512x64xf32>
    %w = tile.weight %ctx @w : <64x64, #llama.q5_1> in #llama.rowmajor_split index 0
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 32, scale = outer> : <512x64xf16>, !llama.weight<64x64, #llama.q5_1> -> vector<64x64xf32>
    tile.store %r, %y[%c0, %c0] : vector<64x64xf32>, memref<512x64xf32>
    return
  }

  // Scales of 16 columns: each product of that depth has its own.
  // CHECK-LABEL: func.func private @two_scales_in_tensor_cores
  // CHECK-DAG:     %[[ZERO:.+]] = arith.constant dense<0.000000e+00> : vector<4xf32>
  // CHECK:         scf.for
  // CHECK:           %[[FIRST:.+]] = cuda.mma %{{.+}}, %{{.+}}, %[[ZERO]]
  // CHECK:           math.fma %[[FIRST]]
  // CHECK:           %[[SECOND:.+]] = cuda.mma %{{.+}}, %{{.+}}, %[[ZERO]]
  // CHECK:           math.fma %[[SECOND]]
  // CHECK-COUNT-14:  cuda.mma
  // CHECK-NOT:     cuda.mma
  // CHECK:         return
  func.func private @two_scales_in_tensor_cores(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<rows = [16], by = 16>, llama.strategy = #cuda.strategy<unit = #cuda.mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <512x256xf16>
    %y = tile.buffer %ctx @y at 98304 : memref<512x64xf32>
    %w = tile.weight %ctx @w : <64x256, #llama.q6_k> in #llama.rowmajor_split index 0
    %r = tile.contract %x[%c0], %w[%c0] order <unit = #cuda.mma, block = 16, scale = outer> : <512x256xf16>, !llama.weight<64x256, #llama.q6_k> -> vector<64x64xf32>
    tile.store %r, %y[%c0, %c0] : vector<64x64xf32>, memref<512x64xf32>
    return
  }
}
