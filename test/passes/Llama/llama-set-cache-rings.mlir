// RUN: %opt %pass %s | FileCheck %s
// RUN: sed 's/context_length = 8192/context_length = 768/' %s | %opt %pass - | FileCheck %s --check-prefix=SHORT

module attributes {llama.config = #llama.config<dim = 32, heads = 2, kv_heads = 1, head_size = 16, hidden = 48, vocabulary = 64, layers = 3, context_length = 8192>} {
  llama.model @m entries [#llama.entry<name = "decode", rows = 1, embed = @embed, layers = [@windowed, @whole, @edge], of = [0, 1, 2]>,
                          #llama.entry<name = "prefill", rows = 512, embed = @embed, layers = [@windowed.prefill, @whole, @edge], of = [0, 1, 2]>] lm_heads [@embed]
  func.func private @embed()

  // 257 positions are seen, and 511 rows may follow in the same call: 768. The
  // decode form gets the same ring. A ring as large as the context is none.
  // CHECK-LABEL: func.func private @windowed(
  // CHECK-SAME:    %[[KV:[a-z0-9]+]]: !llama.cache<3x1x16, f16 ring 768>
  // CHECK:         llama.kv_append %[[KV]]{{.*}} : <3x1x16, f16 ring 768>
  // CHECK:         llama.attention {{.*}} window 257 : tensor<1x32xf32>, <3x1x16, f16 ring 768>
  // SHORT-LABEL: func.func private @windowed(
  // SHORT-SAME:    !llama.cache<3x1x16, f16>
  func.func private @windowed(%q: tensor<1x32xf32>, %k: tensor<1x16xf32>, %pos: tensor<1xi32>, %kv: !llama.cache<3x1x16, f16>, %l: index) -> tensor<1x32xf32> {
    llama.kv_append %kv[%l], %k, %k at %pos : !llama.cache<3x1x16, f16>, tensor<1x16xf32>, tensor<1x16xf32>, tensor<1xi32>
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 257 : tensor<1x32xf32>, !llama.cache<3x1x16, f16>, tensor<1xi32>
    return %a : tensor<1x32xf32>
  }
  // CHECK-LABEL: func.func private @windowed.prefill(
  // CHECK-SAME:    !llama.cache<3x1x16, f16 ring 768>
  func.func private @windowed.prefill(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x16, f16>, %l: index) -> tensor<?x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 257 : tensor<?x32xf32>, !llama.cache<3x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }

  // A layer that sees all keys keeps all.
  // CHECK-LABEL: func.func private @whole(
  // CHECK-SAME:    !llama.cache<3x1x16, f16>
  func.func private @whole(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x16, f16>, %l: index) -> tensor<?x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 : tensor<?x32xf32>, !llama.cache<3x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }

  // One more position seen is one more block.
  // CHECK-LABEL: func.func private @edge(
  // CHECK-SAME:    !llama.cache<3x1x16, f16 ring 1024>
  // SHORT-LABEL: func.func private @edge(
  // SHORT-SAME:    !llama.cache<3x1x16, f16>
  func.func private @edge(%q: tensor<?x32xf32>, %pos: tensor<?xi32>, %kv: !llama.cache<3x1x16, f16>, %l: index) -> tensor<?x32xf32> {
    %a = llama.attention %q, %kv[%l], %pos causal heads 2 window 258 : tensor<?x32xf32>, !llama.cache<3x1x16, f16>, tensor<?xi32>
    return %a : tensor<?x32xf32>
  }
}
