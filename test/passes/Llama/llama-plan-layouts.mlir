// RUN: %opt %pass --split-input-file %s | FileCheck %s
// RUN: sed 's/cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512/cuda.target<name = "cuda:sm_80"/' %s | %opt %pass --split-input-file - | FileCheck %s --check-prefix=GPU

module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  // A layout for each format, in the order of the formats; formats stay.
  // CHECK:       llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
  // CHECK:       llama.weights @blk layers 2
  // CHECK:         llama.weight @attn_v : 16x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0] in [#llama.interleaved16<k = 4>, #llama.interleaved16<k = 4>]
  // A warp reads 16 bytes a lane along a row, a thread a whole key.
  // GPU:         llama.weight @output_norm : 32 formats [#llama.f32] in [#llama.rowmajor]
  // GPU:           llama.weight @attn_v : 16x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0] in [#llama.rowmajor_split, #llama.rowmajor_split]
  // GPU:         llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.rowmajor values #llama.rowmajor
  llama.weight @output_norm : 32 formats [#llama.f32]
  llama.weights @blk layers 2 {
    llama.weight @attn_v : 16x256 formats [#llama.q4_0, #llama.q6_k] of [1, 0]
  }
  // One layout for the one cache, beside the weights.
  // CHECK:       llama.cache_layout !llama.cache<2x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor
  // CHECK-NOT:   llama.cache_layout
  // CHECK-LABEL: func.func private @layer
  func.func private @layer(%kv: !llama.cache<2x1x16, f16>) {
    return
  }
  func.func private @layer.prefill(%kv: !llama.cache<2x1x16, f16>) {
    return
  }
}

// -----

// Layers differ in how many positions they keep, and in nothing else.
module attributes {llama.target = #cpu.target<name = "x86-64-v4", features = "+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl", vector_bits = 512>} {
  // CHECK:       llama.cache_layout !llama.cache<3x1x16, f16> keys #llama.keys_interleaved16 values #llama.rowmajor rings [768, 0, 768]
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@windowed, @whole], of = [0, 1, 0]>] lm_heads [@embed]
  func.func private @embed()
  func.func private @windowed(%kv: !llama.cache<3x1x16, f16 ring 768>) {
    return
  }
  func.func private @whole(%kv: !llama.cache<3x1x16, f16>) {
    return
  }
}
