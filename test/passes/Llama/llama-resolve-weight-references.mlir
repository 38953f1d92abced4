// RUN: %opt %pass %s | FileCheck %s

// The table of offsets has an entry for each weight, or one for each of its
// layers, in the order of the module.
llama.weight @token_embd : 64x256 formats [#llama.q8_0] in [#llama.interleaved16<k = 4>]
llama.weights @blk layers 3 {
  llama.weight @norm : 256 formats [#llama.f32] in [#llama.rowmajor]
  llama.weight @mixed : 16x256 formats [#llama.f32, #llama.q6_k] of [1, 0, 1] in [#llama.interleaved16<k = 1>, #llama.interleaved16<k = 4>]
}
llama.weight @output_norm : 256 formats [#llama.f32] in [#llama.rowmajor]

// CHECK-LABEL: func.func private @references
// CHECK:         llama.weight_ref @output_norm : {{.*}} in #llama.rowmajor index 7
// CHECK:         llama.weight_ref @token_embd : {{.*}} in #llama.interleaved16<k = 4> index 0
// CHECK:         llama.weight_ref @blk::@norm[%{{.+}}] : {{.*}} in #llama.rowmajor index 1
// The layout is the one of the reference's own format; the index is layer 0's.
// CHECK:         llama.weight_ref @blk::@mixed[%{{.+}}] : {{.*}} in #llama.interleaved16<k = 4> index 4
// CHECK:         llama.weight_ref @blk::@mixed[%{{.+}}] : {{.*}} in #llama.interleaved16<k = 1> index 4
func.func private @references(%l: index) {
  %a = llama.weight_ref @output_norm : !llama.weight<256, #llama.f32>
  %b = llama.weight_ref @token_embd : !llama.weight<64x256, #llama.q8_0>
  %c = llama.weight_ref @blk::@norm[%l] : !llama.weight<256, #llama.f32>
  %d = llama.weight_ref @blk::@mixed[%l] : !llama.weight<16x256, #llama.q6_k>
  %e = llama.weight_ref @blk::@mixed[%l] : !llama.weight<16x256, #llama.f32>
  return
}
