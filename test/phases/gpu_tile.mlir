// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=tile -o /dev/null
// RUN: %opt %s | FileCheck %s

// Phase tile for a GPU, written by hand: the two kernels of gpu_place.mlir in the
// words of tile.mlir. A block computes parts begin to end, which a GPU sets to its
// own number and the next.
//
// Look at: @qkv.decode is a CPU's text but for cut, layout and orders; how a warp
// reads along k and adds its lanes is inside tile.contract. In @o.prefill the tile
// is 64 by 64 and the rows are bf16; the epilogue is the same arithmetic on
// vectors, which a GPU spreads as fragments, a pair of columns in one lane.
module attributes {llama.target = #llama.target<family = gpu, name = "sm_80">} {
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @attn_q : 32x32 formats [#llama.q4_0] in [#llama.rowmajor_split]
    llama.weight @attn_output : 32x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
  }
  llama.slot @decode.x : tensor<1x32xf32> at 0
  llama.slot @decode.qkv : tensor<1x32xf32> at 128
  llama.slot @prefill.x : tensor<512x32xf32> at 0
  llama.slot @prefill.attn : tensor<512x32xbf16> at 65536
  llama.slot @prefill.o : tensor<512x32xf32> at 98304

  // CHECK-LABEL: func.func private @qkv.decode
  // CHECK:         tile.contract {{.*}} order <block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> vector<1x16xf32>
  func.func private @qkv.decode(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.cut = #llama.cut<rows = [32], by = 16>, llama.parts = affine_map<(rows, keys) -> (2)>, llama.strategy = #llama.gpu<unit = simt, threads = 256, m = 1, n = 16>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c16 = arith.constant 16 : index
    %eps = arith.constant dense<1.0e-05> : vector<1xf32>
    %one = arith.constant dense<1.0> : vector<1xf32>
    %over_columns = arith.constant dense<3.125e-02> : vector<1xf32>
    %l = arith.index_castui %layer : i32 to index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    %x = tile.slot %ctx @decode.x at 0 : memref<1x32xf32>
    %result = tile.slot %ctx @decode.qkv at 128 : memref<1x32xf32>
    %gain = tile.weight %ctx @blk::@attn_norm[%l] : <32, #llama.f32> in #llama.rowmajor index 0
    %wq = tile.weight %ctx @blk::@attn_q[%l] : <32x32, #llama.q4_0> in #llama.rowmajor_split index 2
    // 256 threads, then a tree: not a CPU's bits, but the same in every run.
    %sum = tile.sum %x[%c0] order <lanes = 256> : memref<1x32xf32> -> vector<1xf32> {
    ^bb0(%a: f32):
      %square = arith.mulf %a, %a : f32
      tile.yield %square
    }
    %mean = arith.mulf %sum, %over_columns : vector<1xf32>
    %above = arith.addf %mean, %eps : vector<1xf32>
    %rms = math.sqrt %above : vector<1xf32>
    %inverse = arith.divf %one, %rms : vector<1xf32>
    %h = tile.stage %x[%c0] rows(%inverse : vector<1xf32>) columns(%gain : !llama.weight<32, #llama.f32>) : memref<1x32xf32> -> <1x32xf32> {
    ^bb0(%a: f32, %r: f32, %g: f32):
      %scaled = arith.mulf %a, %r : f32
      %gained = arith.mulf %scaled, %g : f32
      tile.yield %gained
    }
    scf.for %part = %first to %last step %c1 {
      %n = arith.muli %part, %c16 : index
      %acc = tile.contract %h[%c0], %wq[%n] order <block = 32, scale = outer, lanes = 32> : <1x32xf32>, !llama.weight<32x32, #llama.q4_0> -> vector<1x16xf32>
      %cosine = tile.rope_row %ctx[%c0, %n] head 16 : vector<1x16xf32>
      %sine = tile.rope_row %ctx[%c0, %n] head 16 sine : vector<1x16xf32>
      %swapped = tile.swap_pairs %acc : vector<1x16xf32>
      %turned = arith.mulf %acc, %cosine : vector<1x16xf32>
      %qr = math.fma %swapped, %sine, %turned : vector<1x16xf32>
      tile.store %qr, %result[%c0, %n] : vector<1x16xf32>, memref<1x32xf32>
    }
    return
  }

  // CHECK-LABEL: func.func private @o.prefill
  // CHECK:         tile.contract {{.*}} order <unit = mma, block = 32> : <512x32xbf16>, !llama.weight<32x32, #llama.q8_0> -> vector<64x64xf32>
  func.func private @o.prefill(%ctx: !tile.context, %layer: i32, %begin: i32, %end: i32) attributes {llama.cut = #llama.cut<rows = [32], by = 64, rows_by = 64>, llama.parts = affine_map<(rows, keys) -> (rows ceildiv 64)>, llama.strategy = #llama.gpu<unit = mma, threads = 128, m = 64, n = 64, k = 32, stages = 2>} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %l = arith.index_castui %layer : i32 to index
    %first = arith.index_castui %begin : i32 to index
    %last = arith.index_castui %end : i32 to index
    %rows = tile.row_count %ctx
    %a = tile.slot_rows %ctx @prefill.attn at 65536 : <512x32xbf16>
    %x = tile.slot %ctx @prefill.x at 0 : memref<512x32xf32>
    %result = tile.slot %ctx @prefill.o at 98304 : memref<512x32xf32>
    %wo = tile.weight %ctx @blk::@attn_output[%l] : <32x32, #llama.q8_0> in #llama.rowmajor_split index 4
    scf.for %part = %first to %last step %c1 {
      %row = arith.muli %part, %c64 : index
      %acc = tile.contract %a[%row], %wo[%c0] order <unit = mma, block = 32> : <512x32xbf16>, !llama.weight<32x32, #llama.q8_0> -> vector<64x64xf32>
      %residual = tile.load %x[%row, %c0] rows %rows : memref<512x32xf32> -> vector<64x64xf32>
      %x1 = arith.addf %residual, %acc : vector<64x64xf32>
      tile.store %x1, %result[%row, %c0] rows %rows : vector<64x64xf32>, memref<512x32xf32>
    }
    return
  }
}
