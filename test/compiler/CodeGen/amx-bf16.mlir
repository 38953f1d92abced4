// A product of #cpu.amx_bf16: of many rows by tiles of amx, two of each operand at
// once, a block of 32 columns an iteration; the columns behind whole blocks, and few
// rows, by vectors, where a pair of columns are two products.
//
// RUN: %opt --tile-to-vector-cpu --canonicalize --cse %s | FileCheck %s
// RUN: %opt --corellama-vector-pipeline --corellama-llvm-pipeline %s | FileCheck %s --check-prefix=LLVM

module attributes {llama.target = #cpu.target<name = "a CPU", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512bf16,+amx-tile,+amx-bf16", vector_bits = 512>} {
  llama.buffer @x : tensor<32x70xbf16> at 0
  llama.buffer @y : tensor<32x32xf32> at 4480
  llama.buffer @logits : tensor<1x16xf32> at 0

  // 70 columns: two blocks and three pairs, whose loop is over the rows of the tile.
  // CHECK-LABEL: func.func @many_rows
  // CHECK-SAME:    llama.scratch = 4096
  // CHECK-COUNT-4: amx.tile_zero : !amx.tile<16x16xf32>
  // CHECK:         scf.for {{.*}} -> (!amx.tile<16x16xf32>, !amx.tile<16x16xf32>, !amx.tile<16x16xf32>, !amx.tile<16x16xf32>)
  // CHECK-COUNT-2:   amx.tile_load %{{.+}} : memref<32x70xbf16> into !amx.tile<16x32xbf16>
  // CHECK-COUNT-2:   amx.tile_load %{{.+}} : memref<16x32xbf16> into !amx.tile<16x32xbf16>
  // CHECK-COUNT-4:   amx.tile_mulf
  // CHECK:           scf.yield
  // CHECK-COUNT-4: amx.tile_store %{{.+}} : memref<32x32xf32>, !amx.tile<16x16xf32>
  // CHECK:         scf.for
  // CHECK-COUNT-12:  cpu.dot_bf16
  // CHECK-NOT:       cpu.dot_bf16
  // CHECK:         return
  // LLVM-LABEL: llvm.func @many_rows
  // LLVM-COUNT-4: llvm.call_intrinsic "llvm.x86.tilezero.internal"
  // LLVM-COUNT-4: llvm.call_intrinsic "llvm.x86.tileloadd64.internal"
  // LLVM-COUNT-4: llvm.call_intrinsic "llvm.x86.tdpbf16ps.internal"
  // LLVM-COUNT-4: llvm.call_intrinsic "llvm.x86.tilestored64.internal"
  func.func @many_rows(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 32>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <32x70xbf16>
    %y = tile.buffer %ctx @y at 4480 : memref<32x32xf32>
    %w = tile.weight %ctx @w : <32x70, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.amx_bf16, block = 32> : <32x70xbf16>, !llama.weight<32x70, #llama.bf16> -> vector<32x32xf32>
    tile.store %acc, %y[%c0, %c0] : vector<32x32xf32>, memref<32x32xf32>
    return
  }

  // CHECK-LABEL: func.func @few_rows
  // CHECK-SAME:    llama.scratch = 0
  // CHECK-NOT:     amx.
  // CHECK:         scf.for
  // CHECK-COUNT-32:  cpu.dot_bf16
  // CHECK-NOT:       cpu.dot_bf16
  // CHECK:           scf.yield
  // CHECK-COUNT-6: cpu.dot_bf16
  // CHECK-NOT:     cpu.dot_bf16
  // CHECK:         return
  func.func @few_rows(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.partition = #llama.partition<of = rows, by = 2>} {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <32x70xbf16>
    %y = tile.buffer %ctx @y at 4480 : memref<32x32xf32>
    %w = tile.weight %ctx @w : <32x70, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.amx_bf16, block = 32> : <32x70xbf16>, !llama.weight<32x70, #llama.bf16> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<32x32xf32>
    return
  }
}
