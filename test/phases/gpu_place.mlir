// RUN: %opt %s --verify-roundtrip -o /dev/null
// RUN: %opt %s --llama-verify-phase=phase=place -o /dev/null
// RUN: %opt %s | FileCheck %s

// Phase place for a GPU, written by hand before there is a table of strategies
// for one: the graph and its words are those of place.mlir.
//
// Look at: only attributes differ. Weights lie in rowmajor_split, so that a warp
// reads 16 aligned bytes a lane; a strategy names threads, the tile of a block and
// the stages in shared memory; a block of the decode kernel takes 16 rows of a
// weight, one of the tensor-core kernel 64 rows of the call by 64 of the weight
// (`rows_by`); sums over a row go by 256 lanes, and the order of `mma` is the
// unit's own. Rows for tensor cores are rounded to bf16 by an op.
module attributes {llama.target = #llama.target<family = gpu, name = "sm_80">} {
  llama.weights @blk layers 2 {
    llama.weight @attn_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
    llama.weight @attn_q : 32x32 formats [#llama.q4_0] in [#llama.rowmajor_split]
    llama.weight @attn_output : 32x32 formats [#llama.q8_0] in [#llama.rowmajor_split]
  }

  // CHECK-LABEL: func.func private @decode
  // CHECK:         strategy #llama.gpu<unit = simt, threads = 256, n = 16> cut <rows = [32], by = 16>
  // CHECK:           order <lanes = 256>
  // CHECK:           order <block = 32, scale = outer, lanes = 32>
  func.func private @decode(%x: tensor<1x32xf32>, %pos: tensor<1xi32>, %l: index) -> tensor<1x32xf32> {
    %qr0 = llama.kernel "qkv" (%ix = %x : tensor<1x32xf32>, %ipos = %pos : tensor<1xi32>, %il = %l : index) -> tensor<1x32xf32> strategy #llama.gpu<unit = simt, threads = 256, m = 1, n = 16> cut <rows = [32], by = 16> {
      %g = llama.weight_ref @blk::@attn_norm[%il] : <32, #llama.f32>
      %h = llama.rms_norm %ix, %g eps 1.0e-05 order <lanes = 256> : tensor<1x32xf32>, <32, #llama.f32>
      %wq = llama.weight_ref @blk::@attn_q[%il] : <32x32, #llama.q4_0>
      %q = llama.linear %h, %wq order <block = 32, scale = outer, lanes = 32> : tensor<1x32xf32>, <32x32, #llama.q4_0> -> tensor<1x32xf32>
      %qr = llama.rope %q, %ipos base 1.0e+04 heads 2 : tensor<1x32xf32>, tensor<1xi32>
      llama.yield %qr : tensor<1x32xf32>
    }
    return %qr0 : tensor<1x32xf32>
  }

  // CHECK-LABEL: func.func private @prefill
  // CHECK:         strategy #llama.gpu<unit = mma, threads = 128, m = 64, n = 64, k = 32, stages = 2> cut <rows = [32], by = 64, rows_by = 64>
  // CHECK:           order <unit = mma, block = 32> : tensor<?x32xbf16>
  func.func private @prefill(%a: tensor<?x32xbf16>, %x: tensor<?x32xf32>, %l: index) -> tensor<?x32xf32> {
    %x10 = llama.kernel "o" (%ia = %a : tensor<?x32xbf16>, %ix = %x : tensor<?x32xf32>, %il = %l : index) -> tensor<?x32xf32> strategy #llama.gpu<unit = mma, threads = 128, m = 64, n = 64, k = 32, stages = 2> cut <rows = [32], by = 64, rows_by = 64> {
      %wo = llama.weight_ref @blk::@attn_output[%il] : <32x32, #llama.q8_0>
      %o = llama.linear %ia, %wo order <unit = mma, block = 32> : tensor<?x32xbf16>, <32x32, #llama.q8_0> -> tensor<?x32xf32>
      %x1 = llama.add %ix, %o : tensor<?x32xf32>
      llama.yield %x1 : tensor<?x32xf32>
    }
    return %x10 : tensor<?x32xf32>
  }
}
