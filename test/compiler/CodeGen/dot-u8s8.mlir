// The loop over k of #cpu.dot_u8s8 in each of its three forms, which the target's
// features choose.
//
// RUN: %opt --tile-to-vector-cpu --canonicalize --cse %s | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: sed 's/+avx512vnni/+avxvnni/; s/vector_bits = 512/vector_bits = 256/' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefixes=CHECK,HALF
// RUN: sed 's/,+avx512vnni//; s/vector_bits = 512/vector_bits = 256/' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: sed 's/,+avx512vnni//; s/vector_bits = 512/vector_bits = 256/' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefix=SUMS

// AVX-512 without VNNI has the form of AVX2; AVX-512 VNNI with vectors of 256
// bits that of AVX-VNNI.
// RUN: sed 's/,+avx512vnni//' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: sed 's/vector_bits = 512/vector_bits = 256/' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefixes=CHECK,HALF

// With 16 registers several digits of a row meet one half of the rows of the weight
// at a time.
// RUN: sed 's/,+avx512[a-z]*//g; s/vector_bits = 512/vector_bits = 256/' %s | %opt --tile-to-vector-cpu --canonicalize --cse - | FileCheck %s --check-prefix=TURN

// Quants become no floats and meet no fma: one conversion and one fma for each
// block that shares a scale. SUMS counts how often AVX2 widens sums of 16 bits.
module attributes {llama.target = #cpu.target<name = "a CPU", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512vnni", vector_bits = 512>} {
  // 32 columns of 15 * 127 stay inside 16 bits: AVX2 widens once, for each half of
  // the rows.
  // CHECK-LABEL: func.func @nibbles
  // SUMS-LABEL: func.func @nibbles
  // CHECK:         scf.for
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // The bias of 8, for vpdpbusd as the sum that it starts from.
  // WIDE:            %[[SUM:.+]] = vector.broadcast %{{.+}} : i32 to vector<16xi32>
  // WIDE:            arith.shrsi %[[SUM]], %cst{{.*}} : vector<16xi32>
  // WIDE-COUNT-8:    cpu.dot_u8s8 {{.*}} : vector<16xi32>
  // WIDE-NOT:        cpu.dot_u8s8
  // HALF-COUNT-16:   cpu.dot_u8s8 {{.*}} : vector<8xi32>
  // HALF-NOT:        cpu.dot_u8s8
  // AVX2-NOT:        cpu.dot_u8s8
  // AVX2-COUNT-16:   cpu.multiply_pairs
  // AVX2-NOT:        cpu.multiply_pairs
  // SUMS-COUNT-2:    cpu.add_pairs
  // SUMS-NOT:        cpu.add_pairs
  // SUMS:            scf.yield
  // CHECK:           arith.sitofp %{{.+}} : vector<16xi32> to vector<16xf32>
  // CHECK:           %[[FACTOR:.+]] = arith.mulf %{{.+}} : vector<16xf32>
  // CHECK:           vector.fma %{{.+}}, %[[FACTOR]], %{{.+}} : vector<16xf32>
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // CHECK:         scf.yield
  // CHECK:         return
  func.func @nibbles(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.q4_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Indices of a table: one lookup for four columns, of what the table has plus 128,
  // and no shift. AVX2 could not add two products of 240 * 127: sizes by signs, widened
  // at once.
  // CHECK-LABEL: func.func @a_table
  // SUMS-LABEL: func.func @a_table
  // WIDE-NOT:      arith.shrsi
  // WIDE-NOT:      arith.muli %{{.+}} : vector<16xi32>
  // WIDE-COUNT-8:  cpu.lookup_bytes {{.*}} : vector<64xi8>
  // WIDE-NOT:      cpu.lookup_bytes
  // HALF-COUNT-16: cpu.lookup_bytes {{.*}} : vector<32xi8>
  // HALF-NOT:      cpu.lookup_bytes
  // AVX2:          cpu.lookup_bytes {{.*}} : vector<32xi8>
  // AVX2:          math.absi
  // AVX2-COUNT-16: cpu.multiply_signs
  // AVX2-NOT:      cpu.multiply_signs
  // SUMS-COUNT-16: cpu.add_pairs
  // SUMS-NOT:      cpu.add_pairs
  // SUMS:          scf.yield
  // CHECK:         return
  func.func @a_table(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.iq4_nl> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.iq4_nl> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // 24 at most when 12 is added: no signs, and five vectors stay inside 16 bits.
  // CHECK-LABEL: func.func @a_table_of_small_numbers
  // SUMS-LABEL: func.func @a_table_of_small_numbers
  // AVX2:          arith.muli %{{.+}}, %cst{{.*}} : vector<8xi32>
  // AVX2-NOT:      cpu.multiply_signs
  // AVX2-COUNT-16: cpu.multiply_pairs
  // SUMS-COUNT-4:  cpu.add_pairs
  // SUMS-NOT:      cpu.add_pairs
  // SUMS:          scf.yield
  // The byte that is an exponent.
  // CHECK:         arith.select
  // CHECK:         return
  func.func @a_table_of_small_numbers(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.mxfp4> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.mxfp4> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Five bits: AVX2 widens twice. The minimum meets the scaled sum of the row's
  // quants, which the record has.
  // CHECK-LABEL: func.func @fifth_bits_and_minima
  // SUMS-LABEL: func.func @fifth_bits_and_minima
  // CHECK:         scf.for
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // WIDE-COUNT-8:    cpu.dot_u8s8
  // HALF-COUNT-16:   cpu.dot_u8s8
  // AVX2-COUNT-16:   cpu.multiply_pairs
  // SUMS-COUNT-4:    cpu.add_pairs
  // SUMS-NOT:        cpu.add_pairs
  // SUMS:            scf.yield
  // CHECK:           arith.sitofp %{{.+}} : vector<16xi32> to vector<16xf32>
  // CHECK:           %[[ACC:.+]] = vector.fma
  // CHECK:           %[[SPLAT:.+]] = vector.broadcast %{{.+}} : f32
  // CHECK:           vector.fma %{{.+}}, %[[SPLAT]], %[[ACC]]
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // CHECK:         scf.yield
  // CHECK:         return
  func.func @fifth_bits_and_minima(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q5_1> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.q5_1> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Several rows of x: with 256 bits a loop for each half of the rows of the weight,
  // whose quants all rows of x meet.
  // CHECK-LABEL: func.func @two_rows
  // SUMS-LABEL: func.func @two_rows
  // CHECK:         scf.for
  // WIDE-COUNT-16:   cpu.dot_u8s8
  // WIDE:          scf.yield
  // WIDE-NOT:      scf.for
  // HALF-COUNT-16:   cpu.dot_u8s8
  // HALF:          scf.yield
  // HALF:          scf.for
  // HALF-COUNT-16:   cpu.dot_u8s8
  // AVX2-COUNT-16:   cpu.multiply_pairs
  // AVX2:          scf.yield
  // AVX2:          scf.for
  // AVX2-COUNT-16:   cpu.multiply_pairs
  // HALF:          vector.shuffle
  // AVX2:          vector.shuffle
  // CHECK:         return
  func.func @two_rows(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <2x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <2x64x!llama.q8b32>, !llama.weight<16x64, #llama.q4_0> -> vector<2x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // vpdpbusd takes q + 128, by the sign bit, and starts from the record's sum; AVX2 |q| and x with the sign of q, and
  // widens after each product.
  // CHECK-LABEL: func.func @signed_bytes
  // SUMS-LABEL: func.func @signed_bytes
  // CHECK:         scf.for
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // WIDE-NOT:        arith.shrsi
  // WIDE-NOT:        arith.muli %{{.+}} : vector<16xi32>
  // WIDE:            %[[SHIFTED:.+]] = arith.xori %{{.+}}, %{{.+}} : vector<64xi8>
  // WIDE:            cpu.dot_u8s8 %{{.+}}, %[[SHIFTED]], %{{.+}}
  // WIDE-COUNT-7:    cpu.dot_u8s8
  // HALF-COUNT-16:   cpu.dot_u8s8
  // AVX2:            %[[SIZE:.+]] = math.absi %[[QUANTS:.+]] :
  // AVX2:            %[[SIGNED:.+]] = cpu.multiply_signs %{{.+}}, %[[QUANTS]]
  // AVX2:            cpu.multiply_pairs %[[SIZE]], %[[SIGNED]]
  // AVX2-COUNT-15:   cpu.multiply_pairs
  // SUMS-COUNT-16:   cpu.add_pairs
  // SUMS-NOT:        cpu.add_pairs
  // SUMS:            scf.yield
  // CHECK:           arith.sitofp %{{.+}} : vector<16xi32> to vector<16xf32>
  // CHECK:           vector.fma
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // CHECK:         scf.yield
  // CHECK:         return
  func.func @signed_bytes(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q8_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.q8_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // A scale for 16 columns: two sums of integers in 32 columns. Six bits: AVX2
  // widens every two products. Integers of scales become floats, twice.
  // CHECK-LABEL: func.func @six_bits_by_sixteen_columns
  // SUMS-LABEL: func.func @six_bits_by_sixteen_columns
  // CHECK:         scf.for
  // CHECK-NOT:       vector.fma
  // WIDE-COUNT-4:    cpu.dot_u8s8
  // HALF-COUNT-8:    cpu.dot_u8s8
  // AVX2-COUNT-8:    cpu.multiply_pairs
  // CHECK:           vector.fma
  // CHECK-NOT:       vector.fma
  // WIDE-COUNT-4:    cpu.dot_u8s8
  // HALF-COUNT-8:    cpu.dot_u8s8
  // AVX2-COUNT-8:    cpu.multiply_pairs
  // SUMS-COUNT-8:    cpu.add_pairs
  // SUMS-NOT:        cpu.add_pairs
  // SUMS:            scf.yield
  // CHECK:           vector.fma
  // CHECK-NOT:       vector.fma
  // CHECK:         scf.yield
  // CHECK:         return
  func.func @six_bits_by_sixteen_columns(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x256x!llama.q8b32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x256, #llama.q6_k> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 16, scale = outer> : <1x256x!llama.q8b32>, !llama.weight<16x256, #llama.q6_k> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Two blocks of a row: 16 values at a time.
  // CHECK-LABEL: func.func @rounding
  // CHECK:         %[[AMAX:.+]] = vector.reduction <maxsi>
  // CHECK:         %[[X:.+]] = arith.bitcast %[[AMAX]] : i32 to f32
  // CHECK:         arith.divf %[[X]], %{{.+}} : f32
  // CHECK:         arith.divf %{{.+}}, %[[X]] : f32
  // CHECK-COUNT-2: math.roundeven %{{.+}} : vector<16xf32>
  // CHECK-NOT:     math.roundeven
  // CHECK:         return
  func.func @rounding(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x64xf32>
    %y = tile.buffer_rows %ctx @y at 256 : <1x64x!llama.q8b32>
    tile.round_rows %x, %y[%c0, %c0] count %c1 : memref<1x64xf32>, !tile.rows<1x64x!llama.q8b32>
    return
  }

  // Staged for a product: rounded on the way, two records of 48 bytes.
  // CHECK-LABEL: func.func @a_staged_row_is_rounded
  // CHECK-SAME:    llama.scratch = 128 : i64
  // CHECK:         context.view {{.*}} -> memref<1x96xi8>
  // CHECK-COUNT-2: math.roundeven
  // CHECK-NOT:     math.roundeven
  // CHECK:         cpu.
  func.func @a_staged_row_is_rounded(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x64xf32>
    %y = tile.buffer %ctx @y at 256 : memref<1x16xf32>
    %r = tile.stage %x[%c0] : memref<1x64xf32> -> !tile.rows<1x64x!llama.q8b32> {
    ^bb0(%value: f32):
      tile.yield %value
    }
    %w = tile.weight %ctx @w : <16x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %r[%c0], %w[%c0] order <unit = #cpu.dot_u8s8, block = 32, scale = outer> : <1x64x!llama.q8b32>, !llama.weight<16x64, #llama.q4_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Three digits: each vector of quants meets all three before the next one, three sums
  // begin from the records' numbers, and two fmas put them together.
  // TURN-LABEL: func.func @three_digits
  // TURN:          scf.for
  // TURN-COUNT-24:   cpu.multiply_pairs
  // TURN-NOT:        cpu.multiply_pairs
  // TURN:            scf.yield
  // TURN:          scf.for
  // TURN-COUNT-24:   cpu.multiply_pairs
  // TURN-NOT:        cpu.multiply_pairs
  // TURN:            scf.yield
  // TURN:          vector.shuffle
  // CHECK-LABEL: func.func @three_digits
  // SUMS-LABEL: func.func @three_digits
  // CHECK:         scf.for
  // CHECK-NOT:       arith.sitofp
  // CHECK-NOT:       vector.fma
  // WIDE-COUNT-3:    arith.shrsi %{{.+}}, %cst{{.*}} : vector<16xi32>
  // WIDE-NOT:        arith.shrsi %{{.+}} : vector<16xi32>
  // WIDE:            cpu.dot_u8s8 %{{.+}}, %[[QUANTS:.+]], %{{.+}} : vector<16xi32>
  // WIDE-COUNT-2:    cpu.dot_u8s8 %{{.+}}, %[[QUANTS]], %{{.+}} : vector<16xi32>
  // WIDE-NOT:        cpu.dot_u8s8 %{{.+}}, %[[QUANTS]], %{{.+}} : vector<16xi32>
  // WIDE-COUNT-21:   cpu.dot_u8s8
  // HALF-COUNT-48:   cpu.dot_u8s8 {{.*}} : vector<8xi32>
  // AVX2-COUNT-48:   cpu.multiply_pairs
  // SUMS-COUNT-6:    cpu.add_pairs
  // SUMS-NOT:        cpu.add_pairs
  // SUMS:            scf.yield
  // CHECK:           %[[LOW:.+]] = arith.sitofp %{{.+}} : vector<16xi32> to vector<16xf32>
  // CHECK:           %[[MIDDLE:.+]] = arith.sitofp
  // CHECK:           %[[LOWER:.+]] = vector.fma %[[MIDDLE]], %{{.+}}, %[[LOW]]
  // CHECK:           %[[HIGH:.+]] = arith.sitofp
  // CHECK:           %[[SUM:.+]] = vector.fma %[[HIGH]], %{{.+}}, %[[LOWER]]
  // CHECK:           %[[FACTOR:.+]] = arith.mulf %{{.+}} : vector<16xf32>
  // CHECK:           vector.fma %[[SUM]], %[[FACTOR]], %{{.+}} : vector<16xf32>
  // CHECK-NOT:       vector.fma
  // CHECK:         scf.yield
  // CHECK:         return
  func.func @three_digits(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <1x64x!llama.x24b32>
    %y = tile.buffer %ctx @y at 1024 : memref<1x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : <1x64x!llama.x24b32>, !llama.weight<16x64, #llama.q4_0> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }

  // Eight rows of three digits: four in a loop (512 bits), two (256), by half of
  // the rows of the weight.
  // CHECK-LABEL: func.func @eight_rows_of_digits
  // CHECK:         scf.for
  // WIDE-COUNT-96:   cpu.dot_u8s8
  // WIDE-NOT:        cpu.dot_u8s8
  // WIDE:            scf.yield
  // HALF-COUNT-48:   cpu.dot_u8s8
  // HALF-NOT:        cpu.dot_u8s8
  // HALF:            scf.yield
  // AVX2-COUNT-48:   cpu.multiply_pairs
  // AVX2-NOT:        cpu.multiply_pairs
  // AVX2:            scf.yield
  // CHECK:         scf.for
  // CHECK:         return
  func.func @eight_rows_of_digits(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <8x64x!llama.x24b32>
    %y = tile.buffer %ctx @y at 4096 : memref<8x16xf32>
    %w = tile.weight %ctx @w : <16x64, #llama.q4_0> in #llama.interleaved16<k = 4> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_u8s8<digits = 3>, block = 32, scale = outer> : <8x64x!llama.x24b32>, !llama.weight<16x64, #llama.q4_0> -> vector<8x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<8x16xf32>, memref<8x16xf32>
    return
  }

  // No division: exponents are subtracted. An integer of 32 columns, then its digits, each
  // of the two higher ones rounded from what is left; a row of 2 records of 128 bytes.
  // CHECK-LABEL: func.func @rounding_to_digits
  // CHECK:         %[[AMAX:.+]] = vector.reduction <maxsi>
  // CHECK-NOT:     arith.divf
  // CHECK-COUNT-3: math.roundeven %{{.+}} : vector<16xf32>
  // CHECK-COUNT-3: math.roundeven %{{.+}} : vector<16xf32>
  // CHECK-NOT:     math.roundeven
  // CHECK:         vector.store {{.*}} : memref<1x256xi8>, vector<32xi8>
  // CHECK:         return
  func.func @rounding_to_digits(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x64xf32>
    %y = tile.buffer_rows %ctx @y at 256 : <1x64x!llama.x24b32>
    tile.round_rows %x, %y[%c0, %c0] count %c1 : memref<1x64xf32>, !tile.rows<1x64x!llama.x24b32>
    return
  }
}
