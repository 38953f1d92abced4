// What a model names is in use, however deep in its attributes: the functions
// of an entry, the steps, the callees of a dispatch, the weights of a reference.
//
// RUN: %opt %s --symbol-dce --split-input-file | FileCheck %s

// CHECK: llama.model @m entries
// CHECK-DAG: func.func private @embed
// CHECK-DAG: func.func private @layer.0
// CHECK-DAG: func.func private @layer.1
// CHECK-DAG: func.func private @lm_head
// CHECK-NOT: @nobody
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer.0, @layer.1], of = [0, 1]>] lm_heads [@lm_head]
func.func private @embed()
func.func private @layer.0()
func.func private @layer.1()
func.func private @lm_head()
func.func private @nobody()

// -----

// CHECK-LABEL: llama.model @m steps
// CHECK: llama.step @decode
// CHECK: func.func private @k.0
// CHECK: func.func private @k.1
// CHECK: llama.buffer @x
// CHECK: llama.weight @w
// CHECK-NOT: @nobody
llama.model @m steps [@decode] lm_heads [@decode]
llama.step @decode rows 1 {
  %c0 = arith.constant 0 : index
  llama.dispatch [@k.0, @k.1] of [0, 1] (%c0)
}
func.func private @k.0(%l: index) {
  %x = llama.buffer_read @x : tensor<1x32xf32>
  %w = llama.weight_ref @w : !llama.weight<32, #llama.f32>
  return
}
func.func private @k.1(%l: index)
func.func private @nobody(%l: index)
llama.buffer @x : tensor<1x32xf32>
llama.weight @w : 32 formats [#llama.f32]
