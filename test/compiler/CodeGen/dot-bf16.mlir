// The loop over k of #cpu.dot_bf16: columns by twos, a block of 32 an iteration,
// the rest behind it; several rows of x share what is loaded of the weight.
//
// RUN: %opt --tile-to-vector-cpu --canonicalize --cse %s | FileCheck %s
// RUN: %opt --tile-to-vector-cpu --canonicalize --cse --cpu-to-llvm %s | FileCheck %s --check-prefix=LLVM

module attributes {llama.target = #cpu.target<name = "a CPU", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512bf16", vector_bits = 512>} {
  // Numbers become no floats. 38 columns: a whole block and three pairs.
  // CHECK-LABEL: func.func @pairs
  // CHECK-NOT:     arith.extf
  // CHECK-NOT:     vector.fma
  // CHECK-COUNT-32: cpu.dot_bf16
  // CHECK-NOT:     cpu.dot_bf16
  // CHECK:         scf.yield
  // CHECK-COUNT-6: cpu.dot_bf16
  // CHECK-NOT:     cpu.dot_bf16
  // CHECK:         return
  // LLVM-COUNT-38: llvm.call_intrinsic "llvm.x86.avx512bf16.dpbf16ps.512"
  func.func @pairs(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer_rows %ctx @x at 0 : <2x70xbf16>
    %y = tile.buffer %ctx @y at 384 : memref<2x16xf32>
    %w = tile.weight %ctx @w : <16x70, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    %acc = tile.contract %x[%c0], %w[%c0] order <unit = #cpu.dot_bf16, block = 2> : <2x70xbf16>, !llama.weight<16x70, #llama.bf16> -> vector<2x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<2x16xf32>, memref<2x16xf32>
    return
  }

  // Staged for a product: rounded on the way, rows padded to whole vectors.
  // CHECK-LABEL: func.func @a_staged_row_is_rounded
  // CHECK:         context.view {{.*}} -> memref<1x80xbf16>
  // CHECK:         arith.truncf %{{.+}} : vector<16xf32> to vector<16xbf16>
  // CHECK:         cpu.dot_bf16
  func.func @a_staged_row_is_rounded(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) {
    %c0 = arith.constant 0 : index
    %x = tile.buffer %ctx @x at 0 : memref<1x70xf32>
    %y = tile.buffer %ctx @y at 384 : memref<1x16xf32>
    %r = tile.stage %x[%c0] : memref<1x70xf32> -> !tile.rows<1x70xbf16> {
    ^bb0(%value: f32):
      tile.yield %value
    }
    %w = tile.weight %ctx @w : <16x70, #llama.bf16> in #llama.interleaved16<k = 2> index 0
    %acc = tile.contract %r[%c0], %w[%c0] order <unit = #cpu.dot_bf16, block = 2> : <1x70xbf16>, !llama.weight<16x70, #llama.bf16> -> vector<1x16xf32>
    tile.store %acc, %y[%c0, %c0] : vector<1x16xf32>, memref<1x16xf32>
    return
  }
}
