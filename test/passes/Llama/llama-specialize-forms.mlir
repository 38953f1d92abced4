// RUN: %opt %pass{rows=1,3,8} %s | FileCheck %s
// RUN: %opt %pass %s | FileCheck %s --check-prefix=DEFAULT
// RUN: %opt %pass{rows=1} %s | FileCheck %s --check-prefix=ONE
// RUN: %opt %pass{rows=4} %s | FileCheck %s --check-prefix=FOUR

// One entry becomes a form for each bound on its rows, and layers keep their
// functions by signature. The LM head has a form for one row, one for each form of
// few rows, and one for as many as the runtime asks for at once, or as a call has.
// DEFAULT:     #llama.entry<name = "decode", rows = 1, {{.*}}>, #llama.entry<name = "prefill", rows = 512, {{.*}}>] lm_heads [@lm_head, @lm_head.rows8]
// ONE:         llama.model @m entries [#llama.entry<name = "decode", rows = 1, {{[^>]*}}>] lm_heads [@lm_head]
// FOUR:        llama.model @m entries [#llama.entry<name = "prefill", rows = 4, {{[^>]*}}>] lm_heads [@lm_head, @lm_head.rows4]
// CHECK:       llama.model @m entries [
// CHECK-SAME:    #llama.entry<name = "decode", rows = 1, embed = @embed.decode, layers = [@layer.0.decode, @layer.1.decode], of = [1, 0, 1]>
// CHECK-SAME:    #llama.entry<name = "rows3", rows = 3, embed = @embed.rows3, layers = [@layer.0.rows3, @layer.1.rows3], of = [1, 0, 1]>
// CHECK-SAME:    #llama.entry<name = "prefill", rows = 8, embed = @embed.prefill, layers = [@layer.0.prefill, @layer.1.prefill], of = [1, 0, 1]>] lm_heads [@lm_head, @lm_head.rows3, @lm_head.rows8]
llama.model @m entries [#llama.entry<name = "import", rows = 0, embed = @embed, layers = [@layer.0, @layer.1], of = [1, 0, 1]>] lm_heads [@lm_head]

llama.weight @token_embd : 64x32 formats [#llama.f32]
llama.weights @blk layers 3 {
  llama.weight @norm : 32 formats [#llama.f32]
}

// The functions of import are gone.
// CHECK-NOT:   func.func private @embed(
func.func private @embed(%ids: tensor<?xi32>) -> tensor<?x32xf32> {
  %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
  %x = llama.embed %ids, %w : tensor<?xi32>, !llama.weight<64x32, #llama.f32> -> tensor<?x32xf32>
  return %x : tensor<?x32xf32>
}

func.func private @layer.0(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x32, f32>, %l: index) -> tensor<?x32xf32> {
  %g = llama.weight_ref @blk::@norm[%l] : !llama.weight<32, #llama.f32>
  %h = llama.rms_norm %x, %g eps 1.0e-05 : tensor<?x32xf32>, !llama.weight<32, #llama.f32>
  return %h : tensor<?x32xf32>
}

func.func private @layer.1(%x: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x32, f32>, %l: index) -> tensor<?x32xf32> {
  %a = llama.attention %x, %kv[%l], %pos causal heads 1 : tensor<?x32xf32>, !llama.cache<3x1x32, f32>, tensor<?xi32>
  return %a : tensor<?x32xf32>
}

// One row is a static extent, more are a bound on the function.
// CHECK-LABEL: func.func private @lm_head(
// CHECK-SAME:    %[[X:.+]]: tensor<1x32xf32>) -> tensor<1x64xf32>
// CHECK:         llama.linear %[[X]], %{{.+}} : tensor<1x32xf32>, {{.*}} -> tensor<1x64xf32>
func.func private @lm_head(%x: tensor<?x32xf32>) -> tensor<?x64xf32> {
  %w = llama.weight_ref @token_embd : !llama.weight<64x32, #llama.f32>
  %y = llama.linear %x, %w : tensor<?x32xf32>, !llama.weight<64x32, #llama.f32> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: func.func private @embed.decode(
// CHECK-SAME:    tensor<1xi32>) -> tensor<1x32xf32>
// CHECK-LABEL: func.func private @layer.0.decode(
// CHECK:         llama.rms_norm {{.*}} : tensor<1x32xf32>
// Tensors narrow, the cache and the layer are left alone.
// CHECK-LABEL: func.func private @layer.1.decode(
// CHECK-SAME:    %{{.+}}: tensor<1x32xf32>, %{{.+}}: tensor<1xi32>, %{{.+}}: !llama.cache<3x1x32, f32>, %{{.+}}: index) -> tensor<1x32xf32>
// CHECK-LABEL: func.func private @embed.rows3(
// CHECK-SAME:    tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 3 : i64}
// CHECK-LABEL: func.func private @layer.1.rows3(
// CHECK-SAME:    attributes {llama.rows = 3 : i64}
// CHECK-LABEL: func.func private @embed.prefill(
// CHECK-SAME:    tensor<?xi32>) -> tensor<?x32xf32> attributes {llama.rows = 8 : i64}
// CHECK-LABEL: func.func private @layer.0.prefill(
// CHECK:         llama.rms_norm {{.*}} : tensor<?x32xf32>
// CHECK-LABEL: func.func private @layer.1.prefill(
// CHECK-LABEL: func.func private @lm_head.rows8(
// CHECK-SAME:    tensor<?x32xf32>) -> tensor<?x64xf32> attributes {llama.rows = 8 : i64}
