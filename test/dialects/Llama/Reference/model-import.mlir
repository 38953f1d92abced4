// A whole model before it is specialized: one entry for any number of rows.
// The same logits whether ids are given all at once or in portions.
//
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/micro_model.py weights %t/w
// RUN: %python %S/micro_model.py ids %t/ids.npy
// RUN: %corellama eval %s --entry m --in %t/ids.npy --weights %t/w > %t/whole
// RUN: %python %S/micro_model.py compare %t/whole | FileCheck %s
// RUN: %corellama eval %s --entry m --in %t/ids.npy --weights %t/w --chunk 2 > %t/two
// RUN: %python %S/micro_model.py compare %t/two | FileCheck %s
// CHECK: logits agree
//
// The cache's element type counts as specified, not in the ideal mode.
// RUN: sed 's/1x2, f32>/1x2, f16>/' %s > %t/half.mlir
// RUN: %corellama eval %t/half.mlir --entry m --in %t/ids.npy --weights %t/w --mode ideal > %t/ideal
// RUN: %python %S/micro_model.py compare %t/ideal | FileCheck %s
// RUN: %corellama eval %t/half.mlir --entry m --in %t/ids.npy --weights %t/w > %t/rounded
// RUN: %python %S/micro_model.py compare %t/rounded | FileCheck %s --check-prefix=HALF
// HALF: logits differ by {{[0-9.]+}}{{(e-0[4-6])?$}}
//
// RUN: not %corellama eval %s --entry m --in %t/ids.npy --weights %t/w --form decode 2>&1 | FileCheck %s --check-prefix=FORM
// FORM: model-import.mlir: the model has no form 'decode'{{$}}
// RUN: not %corellama eval %s --entry m --in %t/ids.npy 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// WEIGHTS: model-import.mlir: @m: a model reads its weights from --weights FOLDER{{$}}
// RUN: rm %t/w/blk.1.ffn_up.npy
// RUN: not %corellama eval %s --entry m --in %t/ids.npy --weights %t/w 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: model-import.mlir: @layer.1: llama.weight_ref: {{.*}}blk.1.ffn_up.npy: No such file or directory{{$}}

llama.weight @token_embd : 4x2 formats [#llama.f32]
llama.weight @output_norm : 2 formats [#llama.f32]
llama.weights @blk layers 2 {
  llama.weight @attn_norm : 2 formats [#llama.f32]
  llama.weight @attn_q : 2x2 formats [#llama.f32]
  llama.weight @attn_k : 2x2 formats [#llama.f32]
  llama.weight @attn_v : 2x2 formats [#llama.f32, #llama.f16] of [0, 1]
  llama.weight @attn_output : 2x2 formats [#llama.f32]
  llama.weight @ffn_norm : 2 formats [#llama.f32]
  llama.weight @ffn_gate : 3x2 formats [#llama.f32]
  llama.weight @ffn_up : 3x2 formats [#llama.f32]
  llama.weight @ffn_down : 2x3 formats [#llama.f32]
}
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer.0, @layer.1], of = [0, 1]>] lm_heads [@lm_head]

func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x2xf32> {
  %w = llama.weight_ref @token_embd : !llama.weight<4x2, #llama.f32>
  %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<4x2, #llama.f32> -> tensor<?x2xf32>
  return %x : tensor<?x2xf32>
}
func.func private @layer.0(%x: tensor<?x2xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x2, f32>, %l: index) -> tensor<?x2xf32> {
  %g0 = llama.weight_ref @blk::@attn_norm[%l] : !llama.weight<2, #llama.f32>
  %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
  %wq = llama.weight_ref @blk::@attn_q[%l] : !llama.weight<2x2, #llama.f32>
  %wk = llama.weight_ref @blk::@attn_k[%l] : !llama.weight<2x2, #llama.f32>
  %wv = llama.weight_ref @blk::@attn_v[%l] : !llama.weight<2x2, #llama.f32>
  %q = llama.linear %h, %wq : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %k = llama.linear %h, %wk : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %v = llama.linear %h, %wv : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %qr = llama.rope %q, %pos base 1.0e+04 heads 1 : tensor<?x2xf32>, tensor<?xi32>
  %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x2xf32>, tensor<?xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x1x2, f32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?xi32>
  %a = llama.attention %qr, %kv[%l], %pos causal heads 1 : tensor<?x2xf32>, !llama.cache<2x1x2, f32>, tensor<?xi32>
  %wo = llama.weight_ref @blk::@attn_output[%l] : !llama.weight<2x2, #llama.f32>
  %o = llama.linear %a, %wo : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %x1 = llama.add %x, %o : tensor<?x2xf32>
  %g1 = llama.weight_ref @blk::@ffn_norm[%l] : !llama.weight<2, #llama.f32>
  %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
  %wg = llama.weight_ref @blk::@ffn_gate[%l] : !llama.weight<3x2, #llama.f32>
  %wu = llama.weight_ref @blk::@ffn_up[%l] : !llama.weight<3x2, #llama.f32>
  %wd = llama.weight_ref @blk::@ffn_down[%l] : !llama.weight<2x3, #llama.f32>
  %g = llama.linear %h1, %wg : tensor<?x2xf32>, !llama.weight<3x2, #llama.f32> -> tensor<?x3xf32>
  %u = llama.linear %h1, %wu : tensor<?x2xf32>, !llama.weight<3x2, #llama.f32> -> tensor<?x3xf32>
  %s = llama.swiglu %g, %u : tensor<?x3xf32>
  %d = llama.linear %s, %wd : tensor<?x3xf32>, !llama.weight<2x3, #llama.f32> -> tensor<?x2xf32>
  %x2 = llama.add %x1, %d : tensor<?x2xf32>
  return %x2 : tensor<?x2xf32>
}
func.func private @layer.1(%x: tensor<?x2xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<2x1x2, f32>, %l: index) -> tensor<?x2xf32> {
  %g0 = llama.weight_ref @blk::@attn_norm[%l] : !llama.weight<2, #llama.f32>
  %h = llama.rms_norm %x, %g0 eps 1.0e-05 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
  %wq = llama.weight_ref @blk::@attn_q[%l] : !llama.weight<2x2, #llama.f32>
  %wk = llama.weight_ref @blk::@attn_k[%l] : !llama.weight<2x2, #llama.f32>
  %wv = llama.weight_ref @blk::@attn_v[%l] : !llama.weight<2x2, #llama.f16>
  %q = llama.linear %h, %wq : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %k = llama.linear %h, %wk : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %v = llama.linear %h, %wv : tensor<?x2xf32>, !llama.weight<2x2, #llama.f16> -> tensor<?x2xf32>
  %qr = llama.rope %q, %pos base 1.0e+04 heads 1 : tensor<?x2xf32>, tensor<?xi32>
  %kr = llama.rope %k, %pos base 1.0e+04 heads 1 : tensor<?x2xf32>, tensor<?xi32>
  llama.kv_append %kv[%l], %kr, %v at %pos : !llama.cache<2x1x2, f32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?xi32>
  %a = llama.attention %qr, %kv[%l], %pos causal heads 1 : tensor<?x2xf32>, !llama.cache<2x1x2, f32>, tensor<?xi32>
  %wo = llama.weight_ref @blk::@attn_output[%l] : !llama.weight<2x2, #llama.f32>
  %o = llama.linear %a, %wo : tensor<?x2xf32>, !llama.weight<2x2, #llama.f32> -> tensor<?x2xf32>
  %x1 = llama.add %x, %o : tensor<?x2xf32>
  %g1 = llama.weight_ref @blk::@ffn_norm[%l] : !llama.weight<2, #llama.f32>
  %h1 = llama.rms_norm %x1, %g1 eps 1.0e-05 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
  %wg = llama.weight_ref @blk::@ffn_gate[%l] : !llama.weight<3x2, #llama.f32>
  %wu = llama.weight_ref @blk::@ffn_up[%l] : !llama.weight<3x2, #llama.f32>
  %wd = llama.weight_ref @blk::@ffn_down[%l] : !llama.weight<2x3, #llama.f32>
  %g = llama.linear %h1, %wg : tensor<?x2xf32>, !llama.weight<3x2, #llama.f32> -> tensor<?x3xf32>
  %u = llama.linear %h1, %wu : tensor<?x2xf32>, !llama.weight<3x2, #llama.f32> -> tensor<?x3xf32>
  %s = llama.swiglu %g, %u : tensor<?x3xf32>
  %d = llama.linear %s, %wd : tensor<?x3xf32>, !llama.weight<2x3, #llama.f32> -> tensor<?x2xf32>
  %x2 = llama.add %x1, %d : tensor<?x2xf32>
  return %x2 : tensor<?x2xf32>
}
func.func private @lm_head(%x: tensor<?x2xf32>) -> tensor<?x4xf32> {
  %g = llama.weight_ref @output_norm : !llama.weight<2, #llama.f32>
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x2xf32>, !llama.weight<2, #llama.f32>
  %w = llama.weight_ref @token_embd : !llama.weight<4x2, #llama.f32>
  %y = llama.linear %h, %w : tensor<?x2xf32>, !llama.weight<4x2, #llama.f32> -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
